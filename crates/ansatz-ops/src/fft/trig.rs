//! Discrete cosine and sine transforms: [`dct`], [`idct`], [`dst`], [`idst`].

mod line;

use std::f64::consts::PI;

use candle_core::{Tensor, shape::Dim};

use super::{
    Norm, dense,
    lines::line_pass,
    plan::{FftFloat, cast},
};
use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
};
use line::Plan;

/// Which of the four even or odd extensions of a line a cosine or sine transform belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Type {
    /// Symmetric about the first and last point (cosine; at least 2 points) or zero one step
    /// beyond them (sine). Its own inverse up to a factor.
    One,
    /// Symmetric half a step beyond the ends: "the" DCT. [`Type::Three`] is its inverse.
    Two,
    /// The transpose of [`Type::Two`], and its inverse.
    Three,
    /// Symmetric half a step before the first point, antisymmetric half a step after the last (the
    /// reverse for sines). Its own inverse up to a factor.
    Four,
}

/// The discrete cosine transform along `axis`, with the definitions of SciPy:
///
/// | type | `y_k`, without scaling | N |
/// |---|---|---|
/// | One | `x_0 + (−1)^k x_{n−1} + 2 Σ_{0<j<n−1} x_j cos(π j k/(n−1))` | `2 (n − 1)` |
/// | Two | `2 Σⱼ x_j cos(π k (2j+1)/(2n))` | `2n` |
/// | Three | `x_0 + 2 Σ_{j>0} x_j cos(π j (2k+1)/(2n))` | `2n` |
/// | Four | `2 Σⱼ x_j cos(π (2j+1)(2k+1)/(4n))` | `2n` |
///
/// [`Norm`] says where the factor 1/N of transform and inverse goes. With [`Norm::Ortho`] the end
/// points are weighted so that the matrix is orthogonal, as SciPy does.
///
/// Any length; through one fast transform of real numbers of length n (types two and three),
/// `2 (n ∓ 1)` (one), or a complex one of 2n (four). Relative error as that of
/// [`fft`](super::fft()).
///
/// ```
/// use ansatz_ops::fft::{Norm, Type, dct, idct};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[4f64, 3., 5., 10.], &Device::Cpu)?;
/// let y = dct(&x, 0, Type::Two, Norm::Backward)?;
/// assert!((y.get(0)?.to_scalar::<f64>()? - 44.0).abs() < 1e-13);
/// let back = idct(&y, 0, Type::Two, Norm::Backward)?;
/// assert!((back - x)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-14);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `axis` is not one of `x`, it has no points (type one: fewer than 2), or candle fails.
pub fn dct(x: &Tensor, axis: impl Dim, kind: Type, norm: Norm) -> Result<Tensor> {
    scipy(x, axis.to_index(x.shape(), "dct")?, Kind { sine: false, kind }, norm, false)
}

/// The inverse of [`dct`] of the same type.
///
/// # Errors
/// As [`dct`].
pub fn idct(y: &Tensor, axis: impl Dim, kind: Type, norm: Norm) -> Result<Tensor> {
    scipy(y, axis.to_index(y.shape(), "idct")?, Kind { sine: false, kind }, norm, true)
}

/// The discrete sine transform along `axis`, with the definitions of SciPy:
///
/// | type | `y_k`, without scaling | N |
/// |---|---|---|
/// | One | `2 Σⱼ x_j sin(π (j+1)(k+1)/(n+1))` | `2 (n + 1)` |
/// | Two | `2 Σⱼ x_j sin(π (k+1)(2j+1)/(2n))` | `2n` |
/// | Three | `(−1)^k x_{n−1} + 2 Σ_{j<n−1} x_j sin(π (j+1)(2k+1)/(2n))` | `2n` |
/// | Four | `2 Σⱼ x_j sin(π (2j+1)(2k+1)/(4n))` | `2n` |
///
/// Otherwise as [`dct`].
///
/// # Errors
/// When `axis` is not one of `x`, it has no points, or candle fails.
pub fn dst(x: &Tensor, axis: impl Dim, kind: Type, norm: Norm) -> Result<Tensor> {
    scipy(x, axis.to_index(x.shape(), "dst")?, Kind { sine: true, kind }, norm, false)
}

/// The inverse of [`dst`] of the same type.
///
/// # Errors
/// As [`dst`].
pub fn idst(y: &Tensor, axis: impl Dim, kind: Type, norm: Norm) -> Result<Tensor> {
    scipy(y, axis.to_index(y.shape(), "idst")?, Kind { sine: true, kind }, norm, true)
}

/// A sum over cosines or sines without any weights, `y_k = Σⱼ x_j cos(…)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    pub(crate) sine: bool,
    pub(crate) kind: Type,
}

impl Kind {
    pub(crate) fn transposed(self) -> Self {
        let kind = match self.kind {
            Type::Two => Type::Three,
            Type::Three => Type::Two,
            own => own,
        };
        Self { kind, ..self }
    }

    /// The cosine or sine that multiplies `x_j` in `y_k`.
    fn entry(self, n: usize, j: usize, k: usize) -> f64 {
        // The angle is π numerator / denominator; reduced in integers, which keeps its digits.
        let (numerator, denominator) = match (self.kind, self.sine) {
            (Type::One, false) => (j * k, n - 1),
            (Type::One, true) => ((j + 1) * (k + 1), n + 1),
            (Type::Two, false) => (k * (2 * j + 1), 2 * n),
            (Type::Two, true) => ((k + 1) * (2 * j + 1), 2 * n),
            (Type::Three, false) => (j * (2 * k + 1), 2 * n),
            (Type::Three, true) => ((j + 1) * (2 * k + 1), 2 * n),
            (Type::Four, _) => ((2 * j + 1) * (2 * k + 1), 4 * n),
        };
        let angle = PI * (numerator % (2 * denominator)) as f64 / denominator as f64;
        if self.sine { angle.sin() } else { angle.cos() }
    }
}

/// Weights of the first, the inner and the last number of a line. A line of one number has the
/// weight of the first, of sines of the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) first: f64,
    pub(crate) inner: f64,
    pub(crate) last: f64,
}

impl Ends {
    pub(crate) fn all(weight: f64) -> Self {
        Self { first: weight, inner: weight, last: weight }
    }

    fn at(self, j: usize, n: usize, sine: bool) -> f64 {
        match j {
            _ if j + 1 == n && (sine || n > 1) => self.last,
            0 => self.first,
            _ => self.inner,
        }
    }

    fn apply<T: FftFloat>(self, line: &mut [T], sine: bool) {
        let n = line.len();
        let inner = cast::<T>(self.inner);
        if inner != T::one() {
            for x in line.iter_mut() {
                *x *= inner;
            }
        }
        // A line of one number has one end.
        for j in [0, n - 1].into_iter().take(n.min(2)) {
            line[j] = line[j] / inner * cast(self.at(j, n, sine));
        }
    }
}

fn scipy(x: &Tensor, axis: usize, kind: Kind, norm: Norm, inverse: bool) -> Result<Tensor> {
    let n = x.dim(axis)?;
    let least = if kind.kind == Type::One && !kind.sine { 2 } else { 1 };
    if n < least {
        return Err(Error::InvalidArgument {
            what: "length of a cosine or sine transform",
            value: n.to_string(),
            expected: "at least 1 point, of a cosine transform of type one at least 2",
        });
    }
    let period = match (kind.kind, kind.sine) {
        (Type::One, false) => 2 * (n - 1),
        (Type::One, true) => 2 * (n + 1),
        _ => 2 * n,
    } as f64;
    // The inverse of type two is type three and the other way round, with the other's factors.
    let used = if inverse { kind.transposed() } else { kind };
    let (forward, backward) = norm.factors(period);
    let factor = if inverse { backward } else { forward };
    let ortho = norm == Norm::Ortho;
    let root = 2f64.sqrt();
    // What the definitions count twice, and the end that they count once.
    let (all, once) = (Ends::all(2.0 * factor), |weight: f64| {
        let mut ends = Ends::all(1.0);
        *(if kind.sine { &mut ends.last } else { &mut ends.first }) = weight;
        ends
    });
    let both = |weight: f64| Ends { first: weight, inner: 1.0, last: weight };
    let (before, after) = match (used.kind, used.sine) {
        (Type::One, false) if ortho => {
            (both(root.recip()), scaled(both(root.recip()), 2.0 * factor))
        }
        (Type::One, false) => (both(0.5), all),
        (Type::Two, _) if ortho => (Ends::all(1.0), scaled(once(root.recip()), 2.0 * factor)),
        (Type::Three, _) if ortho => (once(root.recip()), all),
        (Type::Three, _) => (once(0.5), all),
        _ => (Ends::all(1.0), all),
    };
    weighted(x, axis, used, before, after)
}

pub(crate) fn scaled(ends: Ends, factor: f64) -> Ends {
    Ends { first: ends.first * factor, inner: ends.inner * factor, last: ends.last * factor }
}

/// `diag(after) K diag(before) x` along `axis`. The adjoint is the same of the transpose of K.
pub(crate) fn weighted(
    x: &Tensor,
    axis: usize,
    kind: Kind,
    before: Ends,
    after: Ends,
) -> Result<Tensor> {
    by_float!(x, T => {
        let contiguous = x.contiguous()?;
        let dims = x.dims();
        let n = dims[axis];
        let inner = dims[axis + 1..].iter().product();
        let mut out = vec![cast::<T>(0.0); x.elem_count()];
        let plan = Plan::<T>::new(kind, n);
        line_pass(&values::<T>(&contiguous)?, &mut out, (n, n, inner), || plan.scratch(), |x, y, s| {
            before.apply(x, kind.sine);
            plan.run(x, y, s);
            after.apply(y, kind.sine);
        });
        attach("cosine or sine transform", &[x], out, x.shape(), move |_, g| {
            Ok(vec![Some(weighted(g, axis, kind.transposed(), after, before)?)])
        })
    }, _ => composed(x, axis, kind, before, after))
}

/// The same as a product with the matrix of the transform, for other devices and dtypes.
pub(crate) fn composed(
    x: &Tensor,
    axis: usize,
    kind: Kind,
    before: Ends,
    after: Ends,
) -> Result<Tensor> {
    let wide = x.to_dtype(dense::working_dtype(x.dtype()))?;
    let n = x.dim(axis)?;
    let entry = |j: usize, k: usize| {
        before.at(j, n, kind.sine) * kind.entry(n, j, k) * after.at(k, n, kind.sine)
    };
    let matrix = dense::matrix((n, n), wide.dtype(), x.device(), entry)?;
    Ok(dense::along(&wide, axis, &matrix)?.to_dtype(x.dtype())?)
}

//! Chebyshev series on an interval: [`chebyshev`], [`ichebyshev`], [`chebder`],
//! [`chebyshev_derivative`], [`chebyshev_points`].

use std::f64::consts::PI;

use candle_core::{DType, Device, Tensor, shape::Dim};

use super::{
    Type, dense,
    lines::line_pass,
    plan::{FftFloat, cast},
    trig::{Ends, Kind, weighted},
};
use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
};

/// Which Chebyshev points a line holds the values at, all in falling order (from b to a).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nodes {
    /// The zeros of `T_n`, `cos(π(2j+1)/(2n))`: none at the ends. Any n ≥ 1.
    Gauss,
    /// The extrema of `T_{n−1}`, `cos(πj/(n−1))`: both ends belong to them, for boundary
    /// conditions. n ≥ 2.
    Lobatto,
}

impl Nodes {
    /// The cosine of point j, antisymmetric to the bit.
    fn cosine(self, n: usize, j: usize) -> f64 {
        // cos(π j/m) = sin(π (m − 2j)/(2m)), which is 0 in the middle.
        let (numerator, denominator) = match self {
            Self::Gauss => (n as f64 - 1.0 - 2.0 * j as f64, 2.0 * n as f64),
            Self::Lobatto => (n as f64 - 1.0 - 2.0 * j as f64, 2.0 * (n as f64 - 1.0)),
        };
        (PI * numerator / denominator).sin()
    }

    fn check(self, n: usize) -> Result<()> {
        if n == 0 || (n == 1 && self == Self::Lobatto) {
            return Err(Error::InvalidArgument {
                what: "number of Chebyshev points",
                value: n.to_string(),
                expected: "at least 1 Gauss point or 2 Lobatto points",
            });
        }
        Ok(())
    }
}

/// The `n` Chebyshev points of the interval `(a, b)`, `[n]`, from b down to a.
///
/// ```
/// # fn main() -> ansatz_ops::Result<()> {
/// use ansatz_ops::{candle::{DType, Device}, fft::{Nodes, chebyshev_points}};
/// let x = chebyshev_points(3, Nodes::Lobatto, (0.0, 4.0), DType::F64, &Device::Cpu)?;
/// assert_eq!(x.to_vec1::<f64>()?, [4.0, 2.0, 0.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When there are too few points (see [`Nodes`]), the ends are not finite or equal, or candle
/// fails.
pub fn chebyshev_points(
    n: usize,
    nodes: Nodes,
    (a, b): (f64, f64),
    dtype: DType,
    device: &Device,
) -> Result<Tensor> {
    nodes.check(n)?;
    let half = half_width((a, b))?;
    let point = |j: usize| match nodes {
        // The ends themselves, to the bit.
        Nodes::Lobatto if j == 0 => b,
        Nodes::Lobatto if j + 1 == n => a,
        _ => 0.5 * a + 0.5 * b + half * nodes.cosine(n, j),
    };
    Ok(dense::matrix((1, n), dtype, device, |_, j| point(j))?.squeeze(0)?)
}

fn half_width((a, b): (f64, f64)) -> Result<f64> {
    let half = 0.5 * b - 0.5 * a;
    if !half.is_finite() || half == 0.0 {
        return Err(Error::InvalidArgument {
            what: "ends of an interval of Chebyshev points",
            value: format!("({a}, {b})"),
            expected: "two different finite numbers",
        });
    }
    Ok(half)
}

/// The coefficients `c_k` of the polynomial `Σ_{k<n} c_k T_k(x)` that has the `n` values along
/// `axis` at the Chebyshev points of (−1, 1), in falling order; of another interval, of the
/// polynomial in the variable that was mapped to (−1, 1).
///
/// A cosine transform with weights, of type two ([`Nodes::Gauss`]) or one ([`Nodes::Lobatto`]):
/// time `n log n`, relative error as that of [`fft`](super::fft()).
///
/// ```
/// use ansatz_ops::fft::{Nodes, chebyshev, chebyshev_points, ichebyshev};
/// use candle_core::{DType, Device};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = chebyshev_points(5, Nodes::Gauss, (-1.0, 1.0), DType::F64, &Device::Cpu)?;
/// let cube = x.powf(3.0)?; // x³ = ¾ T₁ + ¼ T₃
/// let c = chebyshev(&cube, 0, Nodes::Gauss)?;
/// assert!((c.to_vec1::<f64>()?[1] - 0.75).abs() < 1e-15);
/// let back = ichebyshev(&c, 0, Nodes::Gauss)?;
/// assert!((back - cube)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-15);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `axis` is not one of `x`, it has too few points (see [`Nodes`]), or candle fails.
pub fn chebyshev(x: &Tensor, axis: impl Dim, nodes: Nodes) -> Result<Tensor> {
    let axis = axis.to_index(x.shape(), "chebyshev")?;
    let n = x.dim(axis)?;
    nodes.check(n)?;
    let width = n as f64;
    let (kind, before, after) = match nodes {
        Nodes::Gauss => {
            let weight = 2.0 / width;
            let ends = Ends { first: width.recip(), inner: weight, last: weight };
            (Type::Two, Ends::all(1.0), ends)
        }
        Nodes::Lobatto => {
            let (end, inner) = ((width - 1.0).recip(), 2.0 / (width - 1.0));
            let halves = Ends { first: 0.5, inner: 1.0, last: 0.5 };
            (Type::One, halves, Ends { first: end, inner, last: end })
        }
    };
    weighted(x, axis, Kind { sine: false, kind }, before, after)
}

/// The values `Σₖ c_k T_k(x_j)` at the Chebyshev points: the inverse of [`chebyshev`].
///
/// For the values at more points append zeros to the coefficients.
///
/// # Errors
/// As [`chebyshev`].
pub fn ichebyshev(c: &Tensor, axis: impl Dim, nodes: Nodes) -> Result<Tensor> {
    let axis = axis.to_index(c.shape(), "ichebyshev")?;
    nodes.check(c.dim(axis)?)?;
    let kind = match nodes {
        Nodes::Gauss => Type::Three,
        Nodes::Lobatto => Type::One,
    };
    weighted(c, axis, Kind { sine: false, kind }, Ends::all(1.0), Ends::all(1.0))
}

/// The coefficients of the derivative of order `order` of a Chebyshev series on the interval
/// `(a, b)`, along `axis`. As many as there were: the last `order` are zero.
///
/// By the recurrence `c′_{k−1} = c′_{k+1} + 2k c_k`, with half of it for `c′_0` (J. P. Boyd 2001,
/// *Chebyshev and Fourier Spectral Methods*, 2nd ed., appendix A), summed in f64.
///
/// ```
/// use ansatz_ops::{candle::{Device, Tensor}, fft::chebder};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let c = Tensor::new(&[0f64, 0., 0., 1.], &Device::Cpu)?; // T₃′ = 3 T₀ + 6 T₂
/// assert_eq!(chebder(&c, 0, 1, (-1.0, 1.0))?.to_vec1::<f64>()?, [3.0, 0.0, 6.0, 0.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When `axis` is not one of `c` or has no coefficients, the ends are not finite or equal, or
/// candle fails.
pub fn chebder(c: &Tensor, axis: impl Dim, order: u32, interval: (f64, f64)) -> Result<Tensor> {
    let axis = axis.to_index(c.shape(), "chebder")?;
    if c.dim(axis)? == 0 {
        return Err(Error::InvalidArgument {
            what: "coefficients of a Chebyshev series",
            value: "0".into(),
            expected: "at least 1",
        });
    }
    let power = Power { order, scale: half_width(interval)?.recip(), transposed: false };
    differentiate(c, axis, power)
}

/// The derivative of order `order` along `axis` of the polynomial through the values at the
/// Chebyshev points of the interval `(a, b)`, at the same points: [`chebyshev`], [`chebder`],
/// [`ichebyshev`]. Exact for polynomials of degree below n, and of smooth functions as good as the
/// polynomial is.
///
/// Rounding errors grow with `n^{2·order}`, most at the ends, as for any way to differentiate a
/// polynomial from its values (L. N. Trefethen 2000, *Spectral Methods in MATLAB*, ch. 6 and 8): of
/// exp at 64 points to 2e-12 in f64 for the slope and 2e-9 for the curvature; in f32 at 24 points to
/// 3e-4 for the slope.
///
/// ```
/// use ansatz_ops::fft::{Nodes, chebyshev_derivative, chebyshev_points};
/// use candle_core::{DType, Device};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let (nodes, interval) = (Nodes::Lobatto, (0.0, 2.0));
/// let x = chebyshev_points(20, nodes, interval, DType::F64, &Device::Cpu)?;
/// let slope = chebyshev_derivative(&x.sin()?, 0, nodes, 1, interval)?;
/// assert!((slope - x.cos()?)?.abs()?.max_all()?.to_scalar::<f64>()? < 1e-12);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`chebyshev`] and [`chebder`].
pub fn chebyshev_derivative(
    x: &Tensor,
    axis: impl Dim,
    nodes: Nodes,
    order: u32,
    interval: (f64, f64),
) -> Result<Tensor> {
    let axis = axis.to_index(x.shape(), "chebyshev_derivative")?;
    let coefficients = chebyshev(x, axis, nodes)?;
    ichebyshev(&chebder(&coefficients, axis, order, interval)?, axis, nodes)
}

/// A power of the matrix of the derivative of coefficients, each factor times `scale`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Power {
    pub(super) order: u32,
    pub(super) scale: f64,
    pub(super) transposed: bool,
}

/// The adjoint is the same of the transposed matrix.
fn differentiate(c: &Tensor, axis: usize, power: Power) -> Result<Tensor> {
    by_float!(c, T => {
        let contiguous = c.contiguous()?;
        let n = c.dim(axis)?;
        let inner = c.dims()[axis + 1..].iter().product();
        let mut out = vec![cast::<T>(0.0); c.elem_count()];
        let start = || vec![0f64; n];
        line_pass(&values::<T>(&contiguous)?, &mut out, (n, n, inner), start, |x, y, wide| {
            line::<T>(x, y, wide, power);
        });
        attach("derivative of a Chebyshev series", &[c], out, c.shape(), move |_, g| {
            let adjoint = Power { transposed: !power.transposed, ..power };
            Ok(vec![Some(differentiate(g, axis, adjoint)?)])
        })
    }, _ => composed(c, axis, power))
}

fn line<T: FftFloat>(x: &[T], y: &mut [T], wide: &mut [f64], power: Power) {
    for (w, x) in wide.iter_mut().zip(x) {
        *w = x.to_f64();
    }
    // After as many derivatives as there are coefficients all are zero.
    for _ in 0..(power.order as usize).min(wide.len()) {
        // Two sums of every other term, `one` and `two` steps behind.
        let (mut neighbour, mut one, mut two) = (0.0, 0.0, 0.0);
        if power.transposed {
            wide[0] *= 0.5;
            for (k, w) in wide.iter_mut().enumerate() {
                let sum = two + neighbour;
                neighbour = *w;
                *w = 2.0 * power.scale * k as f64 * sum;
                (two, one) = (one, sum);
            }
        } else {
            for (k, w) in wide.iter_mut().enumerate().rev() {
                let sum = two + 2.0 * (k + 1) as f64 * neighbour;
                neighbour = *w;
                *w = power.scale * sum;
                (two, one) = (one, sum);
            }
            wide[0] *= 0.5;
        }
    }
    for (y, w) in y.iter_mut().zip(wide) {
        *y = cast(*w);
    }
}

/// The same as products with the matrix, for other devices and dtypes.
pub(super) fn composed(c: &Tensor, axis: usize, power: Power) -> Result<Tensor> {
    let mut wide = c.to_dtype(dense::working_dtype(c.dtype()))?;
    let n = c.dim(axis)?;
    let entry = |from: usize, to: usize| {
        let (from, to) = if power.transposed { (to, from) } else { (from, to) };
        let weight = if to == 0 { 1.0 } else { 2.0 };
        let counts = from > to && (from - to) % 2 == 1;
        if counts { weight * power.scale * from as f64 } else { 0.0 }
    };
    let matrix = dense::matrix((n, n), wide.dtype(), c.device(), entry)?;
    for _ in 0..(power.order as usize).min(n) {
        wide = dense::along(&wide, axis, &matrix)?;
    }
    Ok(wide.to_dtype(c.dtype())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fft::tests::{distance, ramp};

    #[test]
    fn recurrence_equals_the_matrix() {
        for (dims, axis) in [(&[1][..], 0), (&[2], 0), (&[7, 3], 0), (&[2, 8, 20], 1), (&[0, 4], 1)]
        {
            for order in 0..4 {
                for transposed in [false, true] {
                    let power = Power { order, scale: 0.7, transposed };
                    let c = ramp(dims, 0.2);
                    let got = differentiate(&c, axis, power).unwrap();
                    let want = composed(&c, axis, power).unwrap();
                    assert!(distance(&got, &want) < 1e-10, "{dims:?} {power:?}");
                }
            }
        }
    }
}

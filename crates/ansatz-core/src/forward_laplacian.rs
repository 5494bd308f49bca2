//! Value, gradient and Laplacian in one forward pass: [`ForwardLaplacian`].

use ansatz_ops::{Dense, Stack, custom_vjp, matmul};
use candle_core::{DType, Device, Shape, Tensor};

use crate::{
    Error, Pointwise, Result, TensorLike,
    conv::conv,
    jet::{recurrences::evaluate, series::Series},
    stacked::{self, stacked_methods},
};

/// A tensor with its derivatives along `d` coordinates and its Laplacian
/// (R. Li et al., *A computational framework for neural network-based variational Monte Carlo with
/// Forward Laplacian*, 2023).
///
/// For `y = f(x)` elementwise, `∂ᵢy = f′ ∂ᵢx` and `Δy = f′ Δx + f″ Σᵢ (∂ᵢx)²`; for a product,
/// `Δ(ab) = a Δb + b Δa + 2 Σᵢ ∂ᵢa ∂ᵢb`. That carries `d + 2` tensors where a Hessian takes
/// `1 + d (d + 1)/2` second derivatives. With weights `wᵢ`, "Laplacian" means `Σᵢ wᵢ ∂ᵢᵢ`.
///
/// All rows lie in one tensor `[1 + d + 1, *shape]`: value, `∂₀ … ∂₍d₋₁₎`, Laplacian.
///
/// # Example
/// ```
/// use ansatz_core::{ForwardLaplacian, TensorLike, candle::{Device, Tensor}};
///
/// # fn main() -> ansatz_core::Result<()> {
/// // |x|² in three dimensions has Laplacian 6.
/// let x = Tensor::new(&[[0.1f64, 0.2, 0.3]], &Device::Cpu)?;
/// let u = ForwardLaplacian::seed(&x)?.sqr()?.sum(1)?;
/// assert!((u.laplacian()?.to_vec1::<f64>()?[0] - 6.0).abs() < 1e-14);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ForwardLaplacian {
    stack: Tensor,
    /// `[d]`, or none for a plain Laplacian.
    weights: Option<Tensor>,
}

impl ForwardLaplacian {
    /// The coordinates `x`, `[…, d]`: the derivative along coordinate `i` of the last axis is 1,
    /// the Laplacian 0.
    ///
    /// # Errors
    /// When `x` has no axis, or candle fails.
    pub fn seed(x: &Tensor) -> Result<Self> {
        let Some(&d) = x.dims().last() else {
            return Err(Error::Shape {
                what: "coordinates of a forward Laplacian",
                expected: "[…, d]".into(),
                got: "[]".into(),
            });
        };
        let unit = Tensor::eye(d, x.dtype(), x.device())?;
        let rows =
            stacked::align(&unit, x.rank())?.broadcast_as(stacked::with_rows(d, x.dims()))?;
        let zeros = x.zeros_like()?.detach().unsqueeze(0)?;
        Ok(Self { stack: Tensor::cat(&[&x.unsqueeze(0)?, &rows, &zeros], 0)?, weights: None })
    }

    /// Like [`seed`](Self::seed), for the operator `Σᵢ wᵢ ∂ᵢᵢ`; weights may be zero or negative.
    ///
    /// # Errors
    /// When there are not `d` weights.
    pub fn seed_weighted(x: &Tensor, weights: &[f64]) -> Result<Self> {
        let seed = Self::seed(x)?;
        if weights.len() != seed.coordinates() {
            return Err(Error::Shape {
                what: "weights of a forward Laplacian",
                expected: format!("[{}]", seed.coordinates()),
                got: format!("[{}]", weights.len()),
            });
        }
        let weights = Tensor::new(weights, &Device::Cpu)?.to_dtype(x.dtype())?;
        Ok(Self { stack: seed.stack, weights: Some(weights.to_device(x.device())?) })
    }

    /// The number `d` of coordinates.
    pub fn coordinates(&self) -> usize {
        self.stack.dims()[0] - 2
    }

    /// The value.
    ///
    /// # Errors
    /// When candle fails.
    pub fn value(&self) -> Result<Tensor> {
        Ok(self.stack.get(0)?)
    }

    /// The derivatives along the coordinates, `[d, *shape]`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn gradient(&self) -> Result<Tensor> {
        Ok(self.stack.narrow(0, 1, self.coordinates())?)
    }

    /// The (weighted) Laplacian.
    ///
    /// # Errors
    /// When candle fails.
    pub fn laplacian(&self) -> Result<Tensor> {
        Ok(self.stack.get(1 + self.coordinates())?)
    }

    fn with(&self, stack: Tensor) -> Self {
        Self { stack, weights: self.weights.clone() }
    }

    fn kind(&self) -> Result<Stack> {
        let weights = match &self.weights {
            Some(w) => w.to_dtype(DType::F64)?.to_vec1()?,
            None => vec![1.0; self.coordinates()],
        };
        Ok(Stack::Laplacian { weights })
    }

    fn check_kind(&self, other: &Self) -> Result<()> {
        let same_weights = match (&self.weights, &other.weights) {
            (None, None) => true,
            (Some(a), Some(b)) => {
                a.id() == b.id()
                    || (a.dims() == b.dims()
                        && a.to_dtype(DType::F64)?.to_vec1::<f64>()?
                            == b.to_dtype(DType::F64)?.to_vec1::<f64>()?)
            }
            _ => false,
        };
        if self.coordinates() == other.coordinates() && same_weights {
            return Ok(());
        }
        let kind = |l: &Self| {
            let weights = if l.weights.is_some() { "weighted" } else { "plain" };
            format!("({} coordinates, {weights})", l.coordinates())
        };
        Err(Error::Shape {
            what: "kind of two forward Laplacians (same coordinates and weights)",
            expected: kind(self),
            got: kind(other),
        })
    }
}

/// `Σᵢ wᵢ rᵢ` over the rows, kept as one row.
fn weighted_sum(rows: &Tensor, weights: Option<&Tensor>) -> Result<Tensor> {
    stacked::sum_rows(&weigh(rows, weights)?)
}

/// `wᵢ rᵢ` for each row.
fn weigh(rows: &Tensor, weights: Option<&Tensor>) -> Result<Tensor> {
    let Some(w) = weights else { return Ok(rows.clone()) };
    let mut dims = vec![1; rows.rank()];
    dims[0] = rows.dim(0)?;
    Ok(rows.broadcast_mul(&w.reshape(dims)?)?)
}

/// The three parts of a stack, detached, each with a leading axis.
struct Parts {
    value: Tensor,
    gradient: Tensor,
    laplacian: Tensor,
}

impl Parts {
    fn of(stack: &Tensor) -> Result<Self> {
        let stack = stack.detach().contiguous()?;
        let rows = stack.dim(0)?;
        Ok(Self {
            value: stack.narrow(0, 0, 1)?,
            gradient: stack.narrow(0, 1, rows - 2)?,
            laplacian: stack.narrow(0, rows - 1, 1)?,
        })
    }

    fn to_stack(&self) -> Result<Tensor> {
        Ok(Tensor::cat(&[&self.value, &self.gradient, &self.laplacian], 0)?)
    }

    /// The product with `other`.
    fn product(&self, other: &Self, weights: Option<&Tensor>) -> Result<Self> {
        let gradient = (self.value.broadcast_mul(&other.gradient)?
            + self.gradient.broadcast_mul(&other.value)?)?;
        let outer = (self.value.broadcast_mul(&other.laplacian)?
            + self.laplacian.broadcast_mul(&other.value)?)?;
        let cross = weighted_sum(&self.gradient.broadcast_mul(&other.gradient)?, weights)?;
        Ok(Self {
            value: self.value.broadcast_mul(&other.value)?,
            gradient,
            laplacian: (outer + (cross * 2.0)?)?,
        })
    }

    /// The cotangent of the other factor of a product with `self`, given that of the product.
    fn pull_back(&self, g: &Self, weights: Option<&Tensor>) -> Result<Self> {
        let first = stacked::sum_rows(&self.gradient.broadcast_mul(&g.gradient)?)?;
        let value = ((self.value.broadcast_mul(&g.value)? + first)?
            + self.laplacian.broadcast_mul(&g.laplacian)?)?;
        let cross = weigh(&self.gradient, weights)?.broadcast_mul(&g.laplacian)?;
        Ok(Self {
            value,
            gradient: (self.value.broadcast_mul(&g.gradient)? + (cross * 2.0)?)?,
            laplacian: self.value.broadcast_mul(&g.laplacian)?,
        })
    }
}

/// `f`, `f′`, `f″` and, where asked for, `f‴` at the elements of `value`.
fn derivatives(function: Pointwise, value: &Tensor, third: bool) -> Result<[Tensor; 4]> {
    // The series along t ↦ x + t, of order two, and of f′ where the third is needed.
    let x = Series { value: value.clone(), terms: vec![value.ones_like()?, value.zeros_like()?] };
    let series = evaluate(function, &x, third)?;
    let second = series.value.at(2).affine(2.0, 0.0)?;
    let third = match &series.derivative {
        Some(g) => g.at(2).affine(2.0, 0.0)?,
        None => value.clone(),
    };
    Ok([series.value.value.clone(), series.value.at(1).clone(), second, third])
}

impl TensorLike for ForwardLaplacian {
    stacked_methods!();

    fn bilinear<E>(
        &self,
        rhs: &Self,
        map: impl Fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    ) -> Result<Self>
    where
        Error: From<E>,
    {
        self.check_kind(rhs)?;
        let (a, b) = (stacked::rows(&self.stack)?, stacked::rows(&rhs.stack)?);
        let d = self.coordinates();
        let mut rows = vec![map(&a[0], &b[0])?];
        for n in 1..d + 2 {
            rows.push((map(&a[0], &b[n])? + map(&a[n], &b[0])?)?);
        }
        if d > 0 {
            let cross = (1..=d).map(|i| map(&a[i], &b[i])).collect::<Result<Vec<_>, E>>()?;
            let cross = weighted_sum(&Tensor::stack(&cross, 0)?, self.weights.as_ref())?;
            rows[d + 1] = (&rows[d + 1] + (cross.squeeze(0)? * 2.0)?)?;
        }
        Ok(self.with(Tensor::stack(&rows, 0)?))
    }

    fn pointwise(&self, function: Pointwise) -> Result<Self> {
        let x = Parts::of(&self.stack)?;
        let tracked = self.stack.track_op();
        let [y, f1, f2, f3] = derivatives(function, &x.value, tracked)?;
        let squares = weighted_sum(&x.gradient.sqr()?, self.weights.as_ref())?;
        let output = Parts {
            value: y,
            gradient: f1.broadcast_mul(&x.gradient)?,
            laplacian: ((&f1 * &x.laplacian)? + (&f2 * &squares)?)?,
        };
        let weights = self.weights.clone();
        let stack = custom_vjp(&[&self.stack], &output.to_stack()?, move |g| {
            let g = Parts::of(g)?;
            let first = stacked::sum_rows(&(&x.gradient * &g.gradient)?)?;
            let curvature = ((&f2 * &x.laplacian)? + (&f3 * &squares)?)?;
            let value = ((&f1 * &g.value)? + ((&f2 * first)? + (curvature * &g.laplacian)?)?)?;
            let bend = (&f2 * &g.laplacian)?.affine(2.0, 0.0)?;
            let gradient = (f1.broadcast_mul(&g.gradient)?
                + weigh(&x.gradient, weights.as_ref())?.broadcast_mul(&bend)?)?;
            let laplacian = (&f1 * &g.laplacian)?;
            Ok(vec![Some(Parts { value, gradient, laplacian }.to_stack()?)])
        })?;
        Ok(self.with(stack))
    }

    fn mul(&self, rhs: &Self) -> Result<Self> {
        self.check_kind(rhs)?;
        let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
        let (x, y) = (Parts::of(&a)?, Parts::of(&b)?);
        let output = x.product(&y, self.weights.as_ref())?.to_stack()?;
        let (a_shape, b_shape) = (a.dims().to_vec(), b.dims().to_vec());
        let (a_tracked, b_tracked) = (a.track_op(), b.track_op());
        let weights = self.weights.clone();
        let stack = custom_vjp(&[&a, &b], &output, move |g| {
            let g = Parts::of(g)?;
            let pull = |factor: &Parts, shape: &[usize]| {
                stacked::reduce_to(&factor.pull_back(&g, weights.as_ref())?.to_stack()?, shape)
            };
            Ok(vec![
                if a_tracked { Some(pull(&y, &a_shape)?) } else { None },
                if b_tracked { Some(pull(&x, &b_shape)?) } else { None },
            ])
        })?;
        Ok(self.with(stack))
    }

    fn matmul(&self, rhs: &Self) -> Result<Self> {
        self.check_kind(rhs)?;
        let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
        let (rows, d) = (a.dim(0)?, self.coordinates());
        let (a0, b0) = (a.narrow(0, 0, 1)?, b.narrow(0, 0, 1)?);
        let value = matmul(&a0, &b0)?;
        let outer =
            (matmul(&a0, &b.narrow(0, 1, rows - 1)?)? + matmul(&a.narrow(0, 1, rows - 1)?, &b0)?)?;
        let cross = matmul(&a.narrow(0, 1, d)?, &b.narrow(0, 1, d)?)?;
        let cross = weighted_sum(&cross, self.weights.as_ref())?;
        let laplacian = (outer.narrow(0, d, 1)? + (cross * 2.0)?)?;
        Ok(self.with(Tensor::cat(&[value, outer.narrow(0, 0, d)?, laplacian], 0)?))
    }
}

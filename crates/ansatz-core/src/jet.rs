//! Truncated Taylor series along several directions at once: [`Jet`].

pub(crate) mod recurrences;
pub(crate) mod series;
mod tensor_like;

use ansatz_ops::Stack;
use candle_core::{Shape, Tensor};

use crate::{Error, Result, stacked};
use series::Series;

/// A tensor together with its Taylor coefficients to order `K` along `D` directions.
///
/// Along direction `v` the jet stands for `u(x + t v) = u₀ + u₁ t + … + u_K t^K + O(t^(K+1))`.
/// Evaluating a model on a jet instead of a tensor gives the coefficients of its output, hence its
/// derivatives `dᵏ/dtᵏ u(x + t v) = k! uₖ` at `t = 0`, in one forward pass whose cost grows like
/// `K D` for linear maps and `K² D` for the rest. The coefficients are ordinary candle tensors: a
/// loss built from them trains by one `backward`, where candle's own reverse mode cannot be nested.
///
/// The recurrences are those of A. Griewank and A. Walther, *Evaluating Derivatives* (2nd ed.,
/// 2008), chapter 13. All coefficients lie in one tensor `[1 + K·D, *shape]` (value first, then
/// order by order), so that a dense layer or a convolution is one product over the stack. Reverse
/// mode through a pointwise function or a product is one node of the graph with its own rule.
///
/// A jet of order 0, or with no directions, is the plain value.
///
/// # Example
/// The residual `u_t + u u_x − ν u_xx` of Burgers' equation for a small tanh network of `(t, x)`:
///
/// ```
/// use ansatz_core::{Jet, Module, Result, TensorLike, candle::{Device, Tensor, Var}};
///
/// struct Net { w1: Var, b1: Var, w2: Var }
///
/// impl<T: TensorLike> Module<T> for Net {
///     fn forward(&self, x: &T) -> Result<T> {
///         x.dense(&self.w1, Some(&self.b1))?.tanh()?.dense(&self.w2, None)
///     }
/// }
///
/// # fn main() -> Result<()> {
/// let device = Device::Cpu;
/// let net = Net {
///     w1: Var::new(&[[0.5f64, -0.3], [0.2, 0.8], [-0.7, 0.4]], &device)?,
///     b1: Var::new(&[0.1f64, 0.0, -0.2], &device)?,
///     w2: Var::new(&[[1f64, -0.5, 0.3]], &device)?,
/// };
/// let points = Tensor::new(&[[0.1f64, 0.2], [0.4, -0.6]], &device)?; // [batch, (t, x)]
/// let axes = Tensor::new(&[[1f64, 0.0], [0.0, 1.0]], &device)?; // directions t and x
///
/// let u = net.forward(&Jet::seed(&points, &axes, 2)?)?;
/// let (u_t, u_x, u_xx) = (u.derivative(1, 0)?, u.derivative(1, 1)?, u.derivative(2, 1)?);
/// let residual = ((u_t + (u.value()? * u_x)?)? - (u_xx * 0.01)?)?; // [batch, 1]
///
/// let gradients = residual.sqr()?.mean_all()?.backward()?; // with respect to the weights
/// assert!(gradients.get(&net.w1).is_some());
///
/// // The first residual against the closed form of this network.
/// let (w1, b1, w2): (_, [f64; 3], _) =
///     ([[0.5, -0.3], [0.2, 0.8], [-0.7, 0.4]], [0.1, 0.0, -0.2], [1.0, -0.5, 0.3]);
/// let (mut v, mut v_t, mut v_x, mut v_xx) = (0f64, 0f64, 0f64, 0f64);
/// for i in 0..3 {
///     let [a, b]: [f64; 2] = w1[i];
///     let y = (a * 0.1 + b * 0.2 + b1[i]).tanh();
///     let slope = 1.0 - y * y;
///     v += w2[i] * y;
///     v_t += w2[i] * slope * a;
///     v_x += w2[i] * slope * b;
///     v_xx += w2[i] * -2.0 * y * slope * b * b;
/// }
/// let expected = v_t + v * v_x - 0.01 * v_xx;
/// assert!((residual.to_vec2::<f64>()?[0][0] - expected).abs() < 1e-14);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Jet {
    pub(crate) stack: Tensor,
    pub(crate) order: usize,
    pub(crate) directions: usize,
}

impl Jet {
    /// The jet of `x + t v` for each direction `v`, to order `order`.
    ///
    /// `directions` is `[D, …]`: the first axis counts the directions, the others broadcast to the
    /// shape of `x`. For points `[batch, d]`, directions `[D, d]` are common to the batch and
    /// `[D, batch, d]` belong to one point each.
    ///
    /// # Errors
    /// When `directions` has no axis or does not broadcast, or dtype or device differ.
    pub fn seed(x: &Tensor, directions: &Tensor, order: usize) -> Result<Self> {
        let Some(&count) = directions.dims().first() else {
            return Err(Error::Shape {
                what: "directions of a jet",
                expected: format!("[D, …] with … broadcasting to {:?}", x.dims()),
                got: "[]".into(),
            });
        };
        if order == 0 || count == 0 {
            return Ok(Self { stack: x.unsqueeze(0)?, order, directions: count });
        }
        if directions.rank() > x.rank() + 1 {
            return Err(Error::Shape {
                what: "directions of a jet",
                expected: format!("[D, …] with … broadcasting to {:?}", x.dims()),
                got: format!("{:?}", directions.dims()),
            });
        }
        let block = stacked::with_rows(count, x.dims());
        let first = stacked::align(directions, x.rank())?.broadcast_as(block)?;
        Self::from_coefficients(x, &[first]).and_then(|jet| jet.raised(order))
    }

    /// The jet with value `value` and coefficients `coefficients[k − 1]`, each
    /// `[D, *shape of value]`, of order `k`.
    ///
    /// Without coefficients this is a jet of order 0 with no directions.
    ///
    /// # Errors
    /// When a shape does not fit, or dtype or device differ.
    pub fn from_coefficients(value: &Tensor, coefficients: &[Tensor]) -> Result<Self> {
        let directions = coefficients.first().map_or(0, |c| c.dims().first().copied().unwrap_or(0));
        let block = stacked::with_rows(directions, value.dims());
        let mut blocks = vec![value.unsqueeze(0)?];
        for c in coefficients {
            if c.dims() != block {
                return Err(Error::Shape {
                    what: "coefficients of a jet",
                    expected: format!("{block:?}"),
                    got: format!("{:?}", c.dims()),
                });
            }
            if directions > 0 {
                blocks.push(c.clone());
            }
        }
        Ok(Self { stack: Tensor::cat(&blocks, 0)?, order: coefficients.len(), directions })
    }

    /// The same series to a higher order, filled up with zeros.
    fn raised(self, order: usize) -> Result<Self> {
        let missing = (order - self.order) * self.directions;
        let stack =
            if missing == 0 { self.stack } else { self.stack.pad_with_zeros(0, 0, missing)? };
        Ok(Self { stack, order, directions: self.directions })
    }

    /// The order `K` at which the series is cut.
    pub fn order(&self) -> usize {
        self.order
    }

    /// The number `D` of directions.
    pub fn directions(&self) -> usize {
        self.directions
    }

    /// The shape of the value.
    pub fn shape(&self) -> Shape {
        Shape::from(&self.stack.dims()[1..])
    }

    /// All coefficients, `[1 + K·D, *shape]`: the value, then the directions of order 1, of order
    /// 2, and so on.
    pub fn stack(&self) -> &Tensor {
        &self.stack
    }

    /// The value `u(x)`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn value(&self) -> Result<Tensor> {
        Ok(self.stack.get(0)?)
    }

    /// The Taylor coefficient `uₖ` along one direction; the value for `k = 0`.
    ///
    /// # Errors
    /// When there is no such order or direction.
    pub fn coefficient(&self, k: usize, direction: usize) -> Result<Tensor> {
        if direction >= self.directions {
            return Err(Error::invalid(
                "direction of a jet",
                direction,
                "an index below the number of directions of the jet",
            ));
        }
        self.check_order(k)?;
        if k == 0 {
            return self.value();
        }
        Ok(self.stack.get(1 + (k - 1) * self.directions + direction)?)
    }

    /// The Taylor coefficients of order `k ≥ 1` along all directions, `[D, *shape]`.
    ///
    /// # Errors
    /// When there is no such order.
    pub fn coefficients(&self, k: usize) -> Result<Tensor> {
        self.check_order(k)?;
        if k == 0 {
            return Err(Error::invalid("order of the coefficients", k, "an order of at least 1"));
        }
        Ok(self.stack.narrow(0, 1 + (k - 1) * self.directions, self.directions)?)
    }

    /// The derivative `dᵏ/dtᵏ u(x + t v) = k! uₖ` along one direction.
    ///
    /// # Errors
    /// When there is no such order or direction.
    pub fn derivative(&self, k: usize, direction: usize) -> Result<Tensor> {
        let coefficient = self.coefficient(k, direction)?;
        Ok(if k < 2 { coefficient } else { coefficient.affine(factorial(k), 0.0)? })
    }

    fn check_order(&self, k: usize) -> Result<()> {
        if k <= self.order {
            return Ok(());
        }
        Err(Error::invalid(
            "order of a coefficient",
            k,
            "an order up to that of the jet; seed it with a higher one",
        ))
    }

    /// A jet of the same kind.
    fn with(&self, stack: Tensor) -> Self {
        Self { stack, order: self.order, directions: self.directions }
    }

    fn series(&self) -> Result<Series> {
        Series::from_stack(&self.stack, self.order, self.directions)
    }

    #[allow(clippy::unnecessary_wraps)] // for stacks of other kinds it can fail
    fn kind(&self) -> Result<Stack> {
        Ok(Stack::Series { order: self.order, directions: self.directions })
    }

    fn check_kind(&self, other: &Self) -> Result<()> {
        if (self.order, self.directions) == (other.order, other.directions) {
            return Ok(());
        }
        let kind = |j: &Self| format!("(order {}, {} directions)", j.order, j.directions);
        Err(Error::Shape { what: "kind of two jets", expected: kind(self), got: kind(other) })
    }
}

/// `k!`, exact for the orders in use.
pub(crate) fn factorial(k: usize) -> f64 {
    (2..=k).map(|i| i as f64).product()
}

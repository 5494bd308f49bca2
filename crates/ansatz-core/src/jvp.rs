//! Jacobian–vector products: [`jvp`].

use candle_core::Tensor;

use crate::{Error, Jet, Module, Result};

/// The value `f(x)` and the Jacobian–vector product `∂f(x) v`, in one forward pass.
///
/// `v` has the shape of `x`; the two results have that of `f(x)`. Both stay attached to candle's
/// graph. The transposed product is [`ansatz_ops::vjp`].
///
/// # Errors
/// When the shapes of `x` and `v` differ, or `f` fails.
///
/// # Example
/// ```
/// use ansatz_core::{Jet, TensorLike, candle::{Device, Tensor}, jvp};
///
/// # fn main() -> ansatz_core::Result<()> {
/// let x = Tensor::new(&[1f64, 2.0], &Device::Cpu)?;
/// let v = Tensor::new(&[1f64, -1.0], &Device::Cpu)?;
/// let (y, dy) = jvp(&|x: &Jet| x.powi(3), &x, &v)?;
/// assert_eq!(y.to_vec1::<f64>()?, [1.0, 8.0]);
/// assert_eq!(dy.to_vec1::<f64>()?, [3.0, -12.0]);
/// # Ok(())
/// # }
/// ```
pub fn jvp<M: Module<Jet>>(f: &M, x: &Tensor, v: &Tensor) -> Result<(Tensor, Tensor)> {
    if x.dims() != v.dims() {
        return Err(Error::Shape {
            what: "vector of a Jacobian–vector product",
            expected: format!("{:?}", x.dims()),
            got: format!("{:?}", v.dims()),
        });
    }
    let y = f.forward(&Jet::seed(x, &v.unsqueeze(0)?, 1)?)?;
    Ok((y.value()?, y.coefficient(1, 0)?))
}

//! Complex tensors as pairs of real ones: [`Complex`].

use candle_core::{Shape, Tensor};

use crate::{Result, check_like};

/// A complex tensor: its real and its imaginary part, of one shape, dtype and device.
///
/// candle has no complex dtype. Gradients are those of the two real tensors: for a real loss `L`,
/// `∂L/∂re` and `∂L/∂im`.
///
/// ```
/// use ansatz_ops::fft::Complex;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let re = Tensor::new(&[3f64, 0.0], &Device::Cpu)?;
/// let im = Tensor::new(&[4f64, 1.0], &Device::Cpu)?;
/// let z = Complex::new(re, im)?;
/// assert_eq!(z.abs()?.to_vec1::<f64>()?, [5.0, 1.0]);
/// assert_eq!(z.mul(&z.conj()?)?.re.to_vec1::<f64>()?, [25.0, 1.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Complex {
    /// The real part.
    pub re: Tensor,
    /// The imaginary part.
    pub im: Tensor,
}

impl Complex {
    /// `re + i·im`.
    ///
    /// # Errors
    /// When shapes, dtypes or devices differ.
    pub fn new(re: Tensor, im: Tensor) -> Result<Self> {
        check_like("imaginary part", &re, &im)?;
        Ok(Self { re, im })
    }

    /// `x + 0i`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn from_real(x: &Tensor) -> Result<Self> {
        Ok(Self { re: x.clone(), im: x.zeros_like()? })
    }

    /// The two halves of a tensor `[2, …]`: what the kernels return.
    pub(crate) fn unpack(packed: &Tensor) -> Result<Self> {
        Ok(Self { re: packed.get(0)?, im: packed.get(1)? })
    }

    /// The shape of both parts.
    pub fn shape(&self) -> &Shape {
        self.re.shape()
    }

    /// The dimensions of both parts.
    pub fn dims(&self) -> &[usize] {
        self.re.dims()
    }

    /// The same real function of both parts: `reshape`, `narrow`, `contiguous` and the like.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn map<E>(&self, f: impl Fn(&Tensor) -> Result<Tensor, E>) -> Result<Self>
    where
        crate::Error: From<E>,
    {
        Ok(Self { re: f(&self.re)?, im: f(&self.im)? })
    }

    /// The sum; the shapes broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast, or candle fails.
    pub fn add(&self, other: &Self) -> Result<Self> {
        Ok(Self { re: self.re.broadcast_add(&other.re)?, im: self.im.broadcast_add(&other.im)? })
    }

    /// The difference; the shapes broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast, or candle fails.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        Ok(Self { re: self.re.broadcast_sub(&other.re)?, im: self.im.broadcast_sub(&other.im)? })
    }

    /// The product, element by element; the shapes broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast, or candle fails.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        let (a, b, c, d) = (&self.re, &self.im, &other.re, &other.im);
        Ok(Self {
            re: (a.broadcast_mul(c)? - b.broadcast_mul(d)?)?,
            im: (a.broadcast_mul(d)? + b.broadcast_mul(c)?)?,
        })
    }

    /// The product with a real tensor, element by element; the shapes broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast, or candle fails.
    pub fn mul_real(&self, factor: &Tensor) -> Result<Self> {
        self.map(|part| part.broadcast_mul(factor))
    }

    /// The product with a real number.
    ///
    /// # Errors
    /// When candle fails.
    pub fn scale(&self, factor: f64) -> Result<Self> {
        self.map(|part| part.affine(factor, 0.0))
    }

    /// The complex conjugate.
    ///
    /// # Errors
    /// When candle fails.
    pub fn conj(&self) -> Result<Self> {
        Ok(Self { re: self.re.clone(), im: self.im.neg()? })
    }

    /// `re² + im²`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn abs_sqr(&self) -> Result<Tensor> {
        Ok((self.re.sqr()? + self.im.sqr()?)?)
    }

    /// The modulus `√(re² + im²)`. Its gradient is not finite at 0; [`Complex::abs_sqr`] has one
    /// everywhere.
    ///
    /// # Errors
    /// When candle fails.
    pub fn abs(&self) -> Result<Tensor> {
        Ok(self.abs_sqr()?.sqrt()?)
    }
}

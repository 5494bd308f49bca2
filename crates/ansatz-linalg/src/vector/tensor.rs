//! Tensors as vectors, whose components are all their numbers.

use ansatz_core::State as _;
use candle_core::{DType, Device, Tensor};

use super::{Components, Vector, norm};
use crate::{Result, operator::check_length};

impl Components for Tensor {
    fn components(&self) -> Result<Vec<f64>> {
        // Converted there: not every device has f64.
        let all = self.detach().to_device(&Device::Cpu)?;
        Ok(all.to_dtype(DType::F64)?.flatten_all()?.to_vec1()?)
    }

    fn with_components(&self, components: Vec<f64>) -> Result<Self> {
        check_length("components of a tensor", self.elem_count(), components.len())?;
        let all = Self::from_vec(components, self.shape(), &Device::Cpu)?;
        Ok(all.to_dtype(self.dtype())?.to_device(self.device())?)
    }
}

impl Vector for Tensor {
    fn inner(&self, other: &Self) -> Result<f64> {
        self.check_like("inner product", other)?;
        Ok(host((summable(self)? * summable(other)?)?.sum_all()?.unsqueeze(0)?)?[0])
    }

    /// With one transfer from the device for all.
    fn inner_all(&self, others: &[Self]) -> Result<Vec<f64>> {
        let own = summable(self)?;
        let product = |other: &Self| -> Result<Self> {
            self.check_like("inner product", other)?;
            Ok((summable(other)? * &own)?.sum_all()?)
        };
        let products = others.iter().map(product).collect::<Result<Vec<_>>>()?;
        if products.is_empty() {
            return Ok(Vec::new());
        }
        host(Self::stack(&products, 0)?)
    }

    fn norm2(&self) -> Result<f64> {
        let largest = || Ok(host(summable(self)?.abs()?.flatten_all()?.max(0)?.unsqueeze(0)?)?[0]);
        let scaled = |scale: f64| {
            let x = (summable(self)? * scale)?;
            x.inner(&x)
        };
        format(self.dtype()).norm(self.inner(self)?, self.elem_count(), largest, scaled)
    }

    fn epsilon(&self) -> f64 {
        match self.dtype() {
            DType::F32 => f64::from(f32::EPSILON),
            DType::F16 => 2f64.powi(-10),
            DType::BF16 => 2f64.powi(-7),
            _ => f64::EPSILON,
        }
    }

    fn detached(self) -> Self {
        self.detach()
    }
}

/// In the format that squares are added up in: half precision has no room for them.
pub(crate) fn summable(x: &Tensor) -> Result<Tensor> {
    match x.dtype() {
        DType::F64 | DType::F32 => Ok(x.detach()),
        _ => Ok(x.detach().to_dtype(DType::F32)?),
    }
}

/// That format for tensors of this dtype.
pub(crate) fn format(dtype: DType) -> norm::Format {
    if dtype == DType::F64 {
        return norm::DOUBLE;
    }
    let (least, epsilon) = (f32::MIN_POSITIVE, f32::EPSILON);
    norm::Format { least: f64::from(least), epsilon: f64::from(epsilon), exponent: 126 }
}

/// `[n]` as plain numbers; converted on the host, as not every device has f64.
pub(crate) fn host(x: Tensor) -> Result<Vec<f64>> {
    Ok(x.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}

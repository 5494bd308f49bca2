//! How far two tensors are apart.
use candle_core::{DType, Device, Tensor};

use crate::AnyError;

/// The tensor in f64 on the CPU.
pub(super) fn on_cpu(x: &Tensor) -> candle_core::Result<Tensor> {
    // Converted after the transfer: Metal has no f64.
    x.detach().to_device(&Device::Cpu)?.to_dtype(DType::F64)
}

/// `max |a − b| / max(1, max |b|)`; NaN where either has one, or an infinity that the other lacks.
pub(super) fn difference(a: &Tensor, b: &Tensor) -> Result<f64, AnyError> {
    if a.dims() != b.dims() {
        return Err(format!("shape {:?} instead of {:?}", a.dims(), b.dims()).into());
    }
    let a = a.flatten_all()?.to_vec1::<f64>()?;
    let b = b.flatten_all()?.to_vec1::<f64>()?;
    let scale = b.iter().fold(1.0_f64, |s, y| s.max(y.abs()));
    let mut largest = 0.0_f64;
    for (x, y) in a.iter().zip(&b) {
        let d = if x == y { 0.0 } else { (x - y).abs() };
        if d.is_nan() {
            return Ok(f64::NAN);
        }
        largest = largest.max(d);
    }
    Ok(largest / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f64]) -> Tensor {
        Tensor::new(values, &Device::Cpu).unwrap()
    }

    #[test]
    fn relative_to_the_largest_but_at_least_one() {
        assert_eq!(difference(&tensor(&[0.5, 0.0]), &tensor(&[0.0, 0.0])).unwrap(), 0.5);
        assert_eq!(difference(&tensor(&[8.0, 1.0]), &tensor(&[8.0, 2.0])).unwrap(), 0.125);
        assert!(difference(&tensor(&[1.0]), &tensor(&[1.0, 2.0])).is_err());
    }

    #[test]
    fn nan_is_never_small() {
        let inf = f64::INFINITY;
        assert!(difference(&tensor(&[f64::NAN]), &tensor(&[0.0])).unwrap().is_nan());
        assert!(difference(&tensor(&[f64::NAN]), &tensor(&[f64::NAN])).unwrap().is_nan());
        assert_eq!(difference(&tensor(&[inf]), &tensor(&[1.0])).unwrap(), inf);
        assert_eq!(difference(&tensor(&[inf, 1.0]), &tensor(&[inf, 1.0])).unwrap(), 0.0);
    }
}

//! Choosing devices and number types, and checking that they agree.

use candle_core::{DType, Device, DeviceLocation, Tensor};

use crate::{Error, Result};

/// The fastest device there is: the first CUDA GPU, otherwise the first Metal GPU, otherwise the
/// CPU.
///
/// A GPU counts if the feature `cuda` or `metal` is compiled in and the device opens. One that
/// does not open is passed over; ask for it by name with [`parse_device`] to see why.
///
/// # Errors
///
/// None at present, since the CPU is always there.
pub fn best_device() -> Result<Device> {
    Ok(Device::new_cuda(0).or_else(|_| Device::new_metal(0)).unwrap_or(Device::Cpu))
}

/// The device named `cpu`, `cuda`, `cuda:1`, `metal`, `metal:1` or `best`.
///
/// # Errors
///
/// [`Error::InvalidArgument`] for any other name; [`Error::Candle`] if the device does not open or
/// its feature is not compiled in.
///
/// ```
/// assert!(ansatz_core::parse_device("cpu")?.is_cpu());
/// # Ok::<(), ansatz_core::Error>(())
/// ```
pub fn parse_device(name: &str) -> Result<Device> {
    let invalid = || Error::InvalidArgument {
        what: "device",
        value: format!("{name:?}"),
        expected: "cpu, cuda, cuda:N, metal, metal:N or best",
    };
    let (kind, ordinal) = match name.split_once(':') {
        None => (name, None),
        Some((kind, n)) => (kind, Some(n.parse::<usize>().map_err(|_| invalid())?)),
    };
    match (kind, ordinal) {
        ("cpu", None) => Ok(Device::Cpu),
        ("best", None) => best_device(),
        ("cuda", n) => Ok(Device::new_cuda(n.unwrap_or(0))?),
        ("metal", n) => Ok(Device::new_metal(n.unwrap_or(0))?),
        _ => Err(invalid()),
    }
}

/// The floating-point type named `f32`, `f64`, `bf16` or `f16`.
///
/// # Errors
///
/// [`Error::InvalidArgument`] for any other name.
pub fn parse_dtype(name: &str) -> Result<DType> {
    match name {
        "f32" => Ok(DType::F32),
        "f64" => Ok(DType::F64),
        "bf16" => Ok(DType::BF16),
        "f16" => Ok(DType::F16),
        _ => Err(Error::InvalidArgument {
            what: "dtype",
            value: format!("{name:?}"),
            expected: "f32, f64, bf16 or f16",
        }),
    }
}

/// Checks that two tensors live on the same device. `what` names `b` in the error.
///
/// # Errors
///
/// [`Error::Device`] if they do not.
pub fn check_same_device(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.device().same_device(b.device()) {
        return Ok(());
    }
    Err(device_mismatch(what, a.device().location(), b.device().location()))
}

fn device_mismatch(what: &'static str, expected: DeviceLocation, got: DeviceLocation) -> Error {
    Error::Device { what, expected: location_name(expected), got: location_name(got) }
}

/// Checks that two tensors have the same dtype. `what` names `b` in the error.
///
/// # Errors
///
/// [`Error::DType`] if they do not.
pub fn check_same_dtype(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() == b.dtype() {
        return Ok(());
    }
    Err(Error::DType { what, expected: a.dtype().as_str().into(), got: b.dtype().as_str().into() })
}

/// Checks that a device can compute with a type: f64, f32, bf16, f16, u8, u32 or i64, but no f64
/// on Metal (candle stores it there and then fails in every operation). candle's other types are
/// storage formats.
///
/// This is about a type as a whole; single operations have gaps (candle 0.11 has no bf16 matrix
/// product on the CPU).
///
/// # Errors
///
/// [`Error::DType`] if it cannot.
pub fn supports_dtype(device: &Device, dtype: DType) -> Result<()> {
    supports_dtype_at(device.location(), dtype)
}

fn supports_dtype_at(location: DeviceLocation, dtype: DType) -> Result<()> {
    let (what, expected) = match (location, dtype) {
        (DeviceLocation::Metal { .. }, DType::F64) => {
            ("type for a Metal device, which has no f64", "f32 (or f64 on the CPU)")
        }
        (
            _,
            DType::F64
            | DType::F32
            | DType::BF16
            | DType::F16
            | DType::U8
            | DType::U32
            | DType::I64,
        ) => return Ok(()),
        _ => ("type to compute with", "f64, f32, bf16, f16, u8, u32 or i64"),
    };
    Err(Error::DType { what, expected: expected.into(), got: dtype.as_str().into() })
}

/// The name that [`parse_device`] understands.
fn location_name(location: DeviceLocation) -> String {
    match location {
        DeviceLocation::Cpu => "cpu".into(),
        DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::utils::{cuda_is_available, metal_is_available};

    const METAL: DeviceLocation = DeviceLocation::Metal { gpu_id: 0 };

    #[test]
    fn names_of_devices() {
        assert!(parse_device("cpu").unwrap().is_cpu());
        assert!(parse_device("best").unwrap().same_device(&best_device().unwrap()));
        for name in ["", "CPU", "gpu", "cpu:0", "best:0", "cuda:", "cuda:-1", "cuda:x", "cuda:0:0"]
        {
            let error = parse_device(name).unwrap_err();
            assert!(
                matches!(error, Error::InvalidArgument { what: "device", .. }),
                "{name}: {error:?}"
            );
        }
        for location in [DeviceLocation::Cpu, DeviceLocation::Cuda { gpu_id: 3 }, METAL] {
            let parsed = parse_device(&location_name(location));
            assert!(!matches!(parsed, Err(Error::InvalidArgument { .. })), "{location:?}");
        }
    }

    #[test]
    fn devices_that_are_not_compiled_in_are_an_error_and_never_best() {
        if !cuda_is_available() {
            assert!(matches!(parse_device("cuda:1"), Err(Error::Candle(_))));
        }
        if !metal_is_available() {
            assert!(matches!(parse_device("metal"), Err(Error::Candle(_))));
        }
        if !cuda_is_available() && !metal_is_available() {
            assert!(best_device().unwrap().is_cpu());
        }
    }

    #[test]
    fn names_of_dtypes() {
        for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
            assert_eq!(parse_dtype(dtype.as_str()).unwrap(), dtype);
        }
        for name in ["", "F32", "float", "u8"] {
            let error = parse_dtype(name).unwrap_err();
            assert!(matches!(error, Error::InvalidArgument { what: "dtype", .. }), "{name}");
        }
    }

    #[test]
    fn support_of_dtypes() {
        let cuda = DeviceLocation::Cuda { gpu_id: 0 };
        for location in [DeviceLocation::Cpu, cuda, METAL] {
            for dtype in [DType::F32, DType::BF16, DType::F16, DType::U8, DType::U32, DType::I64] {
                assert!(supports_dtype_at(location, dtype).is_ok(), "{location:?} {dtype:?}");
            }
            let no_f64 = matches!(
                supports_dtype_at(location, DType::F64),
                Err(Error::DType { got, .. }) if got == "f64"
            );
            assert_eq!(no_f64, location == METAL, "{location:?}");
            assert!(supports_dtype_at(location, DType::F4).is_err());
        }
        assert!(supports_dtype(&Device::Cpu, DType::F64).is_ok());
    }

    #[test]
    fn agreement_of_tensors() {
        let a = Tensor::zeros(2, DType::F32, &Device::Cpu).unwrap();
        let b = Tensor::zeros(3, DType::F64, &Device::Cpu).unwrap();
        check_same_device("b", &a, &b).unwrap();
        check_same_dtype("a", &a, &a.clone()).unwrap();
        let Error::DType { what: "b", expected, got } = check_same_dtype("b", &a, &b).unwrap_err()
        else {
            panic!("wrong variant")
        };
        assert_eq!((expected.as_str(), got.as_str()), ("f32", "f64"));
        // The only two devices of this machine that differ may be one CPU: test the error itself.
        let Error::Device { what: "x", expected, got } =
            device_mismatch("x", DeviceLocation::Cpu, METAL)
        else {
            panic!("wrong variant")
        };
        assert_eq!((expected.as_str(), got.as_str()), ("cpu", "metal:0"));
    }
}

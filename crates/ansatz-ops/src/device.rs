//! The devices of this machine: [`available_devices`].

use candle_core::{DType, Device};

/// The CPU and, where the feature `cuda` or `metal` is compiled in and the device opens, the first
/// GPU. What tests of an operation run over.
pub fn available_devices() -> Vec<Device> {
    let gpus = [Device::new_cuda(0), Device::new_metal(0)];
    std::iter::once(Device::Cpu).chain(gpus.into_iter().flatten()).collect()
}

/// f32 and, except on Metal, f64.
pub fn float_types(device: &Device) -> &'static [DType] {
    if device.is_metal() { &[DType::F32] } else { &[DType::F32, DType::F64] }
}

#[cfg(test)]
mod tests {
    use candle_core::utils::{cuda_is_available, metal_is_available};

    use super::*;

    #[test]
    fn the_cpu_is_always_there_and_first() {
        let devices = available_devices();
        assert!(devices[0].is_cpu() && devices[1..].iter().all(|d| !d.is_cpu()));
        if !cuda_is_available() && !metal_is_available() {
            assert_eq!(devices.len(), 1);
        }
        assert_eq!(float_types(&devices[0]), [DType::F32, DType::F64]);
    }
}

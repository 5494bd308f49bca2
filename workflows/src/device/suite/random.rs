//! Random numbers: the same bits on every device.
use ansatz::core::Key;
use candle_core::{DType, Device, Tensor};

use crate::AnyError;
use crate::device::Check;
use crate::device::compare::{difference, on_cpu};

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::identical("Key: uniform", |device, dtype| {
            same(device, |d| Ok(key().uniform_tensor((40, 50), -2.0, 3.0, dtype, d)?))
        }),
        Check::identical("Key: normal", |device, dtype| {
            same(device, |d| Ok(key().normal_tensor((40, 50), 1.0, 2.0, dtype, d)?))
        }),
        Check::identical("Key: truncated normal", |device, dtype| {
            same(device, |d| Ok(key().truncated_normal_tensor((40, 50), -1.0, 0.5, dtype, d)?))
        }),
        Check::identical("Key: signs", |device, dtype: DType| {
            same(device, |d| Ok(key().rademacher_tensor((40, 50), dtype, d)?))
        }),
    ]
}

fn key() -> Key {
    Key::new(7).fold_in_str("device")
}

fn same(
    device: &Device,
    draw: impl Fn(&Device) -> Result<Tensor, AnyError>,
) -> Result<f64, AnyError> {
    difference(&on_cpu(&draw(device)?)?, &on_cpu(&draw(&Device::Cpu)?)?)
}

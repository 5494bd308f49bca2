//! Problems that rows and single solves share.

use ansatz_ode::core::candle::{DType, Device, Tensor};

pub(crate) const CPU: &Device = &Device::Cpu;

/// `y' = sin(3 t) A y − 0.7 sin 2y`, in rows of two: tame in either direction of time.
pub(crate) fn swing(t: &Tensor, y: &Tensor) -> ansatz_ode::core::candle::Result<Tensor> {
    let turn = Tensor::new(&[[0f64, 2.0], [-2.0, 0.0]], y.device())?.to_dtype(y.dtype())?;
    let force = (t * 3.0)?.sin()?.unsqueeze(1)?;
    let bounded = ((y * 2.0)?.sin()? * 0.7)?;
    y.matmul(&turn)?.broadcast_mul(&force)? - bounded
}

/// The same of one row alone, at one time.
pub(crate) fn swing_alone(t: f64, y: &Tensor) -> ansatz_ode::core::candle::Result<Tensor> {
    swing(&Tensor::new(&[t], y.device())?.to_dtype(y.dtype())?, y)
}

/// Numbers between −1 and 1 that look random.
pub(crate) fn noise(i: usize, seed: f64) -> f64 {
    let x = ((i as f64 + 1.0) * 12.9898 + seed * 78.233).sin() * 43758.5453;
    2.0 * (x - x.floor()) - 1.0
}

pub(crate) fn states(rows: usize, width: usize, seed: f64) -> Tensor {
    let values: Vec<f64> = (0..rows * width).map(|i| noise(i, seed)).collect();
    Tensor::from_vec(values, (rows, width), CPU).unwrap()
}

pub(crate) fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

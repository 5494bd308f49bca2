//! States that are tensors of single precision.

use ansatz_ode::{GaussLegendre4, NoGradient, RadauIia5, solve};
use candle_core::{DType, Device, Tensor};

/// y' = −λ (y − cos t), with a rate for each component.
fn towards_cosine(t: f64, y: &Tensor) -> candle_core::Result<Tensor> {
    let rates = Tensor::new(&[1.0, 100.0, 1e4], y.device())?.to_dtype(y.dtype())?;
    ((y - t.cos())? * rates)?.neg()
}

#[test]
fn single_precision() {
    let start = |dtype: DType| {
        Tensor::new(&[2.0, 1.0, 0.5], &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    };
    let values = |y: &Tensor| y.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
    let run = |dtype: DType| {
        let s = solve(towards_cosine, start(dtype), (0.0, 1.0)).with(RadauIia5).adjoint(NoGradient);
        let s = s.tolerance(1e-4, 1e-5).run().unwrap();
        assert_eq!((s.y_end.dtype(), s.statistics.not_converged), (dtype, 0));
        let fixed = solve(towards_cosine, start(dtype), (0.0, 1.0))
            .with(GaussLegendre4)
            .adjoint(NoGradient);
        [values(&s.y_end), values(&fixed.steps(20).run().unwrap().y_end)].concat()
    };
    for (a, b) in run(DType::F32).iter().zip(run(DType::F64)) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

//! States that are tensors of single precision.

use ansatz_ode::{Kvaerno5, MatrixFree, NoGradient, solve};
use candle_core::{DType, Device, Tensor};

/// Diffusion on a line of 64 points, by Kvaerno5, in both precisions.
#[test]
fn single_precision() {
    let n = 64;
    let run = |dtype: DType| {
        let field = move |_: f64, u: &Tensor| -> candle_core::Result<Tensor> {
            let wall = Tensor::zeros(1, u.dtype(), u.device())?;
            let wide = Tensor::cat(&[&wall, u, &wall], 0)?;
            let sum = (wide.narrow(0, 0, n)? + wide.narrow(0, 2, n)?)?;
            (sum - (u * 2.0)?)?.affine(1000.0, 0.0)
        };
        let u0: Vec<f32> = (0..n).map(|i| if i < n / 2 { 1.0 } else { 0.0 }).collect();
        let u0 = Tensor::new(u0, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let s = solve(MatrixFree::new(field), u0, (0.0, 0.1)).with(Kvaerno5).adjoint(NoGradient);
        let s = s.tolerance(1e-4, 1e-4).run().unwrap();
        assert!(s.statistics.linear_iterations > 0 && s.statistics.jacobians == 0);
        assert_eq!((s.statistics.not_converged, s.y_end.dtype()), (0, dtype));
        s.y_end.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap()
    };
    let (single, double) = (run(DType::F32), run(DType::F64));
    assert!(super::largest(&single, &double) < 1e-4, "{}", super::largest(&single, &double));
}

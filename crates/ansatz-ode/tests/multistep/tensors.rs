//! Multistep methods on tensors.

use ansatz_ode::{
    NoGradient,
    core::candle::{DType, Device, Result, Tensor},
    solve,
};

use crate::ADAMS;
#[cfg(feature = "stiff")]
use crate::BDF;

/// A batch of logistic equations ends where each row does by its closed form.
#[test]
fn batches_of_rows() {
    let field = |_: f64, y: &Tensor| -> Result<Tensor> { y - y.sqr()? };
    let starts = [0.1, 0.7, 1.9];
    macro_rules! check {
        ($method:expr) => {{
            for (dtype, tolerance, allowed) in [(DType::F64, 1e-9, 1e-7), (DType::F32, 1e-5, 1e-4)]
            {
                let y0 = Tensor::new(&starts, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
                let s = solve(field, y0, (0.0, 2.0)).with($method).tolerance(tolerance, tolerance);
                let s = s.adjoint(NoGradient).save_at(vec![0.8, 2.0]).run().unwrap();
                for (t, y) in s.ts.iter().zip(&s.ys) {
                    assert_eq!(y.dtype(), dtype);
                    let found: Vec<f64> = y.to_dtype(DType::F64).unwrap().to_vec1().unwrap();
                    for (start, found) in starts.iter().zip(found) {
                        let want = 1.0 / (1.0 + (1.0 / start - 1.0) * (-t).exp());
                        assert!((found - want).abs() < allowed, "{t} {dtype:?}: {found} {want}");
                    }
                }
                assert!(s.statistics.rejected < 15, "{:?}", s.statistics);
            }
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

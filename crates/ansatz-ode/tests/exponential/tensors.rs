//! States that are tensors of single precision.

use ansatz_linalg::Diagonal;
use ansatz_ode::{EtdRk4B, Exprb43, NoGradient, SemiLinear, solve};
use candle_core::{DType, Device, Tensor};

const RATES: [f64; 3] = [1.0, 100.0, 1e4];

fn source(t: f64, y: &Tensor) -> candle_core::Result<Tensor> {
    (y.sqr()? * 0.1)?.affine(1.0, t.cos())
}

#[test]
fn single_precision() {
    let start = |dtype: DType| {
        Tensor::new(&[2.0, 1.0, 0.5], &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    };
    let values = |y: &Tensor| y.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
    let run = |dtype: DType| {
        let linear = Diagonal::new(RATES.iter().map(|rate| -rate).collect()).unwrap();
        let s = solve(SemiLinear::new(linear, source), start(dtype), (0.0, 1.0))
            .with(EtdRk4B)
            .adjoint(NoGradient);
        let s = s.steps(20).run().unwrap();
        assert_eq!(s.y_end.dtype(), dtype);
        let whole = |t: f64, y: &Tensor| -> candle_core::Result<Tensor> {
            let rates = Tensor::new(&RATES, y.device())?.to_dtype(y.dtype())?;
            source(t, y)? - (y * rates)?
        };
        let other = solve(whole, start(dtype), (0.0, 1.0))
            .with(Exprb43)
            .adjoint(NoGradient)
            .tolerance(1e-4, 1e-5);
        [values(&s.y_end), values(&other.run().unwrap().y_end)].concat()
    };
    for (a, b) in run(DType::F32).iter().zip(run(DType::F64)) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

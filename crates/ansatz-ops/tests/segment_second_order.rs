//! Gradients of gradients of the segment and sparse operations, through two calls of `backward`.
//!
//! A file of its own, with one test: candle keeps gradients on the graph only where a variable of
//! the environment says so before the first `backward` of a thread.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::{
    Csr, Edges, GradCheck, Result, Segments, edge_dot, gather, gather_rows, gather_segment_sum,
    gradcheck, scatter, scatter_add, segment_logsumexp, segment_max, segment_mean, segment_softmax,
    segment_sum,
};
use candle_core::{Device, Tensor, Var};

fn ramp(dims: &[usize]) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.4 + 1.7 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn ids(values: &[u32]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

/// The gradients of `Σ f³` in all inputs as a function of the inputs, against central differences.
#[track_caller]
fn check(name: &str, inputs: &[Tensor], f: impl Fn(&[Tensor]) -> Result<Tensor>) {
    let first = |v: &[Tensor]| -> Result<Tensor> {
        // Tracked also where the differences are taken.
        let v: Vec<Tensor> =
            v.iter()
                .map(|x| {
                    if x.track_op() { Ok(x.clone()) } else { Ok(Var::from_tensor(x)?.into_inner()) }
                })
                .collect::<Result<_>>()?;
        let y = f(&v)?;
        let grads = (y.sqr()? * &y)?.backward()?;
        let all = v.iter().map(|x| grads.get(x).unwrap().flatten_all());
        Ok(Tensor::cat(&all.collect::<candle_core::Result<Vec<_>>>()?, 0)?)
    };
    let tolerance = GradCheck { absolute: 1e-6, ..GradCheck::default() };
    gradcheck(first, inputs, &tolerance).unwrap_or_else(|e| panic!("{name}: {e}"));
}

#[test]
fn second_order() {
    // SAFETY: the only test of this program; no other thread reads the environment.
    #[allow(unsafe_code)]
    unsafe {
        std::env::set_var("CANDLE_GRAD_DO_NOT_DETACH", "1");
    }
    let s = &Segments::new(&ids(&[1, 0, 1, 3, 1, 0]), 4).unwrap();
    let full = &Segments::new(&ids(&[1, 0, 1, 2, 1, 0]), 3).unwrap();
    let (x, y) = (ramp(&[6, 2]), ramp(&[4, 2]));
    let only = std::slice::from_ref(&x);
    check("sum", only, |v| segment_sum(&v[0], s));
    check("mean", only, |v| segment_mean(&v[0], s));
    check("max", only, |v| segment_max(&v[0], full));
    check("softmax", only, |v| segment_softmax(&v[0], s));
    check("logsumexp", only, |v| segment_logsumexp(&v[0], full));
    check("gather rows", std::slice::from_ref(&y), |v| gather_rows(&v[0], s));

    let e = &Edges::new(&ids(&[3, 0, 1, 1, 3]), &ids(&[1, 0, 0, 2, 1]), 4, 3).unwrap();
    let weights = ramp(&[5]);
    check("edges", &[y.clone(), weights.clone()], |v| gather_segment_sum(&v[0], Some(&v[1]), e));
    check("dot", &[ramp(&[3, 2]), y.clone()], |v| edge_dot(&v[0], &v[1], e));
    check("matrix", &[weights, y.clone()], |v| {
        let a = Csr::from_triplets(&ids(&[1, 0, 0, 2, 1]), &ids(&[3, 0, 1, 1, 3]), &v[0], (3, 4))?;
        a.matmul(&v[1])
    });

    let at = Tensor::new(&[[0u32, 1], [2, 1]], &Device::Cpu).unwrap();
    check("gather", std::slice::from_ref(&y), |v| gather(&v[0], &at, 0));
    let both = [y, ramp(&[2, 2])];
    check("scatter add", &both, |v| scatter_add(&v[0], &at, &v[1], 0));
    check("scatter", &both, |v| scatter(&v[0], &at, &v[1], 0));
}

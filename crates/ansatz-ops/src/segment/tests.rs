//! The paths of other devices and of half precision, run on the CPU: values and gradients equal
//! those of the kernels.

use candle_core::{DType, Device, Tensor, Var};

use super::extremum::composed_extremum;
use super::linear::{composed_expand, composed_reduce};
use super::product::{composed_products, composed_sum};
use super::softmax::{composed_logsumexp, composed_softmax};
use super::*;
use crate::Result;

fn ramp(dims: &[usize]) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (0.4 + 1.7 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn ids(values: &[u32]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_equal(a: &Tensor, b: &Tensor, tolerance: f64) {
    assert_eq!(a.dims(), b.dims());
    for (x, y) in flat(a).iter().zip(flat(b)) {
        assert!(*x == y || (x - y).abs() <= tolerance, "{x} and {y}");
    }
}

/// Values and gradients of both, weighted with a cotangent that is zero where a value is infinite.
#[track_caller]
fn assert_same(
    inputs: &[Tensor],
    kernel: impl Fn(&[Tensor]) -> Result<Tensor>,
    composed: impl Fn(&[Tensor]) -> Result<Tensor>,
) {
    let run = |f: &dyn Fn(&[Tensor]) -> Result<Tensor>| {
        let vars: Vec<Var> = inputs.iter().map(|x| Var::from_tensor(x).unwrap()).collect();
        let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        let y = f(&tensors).unwrap();
        let c = (ramp(y.dims()) + 0.2).unwrap();
        let finite = y.detach().abs().unwrap().lt(1e9).unwrap();
        let safe = finite.where_cond(&y, &y.zeros_like().unwrap()).unwrap();
        let grads = (safe * c).unwrap().backward().unwrap();
        let all = vars.iter().map(|v| grads.get(v).unwrap().clone()).collect::<Vec<_>>();
        (y, all)
    };
    let ((y, g), (z, h)) = (run(&kernel), run(&composed));
    assert_equal(&y, &z, 1e-14);
    for (g, h) in g.iter().zip(&h) {
        assert_equal(g, h, 1e-14);
    }
}

#[test]
fn kernels_equal_compositions() {
    let lists = [vec![0u32, 0, 1, 1, 1, 1, 1, 3, 4, 4], vec![4, 1, 0, 1, 3, 1, 4, 1, 0, 1]];
    for list in lists {
        let s = &Segments::new(&ids(&list), 5).unwrap();
        for dims in [&[10, 3][..], &[10], &[10, 2, 2]] {
            let x = [ramp(dims)];
            let mut few = dims.to_vec();
            few[0] = 5;
            let y = [ramp(&few)];
            assert_same(&x, |v| segment_sum(&v[0], s), |v| composed_reduce(&v[0], s, false));
            assert_same(&x, |v| segment_mean(&v[0], s), |v| composed_reduce(&v[0], s, true));
            assert_same(&y, |v| gather_rows(&v[0], s), |v| composed_expand(&v[0], s, false));
            assert_same(
                &x,
                |v| segment_max(&v[0], s),
                |v| Ok(composed_extremum(&v[0], s, true)?.0),
            );
            assert_same(
                &x,
                |v| segment_min(&v[0], s),
                |v| Ok(composed_extremum(&v[0], s, false)?.0),
            );
            assert_same(&x, |v| segment_softmax(&v[0], s), |v| composed_softmax(&v[0], s));
            assert_same(&x, |v| segment_logsumexp(&v[0], s), |v| composed_logsumexp(&v[0], s));
        }
    }
}

#[test]
fn ties_and_nan_as_in_the_kernels() {
    let s = &Segments::new(&ids(&[1, 0, 1, 1, 0, 1]), 3).unwrap();
    let x = Tensor::new(&[2.0f64, 1.0, 5.0, 5.0, 1.0, 5.0], &Device::Cpu).unwrap();
    assert_same(&[x], |v| segment_max(&v[0], s), |v| Ok(composed_extremum(&v[0], s, true)?.0));
    let x = Tensor::new(&[2.0f64, 1.0, f64::NAN, 5.0, 1.0, 9.0], &Device::Cpu).unwrap();
    let (value, row) = composed_extremum(&x, s, true).unwrap();
    assert!(flat(&value)[1].is_nan());
    assert_eq!(row.to_vec1::<u32>().unwrap()[1], 2);
}

#[test]
fn products_equal_compositions() {
    let edges = Edges::new(&ids(&[3, 0, 1, 1, 3, 2]), &ids(&[1, 0, 0, 2, 1, 2]), 4, 3).unwrap();
    let e = &edges;
    let (x, y) = (ramp(&[4, 2, 3]), ramp(&[3, 2, 3]));
    assert_same(
        &[x.clone()],
        |v| gather_segment_sum(&v[0], None, e),
        |v| composed_sum(&v[0], None, e),
    );
    for w in [ramp(&[6]), ramp(&[6, 2])] {
        assert_same(
            &[x.clone(), w],
            |v| gather_segment_sum(&v[0], Some(&v[1]), e),
            |v| composed_sum(&v[0], Some(&v[1]), e),
        );
    }
    assert_same(
        &[y, x],
        |v| edge_dot(&v[0], &v[1], e),
        |v| composed_products(&v[0], &v[1], e, &[6]),
    );
}

#[test]
fn half_precision_takes_the_composition() {
    let s = &Segments::new(&ids(&[1, 0, 1, 3]), 4).unwrap();
    let x = ramp(&[4, 3]);
    let half = x.to_dtype(DType::BF16).unwrap();
    for op in
        [segment_sum, segment_mean, segment_max, segment_min, segment_softmax, segment_logsumexp]
    {
        let y = op(&half, s).unwrap();
        assert_eq!(y.dtype(), DType::BF16);
        assert_equal(&y, &op(&x, s).unwrap(), 0.02);
    }
}

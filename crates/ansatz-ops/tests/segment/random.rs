//! Algebra on random graphs.

use ansatz_ops::{
    Csr, Edges, Segments, edge_dot, gather_rows, gather_segment_sum, segment_max, segment_softmax,
    segment_sum,
};
use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;

use super::{assert_close, by_segment, flat, ramp};

fn inner(a: &Tensor, b: &Tensor) -> f64 {
    flat(a).iter().zip(flat(b)).map(|(a, b)| a * b).sum()
}

fn ids(values: &[u32]) -> Tensor {
    Tensor::from_slice(values, values.len(), &Device::Cpu).unwrap()
}

/// Ids below a count, and a number of features.
fn partition() -> impl Strategy<Value = (usize, Vec<u32>, usize)> {
    (1usize..20).prop_flat_map(|count| {
        (Just(count), prop::collection::vec(0..count as u32, 0..60), 0usize..20)
    })
}

/// Numbers of sources and targets, edges, and a number of features.
fn graph() -> impl Strategy<Value = (usize, usize, Vec<(u32, u32)>, usize)> {
    (1usize..12, 1usize..12).prop_flat_map(|(n, m)| {
        let edge = (0..n as u32, 0..m as u32);
        (Just(n), Just(m), prop::collection::vec(edge, 0..60), 1usize..20)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn reductions((count, list, width) in partition()) {
        let segments = Segments::new(&ids(&list), count).unwrap();
        let x = ramp(&[list.len(), width], DType::F64);
        let want = by_segment(&x, &segments, |v| v.iter().sum());
        assert_close(&segment_sum(&x, &segments).unwrap(), &want, 1e-13);
        let want = by_segment(&x, &segments, |v| v.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert_close(&segment_max(&x, &segments).unwrap(), &want, 0.0);
        // ⟨sum x, y⟩ = ⟨x, gather y⟩
        let y = (ramp(&[count, width], DType::F64) + 0.3).unwrap();
        let left = inner(&segment_sum(&x, &segments).unwrap(), &y);
        let right = inner(&x, &gather_rows(&y, &segments).unwrap());
        prop_assert!((left - right).abs() < 1e-10);
        // Weights add to one in every segment that has rows.
        let total = segment_sum(&segment_softmax(&x, &segments).unwrap(), &segments).unwrap();
        let want = by_segment(&x, &segments, |v| f64::from(u8::from(!v.is_empty())));
        assert_close(&total, &want, 1e-13);
    }

    #[test]
    fn products((n, m, list, width) in graph()) {
        let (from, to): (Vec<u32>, Vec<u32>) = list.iter().copied().unzip();
        let edges = Edges::new(&ids(&from), &ids(&to), n, m).unwrap();
        let w = ramp(&[list.len()], DType::F64);
        let (x, y) = (ramp(&[n, width], DType::F64), ramp(&[m, width], DType::F64));
        let mut dense = vec![0.0; m * n];
        for (&(f, t), w) in list.iter().zip(flat(&w)) {
            dense[t as usize * n + f as usize] += w;
        }
        let dense = Tensor::from_vec(dense, (m, n), &Device::Cpu).unwrap();
        let want = flat(&dense.matmul(&x).unwrap());
        assert_close(&gather_segment_sum(&x, Some(&w), &edges).unwrap(), &want, 1e-12);
        let a = Csr::from_triplets(&ids(&to), &ids(&from), &w, (m, n)).unwrap();
        assert_close(&a.to_dense().unwrap(), &flat(&dense), 1e-12);
        assert_close(&a.matmul(&x).unwrap(), &want, 1e-12);
        let transposed = a.transpose().unwrap();
        assert_close(&transposed.to_dense().unwrap(), &flat(&dense.t().unwrap()), 1e-12);
        prop_assert!(a.columns().len() <= list.len());
        // ⟨A x, y⟩ = ⟨w, y · x at the edges⟩
        let left = inner(&a.matmul(&x).unwrap(), &y);
        let right = inner(&w, &edge_dot(&y, &x, &edges).unwrap());
        prop_assert!((left - right).abs() < 1e-9);
    }
}

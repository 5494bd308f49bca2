//! Sums along edges and sparse matrices, against dense matrices.

use ansatz_ops::{
    Csr, Edges, Error, GradCheck, edge_dot, gather_rows, gather_segment_sum, gradcheck, segment_sum,
};
use candle_core::{DType, Device, Tensor, Var};

use super::{assert_close, assert_thread_independent, flat, ramp};

const FROM: [i64; 9] = [4, 0, 0, 2, 4, 3, 2, 2, 0];
const TO: [i64; 9] = [1, 3, 1, 0, 1, 3, 0, 3, 5]; // twice 4 → 1 and 2 → 0, nothing into 2 and 4

fn ids(values: &[i64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

fn edges() -> Edges {
    Edges::new(&ids(&FROM), &ids(&TO), 5, 6).unwrap()
}

/// The matrix `[6, 5]` of the edges.
fn dense(weights: &[f64]) -> Tensor {
    let mut a = vec![0.0; 30];
    for ((&from, &to), w) in FROM.iter().zip(&TO).zip(weights) {
        a[to as usize * 5 + from as usize] += w;
    }
    Tensor::from_vec(a, (6, 5), &Device::Cpu).unwrap()
}

#[test]
fn equals_the_dense_product() {
    for width in [1, 3, 8, 21, 64, 100] {
        for (dtype, tolerance) in [(DType::F64, 1e-15), (DType::F32, 5e-7)] {
            let x = ramp(&[5, width], dtype);
            let double = x.to_dtype(DType::F64).unwrap();
            let plain = gather_segment_sum(&x, None, &edges()).unwrap();
            let want = dense(&[1.0; 9]).matmul(&double).unwrap();
            assert_close(&plain, &flat(&want), tolerance);
            assert_eq!((plain.dims(), plain.dtype()), (want.dims(), dtype));
            let w = ramp(&[9], dtype);
            let weighted = gather_segment_sum(&x, Some(&w), &edges()).unwrap();
            let want = dense(&flat(&w)).matmul(&double).unwrap();
            assert_close(&weighted, &flat(&want), tolerance);
            // Backwards: the transposed matrix.
            let y = ramp(&[6, width], dtype);
            let back = gather_segment_sum(&y, Some(&w), &edges().reversed()).unwrap();
            let y = y.to_dtype(DType::F64).unwrap();
            let want = dense(&flat(&w)).t().unwrap().matmul(&y).unwrap();
            assert_close(&back, &flat(&want), tolerance);
        }
    }
}

#[test]
fn heads_have_their_own_weights() {
    for (heads, depth) in [(8, 8), (3, 5), (2, 70), (1, 4), (4, 0)] {
        let x = ramp(&[5, heads, depth], DType::F64);
        let w = ramp(&[9, heads], DType::F64);
        let y = gather_segment_sum(&x, Some(&w), &edges()).unwrap();
        for h in 0..heads {
            let x = x.narrow(1, h, 1).unwrap().squeeze(1).unwrap();
            let w = w.narrow(1, h, 1).unwrap().squeeze(1).unwrap();
            let want = gather_segment_sum(&x, Some(&w), &edges()).unwrap();
            let got = y.narrow(1, h, 1).unwrap();
            assert_close(&got, &flat(&want), 0.0);
        }
    }
}

#[test]
fn fused_equals_gather_and_sum() {
    let x = ramp(&[5, 11], DType::F64);
    let messages = gather_rows(&x, edges().by_source()).unwrap();
    let want = segment_sum(&messages, edges().by_target()).unwrap();
    assert_close(&gather_segment_sum(&x, None, &edges()).unwrap(), &flat(&want), 0.0);
}

#[test]
fn products_at_the_edges() {
    for width in [1, 5, 16, 37] {
        let (a, b) = (ramp(&[6, width], DType::F64), ramp(&[5, width], DType::F64));
        let all = a.matmul(&b.t().unwrap()).unwrap().to_vec2::<f64>().unwrap();
        let want: Vec<f64> =
            TO.iter().zip(&FROM).map(|(&t, &f)| all[t as usize][f as usize]).collect();
        assert_close(&edge_dot(&a, &b, &edges()).unwrap(), &want, 1e-14);
    }
}

#[test]
fn gradients() {
    let check = GradCheck::default();
    let (x, w) = (ramp(&[5, 3], DType::F64), ramp(&[9], DType::F64));
    gradcheck(|v| gather_segment_sum(&v[0], None, &edges()), &[x.clone()], &check).unwrap();
    let weighted = |v: &[Tensor]| gather_segment_sum(&v[0], Some(&v[1]), &edges());
    gradcheck(weighted, &[x.clone(), w], &check).unwrap();
    let (x3, w2) = (ramp(&[5, 2, 3], DType::F64), ramp(&[9, 2], DType::F64));
    gradcheck(weighted, &[x3, w2], &check).unwrap();
    let a = ramp(&[6, 3], DType::F64);
    gradcheck(|v| edge_dot(&v[0], &v[1], &edges()), &[a.clone(), x.clone()], &check).unwrap();
    // A gradient of a gradient: the pullback of the sum in the weights, differentiated.
    let second = |v: &[Tensor]| -> ansatz_ops::Result<Tensor> {
        let y = gather_segment_sum(&v[0], Some(&v[1]), &edges())?;
        edge_dot(&y.sqr()?, &v[0], &edges())
    };
    gradcheck(second, &[x, ramp(&[9], DType::F64)], &check).unwrap();
}

#[test]
fn renaming_the_nodes_renames_the_result() {
    let permutation = [3usize, 0, 4, 1, 2];
    let square = Edges::new(&ids(&[4, 0, 1, 2, 3, 3]), &ids(&[0, 1, 1, 4, 2, 1]), 5, 5).unwrap();
    let rename =
        |v: &[i64]| -> Vec<i64> { v.iter().map(|&i| permutation[i as usize] as i64).collect() };
    let renamed =
        Edges::new(&ids(&rename(&[4, 0, 1, 2, 3, 3])), &ids(&rename(&[0, 1, 1, 4, 2, 1])), 5, 5)
            .unwrap();
    let x = ramp(&[5, 6], DType::F32).to_vec2::<f32>().unwrap();
    let mut moved = x.clone();
    for (i, row) in x.iter().enumerate() {
        moved[permutation[i]].clone_from(row);
    }
    let sum = |x: &[Vec<f32>], e: &Edges| {
        let x = Tensor::new(x.to_vec(), &Device::Cpu).unwrap();
        gather_segment_sum(&x, None, e).unwrap().to_vec2::<f32>().unwrap()
    };
    let (y, z) = (sum(&x, &square), sum(&moved, &renamed));
    for (i, row) in y.iter().enumerate() {
        assert_eq!(&z[permutation[i]], row);
    }
}

#[test]
fn all_edges_into_one_node_and_a_single_node() {
    let n = 3000;
    let from: Vec<i64> = (0..n).collect();
    let star = Edges::new(&ids(&from), &ids(&vec![0; n as usize]), n as usize, 2).unwrap();
    let x = ramp(&[n as usize, 3], DType::F64);
    let y = gather_segment_sum(&x, None, &star).unwrap();
    assert_close(&y.get(0).unwrap(), &flat(&x.sum(0).unwrap()), 1e-12);
    assert_eq!(flat(&y.get(1).unwrap()), [0.0; 3]);
    let one = Edges::new(&ids(&[0]), &ids(&[0]), 1, 1).unwrap();
    let x = ramp(&[1, 4], DType::F32);
    assert_eq!(flat(&gather_segment_sum(&x, None, &one).unwrap()), flat(&x));
    let none = Edges::new(&ids(&[]), &ids(&[]), 1, 3).unwrap();
    assert!(none.is_empty());
    assert_eq!(flat(&gather_segment_sum(&x, None, &none).unwrap()), [0.0; 12]);
    assert_eq!(edge_dot(&ramp(&[3, 4], DType::F32), &x, &none).unwrap().dims(), [0]);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let n = 40_000i64;
    let from: Vec<i64> = (0..n).map(|i| (i * 7919) % 1000).collect();
    let to: Vec<i64> = (0..n).map(|i| if i % 4 == 0 { 5 } else { (i * 104_729) % 1000 }).collect();
    let edges = Edges::new(&ids(&from), &ids(&to), 1000, 1000).unwrap();
    let (x, w) = (ramp(&[1000, 2, 5], DType::F32), ramp(&[n as usize, 2], DType::F32));
    assert_thread_independent(|| gather_segment_sum(&x, Some(&w), &edges));
    assert_thread_independent(|| gather_segment_sum(&x, None, &edges));
    assert_thread_independent(|| edge_dot(&x, &x, &edges));
    assert_thread_independent(|| {
        let (x, w) = (Var::from_tensor(&x)?, Var::from_tensor(&w)?);
        let grads = gather_segment_sum(&x, Some(&w), &edges)?.sqr()?.backward()?;
        let all = [grads.get(&x).unwrap().flatten_all()?, grads.get(&w).unwrap().flatten_all()?];
        Ok(Tensor::cat(&all, 0)?)
    });
}

#[test]
fn bad_operands_are_errors() {
    let (e, x) = (edges(), ramp(&[5, 3], DType::F32));
    let shape = |r: ansatz_ops::Result<Tensor>| matches!(r, Err(Error::Shape { .. }));
    assert!(shape(gather_segment_sum(&ramp(&[6, 3], DType::F32), None, &e)));
    assert!(shape(gather_segment_sum(&x, Some(&ramp(&[8], DType::F32)), &e)));
    assert!(shape(gather_segment_sum(&x, Some(&ramp(&[9, 2], DType::F32)), &e)));
    assert!(shape(gather_segment_sum(&x, Some(&ramp(&[9, 3, 1], DType::F32)), &e)));
    let error = gather_segment_sum(&x, Some(&ramp(&[9], DType::F64)), &e).unwrap_err();
    assert!(matches!(error, Error::DType { .. }), "{error:?}");
    assert!(shape(edge_dot(&x, &x, &e)));
    assert!(shape(edge_dot(&ramp(&[6, 2], DType::F32), &x, &e)));
    assert!(matches!(edge_dot(&ramp(&[6, 3], DType::F64), &x, &e), Err(Error::DType { .. })));
}

fn matrix(values: &Tensor) -> Csr {
    Csr::from_triplets(&ids(&TO), &ids(&FROM), values, (6, 5)).unwrap()
}

#[test]
fn triplets_are_sorted_and_added() {
    let values = ramp(&[9], DType::F64);
    let a = matrix(&values);
    assert_eq!((a.shape(), a.entries(), a.dtype()), ((6, 5), 7, DType::F64));
    assert_eq!(a.offsets(), [0, 1, 3, 3, 6, 6, 7]);
    assert_eq!(a.columns(), [2, 0, 4, 0, 2, 3, 0]);
    assert_eq!(a.rows(), [0, 1, 1, 3, 3, 3, 5]);
    assert_close(&a.to_dense().unwrap(), &flat(&dense(&flat(&values))), 1e-15);
    let again = Csr::new(&[0, 1, 3, 3, 6, 6, 7], &ids(&[2, 0, 4, 0, 2, 3, 0]), a.values(), 5);
    assert_eq!(flat(&again.unwrap().to_dense().unwrap()), flat(&a.to_dense().unwrap()));
}

#[test]
fn the_transposed_matrix() {
    let a = matrix(&ramp(&[9], DType::F64));
    let t = a.transpose().unwrap();
    assert_eq!(t.shape(), (5, 6));
    assert_eq!(flat(&t.to_dense().unwrap()), flat(&a.to_dense().unwrap().t().unwrap()));
    assert!(t.columns().chunk_by(|x, y| x < y).count() <= 5, "sorted within rows");
    let twice = t.transpose().unwrap();
    assert_eq!((twice.offsets(), twice.columns()), (a.offsets(), a.columns()));
    assert_eq!(flat(twice.values()), flat(a.values()));
    let x = ramp(&[6, 4], DType::F64);
    let want = flat(&t.matmul(&x).unwrap());
    assert_close(&a.transposed_matmul(&x).unwrap(), &want, 1e-15);
    // A diagonal, whose transposed order is its own.
    let line = ids(&[0, 1, 2]);
    let d = Csr::from_triplets(&line, &line, &ramp(&[3], DType::F64), (3, 4)).unwrap();
    assert_eq!(d.transpose().unwrap().shape(), (4, 3));
}

#[test]
fn products_of_matrices() {
    for (dtype, tolerance) in [(DType::F64, 1e-15), (DType::F32, 5e-7)] {
        let a = matrix(&ramp(&[9], dtype));
        let d = a.to_dense().unwrap().to_dtype(DType::F64).unwrap();
        for k in [1, 4, 33] {
            let x = ramp(&[5, k], dtype);
            let want = d.matmul(&x.to_dtype(DType::F64).unwrap()).unwrap();
            assert_close(&a.matmul(&x).unwrap(), &flat(&want), tolerance);
        }
        let v = ramp(&[5], dtype);
        let column = v.to_dtype(DType::F64).unwrap().reshape((5, 1)).unwrap();
        let got = a.matmul(&v).unwrap();
        assert_eq!(got.dims(), [6]);
        assert_close(&got, &flat(&d.matmul(&column).unwrap()), tolerance);
    }
}

#[test]
fn gradients_of_matrices() {
    let inputs = [ramp(&[9], DType::F64), ramp(&[5, 2], DType::F64)];
    let check = GradCheck::default();
    gradcheck(|v| matrix(&v[0]).matmul(&v[1]), &inputs, &check).unwrap();
    gradcheck(|v| matrix(&v[0]).to_dense(), &inputs[..1], &check).unwrap();
    let through_transposed = |v: &[Tensor]| {
        let a = matrix(&v[0]);
        a.transpose()?.matmul(&a.matmul(&v[1])?)
    };
    gradcheck(through_transposed, &inputs, &check).unwrap();
}

#[test]
fn bad_matrices_are_errors() {
    let v = ramp(&[9], DType::F64);
    let error = Csr::from_triplets(&ids(&TO), &ids(&FROM), &v, (5, 5)).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument { .. }), "{error:?}");
    let error = Csr::from_triplets(&ids(&TO), &ids(&FROM[1..]), &v, (6, 5)).unwrap_err();
    assert!(matches!(error, Error::Count { expected: 9, got: 8, .. }), "{error:?}");
    let short = ramp(&[8], DType::F64);
    let error = Csr::from_triplets(&ids(&TO), &ids(&FROM), &short, (6, 5)).unwrap_err();
    assert!(matches!(error, Error::Shape { .. }), "{error:?}");
    assert!(matches!(matrix(&v).with_values(&short), Err(Error::Shape { .. })));
    assert!(matches!(matrix(&v).matmul(&ramp(&[6, 2], DType::F64)), Err(Error::Shape { .. })));
    assert!(matches!(matrix(&v).matmul(&ramp(&[5, 2], DType::F32)), Err(Error::DType { .. })));
    let error = Csr::new(&[0, 2], &ids(&[0]), &ramp(&[1], DType::F64), 1).unwrap_err();
    assert!(matches!(error, Error::Count { .. }), "{error:?}");
}

//! `combine_rows`, `pick_rows`, `weighted_rms_each_row`, `finite_rows`: kernel, composition and
//! definition agree.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{
    Error, combine_rows, finite_rows, linear_combination, pick_rows, weighted_rms_each_row,
    without_kernels,
};
use candle_core::{DType, Device, Shape, Tensor, Var};

const CPU: &Device = &Device::Cpu;

fn tensor(shape: impl Into<Shape>, seed: f64, dtype: DType) -> Tensor {
    let shape = shape.into();
    let values: Vec<f64> =
        (0..shape.elem_count()).map(|i| (0.37 * i as f64 + seed).sin()).collect();
    Tensor::from_vec(values, shape, CPU).unwrap().to_dtype(dtype).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

#[track_caller]
fn assert_same(ours: &Tensor, want: &Tensor) {
    assert_eq!((ours.shape(), ours.dtype()), (want.shape(), want.dtype()));
    assert_eq!(flat(ours), flat(want));
    assert!(!ours.track_op() && !want.track_op());
}

/// Row by row with `linear_combination`.
fn by_rows(base: Option<&Tensor>, scales: &[f64], terms: &[(f64, &Tensor)]) -> Tensor {
    let row = |i: usize| {
        let base = base.map(|b| b.get(i).unwrap());
        let xs: Vec<Tensor> = terms.iter().map(|(_, x)| x.get(i).unwrap()).collect();
        let terms: Vec<_> = terms.iter().zip(&xs).map(|((c, _), x)| (scales[i] * c, x)).collect();
        linear_combination(base.as_ref(), &terms).unwrap()
    };
    Tensor::stack(&(0..scales.len()).map(row).collect::<Vec<_>>(), 0).unwrap()
}

#[test]
fn rows_are_combined_with_scales_of_their_own() {
    let coefficients =
        [0.25, -1.7, 1e-3, 0.3, 2.0, -0.7, 0.11, 9.0, -0.4, 0.6, 0.1, 3.0, -2.0, 0.9, 1.1];
    // Widths around the tile; more terms than one pass takes.
    for (rows, rest) in [
        (1, vec![]),
        (700, vec![3]),
        (9, vec![5, 41]),
        (3, vec![1023]),
        (3, vec![1024]),
        (2, vec![2500]),
        (20_011, vec![3]),
    ] {
        let shape: Vec<usize> = std::iter::once(rows).chain(rest).collect();
        let scales: Vec<f64> = (0..rows).map(|i| 0.1 + (0.7 * i as f64).cos()).collect();
        for dtype in [DType::F32, DType::F64, DType::BF16] {
            let xs: Vec<Tensor> =
                (0..4).map(|k| tensor(shape.clone(), f64::from(k), dtype)).collect();
            let terms: Vec<_> =
                coefficients.iter().enumerate().map(|(j, c)| (*c, &xs[1 + j % 3])).collect();
            for base in [Some(&xs[0]), None] {
                for count in [1, 2, 3, 4, 5, 6, 7, 8, 15] {
                    let ours = combine_rows(base, &scales, &terms[..count]).unwrap();
                    if rows < 1000 {
                        assert_same(&ours, &by_rows(base, &scales, &terms[..count]));
                    }
                    let composed = without_kernels(|| combine_rows(base, &scales, &terms[..count]));
                    assert_same(&ours, &composed.unwrap());
                }
            }
            assert_same(&combine_rows(Some(&xs[0]), &scales, &[]).unwrap(), &xs[0]);
        }
    }
}

#[test]
fn views_variables_and_empty_batches() {
    let x = Var::from_tensor(&tensor((6, 4), 0.3, DType::F64)).unwrap();
    let turned = x.t().unwrap().narrow(0, 1, 3).unwrap(); // [3, 6], strided
    let scales = [0.5, 2.0, -1.0];
    let ours = combine_rows(Some(&turned), &scales, &[(3.0, &turned)]).unwrap();
    let plain = turned.detach().contiguous().unwrap();
    assert_same(&ours, &by_rows(Some(&plain), &scales, &[(3.0, &plain)]));
    assert_same(&pick_rows(&[&turned], &[(0, 2)]).unwrap(), &plain.narrow(0, 2, 1).unwrap());
    let norm = |x: &Tensor| weighted_rms_each_row(x, x, x, &[0.1; 3], &[1.0; 3]).unwrap();
    assert_eq!(norm(&turned), norm(&plain));

    for shape in [(0, 3), (2, 0)] {
        let none = Tensor::zeros(shape, DType::F32, CPU).unwrap();
        let scales = vec![1.0; shape.0];
        let ours = combine_rows(Some(&none), &scales, &[(1.0, &none)]).unwrap();
        assert_eq!(ours.dims2().unwrap(), shape);
        assert_eq!(finite_rows(&none).unwrap(), vec![true; shape.0]);
        for kernels in [true, false] {
            let pick = || pick_rows(&[&none], &vec![(0, 0); shape.0]).unwrap();
            let picked = if kernels { pick() } else { without_kernels(pick) };
            assert_eq!(picked.dims2().unwrap(), shape);
        }
    }
}

#[test]
fn rows_are_picked_from_several_tensors() {
    let picks = [(0, 1), (0, 2), (1, 3), (2, 0), (2, 0), (0, 0), (1, 0), (1, 1), (1, 2)];
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::U32] {
        for rest in [vec![], vec![1], vec![3, 2]] {
            let make = |rows: usize, seed: f64| {
                let shape: Vec<usize> = std::iter::once(rows).chain(rest.clone()).collect();
                (tensor(shape, seed, DType::F64) * 50.0).unwrap().abs().unwrap().to_dtype(dtype)
            };
            let from = [make(3, 0.1).unwrap(), make(4, 0.5).unwrap(), make(1, 0.9).unwrap()];
            let rows: Vec<Tensor> = picks.iter().map(|(x, i)| from[*x].get(*i).unwrap()).collect();
            let want = Tensor::stack(&rows, 0).unwrap();
            let from: Vec<&Tensor> = from.iter().collect();
            assert_same(&pick_rows(&from, &picks).unwrap(), &want);
            assert_same(&without_kernels(|| pick_rows(&from, &picks)).unwrap(), &want);
        }
    }
}

#[test]
fn rows_that_are_not_finite_are_found() {
    let rows = [[1f32, 2.0], [f32::NAN, 0.0], [f32::MAX, -f32::MAX], [0.0, f32::NEG_INFINITY]];
    for dtype in [DType::F32, DType::F64] {
        let x = Tensor::new(&rows, CPU).unwrap().to_dtype(dtype).unwrap();
        let want = [true, false, true, false];
        assert_eq!(finite_rows(&x).unwrap(), want);
        assert_eq!(without_kernels(|| finite_rows(&x)).unwrap(), want);
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let x = tensor((3, 2), 0.1, DType::F64);
    let other = tensor((3, 3), 0.1, DType::F64);
    let scalar = tensor((), 0.1, DType::F64);
    let s = [1.0; 3];
    let bad = combine_rows(Some(&x), &s, &[(1.0, &other)]);
    assert!(matches!(bad, Err(Error::Shape { .. })));
    let bad = combine_rows(Some(&x), &s, &[(1.0, &x.to_dtype(DType::F32).unwrap())]);
    assert!(matches!(bad, Err(Error::DType { .. })));
    let bad = combine_rows(Some(&x), &s[..2], &[]);
    assert!(matches!(bad, Err(Error::Count { expected: 3, got: 2, .. })));
    assert!(matches!(combine_rows(None, &s, &[]), Err(Error::Count { .. })));
    assert!(matches!(combine_rows(Some(&scalar), &s, &[]), Err(Error::InvalidArgument { .. })));
    assert!(matches!(pick_rows(&[], &[]), Err(Error::Count { .. })));
    assert!(matches!(pick_rows(&[&x, &other], &[]), Err(Error::Shape { .. })));
    assert!(matches!(pick_rows(&[&scalar], &[]), Err(Error::InvalidArgument { .. })));
    for outside in [(0, 3), (1, 0)] {
        let bad = pick_rows(&[&x], &[outside]);
        assert!(matches!(bad, Err(Error::InvalidArgument { .. })), "{outside:?}");
    }
    for (rtol, atol) in [(&s[..2], &s[..]), (&s[..], &s[..2])] {
        let bad = weighted_rms_each_row(&x, &x, &x, rtol, atol);
        assert!(matches!(bad, Err(Error::Count { expected: 3, got: 2, .. })));
    }
    assert!(finite_rows(&scalar).is_err());
}

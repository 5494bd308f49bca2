//! Products, whole transforms and compositions of candle operations agree.

use super::*;
use crate::fft::tests::{distance, ramp};

pub(super) const CASES: [(&[usize], &[usize], &[usize]); 9] = [
    // points, modes, points of the result
    (&[8], &[3], &[8]),
    (&[9], &[5], &[16]),
    (&[16], &[9], &[16]),
    (&[7], &[1], &[1]),
    (&[6, 8], &[4, 3], &[6, 8]),
    (&[5, 9], &[3, 5], &[8, 20]),
    (&[4, 4], &[4, 3], &[4, 4]),
    (&[6, 1], &[1, 1], &[2, 3]),
    (&[4, 5, 6], &[2, 3, 2], &[6, 4, 5]),
];

fn inputs(points: &[usize], modes: &[usize]) -> (Tensor, Complex) {
    let weights = [&[2, 4], modes].concat();
    let weight = Complex::new(ramp(&weights, 1.0), ramp(&weights, 4.0)).unwrap();
    (ramp(&[&[3, 2], points].concat(), 0.3), weight)
}

#[test]
fn the_kernel_equals_the_composition() {
    for (points, modes, out) in CASES {
        let (x, weight) = inputs(points, modes);
        let [from, to] = grids(&x, &weight, out).unwrap();
        let got = spectral_conv(&x, &weight, out).unwrap();
        let want = composed(&x, &weight, &from, &to, 1.0 / points.iter().product::<usize>() as f64);
        assert!(distance(&got, &want.unwrap()) < 1e-13, "{points:?} {modes:?}");
        let single = |x: &Tensor| x.to_dtype(candle_core::DType::F32);
        let got32 = spectral_conv(&single(&x).unwrap(), &weight.map(single).unwrap(), out).unwrap();
        let got32 = got32.to_dtype(got.dtype()).unwrap();
        assert!(distance(&got32, &got) < 3e-6, "{points:?} {modes:?}");
    }
}

#[test]
fn products_equal_whole_transforms() {
    for (points, modes, _) in CASES {
        let grid = Grid { points: points.to_vec(), modes: modes.to_vec() };
        let x =
            ramp(&[&[3], points].concat(), 0.3).flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for weighting in [Weighting::Plain, Weighting::Adjoint] {
            assert!(grid.by_products());
            let close = |a: &[f64], b: &[f64]| {
                assert_eq!(a.len(), b.len());
                let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < 1e-12, "{points:?} {modes:?} {weighting:?} {worst}");
            };
            let kept = truncated::analysis(&x, &grid, 0.5, weighting);
            close(&kept, &whole::picked(&x, &grid, 0.5, weighting));
            let pair = kept.split_at(kept.len() / 2);
            let back = truncated::synthesis(pair, &grid, 0.5, weighting);
            close(&back, &whole::spread(pair, &grid, 0.5, weighting));
        }
    }
    let large = Grid { points: vec![4096], modes: vec![1000] };
    assert!(!large.by_products(), "many modes go through the whole transform");
}

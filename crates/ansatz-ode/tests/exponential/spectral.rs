//! The equation of Kuramoto and Sivashinsky by Fourier modes.

use std::f64::consts::PI;

use ansatz_ode::{ComplexDiagonal, EtdRk2, EtdRk4, EtdRk4B, InPlace, SemiLinear, solve};

use super::largest;

/// The equation of Kuramoto and Sivashinsky, `uₜ = −u uₓ − uₓₓ − uₓₓₓₓ` on `[0, 32π]`, by 64 Fourier
/// modes, from `cos(x/16) (1 + sin(x/16))` (A. Kassam, L. Trefethen 2005), at 30, by DOP853 of SciPy at
/// a tolerance of 1e-13.
#[test]
fn kuramoto_sivashinsky() {
    let want = KS_REFERENCE;
    let n = 64;
    let modes = n / 2 + 1;
    let table: Vec<(f64, f64)> =
        (0..n).map(|k| (2.0 * PI * k as f64 / n as f64).sin_cos()).map(|(s, c)| (c, s)).collect();
    let forward = {
        let table = table.clone();
        move |u: &[f64], c: &mut [f64]| {
            for k in 0..modes {
                let (mut re, mut im) = (0.0, 0.0);
                for (j, u) in u.iter().enumerate() {
                    let (cos, sin) = table[j * k % n];
                    re += u * cos;
                    im -= u * sin;
                }
                (c[2 * k], c[2 * k + 1]) = (re, im);
            }
        }
    };
    let backward = move |c: &[f64], u: &mut [f64]| {
        for (j, u) in u.iter_mut().enumerate() {
            let mut sum = c[0] + c[2 * (modes - 1)] * table[j * (modes - 1) % n].0;
            for k in 1..modes - 1 {
                let (cos, sin) = table[j * k % n];
                sum += 2.0 * (c[2 * k] * cos - c[2 * k + 1] * sin);
            }
            *u = sum / n as f64;
        }
    };
    let q = |k: usize| k as f64 / 16.0;
    let linear: Vec<(f64, f64)> = (0..modes).map(|k| (q(k).powi(2) - q(k).powi(4), 0.0)).collect();
    let linear = ComplexDiagonal::new(linear).unwrap();
    let nonlinear = InPlace({
        let (forward, backward) = (forward.clone(), backward.clone());
        move |_: f64, c: &Vec<f64>, dc: &mut Vec<f64>| {
            let mut u = vec![0.0; n];
            backward(c, &mut u);
            for u in &mut u {
                *u *= *u;
            }
            forward(&u, dc);
            for k in 0..modes {
                // −½ i q times the square, and nothing for the mode that has no sine.
                let factor = if k + 1 == modes { 0.0 } else { 0.5 * q(k) };
                (dc[2 * k], dc[2 * k + 1]) = (factor * dc[2 * k + 1], -factor * dc[2 * k]);
            }
        }
    });
    let x = |j: usize| 32.0 * PI * j as f64 / n as f64;
    let u0: Vec<f64> = (0..n).map(|j| (x(j) / 16.0).cos() * (1.0 + (x(j) / 16.0).sin())).collect();
    let mut c0 = vec![0.0; 2 * modes];
    forward(&u0, &mut c0);
    let at_end = |c: &[f64]| {
        let mut u = vec![0.0; n];
        backward(c, &mut u);
        u.into_iter().skip(3).step_by(8).collect::<Vec<f64>>()
    };
    let run = |steps: usize| {
        let field = || SemiLinear::new(linear.clone(), nonlinear.clone());
        let a = solve(field(), c0.clone(), (0.0, 30.0)).with(EtdRk4).steps(steps).run().unwrap();
        let b = solve(field(), c0.clone(), (0.0, 30.0)).with(EtdRk4B).steps(steps).run().unwrap();
        [largest(&at_end(&a.y_end), &want), largest(&at_end(&b.y_end), &want)]
    };
    let (coarse, fine) = (run(150), run(600));
    for (coarse, fine) in coarse.iter().zip(fine) {
        let order = (coarse / fine).log2() / 2.0;
        assert!(fine < 1e-6 && (order - 4.0).abs() < 0.2, "{coarse} {fine} {order}");
    }
    let field = SemiLinear::new(linear, nonlinear);
    let s = solve(field, c0, (0.0, 30.0)).with(EtdRk2).tolerance(1e-6, 1e-6).run().unwrap();
    assert!(largest(&at_end(&s.y_end), &want) < 1e-2, "{:?}", s.statistics);
}

const KS_REFERENCE: [f64; 8] = [
    0.4315283292337,
    1.018542056432,
    -0.4739954585271,
    -0.5507995362775,
    -0.2250102538925,
    -0.1102450610642,
    -0.09402771964738,
    0.1595392863488,
];

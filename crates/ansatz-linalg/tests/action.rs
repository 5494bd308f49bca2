//! Exponentials and φ-functions times vectors: against dense matrices and eigenvectors.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{definite, dense, wave};

use std::f64::consts::PI;

use ansatz_linalg::{
    Assumed, Dense, Diagonal, Edge, ExponentialAction, Identity, LinearOperator, Properties,
    Result, Scaled, Stencil, Vector, exponential, phi_functions, to_dense,
};

fn with(tolerance: f64) -> ExponentialAction {
    ExponentialAction { tolerance, ..ExponentialAction::default() }
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn scaled(factor: f64, a: &Dense) -> Dense {
    let a = a.as_faer();
    Dense::new(ansatz_linalg::faer::Mat::from_fn(a.nrows(), a.ncols(), |i, j| factor * a[(i, j)]))
        .unwrap()
}

/// Symmetric, skew, without symmetry, triangular: with spectra of the size ten.
fn matrices() -> Vec<(&'static str, Dense)> {
    let n = 25;
    let from = |f: &dyn Fn(usize, usize) -> f64| {
        Dense::new(ansatz_linalg::faer::Mat::from_fn(n, n, f)).unwrap()
    };
    let a = dense(n, n, 0.3);
    let a = a.as_faer();
    vec![
        ("definite", scaled(-0.3, &definite(n, 0.7))),
        ("symmetric", from(&|i, j| a[(i, j)] + a[(j, i)])),
        ("skew", from(&|i, j| 2.0 * (a[(i, j)] - a[(j, i)]))),
        ("general", from(&|i, j| 2.0 * a[(i, j)])),
        ("nilpotent", from(&|i, j| if j > i { a[(i, j)] } else { 0.0 })),
    ]
}

#[test]
fn like_dense_matrices() {
    let vectors: Vec<Vec<f64>> = (0..4).map(|k| wave(25, 0.2 + k as f64)).collect();
    for (name, a) in matrices() {
        assert_eq!(a.properties().symmetric, name == "definite" || name == "symmetric");
        for t in [1.0, -0.4, 3.0, 1e-3] {
            let at = scaled(t, &a);
            let e = exponential(&at).unwrap();
            let phi: Vec<Dense> = phi_functions(&at, 3).unwrap();
            for tolerance in [1e-3, 1e-7, 1e-12] {
                let got = with(tolerance).exponential(&a, t, &vectors[0]).unwrap();
                let want = e.apply(&vectors[0]).unwrap();
                let error = difference(&got.value, &want) / want.norm2().unwrap().max(1.0);
                // Far within the tolerance rounding of either side remains.
                let allowed = tolerance.max(1e-13 * e.norm_1().max(1.0) / want.norm2().unwrap());
                assert!(error < 10.0 * allowed, "{name} {t} {tolerance:e}: {error:e} {got:?}");
                assert!(got.applications <= 500, "{name} {t} {tolerance:e}: {got:?}");

                for p in 0..4 {
                    let mut want = phi[0].apply(&vectors[0]).unwrap();
                    for k in 1..=p {
                        let term = phi[k].apply(&vectors[k]).unwrap();
                        let factor = t.powi(k as i32);
                        want.iter_mut().zip(&term).for_each(|(w, x)| *w += factor * x);
                    }
                    let got = with(tolerance).phi_combination(&a, t, &vectors[..=p]).unwrap();
                    let size = want.norm2().unwrap();
                    let error = difference(&got.value, &want) / size;
                    let allowed = tolerance.max(1e-13 * e.norm_1().max(1.0) / size);
                    assert!(error < 10.0 * allowed, "{name} {t} {p} {tolerance:e}: {error:e}");
                }
            }
        }
    }
}

/// Δ on a grid inside of the unit square, zeros around.
fn laplacian(n: [usize; 2]) -> Scaled<Stencil> {
    let h = n.map(|n| 1.0 / (n + 1) as f64);
    let minus = Stencil::laplacian(&n, &h, &[Edge::Zero, Edge::Zero]).unwrap();
    Scaled { factor: -1.0, operator: minus }
}

/// `sin kπx sin lπy` on the grid, and its eigenvalue.
fn mode(n: [usize; 2], k: usize, l: usize) -> (Vec<f64>, f64) {
    let angle = |axis: usize, k: usize| k as f64 * PI / (n[axis] + 1) as f64;
    let at = |m: usize| {
        let (i, j) = (m / n[1] + 1, m % n[1] + 1);
        (i as f64 * angle(0, k)).sin() * (j as f64 * angle(1, l)).sin()
    };
    let part =
        |axis: usize, k: usize| (2.0 * (n[axis] + 1) as f64 * (0.5 * angle(axis, k)).sin()).powi(2);
    ((0..n[0] * n[1]).map(at).collect(), -part(0, k) - part(1, l))
}

fn sum(modes: &[(f64, &Vec<f64>)]) -> Vec<f64> {
    let n = modes[0].1.len();
    (0..n).map(|i| modes.iter().map(|(c, mode)| c * mode[i]).sum()).collect()
}

#[test]
fn heat_on_a_grid() {
    let n = [40, 31];
    let a = laplacian(n);
    // All frequencies, so that no small space holds them.
    let modes: Vec<(Vec<f64>, f64)> =
        (0..25).map(|k| mode(n, 1 + (7 * k) % 40, 1 + (5 * k) % 31)).collect();
    let at = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
        sum(&modes.iter().map(|(mode, lambda)| (f(*lambda), mode)).collect::<Vec<_>>())
    };
    let v = at(&|_| 1.0);
    let size = v.norm2().unwrap();
    let mut most = 0;
    for t in [1e-4, 1e-3, 0.01, 0.1, 1.0] {
        for tolerance in [1e-4, 1e-8, 1e-12] {
            let got = with(tolerance).exponential(&a, t, &v).unwrap();
            let error = difference(&got.value, &at(&|x| (t * x).exp())) / size;
            assert!(error < 2.0 * tolerance.max(1e-13), "{t} {tolerance:e}: {error:e}");
            assert!(got.error_estimate <= 1.01 * tolerance * size, "{got:?}");
            most = most.max(got.applications);
            // A source that grows: ∫ e^{(t − s)A} (v + s v) ds = t φ₁ + t² φ₂.
            let none = vec![0.0; v.len()];
            let sources = [none, v.clone(), v.clone()];
            let got = with(tolerance).phi_combination(&a, t, &sources).unwrap();
            let want = at(&|x| (t * x).exp_m1() / x + ((t * x).exp_m1() - t * x) / (x * x));
            let error = difference(&got.value, &want) / (size * (t + 0.5 * t * t));
            assert!(error < 2.0 * tolerance.max(1e-13), "φ {t} {tolerance:e}: {error:e}");
        }
    }
    // t‖A‖ = 10⁴: an explicit method would need as many steps.
    assert!(most < 900, "{most}");
    // Backwards in time the modes grow, here by 10⁴.
    let got = with(1e-10).exponential(&a, -0.0015, &v).unwrap();
    let want = at(&|x| (-0.0015 * x).exp());
    assert!(difference(&got.value, &want) < 1e-9 * want.norm2().unwrap());
    // And forwards again.
    let back = with(1e-12).exponential(&a, 0.0015, &got.value).unwrap();
    assert!(difference(&back.value, &v) < 1e-6 * size);
}

#[test]
fn identities_of_phi_functions() {
    for (name, a) in matrices() {
        let (v, zero) = (wave(25, 0.6), vec![0.0; 25]);
        let t = 0.8;
        let e = with(1e-13).exponential(&a, t, &v).unwrap().value;
        let size = e.norm2().unwrap() + (1.0 + a.norm_1()) * v.norm2().unwrap();
        // A t φ₁(tA) v = e^{tA} v − v.
        let phi = with(1e-13).phi_combination(&a, t, &[zero.clone(), v.clone()]).unwrap().value;
        let left = a.apply(&phi).unwrap();
        let right: Vec<f64> = e.iter().zip(&v).map(|(e, v)| e - v).collect();
        assert!(difference(&left, &right) < 1e-11 * size, "{name}");
        // A fixed point: w' = A w − A v from v stays there.
        let minus: Vec<f64> = a.apply(&v).unwrap().iter().map(|x| -x).collect();
        let still = with(1e-13).phi_combination(&a, t, &[v.clone(), minus]).unwrap().value;
        assert!(difference(&still, &v) < 1e-11 * size, "{name}");
        // Without A: v₀ + t v₁ + t²/2 v₂.
        let nothing = Scaled { factor: 0.0, operator: &a };
        let three = [v.clone(), e.clone(), phi.clone()];
        let got = with(1e-10).phi_combination(&nothing, t, &three).unwrap().value;
        let want = sum(&[(1.0, &v), (t, &e), (0.5 * t * t, &phi)]);
        assert!(difference(&got, &want) < 1e-13 * size, "{name}");
    }
}

/// A quarter of a turn.
struct Turn;

impl LinearOperator<[f64; 2]> for Turn {
    fn shape(&self) -> [usize; 2] {
        [2, 2]
    }

    fn apply_into(&self, x: &[f64; 2], y: &mut [f64; 2]) -> Result<()> {
        *y = [-x[1], x[0]];
        Ok(())
    }
}

/// `−3`
struct Decay;

impl LinearOperator<f64> for Decay {
    fn shape(&self) -> [usize; 2] {
        [1, 1]
    }

    fn apply_into(&self, x: &f64, y: &mut f64) -> Result<()> {
        *y = -3.0 * x;
        Ok(())
    }
}

#[test]
fn spaces_that_hold_the_result() {
    let n = [12, 9];
    let a = laplacian(n);
    let ((u, x), (v, y)) = (mode(n, 1, 2), mode(n, 3, 1));
    // An eigenvector, and two, however long the time.
    for t in [0.01, 10.0, -0.01] {
        let got = with(1e-10).exponential(&a, t, &u).unwrap();
        assert_eq!((got.dimension, got.applications, got.sub_steps), (1, 1, 1));
        let factor = (t * x).exp();
        assert!(difference(&got.value, &sum(&[(factor, &u)])) < 1e-11 * factor.max(1.0));
        let got = with(1e-10).exponential(&a, t, &sum(&[(1.0, &u), (2.0, &v)])).unwrap();
        // Rounding may lead out of the two dimensions.
        assert!(got.dimension <= 10 && got.sub_steps == 1, "{t} {:?}", got.dimension);
        let want = sum(&[((t * x).exp(), &u), (2.0 * (t * y).exp(), &v)]);
        assert!(difference(&got.value, &want) < 1e-10 * want.norm2().unwrap().max(1.0));
    }
    // 1, 2 and 3 unknowns, with more dimensions asked for than there are.
    for n in 1..4 {
        let d: Vec<f64> = (0..n).map(|i| -1.0 - i as f64).collect();
        let v = wave(n, 0.4);
        for operator in [Properties::NONE, Properties::SYMMETRIC] {
            let a = Assumed { operator: Diagonal::new(d.clone()).unwrap(), properties: operator };
            let got = with(1e-12).exponential(&a, 2.0, &v).unwrap();
            let want: Vec<f64> = d.iter().zip(&v).map(|(d, v)| (2.0 * d).exp() * v).collect();
            assert!(difference(&got.value, &want) < 1e-13);
            assert_eq!(got.dimension, n);
        }
    }
    let got = ExponentialAction::default().exponential(&Identity(4), -1.0, &vec![2.0; 4]).unwrap();
    assert!(difference(&got.value, &[2.0 / 1f64.exp(); 4]) < 1e-15);
    // Numbers and arrays are vectors as well.
    let got = with(1e-12).exponential(&Turn, 1.0, &[2.0, 0.0]).unwrap();
    assert!((got.value[0] - 2.0 * 1f64.cos()).abs() < 1e-14);
    assert!((got.value[1] - 2.0 * 1f64.sin()).abs() < 1e-14);
    let got = with(1e-12).phi_combination(&Decay, 0.5, &[1.0, 6.0]).unwrap();
    assert!((got.value - (2.0 - (-1.5f64).exp())).abs() < 1e-14);
}

#[test]
fn few_dimensions_and_badly_scaled_times() {
    let n = [20, 20];
    let (a, v) = (laplacian(n), wave(400, 0.3));
    let want = with(1e-13).exponential(&a, 0.05, &v).unwrap();
    let few = ExponentialAction { max_dimension: 8, ..with(1e-9) };
    let got = few.exponential(&a, 0.05, &v).unwrap();
    assert!(got.dimension <= 8 && got.sub_steps > 10, "{got:?}");
    assert!(difference(&got.value, &want.value) < 2e-9 * v.norm2().unwrap());
    // A source that goes on from one sub-step to the next, of every degree.
    let small = laplacian([8, 8]);
    let matrix = scaled(0.05, &Dense::new(to_dense(&small).unwrap()).unwrap());
    let phi = phi_functions(&matrix, 4).unwrap();
    let vectors: Vec<Vec<f64>> =
        (0..5).map(|k| sum(&[(20f64.powi(k), &wave(64, f64::from(k)))])).collect();
    let mut want = vec![0.0; 64];
    for (k, (phi, v)) in phi.iter().zip(&vectors).enumerate() {
        let term = phi.apply(v).unwrap();
        want.iter_mut().zip(&term).for_each(|(w, x)| *w += 0.05f64.powi(k as i32) * x);
    }
    let got = few.phi_combination(&small, 0.05, &vectors).unwrap();
    assert!(got.sub_steps > 3, "{}", got.sub_steps);
    assert!(difference(&got.value, &want) < 1e-7, "{:e}", difference(&got.value, &want));
    // The same map in other units of time and of the result.
    for (unit, size) in [(1e-80, 1.0), (1e80, 1e100), (1.0, 1e-100)] {
        let vectors = [sum(&[(size, &v)]), sum(&[(size / unit, &v)])];
        let slower = Scaled { factor: 1.0 / unit, operator: &a };
        let got = with(1e-10).phi_combination(&slower, 0.05 * unit, &vectors).unwrap();
        let plain = with(1e-10).phi_combination(&a, 0.05, &[v.clone(), v.clone()]).unwrap();
        let error = difference(&got.value, &sum(&[(size, &plain.value)]));
        assert!(error < 1e-9 * size * v.norm2().unwrap(), "{unit:e}: {error:e}");
        assert!(got.applications.abs_diff(plain.applications) <= 5);
    }
}

#[test]
fn small_vectors_are_not_taken_for_zero() {
    let decay = Diagonal::new(vec![-1.0]).unwrap();
    let got = ExponentialAction::default().exponential(&decay, 1.0, &vec![1e-170]).unwrap();
    assert!((got.value[0] / 1e-170 - (-1f64).exp()).abs() < 1e-6, "{:e}", got.value[0]);
}

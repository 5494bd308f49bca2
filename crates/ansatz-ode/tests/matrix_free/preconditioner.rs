//! Preconditioners: good, poor and wrong ones.
#![allow(clippy::ptr_arg)] // functions in place of closures of states that are vectors

use ansatz_ode::{
    Error, InPlace, Kvaerno5, MatrixFree, Solution, Sparsity, VectorField, WithSparsity, solve,
};

use super::largest;

/// Points on a side.
const N: usize = 30;

/// Diffusion on a square with a source that changes in time; zero at the walls.
fn heat(t: f64, u: &Vec<f64>, du: &mut Vec<f64>) {
    let scale = ((N + 1) * (N + 1)) as f64;
    for i in 0..N {
        for j in 0..N {
            let at = |inside: bool, k: usize| if inside { u[k] } else { 0.0 };
            let k = i * N + j;
            let sides = at(i > 0, k.wrapping_sub(N))
                + at(i + 1 < N, k + N)
                + at(j > 0, k.wrapping_sub(1))
                + at(j + 1 < N, k + 1);
            du[k] = scale * (sides - 4.0 * u[k]) + 100.0 * (i as f64 / N as f64) * (5.0 * t).sin();
        }
    }
}

fn start() -> Vec<f64> {
    (0..N * N).map(|k| if k % N < N / 2 { 1.0 } else { 0.0 }).collect()
}

/// `(1 − γh ∂ₓₓ)⁻¹ (1 − γh ∂ᵧᵧ)⁻¹`: one direction after the other (D. Peaceman, H. Rachford 1955).
fn by_directions(gamma_h: f64, r: &Vec<f64>) -> Vec<f64> {
    let side = gamma_h * ((N + 1) * (N + 1)) as f64;
    let diagonal = 1.0 + 2.0 * side;
    let mut z = r.clone();
    for (stride, next) in [(1, N), (N, 1)] {
        for line in 0..N {
            let at = |i: usize| line * next + i * stride;
            // Elimination in a tridiagonal matrix.
            let mut factors = [0.0; N];
            let mut pivot = diagonal;
            for i in 1..N {
                factors[i] = -side / pivot;
                pivot = diagonal + side * factors[i];
                z[at(i)] -= factors[i] * z[at(i - 1)];
            }
            z[at(N - 1)] /= pivot;
            for i in (0..N - 1).rev() {
                let pivot = -side / factors[i + 1];
                z[at(i)] = (z[at(i)] + side * z[at(i + 1)]) / pivot;
            }
        }
    }
    z
}

fn run<P: VectorField<Vec<f64>>>(preconditioner: P) -> Result<Solution<Vec<f64>>, Error> {
    let field = MatrixFree::new(InPlace(heat)).with_preconditioner(preconditioner);
    solve(field, start(), (0.0, 0.2)).with(Kvaerno5).tolerance(1e-5, 1e-5).run()
}

fn plain() -> Solution<Vec<f64>> {
    let field = MatrixFree::new(InPlace(heat));
    solve(field, start(), (0.0, 0.2)).with(Kvaerno5).tolerance(1e-5, 1e-5).run().unwrap()
}

#[test]
fn good_ones_save_iterations() {
    let bands = Sparsity::banded(N * N, N, N).unwrap();
    let sparse = WithSparsity::new(InPlace(heat), bands);
    let sparse = solve(sparse, start(), (0.0, 0.2)).with(Kvaerno5).tolerance(1e-5, 1e-5);
    let sparse = sparse.run().unwrap();
    let (plain, good) = (plain(), run(by_directions).unwrap());
    for s in [&plain, &good] {
        assert!(largest(&s.y_end, &sparse.y_end) < 1e-6, "{}", largest(&s.y_end, &sparse.y_end));
        assert_eq!(s.statistics.accepted, sparse.statistics.accepted);
    }
    let (plain, good) = (plain.statistics, good.statistics);
    assert!(2 * good.linear_iterations < plain.linear_iterations, "{good:?} {plain:?}");
}

/// What is exact needs one iteration for each solve.
#[test]
fn exact_ones_leave_one_iteration() {
    let decay = |_: f64, y: &[f64; 3]| [-1e4 * y[0], -10.0 * y[1], 0.5 * y[2]];
    let rates = [-1e4, -10.0, 0.5];
    let exact = move |gamma_h: f64, r: &[f64; 3]| -> [f64; 3] {
        std::array::from_fn(|i| r[i] / (1.0 - gamma_h * rates[i]))
    };
    for span in [(0.0, 1.0), (0.01, 0.0)] {
        let field = MatrixFree::new(decay)
            .with_product(move |_: f64, _: &[f64; 3], v: &[f64; 3]| -> [f64; 3] {
                std::array::from_fn(|i| rates[i] * v[i])
            })
            .with_preconditioner(exact);
        let s = solve(field, [1.0; 3], span).with(Kvaerno5).tolerance(1e-7, 1e-7).run().unwrap();
        let (iterations, solves) = (s.statistics.linear_iterations, s.statistics.linear_solves);
        // A right-hand side of zero needs none.
        assert!(iterations <= solves && iterations > solves / 2, "{span:?} {iterations} {solves}");
        for i in 1..3 {
            let want = (rates[i] * (span.1 - span.0)).exp();
            assert!((s.y_end[i] - want).abs() < 1e-5, "{span:?} {i} {}", s.y_end[i]);
        }
    }
}

/// Poor ones cost iterations, but change no results.
#[test]
fn poor_ones_do_not_change_the_solution() {
    let plain = plain();
    let wild = run(|_: f64, r: &Vec<f64>| -> Vec<f64> {
        r.iter().enumerate().map(|(k, r)| r * (1.0 + (k % 7) as f64)).collect()
    });
    let wild = wild.unwrap();
    let flipped = run(|gamma_h: f64, r: &Vec<f64>| by_directions(2.0 * gamma_h, r)).unwrap();
    for s in [&wild, &flipped] {
        assert!(largest(&s.y_end, &plain.y_end) < 1e-5, "{}", largest(&s.y_end, &plain.y_end));
    }
    assert!(wild.statistics.linear_iterations > plain.statistics.linear_iterations);
}

/// Singular ones, and ones that return no numbers: an error, and no wrong solution.
#[test]
fn wrong_ones_are_noticed() {
    let nothing = run(|_: f64, r: &Vec<f64>| vec![0.0; r.len()]);
    let not_a_number = run(|_: f64, r: &Vec<f64>| vec![f64::NAN; r.len()]);
    let half = run(|_: f64, r: &Vec<f64>| -> Vec<f64> {
        r.iter().enumerate().map(|(k, r)| if k % 2 == 0 { *r } else { 0.0 }).collect()
    });
    for wrong in [nothing, not_a_number, half] {
        let error = wrong.unwrap_err();
        assert!(matches!(error, Error::NotConverged { .. }), "{error}");
        assert!(error.to_string().contains("preconditioner"), "{error}");
    }
    let field = MatrixFree::new(InPlace(heat)).with_preconditioner(|_: f64, _: &Vec<f64>| {
        Err::<Vec<f64>, _>(ansatz_ode::core::Error::custom(std::io::Error::other("no such file")))
    });
    let s = solve(field, start(), (0.0, 0.2)).with(Kvaerno5).tolerance(1e-5, 1e-5).run();
    let error = s.unwrap_err();
    assert!(matches!(error, Error::Field { .. }), "{error}");
    assert!(error.to_string().contains("no such file"), "{error}");
}

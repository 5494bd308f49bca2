//! Implicit methods: order, reference values, Jacobians, mass matrices.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Error, ImplicitEuler, InPlace, Kvaerno3, Kvaerno4, Kvaerno5, Rodas3, Rodas4, Rodas4P, Rodas5P,
    Ros3, Ros3P, Rosenbrock23, Sparsity, TrBdf2, Trapezoidal, WithJacobian, WithMass, WithSparsity,
    consistent_initial, solve,
};

const ROBERTSON: [(f64, [f64; 3]); 3] = [
    (1e-2, [9.996006826883e-1, 3.645047887845e-5, 3.628668328284e-4]),
    (1.0, [9.664597373330e-1, 3.074626578579e-5, 3.350951640121e-2]),
    (100.0, [6.172348823961e-1, 6.153591274640e-6, 3.827589640126e-1]),
];

fn robertson(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [-slow + back, slow - back - fast, fast]
}

fn robertson_jacobian(_: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
}

/// The block once for each method; a closure could not be generic.
macro_rules! for_each_stiff {
    ($method:ident, $block:block) => {
        for_each_stiff!(
            $method, $block, TrBdf2, Kvaerno3, Kvaerno4, Kvaerno5, Rosenbrock23, Ros3, Ros3P,
            Rodas3, Rodas4, Rodas4P, Rodas5P
        );
    };
    ($method:ident, $block:block, $($name:ident),*) => {
        $({
            let $method = $name;
            $block
        })*
    };
}

#[test]
fn robertson_at_three_times() {
    for_each_stiff!(method, {
        for given in [true, false] {
            let times: Vec<f64> = ROBERTSON.iter().map(|(t, _)| *t).collect();
            let field = WithJacobian::new(robertson, robertson_jacobian);
            let s = if given {
                solve(field, [1.0, 0.0, 0.0], (0.0, 100.0))
                    .with(method)
                    .tolerance(1e-8, 1e-12)
                    .save_at(times)
                    .run()
                    .unwrap()
            } else {
                solve(robertson, [1.0, 0.0, 0.0], (0.0, 100.0))
                    .with(method)
                    .tolerance(1e-8, 1e-12)
                    .save_at(times)
                    .run()
                    .unwrap()
            };
            println!("{method:?} {:?}", s.statistics);
            for (y, (t, want)) in s.ys.iter().zip(ROBERTSON) {
                for i in 0..3 {
                    assert!((y[i] / want[i] - 1.0).abs() < 1e-5, "{method:?} {t} {i}: {y:?}");
                }
            }
        }
    });
}

#[test]
fn van_der_pol() {
    let field = |eps: f64| {
        WithJacobian::new(
            move |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / eps],
            move |_: f64, y: &[f64; 2]| {
                [[0.0, 1.0], [(-2.0 * y[0] * y[1] - 1.0) / eps, (1.0 - y[0] * y[0]) / eps]]
            },
        )
    };
    let s = solve(field(1e-6), [2.0, -0.6], (0.0, 2.0))
        .with(Kvaerno5)
        .tolerance(1e-8, 1e-8)
        .run()
        .unwrap();
    println!("{:?}", s.statistics);
    assert!((s.y_end[0] - 1.70616746433).abs() < 1e-6, "{:?}", s.y_end);
    assert!((s.y_end[1] + 8.9280998787e-1).abs() < 1e-6, "{:?}", s.y_end);
}

/// y' = -λ (y - cos t) - sin t: the smooth solution cos t, however stiff.
#[test]
fn prothero_robinson() {
    for_each_stiff!(
        method,
        {
            let field = |t: f64, y: &f64| -1e6 * (y - t.cos()) - t.sin();
            let s = solve(field, 1.0, (0.0, 1.0)).with(method).steps(50).run().unwrap();
            assert!((s.y_end - 1f64.cos()).abs() < 1e-8, "{method:?} {}", s.y_end);
        },
        TrBdf2,
        Kvaerno3,
        Kvaerno4,
        Kvaerno5,
        Rodas5P,
        ImplicitEuler,
        Trapezoidal
    );
}

fn close(a: &[f64; 2], b: &[f64; 2], tol: f64) {
    assert!((a[0] - b[0]).abs() < tol && (a[1] - b[1]).abs() < tol, "{a:?} {b:?}");
}

/// Mass matrices: a regular one is the same problem in other variables.
#[test]
fn regular_mass_matrix() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    let plain = |t: f64, y: &[f64; 2]| [-y[0] * y[1] + t.cos(), y[0] - y[1] * t];
    let mixed = move |t: f64, y: &[f64; 2]| {
        let f = plain(t, y);
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let dense = ansatz_linalg::Dense::from_rows(&m).unwrap();
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let reference =
            solve(plain, [1.0, 0.5], span).with(Kvaerno5).tolerance(1e-10, 1e-10).run().unwrap();
        let with_mass = solve(WithMass::new(mixed, dense.clone()), [1.0, 0.5], span)
            .with(Kvaerno5)
            .tolerance(1e-10, 1e-10)
            .run()
            .unwrap();
        close(&reference.y_end, &with_mass.y_end, 1e-8);
    }
}

#[test]
fn differential_algebraic_robertson() {
    let field = |_: f64, y: &[f64; 3]| {
        let f = robertson(0.0, y);
        [f[0], f[1], y[0] + y[1] + y[2] - 1.0]
    };
    for_each_stiff!(method, {
        // Rosenbrock methods carry the error of the Jacobian into the constraint.
        let exact = WithJacobian::new(field, |t, y: &[f64; 3]| {
            let [first, second, _] = robertson_jacobian(t, y);
            [first, second, [1.0; 3]]
        });
        let dae = WithMass::new(exact, [1.0, 1.0, 0.0]);
        let times: Vec<f64> = ROBERTSON.iter().map(|(t, _)| *t).collect();
        let s = solve(dae, [1.0, 0.0, 0.0], (0.0, 100.0))
            .with(method)
            .tolerance(1e-8, 1e-12)
            .save_at(times)
            .run()
            .unwrap();
        println!("{method:?} {:?}", s.statistics);
        for (y, (t, want)) in s.ys.iter().zip(ROBERTSON) {
            // Between the steps dense output is a parabola.
            let tolerance = if t == 100.0 { 1e-5 } else { 1e-3 };
            for i in 0..3 {
                assert!((y[i] / want[i] - 1.0).abs() < tolerance, "{method:?} {t} {i}: {y:?}");
            }
        }
    });
    let dae = WithMass::new(field, [1.0, 1.0, 0.0]);
    let wrong =
        solve(dae.clone(), [1.0, 0.0, 0.5], (0.0, 1.0)).with(Kvaerno5).tolerance(1e-6, 1e-8).run();
    assert!(matches!(wrong, Err(Error::Inconsistent { .. })), "{wrong:?}");
    let y0 = consistent_initial(&dae, 0.0, &[0.9, 0.05, 0.5]).unwrap();
    assert!((y0[2] - 0.05).abs() < 1e-12 && y0[0] == 0.9, "{y0:?}");
}

#[test]
fn mass_matrices_that_make_no_sense() {
    let field = |_: f64, y: &[f64; 2]| [y[1], -y[0]];
    // The pendulum-like system 0 = y₀, y₀' = y₁ has index 2: y₁ does not appear in the constraint.
    let index2 = |_: f64, y: &[f64; 2]| [y[1], y[0]];
    let result = solve(WithMass::new(index2, [1.0, 0.0]), [0.0, 0.0], (0.0, 1.0))
        .with(Kvaerno5)
        .tolerance(1e-6, 1e-6)
        .run();
    assert!(matches!(result, Err(Error::IndexTooHigh { .. })), "{result:?}");
    let rows = ansatz_linalg::Dense::from_rows(&[[1.0, 1.0], [0.0, 0.0]]).unwrap();
    let result = solve(WithMass::new(field, rows), [0.0, 0.0], (0.0, 1.0))
        .with(Kvaerno5)
        .tolerance(1e-6, 1e-6)
        .run();
    assert!(matches!(result, Err(Error::NotSemiExplicit { rows: 1, columns: 0 })), "{result:?}");
    let result = solve(WithMass::new(field, [1.0, 1.0, 1.0]), [0.0, 0.0], (0.0, 1.0))
        .with(Kvaerno5)
        .tolerance(1e-6, 1e-6)
        .run();
    assert!(result.is_err());
}

/// Sparse Jacobians: found by few evaluations, the same solution, few factorisations.
#[test]
fn brusselator_on_a_line() {
    let n = 60;
    let field = move |_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        let scale = 0.02 * ((n + 1) as f64).powi(2);
        for i in 0..n {
            let (u, v) = (y[2 * i], y[2 * i + 1]);
            let at = |k: isize, c: usize| {
                let i = i as isize + k;
                if i < 0 || i >= n as isize { [1.0, 3.0][c] } else { y[2 * i as usize + c] }
            };
            let lap = |c: usize| at(-1, c) - 2.0 * at(0, c) + at(1, c);
            dy[2 * i] = 1.0 + u * u * v - 4.0 * u + scale * lap(0);
            dy[2 * i + 1] = 3.0 * u - u * u * v + scale * lap(1);
        }
    };
    let y0: Vec<f64> = (0..2 * n)
        .map(|k| {
            let x = (k / 2 + 1) as f64 / (n + 1) as f64;
            if k % 2 == 0 { 1.0 + (2.0 * std::f64::consts::PI * x).sin() } else { 3.0 }
        })
        .collect();
    let sparsity = Sparsity::detect(&InPlace(field), 0.0, &y0).unwrap();
    // No fewer will do: a row has four entries.
    assert_eq!(sparsity.groups(), 4);
    assert_eq!(sparsity.entries(), 4 * n + 4 * (n - 1));
    let dense = solve(InPlace(field), y0.clone(), (0.0, 10.0))
        .with(Kvaerno5)
        .tolerance(1e-7, 1e-7)
        .run()
        .unwrap();
    let sparse = solve(WithSparsity::new(InPlace(field), sparsity), y0, (0.0, 10.0))
        .with(Kvaerno5)
        .tolerance(1e-7, 1e-7)
        .run()
        .unwrap();
    println!("{:?}\n{:?}", dense.statistics, sparse.statistics);
    for (a, b) in dense.y_end.iter().zip(&sparse.y_end) {
        assert!((a - b).abs() < 1e-5);
    }
    assert!(sparse.statistics.evaluations < dense.statistics.evaluations);
}

/// Differences start from the field itself: what the stages make of it is not exact enough for their
/// small increments, and gave Jacobians with which a decaying solution grew.
#[test]
fn differences_near_zero() {
    let field = |_: f64, y: &[f64; 4]| {
        [-10.0 * y[0] + 100.0 * y[1], -100.0 * y[0] - 10.0 * y[1], -4.0 * y[2], -0.1 * y[3]]
    };
    for_each_stiff!(
        method,
        {
            for tolerance in [1e-4, 1e-6] {
                let s = solve(field, [1.0; 4], (0.0, 20.0)).with(method);
                let s = s.tolerance(tolerance, tolerance).run().unwrap();
                let off = s.y_end[..3].iter().fold(0.0f64, |m, y| m.max(y.abs()));
                assert!(off < 10.0 * tolerance, "{method:?} {:?}", s.y_end);
            }
        },
        TrBdf2,
        Kvaerno3,
        Kvaerno4,
        Kvaerno5
    );
}

/// After an attempt whose equations could not be solved the next step is no longer than the one that
/// was possible.
#[test]
fn few_failures_on_relaxation_oscillations() {
    let field = WithJacobian::new(
        |_: f64, y: &[f64; 2]| [y[1], 1000.0 * (1.0 - y[0] * y[0]) * y[1] - y[0]],
        |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [-2000.0 * y[0] * y[1] - 1.0, 1000.0 * (1.0 - y[0] * y[0])]]
        },
    );
    let s = solve(field, [2.0, 0.0], (0.0, 3000.0)).with(Kvaerno5).tolerance(1e-4, 1e-8).run();
    let counts = s.unwrap().statistics;
    assert!(counts.not_converged < 70 && counts.rejected < 140, "{counts:?}");
}

//! What is solved exactly, reaction and diffusion, a stiff oscillator, bad input.

use std::f64::consts::PI;

use ansatz_linalg::{Dense, Diagonal, Sparse, nalgebra_sparse::CooMatrix};
use ansatz_ode::{
    ComplexDiagonal, Error, EtdRk2, EtdRk4, EtdRk4B, Exprb32, Exprb43, InPlace, Krylov, Pexprb43,
    RadauIia5, SemiLinear, Sparsity, WithJacobian, WithMass, WithSparsity, solve,
};

use super::{distance, growth, largest, rotation};

/// What is linear is exact, in one step, however long and stiff.
#[test]
fn linear_problems_are_exact() {
    let rows = [[-300.0, 4.0, 0.5], [2.0, -1.0, 3.0], [0.0, -2.0, -0.5]];
    let dense = Dense::from_rows(&rows).unwrap();
    let y0 = [1.0, -2.0, 0.5];
    let h = 2.5;
    // y' = L y + b + c t from 0: e^{hL} y + h φ₁ b + h² φ₂ c.
    let (b, c) = ([1.0, 0.0, -1.0], [0.0, 2.0, 0.3]);
    let scaled: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().map(|x| h * x).collect()).collect();
    let phi = ansatz_linalg::phi_functions(&Dense::from_rows(&scaled).unwrap(), 2).unwrap();
    let want: Vec<f64> = (0..3)
        .map(|i| {
            let row = |k: usize, x: &[f64; 3]| -> f64 {
                (0..3).map(|j| phi[k].as_faer()[(i, j)] * x[j]).sum()
            };
            row(0, &y0) + h * row(1, &b) + h * h * row(2, &c)
        })
        .collect();
    let forcing = move |t: f64, _: &[f64; 3]| [b[0] + c[0] * t, b[1] + c[1] * t, b[2] + c[2] * t];
    let field = SemiLinear::new(dense.clone(), forcing);
    macro_rules! exact {
        ($bound:expr; $($method:ident, $field:expr);*) => {$({
            let end = solve($field, y0, (0.0, h)).with($method).steps(1).run().unwrap().y_end;
            assert!(largest(&end, &want) < $bound, "{} {end:?} {want:?}", stringify!($method));
        })*};
    }
    let given = || {
        let value = move |t: f64, y: &[f64; 3]| {
            let f = forcing(t, y);
            let product = |i: usize| (0..3).map(|j| rows[i][j] * y[j]).sum::<f64>();
            [0, 1, 2].map(|i| f[i] + product(i))
        };
        WithJacobian::new(value, move |_: f64, _: &[f64; 3]| rows)
    };
    exact!(1e-12; EtdRk2, field.clone(); EtdRk4, field.clone(); EtdRk4B, field.clone());
    exact!(1e-8; EtdRk4B, SemiLinear::new(Krylov::new(dense), forcing));
    // The derivative by time is a difference.
    exact!(1e-7; Exprb32, given(); Exprb43, given(); Pexprb43, given());
}

/// The equation of Allen and Cahn, `uₜ = ε uₓₓ + u − u³ + 0.1 sin t`, as a dense and as a sparse problem.
#[test]
fn allen_cahn() {
    let n = 80;
    let dx = 2.0 / (n + 1) as f64;
    let entries = laplacian(n, 0.01 / (dx * dx));
    let mut coo = CooMatrix::new(n, n);
    let mut rows = vec![vec![0.0; n]; n];
    for (i, j, value) in entries {
        coo.push(i, j, value);
        rows[i][j] = value;
    }
    let dense = Dense::from_rows(&rows).unwrap();
    let sparse = Sparse::from_coo(&coo).unwrap();
    let reaction = InPlace(move |t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
        for (du, u) in du.iter_mut().zip(u) {
            *du = u - u * u * u + 0.1 * t.sin();
        }
    });
    let x = |i: usize| -1.0 + (i + 1) as f64 * dx;
    // It is zero at both ends, as are its second derivatives.
    let u0: Vec<f64> =
        (0..n).map(|i| 0.6 * (PI * x(i)).sin() - 0.3 * (2.0 * PI * x(i)).sin()).collect();
    let field = SemiLinear::new(dense.clone(), reaction);
    let banded = || Sparsity::banded(n, 1, 1).unwrap();
    let reference = |u0: &Vec<f64>| {
        let field = WithSparsity::new(field.clone(), banded());
        let s = solve(field, u0.clone(), (0.0, 3.0)).with(RadauIia5).tolerance(1e-12, 1e-12);
        s.run().unwrap().y_end
    };
    // The order, which is reduced where the first state does not fit the ends (M. Hochbruck,
    // A. Ostermann, SIAM J. Numer. Anal. 43, 2005, 1069–1090).
    let does_not_fit: Vec<f64> =
        (0..n).map(|i| 0.53 * x(i) + 0.47 * (-1.5 * PI * x(i)).sin()).collect();
    for (u0, order) in [(&u0, 4.0), (&does_not_fit, 2.3)] {
        let want = reference(u0);
        let errors = [15, 30, 60].map(|steps| {
            let s = solve(field.clone(), u0.clone(), (0.0, 3.0)).with(EtdRk4B).steps(steps);
            largest(&s.run().unwrap().y_end, &want)
        });
        let measured: f64 = (errors[0] / errors[2]).log2() / 2.0;
        assert!((measured - order).abs() < 0.2, "{measured} {errors:?}");
    }
    let reference = reference(&u0);
    macro_rules! check_one {
        ($field:expr, $method:ident, $steps:expr, $bound:expr) => {{
            let s =
                solve($field, u0.clone(), (0.0, 3.0)).with($method).steps($steps).run().unwrap();
            let error = largest(&s.y_end, &reference);
            assert!(error < $bound, "{} {error:e}", stringify!($method));
        }};
    }
    check_one!(field.clone(), EtdRk2, 60, 1e-3);
    check_one!(field.clone(), EtdRk4, 60, 1e-7);
    check_one!(field.clone(), EtdRk4B, 60, 1e-7);
    check_one!(SemiLinear::new(Krylov::new(sparse), reaction), EtdRk4B, 60, 1e-7);
    // By the Jacobian: sparse, and not at all.
    for tolerance in [1e-4, 1e-6] {
        let s = solve(WithSparsity::new(field.clone(), banded()), u0.clone(), (0.0, 3.0));
        let s = s.with(Exprb43).tolerance(tolerance, tolerance).run().unwrap();
        assert!(largest(&s.y_end, &reference) < 10.0 * tolerance, "{:?}", s.statistics);
        let s = solve(field.clone(), u0.clone(), (0.0, 3.0)).with(Exprb32);
        let s = s.tolerance(tolerance, tolerance).run().unwrap();
        assert!(largest(&s.y_end, &reference) < 20.0 * tolerance, "{:?}", s.statistics);
        assert_eq!(s.statistics.jacobians, 0);
    }
}

/// Second differences between ends that are zero, times `scale`.
fn laplacian(n: usize, scale: f64) -> Vec<(usize, usize, f64)> {
    let row = |i: usize| {
        let left = (i > 0).then(|| (i, i - 1, scale));
        let right = (i + 1 < n).then(|| (i, i + 1, scale));
        [Some((i, i, -2.0 * scale)), left, right].into_iter().flatten()
    };
    (0..n).flat_map(row).collect()
}

/// The van der Pol oscillator, moderately stiff.
#[test]
fn van_der_pol() {
    let eps = 1e-3;
    let field = WithJacobian::new(
        move |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / eps],
        move |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [(-2.0 * y[0] * y[1] - 1.0) / eps, (1.0 - y[0] * y[0]) / eps]]
        },
    );
    macro_rules! check_all {
        ($($method:ident),*) => {$({
            let s = solve(field, [2.0, 0.0], (0.0, 2.0)).with($method).tolerance(1e-7, 1e-7);
            let s = s.run().unwrap();
            let want = [1.763234540203e0, -8.35688681678e-1];
            assert!(distance(&s.y_end, &want) < 1e-5, "{:?}", s.y_end);
        })*};
    }
    check_all!(Exprb32, Exprb43, Pexprb43);
}

#[test]
fn what_does_not_fit_is_refused() {
    let field = SemiLinear::new(Diagonal::new(vec![1.0; 3]).unwrap(), growth);
    let s = solve(field, [1.0, 0.0], (0.0, 1.0)).with(EtdRk4).steps(2).run();
    assert!(matches!(s, Err(Error::Core(_))), "{s:?}");
    let wide = Dense::from_rows(&[[1.0, 2.0]]).unwrap();
    let s = solve(SemiLinear::new(wide, growth), [1.0, 0.0], (0.0, 1.0)).with(EtdRk4).steps(2);
    assert!(matches!(s.run(), Err(Error::Core(_))));
    assert!(ComplexDiagonal::new(vec![(1.0, f64::NAN)]).is_err());
    let field = WithMass::new(rotation, [1.0, 2.0]);
    let s = solve(field, [1.0, 0.0], (0.0, 1.0)).with(Exprb43).steps(2).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "mass matrix", .. })), "{s:?}");
}

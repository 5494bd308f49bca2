//! Every form of the equations, invariants, bad input.

use ansatz_ode::{
    Error, GaussLegendre4, GaussLegendre6, ImplicitMidpoint, InPlace, Predictive, RadauIia5, Rms,
    Sparsity, WithMass, WithSparsity, solve,
};

use super::{distance, rational, rotated, rotation};

/// A mass matrix that is regular, and a Jacobian that is sparse: the same equations.
#[test]
fn mass_matrices_and_sparse_jacobians_change_nothing() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    let mixed = move |t: f64, y: &[f64; 2]| {
        let f = rotation(t, y);
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let dense = ansatz_linalg::Dense::from_rows(&m).unwrap();
    let full = || Sparsity::banded(2, 1, 1).unwrap();
    for span in [(0.3, 1.8), (1.8, 0.3)] {
        let y0 = rotated(span.0);
        let plain = solve(rotation, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        let mass = WithMass::new(mixed, dense.clone());
        let mass = solve(mass, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &mass) < 1e-13, "{plain:?} {mass:?}");
        let sparse = WithSparsity::new(rotation, full());
        let sparse = solve(sparse, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &sparse) < 1e-13, "{plain:?} {sparse:?}");
        let both = WithMass::new(WithSparsity::new(mixed, full()), dense.clone());
        let both = solve(both, y0, span).with(RadauIia5).steps(20).run().unwrap().y_end;
        assert!(distance(&plain, &both) < 1e-13, "{plain:?} {both:?}");
    }
}

/// A sparse Jacobian of a system with more components than plain elimination serves: the same
/// solution from dense, sparse, and (with few components) small systems.
#[test]
fn diffusion_by_every_kind_of_factorisation() {
    for n in [10usize, 80] {
        let field = move |t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
            let scale = ((n + 1) as f64).powi(2);
            for i in 0..n {
                let left = if i == 0 { t.sin() } else { u[i - 1] };
                let right = if i + 1 == n { 0.0 } else { u[i + 1] };
                du[i] = scale * (left - 2.0 * u[i] + right) + u[i] * (1.0 - u[i]);
            }
        };
        let y0 = vec![0.5; n];
        let dense = solve(InPlace(field), y0.clone(), (0.0, 1.0)).with(RadauIia5);
        let dense = dense.tolerance(1e-7, 1e-9).run().unwrap();
        let sparse = WithSparsity::new(InPlace(field), Sparsity::banded(n, 1, 1).unwrap());
        let sparse = solve(sparse, y0, (0.0, 1.0)).with(RadauIia5).tolerance(1e-7, 1e-9);
        let sparse = sparse.run().unwrap();
        let (a, b) = (dense.statistics, sparse.statistics);
        assert_eq!((a.accepted, a.factorisations), (b.accepted, b.factorisations));
        assert!(b.evaluations <= a.evaluations);
        for (a, b) in dense.y_end.iter().zip(&sparse.y_end) {
            assert!((a - b).abs() < 1e-9, "{n}: {a} {b}");
        }
    }
}

fn kepler(_: f64, y: &[f64; 4]) -> [f64; 4] {
    let r3 = y[0].hypot(y[1]).powi(3);
    [y[2], y[3], -y[0] / r3, -y[1] / r3]
}

/// Quadratic invariants are kept to rounding, and energies for a long time, by Gauss' methods only.
#[test]
fn invariants_of_symplectic_methods() {
    let e: f64 = 0.3;
    let y0 = [1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
    let momentum = |y: &[f64; 4]| y[0] * y[3] - y[1] * y[2];
    let energy = |y: &[f64; 4]| 0.5 * (y[2] * y[2] + y[3] * y[3]) - 1.0 / y[0].hypot(y[1]);
    macro_rules! drifts {
        ($method:ident) => {{
            let s = solve(kepler, y0, (0.0, 1000.0)).with($method).steps(10_000);
            let s = s.save(ansatz_ode::Save::Every(10)).run().unwrap();
            let worst = |of: &dyn Fn(&[f64; 4]) -> f64, part: &[[f64; 4]]| {
                part.iter().map(|y| (of(y) - of(&y0)).abs()).fold(0.0, f64::max)
            };
            let half = s.ys.len() / 2;
            let (first, last) = s.ys.split_at(half);
            (worst(&momentum, &s.ys), worst(&energy, first), worst(&energy, last))
        }};
    }
    for (momentum, first, last) in
        [drifts!(ImplicitMidpoint), drifts!(GaussLegendre4), drifts!(GaussLegendre6)]
    {
        assert!(momentum < 1e-13, "{momentum}");
        assert!(last < 1.05 * first + 1e-13, "{first} {last}");
    }
    let (momentum, first, last) = drifts!(RadauIia5);
    assert!(momentum > 1e-9 && last > 1.5 * first, "{momentum} {first} {last}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let s = solve(rational, 1.0, (0.0, 1.0)).with(RadauIia5).tolerance(-1.0, 1e-6).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "rtol", .. })), "{s:?}");
    let mut control = Predictive::new(1e-6, 1e-6);
    control.base.safety = 2.0;
    let s = solve(rational, 1.0, (0.0, 1.0)).with(RadauIia5).controller(control).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "safety", .. })), "{s:?}");
    let wrong = WithMass::new(rational, [1.0, 1.0]);
    let s = solve(wrong, 1.0, (0.0, 1.0)).with(RadauIia5).tolerance(1e-6, 1e-6).run();
    assert!(matches!(s, Err(Error::Core(_))), "{s:?}");
    // A solution that blows up.
    let s = solve(|_: f64, y: &f64| y * y, 1.0, (0.0, 2.0)).with(RadauIia5).tolerance(1e-6, 1e-6);
    let s = s.max_steps(5000).run_partial().unwrap();
    assert!(s.t_end < 1.0 + 1e-6 && s.finished().is_err());
    let custom = Predictive::new(1e-6, 1e-6).norm(Rms { rtol: 1e-6, atol: 1e-6 });
    assert_eq!(custom, Predictive::new(1e-6, 1e-6));
}

//! What makes a method symplectic, and what follows from symmetry.

use ansatz_ode::{
    BlanesMoan4, BlanesMoanNystrom4, ForestRuth, KahanLi8, Leapfrog, McLachlanAtela4, Method,
    Newtonian, Partitioned, Rk4, Ruth3, SemiImplicitEuler, Solves, SymplecticMethod, VectorField,
    VelocityVerlet, Yoshida6, solve,
};

/// Two degrees of freedom with four tangent vectors: `x`, then each vector.
type Half = [f64; 10];
type State = (Half, Half);

/// Velocities of `H = m(t) √(1 + p²) + s(t) (q²/2 + q₀² q₁ − q₁³/3)` and what its linear part makes
/// of tangent vectors.
fn drift(t: f64, p: &Half) -> Half {
    let m = 1.0 + 0.3 * t.sin();
    let r = (1.0 + p[0] * p[0] + p[1] * p[1]).sqrt();
    let mut dq = [0.0; 10];
    for (i, (out, x)) in dq.chunks_mut(2).zip(p.chunks(2)).enumerate() {
        let along = if i == 0 { 0.0 } else { (p[0] * x[0] + p[1] * x[1]) / r.powi(3) };
        out[0] = m * (x[0] / r - p[0] * along);
        out[1] = m * (x[1] / r - p[1] * along);
    }
    dq
}

/// Forces of the same, and what their linear part makes of tangent vectors.
fn kick(t: f64, q: &Half) -> Half {
    let s = 1.0 + 0.4 * (1.7 * t).cos();
    let mut dp = [0.0; 10];
    for (i, (out, x)) in dp.chunks_mut(2).zip(q.chunks(2)).enumerate() {
        if i == 0 {
            out[0] = -s * (x[0] + 2.0 * x[0] * x[1]);
            out[1] = -s * (x[1] + x[0] * x[0] - x[1] * x[1]);
        } else {
            out[0] = -s * ((1.0 + 2.0 * q[1]) * x[0] + 2.0 * q[0] * x[1]);
            out[1] = -s * (2.0 * q[0] * x[0] + (1.0 - 2.0 * q[1]) * x[1]);
        }
    }
    dp
}

type Parts = Partitioned<fn(f64, &Half) -> Half, fn(f64, &Half) -> Half>;

fn field() -> Parts {
    Partitioned::new(drift, kick)
}

/// One step of 0.4, from a point with the unit vectors as tangent vectors.
fn step<M: Method + Solves<Parts, State>>(method: M, x: [f64; 4]) -> State {
    let mut y0 = ([0.0; 10], [0.0; 10]);
    (y0.0[..2]).copy_from_slice(&x[..2]);
    (y0.1[..2]).copy_from_slice(&x[2..]);
    for k in 0..2 {
        y0.0[2 + 2 * k + k] = 1.0;
        y0.1[6 + 2 * k + k] = 1.0;
    }
    solve(field(), y0, (0.7, 1.1)).with(method).steps(1).run().unwrap().y_end
}

/// Column `k` of the Jacobian of the step, positions first.
fn column(y: &State, k: usize) -> [f64; 4] {
    let at = 2 + 2 * k;
    [y.0[at], y.0[at + 1], y.1[at], y.1[at + 1]]
}

/// The largest entry of `Jᵀ Ω J − Ω`. The tangent vectors make the same step as the state, so that
/// they are the Jacobian of the step to rounding.
fn defect<M: Method + Solves<Parts, State>>(method: M) -> f64 {
    let x = [0.3, -0.2, 0.4, 0.5];
    let y = step(method.clone(), x);
    let mut worst: f64 = 0.0;
    for i in 0..4 {
        // The Jacobian is one: it agrees with differences.
        let shifted = |by: f64| {
            let mut x = x;
            x[i] += by;
            let y = step(method.clone(), x);
            [y.0[0], y.0[1], y.1[0], y.1[1]]
        };
        let (up, down) = (shifted(1e-5), shifted(-1e-5));
        let a = column(&y, i);
        for k in 0..4 {
            assert!((a[k] - (up[k] - down[k]) / 2e-5).abs() < 1e-9);
        }
        for j in 0..4 {
            let b = column(&y, j);
            let product = a[0] * b[2] + a[1] * b[3] - a[2] * b[0] - a[3] * b[1];
            let omega = f64::from(j == i + 2) - f64::from(i == j + 2);
            worst = worst.max((product - omega).abs());
        }
    }
    worst
}

#[test]
fn steps_are_symplectic() {
    for defect in [
        defect(SemiImplicitEuler),
        defect(Leapfrog),
        defect(VelocityVerlet),
        defect(Ruth3),
        defect(ForestRuth),
        defect(McLachlanAtela4),
        defect(BlanesMoan4),
        defect(BlanesMoanNystrom4),
        defect(Yoshida6),
        defect(KahanLi8),
    ] {
        assert!(defect < 5e-15, "{defect:e}");
    }
    // Negative control: a method that is not.
    assert!(defect(Rk4) > 1e-5, "{:e}", defect(Rk4));
}

/// How far from its start a solve ends that goes forwards and back.
fn return_error<M, F>(method: M, field: &F, y0: ([f64; 2], [f64; 2]), steps: usize) -> f64
where
    F: VectorField<([f64; 2], [f64; 2])> + Clone,
    M: Method + Solves<F, ([f64; 2], [f64; 2])>,
{
    let run = |y, span| {
        let s = solve(field.clone(), y, span).with(method.clone()).steps(steps);
        s.run().unwrap().y_end
    };
    let there = run(y0, (0.0, 20.0));
    let back = run(there, (20.0, 0.0));
    let parts = back.0.iter().chain(&back.1).zip(y0.0.iter().chain(&y0.1));
    parts.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn symmetric_methods_return_to_their_start() {
    // A regular orbit of Hénon and Heiles's system, driven.
    let field = Newtonian::new(|t: f64, q: &[f64; 2]| {
        let push = 0.05 * (0.4 * t).sin();
        [-q[0] - 2.0 * q[0] * q[1] + push, -q[1] - q[0] * q[0] + q[1] * q[1]]
    });
    let y0 = ([0.1, 0.05], [0.2, 0.1]);
    for error in [
        return_error(Leapfrog, &field, y0, 100),
        return_error(VelocityVerlet, &field, y0, 100),
        return_error(ForestRuth, &field, y0, 100),
        return_error(BlanesMoan4, &field, y0, 100),
        return_error(BlanesMoanNystrom4, &field, y0, 100),
        return_error(Yoshida6, &field, y0, 100),
        return_error(KahanLi8, &field, y0, 100),
    ] {
        assert!(error < 2e-13, "{error:e}");
    }
    // Negative controls: methods that are not symmetric.
    for error in [
        return_error(SemiImplicitEuler, &field, y0, 100),
        return_error(Ruth3, &field, y0, 100),
        return_error(McLachlanAtela4, &field, y0, 100),
        return_error(Rk4, &field, y0, 100),
    ] {
        assert!(error > 1e-8, "{error:e}");
    }
}

/// Which methods are palindromes follows from their coefficients, and so does what they share.
#[test]
fn shared_kicks_are_recognised() {
    fn shares<M: SymplecticMethod>(_: M) -> bool {
        M::SPLITTING.shares_kick()
    }
    assert!(shares(VelocityVerlet) && shares(BlanesMoanNystrom4));
    assert!(!shares(SemiImplicitEuler) && !shares(Leapfrog) && !shares(McLachlanAtela4));
    assert!(!shares(Ruth3) && !shares(KahanLi8));
}

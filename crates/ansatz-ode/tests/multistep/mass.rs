//! Backward differentiation with mass matrices: differential-algebraic equations.

use ansatz_ode::{Error, WithMass, solve};

use crate::{BDF, ROBERTSON, check_robertson, relative, robertson};

#[test]
fn differential_algebraic_robertson() {
    let field = |_: f64, y: &[f64; 3]| {
        let f = robertson(0.0, y);
        [f[0], f[1], y[0] + y[1] + y[2] - 1.0]
    };
    let dae = WithMass::new(field, [1.0, 1.0, 0.0]);
    let times: Vec<f64> = ROBERTSON.iter().map(|(t, _)| *t).collect();
    let s = solve(dae.clone(), [1.0, 0.0, 0.0], (0.0, 100.0))
        .with(BDF)
        .tolerance(1e-8, 1e-12)
        .save_at(times)
        .run()
        .unwrap();
    check_robertson(&s, 2e-6);
    for y in &s.ys {
        assert!((y[0] + y[1] + y[2] - 1.0).abs() < 1e-8);
    }
    let wrong = solve(dae, [1.0, 0.0, 0.5], (0.0, 1.0)).with(BDF).tolerance(1e-6, 1e-8).run();
    assert!(matches!(wrong, Err(Error::Inconsistent { .. })), "{wrong:?}");
    let index2 = |_: f64, y: &[f64; 2]| [y[1], y[0]];
    let result = solve(WithMass::new(index2, [1.0, 0.0]), [0.0, 0.0], (0.0, 1.0))
        .with(BDF)
        .tolerance(1e-6, 1e-6)
        .run();
    assert!(matches!(result, Err(Error::IndexTooHigh { .. })), "{result:?}");
}

/// y = 1/(1 + t + t²/2), z = y²: y' = −z (1 + t), 0 = z − y².
#[test]
fn algebraic_variables_in_both_directions() {
    let dae = |t: f64, y: &[f64; 2]| [-y[1] * (1.0 + t), y[1] - y[0] * y[0]];
    let exact = |t: f64| 1.0 / (1.0 + t + 0.5 * t * t);
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let y0 = exact(span.0);
        let s = solve(WithMass::new(dae, [1.0, 0.0]), [y0, y0 * y0], span)
            .with(BDF)
            .tolerance(1e-9, 1e-9)
            .run()
            .unwrap();
        let y = exact(span.1);
        assert!(relative(&s.y_end, &[y, y * y]) < 1e-6, "{:?} {:?}", s.y_end, s.statistics);
        assert!(s.statistics.accepted < 300, "{:?}", s.statistics);
    }
}

#[test]
fn regular_mass_matrix() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    // (cos t, sin 2t), multiplied by the matrix.
    let field = move |t: f64, y: &[f64; 2]| {
        let f = [-t.sin() - (y[0] - t.cos()), 2.0 * (2.0 * t).cos() - (y[1] - (2.0 * t).sin())];
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let dense = ansatz_linalg::Dense::from_rows(&m).unwrap();
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        let exact = |t: f64| [t.cos(), (2.0 * t).sin()];
        let s = solve(WithMass::new(field, dense.clone()), exact(span.0), span)
            .with(BDF)
            .tolerance(1e-9, 1e-9)
            .run()
            .unwrap();
        let e = exact(span.1);
        let off = (s.y_end[0] - e[0]).abs().max((s.y_end[1] - e[1]).abs());
        assert!(off < 1e-6, "{off}");
    }
}

/// With a mass matrix `f` is not the derivative, which a solve must not start with: `10⁸ y′ = −10⁸ y`
/// is solved like `y′ = −y`.
#[test]
fn scaled_equations() {
    let scaled = WithMass::new(|_: f64, y: &[f64; 2]| [-1e8 * y[0], -2e8 * y[1]], [1e8; 2]);
    let s = solve(scaled, [1.0, 2.0], (0.0, 1.0)).with(BDF).tolerance(1e-8, 1e-8).run().unwrap();
    let plain = |_: f64, y: &[f64; 2]| [-y[0], -2.0 * y[1]];
    let p = solve(plain, [1.0, 2.0], (0.0, 1.0)).with(BDF).tolerance(1e-8, 1e-8).run().unwrap();
    assert!(relative(&s.y_end, &[(-1f64).exp(), 2.0 * (-2f64).exp()]) < 1e-6, "{:?}", s.y_end);
    let [s, p] = [s.statistics, p.statistics];
    assert!(s.rejected <= p.rejected + 2 && s.accepted <= p.accepted + 15, "{s:?} {p:?}");
}

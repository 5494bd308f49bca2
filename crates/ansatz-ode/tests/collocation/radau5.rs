//! Reference values and counters of RADAU5.

use ansatz_ode::{Pid, Predictive, RadauIia5, Statistics, WithJacobian, WithMass, solve};

fn robertson(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [-slow + back, slow - back - fast, fast]
}

fn robertson_jacobian(_: f64, y: &[f64; 3]) -> [[f64; 3]; 3] {
    let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
    [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
}

fn van_der_pol(eps: f64, tol: f64, predictive: bool) -> ([f64; 2], Statistics) {
    let field = WithJacobian::new(
        move |_: f64, y: &[f64; 2]| [y[1], ((1.0 - y[0] * y[0]) * y[1] - y[0]) / eps],
        move |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [(-2.0 * y[0] * y[1] - 1.0) / eps, (1.0 - y[0] * y[0]) / eps]]
        },
    );
    let s = solve(field, [2.0, -0.6], (0.0, 2.0)).with(RadauIia5);
    let s = if predictive {
        s.tolerance(tol, tol).run().unwrap()
    } else {
        s.controller(Pid::stiff(tol, tol)).run().unwrap()
    };
    (s.y_end, s.statistics)
}

/// RADAU5 with the tolerance 1e-4, which it replaces by `0.1 (1e-4)^(2/3)`, takes 280 steps (8 of
/// them rejected), 253 factorisations and 668 solutions of both systems.
#[test]
fn van_der_pol_costs_what_it_costs_radau5() {
    let (y, s) = van_der_pol(1e-6, 0.1 * 1e-4f64.powf(2.0 / 3.0), true);
    let (_, pid) = van_der_pol(1e-6, 0.1 * 1e-4f64.powf(2.0 / 3.0), false);
    // What prediction is for.
    assert!(s.rejected < pid.rejected / 3, "{s:?} {pid:?}");
    assert!((y[0] - 1.70616746433).abs() < 2e-5 && (y[1] + 8.9280998787e-1).abs() < 5e-5, "{y:?}");
    // Counted here for each of the two matrices; RADAU5 does not count the solves of the estimate.
    assert!(s.attempted() < 280 && s.factorisations < 2 * 253, "{s:?}");
    assert!(s.linear_solves - s.attempted() < 2 * 668, "{s:?}");
}

#[test]
fn van_der_pol_at_a_strict_tolerance() {
    let (y, s) = van_der_pol(1e-6, 1e-8, true);
    assert!(s.not_converged == 0, "{s:?}");
    assert!((y[0] - 1.70616746433).abs() < 1e-9 && (y[1] + 8.9280998787e-1).abs() < 1e-9, "{y:?}");
}

#[test]
fn robertson_at_many_times() {
    // Without the algebraic form, and with it.
    let times = vec![1e-2, 1.0, 100.0, 4e5, 4e10];
    let want = [9.996006826883e-1, 9.664597373330e-1, 6.172348823961e-1, 4.938275e-3, 5.208345e-8];
    let plain =
        solve(WithJacobian::new(robertson, robertson_jacobian), [1.0, 0.0, 0.0], (0.0, 4e10))
            .with(RadauIia5)
            .tolerance(1e-8, 1e-14)
            .save_at(times.clone())
            .run()
            .unwrap();
    let field = |_: f64, y: &[f64; 3]| {
        let f = robertson(0.0, y);
        [f[0], f[1], y[0] + y[1] + y[2] - 1.0]
    };
    let dae = solve(WithMass::new(field, [1.0, 1.0, 0.0]), [1.0, 0.0, 0.0], (0.0, 4e10))
        .with(RadauIia5)
        .tolerance(1e-8, 1e-14)
        .save_at(times)
        .run()
        .unwrap();
    for (i, want) in want.iter().enumerate() {
        for s in [&plain, &dae] {
            assert!((s.ys[i][0] / want - 1.0).abs() < 1e-6, "{} {:?}", s.ts[i], s.ys[i]);
        }
    }
}

/// RADAU5 at `rtol` 1e-2, `atol` 1e-8 takes 17 steps to 0.3, where y is (.98867401384998,
/// 3.44772047e-5, 1.129150895e-2).
#[test]
fn robertson_costs_what_it_costs_radau5() {
    let (rtol, atol) = (0.1 * 1e-2f64.powf(2.0 / 3.0), 1e-6 * 0.1 * 1e-2f64.powf(2.0 / 3.0));
    let mut control = Predictive::new(rtol, atol);
    control.base.first_step = Some(1e-6);
    let s = solve(WithJacobian::new(robertson, robertson_jacobian), [1.0, 0.0, 0.0], (0.0, 0.3))
        .with(RadauIia5)
        .controller(control)
        .run()
        .unwrap();
    assert!((s.y_end[0] - 0.988674).abs() < 1e-5, "{:?}", s.y_end);
    assert!((s.y_end[1] / 3.44772e-5 - 1.0).abs() < 1e-3, "{:?}", s.y_end);
    assert!(s.statistics.attempted() <= 17, "{:?}", s.statistics);
}

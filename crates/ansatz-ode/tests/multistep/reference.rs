//! Reference values of problems that are not stiff.

use ansatz_ode::solve;

#[cfg(feature = "stiff")]
use crate::BDF;
use crate::{ADAMS, relative};

fn arenstorf(_: f64, y: &[f64; 4]) -> [f64; 4] {
    const MU: f64 = 0.012277471;
    let d1 = ((y[0] + MU).powi(2) + y[1] * y[1]).powf(1.5);
    let d2 = ((y[0] - (1.0 - MU)).powi(2) + y[1] * y[1]).powf(1.5);
    [
        y[2],
        y[3],
        y[0] + 2.0 * y[3] - (1.0 - MU) * (y[0] + MU) / d1 - MU * (y[0] - (1.0 - MU)) / d2,
        y[1] - 2.0 * y[2] - (1.0 - MU) * y[1] / d1 - MU * y[1] / d2,
    ]
}

/// LSODA takes 1362 steps and 2830 evaluations, and is off by 6e-10.
#[test]
fn arenstorf_orbit() {
    let y0 = [0.994, 0.0, 0.0, -2.001585106379082];
    let s = solve(arenstorf, y0, (0.0, 17.065216560157963))
        .with(ADAMS)
        .tolerance(1e-12, 1e-12)
        .run()
        .unwrap();
    let c = s.statistics;
    assert!((s.y_end[0] - 0.994).abs() < 1e-9 && s.y_end[1].abs() < 1e-9, "{:?}", s.y_end);
    assert!((700..1000).contains(&c.accepted) && c.rejected < 150, "{c:?}");
    // Two evaluations a step, one for an attempt that is rejected; two to start with, and none at
    // the end.
    assert_eq!(c.evaluations, 2 * c.accepted + c.rejected + 1, "{c:?}");
}

#[test]
fn lotka_volterra_and_detest() {
    let field = |_: f64, y: &[f64; 2]| [1.5 * y[0] - y[0] * y[1], -3.0 * y[1] + y[0] * y[1]];
    let reference = [1.026344767575, 9.0969107813616e-1];
    let s =
        solve(field, [1.0, 1.0], (0.0, 10.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&s.y_end, &reference) < 2e-9, "{:?}", s.y_end);
    let back =
        solve(field, s.y_end, (10.0, 0.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&back.y_end, &[1.0, 1.0]) < 1e-7, "{:?}", back.y_end);
    #[cfg(feature = "stiff")]
    {
        let s = solve(field, [1.0, 1.0], (0.0, 10.0)).with(BDF).tolerance(1e-10, 1e-10).run();
        let y = s.unwrap().y_end;
        assert!(relative(&y, &reference) < 1e-6, "{y:?}");
    }

    let b1 = |_: f64, y: &[f64; 2]| [2.0 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])];
    let s = solve(b1, [1.0, 3.0], (0.0, 20.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!(relative(&s.y_end, &[6.761876008579e-1, 1.860816099640e-1]) < 1e-7, "{:?}", s.y_end);
    // D5, an orbit of eccentricity 0.9.
    let d5 = |_: f64, y: &[f64; 4]| {
        let r = (y[0] * y[0] + y[1] * y[1]).powf(1.5);
        [y[2], y[3], -y[0] / r, -y[1] / r]
    };
    let y0 = [0.1, 0.0, 0.0, 19f64.sqrt()];
    let s = solve(d5, y0, (0.0, 20.0)).with(ADAMS).tolerance(1e-12, 1e-12).run().unwrap();
    assert!(relative(&s.y_end[..2], &[-1.295266250982, 4.003938963800e-1]) < 1e-8, "{:?}", s.y_end);
    let e2 = |_: f64, y: &[f64; 2]| [y[1], (1.0 - y[0] * y[0]) * y[1] - y[0]];
    let s = solve(e2, [2.0, 0.0], (0.0, 20.0)).with(ADAMS).tolerance(1e-11, 1e-11).run().unwrap();
    assert!((s.y_end[0] - 2.008149762175).abs() < 1e-8, "{:?}", s.y_end);
    assert!(s.statistics.evaluations < 2200, "{:?}", s.statistics);
    let a3 = |t: f64, y: &f64| y * t.cos();
    let s = solve(a3, 1.0, (0.0, 20.0)).with(ADAMS).tolerance(1e-12, 1e-12).run().unwrap();
    assert!((s.y_end - 2.491650271851).abs() < 1e-9, "{}", s.y_end);
}

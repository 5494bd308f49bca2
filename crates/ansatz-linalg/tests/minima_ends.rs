//! Minimisations end for the reason that they give: what is called a minimum is one, however the
//! settings and the units.
// A failing test may panic, and functions have the signature that methods ask for.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

use ansatz_linalg::{
    DampedLsmr, DampedQr, Dense, Error, GaussNewton, Lbfgs, LevenbergMarquardt, LinearOperator,
    Minimum, NonlinearStopping, Outcome, Residual, Result, Stopping, WithJacobian,
};

type Plain = Vec<f64>;
type Run = dyn Fn(&dyn Residual<Plain>, &Plain, &NonlinearStopping) -> Result<Minimum<Plain>>;

fn by_step(step: f64) -> NonlinearStopping {
    NonlinearStopping { relative: 0.0, absolute: 0.0, step, iterations: 300 }
}

const LSMR: DampedLsmr =
    DampedLsmr { stopping: Stopping { relative: 1e-14, absolute: 0.0, iterations: 500 } };

fn least_squares() -> [(&'static str, Box<Run>); 3] {
    [
        ("LM", Box::new(|f, x, s| LevenbergMarquardt::new(DampedQr).run(f, x, s))),
        ("LM by LSMR", Box::new(|f, x, s| LevenbergMarquardt::new(LSMR).run(f, x, s))),
        ("GN", Box::new(|f, x, s| GaussNewton::new(DampedQr).run(f, x, s))),
    ]
}

#[test]
fn a_damped_step_is_no_sign_of_a_minimum() {
    // One direction is 10⁴ times as flat as the other.
    let rows = [[1.0, 1.0], [1e-4, -1e-4]];
    let f = WithJacobian::new(
        |x: &Plain| Ok(vec![x[0] + x[1] - 2000.0, 1e-4 * (x[0] - x[1] - 20.0)]),
        move |_: &Plain| Dense::from_rows(&rows),
    );
    for damping in [1e-3, 1e-6, 1e2] {
        let method = LevenbergMarquardt { solver: DampedQr, damping };
        for start in [vec![1000.0; 2], vec![0.0; 2]] {
            let found = method.run(&f, &start, &by_step(1e-6)).unwrap();
            assert_eq!(found.outcome, Outcome::Converged);
            assert!((found.x[0] - 1010.0).abs() < 1e-2, "{damping:e}: {found:?}");
        }
    }
    // Dependent columns, which no damping tells apart, and residuals that stay.
    let f = WithJacobian::new(
        |x: &Plain| Ok(vec![x[0] + x[1] - 2.0, 2.0 * (x[0] + x[1]) - 5.0]),
        |_: &Plain| Dense::from_rows(&[[1.0, 1.0], [2.0, 2.0]]),
    );
    let found = LevenbergMarquardt::new(DampedQr).run(&f, &vec![3.0, 1.0], &by_step(1e-8)).unwrap();
    assert_eq!(found.outcome, Outcome::Converged, "{found:?}");
    assert!((found.x[0] + found.x[1] - 2.4).abs() < 1e-6, "{found:?}");
}

#[test]
fn gradients_that_underflow_are_no_minimum() {
    let line = |x: &Plain| Ok(vec![1e-170 * x[0] - 1.0]);
    let f = WithJacobian::new(line, |_: &Plain| Dense::from_rows(&[[1e-170]]));
    for (name, run) in least_squares() {
        if let Ok(found) = run(&f, &vec![0.0], &NonlinearStopping::default()) {
            assert!(found.outcome != Outcome::Converged || found.objective() < 1e-8, "{name}");
        }
    }
}

#[test]
fn a_search_cut_short_is_no_sign_of_a_minimum() {
    // Not defined from x = 1 on, which is just ahead of the start.
    let wall = |p: &[f64; 2]| {
        if p[0] >= 1.0 {
            return Ok((f64::NAN, [f64::NAN; 2]));
        }
        let [a, b] = [p[0] - 2.0, p[1] - 5.0];
        Ok((a * a + b * b, [2.0 * a, 2.0 * b]))
    };
    let found = Lbfgs::default().run(&wall, &[1.0 - 1e-10, 0.0], &by_step(1e-8)).unwrap();
    assert_ne!(found.outcome, Outcome::Converged, "{found:?}");
}

#[test]
fn a_minimum_is_found_again() {
    let times = [0.0, 0.5, 1.0, 2.0, 3.0, 4.0];
    let decay = |p: &Plain, noise: f64| -> Plain {
        let wave = |t: f64| noise * (17.0 * t).sin();
        times.iter().map(|t| p[0] * (-p[1] * t).exp() - 3.0 * (-0.7 * t).exp() - wave(*t)).collect()
    };
    let slope = |p: &Plain| -> Result<Dense> {
        let rows: Vec<[f64; 2]> = times
            .iter()
            .map(|t| {
                let e = (-p[1] * t).exp();
                [e, -p[0] * t * e]
            })
            .collect();
        Dense::from_rows(&rows)
    };
    let exact = NonlinearStopping { relative: 1e-13, ..NonlinearStopping::default() };
    for noise in [0.0, 1e-3] {
        let f = WithJacobian::new(|p: &Plain| Ok(decay(p, noise)), slope);
        for (name, run) in least_squares() {
            let once = run(&f, &vec![2.0, 0.5], &exact).unwrap();
            let again = run(&f, &once.x, &NonlinearStopping::default()).unwrap();
            // Where residuals stay, LSMR ends before the gradient is nothing but rounding.
            let floor = name == "LM by LSMR" && noise > 0.0 && again.gradient() < 1e-12;
            assert!(again.outcome == Outcome::Converged || floor, "{name} {noise:e}: {again:?}");
            assert!((again.x[0] - once.x[0]).abs() < 1e-8, "{name} {noise:e}");
        }
    }
    let half_square = |p: &Plain| {
        let r = decay(p, 0.0);
        let gradient = slope(p)?.apply_transposed(&r)?;
        Ok((0.5 * r.iter().map(|r| r * r).sum::<f64>(), gradient))
    };
    let bowl = |p: &Plain| {
        let g: Plain = (1..).zip(p).map(|(i, p)| f64::from(i) * (p - 0.1)).collect();
        Ok((7.0 + 0.5 * g.iter().zip(p).map(|(g, p)| g * (p - 0.1)).sum::<f64>(), g))
    };
    for objective in [&half_square as &dyn Fn(&Plain) -> Result<(f64, Plain)>, &bowl] {
        let once = Lbfgs::default().solve(objective, &vec![2.0, 0.5], &exact).unwrap();
        let again = Lbfgs::default().solve(objective, &once.x, &NonlinearStopping::default());
        let again = again.unwrap();
        assert!((again.x[0] - once.x[0]).abs() < 1e-8, "{again:?}");
    }
    let number = |x: &f64| Ok((0.25 * (x * x - 2.0).powi(2), x * (x * x - 2.0)));
    let again = Lbfgs::default().solve(&number, &2f64.sqrt(), &NonlinearStopping::default());
    assert!((again.unwrap().x - 2f64.sqrt()).abs() < 1e-15);
    // Going nowhere is no minimum.
    let wrong = |x: &f64| Ok((x * x, -2.0 * x));
    let found = Lbfgs::default().run(&wrong, &1.0, &NonlinearStopping::default()).unwrap();
    assert_eq!(found.outcome, Outcome::Stagnation);
}

#[test]
fn errors_of_the_residuals_come_out() {
    let broken = |x: &Plain| -> Result<Plain> {
        if x[0] > 1.0 {
            return Err(Error::Singular { what: "mine", pivot: 3, value: 0.0 });
        }
        Ok(vec![x[0] - 0.3, x[1]])
    };
    for (name, run) in [&least_squares()[0], &least_squares()[2]] {
        let failed = run(&broken, &vec![1.0, 1.0], &NonlinearStopping::default());
        assert!(matches!(failed, Err(Error::Singular { what: "mine", .. })), "{name}: {failed:?}");
    }
}

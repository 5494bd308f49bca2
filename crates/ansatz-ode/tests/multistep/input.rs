//! Bad input, limits, jumps.

#[cfg(feature = "stiff")]
use ansatz_ode::Bdf;
use ansatz_ode::{Adams, Error, Status, Tolerance, solve};

use crate::ADAMS;
#[cfg(feature = "stiff")]
use crate::BDF;

#[test]
fn what_cannot_be_solved() {
    let decay = |_: f64, y: &f64| -y;
    #[cfg(feature = "stiff")]
    for max_order in [0, 6] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(Bdf { max_order }).tolerance(1e-6, 1e-6);
        assert!(matches!(result.run(), Err(Error::InvalidArgument { .. })));
    }
    for max_order in [0, 13] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(Adams { max_order }).tolerance(1e-6, 1e-6);
        assert!(matches!(result.run(), Err(Error::InvalidArgument { .. })));
    }
    for wrong in [
        Tolerance { max_step: 0.0, ..Tolerance::new(1e-6, 1e-6) },
        Tolerance { min_step: -1.0, ..Tolerance::new(1e-6, 1e-6) },
        Tolerance { first_step: Some(f64::NAN), ..Tolerance::new(1e-6, 1e-6) },
        Tolerance::new(-1e-6, 1e-6),
    ] {
        let result = solve(decay, 1.0, (0.0, 1.0)).with(ADAMS).controller(wrong).run();
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    }
    macro_rules! check {
        ($method:expr) => {{
            let s = solve(decay, 1.0, (0.0, 1.0)).with($method).tolerance(1e-9, 1e-9).max_steps(7);
            let s = s.run_partial().unwrap();
            assert_eq!(s.status, Status::StepBudgetExhausted);
            assert_eq!(s.statistics.attempted(), 7);
            assert!((s.y_end - (-s.t_end).exp()).abs() < 1e-7 && s.t_end < 1.0);

            // y' = y²: 1/(1 − t).
            let s = solve(|_: f64, y: &f64| y * y, 1.0, (0.0, 2.0)).with($method);
            let s = s.tolerance(1e-6, 1e-6).run_partial().unwrap();
            assert!(s.status != Status::Finished, "{s:?}");
            assert!((s.t_end - 1.0).abs() < 1e-2 && s.y_end > 100.0, "{s:?}");

            let broken = |t: f64, _: &f64| if t > 0.5 { f64::NAN } else { 1.0 };
            let s = solve(broken, 0.0, (0.0, 1.0)).with($method);
            let s = s.tolerance(1e-6, 1e-6).run_partial().unwrap();
            assert!(s.status != Status::Finished, "{s:?}");
            assert!((s.t_end - 0.5).abs() < 1e-6 && (s.y_end - 0.5).abs() < 1e-6, "{s:?}");
            let result = solve(|_: f64, _: &f64| f64::NAN, 0.0, (0.0, 1.0)).with($method);
            let result = result.tolerance(1e-6, 1e-6).run();
            assert!(matches!(result, Err(Error::NotFinite { .. })), "{result:?}");
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

/// Steps are no longer than allowed, and a jump starts again from order 1.
#[test]
fn limits_and_jumps() {
    let control = Tolerance { max_step: 0.01, ..Tolerance::new(1e-6, 1e-6) };
    let s = solve(|_: f64, y: &f64| -y, 1.0, (0.0, 1.0)).with(ADAMS).controller(control).run();
    assert!(s.unwrap().statistics.accepted >= 100);
    macro_rules! check {
        ($method:expr) => {{
            // y' = −y + [t ≥ 1].
            let field = |t: f64, y: &f64| f64::from(u8::from(t > 1.0)) - y;
            let late = |t: f64, y: &f64| if t >= 1.0 { 1.0 - y } else { -y };
            let s = solve(late, 1.0, (0.0, 2.0)).with($method).tolerance(1e-9, 1e-9);
            let s = s.jumps(vec![1.0]).run().unwrap();
            let want = 1.0 + ((-1f64).exp() - 1.0) * (-1f64).exp();
            assert!((s.y_end - want).abs() < 1e-7, "{} {want}", s.y_end);
            let across = solve(field, 1.0, (0.0, 2.0)).with($method).tolerance(1e-9, 1e-9);
            let across = across.run().unwrap();
            assert!((across.y_end - want).abs() < 1e-6, "{} {want}", across.y_end);
            assert!(s.statistics.rejected < across.statistics.rejected);
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

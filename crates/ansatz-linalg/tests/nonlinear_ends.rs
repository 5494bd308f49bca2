//! Nonlinear iterations end for the reason that they give: what is called a root is one, however
//! the settings, the units and the linear solver.
// A failing test may panic, and functions have the signature that methods ask for.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

use std::cell::Cell;

use ansatz_linalg::{
    Broyden, Chord, Dense, DifferenceJacobian, Direct, Error, FixedPoint, FixedPointMethod, Gmres,
    Iterative, Newton, NonlinearStopping, Outcome, Result, RootFinder, Scaled, TrustRegion,
    WithJacobian,
};

type Plain = Vec<f64>;

/// Only the length of a step counts.
fn by_step(step: f64) -> NonlinearStopping {
    NonlinearStopping { relative: 0.0, absolute: 0.0, step, iterations: 200 }
}

#[test]
fn a_truncated_step_is_no_sign_of_a_root() {
    let wall = WithJacobian::new(
        |x: &Plain| Ok(vec![(x[0] - 1000.0).sqrt() - 1.0]),
        |x: &Plain| Dense::from_rows(&[[0.5 / (x[0] - 1000.0).sqrt()]]),
    );
    let root = TrustRegion::new(Direct).run(&wall, &vec![1000.0 + 1e-8], &by_step(1e-7)).unwrap();
    assert_eq!(root.outcome, Outcome::Converged);
    assert!((root.x[0] - 1001.0).abs() < 1e-3, "{root:?}");
    // The Jacobian is singular everywhere: only steps along the gradient.
    let singular = WithJacobian::new(
        |x: &Plain| {
            let sum = x[1] + x[2] - 100.0;
            Ok(vec![1e4 * (x[0] - 1000.0), sum, 2.0 * sum])
        },
        |_: &Plain| Dense::from_rows(&[[1e4, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 2.0, 2.0]]),
    );
    let start = vec![1000.0001, 0.0, 0.0];
    let root = TrustRegion::new(Direct).run(&singular, &start, &by_step(1e-6)).unwrap();
    assert!(root.outcome != Outcome::Converged || root.residual() < 1e-2, "{root:?}");
}

#[test]
fn a_dogleg_never_goes_uphill() {
    // Nearly singular: Newton's step is rounding.
    for tiny in [1e-13, 1e-14, 1e-15, 3e-16] {
        let f = WithJacobian::new(
            |x: &Plain| {
                let sum = x[0] + x[1];
                Ok(vec![sum - 1.0 + 0.1 * x[0] * x[0], sum - 2.0 + 0.1 * x[0] * x[0]])
            },
            move |x: &Plain| {
                Dense::from_rows(&[[1.0 + 0.2 * x[0], 1.0], [1.0 + 0.2 * x[0], 1.0 + tiny]])
            },
        );
        let root = TrustRegion::new(Direct).run(&f, &vec![0.3, 0.7], &by_step(1e-12)).unwrap();
        assert!(root.residuals.windows(2).all(|w| w[1] <= w[0]), "{tiny:e}: {:?}", root.residuals);
    }
    // A linear solver that gives the opposite of a solution.
    let f = WithJacobian::new(
        |x: &Plain| Ok(vec![x[0] - 1.0, 3.0 * x[1]]),
        |_: &Plain| Dense::from_rows(&[[1.0, 0.0], [0.0, 3.0]]),
    );
    let stopping = NonlinearStopping { iterations: 40, ..NonlinearStopping::default() };
    let root = TrustRegion::new(Backwards).run(&f, &vec![4.0, 5.0], &stopping).unwrap();
    assert!(root.residuals.windows(2).all(|w| w[1] < w[0]), "{:?}", root.residuals);
    assert_eq!(root.outcome, Outcome::Converged);
}

/// Solves and turns the solution round.
struct Backwards;

impl ansatz_linalg::LinearSolver<Plain> for Backwards {
    fn solve(
        &self,
        a: &dyn ansatz_linalg::LinearOperator<Plain>,
        b: &Plain,
    ) -> Result<ansatz_linalg::Solution<Plain>> {
        Direct.solve(&Scaled { factor: -1.0, operator: a }, b)
    }
}

#[test]
fn a_dogleg_ends_where_squares_underflow() {
    let f = WithJacobian::new(
        |x: &Plain| Ok(vec![0.1 * x[0], 0.0]),
        |_: &Plain| Dense::from_rows(&[[0.1, 0.0], [0.0, 0.0]]),
    );
    let stopping = NonlinearStopping::default();
    // A smaller norm may be refused; it must come to an end.
    let _ = TrustRegion::new(Direct).run(&f, &vec![1e-159, 0.0], &stopping);
    let root = TrustRegion::new(Direct).run(&f, &vec![1e-150, 0.0], &stopping).unwrap();
    assert_eq!(root.outcome, Outcome::Converged);
}

#[test]
fn the_units_of_the_unknown_do_not_make_a_minimum() {
    for size in [1e-17, 1e-8, 1.0, 1e8] {
        let f = WithJacobian::new(
            move |x: &Plain| Ok(vec![size * x[0] - 1.0]),
            move |_: &Plain| Dense::from_rows(&[[size]]),
        );
        let root =
            TrustRegion::new(Direct).solve(&f, &vec![0.0], &NonlinearStopping::default()).unwrap();
        assert!((root.x[0] * size - 1.0).abs() < 1e-8, "{size:e}");
    }
    let no_root = WithJacobian::new(
        |x: &Plain| Ok(vec![1e6, 1e6 * x[0] * x[1]]),
        |x: &Plain| Dense::from_rows(&[[0.0, 0.0], [1e6 * x[1], 1e6 * x[0]]]),
    );
    let root = TrustRegion::new(Direct)
        .run(&no_root, &vec![1.0, 2.0], &NonlinearStopping::default())
        .unwrap();
    assert!(matches!(root.outcome, Outcome::Breakdown(_)), "{root:?}");
}

#[test]
fn steps_by_which_nothing_was_solved_are_no_convergence() {
    // The linear solver is content with a step of zero.
    let square = |x: &f64| Ok(x * x - 2.0);
    let content = Newton::new(Iterative::new(Gmres::default()).absolute(0.1));
    let root = content.run(&square, &1.41, &by_step(1e-9)).unwrap();
    assert!(matches!(root.outcome, Outcome::Breakdown(_)), "{root:?}");
    // It has solved for the one component that is large.
    let scales = |x: &[f64; 2]| Ok([1e8 * (x[0] - 1.0), x[1] - 100.0]);
    let krylov = Newton::new(Iterative::new(Gmres::default()));
    let root = krylov.run(&scales, &[1.0 + 1e-5, 0.0], &by_step(1e-4)).unwrap();
    assert!(root.outcome != Outcome::Converged || (root.x[1] - 100.0).abs() < 1.0, "{root:?}");
}

#[test]
fn short_steps_of_methods_that_converge_slowly_are_no_convergence() {
    let cubic = |x: &f64| Ok(x.powi(3) - 8.0);
    let root = Broyden::multiple(1e-9).run(&cubic, &1.0, &by_step(1e-6)).unwrap();
    assert!(root.outcome != Outcome::Converged || (root.x - 2.0).abs() < 1e-4, "{root:?}");
    let stale = Dense::from_rows(&[[1e-9]]).unwrap();
    let cubic = |x: &Plain| Ok(vec![x[0].powi(3) - 8.0]);
    let root =
        Chord::new(Direct).run_with_inverse(&cubic, &stale, &vec![1.0], &by_step(1e-6)).unwrap();
    assert_eq!(root.outcome, Outcome::Stagnation, "{root:?}");
    // Half of the way to the fixed point with each 700 iterations.
    let slow = |x: &f64| Ok(0.999 * x + 0.001);
    let stopping = NonlinearStopping { iterations: 20_000, ..by_step(1e-4) };
    let root = FixedPoint::default().solve(&slow, &0.0, &stopping).unwrap();
    assert!((root.x - 1.0).abs() < 1.01e-4, "{root:?}");
    let damped = FixedPoint { damping: 1e-6 };
    let root = damped.run(&|x: &f64| Ok(0.5 * x + 1.0), &0.0, &by_step(1e-4)).unwrap();
    assert_eq!(root.outcome, Outcome::Budget);
}

#[test]
fn a_root_is_found_again() {
    let plain = NonlinearStopping::default();
    let square = |x: &Plain| Ok(vec![x[0] * x[0] - 2.0]);
    let coupled = |x: &Plain| {
        let n = x.len();
        let h = 1.0 / (n + 1) as f64;
        let at = |i: usize| if i == 0 || i > n { 0.0 } else { x[i - 1] };
        let row = |i: usize| (2.0 * at(i) - at(i - 1) - at(i + 1)) / (h * h) - at(i).exp();
        Ok((1..=n).map(row).collect())
    };
    let with_transpose = WithJacobian::new(square, |x: &Plain| Dense::from_rows(&[[2.0 * x[0]]]));
    let root = vec![2f64.sqrt()];
    for finder in [
        Box::new(Newton::new(Direct)) as Box<dyn RootFinder<Plain>>,
        Box::new(Chord::new(Direct)),
        Box::new(Broyden::new(Direct)),
        Box::new(TrustRegion::new(Direct)),
    ] {
        let again = finder.solve(&with_transpose, &root, &plain).unwrap();
        assert!((again.x[0] - 2f64.sqrt()).abs() < 1e-15, "{}", finder.name());
    }
    for n in [5, 40] {
        for finder in [
            Box::new(Newton::new(Direct)) as Box<dyn RootFinder<Plain>>,
            Box::new(Chord::new(Direct)),
            Box::new(Broyden::new(Direct)),
            Box::new(Newton::new(Iterative::new(Gmres::default()).relative(1e-10))),
        ] {
            let exact = NonlinearStopping { relative: 1e-12, ..plain };
            let once = finder.solve(&coupled, &vec![0.0; n], &exact).unwrap();
            let again = finder.solve(&coupled, &once.x, &plain);
            let again = again.unwrap_or_else(|e| panic!("{} {n}: {e}", finder.name()));
            assert!(again.residual() <= once.residual(), "{} {n}", finder.name());
        }
    }
    // No root near: no progress is no root.
    let raised = |x: &f64| Ok(x * x + 1e-6);
    let root = Newton::new(Direct).run(&raised, &1e-3, &plain).unwrap();
    assert_ne!(root.outcome, Outcome::Converged);
}

#[test]
fn errors_of_the_function_and_of_the_solver_are_told_apart() {
    // The caller's own iteration fails as soon as the Jacobian needs it.
    let calls = Cell::new(0);
    let inner = |x: &Plain| -> Result<Plain> {
        calls.set(calls.get() + 1);
        if calls.get() > 1 {
            let outcome = Outcome::Budget;
            let (residual, target) = (1.0, 0.5);
            return Err(Error::NotConverged {
                method: "mine",
                outcome,
                iterations: 7,
                residual,
                target,
            });
        }
        Ok(vec![x[0] * x[0] - 2.0, x[1]])
    };
    for finder in [
        Box::new(Newton::new(Direct)) as Box<dyn RootFinder<Plain>>,
        Box::new(Chord::new(Direct)),
        Box::new(Broyden::new(Direct)),
        Box::new(Newton::new(Iterative::new(Gmres::default()))),
        Box::new(Broyden::new(Iterative::new(Gmres::default()))),
    ] {
        calls.set(0);
        let failed = finder.run(&inner, &vec![1.0, 1.0], &NonlinearStopping::default());
        assert!(
            matches!(failed, Err(Error::NotConverged { method: "mine", .. })),
            "{}: {failed:?}",
            finder.name()
        );
    }
    // The solver of the method fails at its second system, which corrects the inverse.
    let solver = Iterative::new(Gmres { restart: 1 }).relative(1e-10).iterations(1);
    let curved = WithJacobian::new(
        |x: &Plain| Ok(vec![x[0] - 1.0 + 0.1 * x[1] * x[1], 2.0 * x[1] + 0.3 * x[0] * x[0]]),
        |_: &Plain| Dense::from_rows(&[[1.0, 0.0], [0.0, 2.0]]),
    );
    let root = Broyden::new(solver).run(&curved, &vec![2.0, -0.6], &NonlinearStopping::default());
    assert!(matches!(root.unwrap().outcome, Outcome::Breakdown(_)));
}

#[test]
fn differences_in_the_units_of_the_unknown() {
    let steep = |x: &Plain| Ok(vec![(1e9 * x[0]).exp() - 2.0]);
    let jacobian = |x: &Plain| DifferenceJacobian::new(steep, x.clone())?.typical(1e-9);
    let root = Newton::new(Direct)
        .solve(&WithJacobian::new(steep, jacobian), &vec![0.0], &NonlinearStopping::default())
        .unwrap();
    assert!((1e9 * root.x[0] - 2f64.ln()).abs() < 1e-8, "{root:?}");
    let refused = DifferenceJacobian::new(steep, vec![0.0]).unwrap().typical(0.0);
    assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
}

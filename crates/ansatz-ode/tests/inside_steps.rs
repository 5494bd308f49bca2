//! The solution inside a step: its order, its cost, how steps join.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::cell::Cell;

use ansatz_ode::{
    Bosh3, Bs5, CarpenterKennedy54, Dop853, Dopri5, Dopri8, Euler, Event, Feagin10, NoGradient,
    RDPK3SpFSAL49, Rk4, Solves, SspRk43, SspRk104, Tsit5, Vern6, Vern7, Vern8, Vern9, solve,
};

type Scalar = fn(f64, &f64) -> f64;

/// A field, its solution, and a time to start from.
type Problem = (Scalar, fn(f64) -> f64, f64);

const SWING: Problem = (|t, y| y * t.cos(), |t| t.sin().exp(), 0.4);
const LATE_SWING: Problem = (|t, y| y * t.cos(), |t| t.sin().exp(), 1.5);
const SQUARE: Problem = (|t, y| y * y * t.cos(), |t| 1.0 / (2.0 - t.sin()), 0.4);

/// Largest error inside a single step of length `h` from the exact solution.
fn error_inside<M: Solves<Scalar, f64>>(method: M, (field, exact, t0): Problem, h: f64) -> f64 {
    let setup = solve(field, exact(t0), (t0, t0 + h)).with(method).steps(1);
    let (_, dense) = setup.adjoint(NoGradient).run_dense().unwrap();
    let error = |i: i32| {
        let t = t0 + h * f64::from(i) / 20.0;
        (dense.at(t).unwrap() - exact(t)).abs()
    };
    (1..20).map(error).fold(0.0, f64::max)
}

#[test]
fn the_interpolant_has_its_order() {
    fn check<M: Solves<Scalar, f64>>(method: M, problem: Problem, order: f64, lengths: &[f64]) {
        for direction in [1.0, -1.0] {
            let (first, last) = (lengths[0], lengths[lengths.len() - 1]);
            let [e0, e1] =
                [first, last].map(|h| error_inside(method.clone(), problem, direction * h));
            let measured = (e0 / e1).ln() / (first / last).ln();
            let name = std::any::type_name::<M>();
            // A local error: one order more.
            assert!((measured - order - 1.0).abs() < 0.35, "{name} {direction}: {measured}");
        }
    }
    check(Euler, SWING, 1.0, &[0.02, 0.005]);
    check(Bosh3, SWING, 3.0, &[0.1, 0.025]);
    check(SspRk43, SWING, 3.0, &[0.1, 0.025]);
    check(Rk4, SWING, 3.0, &[0.1, 0.025]);
    check(SspRk104, SWING, 3.0, &[0.1, 0.025]);
    check(CarpenterKennedy54, SWING, 3.0, &[0.1, 0.025]);
    check(RDPK3SpFSAL49, SWING, 3.0, &[0.1, 0.025]);
    check(Dopri8, SWING, 3.0, &[0.1, 0.025]);
    check(Feagin10, SWING, 3.0, &[0.1, 0.025]);
    check(Dopri5, SWING, 4.0, &[0.2, 0.05]);
    check(Tsit5, SWING, 4.0, &[0.2, 0.05]);
    check(Bs5, LATE_SWING, 5.0, &[0.4, 0.1]);
    check(Vern6, SWING, 6.0, &[0.2, 0.05]);
    check(Vern7, SWING, 7.0, &[0.4, 0.1]);
    check(Dop853, SWING, 7.0, &[0.4, 0.1]);
    check(Vern8, SQUARE, 8.0, &[0.8, 0.2]);
    check(Vern9, LATE_SWING, 9.0, &[0.56, 0.2]);
}

/// Evaluations of ten steps with states saved at `times`.
fn evaluations<M>(method: M, times: &[f64]) -> usize
where
    M: for<'a> Solves<Counting<'a>, f64>,
{
    let count = Cell::new(0);
    let field = Counting(&count);
    let s = solve(field, 1.0, (0.0, 1.0)).with(method).steps(10).save_at(times).run().unwrap();
    assert_eq!(s.ts, times);
    assert_eq!(s.statistics.evaluations, count.get(), "what is counted is what was done");
    count.get()
}

struct Counting<'a>(&'a Cell<usize>);

impl ansatz_ode::VectorField<f64> for Counting<'_> {
    fn eval_into(&self, t: f64, y: &f64, dy: &mut f64) -> ansatz_ode::core::Result<()> {
        self.0.set(self.0.get() + 1);
        *dy = y * t.cos();
        Ok(())
    }
}

#[test]
fn only_steps_that_are_looked_into_cost_more() {
    /// `stages` per step, `last` for the derivative at the end where that is not a stage and
    /// nothing follows, `extra` stages of dense output.
    fn check<M>(method: M, stages: usize, last: usize, extra: usize)
    where
        M: for<'a> Solves<Counting<'a>, f64> + Copy,
    {
        let name = std::any::type_name::<M>();
        // The first stage of the first step; one after each step, save the last, or in it.
        let plain = evaluations(method, &[]);
        assert_eq!(plain, 10 * stages + 1 - last, "{name}");
        // The ends of steps are known.
        assert_eq!(evaluations(method, &[0.0, 1.0]), plain, "{name}");
        // Three of them looked into, one twice.
        assert_eq!(evaluations(method, &[0.11, 0.12, 0.55, 0.75]), plain + 3 * extra, "{name}");
        assert_eq!(evaluations(method, &[0.95]), plain + extra + last, "{name}");
    }
    check(Tsit5, 6, 0, 0);
    check(Rk4, 4, 1, 0);
    check(Bs5, 7, 0, 3);
    check(Vern6, 8, 0, 3);
    check(Vern7, 10, 1, 5);
    check(Vern8, 13, 1, 7);
    check(Vern9, 16, 1, 9);
    check(Dop853, 12, 1, 3);
    check(Dopri8, 13, 1, 0);
    // The slope at the start is gone when that at the end is known; the next step begins with that.
    assert_eq!(evaluations(CarpenterKennedy54, &[]), 50);
    assert_eq!(evaluations(CarpenterKennedy54, &[0.11, 0.12, 0.55, 0.75]), 53);
    assert_eq!(evaluations(CarpenterKennedy54, &[0.95]), 52);
}

/// An event looks into every step; a state saved in the same step must not cost anything more.
#[test]
fn a_step_is_not_completed_twice() {
    let count = |times: &[f64]| {
        let never = Event::new(|_: f64, y: &f64| Ok(y - 100.0));
        let s = solve(|t: f64, y: &f64| y * t.cos(), 1.0, (0.0, 1.0)).with(Dop853).steps(10);
        s.event(never).save_at(times).run().unwrap().statistics.evaluations
    };
    // Twelve stages, three extra ones; the first and the last derivative.
    assert_eq!(count(&[]), 10 * 15 + 1);
    assert_eq!(count(&[0.05, 0.33, 0.95]), count(&[]));
}

/// No gap and no kink where steps meet.
#[test]
fn steps_join_smoothly() {
    fn check<M: Solves<Scalar, f64>>(method: M) {
        let (field, exact, t0) = SWING;
        let setup = solve(field, exact(t0), (t0, t0 + 4.0)).with(method).steps(4);
        let (_, dense) = setup.adjoint(NoGradient).run_dense().unwrap();
        let name = std::any::type_name::<M>();
        let at = |t: f64| dense.at(t).unwrap();
        for t in [t0 + 1.0, t0 + 2.0, t0 + 3.0] {
            // Second-order differences from either side.
            let h = 1e-5;
            let slope = |h: f64| (4.0 * at(t + h) - at(t + 2.0 * h) - 3.0 * at(t)) / (2.0 * h);
            assert!((slope(h) - slope(-h)).abs() < 1e-7, "{name}: {} {}", slope(h), slope(-h));
            assert!((slope(h) - at(t) * t.cos()).abs() < 1e-7, "{name} against the field");
        }
    }
    check(Rk4);
    check(Tsit5);
    check(Bs5);
    check(Vern6);
    check(Vern7);
    check(Vern8);
    check(Vern9);
    check(Dop853);
    check(CarpenterKennedy54);
    check(RDPK3SpFSAL49);
}

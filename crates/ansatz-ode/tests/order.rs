//! Measured order of every method, forwards and backwards, on non-autonomous problems.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Adaptive, Attempt, Bosh3, Bs5, CarpenterKennedy54, Dop853, Dopri5, Dopri8, Euler, Explicit,
    ExplicitRungeKutta, Feagin10, Heun, Method, Midpoint, NoGradient, Pid, RDPK3SpFSAL35,
    RDPK3SpFSAL49, Ralston, Rk4, Rms, Save, Solves, SspRk22, SspRk33, SspRk43, SspRk54, SspRk104,
    Statistics, Stepper, Tsit5, Vern6, Vern7, Vern8, Vern9, Williamson33, solve,
};

type Scalar = fn(f64, &f64) -> f64;
type System = fn(f64, &Vec<f64>) -> Vec<f64>;

/// A field, its solution, an interval.
struct Problem<F, Y> {
    field: F,
    exact: fn(f64) -> Y,
    span: (f64, f64),
}

/// y' = t y: y = exp(t²/2).
const GROWTH: Problem<Scalar, f64> =
    Problem { field: |t, y| t * y, exact: |t| (t * t / 2.0).exp(), span: (0.3, 2.1) };

/// y' = y cos t: y = exp(sin t).
const SWING: Problem<Scalar, f64> =
    Problem { field: |t, y| y * t.cos(), exact: |t| t.sin().exp(), span: (0.0, 10.0) };

/// y' = y² cos t: y = 1 / (2 − sin t).
const SQUARE: Problem<Scalar, f64> =
    Problem { field: |t, y| y * y * t.cos(), exact: |t| 1.0 / (2.0 - t.sin()), span: (0.0, 10.0) };

/// y' = y (1 − y) cos t: y = 1 / (1 + exp(−sin t)).
const LOGISTIC: Problem<Scalar, f64> = Problem {
    field: |t, y| y * (1.0 - y) * t.cos(),
    exact: |t| 1.0 / (1.0 + (-t.sin()).exp()),
    span: (0.0, 10.0),
};

/// u' = t u − v, v' = t v + u: the solution of `GROWTH` turned by the angle t.
const ROTATION: Problem<System, Vec<f64>> = Problem {
    field: |t, y| vec![t * y[0] - y[1], t * y[1] + y[0]],
    exact: |t| vec![(t * t / 2.0).exp() * t.cos(), (t * t / 2.0).exp() * t.sin()],
    span: (0.3, 2.1),
};

/// A rotation whose speed depends on time and on the radius, which stays 1.
const SPIN: Problem<System, Vec<f64>> = Problem {
    field: |t, y| {
        let speed = y[0] * y[0] + y[1] * y[1] + t.cos();
        vec![-speed * y[1], speed * y[0]]
    },
    exact: |t| vec![(t + t.sin()).cos(), (t + t.sin()).sin()],
    span: (0.0, 10.0),
};

/// A pendulum that is driven along a known path.
const PENDULUM: Problem<System, Vec<f64>> = Problem {
    field: |t, y| {
        let (angle, speed) = (path(t), (1.2 * t).cos());
        let (turn, push) = (t.cos() - 0.35 * (0.7 * t).sin(), -1.2 * (1.2 * t).sin());
        vec![turn + y[1] - speed, push - y[0].sin() + angle.sin()]
    },
    exact: |t| vec![path(t), (1.2 * t).cos()],
    span: (0.0, 10.0),
};

fn path(t: f64) -> f64 {
    t.sin() + 0.5 * (0.7 * t).cos()
}

/// Slope of log error against log step, by least squares.
fn slope(points: impl Iterator<Item = (f64, f64)>) -> f64 {
    let points: Vec<(f64, f64)> = points.map(|(h, error)| (h.ln(), error.ln())).collect();
    let n = points.len() as f64;
    let mx = points.iter().map(|p| p.0).sum::<f64>() / n;
    let my = points.iter().map(|p| p.1).sum::<f64>() / n;
    let product = points.iter().map(|(x, y)| (x - mx) * (y - my)).sum::<f64>();
    product / points.iter().map(|(x, _)| (x - mx) * (x - mx)).sum::<f64>()
}

trait Distance {
    fn distance(&self, other: &Self) -> f64;
}

impl Distance for f64 {
    fn distance(&self, other: &f64) -> f64 {
        (self - other).abs()
    }
}

impl Distance for Vec<f64> {
    fn distance(&self, other: &Vec<f64>) -> f64 {
        self.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }
}

/// The order of the largest error after any step, forwards and backwards.
fn orders<M, F, Y>(method: &M, problem: &Problem<F, Y>, steps: &[usize]) -> [f64; 2]
where
    M: Solves<F, Y>,
    F: Copy,
    Y: Distance + ansatz_ode::DefaultAdjoint<Adjoint = NoGradient>,
{
    let (a, b) = problem.span;
    [(a, b), (b, a)].map(|span| {
        slope(steps.iter().map(|&n| {
            let setup = solve(problem.field, (problem.exact)(span.0), span).with(method.clone());
            let s = setup.steps(n).save(Save::Steps).run().unwrap();
            let errors = s.ts.iter().zip(&s.ys).map(|(t, y)| y.distance(&(problem.exact)(*t)));
            (1.0 / n as f64, errors.fold(0.0, f64::max))
        }))
    })
}

/// Both must show the order, where `above` says how much more they may show.
fn check<M>(
    method: M,
    order: f64,
    (scalar, scalar_steps): (Problem<Scalar, f64>, &[usize]),
    (system, system_steps): (Problem<System, Vec<f64>>, &[usize]),
    above: [f64; 2],
) where
    M: Solves<Scalar, f64> + Solves<System, Vec<f64>>,
{
    let measured = [orders(&method, &scalar, scalar_steps), orders(&method, &system, system_steps)];
    for (measured, above) in measured.iter().zip(above) {
        for m in measured {
            let name = std::any::type_name::<M>();
            assert!(*m > order - 0.2 && *m < order + above, "{name}: {measured:?}, not {order}");
        }
    }
}

#[test]
fn every_method_has_its_order_forwards_and_backwards() {
    fn usual<M>(method: M, order: f64, steps: usize)
    where
        M: Solves<Scalar, f64> + Solves<System, Vec<f64>>,
    {
        let steps = [steps, 2 * steps, 4 * steps];
        check(method, order, (GROWTH, &steps), (ROTATION, &steps), [0.2; 2]);
    }
    usual(Euler, 1.0, 1600);
    usual(Heun, 2.0, 240);
    usual(Midpoint, 2.0, 240);
    usual(Ralston, 2.0, 240);
    usual(SspRk22, 2.0, 240);
    usual(Bosh3, 3.0, 160);
    usual(SspRk33, 3.0, 160);
    usual(SspRk43, 3.0, 160);
    usual(Williamson33, 3.0, 160);
    usual(RDPK3SpFSAL35, 3.0, 160);
    usual(Rk4, 4.0, 80);
    usual(SspRk54, 4.0, 80);
    usual(SspRk104, 4.0, 80);
    usual(CarpenterKennedy54, 4.0, 80);
    usual(RDPK3SpFSAL49, 4.0, 80);
    usual(Dopri5, 5.0, 48);
    usual(Tsit5, 5.0, 48);
}

/// High orders show between steps that are too long for the leading term and errors too near to
/// rounding: a narrow window, which is not at the same place for every method.
#[test]
fn every_method_of_high_order_has_it_forwards_and_backwards() {
    let both = [0.2; 2];
    check(Bs5, 5.0, (SWING, &[64, 128, 256]), (ROTATION, &[48, 96, 192]), both);
    check(Vern7, 7.0, (SWING, &[64, 96, 128]), (ROTATION, &[24, 32, 48]), both);
    check(Dopri8, 8.0, (SWING, &[32, 48, 64]), (PENDULUM, &[32, 48, 64]), both);
    check(Dop853, 8.0, (SWING, &[32, 48, 64]), (PENDULUM, &[24, 32, 48]), both);
    check(Vern9, 9.0, (SQUARE, &[32, 40, 48]), (SPIN, &[48, 64, 80]), both);
    check(Feagin10, 10.0, (LOGISTIC, &[24, 32, 40]), (PENDULUM, &[24, 32, 40]), both);
    // The leading error coefficients of these two are so small (1e-6 and 4e-7, from the order
    // conditions) that the next ones hide them down to rounding.
    check(Vern6, 6.0, (SWING, &[32, 48, 64]), (ROTATION, &[8, 16, 32]), [1.2, 1.6]);
    check(Vern8, 8.0, (SWING, &[16, 24, 32]), (ROTATION, &[4, 6, 8, 12]), [1.2, 0.2]);
}

/// Negative control: with one node wrong, the order on a non-autonomous problem falls to 1 though
/// the method stays right on autonomous ones.
#[test]
fn a_wrong_node_is_found() {
    #[derive(Clone, Copy)]
    struct WrongNode;
    impl Method for WrongNode {
        type Family = Explicit;
    }
    impl ExplicitRungeKutta for WrongNode {
        const TABLEAU: ansatz_ode::Tableau =
            ansatz_ode::Tableau { c: &[0.0, 0.5, 0.4, 1.0], ..Rk4::TABLEAU };
    }
    let measured = orders(&WrongNode, &GROWTH, &[80, 160, 320]);
    assert!(measured.iter().all(|m| *m < 1.5), "{measured:?}");
}

/// y' = 2y/t + t⁴ sin 2t − t² + 4t³ with a closed-form solution (torchode's "sine" problem).
fn field(t: f64, y: &f64) -> f64 {
    2.0 * y / t + t.powi(4) * (2.0 * t).sin() - t * t + 4.0 * t.powi(3)
}

fn exact(t: f64) -> f64 {
    let (s, c) = (2.0 * t).sin_cos();
    -0.5 * t.powi(4) * c + 0.5 * t.powi(3) * s + 0.25 * t * t * c - t.powi(3)
        + 2.0 * t.powi(4)
        + (std::f64::consts::PI - 0.25) * t * t
}

#[test]
fn adaptive_solves_follow_the_tolerance() {
    fn check<M>(method: M, factor: f64)
    where
        M: Adaptive<Family: ansatz_ode::AdaptiveFamily<Controller = Pid>> + Copy,
        M: Solves<Scalar, f64>,
    {
        for span in [(1.0, 3.0), (3.0, 1.0)] {
            for tol in [1e-4, 1e-6, 1e-8, 1e-10] {
                for pid in [Pid::i(tol, tol), Pid::pi(tol, tol), Pid::h312(tol, tol)] {
                    let s = solve(field as Scalar, exact(span.0), span)
                        .with(method)
                        .controller(pid)
                        .run()
                        .unwrap();
                    let error = (s.y_end - exact(span.1)).abs() / exact(span.1).abs().max(1.0);
                    let name = std::any::type_name::<M>();
                    assert!(error < factor * tol, "{name} {span:?} {tol}: {error}");
                }
            }
        }
    }
    check(Heun, 200.0);
    check(Midpoint, 200.0);
    check(Ralston, 200.0);
    check(SspRk22, 200.0);
    check(SspRk33, 100.0);
    check(SspRk43, 100.0);
    check(Bosh3, 100.0);
    check(RDPK3SpFSAL35, 100.0);
    check(RDPK3SpFSAL49, 50.0);
    check(Dopri5, 50.0);
    check(Tsit5, 50.0);
    check(Bs5, 50.0);
    check(Vern6, 50.0);
    check(Vern7, 50.0);
    check(Vern8, 50.0);
    check(Vern9, 50.0);
    check(Dopri8, 50.0);
    check(Dop853, 50.0);
    check(Feagin10, 50.0);
}

/// The estimate falls with the power of the step length that step size control is told.
#[test]
fn error_estimates_have_the_order_they_are_said_to_have() {
    fn check<M>(method: M, order: u32, problem: &Problem<System, Vec<f64>>, h: f64, within: f64)
    where
        M: Adaptive + Solves<System, Vec<f64>>,
    {
        let name = std::any::type_name::<M>();
        let mut counts = Statistics::default();
        let (field, t, y) = (problem.field, 0.3, (problem.exact)(0.3));
        let norm = Some(&Rms { rtol: 0.0, atol: 1.0 });
        for direction in [1.0, -1.0] {
            let points = [h, 0.5 * h].map(|h| {
                let mut stepper = method.stepper(&field, &y).unwrap();
                assert_eq!(stepper.error_order(), order, "{name}");
                stepper.restart(&field, t, &y, &mut counts).unwrap();
                let mut new = y.clone();
                let made =
                    stepper.attempt(&field, t, direction * h, &y, &mut new, norm, &mut counts);
                let Attempt::Made(Some(error)) = made.unwrap() else {
                    panic!("{name}: no estimate")
                };
                (h, error)
            });
            let measured = slope(points.into_iter());
            let close = (measured - f64::from(order)).abs() < within;
            assert!(close, "{name} {direction}: {measured} from {points:?}");
        }
    }
    check(Heun, 2, &PENDULUM, 0.02, 0.1);
    check(Ralston, 2, &PENDULUM, 0.02, 0.1);
    check(SspRk33, 3, &PENDULUM, 0.02, 0.1);
    check(SspRk43, 3, &PENDULUM, 0.02, 0.1);
    check(Bosh3, 3, &PENDULUM, 0.02, 0.1);
    check(RDPK3SpFSAL35, 3, &PENDULUM, 0.02, 0.1);
    check(RDPK3SpFSAL49, 4, &PENDULUM, 0.02, 0.1);
    check(Dopri5, 5, &PENDULUM, 0.05, 0.1);
    check(Tsit5, 5, &PENDULUM, 0.05, 0.1);
    check(Bs5, 5, &PENDULUM, 0.05, 0.1);
    check(Vern6, 6, &PENDULUM, 0.05, 0.15);
    check(Vern7, 7, &PENDULUM, 0.1, 0.1);
    check(Vern8, 8, &PENDULUM, 0.2, 0.4);
    check(Vern9, 9, &SPIN, 0.2, 0.4);
    check(Dopri8, 8, &PENDULUM, 0.2, 0.3);
    check(Dop853, 8, &PENDULUM, 0.1, 0.1);
    // Ninth powers are there (the order conditions say so), though the tenth ones are larger here.
    check(Feagin10, 9, &PENDULUM, 0.2, 1.0);
}

#[test]
fn saved_times_agree_with_the_solution_backwards_too() {
    for span in [(1.0, 3.0), (3.0, 1.0)] {
        let times: Vec<f64> =
            (0..=40).map(|i| span.0 + (span.1 - span.0) * f64::from(i) / 40.0).collect();
        let s = solve(field, exact(span.0), span)
            .with(Tsit5)
            .tolerance(1e-10, 1e-10)
            .save_at(times.clone())
            .run()
            .unwrap();
        assert_eq!(s.ts, times);
        for (t, y) in s.ts.iter().zip(&s.ys) {
            assert!((y - exact(*t)).abs() < 1e-7, "{t}: {y} against {}", exact(*t));
        }
    }
}

#[test]
fn steps_are_saved_with_both_ends() {
    let s =
        solve(field, exact(1.0), (1.0, 3.0)).with(Rk4).steps(10).save(Save::Steps).run().unwrap();
    assert_eq!(s.ts.len(), 11);
    assert_eq!((s.ts[0], s.ts[10]), (1.0, 3.0));
    assert_eq!(s.ys[10], s.y_end);
    assert_eq!(s.statistics.accepted, 10);
}

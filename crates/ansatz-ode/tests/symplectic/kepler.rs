//! The Kepler problem with eccentricity 0.6 over many revolutions, and chaotic motion.

use std::f64::consts::TAU;

use ansatz_ode::{
    BlanesMoan4, BlanesMoanNystrom4, ForestRuth, KahanLi8, Leapfrog, McLachlanAtela4, Method,
    Newtonian, Rk4, Ruth3, Save, SemiImplicitEuler, Solves, VelocityVerlet, Yoshida6, solve,
};

use crate::slope;

const ECCENTRICITY: f64 = 0.6;
type State = ([f64; 2], [f64; 2]);
type Field = Newtonian<fn(f64, &[f64; 2]) -> [f64; 2]>;

fn gravity(_: f64, q: &[f64; 2]) -> [f64; 2] {
    let r = (q[0] * q[0] + q[1] * q[1]).sqrt();
    q.map(|x| -x / (r * r * r))
}

fn field() -> Field {
    Newtonian::new(gravity)
}

/// The orbit with semi-major axis 1, from its pericentre on; `M = E − e sin E` by Newton's method.
fn exact(t: f64) -> State {
    let mean = t % TAU;
    let mut e = mean;
    for _ in 0..50 {
        e -= (e - ECCENTRICITY * e.sin() - mean) / (1.0 - ECCENTRICITY * e.cos());
    }
    let (s, c) = e.sin_cos();
    let minor = (1.0 - ECCENTRICITY * ECCENTRICITY).sqrt();
    let rate = 1.0 / (1.0 - ECCENTRICITY * c);
    ([c - ECCENTRICITY, minor * s], [-s * rate, minor * c * rate])
}

fn energy((q, p): &State) -> f64 {
    0.5 * (p[0] * p[0] + p[1] * p[1]) - 1.0 / (q[0] * q[0] + q[1] * q[1]).sqrt()
}

fn angular_momentum((q, p): &State) -> f64 {
    q[0] * p[1] - q[1] * p[0]
}

/// Largest errors of the energy in the first and in the last tenth of the way, differences of their
/// means, and the largest error of the angular momentum.
struct Drift {
    first: f64,
    last: f64,
    shift: f64,
    angular: f64,
}

fn drift<M: Method + Solves<Field, State>>(method: M, per_orbit: f64, steps: usize) -> Drift {
    let h = TAU / per_orbit;
    let run = solve(field(), exact(0.0), (0.0, h * steps as f64)).with(method).steps(steps);
    let path = run.save(Save::Steps).run().unwrap().ys;
    assert_eq!(path.len(), steps + 1);
    let tenth = steps / 10;
    let errors = |part: &[State]| -> (f64, f64) {
        let errors = part.iter().map(|y| energy(y) + 0.5);
        let largest = errors.clone().map(f64::abs).fold(0.0, f64::max);
        (largest, errors.sum::<f64>() / part.len() as f64)
    };
    let (first, start) = errors(&path[..tenth]);
    let (last, end) = errors(&path[steps - tenth..]);
    let angular = path.iter().map(|y| (angular_momentum(y) - 0.8).abs()).fold(0.0, f64::max);
    Drift { first, last, shift: (end - start).abs(), angular }
}

/// 10⁵ steps: the error of the energy swings, but does not grow, and the angular momentum stays.
#[test]
fn energy_does_not_drift() {
    fn check<M: Method + Solves<Field, State>>(method: M, per_orbit: f64) {
        let d = drift(method, per_orbit, 100_000);
        assert!(d.first > 1e-10, "{:e}: rounding", d.first);
        assert!(d.last < 1.1 * d.first, "{:e} after {:e}", d.last, d.first);
        assert!(d.shift < 0.02 * d.first, "{:e} of {:e}", d.shift, d.first);
        assert!(d.angular < 1e-12, "{:e}", d.angular);
    }
    check(SemiImplicitEuler, 400.0);
    check(Leapfrog, 250.3);
    check(VelocityVerlet, 250.3);
    check(Ruth3, 150.3);
    check(ForestRuth, 200.3);
    check(McLachlanAtela4, 100.3);
    check(BlanesMoan4, 60.3);
    check(BlanesMoanNystrom4, 60.3);
    check(Yoshida6, 100.3);
    check(KahanLi8, 30.3);

    // Negative control: the classical method at the cost of Verlet's, four evaluations per step.
    let d = drift(Rk4, 250.3 / 4.0, 25_000);
    assert!(d.last > 5.0 * d.first && d.angular > 1e-4, "{:e} {:e}", d.last, d.first);
}

/// Positions and times against Kepler's equation, at a time that is no multiple of the period.
#[test]
fn orbits_are_those_of_keplers_equation() {
    fn error<M: Method + Solves<Field, State>>(method: M, steps: usize) -> f64 {
        let t = 3.0 * TAU + 1.234;
        let (q, p) =
            solve(field(), exact(0.0), (0.0, t)).with(method).steps(steps).run().unwrap().y_end;
        let (a, b) = exact(t);
        (0..2).map(|i| (q[i] - a[i]).abs().max((p[i] - b[i]).abs())).fold(0.0, f64::max)
    }
    fn check<M: Method + Solves<Field, State>>(method: M, order: f64, steps: usize, bound: f64) {
        let errors = [1, 2, 4].map(|k| error(method.clone(), k * steps));
        assert!((slope(&errors) - order).abs() < 0.3, "{errors:?}");
        assert!(errors[2] < bound, "{errors:?}");
    }
    check(VelocityVerlet, 2.0, 2000, 2e-3);
    check(BlanesMoanNystrom4, 4.0, 600, 1e-7);
    check(Yoshida6, 6.0, 1000, 1e-9);
    check(KahanLi8, 8.0, 200, 1e-10);
    // Whole periods: back at the pericentre.
    let s = solve(field(), exact(0.0), (0.0, 10.0 * TAU)).with(KahanLi8).steps(6000);
    let (q, p) = s.run().unwrap().y_end;
    assert!((q[0] - 0.4).abs() < 1e-9 && q[1].abs() < 1e-9, "{q:?}");
    assert!(p[0].abs() < 1e-8 && (p[1] - 2.0).abs() < 1e-9, "{p:?}");
}

/// The pendulum at t = 10 and the system of Hénon and Heiles at t = 20, by Taylor series at 30
/// digits.
#[test]
fn reference_values() {
    let pendulum = Newtonian::new(|_: f64, q: &f64| -q.sin());
    for (steps, error) in [(200, 1e-11), (400, 1e-12)] {
        let s = solve(pendulum, (1.2, 0.5), (0.0, 10.0)).with(KahanLi8).steps(steps);
        let (q, p) = s.run().unwrap().y_end;
        assert!((q + 0.753_899_986_153_571_6).abs() < error, "{q}");
        assert!((p + 0.991_632_164_628_578_7).abs() < error, "{p}");
    }
    let field = Newtonian::new(|_: f64, q: &[f64; 2]| {
        [-q[0] - 2.0 * q[0] * q[1], -q[1] - q[0] * q[0] + q[1] * q[1]]
    });
    let s = solve(field, ([0.0, 0.1], [0.5, 0.0]), (0.0, 20.0)).with(Yoshida6).steps(8000);
    let (q, p) = s.run().unwrap().y_end;
    for (value, reference) in [
        (q[0], 0.414_437_672_537_063_3),
        (q[1], 0.069_070_991_460_216_3),
        (p[0], 0.020_465_770_715_351_84),
        (p[1], -0.242_647_296_552_913_3),
    ] {
        assert!((value - reference).abs() < 1e-10, "{value} {reference}");
    }
}

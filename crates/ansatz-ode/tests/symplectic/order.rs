//! Measured orders, forwards and backwards, on problems that depend on time.

use ansatz_ode::{
    BlanesMoan4, BlanesMoanNystrom4, ForestRuth, KahanLi8, Leapfrog, McLachlanAtela4, Method,
    Newtonian, Partitioned, Rk4, Ruth3, SemiImplicitEuler, Solves, Splitting, Symplectic,
    SymplecticMethod, Tsit5, VectorField, VelocityVerlet, Yoshida6, solve,
};

use crate::slope;

const SPANS: [(f64, f64); 2] = [(0.3, 2.1), (2.1, 0.3)];

/// `q'' = −q + cos 2t` with closed-form solution.
fn forced(t: f64, q: &f64) -> f64 {
    -q + (2.0 * t).cos()
}

fn forced_solution(t: f64) -> (f64, f64) {
    let (s, c) = t.sin_cos();
    let (s2, c2) = (2.0 * t).sin_cos();
    (0.7 * c + 0.4 * s - c2 / 3.0, -0.7 * s + 0.4 * c + 2.0 * s2 / 3.0)
}

/// Positions and momenta of two coupled degrees of freedom that the fields below are made for.
fn path(t: f64) -> [Vec<f64>; 2] {
    [vec![t.sin(), 0.8 * (0.7 * t).cos()], vec![0.6 * (1.3 * t).cos(), (0.9 * t).sin()]]
}

/// Its derivative.
fn path_slope(t: f64) -> [Vec<f64>; 2] {
    [vec![t.cos(), -0.56 * (0.7 * t).sin()], vec![-0.78 * (1.3 * t).sin(), 0.9 * (0.9 * t).cos()]]
}

/// A force from a potential that depends on time.
fn force(t: f64, q: &[f64]) -> Vec<f64> {
    let strength = 1.0 + 0.4 * (1.7 * t).sin();
    let coupling = (q[0] - q[1]).sin();
    vec![-strength * (q[0].powi(3) + coupling), strength * (coupling - 2.0 * q[1].sin())]
}

/// The velocity of a kinetic energy that is not quadratic and depends on time.
fn velocity(t: f64, p: &[f64]) -> Vec<f64> {
    let mobility = 1.0 + 0.5 * (1.1 * t).cos();
    let coupling = (p[0] + 0.5 * p[1]).sin();
    vec![mobility * (p[0] + coupling), mobility * (0.5 * coupling + p[1].sin())]
}

/// `f(t, y)` plus what makes `on` its solution with the derivative `slope`.
fn driven(
    f: impl Fn(f64, &[f64]) -> Vec<f64>,
    t: f64,
    y: &[f64],
    on: &[f64],
    slope: &[f64],
) -> Vec<f64> {
    let (here, there) = (f(t, y), f(t, on));
    (0..y.len()).map(|i| here[i] - there[i] + slope[i]).collect()
}

fn error_of_forced<M>(method: M, span: (f64, f64), steps: usize) -> f64
where
    M: Method + Solves<Newtonian<fn(f64, &f64) -> f64>, (f64, f64)>,
{
    let field = Newtonian::new(forced as fn(f64, &f64) -> f64);
    let start = forced_solution(span.0);
    let (q, p) = solve(field, start, span).with(method).steps(steps).run().unwrap().y_end;
    let exact = forced_solution(span.1);
    (q - exact.0).hypot(p - exact.1)
}

/// A field with both parts depending on time, neither linear.
#[allow(clippy::ptr_arg)] // the states are vectors, and fields take the state
fn error_of_partitioned<M: SymplecticMethod>(method: M, span: (f64, f64), steps: usize) -> f64 {
    let drift = |t: f64, p: &Vec<f64>| driven(velocity, t, p, &path(t)[1], &path_slope(t)[0]);
    let kick = |t: f64, q: &Vec<f64>| driven(force, t, q, &path(t)[0], &path_slope(t)[1]);
    error(method, Partitioned::new(drift, kick), span, steps)
}

/// A force that depends on time and is not linear; the momenta are the velocities.
#[allow(clippy::ptr_arg)] // as above
fn error_of_newtonian<M: SymplecticMethod>(method: M, span: (f64, f64), steps: usize) -> f64 {
    let acceleration = |t: f64, q: &Vec<f64>| {
        let second = [-t.sin(), -0.392 * (0.7 * t).cos()];
        driven(force, t, q, &path(t)[0], &second)
    };
    let start = (path(span.0)[0].clone(), path_slope(span.0)[0].clone());
    let field = Newtonian::new(acceleration);
    let (q, p) = solve(field, start, span).with(method).steps(steps).run().unwrap().y_end;
    distance(&q, &path(span.1)[0]).hypot(distance(&p, &path_slope(span.1)[0]))
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn error<M, F>(method: M, field: F, span: (f64, f64), steps: usize) -> f64
where
    M: Method + Solves<F, (Vec<f64>, Vec<f64>)>,
    F: VectorField<(Vec<f64>, Vec<f64>)>,
{
    let [q, p] = path(span.0);
    let (q, p) = solve(field, (q, p), span).with(method).steps(steps).run().unwrap().y_end;
    let [q_exact, p_exact] = path(span.1);
    distance(&q, &q_exact).hypot(distance(&p, &p_exact))
}

/// The order over two halvings from `base` steps on.
fn measured(error: impl Fn(usize) -> f64, base: usize) -> f64 {
    slope(&[1, 2, 4].map(|n| error(base * n)))
}

fn check<M: SymplecticMethod>(method: M, base: usize) {
    let order = f64::from(M::SPLITTING.order);
    for span in SPANS {
        for (what, measured) in [
            ("forced oscillator", measured(|n| error_of_forced(method, span, n), base)),
            ("newtonian", measured(|n| error_of_newtonian(method, span, n), base)),
            ("partitioned", measured(|n| error_of_partitioned(method, span, n), base)),
        ] {
            assert!((measured - order).abs() < 0.2, "{what} {span:?}: {measured} not {order}");
        }
    }
}

#[test]
fn every_method_has_its_order_forwards_and_backwards() {
    check(SemiImplicitEuler, 400);
    check(Leapfrog, 40);
    check(VelocityVerlet, 40);
    check(Ruth3, 40);
    check(ForestRuth, 40);
    check(BlanesMoan4, 10);
    check(BlanesMoanNystrom4, 10);
    check(Yoshida6, 20);
    check(KahanLi8, 4);
}

/// Its order 4 needs a drift linear in the momenta; elsewhere it is 3.
#[test]
fn mclachlan_and_atelas_method_is_for_newtonian_fields() {
    for span in SPANS {
        let order = measured(|n| error_of_forced(McLachlanAtela4, span, n), 20);
        assert!((order - 4.0).abs() < 0.2, "{span:?}: {order}");
        let order = measured(|n| error_of_newtonian(McLachlanAtela4, span, n), 20);
        assert!((order - 4.0).abs() < 0.2, "{span:?}: {order}");
        let order = measured(|n| error_of_partitioned(McLachlanAtela4, span, n), 80);
        assert!((order - 3.0).abs() < 0.2, "{span:?}: {order}");
    }
}

/// Negative control: drifts and kicks exchanged, the same numbers are of order 1 only.
#[test]
fn coefficients_in_the_wrong_order_are_found() {
    #[derive(Clone, Copy)]
    struct Exchanged;
    impl Method for Exchanged {
        type Family = Symplectic;
    }
    impl SymplecticMethod for Exchanged {
        const SPLITTING: Splitting = Splitting {
            drift: McLachlanAtela4::SPLITTING.kick,
            kick: McLachlanAtela4::SPLITTING.drift,
            order: 4,
        };
    }
    assert!(measured(|n| error_of_newtonian(Exchanged, SPANS[0], n), 40) < 2.5);
}

/// Methods for any field solve the same problems, to the same solution.
#[test]
#[allow(clippy::ptr_arg)] // as above
fn other_methods_solve_partitioned_fields() {
    let drift = |t: f64, p: &Vec<f64>| driven(velocity, t, p, &path(t)[1], &path_slope(t)[0]);
    let kick = |t: f64, q: &Vec<f64>| driven(force, t, q, &path(t)[0], &path_slope(t)[1]);
    for span in SPANS {
        let order = measured(|n| error(Rk4, Partitioned::new(drift, kick), span, n), 20);
        assert!((order - 4.0).abs() < 0.2, "{span:?}: {order}");
        let field = Newtonian::new(forced);
        let start = forced_solution(span.0);
        let end = solve(field, start, span).with(Tsit5).tolerance(1e-11, 1e-11).run().unwrap();
        let exact = forced_solution(span.1);
        assert!((end.y_end.0 - exact.0).hypot(end.y_end.1 - exact.1) < 1e-9);
    }
}

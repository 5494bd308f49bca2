//! The solution inside steps, events, and what they cost.

use ansatz_ode::{
    BlanesMoan4, Event, KahanLi8, Leapfrog, Newtonian, Save, SymplecticMethod, VelocityVerlet,
    solve,
};

use crate::slope;

fn spring(_: f64, q: &f64) -> f64 {
    -q
}

fn worst_inside<M: SymplecticMethod>(method: M, span: (f64, f64), steps: usize) -> f64 {
    let start = (span.0.cos(), -span.0.sin());
    let (solution, dense) =
        solve(Newtonian::new(spring), start, span).with(method).steps(steps).run_dense().unwrap();
    assert_eq!(dense.at(span.1).unwrap(), solution.y_end);
    (0..=500)
        .map(|i| span.0 + (span.1 - span.0) * f64::from(i) / 500.0)
        .map(|t| {
            let (q, p) = dense.at(t).unwrap();
            (q - t.cos()).hypot(p + t.sin())
        })
        .fold(0.0, f64::max)
}

#[test]
fn dense_output_is_of_order_four() {
    for span in [(0.5, 4.0), (4.0, 0.5)] {
        let order = slope(&[10, 20, 40, 80].map(|n| worst_inside(KahanLi8, span, n)));
        assert!((order - 4.0).abs() < 0.2, "{order}");
        let order = slope(&[10, 20, 40, 80].map(|n| worst_inside(VelocityVerlet, span, n)));
        assert!((order - 2.0).abs() < 0.2, "{order}");
    }
}

/// A shared kick is evaluated once, and the inside of a step costs only where it is read.
#[test]
fn evaluations_are_counted_and_not_wasted() {
    fn cost<M: SymplecticMethod>(method: M, save: Save) -> usize {
        let s = solve(Newtonian::new(spring), (1.0, 0.0), (0.0, 1.0));
        let s = s.with(method).steps(10).save(save).run().unwrap();
        assert_eq!(s.statistics.accepted, 10);
        s.statistics.evaluations
    }
    let within = |times: &[f64]| Save::Times(times.to_vec());
    assert_eq!(cost(VelocityVerlet, Save::Steps), 11);
    assert_eq!(cost(VelocityVerlet, within(&[0.11, 0.12, 0.55])), 11);
    assert_eq!(cost(Leapfrog, Save::Steps), 10);
    // Both ends of one step; of two steps side by side, three ends.
    assert_eq!(cost(Leapfrog, within(&[0.55, 0.56])), 12);
    assert_eq!(cost(Leapfrog, within(&[0.55, 0.65])), 13);
    assert_eq!(cost(Leapfrog, within(&[0.35, 0.75])), 14);
    assert_eq!(cost(BlanesMoan4, Save::End), 60);
}

/// The values at times inside do not depend on which other times are read, nor on what was
/// evaluated before.
#[test]
fn saved_values_are_those_of_the_dense_output() {
    let times: Vec<f64> = (0..=30).map(|i| f64::from(i) / 30.0).collect();
    let problem = || solve(Newtonian::new(spring), (1.0, 0.3), (0.0, 1.0)).with(Leapfrog).steps(7);
    let saved = problem().save_at(times.clone()).run().unwrap();
    let (_, dense) = problem().run_dense().unwrap();
    for (i, t) in times.iter().enumerate() {
        let alone = problem().save_at(vec![*t]).run().unwrap();
        assert_eq!(alone.ys[0], saved.ys[i]);
        let (q, p) = dense.at(*t).unwrap();
        assert!((q - saved.ys[i].0).abs() < 1e-15 && (p - saved.ys[i].1).abs() < 1e-15);
    }
}

#[test]
fn events_end_and_change_solves() {
    fn crossing<M: SymplecticMethod>(method: M) -> f64 {
        let through_zero = Event::new(|_t: f64, y: &(f64, f64)| Ok(y.0)).stop_after(3);
        let s = solve(Newtonian::new(spring), (1.0, 0.0), (0.0, 100.0));
        let s = s.with(method).step(0.05).event(through_zero).run().unwrap();
        assert!(s.y_end.0.abs() < 1e-14);
        s.t_end
    }
    let exact = 2.5 * std::f64::consts::PI;
    assert!((crossing(BlanesMoan4) - exact).abs() < 1e-6);
    assert!((crossing(KahanLi8) - exact).abs() < 1e-9);
    assert!((crossing(VelocityVerlet) - exact).abs() < 2e-3);

    // A ball that bounces elastically comes back to its height: the first kick after a bounce is
    // the one at the floor, and the momentum that of the change.
    let floor = Event::new(|_t: f64, y: &(f64, f64)| Ok(y.0))
        .falling()
        .change(|_t, y: &(f64, f64)| Ok((0.0, -y.1)));
    let fall = 2f64.sqrt();
    let ball = Newtonian::new(|_t: f64, q: &f64| -1.0 - 0.0 * q);
    let s = solve(ball, (1.0, 0.0), (0.0, 6.0 * fall));
    let s = s.with(VelocityVerlet).step(0.1).event(floor).run().unwrap();
    assert_eq!(s.crossings.len(), 3);
    assert!((s.y_end.0 - 1.0).abs() < 1e-12 && s.y_end.1.abs() < 1e-12, "{:?}", s.y_end);
}

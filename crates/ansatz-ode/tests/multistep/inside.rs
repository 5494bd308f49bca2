//! Dense output and events.

use ansatz_ode::{Event, NoGradient, Save, Solution, solve};

use crate::ADAMS;
#[cfg(feature = "stiff")]
use crate::BDF;

/// The same solution at given times, at every step and as a function, which is continuous.
#[test]
fn dense_output() {
    let field = |t: f64, y: &f64| y * t.cos();
    let scale = 1.0 / 2f64.sin().exp();
    macro_rules! check {
        ($method:expr) => {{
            let (s, dense) = solve(field, 1.0, (2.0, -3.0))
                .with($method)
                .tolerance(1e-9, 1e-9)
                .adjoint(NoGradient)
                .save(Save::Steps)
                .run_dense()
                .unwrap();
            assert_eq!(dense.interval(), (2.0, -3.0));
            for i in 0..=1000 {
                let t = 2.0 - 0.005 * f64::from(i);
                let y = dense.at(t).unwrap();
                assert!((y - scale * t.sin().exp()).abs() < 1e-6, "{t}: {y}");
            }
            for (t, y) in s.ts.iter().zip(&s.ys) {
                assert!((dense.at(*t).unwrap() - y).abs() < 1e-14, "{t}");
                let after = dense.at((t - 1e-12).max(-3.0)).unwrap();
                assert!((after - y).abs() < 1e-11, "{t}: {after} {y}");
            }
            // Read while the steps are made.
            let times: Vec<f64> = (0..=90).map(|i| 2.0 - 0.055 * f64::from(i)).collect();
            let read = solve(field, 1.0, (2.0, -3.0)).with($method).tolerance(1e-9, 1e-9);
            let read = read.adjoint(NoGradient).save_at(times).run().unwrap();
            for (t, y) in read.ts.iter().zip(&read.ys) {
                assert!((dense.at(*t).unwrap() - y).abs() < 1e-13, "{t}: {y}");
            }
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

/// A ball that bounces, whose times are known.
#[test]
fn bouncing_ball() {
    macro_rules! check {
        ($method:expr) => {{
            let ball = |_: f64, y: &[f64; 2]| [y[1], -9.81];
            let floor = Event::new(|_: f64, y: &[f64; 2]| Ok(y[0]))
                .falling()
                .change(|_, y: &[f64; 2]| Ok([0.0, -0.8 * y[1]]));
            let s = solve(ball, [1.0, 0.0], (0.0, 3.0))
                .with($method)
                .tolerance(1e-10, 1e-10)
                .event(floor)
                .run()
                .unwrap();
            let fall = (2.0f64 / 9.81).sqrt();
            let mut t = fall;
            assert!(s.crossings.len() >= 5, "{:?}", s.crossings);
            for (i, crossing) in s.crossings.iter().enumerate() {
                assert!((crossing.t - t).abs() < 1e-8, "{i}: {} {t}", crossing.t);
                t += 2.0 * fall * 0.8f64.powi(i as i32 + 1);
            }
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

/// Recorded crossings are where they should be, and cost little: the steps before them are not
/// forgotten. The length may settle elsewhere than without them, but only where no change of it pays
/// (growth by less than 1.2, or shortening by less than 0.9).
#[test]
fn recorded_crossings() {
    macro_rules! check {
        ($method:expr) => {{
            let field = |_: f64, y: &[f64; 2]| [y[1], -y[0]];
            for span in [(0.0, 20.0), (20.0, 0.0)] {
                let start = [f64::cos(span.0), -f64::sin(span.0)];
                let setup = || {
                    let s = solve(field, start, span).with($method).tolerance(1e-11, 1e-11);
                    s.save(Save::Steps)
                };
                let without = setup().run().unwrap();
                let zero = Event::new(|_: f64, y: &[f64; 2]| Ok(y[0]));
                let with = setup().event(zero).run().unwrap();
                assert_eq!(with.crossings.len(), 6, "{:?}", with.crossings);
                for (i, crossing) in with.crossings.iter().enumerate() {
                    let i = if span.0 > 0.0 { 5 - i } else { i };
                    let want = std::f64::consts::PI * (i as f64 + 0.5);
                    assert!((crossing.t - want).abs() < 1e-9, "{i}: {} {want}", crossing.t);
                }
                let off = (with.y_end[0] - f64::cos(span.1)).abs();
                assert!(off < 1e-8, "{off}");
                // Lengths once the start is over, less those that end on a crossing or at the end.
                let lengths = |s: &Solution<[f64; 2]>| -> Vec<f64> {
                    let whole = |t: &f64| *t != span.1 && s.crossings.iter().all(|c| c.t != *t);
                    let late = |t: &f64| (t - span.0).abs() > 4.0;
                    let steps = s.ts.windows(2).filter(|w| late(&w[0]) && whole(&w[1]));
                    steps.map(|w| (w[1] - w[0]).abs()).collect()
                };
                let (mut usual, found) = (lengths(&without), lengths(&with));
                usual.sort_by(f64::total_cmp);
                let usual = usual[usual.len() / 2];
                let shortest = found.iter().copied().fold(f64::INFINITY, f64::min);
                assert!(shortest > 0.75 * usual, "{:?} {span:?}: {shortest} {usual}", $method);
                let [with, without] = [with.statistics, without.statistics];
                assert!(with.rejected <= without.rejected + 6, "{with:?} {without:?}");
            }
        }};
    }
    #[cfg(feature = "stiff")]
    check!(BDF);
    check!(ADAMS);
}

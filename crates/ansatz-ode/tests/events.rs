//! Events: where they are found, what they do, what they cost.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Dopri5, Error, Event, Heun, Pid, Rk4, Save, Solution, Status, Tsit5, core::Error as CoreError,
    solve,
};

const G: f64 = 9.81;

fn ball(_: f64, y: &[f64; 2]) -> [f64; 2] {
    [y[1], -G]
}

fn oscillator(_: f64, y: &[f64; 2]) -> [f64; 2] {
    [y[1], -y[0]]
}

fn height() -> Event<[f64; 2]> {
    Event::new(|_, y: &[f64; 2]| Ok(y[0]))
}

#[test]
fn a_fall_ends_on_the_floor() {
    let fall = (2.0 / G).sqrt();
    for tolerance in [1e-4, 1e-6, 1e-10] {
        let s = solve(ball, [1.0, 0.0], (0.0, 10.0))
            .with(Tsit5)
            .tolerance(tolerance, tolerance)
            .event(height().falling().stop())
            .run()
            .unwrap();
        assert_eq!(s.status, Status::Stopped { event: 0 });
        assert!((s.t_end - fall).abs() < 1e-14, "{}", s.t_end - fall);
        assert!(s.y_end[0].abs() < 1e-14 && (s.y_end[1] + G * fall).abs() < 1e-13);
        assert_eq!(s.crossings.len(), 1);
        assert_eq!((s.crossings[0].t, s.crossings[0].y), (s.t_end, s.y_end));
    }
    // Backwards the ball comes up from below the floor: seen in the direction of the solve.
    let s = solve(ball, [-1.0, -8.0], (0.0, -10.0))
        .with(Dopri5)
        .tolerance(1e-8, 1e-8)
        .event(height().rising().stop())
        .run()
        .unwrap();
    let want = (-8.0 + f64::sqrt(64.0 - 2.0 * G)) / G;
    assert!((s.t_end - want).abs() < 1e-12, "{} {want}", s.t_end);
}

/// The zeros of cos t, found by a method of low order too: the step ends on the zero.
#[test]
fn zeros_are_those_of_the_numerical_solution() {
    fn zeros<F: Fn(Event<[f64; 2]>) -> Solution<[f64; 2]>>(run: F) -> Vec<f64> {
        run(height()).crossings.iter().map(|c| c.t).collect()
    }
    let exact: Vec<f64> = (0..6).map(|k| std::f64::consts::PI * (0.5 + f64::from(k))).collect();
    let tsit5 = zeros(|e| {
        let s = solve(oscillator, [1.0, 0.0], (0.0, 18.0)).with(Tsit5);
        s.tolerance(1e-11, 1e-11).event(e).run().unwrap()
    });
    assert_eq!(tsit5.len(), 6);
    for (a, b) in tsit5.iter().zip(&exact) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    let rk4 = zeros(|e| {
        solve(oscillator, [1.0, 0.0], (0.0, 18.0)).with(Rk4).steps(1800).event(e).run().unwrap()
    });
    for (a, b) in rk4.iter().zip(&exact) {
        assert!((a - b).abs() < 1e-8, "{a} {b}");
    }
    // Second order: the zeros themselves converge with it.
    let errors: Vec<f64> = [200, 400]
        .map(|n| {
            let found = zeros(|e| {
                let s = solve(oscillator, [1.0, 0.0], (0.0, 18.0)).with(Heun);
                s.steps(n).event(e).run().unwrap()
            });
            (found[5] - exact[5]).abs()
        })
        .to_vec();
    assert!((errors[0] / errors[1]).log2() > 1.8, "{errors:?}");
}

#[test]
fn directions_and_order() {
    let run = |event: Event<[f64; 2]>| -> Vec<f64> {
        let s = solve(oscillator, [1.0, 0.0], (0.0, 12.0)).with(Tsit5);
        let s = s.tolerance(1e-9, 1e-9).event(event).run().unwrap();
        s.crossings.iter().map(|c| c.t / std::f64::consts::PI).collect()
    };
    let near = |got: Vec<f64>, want: &[f64]| {
        assert_eq!(got.len(), want.len(), "{got:?}");
        assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    };
    near(run(height()), &[0.5, 1.5, 2.5, 3.5]);
    near(run(height().falling()), &[0.5, 2.5]);
    near(run(height().rising()), &[1.5, 3.5]);
    // Two events in one solve, in the order of time.
    let s = solve(oscillator, [1.0, 0.0], (0.0, 5.0))
        .with(Tsit5)
        .tolerance(1e-9, 1e-9)
        .event(Event::new(|_, y: &[f64; 2]| Ok(y[1])))
        .event(height())
        .run()
        .unwrap();
    let order: Vec<usize> = s.crossings.iter().map(|c| c.event).collect();
    assert_eq!(order, [1, 0, 1]);
}

/// Speeds and times of a bouncing ball have closed forms, up to where bounces crowd together.
#[test]
fn bounces() {
    let bounce = |e: f64| height().falling().change(move |_, y: &[f64; 2]| Ok([0.0, -e * y[1]]));
    let s = solve(ball, [1.0, 0.0], (0.0, 4.0))
        .with(Tsit5)
        .tolerance(1e-8, 1e-8)
        .event(bounce(0.8))
        .save(Save::Steps)
        .run()
        .unwrap();
    let fall = (2.0 / G).sqrt();
    let mut time = fall;
    assert!(s.crossings.len() > 10);
    for (k, crossing) in s.crossings.iter().enumerate() {
        assert!((crossing.t - time).abs() < 1e-11, "bounce {k}: {} {time}", crossing.t);
        time += 2.0 * fall * 0.8f64.powi(k as i32 + 1);
    }
    assert!(s.ys.iter().all(|y| y[0] > -1e-12), "never below the floor");
    // The state before and after the change are both saved.
    let first = s.ts.iter().position(|t| *t == s.crossings[0].t).unwrap();
    assert_eq!(s.ts[first + 1], s.ts[first]);
    assert!((s.ys[first + 1][1] + 0.8 * s.ys[first][1]).abs() < 1e-14);
    // The bounces end at a finite time; the solve must not pass through the floor there.
    let s = solve(ball, [1.0, 0.0], (0.0, 100.0))
        .with(Tsit5)
        .tolerance(1e-8, 1e-8)
        .event(bounce(0.5))
        .run_partial()
        .unwrap();
    assert_eq!(s.status, Status::Crowded { event: 0 });
    assert!((s.t_end - 3.0 * fall).abs() < 1e-5 && s.y_end[0].abs() < 1e-6, "{}", s.t_end);
    assert!(matches!(s.finished(), Err(Error::Crowded { event: 0, .. })));
}

#[test]
fn saved_times_and_dense_output_across_a_change() {
    let e = 0.7;
    let exact = |t: f64| {
        let fall = (2.0 / G).sqrt();
        if t <= fall {
            1.0 - 0.5 * G * t * t
        } else {
            e * G * fall * (t - fall) - 0.5 * G * (t - fall).powi(2)
        }
    };
    let times: Vec<f64> = (0..=90).map(|i| f64::from(i) / 100.0).collect();
    let setup = || {
        solve(ball, [1.0, 0.0], (0.0, 0.9))
            .with(Tsit5)
            .tolerance(1e-9, 1e-9)
            .event(height().falling().change(move |_, y: &[f64; 2]| Ok([0.0, -e * y[1]])))
    };
    let s = setup().save_at(times.clone()).run().unwrap();
    assert_eq!(s.ts, times);
    let (_, dense) = setup().run_dense().unwrap();
    for (t, y) in s.ts.iter().zip(&s.ys) {
        assert!((y[0] - exact(*t)).abs() < 1e-9, "{t}");
        assert!((dense.at(*t).unwrap()[0] - exact(*t)).abs() < 1e-9, "{t}");
    }
}

#[test]
fn what_only_touches_zero_or_starts_there() {
    // Starts on the zero and leaves it: that is not a crossing.
    let s = solve(oscillator, [0.0, 1.0], (0.0, 4.0))
        .with(Tsit5)
        .tolerance(1e-9, 1e-9)
        .event(height())
        .run()
        .unwrap();
    assert_eq!(s.crossings.len(), 1);
    assert!((s.crossings[0].t - std::f64::consts::PI).abs() < 1e-8);
    // An event that never happens: the end is reached, and the status says so.
    let s = solve(oscillator, [1.0, 0.0], (0.0, 4.0))
        .with(Tsit5)
        .tolerance(1e-9, 1e-9)
        .event(Event::new(|_, y: &[f64; 2]| Ok(y[0] + 2.0)).stop())
        .run()
        .unwrap();
    assert_eq!(s.status, Status::Finished);
    assert!(s.crossings.is_empty());
}

/// Events at the same zero happen together, whichever way its rounding falls.
#[test]
fn together() {
    for height_now in [1.0, 1.3, 2.0, 3.7] {
        let bounce = height().falling().change(|_, y: &[f64; 2]| Ok([0.0, -0.8 * y[1]]));
        let scaled = Event::new(|_, y: &[f64; 2]| Ok(1e3 * y[0])).falling();
        let s = solve(ball, [height_now, 0.0], (0.0, 4.0))
            .with(Tsit5)
            .tolerance(1e-8, 1e-8)
            .event(bounce)
            .event(scaled.stop_after(3))
            .run()
            .unwrap();
        let fall = (2.0 * height_now / G).sqrt();
        assert_eq!(s.status, Status::Stopped { event: 1 });
        assert!((s.t_end - fall * (1.0 + 2.0 * (0.8 + 0.64))).abs() < 1e-9, "{}", s.t_end);
        let order: Vec<usize> = s.crossings.iter().map(|c| c.event).collect();
        assert_eq!(order, [0, 1, 0, 1, 0, 1]);
    }
}

/// Two crossings in one long step are found by looking inside it.
#[test]
fn pairs_of_crossings_inside_a_step() {
    let run = |samples: usize| {
        // A dip of width 0.4 below zero in a step of length 1.
        let dip = Event::new(|t: f64, _: &f64| Ok((t - 0.5) * (t - 0.5) - 0.04));
        solve(|_: f64, _: &f64| 1.0, 0.0, (0.0, 1.0))
            .with(Rk4)
            .steps(1)
            .event(dip.samples(samples))
            .run()
            .unwrap()
            .crossings
    };
    let found = run(8);
    assert_eq!(found.len(), 2);
    assert!((found[0].t - 0.3).abs() < 1e-12 && (found[1].t - 0.7).abs() < 1e-12);
    assert!((found[1].y - 0.7).abs() < 1e-12);
    assert_eq!(run(0).len(), 0);
}

/// Fixed steps go on from a crossing with the same length.
#[test]
fn fixed_steps_after_a_crossing() {
    let s = solve(oscillator, [1.0, 0.0], (0.0, 4.0))
        .with(Rk4)
        .step(0.5)
        .event(height())
        .save(Save::Steps)
        .run()
        .unwrap();
    let lengths: Vec<f64> = s.ts.windows(2).map(|w| w[1] - w[0]).collect();
    assert!(lengths.iter().all(|h| *h <= 0.5 + 1e-12), "{lengths:?}");
    assert_eq!(*s.ts.last().unwrap(), 4.0);
    assert!((s.y_end[0] - 4f64.cos()).abs() < 1e-2);
}

#[test]
fn events_that_fail() {
    let broken =
        Event::new(
            |t: f64, _: &[f64; 2]| {
                if t > 0.5 { Err(CoreError::invalid("t", t, "less")) } else { Ok(1.0) }
            },
        );
    let result =
        solve(ball, [1.0, 0.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).event(broken).run();
    assert!(matches!(result, Err(Error::Event { .. })), "{result:?}");
    let result = solve(ball, [1.0, 0.0], (0.0, 1.0))
        .with(Tsit5)
        .tolerance(1e-6, 1e-6)
        .event(height().stop_after(0))
        .run();
    assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    let longer = Event::new(|_, y: &Vec<f64>| Ok(y[0])).change(|_, _| Ok(vec![1.0; 3]));
    let result = solve(|_: f64, _: &Vec<f64>| vec![-1.0, 0.0], vec![0.5, 0.0], (0.0, 1.0))
        .with(Tsit5)
        .tolerance(1e-6, 1e-6)
        .event(longer)
        .run();
    assert!(matches!(result, Err(Error::Core(_))), "{result:?}");
    // A condition that is not a number is an error, not a solve without events.
    let result = solve(ball, [1.0, 0.0], (0.0, 1.0))
        .with(Tsit5)
        .tolerance(1e-6, 1e-6)
        .event(Event::new(|_, y: &[f64; 2]| Ok((y[0] - 0.5).sqrt())))
        .run();
    assert!(matches!(result, Err(Error::NotFinite { .. })), "{result:?}");
}

/// Jumps of the field at known times: steps end there, and the order of the method is kept.
#[test]
fn jumps() {
    let pulse = |t: f64, _: &f64| if (0.3..0.7).contains(&t) { 10.0 } else { 0.0 };
    let run = |jumps: Vec<f64>| {
        let pid = Pid { first_step: Some(0.05), ..Pid::i(1e-10, 1e-10) };
        let s = solve(pulse, 0.0, (0.0, 1.0)).with(Tsit5).controller(pid).jumps(jumps);
        s.run().unwrap()
    };
    let with = run(vec![0.3, 0.7]);
    let without = run(vec![]);
    assert!((with.y_end - 4.0).abs() < 1e-12, "{}", with.y_end);
    assert_eq!(with.statistics.rejected, 0);
    assert!(without.statistics.rejected > 10);
}

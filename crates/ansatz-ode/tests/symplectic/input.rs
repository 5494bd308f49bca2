//! Bad input gives the error that names it.

use ansatz_ode::{
    BlanesMoan4, Controller, Error, InPlace, Judgement, Leapfrog, Newtonian, Partitioned, Rk4, Rms,
    SecondOrder, Trial, VelocityVerlet, core, solve,
};

fn is_shape<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) {
    let error = match result {
        Err(Error::Core(source) | Error::Field { source, .. }) => source,
        other => panic!("{other:?}"),
    };
    assert!(matches!(error, core::Error::Shape { .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains(what), "{message}");
}

#[test]
fn sizes_of_both_halves_must_agree() {
    let free = || Newtonian::new(|_: f64, q: &Vec<f64>| q.clone());
    for (n, m) in [(3, 2), (2, 3), (0, 2), (2, 0)] {
        let y0 = (vec![1.0; n], vec![1.0; m]);
        let run = solve(free(), y0.clone(), (0.0, 1.0)).with(Leapfrog).steps(3).run();
        is_shape(run, "position");
        let run = solve(free(), y0.clone(), (0.0, 1.0)).with(VelocityVerlet).steps(3).run();
        is_shape(run, "momentum");
        let run = solve(free(), y0.clone(), (0.0, 1.0)).with(Rk4).steps(3).run();
        is_shape(run, "state");
        let field = SecondOrder::new(|_: f64, q: &Vec<f64>, _: &Vec<f64>| q.clone());
        let run = solve(field, y0, (0.0, 1.0)).with(Rk4).steps(3).run();
        is_shape(run, "velocity");
    }
}

#[test]
fn values_of_the_wrong_size_are_named() {
    let y0 = || (vec![1.0; 2], vec![0.0; 2]);
    let longer =
        Partitioned::new(|_: f64, p: &Vec<f64>| p.clone(), |_: f64, _: &Vec<f64>| vec![0.0; 3]);
    is_shape(solve(longer, y0(), (0.0, 1.0)).with(BlanesMoan4).steps(3).run(), "kick");
    let shorter =
        Partitioned::new(|_: f64, _: &Vec<f64>| vec![0.0], |_: f64, q: &Vec<f64>| q.clone());
    is_shape(solve(shorter, y0(), (0.0, 1.0)).with(BlanesMoan4).steps(3).run(), "drift");
    let shrinks = Newtonian::new(InPlace(|_: f64, _: &Vec<f64>, dp: &mut Vec<f64>| dp.truncate(1)));
    is_shape(solve(shrinks, y0(), (0.0, 1.0)).with(VelocityVerlet).steps(3).run(), "kick");
}

#[test]
fn empty_and_infinite_starts() {
    let field = Newtonian::new(|_: f64, q: &Vec<f64>| q.clone());
    let none = solve(field, (vec![], vec![]), (0.0, 1.0)).with(VelocityVerlet).steps(3).run();
    assert!(matches!(none, Err(Error::EmptyState)));
    let spring = Newtonian::new(|_: f64, q: &f64| -q);
    for y0 in [(f64::NAN, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0), (0.0, f64::NEG_INFINITY)] {
        let run = solve(spring, y0, (0.0, 1.0)).with(Leapfrog).steps(3).run();
        assert!(matches!(run, Err(Error::NotFinite { what: "the initial state", .. })), "{y0:?}");
    }
}

#[test]
fn values_that_are_not_finite_name_time_and_step() {
    let breaks = Newtonian::new(|t: f64, q: &f64| if t > 0.5 { f64::NAN } else { -q });
    let run = solve(breaks, (1.0, 0.0), (0.0, 1.0)).with(Leapfrog).steps(10).run();
    // The kick in the middle of the sixth step is the first one after 0.5.
    assert!(matches!(run, Err(Error::NotFinite { step: 5, .. })), "{run:?}");
    let breaks = Partitioned::new(|_: f64, _: &f64| f64::INFINITY, |_: f64, q: &f64| -q);
    let run = solve(breaks, (1.0, 0.0), (0.0, 1.0)).with(VelocityVerlet).steps(10).run();
    assert!(matches!(run, Err(Error::NotFinite { step: 0, .. })), "{run:?}");
}

#[test]
fn failing_parts_are_named() {
    let fails = |t: f64, x: &f64| {
        if t > 0.32 { Err(core::Error::invalid("rate", -1.0, "a positive number")) } else { Ok(-x) }
    };
    let works = |_: f64, x: &f64| -x;
    let run = solve(Partitioned::new(works, fails), (1.0, 0.0), (0.0, 1.0));
    let run = run.with(VelocityVerlet).steps(10).run();
    // The kick at 0.4 ends the fourth step.
    assert!(matches!(run, Err(Error::Field { step: 3, t, .. }) if t > 0.39), "{run:?}");
    let run = solve(Partitioned::new(fails, works), (1.0, 0.0), (0.0, 1.0));
    let run = run.with(Leapfrog).steps(10).run();
    assert!(matches!(run, Err(Error::Field { step: 3, t, .. }) if t > 0.39), "{run:?}");
}

/// A controller of one's own that measures errors of methods that have none.
#[test]
fn controllers_with_a_norm_are_refused() {
    #[derive(Clone)]
    struct Wants(Option<f64>, Rms);
    impl<M> Controller<M> for Wants {
        type Norm = Rms;
        fn validate(&self) -> Result<(), Error> {
            Ok(())
        }
        fn norm(&self) -> Option<&Rms> {
            Some(&self.1)
        }
        fn first_step(&self) -> Option<f64> {
            self.0
        }
        fn judge(&self, trial: &Trial) -> Judgement {
            Judgement { accept: true, next: trial.h }
        }
    }
    for first in [None, Some(0.1)] {
        let wants = Wants(first, Rms { rtol: 1e-3, atol: 1e-3 });
        let spring = Newtonian::new(|_: f64, q: &f64| -q);
        let run = solve(spring, (1.0, 0.0), (0.0, 1.0)).with(Leapfrog).controller(wants).run();
        assert!(matches!(run, Err(Error::InvalidArgument { what: "error norm", .. })), "{run:?}");
    }
}

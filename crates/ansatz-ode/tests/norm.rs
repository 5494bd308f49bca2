//! Norms of error estimates, and what they do to a solve.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{Error, ErrorNorm, Max, PerComponent, Pid, Rms, Tsit5, solve};

const ERROR: [f64; 3] = [1e-6, -4e-6, 2e-6];
const BEFORE: [f64; 3] = [1.0, -2.0, 0.0];
const AFTER: [f64; 3] = [-3.0, 1.0, 0.5];

#[test]
fn norms_by_hand() {
    let scaled: [f64; 3] =
        std::array::from_fn(|i| ERROR[i] / (1e-6 + 1e-5 * BEFORE[i].abs().max(AFTER[i].abs())));
    let rms = (scaled.iter().map(|s| s * s).sum::<f64>() / 3.0).sqrt();
    let largest = scaled.iter().map(|s| s.abs()).fold(0.0, f64::max);
    let (rtol, atol) = (1e-5, 1e-6);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-14 * b, "{a} {b}");
    close(Rms { rtol, atol }.norm(&ERROR, &BEFORE, &AFTER).unwrap(), rms);
    close(Max { rtol, atol }.norm(&ERROR, &BEFORE, &AFTER).unwrap(), largest);
    close(PerComponent::new(rtol, [atol; 3]).norm(&ERROR, &BEFORE, &AFTER).unwrap(), rms);
    let vectors = [ERROR.to_vec(), BEFORE.to_vec(), AFTER.to_vec()];
    close(Max { rtol, atol }.norm(&vectors[0], &vectors[1], &vectors[2]).unwrap(), largest);
    let other = PerComponent { rtol: vec![0.0, 1.0, 1.0], atol: vec![1e-6, 1.0, 1.0] };
    let got = other.norm(&vectors[0], &vectors[1], &vectors[2]).unwrap();
    assert!((got - (1.0f64 / 3.0).sqrt()).abs() < 1e-5, "{got}");
    // What is not a number stays so.
    assert!(Max { rtol, atol }.norm(&[f64::NAN, 1.0], &[1.0; 2], &[1.0; 2]).unwrap().is_nan());
    assert!(Max { rtol, atol }.norm(&[1.0, f64::NAN], &[1.0; 2], &[1.0; 2]).unwrap().is_nan());
    assert!(Max { rtol, atol }.norm(&vec![1.0], &vec![1.0, 1.0], &vec![1.0]).is_err());
}

/// One component in a hundred moves: the mean takes ten times the error that the largest allows.
#[test]
fn one_moving_component_of_many() {
    let field = |_: f64, y: &Vec<f64>| {
        let mut dy = vec![0.0; 100];
        (dy[0], dy[1]) = (y[1], -y[0]);
        dy
    };
    let mut y0 = vec![0.0; 100];
    y0[0] = 1.0;
    let steps = |accepted: usize, rejected: usize| accepted + rejected;
    let run = |largest: bool| {
        let setup = solve(field, y0.clone(), (0.0, 10.0)).with(Tsit5);
        let s = if largest {
            setup.controller(Pid::i(0.0, 1e-6).norm(Max { rtol: 0.0, atol: 1e-6 })).run()
        } else {
            setup.tolerance(0.0, 1e-6).run()
        }
        .unwrap();
        let error = (s.y_end[0] - 10f64.cos()).abs();
        (steps(s.statistics.accepted, s.statistics.rejected), error)
    };
    let (mean, largest) = (run(false), run(true));
    assert!(largest.0 > mean.0 && largest.1 < mean.1, "{mean:?} {largest:?}");
}

/// A component that hardly matters must not shorten the steps.
#[test]
fn tolerances_of_components() {
    let field = |_: f64, y: &[f64; 3]| [y[1], -y[0], 1e3 * (50.0 * y[0]).cos()];
    let run = |atol: [f64; 3]| {
        let norm = PerComponent::new(0.0, atol);
        let pid = Pid::i(0.0, 1.0).norm(norm);
        solve(field, [1.0, 0.0, 0.0], (0.0, 10.0)).with(Tsit5).controller(pid).run().unwrap()
    };
    let (all, some) = (run([1e-7; 3]), run([1e-7, 1e-7, 1e6]));
    assert!(5 * some.statistics.accepted < all.statistics.accepted);
    assert!((some.y_end[0] - 10f64.cos()).abs() < 1e-5);
}

#[test]
fn tolerances_that_make_no_sense() {
    let field = |_: f64, y: &[f64; 2]| [y[1], -y[0]];
    let run = |norm: PerComponent| {
        let pid = Pid::i(1.0, 1.0).norm(norm);
        solve(field, [1.0, 0.0], (0.0, 1.0)).with(Tsit5).controller(pid).run()
    };
    let invalid = |r: ansatz_ode::Result<_>| matches!(r, Err(Error::InvalidArgument { .. }));
    assert!(invalid(run(PerComponent::new(1e-6, [1e-6, -1.0]))));
    assert!(invalid(run(PerComponent { rtol: vec![1e-6], atol: vec![1e-6, 1e-6] })));
    assert!(matches!(run(PerComponent::new(1e-6, [1e-6; 3])), Err(Error::Core(_))));
    let pid = Pid::i(1.0, 1.0).norm(Max { rtol: 0.0, atol: 0.0 });
    let result = solve(field, [1.0, 0.0], (0.0, 1.0)).with(Tsit5).controller(pid).run();
    assert!(invalid(result));
}

//! The suite for states: [`check_state`].

use ansatz::core::State;

use super::{Verdict, close, run};

/// Compares all methods of a state with `n` components with plain arithmetic.
///
/// `make` turns `n` numbers into a state, `read` returns them. `epsilon` is the resolution of the
/// numbers inside (`f64::EPSILON`, or that of f32).
///
/// # Errors
/// The first violation.
pub fn check_state<Y: State>(
    n: usize,
    epsilon: f64,
    make: impl Fn(&[f64]) -> Y,
    read: impl Fn(&Y) -> Vec<f64>,
) -> Verdict {
    let tolerance = 20.0 * epsilon;
    let numbers = |seed: f64| (0..n).map(|i| (seed + 1.3 * i as f64).sin()).collect::<Vec<f64>>();
    let (base, x, y) = (numbers(0.1), numbers(1.7), numbers(2.9));
    let states = [make(&x), make(&y)];
    let (h, c) = (-0.37, [0.8, -2.5]);
    let sum: Vec<f64> = x.iter().zip(&y).map(|(x, y)| h * (c[0] * x + c[1] * y)).collect();

    if make(&base).dimension() != n {
        return Err(format!("dimension: {}, expected {n}", make(&base).dimension()));
    }

    // With and without a base; what was there before does not matter, not even NaN.
    for stale in [0.0, 7.0, f64::NAN] {
        let mut s = make(&vec![stale; n]);
        run("combine", s.combine(Some(&make(&base)), h, &c, &states))?;
        let expected: Vec<f64> = base.iter().zip(&sum).map(|(b, s)| b + s).collect();
        close("combine with a base", &read(&s), &expected, tolerance)?;
        let mut s = make(&vec![stale; n]);
        run("combine", s.combine(None, h, &c, &states))?;
        close("combine without a base", &read(&s), &sum, tolerance)?;
    }
    // Terms with coefficient 0 may hold anything.
    let mut s = make(&base);
    let wild = [make(&vec![f64::NAN; n]), make(&x), make(&vec![f64::INFINITY; n])];
    run("combine", s.combine(Some(&make(&base)), 2.0, &[0.0, 1.0, 0.0], &wild))?;
    let expected: Vec<f64> = base.iter().zip(&x).map(|(b, x)| b + 2.0 * x).collect();
    close("combine that skips terms", &read(&s), &expected, tolerance)?;
    // Nothing to add: a copy, to the bit, that has a life of its own.
    let original = make(&base);
    let mut copy = make(&x);
    run("combine", copy.combine(Some(&original), 0.0, &[], &[]))?;
    close("combine of nothing", &read(&copy), &read(&original), 0.0)?;
    let kept = copy.clone();
    run("combine", copy.combine(Some(&original), 1.0, &[1.0, 0.0], &states))?;
    close("a clone after the original changed", &read(&kept), &read(&original), 0.0)?;
    close("the base after a combination", &read(&original), &read(&make(&base)), 0.0)?;

    let (rtol, atol) = (0.3, 0.05);
    let mean = x
        .iter()
        .zip(base.iter().zip(&y))
        .map(|(e, (a, b))| (e / (atol + rtol * a.abs().max(b.abs()))).powi(2))
        .sum::<f64>()
        / n as f64;
    let norm = run("weighted_rms", make(&x).weighted_rms(&make(&base), &make(&y), rtol, atol))?;
    close("weighted_rms", &[norm], &[mean.sqrt()], tolerance)?;
    let zero = make(&vec![0.0; n]);
    let norm = run("weighted_rms", zero.weighted_rms(&make(&base), &make(&y), rtol, atol))?;
    close("weighted_rms of zero", &[norm], &[0.0], 0.0)?;

    if !run("all_finite", make(&base).all_finite())? {
        return Err("all_finite: false for finite numbers".into());
    }
    for (i, bad) in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].into_iter().enumerate() {
        let mut values = base.clone();
        values[(i * 7) % n] = bad;
        let s = make(&values);
        if run("all_finite", s.all_finite())? {
            return Err(format!("all_finite: true for {bad}"));
        }
        let norm = run("weighted_rms", s.weighted_rms(&make(&base), &make(&y), rtol, atol))?;
        if norm.is_finite() {
            return Err(format!("weighted_rms: {norm} of an error that holds {bad}"));
        }
    }
    run("check_like", make(&base).check_like("itself", &make(&x)))
}

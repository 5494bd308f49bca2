//! Collocation methods: measured order, reference values and counters of RADAU5, invariants.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

/// Checks that an error halves `order` times with the step, as said by `$error` for a number of
/// steps, in both directions of time.
macro_rules! check {
    ($what:expr, $order:expr, $base:expr, $tolerance:expr, $spans:expr, $error:expr) => {{
        for span in $spans {
            let errors = [1, 2, 4].map(|k| $error(span, k * $base));
            let measured: f64 = power(errors);
            let name = $what;
            assert!(
                (measured - $order).abs() < $tolerance,
                "{name} {span:?} {measured} {errors:?}"
            );
        }
    }};
}

mod order;
mod radau5;
mod structure;
#[cfg(feature = "candle")]
mod tensors;

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

/// y' = −y² (1 + t), nonlinear in the state: 1/(1 + t + t²/2).
fn rational(t: f64, y: &f64) -> f64 {
    -y * y * (1.0 + t)
}

fn rational_solution(t: f64) -> f64 {
    1.0 / (1.0 + t + 0.5 * t * t)
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

/// The power of the step in errors of steps halved each time.
fn power(errors: [f64; 3]) -> f64 {
    (errors[0] / errors[2]).log2() / 2.0
}

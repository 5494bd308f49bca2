//! Roots and minima of functions of one number.

mod bracket;
mod minimum;
mod root;

pub use bracket::{bracket_minimum, bracket_root};
pub use minimum::brent_minimum;
pub use root::{ScalarSolution, bisection, brent};

use crate::{Error, Result};

/// The value at `x`, which may not be NaN.
fn value(f: &mut dyn FnMut(f64) -> Result<f64>, x: f64) -> Result<f64> {
    let y = f(x)?;
    if y.is_nan() {
        return Err(Error::invalid(
            "value of a function of one number",
            y,
            "no NaN in the bracket",
        ));
    }
    Ok(y)
}

fn check_tolerance(tolerance: f64) -> Result<()> {
    if tolerance >= 0.0 && tolerance.is_finite() {
        return Ok(());
    }
    Err(Error::invalid("tolerance", tolerance, "a number of at least 0"))
}

fn check_interval([a, b]: [f64; 2]) -> Result<()> {
    if a.is_finite() && b.is_finite() && a != b {
        return Ok(());
    }
    Err(Error::invalid("interval", format!("[{a}, {b}]"), "two finite numbers that differ"))
}

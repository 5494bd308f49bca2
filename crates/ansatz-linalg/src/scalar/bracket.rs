//! Intervals that hold a root or a minimum: [`bracket_root`] and [`bracket_minimum`].

use super::{check_interval, value};
use crate::{Error, Result};

/// The golden ratio: by how much an interval grows.
const GROWTH: f64 = 1.618_033_988_749_895;
/// Expansions: the last interval is 10⁴¹ times as long as the first.
const MOST: usize = 200;

/// An interval at whose ends `f` has opposite signs (or a root), found by moving the end with the
/// smaller value outwards, further each time.
///
/// ```
/// let bracket = ansatz_linalg::bracket_root(|x: f64| Ok(x.exp() - 1000.0), [0.0, 1.0])?;
/// assert!(bracket[0] < 1000f64.ln() && 1000f64.ln() < bracket[1]);
/// # Ok::<(), ansatz_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] when there is none within 200 expansions or before the values stop being
/// finite, and those of `f`.
pub fn bracket_root(mut f: impl FnMut(f64) -> Result<f64>, start: [f64; 2]) -> Result<[f64; 2]> {
    check_interval(start)?;
    let [mut a, mut b] = start;
    if a > b {
        (a, b) = (b, a);
    }
    let (mut f_a, mut f_b) = (value(&mut f, a)?, value(&mut f, b)?);
    for _ in 0..MOST {
        if f_a == 0.0 || f_b == 0.0 || (f_a > 0.0) != (f_b > 0.0) {
            return Ok([a, b]);
        }
        let width = GROWTH * (b - a);
        if f_a.abs() < f_b.abs() {
            a -= width;
            if !a.is_finite() {
                break;
            }
            f_a = value(&mut f, a)?;
        } else {
            b += width;
            if !b.is_finite() {
                break;
            }
            f_b = value(&mut f, b)?;
        }
    }
    let got = format!("{f_a:e} at {a:e} and {f_b:e} at {b:e}");
    Err(Error::invalid("values at the ends of an expanded interval", got, "opposite signs"))
}

/// Three points from left to right, the middle one no higher than the others, found by going
/// downhill from `start`, further each time.
///
/// ```
/// let [a, b, c] = ansatz_linalg::bracket_minimum(|x: f64| Ok((x - 50.0).powi(2)), [0.0, 1.0])?;
/// assert!(a < 50.0 && 50.0 < c && a < b && b < c);
/// # Ok::<(), ansatz_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] when `f` falls for 200 expansions, and those of `f`.
pub fn bracket_minimum(mut f: impl FnMut(f64) -> Result<f64>, start: [f64; 2]) -> Result<[f64; 3]> {
    check_interval(start)?;
    let [mut a, mut b] = start;
    let (f_a, mut f_b) = (value(&mut f, a)?, value(&mut f, b)?);
    if f_b > f_a {
        (a, b, f_b) = (b, a, f_a);
    }
    for _ in 0..MOST {
        let c = b + GROWTH * (b - a);
        if !c.is_finite() {
            break;
        }
        let f_c = value(&mut f, c)?;
        if f_c >= f_b {
            return Ok(if a < c { [a, b, c] } else { [c, b, a] });
        }
        (a, b, f_b) = (b, c, f_c);
    }
    Err(Error::invalid("value of the function", format!("{f_b:e} at {b:e}"), "a minimum"))
}

//! Minima in an interval: [`brent_minimum`].

use super::{ScalarSolution, check_interval, check_tolerance, value};
use crate::Result;

/// A local minimum of `f` in `interval` by parabolas and golden sections (R. P. Brent, *Algorithms for
/// Minimization without Derivatives*, 1973, §5.4), to `√u |x| + tolerance`, as rounding allows. Where
/// `f` has one minimum inside, it is that.
///
/// ```
/// let minimum = ansatz_linalg::brent_minimum(|x| Ok((x - 2.0) * x * (x + 2.0).powi(2)), [0.0, 2.0], 0.0)?;
/// assert!((minimum.x - 1.280_776_406_4).abs() < 1e-7);
/// # Ok::<(), ansatz_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for an interval without a length, at
/// NaN, and for a tolerance below 0; and those of `f`.
pub fn brent_minimum(
    mut f: impl FnMut(f64) -> Result<f64>,
    interval: [f64; 2],
    tolerance: f64,
) -> Result<ScalarSolution> {
    check_tolerance(tolerance)?;
    check_interval(interval)?;
    let [mut a, mut b] = interval;
    if a > b {
        (a, b) = (b, a);
    }
    // (3 − √5) / 2.
    let golden = 0.5 * (3.0 - 5f64.sqrt());
    // Here and below so that no difference of large ends overflows.
    let mut x = a + (golden * b - golden * a);
    let mut f_x = value(&mut f, x)?;
    let mut evaluations = 1;
    // The second best and the one before it; the last step and the one before it.
    let (mut w, mut f_w) = (x, f_x);
    let (mut v, mut f_v) = (x, f_x);
    let (mut d, mut e) = (0.0f64, 0.0f64);
    loop {
        let middle = 0.5 * a + 0.5 * b;
        let least = f64::EPSILON.sqrt() * x.abs() + tolerance.max(f64::MIN_POSITIVE) / 3.0;
        if (x - middle).abs() <= 2.0 * least - (0.5 * b - 0.5 * a) {
            return Ok(ScalarSolution { x, value: f_x, bracket: [a, b], evaluations });
        }
        let parabola = if e.abs() > least {
            let r = (x - w) * (f_x - f_v);
            let q = (x - v) * (f_x - f_w);
            let p = (x - v) * q - (x - w) * r;
            let step = -p / (2.0 * (q - r));
            // Inside, and less than half of the step before the last.
            let inside = x + step > a && x + step < b && step.abs() < 0.5 * e.abs();
            inside.then_some(step)
        } else {
            None
        };
        if let Some(step) = parabola {
            (e, d) = (d, step);
            // Not too close to the ends.
            let u = x + d;
            if u - a < 2.0 * least || b - u < 2.0 * least {
                d = least.copysign(middle - x);
            }
        } else {
            let end = if x < middle { b } else { a };
            e = end - x;
            d = golden * end - golden * x;
        }
        let u = x + if d.abs() >= least { d } else { least.copysign(d) };
        let f_u = value(&mut f, u)?;
        evaluations += 1;
        if f_u <= f_x {
            if u < x {
                b = x;
            } else {
                a = x;
            }
            (v, f_v) = (w, f_w);
            (w, f_w) = (x, f_x);
            (x, f_x) = (u, f_u);
        } else {
            if u < x {
                a = u;
            } else {
                b = u;
            }
            if f_u <= f_w || w == x {
                (v, f_v) = (w, f_w);
                (w, f_w) = (u, f_u);
            } else if f_u <= f_v || v == x || v == w {
                (v, f_v) = (u, f_u);
            }
        }
    }
}

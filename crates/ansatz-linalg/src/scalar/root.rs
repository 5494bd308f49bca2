//! Roots in a bracket: [`bisection`] and [`brent`].

use super::{check_interval, check_tolerance, value};
use crate::{Error, Result};

/// A root or minimum of a function of one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalarSolution {
    /// Where it is.
    pub x: f64,
    /// The function there.
    pub value: f64,
    /// The interval that it lies in, from left to right.
    pub bracket: [f64; 2],
    /// Evaluations of the function.
    pub evaluations: usize,
}

/// The bracket and the values at its ends; the solution if one of them is a root.
struct Start {
    ends: [f64; 2],
    values: [f64; 2],
    found: Option<ScalarSolution>,
}

fn start(
    f: &mut dyn FnMut(f64) -> Result<f64>,
    bracket: [f64; 2],
    tolerance: f64,
) -> Result<Start> {
    check_tolerance(tolerance)?;
    check_interval(bracket)?;
    let [mut a, mut b] = bracket;
    if a > b {
        (a, b) = (b, a);
    }
    let values = [value(f, a)?, value(f, b)?];
    let solution = |x| ScalarSolution { x, value: 0.0, bracket: [x, x], evaluations: 2 };
    let found = match values {
        [0.0, _] => Some(solution(a)),
        [_, 0.0] => Some(solution(b)),
        _ => None,
    };
    if found.is_none() && (values[0] > 0.0) == (values[1] > 0.0) {
        let got = format!("{:e} at {a:e} and {:e} at {b:e}", values[0], values[1]);
        return Err(Error::invalid("values at the ends of a bracket", got, "opposite signs"));
    }
    Ok(Start { ends: [a, b], values, found })
}

/// A root in `bracket`, at whose ends `f` has opposite signs, by halving until the bracket is
/// `2 tolerance` wide or has no numbers inside. Needs nothing but the signs of `f`, which may be
/// infinite.
///
/// ```
/// let root = ansatz_linalg::bisection(|x| Ok(x * x - 2.0), [0.0, 2.0], 1e-10)?;
/// assert!((root.x - 2f64.sqrt()).abs() < 1e-10);
/// # Ok::<(), ansatz_linalg::Error>(())
/// ```
///
/// # Errors
/// [`Error::InvalidArgument`] when the signs are equal, at NaN, and for a tolerance below 0; and
/// those of `f`.
pub fn bisection(
    mut f: impl FnMut(f64) -> Result<f64>,
    bracket: [f64; 2],
    tolerance: f64,
) -> Result<ScalarSolution> {
    let Start { ends: [mut a, mut b], values: [mut f_a, mut f_b], found } =
        start(&mut f, bracket, tolerance)?;
    if let Some(solution) = found {
        return Ok(solution);
    }
    let mut evaluations = 2;
    loop {
        let middle = 0.5 * a + 0.5 * b;
        if 0.5 * b - 0.5 * a <= tolerance || middle <= a || middle >= b {
            break;
        }
        let f_middle = value(&mut f, middle)?;
        evaluations += 1;
        if f_middle == 0.0 {
            let bracket = [middle, middle];
            return Ok(ScalarSolution { x: middle, value: 0.0, bracket, evaluations });
        }
        if (f_middle > 0.0) == (f_a > 0.0) {
            (a, f_a) = (middle, f_middle);
        } else {
            (b, f_b) = (middle, f_middle);
        }
    }
    let (x, value) = if f_a.abs() < f_b.abs() { (a, f_a) } else { (b, f_b) };
    Ok(ScalarSolution { x, value, bracket: [a, b], evaluations })
}

/// A root in `bracket`, at whose ends `f` has opposite signs, by inverse quadratic interpolation,
/// secants and bisection (R. P. Brent, *Algorithms for Minimization without Derivatives*, 1973,
/// §4.2), to `4 u |x| + tolerance`. It never needs many more evaluations than bisection, and few where
/// `f` is smooth.
///
/// ```
/// let root = ansatz_linalg::brent(|x: f64| Ok(x.cos() - x), [0.0, 1.0], 1e-14)?;
/// assert!((root.x - 0.739_085_133_215_160_6).abs() < 1e-14);
/// assert!(root.evaluations < 10);
/// # Ok::<(), ansatz_linalg::Error>(())
/// ```
///
/// # Errors
/// As [`bisection`].
pub fn brent(
    mut f: impl FnMut(f64) -> Result<f64>,
    bracket: [f64; 2],
    tolerance: f64,
) -> Result<ScalarSolution> {
    let Start { ends: [mut a, mut b], values: [mut f_a, mut f_b], found } =
        start(&mut f, bracket, tolerance)?;
    if let Some(solution) = found {
        return Ok(solution);
    }
    let mut evaluations = 2;
    // b is the best, the root between b and c, a the b before; d the step and e the one before.
    let (mut c, mut f_c) = (a, f_a);
    let mut d = b - a;
    let mut e = d;
    loop {
        if f_c.abs() < f_b.abs() {
            (a, b, c) = (b, c, b);
            (f_a, f_b, f_c) = (f_b, f_c, f_b);
        }
        let least = 2.0 * f64::EPSILON * b.abs() + 0.5 * tolerance;
        // The difference of the ends may overflow.
        let half = 0.5 * c - 0.5 * b;
        if half.abs() <= least || f_b == 0.0 {
            let bracket = if b < c { [b, c] } else { [c, b] };
            return Ok(ScalarSolution { x: b, value: f_b, bracket, evaluations });
        }
        let step = if e.abs() >= least && f_a.abs() > f_b.abs() {
            interpolated([a, b, c], [f_a, f_b, f_c])
        } else {
            None
        };
        // Only where the last step but one has been halved, and well inside of the bracket.
        let inside = |step: f64| {
            step * half > 0.0
                && step.abs() < (1.5 * half.abs() - 0.5 * least)
                && step.abs() < 0.5 * e.abs()
        };
        match step {
            Some(step) if inside(step) => (e, d) = (d, step),
            _ => (e, d) = (half, half),
        }
        (a, f_a) = (b, f_b);
        b += if d.abs() > least { d } else { least.copysign(half) };
        f_b = value(&mut f, b)?;
        evaluations += 1;
        if (f_b > 0.0) == (f_c > 0.0) {
            (c, f_c) = (a, f_a);
            d = b - a;
            e = d;
        }
    }
}

/// The step from `b` to the root of a parabola in the value through three points, or of a secant
/// where two of them are the same.
fn interpolated([a, b, c]: [f64; 3], [f_a, f_b, f_c]: [f64; 3]) -> Option<f64> {
    let s = f_b / f_a;
    let (p, q) = if a == c {
        ((c - b) * s, 1.0 - s)
    } else {
        let (q, r) = (f_a / f_c, f_b / f_c);
        let p = s * ((c - b) * q * (q - r) - (b - a) * (r - 1.0));
        (p, (q - 1.0) * (r - 1.0) * (s - 1.0))
    };
    let step = -p / q;
    step.is_finite().then_some(step)
}

//! Roots and minima of functions of one number, against SciPy's counts, and input that must be refused.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_linalg::{
    Error, Result, ScalarSolution, bisection, bracket_minimum, bracket_root, brent, brent_minimum,
};

type Case = (&'static str, fn(f64) -> f64, [f64; 2], f64, usize);

/// Function, bracket, root, and the calls of brentq in SciPy 1.17.1 with xtol = 10⁻¹⁴.
const ROOTS: [Case; 5] = [
    ("cubic", |x| x.powi(3) - 2.0 * x - 5.0, [2.0, 3.0], 2.094_551_481_542_326_5, 8),
    ("cosine", |x| x.cos() - x, [0.0, 1.0], 0.739_085_133_215_160_6, 8),
    ("decay", |x| (-x).exp() - 1e-3 * x - 0.2, [0.0, 10.0], 1.601_462_488_404_468_4, 13),
    ("ninth", |x| (x - 1.0).powi(9), [0.0, 3.0], 1.0, 129),
    ("steep", |x| (50.0 * (x - 0.3)).atan(), [-1.0, 4.0], 0.3, 12),
];

fn check(name: &str, f: fn(f64) -> f64, found: &ScalarSolution) {
    assert_eq!(f(found.x), found.value, "{name}");
    let [a, b] = found.bracket;
    assert!(a <= found.x && found.x <= b, "{name}: {found:?}");
    assert!(f(a) * f(b) <= 0.0, "{name}: {found:?}");
}

#[test]
fn roots() {
    for (name, f, bracket, want, calls) in ROOTS {
        for [a, b] in [bracket, [bracket[1], bracket[0]]] {
            let found = brent(|x| Ok(f(x)), [a, b], 1e-14).unwrap();
            check(name, f, &found);
            assert!((found.x - want).abs() < 2e-14, "{name}: {found:?}");
            if a < b {
                // Rounding decides on the ninth power's.
                assert!(found.evaluations.abs_diff(calls) <= calls / 10, "{name}: {found:?}");
            }
            let halved = bisection(|x| Ok(f(x)), [a, b], 1e-9).unwrap();
            check(name, f, &halved);
            assert!((halved.x - want).abs() <= 2e-9, "{name}: {halved:?}");
            let width = (b - a).abs();
            let most = 3 + (0.5 * width / 1e-9).log2().ceil() as usize;
            assert!(halved.evaluations <= most, "{name}: {} {most}", halved.evaluations);
        }
        // To the last bit.
        let exact = bisection(|x| Ok(f(x)), bracket, 0.0).unwrap();
        let [a, b] = exact.bracket;
        assert!(exact.value == 0.0 || b <= a.next_up().next_up(), "{name}: {exact:?}");
    }
    // A jump through infinity is a change of sign, and its place is found.
    let pole = bisection(|x| Ok(1.0 / (x - 0.3)), [0.0, 1.0], 1e-12).unwrap();
    assert!((pole.x - 0.3).abs() < 2e-12);
    // A root at an end.
    let found = brent(Ok, [0.0, 1.0], 1e-9).unwrap();
    assert_eq!((found.x, found.evaluations), (0.0, 2));
    assert_eq!(bisection(|x| Ok(x - 1.0), [0.0, 1.0], 1e-9).unwrap().x, 1.0);
    // Ends of any size.
    let wide = brent(|x| Ok(x.cbrt() - 1.0), [-1e300, 1e300], 1e-12).unwrap();
    assert!((wide.x - 1.0).abs() < 1e-11 && wide.evaluations < 2500, "{wide:?}");
    for solve in [bisection as Solve, brent] {
        let wide = solve(|x| Ok(x - 1.0), [-f64::MAX, f64::MAX], 1e-12).unwrap();
        assert!((wide.x - 1.0).abs() < 1e-11);
    }
}

/// Function, interval, minimum, and the calls of fminbound in SciPy 1.17.1 with xtol = 10⁻⁹.
const MINIMA: [Case; 4] = [
    ("quartic", |x| (x - 2.0) * x * (x + 2.0).powi(2), [0.0, 2.0], 1.280_776_406_404_415_2, 11),
    ("cosh", |x| (x - 0.7).cosh(), [-3.0, 9.0], 0.7, 9),
    ("kink", |x| (x - 0.3).abs(), [-1.0, 2.0], 0.3, 27),
    ("flat", |x| (x - 1.0).powi(4), [-2.0, 5.0], 1.0, 17),
];

#[test]
fn minima() {
    for (name, f, [a, b], want, calls) in MINIMA {
        let found = brent_minimum(|x| Ok(f(x)), [a, b], 1e-9).unwrap();
        assert_eq!(f(found.x), found.value, "{name}");
        assert!((found.x - want).abs() < 5e-8, "{name}: {found:?}");
        assert!(found.bracket[0] <= found.x && found.x <= found.bracket[1], "{name}");
        assert!(found.evaluations.abs_diff(calls) <= 1, "{name}: {found:?}");
        let turned = brent_minimum(|x| Ok(f(x)), [b, a], 1e-9).unwrap();
        assert_eq!(turned, found, "{name}");
    }
    // Falling all the way: the end.
    let end = brent_minimum(|x| Ok(-x), [0.0, 1.0], 1e-9).unwrap();
    assert!((end.x - 1.0).abs() < 1e-7, "{end:?}");
    // At zero the tolerance is all there is.
    let zero = brent_minimum(|x| Ok(x * x), [-1.0, 2.0], 1e-6).unwrap();
    assert!(zero.x.abs() < 1e-6 && zero.evaluations < 20, "{zero:?}");
    assert!(brent_minimum(|x| Ok(x.abs()), [-1.0, 2.0], 0.0).unwrap().x.abs() < 1e-300);
    // Ends whose difference is no number; flat on the left.
    let mut calls = 0;
    let ramp = |x: f64| {
        calls += 1;
        if calls > 5000 { Err(Error::invalid("calls", calls, "an end")) } else { Ok(x.max(0.0)) }
    };
    let found = brent_minimum(ramp, [-1.5e308, 1.5e308], 1e-9).unwrap();
    assert!(found.value == 0.0 && found.x <= 0.0, "{found:?}");
    let found = brent_minimum(|x| Ok((x - 1.0).abs().sqrt()), [-f64::MAX, f64::MAX], 1e-9).unwrap();
    assert!((found.x - 1.0).abs() < 1e-6, "{found:?}");
}

#[test]
fn brackets() {
    for (target, start) in [(1000.0, [0.0, 1.0]), (1e-12, [3.0, 4.0]), (1e200, [5.0, -2.0])] {
        let f = |x: f64| Ok(x.exp() - target);
        let [a, b] = bracket_root(f, start).unwrap();
        assert!(a < b && f(a).unwrap() <= 0.0 && f(b).unwrap() >= 0.0);
        let root = brent(f, [a, b], 1e-12).unwrap();
        assert!((root.x - target.ln()).abs() < 1e-10, "{target} {root:?}");
    }
    assert_eq!(bracket_root(|x| Ok(x - 0.5), [0.0, 1.0]).unwrap(), [0.0, 1.0]);
    for at in [-1e6, -0.3, 0.0, 0.6, 40.0] {
        let f = |x: f64| Ok((x - at).powi(2) + 3.0);
        for start in [[0.0, 1.0], [1.0, 0.0], [7.0, 6.5]] {
            let [a, b, c] = bracket_minimum(f, start).unwrap();
            assert!(a < b && b < c && a <= at && at <= c, "{at} {start:?}: {a} {b} {c}");
            assert!(f(b).unwrap() <= f(a).unwrap() && f(b).unwrap() <= f(c).unwrap());
            let found = brent_minimum(f, [a, c], 1e-9).unwrap();
            assert!((found.x - at).abs() < 1e-7 * (1.0 + at.abs()), "{at} {found:?}");
        }
    }
}

type Function = fn(f64) -> Result<f64>;
type Solve = fn(Function, [f64; 2], f64) -> Result<ScalarSolution>;

#[test]
fn input_that_is_refused() {
    let refused = |result: Result<ScalarSolution>| {
        assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
    };
    let line: Function = |x| Ok(x - 0.5);
    let both: [Solve; 2] = [bisection, brent];
    for solve in both {
        refused(solve(|x| Ok(x * x + 1.0), [-1.0, 1.0], 1e-9));
        refused(solve(|x| Ok(x.ln()), [-1.0, 2.0], 1e-9));
        // NaN inside.
        refused(solve(|x| Ok(if x.abs() < 0.9 { f64::NAN } else { x }), [-1.0, 1.1], 1e-9));
        refused(solve(line, [0.0, 1.0], -1.0));
        refused(solve(line, [0.0, 1.0], f64::NAN));
        refused(solve(line, [1.0, 1.0], 1e-9));
        refused(solve(line, [0.0, f64::INFINITY], 1e-9));
        let mine = solve(|_| Err(Error::invalid("mine", 1, "another")), [0.0, 1.0], 1e-9);
        assert!(matches!(mine, Err(Error::InvalidArgument { what: "mine", .. })));
    }
    refused(brent_minimum(line, [0.0, 0.0], 1e-9));
    refused(brent_minimum(line, [0.0, 1.0], -1e-9));
    refused(brent_minimum(|_| Ok(f64::NAN), [0.0, 1.0], 1e-9));
    let none = |result: Result<()>| assert!(matches!(result, Err(Error::InvalidArgument { .. })));
    none(bracket_root(|x| Ok(x * x + 1.0), [0.0, 1.0]).map(|_| ()));
    none(bracket_root(Ok, [1.0, 1.0]).map(|_| ()));
    none(bracket_minimum(|x| Ok(-x), [0.0, 1.0]).map(|_| ()));
    none(bracket_minimum(Ok, [f64::NAN, 1.0]).map(|_| ()));
}

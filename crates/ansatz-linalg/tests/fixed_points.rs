//! Fixed points: Anderson's acceleration against GMRES and against a plain implementation of its
//! definition, and input that must be refused.
// A failing test may panic, and functions have the signature that methods ask for.
#![allow(clippy::unwrap_used, clippy::unnecessary_wraps)]

mod common;

use ansatz_linalg::{
    Anderson, Dense, Error, FixedPoint, FixedPointMethod, Gmres, Iterative, LinearOperator,
    NonlinearStopping, Outcome, Qr, Result, Root, Vector, faer::Mat,
};
use common::{dense, distance, wave};

type Plain = Vec<f64>;

const TIGHT: NonlinearStopping =
    NonlinearStopping { relative: 1e-12, absolute: 0.0, step: 0.0, iterations: 500 };

fn check(g: &dyn Fn(&Plain) -> Result<Plain>, root: &Root<Plain>) {
    assert_eq!(root.outcome, Outcome::Converged);
    let mut value = g(&root.x).unwrap();
    value.axpby(1.0, -1.0, &root.x).unwrap();
    assert_eq!(value, root.value);
    assert_eq!(value.norm2().unwrap(), root.residual());
    assert!(root.residual() <= root.target);
    assert_eq!((root.evaluations, root.jacobians), (root.iterations() + 1, 0));
}

#[test]
fn anderson_on_an_affine_map_is_gmres() {
    let n = 12;
    let (a, b) = (dense(n, n, 0.3), wave(n, 0.7));
    let g = |x: &Plain| {
        let mut y = a.apply(x)?;
        y.axpby(0.4, 1.0, &b)?;
        Ok(y)
    };
    // x − g(x) = (1 − 0.4 A) x − b.
    let entry = |i, j| f64::from(i == j) - 0.4 * a.as_faer()[(i, j)];
    let system = Dense::new(Mat::from_fn(n, n, entry)).unwrap();
    let start = wave(n, 0.1);
    for k in 1..n {
        let gmres = Iterative::new(Gmres { restart: n }).relative(1e-14).iterations(k);
        let krylov = gmres.run(&system, &b, Some(&start)).unwrap();
        assert_eq!(krylov.iterations(), k);
        // Walker & Ni, theorem 2.2: the next iterate is g of that of GMRES.
        let want = g(&krylov.x).unwrap();
        let anderson = Anderson { memory: n, condition: 1e14, ..Anderson::default() };
        let stopping = NonlinearStopping { iterations: k + 1, ..TIGHT };
        let got = anderson.run(&g, &start, &stopping).unwrap();
        assert!(distance(&got.x, &want) < 1e-9, "{k}: {:e}", distance(&got.x, &want));
    }
}

/// A map that is not affine.
fn curved(x: &Plain) -> Result<Plain> {
    let n = x.len();
    let next = |i: usize| 0.5 * (x[(i + 1) % n] + 0.3 * i as f64).sin() - 0.3 * x[i].powi(2);
    Ok((0..n).map(next).collect())
}

/// Walker's and Ni's equations 2.2 and 2.3 as they stand there, with a new factorisation each time.
fn definition(memory: usize, mixing: f64, steps: usize, start: &Plain) -> Plain {
    let (mut x, mut f) = (vec![start.clone()], Vec::<Plain>::new());
    let minus = |a: &Plain, b: &Plain| -> Plain { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    for k in 0..steps {
        f.push(minus(&curved(&x[k]).unwrap(), &x[k]));
        let m = memory.min(k);
        let differences = |of: &[Plain]| -> Vec<Plain> {
            (k - m..k).map(|i| minus(&of[i + 1], &of[i])).collect()
        };
        let (dx, df) = (differences(&x), differences(&f));
        let gamma = if m == 0 {
            vec![]
        } else {
            let matrix = Dense::new(Mat::from_fn(start.len(), m, |i, j| df[j][i])).unwrap();
            Qr::new(&matrix).unwrap().solve_least_squares(&f[k]).unwrap()
        };
        let mut next = x[k].clone();
        next.axpby(1.0, mixing, &f[k]).unwrap();
        for j in 0..m {
            next.axpby(1.0, -gamma[j], &dx[j]).unwrap();
            next.axpby(1.0, -gamma[j] * mixing, &df[j]).unwrap();
        }
        x.push(next);
    }
    x.pop().unwrap()
}

#[test]
fn anderson_is_its_definition() {
    let start = wave(8, 0.4);
    for (memory, mixing) in [(1, 1.0), (3, 1.0), (3, 0.6), (5, -0.5), (5, 1.0)] {
        for steps in [1, 2, 3, 4, 5, 7, 9] {
            let want = definition(memory, mixing, steps, &start);
            let anderson = Anderson { memory, mixing, condition: 1e14 };
            let stopping = NonlinearStopping { iterations: steps, ..TIGHT };
            let got = anderson.run(&curved, &start, &stopping).unwrap();
            let off = distance(&got.x, &want);
            assert!(off < 1e-8, "{memory} {mixing} {steps}: {off:e}");
        }
    }
    let root = Anderson::default().solve(&curved, &start, &TIGHT).unwrap();
    check(&curved, &root);
}

/// Jacobi's iteration for `−u'' = eᵘ`, u = 0 at both ends: it contracts by 1 − O(h²).
fn slow(u: &Plain) -> Result<Plain> {
    let (n, at) = (u.len(), |i: Option<usize>| i.and_then(|i| u.get(i)).copied().unwrap_or(0.0));
    let h = 1.0 / (n + 1) as f64;
    let next = |i: usize| 0.5 * (at(i.checked_sub(1)) + at(Some(i + 1)) + h * h * u[i].exp());
    Ok((0..n).map(next).collect())
}

#[test]
fn acceleration_of_a_slow_map() {
    let (start, stopping) =
        (vec![0.0; 30], NonlinearStopping { relative: 1e-8, iterations: 10_000, ..TIGHT });
    let plain = FixedPoint::default().solve(&slow, &start, &stopping).unwrap();
    check(&slow, &plain);
    let damped = FixedPoint { damping: 0.5 }.solve(&slow, &start, &stopping).unwrap();
    assert!(damped.iterations() > plain.iterations());
    let mut last = plain.iterations();
    for memory in [2, 5, 20] {
        let anderson = Anderson { memory, ..Anderson::default() };
        let root = anderson.solve(&slow, &start, &stopping).unwrap();
        check(&slow, &root);
        assert!(distance(&root.x, &plain.x) < 1e-5);
        assert!(root.iterations() < last, "{memory}: {} {last}", root.iterations());
        last = root.iterations();
    }
    assert!(20 * last < plain.iterations(), "{last} {}", plain.iterations());
    // The maximum of the lower solution: u = 2 ln(cosh θ / cosh((1 − 2x) θ)) with θ = √(1/8) cosh θ.
    let theta = FixedPoint::default()
        .solve(&|t: &f64| Ok(0.125f64.sqrt() * t.cosh()), &0.4, &TIGHT)
        .unwrap();
    let fine = Anderson { memory: 30, ..Anderson::default() };
    let root = fine.solve(&slow, &vec![0.0; 61], &stopping).unwrap();
    assert!((root.x[30] - 2.0 * theta.x.cosh().ln()).abs() < 1e-4);
}

#[test]
fn rates_and_maps_that_expand() {
    // Where g' = −2 the plain iteration runs away, and damping by 1/3 is Newton's method.
    let away = |x: &f64| Ok(3.0 - 2.0 * x);
    let root = FixedPoint { damping: 1.0 / 3.0 }.solve(&away, &5.0, &TIGHT).unwrap();
    assert!(root.iterations() == 1 && (root.x - 1.0).abs() < 1e-15);
    let few = NonlinearStopping { iterations: 20, ..TIGHT };
    let failed = FixedPoint::default().run(&away, &5.0, &few).unwrap();
    assert_eq!((failed.outcome, failed.iterations()), (Outcome::Budget, 20));
    assert!(failed.residual() > 1e6);
    let root = Anderson::default().solve(&away, &5.0, &TIGHT).unwrap();
    assert!(root.iterations() <= 3 && (root.x - 1.0).abs() < 1e-12, "{root:?}");
    // The rate is the derivative.
    let root = FixedPoint::default().solve(&|x: &f64| Ok(0.5 * x.sin()), &1.0, &TIGHT).unwrap();
    let last = root.residuals.len() - 1;
    assert!((root.residuals[last] / root.residuals[last - 1] - 0.5).abs() < 1e-3);
    // Steps that hardly differ: the oldest are left out, and the method goes on.
    let narrow = Anderson { memory: 8, condition: 10.0, ..Anderson::default() };
    let root = narrow.solve(&slow, &vec![0.0; 30], &TIGHT).unwrap();
    check(&slow, &root);
}

#[test]
fn ends_that_are_no_fixed_points() {
    let methods: [Box<dyn FixedPointMethod<Plain>>; 2] =
        [Box::new(FixedPoint::default()), Box::new(Anderson::default())];
    for method in &methods {
        let name = method.name();
        let shift = |x: &Plain| Ok(x.iter().map(|x| x + 1.0).collect());
        let few = NonlinearStopping { iterations: 9, ..TIGHT };
        let failed = method.run(&shift, &vec![0.0; 2], &few).unwrap();
        assert!(matches!(failed.outcome, Outcome::Budget | Outcome::Stagnation), "{name}");
        assert!(matches!(
            method.solve(&shift, &vec![0.0; 2], &few),
            Err(Error::NotConverged { .. })
        ));
        let ends =
            |x: &Plain| Ok(x.iter().map(|x| if *x > 2.5 { f64::NAN } else { x + 1.0 }).collect());
        let failed = method.run(&ends, &vec![0.0, 0.5], &few).unwrap();
        assert!(!matches!(failed.outcome, Outcome::Converged | Outcome::Budget), "{name}");
        assert!(
            failed.x.iter().all(|x| x.is_finite()) && failed.residual() == 2f64.sqrt(),
            "{failed:?}"
        );
        let same = method.solve(&|x: &Plain| Ok(x.clone()), &vec![3.0], &few).unwrap();
        assert_eq!((same.iterations(), same.evaluations), (0, 1));
        let nothing =
            method.run(&curved, &vec![0.1; 3], &NonlinearStopping { iterations: 0, ..TIGHT });
        assert_eq!(nothing.unwrap().outcome, Outcome::Budget);
        let refused = |result: Result<Root<Plain>>| {
            assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{name}");
        };
        refused(method.run(&curved, &vec![f64::NAN; 3], &TIGHT));
        refused(method.run(&|_: &Plain| Ok(vec![f64::INFINITY; 3]), &vec![0.0; 3], &TIGHT));
        refused(method.run(&curved, &vec![0.0; 3], &NonlinearStopping { relative: -1.0, ..TIGHT }));
        let longer = method.run(&|_: &Plain| Ok(vec![0.0; 4]), &vec![0.0; 3], &TIGHT);
        assert!(matches!(longer, Err(Error::Size { .. })), "{name}");
        let step = NonlinearStopping { step: 1e-3, relative: 0.0, ..TIGHT };
        let root = method.run(&curved, &vec![0.1; 3], &step).unwrap();
        assert_eq!(root.outcome, Outcome::Converged, "{name}");
        assert!(root.residual() > 0.0 && root.residual() < 1e-2, "{name}");
    }
    for damping in [0.0, f64::NAN] {
        let refused = FixedPoint { damping }.run(&curved, &vec![0.1; 3], &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })));
    }
    for anderson in [
        Anderson { memory: 0, ..Anderson::default() },
        Anderson { mixing: 0.0, ..Anderson::default() },
        Anderson { mixing: f64::NAN, ..Anderson::default() },
        Anderson { condition: 0.5, ..Anderson::default() },
        Anderson { condition: f64::NAN, ..Anderson::default() },
    ] {
        let refused = anderson.run(&curved, &vec![0.1; 3], &TIGHT);
        assert!(matches!(refused, Err(Error::InvalidArgument { .. })), "{anderson:?}");
    }
}

//! Small systems: every family, both directions of time, mass matrices, what is refused.

use std::cell::Cell;

use ansatz_ode::{
    Bdf, Error, Exprb43, KenCarp4, Kvaerno5, MatrixFree, RadauIia5, Rodas5P, Split, WithMass, solve,
};

use super::largest;

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

/// The derivative of `rotation` in a direction.
fn turned(t: f64, _: &[f64; 2], v: &[f64; 2]) -> [f64; 2] {
    rotation(t, v)
}

#[test]
fn fixed_steps_are_those_with_a_matrix() {
    macro_rules! same {
        ($method:expr, $bound:expr) => {
            for span in [(0.3, 1.8), (1.8, 0.3)] {
                let y0 = rotated(span.0);
                let plain = solve(rotation, y0, span).with($method).steps(30).run().unwrap();
                let free = solve(MatrixFree::new(rotation), y0, span).with($method).steps(30);
                let free = free.run().unwrap();
                let product = MatrixFree::new(rotation).with_product(turned);
                let product = solve(product, y0, span).with($method).steps(30).run().unwrap();
                for y in [&free.y_end, &product.y_end] {
                    assert!(largest(y, &plain.y_end) < $bound, "{y:?} {:?}", plain.y_end);
                }
                assert!(product.statistics.evaluations < free.statistics.evaluations);
            }
        };
    }
    same!(Kvaerno5, 1e-12);
    same!(Bdf::default(), 1e-12);
    // Products that are differences have half of the digits.
    same!(Exprb43, 1e-8);
    for span in [(0.3, 1.8), (1.8, 0.3)] {
        let growth = |t: f64, y: &[f64; 2]| [t * y[0], t * y[1]];
        let turn = |_: f64, y: &[f64; 2]| [-y[1], y[0]];
        let y0 = rotated(span.0);
        let plain = solve(Split::new(growth, turn), y0, span).with(KenCarp4).steps(30).run();
        let free = Split::new(growth, MatrixFree::new(turn));
        let free = solve(free, y0, span).with(KenCarp4).steps(30).run().unwrap().y_end;
        assert!(largest(&free, &plain.unwrap().y_end) < 1e-12);
    }
}

/// Robertson's reaction: components of very different size.
#[test]
fn robertson() {
    let field = |_: f64, y: &[f64; 3]| {
        let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
        [-slow + back, slow - back - fast, fast]
    };
    let want = [6.172348823961e-1, 6.153591274640e-6, 3.827589640126e-1];
    let free = solve(MatrixFree::new(field), [1.0, 0.0, 0.0], (0.0, 100.0)).with(Kvaerno5);
    let free = free.tolerance(1e-8, 1e-12).run().unwrap();
    for (y, want) in free.y_end.iter().zip(want) {
        assert!((y / want - 1.0).abs() < 1e-5, "{:?} {:?}", free.y_end, free.statistics);
    }
}

#[test]
fn regular_mass_matrices() {
    let m = [[2.0, 1.0], [0.5, 3.0]];
    let mixed = move |t: f64, y: &[f64; 2]| {
        let f = rotation(t, y);
        [m[0][0] * f[0] + m[0][1] * f[1], m[1][0] * f[0] + m[1][1] * f[1]]
    };
    let mass = ansatz_linalg::Dense::from_rows(&m).unwrap();
    let y0 = rotated(0.3);
    let free = WithMass::new(MatrixFree::new(mixed), mass);
    let free = solve(free, y0, (0.3, 1.8)).with(Kvaerno5).tolerance(1e-8, 1e-8).run().unwrap();
    assert!(largest(&free.y_end, &rotated(1.8)) < 1e-6, "{:?}", free.y_end);
}

/// Every evaluation is counted, those of products among them.
#[test]
fn evaluations_are_counted() {
    let count = Cell::new(0);
    let field = |t: f64, y: &[f64; 2]| {
        count.set(count.get() + 1);
        rotation(t, y)
    };
    macro_rules! check_count {
        ($($method:expr),*) => {$(
            count.set(0);
            let s = solve(MatrixFree::new(field), rotated(0.3), (0.3, 1.8)).with($method);
            let s = s.tolerance(1e-6, 1e-6).run().unwrap();
            assert_eq!(s.statistics.evaluations, count.get());
        )*};
    }
    check_count!(Kvaerno5, Bdf::default(), Exprb43);
}

#[test]
fn methods_that_need_a_jacobian_refuse() {
    fn refused<T: std::fmt::Debug>(result: Result<T, Error>) {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { what: "linearisation", .. }), "{error}");
    }
    let field = MatrixFree::new(rotation);
    refused(solve(field, rotated(0.3), (0.3, 1.8)).with(Rodas5P).tolerance(1e-6, 1e-6).run());
    refused(solve(field, rotated(0.3), (0.3, 1.8)).with(RadauIia5).tolerance(1e-6, 1e-6).run());
    let dae =
        WithMass::new(MatrixFree::new(|_: f64, y: &[f64; 2]| [-y[1], y[1] - y[0]]), [1.0, 0.0]);
    refused(solve(dae, [1.0, 1.0], (0.0, 1.0)).with(Kvaerno5).tolerance(1e-6, 1e-6).run());
}

/// Errors of a closure come out with the time and the step.
#[test]
fn errors_of_closures() {
    let product = |_: f64, _: &[f64; 2], _: &[f64; 2]| {
        Err::<[f64; 2], _>(ansatz_ode::core::Error::custom(std::io::Error::other("out of range")))
    };
    let field = MatrixFree::new(rotation).with_product(product);
    let s = solve(field, rotated(0.3), (0.3, 1.8)).with(Kvaerno5).tolerance(1e-6, 1e-6).run();
    let error = s.unwrap_err();
    assert!(matches!(error, Error::Field { step: 0, .. }), "{error}");
    assert!(error.to_string().contains("out of range"), "{error}");
}

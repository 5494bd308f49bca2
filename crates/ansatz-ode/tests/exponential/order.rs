//! Measured order of steps, companions and dense output.

use ansatz_linalg::{Dense, Diagonal};
use ansatz_ode::{
    ComplexDiagonal, EtdRk2, EtdRk4, EtdRk4B, Exponential, ExponentialMethod,
    ExponentialRosenbrock, ExponentialRosenbrockMethod, ExponentialRosenbrockTableau,
    ExponentialTableau, Exprb32, Exprb43, Krylov, Method, NoGradient, Pexprb43, SemiLinear,
    WithJacobian, solve,
};

use super::{distance, growth, rational, rational_solution, rotated, rotation};

/// Checks that an error halves `order` times with the step, in both directions of time.
macro_rules! check {
    ($what:expr, $order:expr, $base:expr, $tolerance:expr, $spans:expr, $error:expr) => {{
        for span in $spans {
            let errors = [1, 2, 4].map(|k| $error(span, k * $base));
            let measured: f64 = (errors[0] / errors[2]).log2() / 2.0;
            let name = $what;
            assert!(
                (measured - $order).abs() < $tolerance,
                "{name} {span:?} {measured} {errors:?}"
            );
        }
    }};
}

fn turn() -> Dense {
    Dense::from_rows(&[[0.0, -1.0], [1.0, 0.0]]).unwrap()
}

macro_rules! check_etd {
    ($method:expr, $order:expr, $base:expr) => {{
        macro_rules! with_linear {
            ($linear:expr) => {{
                let error = |span: (f64, f64), steps: usize| {
                    let field = SemiLinear::new($linear, growth);
                    let s = solve(field, rotated(span.0), span).with($method).steps(steps);
                    distance(&s.run().unwrap().y_end, &rotated(span.1))
                };
                let name = concat!(stringify!($method), " ", stringify!($linear));
                check!(name, $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
            }};
        }
        with_linear!(turn());
        with_linear!(Krylov::new(turn()));
        with_linear!(ComplexDiagonal::new(vec![(0.0, 1.0)]).unwrap());
        let error = |span: (f64, f64), steps: usize| {
            let rest = |t: f64, y: &f64| rational(t, y) + 2.0 * y;
            let field = SemiLinear::new(Diagonal::new(vec![-2.0]).unwrap(), rest);
            let s = solve(field, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.0, 2.0), (2.0, 0.0)], error);
    }};
}

#[test]
fn exponential_time_differencing_has_its_order() {
    check_etd!(EtdRk2, 2.0, 80);
    check_etd!(EtdRk4, 4.0, 20);
    check_etd!(EtdRk4B, 4.0, 20);
}

macro_rules! check_rosenbrock {
    ($method:expr, $order:expr, $base:expr) => {{
        let error = |span: (f64, f64), steps: usize| {
            let s = solve(rotation, rotated(span.0), span).with($method).steps(steps);
            distance(&s.run().unwrap().y_end, &rotated(span.1))
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
        let error = |span: (f64, f64), steps: usize| {
            let exact = WithJacobian::new(rational, |t: f64, y: &f64| [[-2.0 * y * (1.0 + t)]]);
            let s = solve(exact, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base, 0.2, [(0.0, 2.0), (2.0, 0.0)], error);
    }};
}

#[test]
fn exponential_rosenbrock_methods_have_their_order() {
    check_rosenbrock!(Exprb32, 3.0, 20);
    check_rosenbrock!(Exprb43, 4.0, 20);
    check_rosenbrock!(Pexprb43, 4.0, 20);
}

/// The companions of the error estimates, as methods.
#[test]
fn embedded_methods_have_their_order() {
    #[derive(Debug, Clone, Copy)]
    struct Exprb32Companion;
    impl Method for Exprb32Companion {
        type Family = ExponentialRosenbrock;
    }
    impl ExponentialRosenbrockMethod for Exprb32Companion {
        const TABLEAU: ExponentialRosenbrockTableau =
            ExponentialRosenbrockTableau { step: &[], ..Exprb32::TABLEAU };
    }
    #[derive(Debug, Clone, Copy)]
    struct Exprb43Companion;
    impl Method for Exprb43Companion {
        type Family = ExponentialRosenbrock;
    }
    impl ExponentialRosenbrockMethod for Exprb43Companion {
        const TABLEAU: ExponentialRosenbrockTableau =
            ExponentialRosenbrockTableau { step: &[&[], &[], &[16.0, -2.0]], ..Exprb43::TABLEAU };
    }
    #[derive(Debug, Clone, Copy)]
    struct EtdRk2Companion;
    impl Method for EtdRk2Companion {
        type Family = Exponential;
    }
    impl ExponentialMethod for EtdRk2Companion {
        const TABLEAU: ExponentialTableau = ExponentialTableau {
            step: ansatz_ode::ExponentialStage { weights: &[&[1.0]], ..EtdRk2::TABLEAU.step },
            ..EtdRk2::TABLEAU
        };
    }
    check_rosenbrock!(Exprb32Companion, 2.0, 40);
    check_rosenbrock!(Exprb43Companion, 3.0, 20);
    check_etd!(EtdRk2Companion, 1.0, 200);
    // And the estimates are what lies between.
    assert_eq!(Exprb32::TABLEAU.error, Exprb32::TABLEAU.step);
    for tableau in [Exprb43::TABLEAU, Pexprb43::TABLEAU] {
        assert_eq!(tableau.error[3], tableau.step[3]);
        assert!(tableau.error[..3].iter().all(|weights| weights.is_empty()));
    }
    assert_eq!(EtdRk2::TABLEAU.error[1], EtdRk2::TABLEAU.step.weights[1]);
    assert!(EtdRk2::TABLEAU.error[0].is_empty());
}

#[test]
fn dense_output_is_a_cubic() {
    let error = |span: (f64, f64), steps: usize| {
        let field = SemiLinear::new(turn(), growth);
        let s = solve(field, rotated(span.0), span).with(EtdRk4B).steps(steps);
        let (_, dense) = s.adjoint(NoGradient).run_dense().unwrap();
        let s = solve(rotation, rotated(span.0), span).with(Exprb43).steps(steps);
        let (_, other) = s.adjoint(NoGradient).run_dense().unwrap();
        let at = |i: i32| span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
        let off = |t: f64| {
            let exact = rotated(t);
            distance(&dense.at(t).unwrap(), &exact) + distance(&other.at(t).unwrap(), &exact)
        };
        (0..=200).map(|i| off(at(i))).fold(0.0, f64::max)
    };
    check!("cubic", 4.0, 20, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
}

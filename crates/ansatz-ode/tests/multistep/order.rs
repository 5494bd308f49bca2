//! Errors follow the tolerance and the length of the steps.

#[cfg(feature = "stiff")]
use ansatz_ode::Bdf;
use ansatz_ode::{Adams, Save, solve};

/// The error follows the tolerance, and with a highest order of `k` the steps are as many as a
/// method of that order needs.
#[test]
fn errors_follow_the_tolerance() {
    // u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
    let field = |t: f64, y: &[f64; 2]| [t * y[0] - y[1], t * y[1] + y[0]];
    let size = |t: f64| (t * t / 2.0).exp();
    let exact = |t: f64| [size(t) * t.cos(), size(t) * t.sin()];
    for span in [(0.3, 1.8), (1.8, 0.3)] {
        // The largest that all steps' errors, one tolerance each, can grow to.
        let (start, end) = (size(span.0), size(span.1));
        let growth = end + end / start.min(end);
        macro_rules! check {
            ($method:expr, $order:expr, $loose:expr, $tight:expr) => {{
                let run = |tolerance: f64| {
                    let s = solve(field, exact(span.0), span)
                        .with($method)
                        .tolerance(tolerance, tolerance)
                        .save(Save::Steps)
                        .run()
                        .unwrap();
                    let e = exact(span.1);
                    let error = (s.y_end[0] - e[0]).abs().max((s.y_end[1] - e[1]).abs());
                    let steps = s.statistics.accepted as f64;
                    let what = format!("{:?} {span:?}: {error} in {steps}", $method);
                    assert!(error < steps * tolerance * growth, "{what}");
                    // The steps of the start are of lower orders.
                    let late = s.ts.iter().filter(|t| (*t - span.0).abs() > 0.75).count();
                    (error, late as f64)
                };
                let ((e0, n0), (e1, n1)) = (run($loose), run($tight));
                let order = (e0 / e1).ln() / (n1 / n0).ln();
                assert!((order - $order).abs() < 0.2, "{:?} {span:?}: {order}", $method);
                e1
            }};
        }
        #[cfg(feature = "stiff")]
        check!(Bdf { max_order: 1 }, 1.0, 1e-4, 1e-6);
        #[cfg(feature = "stiff")]
        check!(Bdf { max_order: 2 }, 2.0, 1e-6, 1e-9);
        #[cfg(feature = "stiff")]
        check!(Bdf { max_order: 3 }, 3.0, 1e-8, 1e-11);
        #[cfg(feature = "stiff")]
        check!(Bdf { max_order: 4 }, 4.0, 1e-9, 1e-12);
        #[cfg(feature = "stiff")]
        check!(Bdf { max_order: 5 }, 5.0, 1e-9, 1e-12);
        // The step is one order better than its error estimate: errors are like the tolerance.
        assert!(check!(Adams { max_order: 1 }, 2.0, 1e-5, 1e-7) < 5.0 * growth * 1e-7);
        assert!(check!(Adams { max_order: 2 }, 3.0, 1e-7, 1e-10) < 5.0 * growth * 1e-10);
        assert!(check!(Adams { max_order: 3 }, 4.0, 1e-8, 1e-11) < 5.0 * growth * 1e-11);
        assert!(check!(Adams { max_order: 4 }, 5.0, 1e-9, 1e-12) < 5.0 * growth * 1e-12);
    }
}

/// Steps of one length: the first is of order 1, so that the error is of order 2 at most.
#[test]
fn fixed_steps() {
    // exp(t)
    let field = |t: f64, y: &f64| 1.5 * y - 0.5 * y * y * (-t).exp();
    let exact = f64::exp;
    for span in [(0.0, 2.0), (2.0, 0.0)] {
        #[cfg(feature = "stiff")]
        for (k, order) in [(1, 1.0), (2, 2.0), (5, 2.0)] {
            let error = |n: usize| {
                let s = solve(field, exact(span.0), span).with(Bdf { max_order: k }).steps(n);
                let s = s.run().unwrap();
                assert_eq!(s.statistics.accepted, n);
                (s.y_end - exact(span.1)).abs()
            };
            let measured = (error(400) / error(800)).log2();
            assert!((measured - order).abs() < 0.2, "bdf {k} {span:?}: {measured}");
        }
        for (k, order) in [(1, 2.0), (2, 3.0), (6, 3.0)] {
            let error = |n: usize| {
                let s = solve(field, exact(span.0), span).with(Adams { max_order: k }).steps(n);
                (s.run().unwrap().y_end - exact(span.1)).abs()
            };
            let measured = (error(400) / error(800)).log2();
            assert!((measured - order).abs() < 0.2, "adams {k} {span:?}: {measured}");
        }
    }
}

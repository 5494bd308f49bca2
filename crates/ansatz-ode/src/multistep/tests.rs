//! Each order by itself, with exact starting values, on grids with steps of different lengths.

use super::{history::History, polynomial};
use crate::{Adams, Family, Made, Needs, Rms, Statistics, Stepper};

/// Lengths of steps that alternate, then a few in a row that grow or shrink.
fn lengths(count: usize) -> Vec<f64> {
    const PATTERN: [f64; 6] = [1.0, 1.25, 0.9, 0.8, 1.1, 0.95];
    let raw: Vec<f64> = (0..count).map(|i| PATTERN[i % 6]).collect();
    let sum: f64 = raw.iter().sum();
    raw.iter().map(|r| r / sum).collect()
}

/// The steps of order `k` from exact values; the largest error on the way.
fn adams_error(
    k: usize,
    count: usize,
    (t0, t1): (f64, f64),
    field: &impl Fn(f64, &f64) -> f64,
    exact: &impl Fn(f64) -> f64,
) -> f64 {
    let mut steps = <crate::AdamsBashforthMoulton as Family<Adams, _, f64>>::stepper(
        &Adams::default(),
        field,
        &0.0,
    )
    .unwrap();
    let (mut t, mut worst) = (t0, 0.0f64);
    let mut statistics = Statistics::default();
    let (mut y, mut y_new) = (exact(t0), 0.0);
    steps.history.next().clone_from(&field(t, &y));
    steps.history.restart();
    for (i, length) in lengths(count).into_iter().enumerate() {
        let h = length * (t1 - t0);
        let t_new = t + h;
        if i + 1 < k {
            y_new = exact(t_new);
            *steps.history.next() = field(t_new, &y_new);
        } else {
            steps.control.climb(k);
            steps.attempt::<Rms>(field, t, h, &y, &mut y_new, None, &mut statistics).unwrap();
            let made = Made { t0: t, y0: &y, t: t_new, y: &y_new };
            steps
                .complete(field, &made, Needs { next: true, inside: true }, &mut statistics)
                .unwrap();
            worst = worst.max((y_new - exact(t_new)).abs());
        }
        steps.history.advance(h);
        (t, y) = (t_new, y_new);
    }
    worst
}

/// y' = 3/2 y − y² exp(−t)/2: exp(t). All derivatives have one sign, so that the errors of the steps
/// add up and their slope is that of the order; errors grow like exp(t/2).
fn growing(t: f64, y: &f64) -> f64 {
    1.5 * y - 0.5 * y * y * (-t).exp()
}

#[test]
fn adams_has_its_order() {
    // The corrector is one order better than the predictor. From order 7 on rounding comes before
    // the slope: there only the exactness below tells.
    for k in 1..=6 {
        for span in [(0.0, 2.0), (2.0, 0.0)] {
            let error = |n: usize| adams_error(k, n, span, &growing, &f64::exp);
            let measured = (error(48) / error(96)).log2();
            let order = k as f64 + 1.0;
            assert!((measured - order).abs() < 0.2, "{k} {span:?}: {measured}");
        }
    }
}

#[test]
fn adams_is_exact_for_polynomials() {
    for k in 1..=12 {
        let field = |degree: i32| move |t: f64, _: &f64| f64::from(degree) * t.powi(degree - 1);
        let error = |degree: usize| {
            let d = degree as i32;
            adams_error(k, 24, (0.3, 1.3), &field(d), &|t: f64| t.powi(d))
        };
        for degree in 1..=k + 1 {
            assert!(error(degree) < 1e-11, "{k} {degree}: {}", error(degree));
        }
        // The error constants shrink with the order, but not below rounding.
        assert!(k > 8 || error(k + 2) > 1e-12, "{k}: {}", error(k + 2));
    }
}

/// After a discontinuity nothing that was before counts.
#[test]
fn restart_begins_with_order_one() {
    let field = |t: f64, y: &f64| t - y;
    let mut statistics = Statistics::default();
    macro_rules! check {
        ($family:ty, $method:expr) => {{
            let mut steps =
                <$family as Family<_, _, f64>>::stepper(&$method, &field, &0.0).unwrap();
            for _ in 0..6 {
                steps.history.advance(0.1);
            }
            steps.control.climb(5);
            assert_eq!((steps.control.order, steps.history.count() > 5), (5, true));
            steps.restart(&field, 0.6, &0.3, &mut statistics).unwrap();
            assert_eq!((steps.control.order, steps.history.count()), (1, 1));
        }};
    }
    check!(crate::AdamsBashforthMoulton, Adams::default());
    #[cfg(feature = "stiff")]
    check!(crate::BackwardDifferentiation, crate::Bdf::default());
}

/// Merged points leave a history that is exact as well.
#[test]
fn slivers_are_merged() {
    let mut history = History::new(&0.0, 4);
    *history.next() = 0.0;
    history.restart();
    let mut t = 0.0;
    for h in [1.0, 1.0, 1e-9, 1.0] {
        t += h;
        *history.next() = t;
        if history.is_sliver(h) { history.advance_merging(h) } else { history.advance(h) }
    }
    assert_eq!(history.count(), 4);
    let places = history.positions(1.0);
    assert_eq!(history.slots()[0], 0.0);
    for (place, want) in places.iter().zip([t, t - 1.0, 1.0, 0.0]) {
        assert!((t + 1.0 + place - want).abs() < 1e-15, "{places:?}");
    }
    let weights = polynomial::value_at(&places[..4], 0.0);
    let weights = history.weights(&weights[..4], 0.0);
    let value: f64 = weights.iter().zip(history.slots()).map(|(w, v)| w * v).sum();
    assert!((value - (t + 1.0)).abs() < 1e-13, "{value}");
}

#[cfg(feature = "stiff")]
mod bdf {
    use super::{Family, Made, Needs, Rms, Statistics, Stepper, growing, lengths};
    use crate::{BackwardDifferentiation, Bdf, Interpolates};

    fn error(
        k: usize,
        count: usize,
        (t0, t1): (f64, f64),
        field: &impl Fn(f64, &f64) -> f64,
        exact: &impl Fn(f64) -> f64,
    ) -> (f64, f64) {
        let mut steps =
            <BackwardDifferentiation as Family<Bdf, _, f64>>::stepper(&Bdf::default(), field, &0.0)
                .unwrap();
        let (mut t, mut worst, mut inside) = (t0, 0.0f64, 0.0f64);
        let mut statistics = Statistics::default();
        let (mut y, mut y_new) = (exact(t0), 0.0);
        steps.restart(field, t, &y, &mut statistics).unwrap();
        for (i, length) in lengths(count).into_iter().enumerate() {
            let h = length * (t1 - t0);
            let t_new = t + h;
            if i < k {
                y_new = exact(t_new);
                *steps.history.next() = y_new;
            } else {
                steps.control.climb(k);
                steps.attempt::<Rms>(field, t, h, &y, &mut y_new, None, &mut statistics).unwrap();
                let made = Made { t0: t, y0: &y, t: t_new, y: &y_new };
                let needs = Needs { next: true, inside: true };
                steps.complete(field, &made, needs, &mut statistics).unwrap();
                worst = worst.max((y_new - exact(t_new)).abs());
                for theta in [0.0, 0.3, 0.7, 1.0] {
                    let mut out = 0.0;
                    steps.interpolate(theta, &y, &y_new, &mut out).unwrap();
                    inside = inside.max((out - exact(t + theta * h)).abs());
                    assert!(theta != 0.0 || (out - y).abs() < 1e-13);
                    assert!(theta != 1.0 || (out - y_new).abs() < 1e-13);
                }
            }
            steps.history.advance(h);
            (t, y) = (t_new, y_new);
        }
        (worst, inside)
    }

    #[test]
    fn every_order() {
        for k in 1..=5 {
            for span in [(0.0, 2.0), (2.0, 0.0)] {
                let (coarse, inside) = error(k, 96, span, &growing, &f64::exp);
                let (fine, inside_fine) = error(k, 192, span, &growing, &f64::exp);
                for measured in [(coarse / fine).log2(), (inside / inside_fine).log2()] {
                    assert!((measured - k as f64).abs() < 0.2, "{k} {span:?}: {measured}");
                }
            }
        }
    }

    #[test]
    fn exact_for_polynomials() {
        for k in 1..=5 {
            let error = |degree: usize| {
                let d = degree as i32;
                let field = move |t: f64, _: &f64| f64::from(d) * t.powi(d - 1);
                error(k, 24, (0.3, 1.3), &field, &|t: f64| t.powi(d)).0
            };
            for degree in 1..=k {
                assert!(error(degree) < 1e-12, "{k} {degree}: {}", error(degree));
            }
            assert!(error(k + 1) > 1e-7, "{k}: {}", error(k + 1));
        }
    }
}

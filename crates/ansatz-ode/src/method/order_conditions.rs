//! Order conditions of every tableau and of its dense output, checked on their own numbers.

use super::{
    Bosh3, Bs5, CarpenterKennedy54, Dop853, Dopri5, Dopri8, Euler, Feagin10, Heun, Midpoint,
    RDPK3SpFSAL35, RDPK3SpFSAL49, Ralston, Rk4, SspRk22, SspRk33, SspRk43, SspRk54, SspRk104,
    Tsit5, Vern6, Vern7, Vern8, Vern9, Williamson33,
    trees::{Tree, elementary_weights, trees},
};
use crate::{ExplicitRungeKutta, LowStorageRungeKutta, Recurrence};

/// A coefficient of the true solution that a method of lower order misses is missed by more than
/// this; by less, it is rounding of one that is met.
const MISSED: f64 = 1e-8;

/// The conditions on weights over the stages of a method, up to one order above its own.
struct Conditions {
    trees: Vec<Tree>,
    phi: Vec<Vec<f64>>,
    /// Largest error of a condition that counts as met.
    tolerance: f64,
}

impl Conditions {
    fn new(a: &[Vec<f64>], c: &[f64], order: u32, tolerance: f64) -> Self {
        for (row, c) in a.iter().zip(c) {
            let (sum, size) = row.iter().fold((0.0, 0.0), |(s, n), a| (s + a, n + a.abs()));
            assert!((sum - c).abs() <= 1e-15 * f64::max(size, 1.0), "row sum {sum} against {c}");
        }
        let trees = trees(order + 1);
        let phi = elementary_weights(&trees, a);
        Self { trees, phi, tolerance }
    }

    /// Weights `w` at `theta` are of this order and of no higher one.
    fn check(&self, what: &str, w: &[f64], theta: f64, order: u32) {
        let error = |n: u32| {
            let trees = self.trees.iter().zip(&self.phi).filter(|(tree, _)| tree.order == n);
            trees
                .map(|(tree, phi)| {
                    let sum: f64 = w.iter().zip(phi).map(|(w, p)| w * p).sum();
                    (sum - theta.powi(n as i32) / tree.density).abs()
                })
                .fold(0.0, f64::max)
        };
        let met = (1..=order).map(error).fold(0.0, f64::max);
        assert!(met <= self.tolerance, "{what}: order {order} is missed by {met:e}");
        let next = error(order + 1);
        assert!(next > MISSED, "{what}: order {} is met, to {next:e}", order + 1);
    }
}

fn check<M: ExplicitRungeKutta>(dense_order: u32, tolerance: f64) {
    let name = std::any::type_name::<M>();
    let t = &M::TABLEAU;
    assert!(t.is_well_formed() && t.takes(M::SECOND_ESTIMATE), "{name}");
    let (stages, slopes) = (t.stages(), t.slopes());
    let mut a: Vec<Vec<f64>> = t.a.iter().map(|row| row.to_vec()).collect();
    let mut c = t.c.to_vec();
    // Dense output may use the derivative at the end of the step: one more stage.
    a.push(t.b.to_vec());
    c.push(1.0);
    a.extend(t.extra.iter().map(|stage| stage.a.to_vec()));
    c.extend(t.extra.iter().map(|stage| stage.c));
    let conditions = Conditions::new(&a, &c, t.order, tolerance);
    conditions.check(&format!("{name}, step"), t.b, 1.0, t.order);
    let embedded =
        |error: &[f64]| -> Vec<f64> { t.b.iter().zip(error).map(|(b, e)| b - e).collect() };
    if t.has_error_estimate() {
        conditions.check(&format!("{name}, embedded"), &embedded(t.error), 1.0, t.embedded_order);
    }
    if let Some(second) = M::SECOND_ESTIMATE {
        conditions.check(&format!("{name}, second"), &embedded(second.error), 1.0, second.order);
    }
    let weights = |theta: f64| {
        let mut w = vec![1.0; slopes];
        M::dense_weights(theta, &mut w);
        w
    };
    for theta in [0.1, 0.25, 0.5, 0.77, 0.9] {
        let what = format!("{name}, dense output at {theta}");
        conditions.check(&what, &weights(theta), theta, dense_order);
    }
    // It must join the steps, with its derivative.
    assert!(weights(0.0).iter().all(|w| w.abs() < 1e-15), "{name}: {:?}", weights(0.0));
    let close = |w: &[f64], wanted: &[f64]| {
        w.iter().zip(wanted).all(|(w, v)| (w - v).abs() <= 1e-14 * v.abs().max(1.0))
    };
    let mut b = t.b.to_vec();
    b.resize(slopes, 0.0);
    assert!(close(&weights(1.0), &b), "{name}: {:?} against {b:?}", weights(1.0));
    let unit = |at: usize| (0..slopes).map(|i| f64::from(i == at)).collect::<Vec<f64>>();
    let near = |w: &[f64], wanted: &[f64]| w.iter().zip(wanted).all(|(w, v)| (w - v).abs() < 1e-9);
    let smooth = near(&slope_at_end(&weights, 0.0), &unit(0))
        && [stages - 1, stages].iter().enumerate().any(|(i, &last)| {
            (i == 1 || t.first_same_as_last()) && near(&slope_at_end(&weights, 1.0), &unit(last))
        });
    assert!(smooth, "{name}: dense output has kinks between steps");
}

/// The derivative at `end`, 0 or 1, of polynomials of degree at most 10: through their values at
/// Chebyshev points (C. Canuto et al., *Spectral Methods*, 1988, eq. 2.4.31).
fn slope_at_end(weights: &impl Fn(f64) -> Vec<f64>, end: f64) -> Vec<f64> {
    const N: i32 = 10;
    let sign = 1.0 - 2.0 * end;
    let node = |k: i32| (std::f64::consts::PI * f64::from(k) / f64::from(N)).cos();
    // At the node 1 of [−1, 1], which is the end; twice, for the shorter interval.
    let own = weights(end).into_iter().map(|w| w * f64::from(2 * N * N + 1) / 3.0);
    let mut sum: Vec<f64> = own.collect();
    for k in 1..=N {
        let share = if k == N { 1.0 } else { 2.0 } * f64::from(1 - 2 * (k % 2)) / (1.0 - node(k));
        let theta = end + sign * 0.5 * (1.0 - node(k));
        for (s, w) in sum.iter_mut().zip(weights(theta)) {
            *s += 2.0 * share * w;
        }
    }
    sum.iter().map(|s| -sign * s).collect()
}

#[test]
fn tableaux_satisfy_their_order_conditions() {
    check::<Euler>(1, 1e-15);
    check::<Heun>(2, 1e-15);
    check::<Midpoint>(2, 1e-15);
    check::<Ralston>(2, 1e-15);
    check::<SspRk22>(2, 1e-15);
    check::<Bosh3>(3, 1e-15);
    check::<SspRk33>(3, 1e-15);
    check::<SspRk43>(3, 1e-15);
    check::<Rk4>(3, 1e-15);
    check::<SspRk54>(3, 2e-15);
    check::<SspRk104>(3, 1e-15);
    check::<Bs5>(5, 1e-15);
    check::<Dopri5>(4, 1e-15);
    check::<Tsit5>(4, 2e-14);
    // The coefficients themselves, rounded, miss by as much where weights or rows are large.
    check::<Vern6>(6, 2e-10);
    check::<Vern7>(7, 1e-14);
    check::<Vern8>(8, 2e-12);
    check::<Vern9>(9, 2e-15);
    check::<Dopri8>(3, 3e-15);
    check::<Dop853>(7, 1e-14);
    check::<Feagin10>(3, 1e-15);
}

/// The tableau of a low-storage method: every register is the state before the step and a sum of
/// slopes.
fn check_low_storage<M: LowStorageRungeKutta>(tolerance: f64) {
    let name = std::any::type_name::<M>();
    let m = &M::COEFFICIENTS;
    assert!(m.is_well_formed(), "{name}");
    let stages = m.stages();
    // The last entry is the share of the state.
    let combine = |terms: &[(f64, &Vec<f64>)]| -> Vec<f64> {
        (0..=stages).map(|j| terms.iter().map(|(c, x)| c * x[j]).sum()).collect()
    };
    let unit = |at: usize| (0..=stages).map(|j| f64::from(j == at)).collect::<Vec<f64>>();
    let y = unit(stages);
    let (mut u, mut v) = (y.clone(), vec![0.0; stages + 1]);
    let mut a = Vec::new();
    for i in 0..stages {
        assert!((u[stages] - 1.0).abs() < tolerance, "{name}: the share of y is {}", u[stages]);
        a.push(u[..stages].to_vec());
        match m.recurrence {
            Recurrence::TwoN { a, b } => {
                v = combine(&[(a[i], &v), (1.0, &unit(i))]);
                u = combine(&[(1.0, &u), (b[i], &v)]);
            }
            Recurrence::ThreeS { gamma, delta, beta } => {
                v = combine(&[(1.0, &v), (delta[i], &u)]);
                let [g1, g2, g3] = gamma[i];
                u = combine(&[(g1, &u), (g2, &v), (g3, &y), (beta[i], &unit(i))]);
            }
        }
    }
    assert!((u[stages] - 1.0).abs() < tolerance, "{name}: the share of y is {}", u[stages]);
    let b = u[..stages].to_vec();
    a.push(b.clone());
    let c: Vec<f64> = m.c.iter().copied().chain([1.0]).collect();
    let conditions = Conditions::new(&a, &c, m.order, tolerance);
    conditions.check(&format!("{name}, step"), &b, 1.0, m.order);
    if let Some(embedded) = m.embedded {
        let weights: Vec<f64> =
            b.iter().chain(&[0.0]).zip(embedded.error).map(|(b, e)| b - e).collect();
        conditions.check(&format!("{name}, embedded"), &weights, 1.0, embedded.order);
    }
}

#[test]
fn low_storage_methods_satisfy_their_order_conditions() {
    check_low_storage::<Williamson33>(1e-15);
    check_low_storage::<CarpenterKennedy54>(1e-15);
    check_low_storage::<RDPK3SpFSAL35>(1e-15);
    check_low_storage::<RDPK3SpFSAL49>(5e-15);
}

#[test]
fn first_same_as_last_is_recognised() {
    assert!(Tsit5::TABLEAU.first_same_as_last());
    assert!(Dopri5::TABLEAU.first_same_as_last());
    assert!(Bosh3::TABLEAU.first_same_as_last());
    assert!(Bs5::TABLEAU.first_same_as_last());
    assert!(Vern6::TABLEAU.first_same_as_last());
    assert!(!Vern7::TABLEAU.first_same_as_last());
    assert!(!Dop853::TABLEAU.first_same_as_last());
    assert!(!Rk4::TABLEAU.first_same_as_last());
    assert!(!Heun::TABLEAU.first_same_as_last());
    assert!(!Euler::TABLEAU.first_same_as_last());
}

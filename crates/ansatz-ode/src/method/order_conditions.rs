//! Order conditions of every tableau and of its dense output, checked on their own numbers.

use super::{Bosh3, Dopri5, Euler, Heun, Midpoint, Rk4, Tsit5};
use crate::ExplicitRungeKutta;

/// The elementary weights of the rooted trees up to order 5, each with its order and density
/// (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, table II.2.2): a method of order p has
/// `Σ bᵢ Φᵢ = 1/γ` for all trees of order ≤ p.
fn trees(a: &[Vec<f64>], c: &[f64]) -> Vec<(u32, f64, Vec<f64>)> {
    let n = c.len();
    let apply = |v: &[f64]| -> Vec<f64> {
        (0..n).map(|i| a[i].iter().zip(v).map(|(a, v)| a * v).sum()).collect()
    };
    let times =
        |u: &[f64], v: &[f64]| -> Vec<f64> { u.iter().zip(v).map(|(a, b)| a * b).collect() };
    let one = vec![1.0; n];
    let c1 = c.to_vec();
    let c2 = times(&c1, &c1);
    let c3 = times(&c2, &c1);
    let c4 = times(&c3, &c1);
    let ac = apply(&c1);
    let ac2 = apply(&c2);
    let aac = apply(&ac);
    vec![
        (1, 1.0, one),
        (2, 2.0, c1.clone()),
        (3, 3.0, c2.clone()),
        (3, 6.0, ac.clone()),
        (4, 4.0, c3.clone()),
        (4, 8.0, times(&c1, &ac)),
        (4, 12.0, ac2.clone()),
        (4, 24.0, aac.clone()),
        (5, 5.0, c4),
        (5, 10.0, times(&c2, &ac)),
        (5, 20.0, times(&ac, &ac)),
        (5, 15.0, times(&c1, &ac2)),
        (5, 30.0, times(&c1, &aac)),
        (5, 20.0, apply(&c3)),
        (5, 40.0, apply(&times(&c1, &ac))),
        (5, 60.0, apply(&ac2)),
        (5, 120.0, apply(&aac)),
    ]
}

/// The order that weights `w` reach at `theta` on these stages.
fn order_of(w: &[f64], theta: f64, a: &[Vec<f64>], c: &[f64]) -> u32 {
    let failed = trees(a, c)
        .into_iter()
        .filter(|(order, density, phi)| {
            let sum: f64 = w.iter().zip(phi).map(|(w, p)| w * p).sum();
            (sum - theta.powi(*order as i32) / density).abs() > 2e-14
        })
        .map(|(order, ..)| order)
        .min();
    failed.map_or(5, |order| order - 1)
}

fn check<M: ExplicitRungeKutta>(dense_order: u32) {
    let t = &M::TABLEAU;
    let stages = t.stages();
    assert_eq!((t.c.len(), t.a.len()), (stages, stages));
    let mut a: Vec<Vec<f64>> = t.a.iter().map(|row| row.to_vec()).collect();
    let mut c = t.c.to_vec();
    for (i, row) in a.iter().enumerate() {
        assert_eq!(row.len(), i, "row {i} of the matrix");
        let sum: f64 = row.iter().sum();
        assert!((sum - c[i]).abs() < 2e-15, "row sum {i}: {sum} against {}", c[i]);
    }
    assert_eq!(order_of(t.b, 1.0, &a, &c), t.order, "order of the step");
    if !t.error.is_empty() {
        let embedded: Vec<f64> = t.b.iter().zip(t.error).map(|(b, e)| b - e).collect();
        assert_eq!(order_of(&embedded, 1.0, &a, &c), t.embedded_order, "embedded order");
    }
    // Dense output may use the derivative at the end of the step: one more stage.
    a.push(t.b.to_vec());
    c.push(1.0);
    for theta in [0.1, 0.25, 0.5, 0.77, 0.9] {
        let mut w = vec![0.0; stages + 1];
        M::dense_weights(theta, &mut w);
        assert_eq!(order_of(&w, theta, &a, &c), dense_order, "dense output at {theta}");
    }
    // It must join the steps continuously.
    let mut w = vec![1.0; stages + 1];
    M::dense_weights(0.0, &mut w);
    assert!(w.iter().all(|w| w.abs() < 1e-15));
    M::dense_weights(1.0, &mut w);
    for (w, b) in w.iter().zip(t.b.iter().chain(&[0.0])) {
        assert!((w - b).abs() < 3e-15, "{w} against {b}");
    }
}

#[test]
fn tableaux_satisfy_their_order_conditions() {
    check::<Euler>(1);
    check::<Heun>(2);
    check::<Midpoint>(2);
    check::<Bosh3>(3);
    check::<Rk4>(3);
    check::<Dopri5>(4);
    check::<Tsit5>(4);
}

#[test]
fn first_same_as_last_is_recognised() {
    assert!(Tsit5::TABLEAU.first_same_as_last());
    assert!(Dopri5::TABLEAU.first_same_as_last());
    assert!(Bosh3::TABLEAU.first_same_as_last());
    assert!(!Rk4::TABLEAU.first_same_as_last());
    assert!(!Heun::TABLEAU.first_same_as_last());
    assert!(!Euler::TABLEAU.first_same_as_last());
}

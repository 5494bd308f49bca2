//! Algebraic multigrid where a coarse space has less in it than it might: candidates that vanish or
//! depend on each other, parts that shrink to one unknown, matrices with nothing strong.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; helpers are shared with other files")]

mod common;

use ansatz_linalg::{
    Aggregation, Cg, Error, Iterative, LinearOperator, LinearSolver, Properties,
    SmoothedAggregation, Sparse,
};
use common::{poisson, sparse, wave};

fn iterations(a: &Sparse, m: &SmoothedAggregation, x: &Vec<f64>) -> usize {
    let b = a.apply(x).unwrap();
    Iterative::new(Cg).preconditioner(m).relative(1e-8).solve(a, &b).unwrap().iterations()
}

/// Two grids that know nothing of each other, unknowns side by side.
fn interleaved(n: usize) -> Sparse {
    let mut entries = Vec::new();
    for (i, j, a) in poisson(n).as_csr().triplet_iter() {
        entries.extend([(2 * i, 2 * j, *a), (2 * i + 1, 2 * j + 1, *a)]);
    }
    sparse(2 * n * n, 2 * n * n, &entries)
}

#[test]
fn candidates_that_vanish_or_depend_on_each_other() {
    let a = interleaved(30);
    let n = a.shape()[0];
    let alternating = |k: usize| (0..n).map(|i| f64::from(i % 2 == k)).collect::<Vec<f64>>();
    let half = (0..n).map(|i| f64::from(2 * i < n)).collect();
    let ones = vec![1.0; n];
    let sets = [
        vec![alternating(0), alternating(1)],
        vec![ones.clone(), ones.clone()],
        vec![ones.clone(), half],
    ];
    for candidates in &sets {
        let m = SmoothedAggregation::with(&a, &Aggregation::default(), candidates).unwrap();
        assert!(m.sizes().len() > 1, "{:?}", m.sizes());
        let count = iterations(&a, &m, &wave(n, 0.3));
        assert!(count <= 20, "{count}");
    }
}

/// A network whose nodes only exchange: singular, constants on each of its parts in the kernel.
fn network(nodes: usize, edges: impl Iterator<Item = [usize; 2]>) -> Sparse {
    let entries = edges.flat_map(|[i, j]| {
        // No binary fractions, so that zero is what rounding leaves.
        let a = 1.0 / (3.0 + ((i + 2 * j) % 7) as f64);
        [(i, j, -a), (j, i, -a), (i, i, a), (j, j, a)]
    });
    let entries: Vec<_> = entries.collect();
    sparse(nodes, nodes, &entries)
}

#[test]
fn parts_that_shrink_to_one_unknown() {
    let n = 40;
    let grid = move || {
        (0..n * n).flat_map(move |k| {
            let right = (k % n + 1 < n).then_some([k, k + 1]);
            let below = (k + n < n * n).then_some([k, k + n]);
            [right, below].into_iter().flatten()
        })
    };
    // Three in a row beside the grid are one aggregate, and what they have left is rounding.
    let rows = (n * n..).step_by(3).take(30).flat_map(|k| [[k, k + 1], [k + 1, k + 2]]);
    let a = network(n * n + 90, grid().chain(rows));
    let m = SmoothedAggregation::new(&a).unwrap();
    let count = iterations(&a, &m, &wave(n * n + 90, 0.3));
    assert!(count <= 20, "{count}");
    // So is the whole grid in the end.
    let a = network(n * n, grid());
    let one = Aggregation { coarsest: 1, ..Aggregation::default() };
    let m = SmoothedAggregation::with(&a, &one, &[]).unwrap();
    let count = iterations(&a, &m, &wave(n * n, 0.3));
    assert!(count <= 25, "{count} {:?}", m.sizes());
    // And as a whole, where it is factorised sparsely.
    let whole = Aggregation { coarsest: 2000, ..Aggregation::default() };
    let m = SmoothedAggregation::with(&a, &whole, &[]).unwrap();
    assert_eq!(m.sizes(), [n * n]);
    let count = iterations(&a, &m, &wave(n * n, 0.3));
    assert!(count <= 4, "{count}");
}

/// What is negative by more than rounding is no part that stands for nothing.
#[test]
fn indefinite_matrices_are_refused() {
    let a = poisson(60);
    let values = a.as_csr().triplet_iter().map(|(i, j, a)| a - 2.0 * f64::from(i == j));
    let a = a.with_values(values.collect()).unwrap();
    let one = Aggregation { coarsest: 1, ..Aggregation::default() };
    for config in [Aggregation::default(), one] {
        let refused = SmoothedAggregation::with(&a, &config, &[]);
        assert!(matches!(refused, Err(Error::NotPositiveDefinite { .. })));
    }
}

/// With nothing strong a sweep is as good as a solve, and a factorisation would not fit in memory.
#[test]
fn matrices_with_nothing_strong() {
    let n = 200;
    let a = poisson(n);
    let values = a.as_csr().triplet_iter().map(|(i, j, a)| f64::from(i == j) + 0.01 * a);
    let a = a.with_values(values.collect()).unwrap();
    let m = SmoothedAggregation::new(&a).unwrap();
    assert_eq!(m.sizes(), [n * n, 0]);
    let count = iterations(&a, &m, &wave(n * n, 0.3));
    assert!(count <= 6, "{count}");
}

#[test]
fn symmetric_but_for_rounding() {
    let a = poisson(30);
    let with = |part: f64| {
        let values = a.as_csr().triplet_iter();
        let values = values.map(|(i, j, a)| if i > j { a * (1.0 + part) } else { *a });
        SmoothedAggregation::new(&a.with_values(values.collect()).unwrap())
    };
    assert_eq!(with(1e-14).unwrap().properties(), Properties::SPD);
    let Err(Error::InvalidArgument { value, .. }) = with(1e-3) else { panic!("not symmetric") };
    assert!(value.contains("(0, 1)"), "{value}");
    // An entry without one across the diagonal.
    let one_sided = sparse(2, 2, &[(0, 0, 2.0), (0, 1, 1.0), (1, 1, 2.0)]);
    assert!(matches!(SmoothedAggregation::new(&one_sided), Err(Error::InvalidArgument { .. })));
    let one_sided = sparse(2, 2, &[(0, 0, 2.0), (1, 0, 1.0), (1, 1, 2.0)]);
    assert!(matches!(SmoothedAggregation::new(&one_sided), Err(Error::InvalidArgument { .. })));
}

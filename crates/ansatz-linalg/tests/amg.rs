//! Algebraic multigrid: iterations that hardly grow, on grids, meshes, jumps and elasticity.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use ansatz_linalg::{
    Aggregation, Cg, Dense, Error, Iterative, LinearOperator, LinearSolver, Richardson,
    SmoothedAggregation, Sparse, Vector,
    nalgebra_sparse::{CooMatrix, CsrMatrix},
    to_dense,
};
use common::{grid, poisson, residual, wave};

fn iterations(a: &Sparse, m: &SmoothedAggregation, b: &Vec<f64>) -> usize {
    iterations_to(1e-10, a, m, b)
}

fn iterations_to(tolerance: f64, a: &Sparse, m: &SmoothedAggregation, b: &Vec<f64>) -> usize {
    let solver = Iterative::new(Cg).preconditioner(m).relative(tolerance);
    let solution = solver.solve(a, b).unwrap();
    assert!(residual(a, b, &solution.x) <= solution.target);
    solution.iterations()
}

fn right(n: usize) -> Vec<f64> {
    (0..n).map(|i| (0.37 * i as f64).cos() + 0.2).collect()
}

fn poisson3(n: usize) -> Sparse {
    let mut entries = CooMatrix::new(n * n * n, n * n * n);
    for row in 0..n * n * n {
        entries.push(row, row, 6.0);
        for (stride, at) in [(n * n, row / (n * n)), (n, row / n % n), (1, row % n)] {
            if at + 1 < n {
                entries.push(row, row + stride, -1.0);
                entries.push(row + stride, row, -1.0);
            }
        }
    }
    Sparse::from_coo(&entries).unwrap()
}

/// A matrix from an edge list with weights, plus a diagonal.
fn network(n: usize, edges: &[(usize, usize, f64)], shift: f64) -> Sparse {
    let mut entries = CooMatrix::new(n, n);
    for (i, j, weight) in edges {
        for (i, j) in [(*i, *j), (*j, *i)] {
            entries.push(i, j, -weight);
            entries.push(i, i, *weight);
        }
    }
    (0..n).for_each(|i| entries.push(i, i, shift));
    Sparse::from_coo(&entries).unwrap()
}

#[test]
fn iterations_hardly_depend_on_the_size() {
    let count = |a: Sparse| {
        let m = SmoothedAggregation::new(&a).unwrap();
        assert!(m.operator_complexity() < 1.7, "{}", m.operator_complexity());
        assert!(*m.sizes().last().unwrap() <= 300);
        iterations(&a, &m, &right(a.as_csr().nrows()))
    };
    let flat: Vec<usize> = [40, 80, 160, 320].map(|n| count(poisson(n))).into();
    assert!(flat.iter().all(|n| *n <= 15) && flat[3] <= flat[0] + 4, "{flat:?}");
    let solid: Vec<usize> = [12, 24, 40].map(|n| count(poisson3(n))).into();
    assert!(solid.iter().all(|n| *n <= 15) && solid[2] <= solid[0] + 4, "{solid:?}");
    // By itself, without conjugate gradients.
    let a = poisson(80);
    let m = SmoothedAggregation::new(&a).unwrap();
    let alone = Iterative::new(Richardson::default()).preconditioner(&m).relative(1e-10);
    let alone = alone.solve(&a, &right(6400)).unwrap();
    assert!(alone.iterations() < 45, "{}", alone.iterations());
    // More cycles on the coarse levels do not harm.
    let w = Aggregation { cycles: 2, ..Aggregation::default() };
    let w = SmoothedAggregation::with(&a, &w, &[]).unwrap();
    assert!(iterations(&a, &w, &right(6400)) <= iterations(&a, &m, &right(6400)));
}

#[test]
fn difficult_coefficients() {
    // Couplings a thousand times weaker along one axis: aggregates must follow the strong ones.
    let stretched = grid(120, |i, j, push| {
        push(i, j, 2.002);
        push(i, j - 1, -1.0);
        push(i, j + 1, -1.0);
        push(i - 1, j, -0.001);
        push(i + 1, j, -0.001);
    });
    let b = right(14_400);
    let follows = iterations(&stretched, &SmoothedAggregation::new(&stretched).unwrap(), &b);
    let blind = Aggregation { strength: 0.0, ..Aggregation::default() };
    let blind = SmoothedAggregation::with(&stretched, &blind, &[]).unwrap();
    let blind = iterations(&stretched, &blind, &b);
    assert!(follows <= 25 && 2 * follows < blind, "{follows} {blind}");
    // A board of squares whose conductivity jumps by six orders of magnitude.
    let n = 96;
    let k = |i: i64, j: i64| if (i / 12 + j / 12) % 2 == 0 { 1.0 } else { 1e6 };
    let jumps = grid(n, |i, j, push| {
        let mut sum = 0.0;
        for (k_i, k_j) in [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)] {
            let weight = 2.0 * k(i, j) * k(k_i, k_j) / (k(i, j) + k(k_i, k_j));
            push(k_i, k_j, -weight);
            sum += weight;
        }
        push(i, j, sum);
    });
    // Rounding leaves 10⁻⁸ of the right-hand side: entries of 10⁶, solutions of 10².
    let m = SmoothedAggregation::new(&jumps).unwrap();
    let count = iterations_to(1e-7, &jumps, &m, &right(n * n));
    assert!(count <= 30, "{count}");
    // A network without any grid: points without a pattern, coupled to all within a distance.
    let points: Vec<[f64; 2]> = wave(4000, 0.1).chunks(2).map(|p| [p[0], p[1]]).collect();
    let mut edges = Vec::new();
    for (i, p) in points.iter().enumerate() {
        for (j, q) in points.iter().enumerate().take(i) {
            let distance = (p[0] - q[0]).hypot(p[1] - q[1]);
            if distance < 0.08 {
                edges.push((i, j, 1.0 / (0.01 + distance)));
            }
        }
    }
    let mesh = network(points.len(), &edges, 1e-3);
    let count = iterations(&mesh, &SmoothedAggregation::new(&mesh).unwrap(), &right(points.len()));
    // PyAMG 5.4 takes 26, with twice the sweeps.
    assert!(count <= 30, "{count}");
}

/// Plane stress on n × n bilinear squares, clamped at the left: two unknowns per point.
fn elasticity(n: usize) -> (Sparse, Vec<Vec<f64>>) {
    let (young, poisson) = (1.0, 0.3);
    let factor = young / (1.0 - poisson * poisson);
    let law = [
        [factor, factor * poisson, 0.0],
        [factor * poisson, factor, 0.0],
        [0.0, 0.0, factor * (1.0 - poisson) / 2.0],
    ];
    let mut element = [[0.0f64; 8]; 8];
    let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0f64]];
    for gauss in corners.map(|c| c.map(|x| x / 3f64.sqrt())) {
        let mut strain = [[0.0; 8]; 3];
        for (k, c) in corners.iter().enumerate() {
            let dx = 0.25 * c[0] * (1.0 + c[1] * gauss[1]);
            let dy = 0.25 * c[1] * (1.0 + c[0] * gauss[0]);
            strain[0][2 * k] = dx;
            strain[1][2 * k + 1] = dy;
            strain[2][2 * k] = dy;
            strain[2][2 * k + 1] = dx;
        }
        for r in 0..8 {
            for c in 0..8 {
                for p in 0..3 {
                    for q in 0..3 {
                        element[r][c] += strain[p][r] * law[p][q] * strain[q][c];
                    }
                }
            }
        }
    }
    // Points (i, j) with i ≥ 1 are free.
    let unknown = |i: usize, j: usize| (i > 0).then(|| ((i - 1) * (n + 1) + j) * 2);
    let size = n * (n + 1) * 2;
    let mut entries = CooMatrix::new(size, size);
    for i in 0..n {
        for j in 0..n {
            let points =
                [(i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)].map(|(i, j)| unknown(i, j));
            for (r, row) in points.iter().enumerate() {
                for (c, column) in points.iter().enumerate() {
                    let (Some(row), Some(column)) = (row, column) else { continue };
                    for a in 0..2 {
                        for b in 0..2 {
                            entries.push(row + a, column + b, element[2 * r + a][2 * c + b]);
                        }
                    }
                }
            }
        }
    }
    // Two shifts and a turn.
    let mut rigid = vec![vec![0.0; size]; 3];
    for i in 1..=n {
        for j in 0..=n {
            let at = ((i - 1) * (n + 1) + j) * 2;
            (rigid[0][at], rigid[1][at + 1]) = (1.0, 1.0);
            (rigid[2][at], rigid[2][at + 1]) = (-(j as f64), i as f64);
        }
    }
    (Sparse::from_coo(&entries).unwrap(), rigid)
}

#[test]
fn rigid_motions_help_elasticity() {
    let (a, rigid) = elasticity(40);
    let b = right(a.as_csr().nrows());
    // Four levels, so that the motions must be right on the coarser ones as well.
    let config = Aggregation { coarsest: 60, ..Aggregation::default() };
    let m = SmoothedAggregation::with(&a, &config, &rigid).unwrap();
    assert_eq!(m.sizes().len(), 4, "{:?}", m.sizes());
    let with = iterations(&a, &m, &b);
    let without = iterations(&a, &SmoothedAggregation::with(&a, &config, &[]).unwrap(), &b);
    assert!(with <= 17 && 4 * with < without, "{with} {without}");
}

#[test]
fn symmetric_positive_and_repeatable() {
    for a in [poisson(25), elasticity(12).0] {
        let n = a.as_csr().nrows();
        let config = Aggregation { coarsest: 20, ..Aggregation::default() };
        let m = SmoothedAggregation::with(&a, &config, &[]).unwrap();
        assert!(m.sizes().len() > 1, "{:?}", m.sizes());
        let dense = to_dense(&m).unwrap();
        for i in 0..n {
            for j in 0..i {
                assert!((dense[(i, j)] - dense[(j, i)]).abs() < 1e-12 * dense[(i, i)].abs());
            }
        }
        assert!(ansatz_linalg::Cholesky::new(&Dense::new(dense).unwrap()).is_ok());
    }
    // More rows than one block, so that the sweeps run side by side.
    let a = poisson(300);
    let m = SmoothedAggregation::new(&a).unwrap();
    let (x, y) = (wave(90_000, 0.3), wave(90_000, 1.3));
    let (left, right) =
        (m.apply(&x).unwrap().inner(&y).unwrap(), m.apply(&y).unwrap().inner(&x).unwrap());
    assert!((left - right).abs() < 1e-10 * left.abs().max(1.0), "{left} {right}");
    let bits = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let m = SmoothedAggregation::new(&a).unwrap();
            m.apply(&x).unwrap().iter().map(|x| x.to_bits()).collect()
        })
    };
    assert_eq!(bits(1), bits(4));
    // Used by several threads at once.
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| m.apply(&x).unwrap())).collect();
        let first = m.apply(&x).unwrap();
        for other in all {
            assert_eq!(other.join().unwrap(), first);
        }
    });
}

#[test]
fn singular_and_decoupled_systems() {
    // Insulated: constants are mapped to zero.
    let n = 40;
    let mut edges = Vec::new();
    for i in 0..n {
        for j in 0..n {
            if i + 1 < n {
                edges.push((i * n + j, (i + 1) * n + j, 1.0));
            }
            if j + 1 < n {
                edges.push((i * n + j, i * n + j + 1, 1.0));
            }
        }
    }
    let a = network(n * n, &edges, 0.0);
    let mut b = right(n * n);
    let mean = b.iter().sum::<f64>() / b.len() as f64;
    for b in &mut b {
        *b -= mean;
    }
    let count = iterations(&a, &SmoothedAggregation::new(&a).unwrap(), &b);
    assert!(count <= 20, "{count}");
    // Unknowns by themselves, as boundary conditions leave them.
    let mut fixed = edges.clone();
    fixed.retain(|(i, j, _)| i % n > 0 && j % n > 0);
    let a = network(n * n, &fixed, 0.1);
    let count = iterations(&a, &SmoothedAggregation::new(&a).unwrap(), &right(n * n));
    assert!(count <= 20, "{count}");
    let diagonal = network(1000, &[], 2.0);
    let m = SmoothedAggregation::new(&diagonal).unwrap();
    assert_eq!(iterations(&diagonal, &m, &right(1000)), 1);
    // So small that it is factorised at once.
    let small = poisson(5);
    let m = SmoothedAggregation::new(&small).unwrap();
    assert_eq!((m.sizes(), iterations(&small, &m, &right(25))), (vec![25], 1));
}

#[test]
fn input_that_makes_no_sense() {
    let a = poisson(30);
    let defaults = Aggregation::default();
    for bad in [
        Aggregation { strength: -0.1, ..defaults },
        Aggregation { strength: 1.0, ..defaults },
        Aggregation { strength: f64::NAN, ..defaults },
        Aggregation { coarsest: 0, ..defaults },
        Aggregation { levels: 0, ..defaults },
        Aggregation { cycles: 0, ..defaults },
    ] {
        let failed = SmoothedAggregation::with(&a, &bad, &[]);
        assert!(matches!(failed, Err(Error::InvalidArgument { .. })), "{bad:?}");
    }
    let with = |candidates: &[Vec<f64>]| SmoothedAggregation::with(&a, &defaults, candidates);
    assert!(matches!(with(&[vec![1.0; 899]]), Err(Error::Size { .. })));
    assert!(matches!(with(&[vec![0.0; 900]]), Err(Error::InvalidArgument { .. })));
    assert!(matches!(with(&[vec![f64::NAN; 900]]), Err(Error::InvalidArgument { .. })));
    let wide = Sparse::new(CsrMatrix::zeros(3, 4)).unwrap();
    assert!(matches!(SmoothedAggregation::new(&wide), Err(Error::Size { .. })));
    let negative = Sparse::new(a.as_csr() * -1.0).unwrap();
    assert!(matches!(SmoothedAggregation::new(&negative), Err(Error::NotPositiveDefinite { .. })));
    let m = SmoothedAggregation::new(&a).unwrap();
    assert!(matches!(m.apply(&vec![1.0; 10]), Err(Error::Size { .. })));
}

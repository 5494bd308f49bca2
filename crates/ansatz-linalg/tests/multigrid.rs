//! Multigrid: cycles that do not depend on the grid, symmetry, singular problems, errors.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; helpers are shared with other files")]

mod common;
#[path = "common/elliptic.rs"]
mod elliptic;

use ansatz_linalg::{
    Boundary, Cg, Cycle, Diffusion, Error, Field, Iterative, LinearOperator, Multigrid,
    MultigridConfig, Outcome, Properties, Smoother, Stopping, SymmetricEigen, Vector, to_dense,
};
use common::{distance, wave};
use elliptic::{DN, ND, chessboard, problem, solution};

const D: Boundary = Boundary::DIRICHLET;
const N: Boundary = Boundary::NEUMANN;
const P: Boundary = Boundary::Periodic;
const TIGHT: Stopping = Stopping { relative: 1e-10, absolute: 0.0, iterations: 60 };

fn laplacian(points: &[usize], boundaries: &[Boundary]) -> Diffusion {
    let spacing: Vec<f64> = points.iter().map(|n| 1.0 / *n as f64).collect();
    Diffusion::laplacian(points, &spacing, boundaries).unwrap()
}

fn with_cells(points: &[usize], boundaries: &[Boundary], k: Vec<f64>) -> Diffusion {
    let spacing: Vec<f64> = points.iter().map(|n| 1.0 / *n as f64).collect();
    Diffusion::new(points, &spacing, boundaries, Field::Cells(k), Field::Constant(0.0)).unwrap()
}

/// Rough numbers, of zero mean.
fn rough(n: usize) -> Vec<f64> {
    let mut x: Vec<f64> =
        (0..n).map(|i| (0.5 + 1.3 * (i % 10007) as f64 + 0.7 * (i / 977) as f64).sin()).collect();
    // A single cell has no mean to lose.
    let mean = if n == 1 { 0.0 } else { x.iter().sum::<f64>() / n as f64 };
    for x in &mut x {
        *x -= mean;
    }
    x
}

/// Cycles for ten digits.
fn cycles(a: &Diffusion, config: MultigridConfig) -> usize {
    let u = rough(a.shape()[0]);
    let f = a.apply(&u).unwrap();
    let found = Multigrid::new(a, config).unwrap().run(&f, None, &TIGHT).unwrap();
    assert_eq!(found.outcome, Outcome::Converged, "{:?} {:?}", a.points(), found.residuals);
    let mut residual = a.apply(&found.x).unwrap();
    residual.iter_mut().zip(&f).for_each(|(r, f)| *r = f - *r);
    let relative = residual.norm2().unwrap() / f.norm2().unwrap();
    assert!(relative <= 1.1e-10, "{:?}: {relative}", a.points());
    found.iterations()
}

fn table(sizes: &[usize], make: impl Fn(usize) -> Diffusion) -> Vec<usize> {
    sizes.iter().map(|n| cycles(&make(*n), MultigridConfig::default())).collect()
}

fn independent(name: &str, counts: &[usize], most: usize) {
    let (least, largest) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    assert!(largest - least <= 2 && *largest <= most, "{name}: {counts:?}");
}

#[test]
fn the_number_of_cycles_does_not_depend_on_the_grid() {
    independent(
        "2-D, Dirichlet",
        &table(&[31, 63, 127, 255, 511], |n| laplacian(&[n, n], &[D, D])),
        9,
    );
    independent("2-D, even", &table(&[32, 50, 100, 128, 256], |n| laplacian(&[n, n], &[D, D])), 9);
    for (name, ends) in
        [("Neumann", [N, N]), ("periodic", [P, P]), ("mixed", [DN, P]), ("ND", [ND, N])]
    {
        independent(name, &table(&[64, 100, 128], |n| laplacian(&[n, n], &ends)), 10);
        // A periodic axis of odd length costs some more.
        independent(name, &table(&[31, 63, 127, 255], |n| laplacian(&[n, n], &ends)), 14);
    }
    independent("3-D", &table(&[15, 31, 63], |n| laplacian(&[n; 3], &[D; 3])), 13);
    independent("3-D, mixed", &table(&[16, 32, 48], |n| laplacian(&[n; 3], &[DN, P, DN])), 13);
    independent("3-D, Neumann", &table(&[32, 48, 64], |n| laplacian(&[n; 3], &[DN, P, N])), 14);
    independent("1-D", &table(&[15, 100, 4001], |n| laplacian(&[n], &[DN])), 3);
}

#[test]
fn nor_does_it_with_coefficients_that_jump() {
    let smooth = |n: usize, ends: [Boundary; 2]| {
        let k = laplacian(&[n, n], &ends)
            .cells(|x| (2.0 * (6.0 * x[0]).sin() * (9.0 * x[1]).cos()).exp());
        with_cells(&[n, n], &ends, k)
    };
    let inclusion = |n: usize, inside: f64, ends: [Boundary; 2]| {
        let radius = |x: &[f64]| (x[0] - 0.45).hypot(x[1] - 0.52);
        let k = laplacian(&[n, n], &ends).cells(|x| if radius(x) < 0.28 { inside } else { 1.0 });
        with_cells(&[n, n], &ends, k)
    };
    for ends in [[D, D], [P, DN], [ND, N]] {
        // A periodic axis of odd length, here or on a coarse grid, costs some more.
        let sizes = if ends[0] == P { &[32, 64, 128][..] } else { &[50, 51, 64, 100, 129] };
        independent("smooth", &table(sizes, |n| smooth(n, ends)), 12);
        for inside in [1e-6, 1e4] {
            independent("inclusion", &table(sizes, |n| inclusion(n, inside, ends)), 13);
        }
        independent(
            "7 × 7 fields",
            &table(sizes, |n| with_cells(&[n, n], &ends, chessboard(n, 7, 1e3))),
            13,
        );
    }
    let odd = table(&[33, 65, 129], |n| inclusion(n, 1e4, [P, D]));
    independent("odd and periodic", &odd, 15);
    let board = |n: usize| {
        let third = |i: usize| 3 * i / n;
        let dark = |i: usize| (third(i / (n * n)) + third(i / n % n) + third(i % n)) % 2 == 0;
        let k = (0..n * n * n).map(|i| if dark(i) { 1.0 } else { 1e3 }).collect();
        with_cells(&[n; 3], &[D, P, N], k)
    };
    independent("3-D", &table(&[15, 16, 31], board), 17);
}

#[test]
fn grids_of_any_size_and_shape() {
    for (points, spacing, boundaries) in [
        (&[1000, 37][..], &[1e-3, 0.1][..], &[D, D][..]),
        (&[100, 37], &[0.01, 0.01], &[D, D]),
        (&[1, 500], &[1.0, 0.002], &[D, D]),
        (&[3, 2, 400], &[0.1, 0.2, 0.01], &[P, N, D]),
        (&[5, 200, 20], &[0.01, 0.01, 0.3], &[D, P, N]),
        (&[40, 40], &[1.0, 1e-3], &[D, P]),
        (&[40, 41], &[1e-3, 1.0], &[N, P]),
        (&[50, 50], &[0.02, 0.02], &[N, N]),
        (&[2], &[1.0], &[D]),
        (&[2], &[1.0], &[N]),
        (&[200, 2], &[0.1, 0.1], &[D, N]),
        (&[3, 77], &[0.1, 0.1], &[N, N]),
        (&[1, 1, 1], &[1.0, 1.0, 1.0], &[D, N, P]),
    ] {
        let n = points.iter().product();
        let varying = wave(n, 0.2).iter().map(|x| 1.0 + 0.3 * x).collect();
        for (k, most) in [(Field::Constant(2.0), 12), (Field::Cells(varying), 15)] {
            let a = Diffusion::new(points, spacing, boundaries, k, Field::Constant(0.0)).unwrap();
            let count = cycles(&a, MultigridConfig::default());
            assert!(count <= most, "{points:?}: {count}");
        }
    }
}

#[test]
fn a_reaction_only_helps() {
    for c in [1.0, 1e3, 1e7] {
        let n = 48;
        let field = wave(n * n, 0.1).iter().map(|x| c * x * x).collect();
        for c in [Field::Constant(c), Field::Cells(field)] {
            let a = Diffusion::new(&[n, n], &[1.0 / 48.0; 2], &[N, P], Field::Constant(1.0), c)
                .unwrap();
            let count = cycles(&a, MultigridConfig::default());
            assert!(count <= 13, "{count}");
        }
    }
}

#[test]
fn every_smoother_and_cycle_converges() {
    let a = laplacian(&[64, 50], &[D, N]);
    let b =
        with_cells(&[64, 50], &[D, P], wave(3200, 0.0).iter().map(|x| (0.5 * x).exp()).collect());
    let jacobi = Smoother::Jacobi { damping: 0.8 };
    let chebyshev = Smoother::Chebyshev { degree: 3, lower: 0.25 };
    for (smoother, most) in [(Smoother::RedBlack, 16), (jacobi, 32), (chebyshev, 20)] {
        for cycle in [Cycle::V, Cycle::W, Cycle::F] {
            for (before, after) in [(1, 1), (2, 1), (0, 2), (2, 0)] {
                let config = MultigridConfig { cycle, smoother, before, after, full: before == 1 };
                for a in [&a, &b] {
                    let count = cycles(a, config);
                    assert!(count <= most, "{config:?}: {count}");
                }
            }
        }
    }
}

#[test]
fn a_cycle_is_symmetric_and_positive() {
    let smoothers = [
        Smoother::RedBlack,
        Smoother::Jacobi { damping: 0.7 },
        Smoother::Chebyshev { degree: 2, lower: 0.3 },
    ];
    let grids: [(&[usize], &[Boundary]); 6] = [
        (&[15, 9], &[D, D]),
        (&[13, 11], &[P, DN]),
        (&[11, 13], &[N, P]),
        (&[5, 7, 5], &[D, P, N]),
        (&[7, 6, 5], &[P, D, P]),
        (&[90], &[P]),
    ];
    for (points, boundaries) in grids {
        let n: usize = points.iter().product();
        let k = wave(n, 0.4).iter().map(|x| (3.0 * x).exp()).collect();
        for a in [laplacian(points, boundaries), with_cells(points, boundaries, k)] {
            for smoother in smoothers {
                for cycle in [Cycle::V, Cycle::W] {
                    let config = MultigridConfig { smoother, cycle, ..MultigridConfig::default() };
                    let m = Multigrid::new(&a, config).unwrap();
                    let matrix = to_dense(&m).unwrap();
                    let (mut largest, mut skew) = (0.0f64, 0.0f64);
                    for i in 0..n {
                        for j in 0..n {
                            largest = largest.max(matrix[(i, j)].abs());
                            skew = skew.max((matrix[(i, j)] - matrix[(j, i)]).abs());
                        }
                    }
                    assert!(skew <= 1e-12 * largest, "{points:?} {config:?}: {skew} of {largest}");
                    assert!(m.properties().symmetric);
                    let dense = ansatz_linalg::Dense::new(matrix.clone()).unwrap();
                    let values = SymmetricEigen::new(&dense).unwrap();
                    let least = values.values().iter().copied().fold(f64::INFINITY, f64::min);
                    if a.is_singular() {
                        // Constants are mapped to zero.
                        assert!(least > -1e-12 * largest, "{points:?} {config:?}: {least}");
                        assert!(!m.properties().positive_definite);
                    } else {
                        assert!(least > 0.0, "{points:?} {config:?}: {least}");
                        assert_eq!(m.properties().positive_definite, cycle == Cycle::V);
                    }
                }
            }
        }
    }
    let a = laplacian(&[20, 20], &[D, D]);
    for config in [
        MultigridConfig { cycle: Cycle::F, ..MultigridConfig::default() },
        MultigridConfig { before: 2, ..MultigridConfig::default() },
    ] {
        assert_eq!(Multigrid::new(&a, config).unwrap().properties(), Properties::NONE);
    }
}

#[test]
fn as_a_preconditioner_it_makes_conjugate_gradients_fast() {
    // Noise from cell to cell is hard for cycles alone.
    let n = 96;
    let k = (0..n * n).map(|i| (2.0 * f64::sin((i * i % 7919) as f64)).exp()).collect();
    for a in [with_cells(&[n, n], &[D, N], k), laplacian(&[n, n], &[N, P])] {
        let f = a.apply(&rough(n * n)).unwrap();
        let multigrid = Multigrid::new(&a, MultigridConfig::default()).unwrap();
        let cg = Iterative::new(Cg).preconditioner(&multigrid).relative(1e-10);
        let found = cg.run(&a, &f, None).unwrap();
        assert_eq!(found.outcome, Outcome::Converged);
        assert!(found.iterations() <= 20, "{}", found.iterations());
    }
}

#[test]
fn full_multigrid_reaches_the_accuracy_of_the_grid_in_one_pass() {
    let once = Stopping { iterations: 1, ..TIGHT };
    for (n, boundaries, swing) in [
        (32, &[D, D][..], 0.0),
        (64, &[D, D], 0.0),
        (128, &[D, D], 0.0),
        (128, &[DN, P], 0.0),
        (64, &[ND, DN], 0.4),
        (128, &[D, P], 0.4),
        (32, &[D, D, D], 0.0),
        (32, &[D, P, DN], 0.3),
    ] {
        let (a, f) = problem(&vec![n; boundaries.len()], boundaries, swing, 0.0).unwrap();
        let exact = a.cells(solution);
        let config = MultigridConfig { before: 2, ..MultigridConfig::default() };
        let multigrid = Multigrid::new(&a, config).unwrap();
        let first = multigrid.run(&f, None, &once).unwrap();
        assert_eq!((first.outcome, first.iterations()), (Outcome::Budget, 1));
        let best = multigrid.solve(&f, &TIGHT).unwrap();
        let [first, best] = [first.x, best.x].map(|x| {
            let mut error = exact.clone();
            error.iter_mut().zip(&x).for_each(|(e, x)| *e -= x);
            error.norm2().unwrap()
        });
        assert!(first < 1.3 * best, "{n} {boundaries:?}: {first} {best}");
    }
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let k = wave(40 * 40 * 40, 0.0).iter().map(|x| x.exp()).collect();
    let problems = [
        laplacian(&[200, 151], &[D, P]),
        with_cells(&[151, 200], &[P, DN], wave(30200, 0.0).iter().map(|x| x.exp()).collect()),
        with_cells(&[40; 3], &[D, P, N], k),
    ];
    for a in problems {
        let f = a.apply(&rough(a.shape()[0])).unwrap();
        for smoother in [Smoother::RedBlack, Smoother::Chebyshev { degree: 2, lower: 0.3 }] {
            let config = MultigridConfig { smoother, ..MultigridConfig::default() };
            let with = |threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let stopping = Stopping { iterations: 3, ..TIGHT };
                pool.install(|| {
                    Multigrid::new(&a, config).unwrap().run(&f, None, &stopping).unwrap()
                })
            };
            let (one, many) = (with(1), with(5));
            assert_eq!(one.residuals, many.residuals);
            assert!(one.x.iter().zip(&many.x).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }
}

#[test]
fn a_singular_problem_needs_a_balanced_right_hand_side() {
    for boundaries in [[N, N], [P, N], [P, P]] {
        for k in [vec![1.0; 30 * 21], wave(630, 0.0).iter().map(|x| x.exp()).collect()] {
            let a = with_cells(&[30, 21], &boundaries, k);
            let u = rough(630);
            let f = a.apply(&u).unwrap();
            let multigrid = Multigrid::new(&a, MultigridConfig::default()).unwrap();
            let found = multigrid.solve(&f, &TIGHT).unwrap();
            assert!(found.x.iter().sum::<f64>().abs() < 1e-9);
            assert!(distance(&found.x, &u) < 1e-7);
            // A guess may have any mean.
            let guess = u.iter().map(|u| u + 100.0).collect();
            let again = multigrid.run(&f, Some(&guess), &TIGHT).unwrap();
            assert!(distance(&again.x, &u) < 1e-7);
            let shifted: Vec<f64> = f.iter().map(|f| f + 1.0).collect();
            let error = multigrid.solve(&shifted, &TIGHT);
            assert!(matches!(error, Err(Error::Inconsistent { .. })));
            assert!(multigrid.apply(&shifted).unwrap().iter().sum::<f64>().abs() < 1e-9);
        }
    }
}

#[test]
fn how_a_solve_may_end() {
    let a = laplacian(&[60, 60], &[D, D]);
    let multigrid = Multigrid::new(&a, MultigridConfig::default()).unwrap();
    let u = rough(3600);
    let f = a.apply(&u).unwrap();
    let found = multigrid.solve(&f, &TIGHT).unwrap();
    assert!(found.residuals.windows(2).all(|pair| pair[1] < pair[0]));
    assert_eq!(found.residuals[0], f.norm2().unwrap());
    // From the solution, and for nothing at all, no cycle.
    for (f, guess) in [(&f, Some(&found.x)), (&vec![0.0; 3600], None), (&vec![0.0; 3600], Some(&u))]
    {
        let loose = Stopping { relative: 1e-9, ..TIGHT };
        let again = multigrid.run(f, guess, &loose).unwrap();
        assert_eq!((again.outcome, again.iterations()), (Outcome::Converged, 0));
        assert!(f[0] != 0.0 || again.x == *f);
    }
    let budget = Stopping { iterations: 2, ..TIGHT };
    let short = multigrid.run(&f, None, &budget).unwrap();
    assert_eq!((short.outcome, short.iterations()), (Outcome::Budget, 2));
    assert!(matches!(multigrid.solve(&f, &budget), Err(Error::NotConverged { .. })));
    // Below what rounding allows.
    let found = multigrid.run(&f, None, &Stopping { relative: 1e-18, ..TIGHT }).unwrap();
    assert_eq!(found.outcome, Outcome::Stagnation);
    assert!(found.iterations() < 30);
    let absolute = Stopping { relative: 0.0, absolute: 1e-3, iterations: 20 };
    assert!(multigrid.solve(&f, &absolute).unwrap().residual() <= 1e-3);
    // From a guess that is nearly right, few cycles.
    let near = u.iter().map(|u| u * (1.0 + 1e-8)).collect();
    assert!(multigrid.run(&f, Some(&near), &TIGHT).unwrap().iterations() <= 4);
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let a = laplacian(&[20, 20], &[D, D]);
    let new = |config| Multigrid::new(&a, config);
    let config = MultigridConfig::default();
    for smoother in [
        Smoother::Jacobi { damping: 0.0 },
        Smoother::Jacobi { damping: 1.0 },
        Smoother::Jacobi { damping: f64::NAN },
        Smoother::Chebyshev { degree: 0, lower: 0.3 },
        Smoother::Chebyshev { degree: 2, lower: 1.0 },
    ] {
        let made = new(MultigridConfig { smoother, ..config });
        assert!(matches!(made, Err(Error::InvalidArgument { .. })), "{smoother:?}");
    }
    let none = new(MultigridConfig { before: 0, after: 0, ..config });
    assert!(matches!(none, Err(Error::InvalidArgument { .. })));
    let multigrid = new(config).unwrap();
    let f = vec![1.0; 400];
    let size = |r| matches!(r, Err(Error::Size { .. }));
    assert!(size(multigrid.run(&vec![1.0; 399], None, &TIGHT)));
    assert!(size(multigrid.run(&f, Some(&vec![1.0; 401]), &TIGHT)));
    assert!(matches!(multigrid.apply(&vec![1.0; 399]), Err(Error::Size { .. })));
    let mut bad = f.clone();
    bad[17] = f64::NAN;
    assert!(matches!(multigrid.run(&bad, None, &TIGHT), Err(Error::NotFinite { index: 17, .. })));
    assert!(matches!(multigrid.run(&f, Some(&bad), &TIGHT), Err(Error::NotFinite { .. })));
    let huge = multigrid.run(&vec![1e200; 400], None, &TIGHT);
    assert!(matches!(huge, Err(Error::InvalidArgument { .. })));
    for stopping in [
        Stopping { relative: 0.0, ..TIGHT },
        Stopping { relative: -1.0, ..TIGHT },
        Stopping { relative: f64::NAN, ..TIGHT },
    ] {
        assert!(matches!(multigrid.run(&f, None, &stopping), Err(Error::InvalidArgument { .. })));
    }
}

#[test]
fn work_is_counted_in_passes_over_the_finest_grid() {
    let a = laplacian(&[64, 64], &[D, D]);
    let of = |cycle| {
        let config = MultigridConfig { cycle, ..MultigridConfig::default() };
        Multigrid::new(&a, config).unwrap()
    };
    assert_eq!(of(Cycle::V).grids(), [[64, 1, 64], [32, 1, 32], [16, 1, 16], [8, 1, 8]]);
    let (quarter, two) = (0.25, 2.0);
    assert_eq!(of(Cycle::V).work_of_cycle(), two * (1.0 + quarter + quarter * quarter));
    assert_eq!(of(Cycle::W).work_of_cycle(), two * (1.0 + 2.0 * quarter + 4.0 * quarter * quarter));
    assert_eq!(of(Cycle::F).work_of_cycle(), two * (1.0 + 2.0 * quarter + 3.0 * quarter * quarter));
    assert_eq!(of(Cycle::V).work_of_start(), two * (1.0 + 2.0 * quarter + 3.0 * quarter * quarter));
}

/// Neither converged at once nor taken for zero.
#[test]
fn right_hand_sides_too_large_or_small_to_be_measured() {
    use ansatz_linalg::{Boundary, Diffusion, Error, Multigrid, MultigridConfig, Stopping};
    let a = Diffusion::laplacian(&[8, 8], &[0.1, 0.1], &[Boundary::DIRICHLET; 2]).unwrap();
    let multigrid = Multigrid::new(&a, MultigridConfig::default()).unwrap();
    for size in [1e200, 1e-200] {
        let failed = multigrid.solve(&vec![size; 64], &Stopping::default());
        assert!(matches!(failed, Err(Error::InvalidArgument { .. })), "{size:e}");
    }
}

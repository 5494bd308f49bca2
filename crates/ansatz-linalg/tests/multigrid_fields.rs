//! Multigrid for coefficients that vary: reactions, long channels, right-hand sides that nearly have a
//! solution.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; helpers are shared with other files")]

mod common;

use ansatz_linalg::{
    Boundary, Diffusion, Error, Field, LinearOperator, Multigrid, MultigridConfig, Outcome,
    Stopping,
};
use common::wave;

const D: Boundary = Boundary::DIRICHLET;
const N: Boundary = Boundary::NEUMANN;

fn multigrid(a: &Diffusion) -> Multigrid {
    Multigrid::new(a, MultigridConfig::default()).unwrap()
}

fn cycles(a: &Diffusion) -> usize {
    let f = a.apply(&wave(a.shape()[0], 0.2)).unwrap();
    let stopping = Stopping { relative: 1e-10, absolute: 0.0, iterations: 60 };
    let found = multigrid(a).run(&f, None, &stopping).unwrap();
    assert_eq!(found.outcome, Outcome::Converged, "{:?}", found.residuals);
    found.iterations()
}

/// Where the reaction is stronger than diffusion on a coarse grid, that grid is made coarser still.
#[test]
fn strong_reactions_do_not_stop_the_coarsening() {
    let n = 128;
    for c in [1.0, 1e4, 1e6, 1e8] {
        let k = Field::Cells(vec![1.0; n * n]);
        let a =
            Diffusion::new(&[n, n], &[1.0 / n as f64; 2], &[N, N], k, Field::Constant(c)).unwrap();
        let coarsest = multigrid(&a).grids().pop().unwrap();
        assert!(coarsest.iter().product::<usize>() <= 400, "{c}: {coarsest:?}");
        assert!(cycles(&a) <= 12, "{c}: {}", cycles(&a));
    }
}

/// An axis with one cell left acts like a reaction.
#[test]
fn long_channels() {
    let points = [4000, 8];
    let k = Field::Cells(vec![1.0; 32_000]);
    let a = Diffusion::new(&points, &[1.0, 0.05], &[D, D], k, Field::Constant(0.0)).unwrap();
    let coarsest = multigrid(&a).grids().pop().unwrap();
    assert!(coarsest.iter().product::<usize>() <= 400, "{coarsest:?}");
    assert!(cycles(&a) <= 12, "{}", cycles(&a));
}

/// Interpolation next to a disk where a reaction holds the values stays between its neighbours.
#[test]
fn reactions_on_a_part() {
    for (n, c, radius) in [(256, 1e6, 0.2), (256, 1e6, 0.1), (256, 1e5, 0.2), (192, 1e5, 0.2)] {
        let at = |i: usize| (i as f64 + 0.5) / n as f64 - 0.5;
        let inside = |k: usize| at(k / n).hypot(at(k % n)) < radius;
        let field = (0..n * n).map(|k| if inside(k) { c } else { 0.0 }).collect();
        let fields = [Field::Cells(vec![1.0; n * n]), Field::Cells(field)];
        let [k, c] = fields;
        let a = Diffusion::new(&[n, n], &[1.0 / n as f64; 2], &[D, D], k, c).unwrap();
        assert!(cycles(&a) <= 11, "{n} {radius}: {}", cycles(&a));
    }
}

/// What is taken away from a right-hand side to balance it must not be more than is asked for.
#[test]
fn nearly_balanced_right_hand_sides() {
    let n = 64;
    let a = Diffusion::laplacian(&[n, n], &[1.0 / n as f64; 2], &[N, N]).unwrap();
    let mut f = a.apply(&wave(n * n, 0.2)).unwrap();
    let mean = f.iter().map(|f| f.abs()).sum::<f64>() / (n * n) as f64;
    for f in &mut f {
        *f += 5e-11 * mean;
    }
    let to = |relative: f64| {
        let stopping = Stopping { relative, absolute: 0.0, iterations: 60 };
        multigrid(&a).run(&f, None, &stopping)
    };
    let found = to(1e-9).unwrap();
    assert_eq!(found.outcome, Outcome::Converged);
    assert!(matches!(to(1e-12), Err(Error::Inconsistent { .. })));
}

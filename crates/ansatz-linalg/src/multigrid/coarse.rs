//! The next coarser matrix: interpolation weights, and the matrix between.

mod galerkin;
mod interpolation;
mod separable;

use galerkin::product;
use interpolation::interpolation;
use separable::{along, coarse_axis};

use super::{
    level::Matrix,
    transfer::{Ends, Map, Transfer, Weights},
};
use crate::operator::diffusion::{grid::Grid, seven::Seven};

/// The transfer to the grid with every other cell of some axes, and the matrix there.
pub(super) fn coarsen(
    grid: &Grid,
    matrix: &Matrix,
    halve: [bool; 3],
    ends: [Ends; 3],
) -> (Transfer, Matrix) {
    let mut coarse = *grid;
    let mut maps = [Map::Same; 3];
    for axis in (0..3).filter(|axis| halve[*axis]) {
        maps[axis] = Map::halved(grid.n[axis], ends[axis]);
        coarse.n[axis] = maps[axis].count(grid.n[axis]);
    }
    let mut transfer = Transfer { fine: *grid, coarse, maps, weights: Weights::Full(Vec::new()) };
    if let Matrix::Seven(seven) = matrix
        && let Seven::Separable { axes, reaction } = &**seven
    {
        let weights = std::array::from_fn(|a| along(&axes[a], &transfer, a));
        let axes = std::array::from_fn(|a| coarse_axis(&axes[a], &transfer, a));
        transfer.weights = Weights::Separable(weights);
        let seven = Seven::Separable { axes, reaction: *reaction };
        return (transfer, Matrix::Seven(seven.into()));
    }
    let entries = entries(grid, matrix);
    let weights = interpolation(&transfer, &entries);
    let full = product(&transfer, &entries, &weights);
    transfer.weights = Weights::Full(weights);
    (transfer, Matrix::Full(full))
}

type Entries = Vec<([isize; 3], Vec<f64>)>;

/// A matrix offset by offset.
fn entries(grid: &Grid, matrix: &Matrix) -> Entries {
    let seven = match matrix {
        Matrix::Full(full) => return full.entries.clone(),
        Matrix::Seven(seven) => seven,
    };
    let mut all = vec![([0; 3], grid.cells().map(|at| seven.row(grid, at).diagonal).collect())];
    for axis in grid.places().filter(|axis| grid.n[*axis] > 1) {
        for (k, step) in [-1, 1].into_iter().enumerate() {
            let mut offset = [0; 3];
            offset[axis] = step;
            let entry = |at| -seven.row(grid, at).coupling[2 * axis + k];
            all.push((offset, grid.cells().map(entry).collect()));
        }
    }
    all
}

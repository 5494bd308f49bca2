//! The next coarser matrix: interpolation weights, and the matrix between.

mod galerkin;
mod interpolation;
mod separable;

use galerkin::product;
use interpolation::interpolation;
use separable::{along, coarse_axis};

use rayon::prelude::*;

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
    let weights = interpolation(&transfer, &entries, ends);
    let full = product(&transfer, &entries, &weights);
    transfer.weights = Weights::Full(weights);
    (transfer, Matrix::Full(full))
}

type Entries = Vec<([isize; 3], Vec<f64>)>;

/// A matrix offset by offset; of a separable one, which is not made coarser this way, none.
fn entries(grid: &Grid, matrix: &Matrix) -> Entries {
    let seven = match matrix {
        Matrix::Full(full) => return full.entries.clone(),
        Matrix::Seven(seven) => seven,
    };
    let Seven::Faces { coupling, diagonal, .. } = &**seven else { return Vec::new() };
    let mut all = vec![([0; 3], diagonal.clone())];
    for axis in grid.places().filter(|axis| grid.n[*axis] > 1) {
        for step in [-1, 1] {
            let mut offset = [0; 3];
            offset[axis] = step;
            let mut values = vec![0.0; grid.len()];
            let line = |(number, out): (usize, &mut [f64])| {
                let [mut i, mut l] = [number / grid.n[1], number % grid.n[1]];
                // What couples a cell to the next one is kept there.
                if step == 1 && axis == 0 {
                    i = grid.step(0, i, 1);
                } else if step == 1 && axis == 1 {
                    l = grid.step(1, l, 1);
                }
                let from = grid.line(&coupling[axis], i, l);
                for (j, out) in out.iter_mut().enumerate() {
                    let at = if step == 1 && axis == 2 { grid.step(2, j, 1) } else { j };
                    *out = -from[at];
                }
            };
            values.par_chunks_mut(grid.n[2]).enumerate().for_each(line);
            all.push((offset, values));
        }
    }
    all
}

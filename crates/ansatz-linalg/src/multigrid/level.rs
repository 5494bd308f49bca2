//! One grid with its matrix: [`Level`].

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    full::{Full, FullSweep},
    sweep::Sweep,
    transfer::Map,
};
use crate::operator::diffusion::{
    grid::Grid,
    seven::{Seven, Task},
};

#[derive(Debug, Clone)]
pub(super) enum Matrix {
    Seven(Arc<Seven>),
    Full(Full),
}

#[derive(Debug)]
pub(super) struct Level {
    pub(super) grid: Grid,
    pub(super) matrix: Matrix,
    /// One, zero, one, …
    mask: Vec<f64>,
    /// A bound of the eigenvalues of `D⁻¹A`.
    pub(super) largest: f64,
}

impl Level {
    pub(super) fn new(grid: Grid, matrix: Matrix) -> Self {
        let mask = (0..=grid.n[2]).map(|j| if j % 2 == 0 { 1.0 } else { 0.0 }).collect();
        let largest = match &matrix {
            // The diagonal is at least the sum of the couplings.
            Matrix::Seven(_) => 2.0,
            Matrix::Full(full) => gershgorin(full),
        };
        Self { grid, matrix, mask, largest }
    }

    /// `f − A u`, or that times `D⁻¹`, for the plane `i`.
    fn residual_plane(&self, i: usize, u: &[f64], f: &[f64], scaled: bool, out: &mut [f64]) {
        match &self.matrix {
            Matrix::Seven(seven) => {
                let task = if scaled { Task::Scaled(f) } else { Task::Residual(f) };
                seven.plane(&self.grid, i, u, task, out);
            }
            Matrix::Full(full) => {
                full.plane(&self.grid, i, u, out);
                let cells = i * self.grid.plane()..(i + 1) * self.grid.plane();
                let inverse = &full.inverse[cells.clone()];
                for ((out, f), inverse) in out.iter_mut().zip(&f[cells]).zip(inverse) {
                    *out = (f - *out) * if scaled { *inverse } else { 1.0 };
                }
            }
        }
    }

    /// The plane `i` of the residual.
    pub(super) fn residual(&self, i: usize, u: &[f64], f: &[f64], out: &mut [f64]) {
        self.residual_plane(i, u, f, false, out);
    }

    /// `z ← D⁻¹ (f − A u)`.
    pub(super) fn correction(&self, u: &[f64], f: &[f64], z: &mut [f64]) {
        self.planes(z, |i, out| self.residual_plane(i, u, f, true, out));
    }

    /// Runs `work` on every plane of `x`.
    fn planes(&self, x: &mut [f64], work: impl Fn(usize, &mut [f64]) + Sync) {
        let (size, planes) = (self.grid.plane(), self.grid.group());
        let group = |(g, x): (usize, &mut [f64])| {
            x.chunks_mut(size).enumerate().for_each(|(k, x)| work(g * planes + k, x));
        };
        if self.grid.parallel() {
            x.par_chunks_mut(size * planes).enumerate().for_each(group);
        } else {
            group((0, x));
        }
    }

    /// `‖f − A u‖²`, summed plane by plane: the same bits for any number of threads.
    pub(super) fn square(&self, u: &[f64], f: &[f64]) -> f64 {
        let planes = self.grid.group();
        let group = |g: usize| -> Vec<f64> {
            let mut plane = vec![0.0; self.grid.plane()];
            let last = ((g + 1) * planes).min(self.grid.n[0]);
            let square = |i: usize| {
                self.residual(i, u, f, &mut plane);
                crate::vector::dot(&plane, &plane)
            };
            (g * planes..last).map(square).collect()
        };
        let groups = 0..self.grid.n[0].div_ceil(planes);
        let parts: Vec<Vec<f64>> = if self.grid.parallel() {
            groups.into_par_iter().map(group).collect()
        } else {
            groups.map(group).collect()
        };
        parts.iter().flatten().sum()
    }

    /// One Gauss–Seidel sweep by colours; if `zero`, from zeros, whatever `u` holds.
    pub(super) fn sweep(&self, u: &mut [f64], f: &[f64], zero: bool, backwards: bool) {
        let (grid, mask) = (&self.grid, &self.mask[..]);
        match &self.matrix {
            Matrix::Seven(seven) => {
                // Across the seam of an odd second axis cells of the first colour touch: none of
                // them may then be computed as if the others were zero.
                let start = zero && !(grid.periodic[1] && grid.n[1] % 2 == 1);
                if zero && !start {
                    u.fill(0.0);
                }
                Sweep { grid, matrix: seven, right: f, backwards }.run(u, start);
            }
            Matrix::Full(full) => {
                if zero {
                    u.fill(0.0);
                }
                FullSweep { grid, matrix: full, mask, right: f, backwards }.run(u);
            }
        }
    }

    /// Calls `visit` with every entry of the row of a cell: offset and value.
    fn row(&self, cell: [usize; 3], mut visit: impl FnMut([isize; 3], f64)) {
        match &self.matrix {
            Matrix::Full(full) => {
                let at = self.grid.at(cell);
                full.entries.iter().for_each(|(offset, a)| visit(*offset, a[at]));
            }
            Matrix::Seven(seven) => {
                let row = seven.row(&self.grid, cell);
                visit([0; 3], row.diagonal);
                for (k, t) in row.coupling.iter().enumerate() {
                    let mut offset = [0; 3];
                    offset[k / 2] = if k % 2 == 0 { -1 } else { 1 };
                    visit(offset, -t);
                }
            }
        }
    }

    /// Gives the cells at walls that lie between a wall and a coarse cell the value that follows from
    /// their equation, taken to be constant along the wall. Interpolation knows nothing of the
    /// values at the walls, which are in `f`.
    pub(super) fn settle_walls(&self, maps: [Map; 3], u: &mut [f64], f: &[f64]) {
        let (grid, n) = (&self.grid, self.grid.n);
        let at_wall = |axis: usize, i: usize| {
            let end = !grid.periodic[axis] && (i == 0 || i + 1 == n[axis]);
            end && maps[axis].coarse(n[axis], i).is_none()
        };
        // Cells at one wall first: those at edges and corners follow from them.
        for count in 1..=3 {
            for (i, l) in (0..n[0]).flat_map(|i| (0..n[1]).map(move |l| (i, l))) {
                let ends = [0, n[2] - 1];
                let inside = !at_wall(0, i) && !at_wall(1, l);
                let cells = if inside { ends.to_vec() } else { (0..n[2]).collect() };
                for j in cells {
                    let walls = [at_wall(0, i), at_wall(1, l), at_wall(2, j)];
                    if walls.iter().filter(|wall| **wall).count() == count {
                        self.settle([i, l, j], walls, u, f);
                    }
                }
            }
        }
    }

    fn settle(&self, cell: [usize; 3], walls: [bool; 3], u: &mut [f64], f: &[f64]) {
        let (mut diagonal, mut rest) = (0.0, f[self.grid.at(cell)]);
        self.row(cell, |offset, a| {
            if (0..3).any(|axis| walls[axis] && offset[axis] != 0) {
                let other = std::array::from_fn(|k| self.grid.step(k, cell[k], offset[k]));
                rest -= a * u[self.grid.at(other)];
            } else {
                diagonal += a;
            }
        });
        if diagonal > 0.0 {
            u[self.grid.at(cell)] = rest / diagonal;
        }
    }

    /// How strongly cells are coupled along each axis.
    pub(super) fn strengths(&self) -> [f64; 3] {
        match &self.matrix {
            Matrix::Seven(seven) => match &**seven {
                Seven::Separable { axes, .. } => axes.each_ref().map(|axis| {
                    let t: f64 = axis.coupling.iter().sum();
                    t / axis.width.iter().sum::<f64>()
                }),
                Seven::Faces { coupling, .. } => coupling.each_ref().map(|t| t.iter().sum()),
            },
            Matrix::Full(full) => std::array::from_fn(|axis| {
                let forward = full.entries.iter().filter(|(offset, _)| offset[axis] == 1);
                -forward.map(|(_, a)| a.iter().sum::<f64>()).sum::<f64>()
            }),
        }
    }

    /// Every entry: row, column, value.
    pub(super) fn entries(&self) -> Vec<(usize, usize, f64)> {
        let grid = &self.grid;
        let mut all = Vec::new();
        let mut push = |cell: [usize; 3], offset: [isize; 3], value: f64| {
            let other: [usize; 3] = std::array::from_fn(|a| grid.step(a, cell[a], offset[a]));
            if value != 0.0 {
                all.push((grid.at(cell), grid.at(other), value));
            }
        };
        for cell in grid.cells() {
            self.row(cell, |offset, a| push(cell, offset, a));
        }
        all
    }
}

/// The largest `Σⱼ |aᵢⱼ| / aᵢᵢ`.
fn gershgorin(full: &Full) -> f64 {
    let mut sums = vec![0.0; full.inverse.len()];
    for (_, a) in &full.entries {
        sums.iter_mut().zip(a).for_each(|(s, a): (&mut f64, _)| *s += a.abs());
    }
    sums.iter().zip(&full.inverse).map(|(s, d)| s * d).fold(0.0, f64::max)
}

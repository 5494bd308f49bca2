//! One grid with its matrix: [`Level`].

use std::sync::Arc;

use rayon::prelude::*;

use super::{
    full::{Full, FullSweep},
    sweep::Sweep,
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
                Sweep { grid, matrix: seven, mask, right: f, backwards }.run(u, zero);
            }
            Matrix::Full(full) => {
                if zero {
                    u.fill(0.0);
                }
                FullSweep { grid, matrix: full, mask, right: f, backwards }.run(u);
            }
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
            match &self.matrix {
                Matrix::Full(full) => {
                    full.entries.iter().for_each(|(o, a)| push(cell, *o, a[grid.at(cell)]));
                }
                Matrix::Seven(seven) => {
                    let row = seven.row(grid, cell);
                    push(cell, [0; 3], row.diagonal);
                    for (k, t) in row.coupling.iter().enumerate() {
                        let mut offset = [0; 3];
                        offset[k / 2] = if k % 2 == 0 { -1 } else { 1 };
                        push(cell, offset, -t);
                    }
                }
            }
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

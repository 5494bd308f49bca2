//! Gauss–Seidel on every other cell of a line: [`Every`].

use std::ops::Range;

use pulp::Arch;

use super::{grid::Grid, line::Relax, seven::Seven};

/// A line of a grid, of which every other cell is to be given the value that makes its residual zero.
pub(crate) struct Every<'a> {
    /// Plane and line.
    pub(crate) at: [usize; 2],
    /// The first of these cells, 0 or 1.
    pub(crate) first: usize,
    pub(crate) line: &'a mut [f64],
    /// The lines before and after it along the first two axes, where there are such axes.
    pub(crate) around: [&'a [f64]; 4],
    pub(crate) right: &'a [f64],
    /// All values are to be taken as zero, whatever they are.
    pub(crate) zero: bool,
}

impl Seven {
    /// Cells that touch across the seam of a periodic axis see each other's old values.
    pub(crate) fn relax(&self, grid: &Grid, every: Every) {
        match grid.axes {
            1 => self.relax_of::<1>(grid, every),
            2 => self.relax_of::<2>(grid, every),
            _ => self.relax_of::<3>(grid, every),
        }
    }

    fn relax_of<const AXES: usize>(&self, grid: &Grid, every: Every) {
        let Every { at: [i, l], first, line, around, right, zero } = every;
        let n = grid.n[2];
        if zero {
            line.fill(0.0);
        }
        let Range { start, end } = self.inside(n);
        let seam = [line[0], line[n - 1]];
        for j in (0..start).chain(end.max(start)..n).filter(|j| j % 2 == first) {
            let row = self.row(grid, [i, l, j]);
            let neighbour = |k: usize| match k {
                4 => {
                    if j == 0 {
                        seam[1]
                    } else {
                        line[j - 1]
                    }
                }
                5 => {
                    if j + 1 == n {
                        seam[0]
                    } else {
                        line[j + 1]
                    }
                }
                _ if k < 2 * (AXES - 1) => around[k][j],
                _ => 0.0,
            };
            let sum: f64 =
                if zero { 0.0 } else { (0..6).map(|k| row.coupling[k] * neighbour(k)).sum() };
            line[j] = (right[j] + sum) * row.inverse;
        }
        let start = start + (start + first) % 2;
        if start >= end {
            return;
        }
        let cut = |k: usize| if k < 2 * (AXES - 1) { &around[k][start..end] } else { &[] };
        let (around, right) = (std::array::from_fn(cut), &right[start..end]);
        let x = &mut line[start - 1..=end];
        match self {
            Self::Separable { .. } => {
                let coefficients = self.row(grid, [i, l, start]);
                Arch::new().dispatch(Relax::<_, AXES> { coefficients, x, around, right, zero });
            }
            Self::Faces { .. } => {
                let coefficients = self.slices::<AXES>(grid, [i, l], start..end);
                Arch::new().dispatch(Relax::<_, AXES> { coefficients, x, around, right, zero });
            }
        }
    }
}

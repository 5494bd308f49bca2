//! Matrices that couple a cell to its two neighbours along each axis: [`Seven`].

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::{
    grid::Grid,
    line::{Apply, Coefficients, Finish, Lines, Residual, Row, Run, Scaled, Slices},
};

/// One factor of a [`Seven::Separable`] matrix: a tridiagonal matrix (cyclic where periodic) and the
/// widths of the cells.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    /// What couples a cell to the one before it, the sign turned; zero where there is none.
    pub(crate) coupling: Vec<f64>,
    pub(crate) diagonal: Vec<f64>,
    pub(crate) width: Vec<f64>,
    /// The cells in the middle that are all alike, two neighbours included.
    alike: Range<usize>,
}

impl Axis {
    pub(crate) fn new(coupling: Vec<f64>, diagonal: Vec<f64>, width: Vec<f64>) -> Self {
        let n = width.len();
        let mut axis = Self { coupling, diagonal, width, alike: 0..0 };
        let same = |i: usize| {
            let (t, s) = (axis.ends(i), axis.ends(n / 2));
            t == s && axis.diagonal[i] == axis.diagonal[n / 2] && axis.width[i] == axis.width[n / 2]
        };
        if n > 2 {
            let start = (1..n / 2).rev().take_while(|&i| same(i)).last().unwrap_or(n / 2);
            let end = (n / 2..n - 1).take_while(|&i| same(i)).last().map_or(n / 2, |i| i + 1);
            axis.alike = start..end;
        }
        axis
    }

    /// The axis of a grid that has no such axis.
    pub(crate) fn none() -> Self {
        Self::new(vec![0.0], vec![0.0], vec![1.0])
    }

    /// What couples `i` to the cells before and after it.
    pub(crate) fn ends(&self, i: usize) -> [f64; 2] {
        let after = if i + 1 == self.width.len() { 0 } else { i + 1 };
        [self.coupling[i], self.coupling[after]]
    }
}

/// A symmetric matrix on a grid, `−∇·(k ∇) + c` times the sizes of the cells.
#[derive(Debug, Clone)]
pub(crate) enum Seven {
    /// `Σₐ Kₐ ⊗ W ⊗ W + c W ⊗ W ⊗ W`: nothing as large as the grid is read.
    Separable { axes: [Axis; 3], reaction: f64 },
    /// What couples each cell to the one before it along each axis (no array where there is no such
    /// axis), the diagonal and its inverse.
    Faces { coupling: [Vec<f64>; 3], diagonal: Vec<f64>, inverse: Vec<f64> },
}

/// What [`Seven::line`] is to compute; the slices are lines.
#[derive(Clone, Copy)]
pub(crate) enum Task<'a> {
    Apply,
    Residual(&'a [f64]),
    Scaled(&'a [f64]),
}

impl<'a> Task<'a> {
    /// The same for the cells of `range`.
    fn slice(self, range: Range<usize>) -> Self {
        let cut = |x: &'a [f64]| &x[range.clone()];
        match self {
            Self::Apply => Self::Apply,
            Self::Residual(f) => Self::Residual(cut(f)),
            Self::Scaled(f) => Self::Scaled(cut(f)),
        }
    }

    /// For one cell, given what its neighbours contribute.
    fn one(self, j: usize, sum: f64, x: f64, row: &Row) -> f64 {
        match self {
            Self::Apply => Apply.value(j, sum, x, row),
            Self::Residual(f) => Residual(f).value(j, sum, x, row),
            Self::Scaled(f) => Scaled(f).value(j, sum, x, row),
        }
    }

    fn run<C: Coefficients, const AXES: usize>(self, coefficients: C, x: Lines, out: &mut [f64]) {
        fn go<C: Coefficients, F: Finish, const AXES: usize>(
            coefficients: C,
            finish: F,
            x: Lines,
            out: &mut [f64],
        ) {
            Arch::new().dispatch(Run::<C, F, AXES> { coefficients, finish, x, out });
        }
        // Each kind of slice is cut to the length of the run here, so that no bound is checked later.
        let n = out.len();
        match self {
            Self::Apply => go::<C, _, AXES>(coefficients, Apply, x, out),
            Self::Residual(f) => go::<C, _, AXES>(coefficients, Residual(&f[..n]), x, out),
            Self::Scaled(f) => go::<C, _, AXES>(coefficients, Scaled(&f[..n]), x, out),
        }
    }
}

impl Seven {
    pub(crate) fn is_separable(&self) -> bool {
        matches!(self, Self::Separable { .. })
    }

    /// The row of the matrix at a cell.
    pub(crate) fn row(&self, grid: &Grid, [i, l, j]: [usize; 3]) -> Row {
        match self {
            Self::Separable { axes: [a, b, c], reaction } => {
                let (v, w, x) = (a.width[i], b.width[l], c.width[j]);
                let ([t, u], [p, q], [r, s]) = (a.ends(i), b.ends(l), c.ends(j));
                let coupling = [t * w * x, u * w * x, v * p * x, v * q * x, v * w * r, v * w * s];
                let diagonal = a.diagonal[i] * w * x
                    + v * b.diagonal[l] * x
                    + v * w * c.diagonal[j]
                    + reaction * v * w * x;
                Row { coupling, diagonal, inverse: diagonal.recip() }
            }
            Self::Faces { coupling, diagonal, inverse } => {
                let here = [i, l, j];
                let mut row = Row::default();
                for axis in grid.places() {
                    let mut after = here;
                    after[axis] = grid.step(axis, here[axis], 1);
                    row.coupling[2 * axis] = coupling[axis][grid.at(here)];
                    row.coupling[2 * axis + 1] = coupling[axis][grid.at(after)];
                }
                row.diagonal = diagonal[grid.at(here)];
                row.inverse = inverse[grid.at(here)];
                row
            }
        }
    }

    /// `task` for the line `l` of the plane `i`, given the lines around it. The first and the last
    /// entry of `x.around` (along the line itself) are not read.
    pub(crate) fn line(
        &self,
        grid: &Grid,
        [i, l]: [usize; 2],
        x: Lines,
        task: Task,
        out: &mut [f64],
    ) {
        match grid.axes {
            1 => self.line_of::<1>(grid, [i, l], x, task, out),
            2 => self.line_of::<2>(grid, [i, l], x, task, out),
            _ => self.line_of::<3>(grid, [i, l], x, task, out),
        }
    }

    fn line_of<const AXES: usize>(
        &self,
        grid: &Grid,
        [i, l]: [usize; 2],
        x: Lines,
        task: Task,
        out: &mut [f64],
    ) {
        let n = grid.n[2];
        let Range { start, end } = self.inside(n);
        if start < end {
            let inside = Lines {
                own: &x.own[start..end],
                around: [
                    if AXES >= 2 { &x.around[0][start..end] } else { &[] },
                    if AXES >= 2 { &x.around[1][start..end] } else { &[] },
                    if AXES >= 3 { &x.around[2][start..end] } else { &[] },
                    if AXES >= 3 { &x.around[3][start..end] } else { &[] },
                    &x.own[start - 1..end - 1],
                    &x.own[start + 1..=end],
                ],
            };
            let (inner, out) = (task.slice(start..end), &mut out[start..end]);
            match self {
                Self::Separable { .. } => {
                    inner.run::<_, AXES>(self.row(grid, [i, l, start]), inside, out);
                }
                Self::Faces { .. } => {
                    let slices = self.slices::<AXES>(grid, [i, l], start..end);
                    inner.run::<_, AXES>(slices, inside, out);
                }
            }
        }
        for j in (0..start).chain(end.max(start)..n) {
            let row = self.row(grid, [i, l, j]);
            let neighbour = |k: usize| match k {
                4 => x.own[grid.step(2, j, -1)],
                5 => x.own[grid.step(2, j, 1)],
                _ if k < 2 * (AXES - 1) => x.around[k][j],
                _ => 0.0,
            };
            let sum = (0..6).map(|k| row.coupling[k] * neighbour(k)).sum();
            out[j] = task.one(j, sum, x.own[j], &row);
        }
    }

    /// The cells of a line that a loop goes through: those with neighbours on both sides, and where the
    /// coefficients are factors only those that are alike.
    pub(super) fn inside(&self, n: usize) -> Range<usize> {
        match self {
            Self::Separable { axes, .. } => axes[2].alike.clone(),
            Self::Faces { .. } => 1..n.max(2) - 1,
        }
    }

    pub(super) fn slices<const AXES: usize>(
        &self,
        grid: &Grid,
        [i, l]: [usize; 2],
        run: Range<usize>,
    ) -> Slices<'_, AXES> {
        let Self::Faces { coupling: [a, b, c], diagonal, inverse } = self else {
            return Slices { coupling: [&[]; 6], diagonal: &[], inverse: &[] };
        };
        let (next, beside) = (grid.step(0, i, 1), grid.step(1, l, 1));
        let coupling = [
            cut(grid, a, [i, l], run.clone()),
            cut(grid, a, [next, l], run.clone()),
            cut(grid, b, [i, l], run.clone()),
            cut(grid, b, [i, beside], run.clone()),
            cut(grid, c, [i, l], run.clone()),
            cut(grid, c, [i, l], run.start + 1..run.end + 1),
        ];
        let [diagonal, inverse] = [diagonal, inverse].map(|x| cut(grid, x, [i, l], run.clone()));
        Slices { coupling, diagonal, inverse }
    }

    /// `task` for the plane `i`; `f` and `x` are whole arrays.
    pub(crate) fn plane(&self, grid: &Grid, i: usize, x: &[f64], task: Task, out: &mut [f64]) {
        let (before, after) = (grid.step(0, i, -1), grid.step(0, i, 1));
        for (l, out) in out.chunks_mut(grid.n[2]).enumerate() {
            let around = [
                grid.line(x, before, l),
                grid.line(x, after, l),
                grid.line(x, i, grid.step(1, l, -1)),
                grid.line(x, i, grid.step(1, l, 1)),
                &[],
                &[],
            ];
            let lines = Lines { own: grid.line(x, i, l), around };
            let start = (i * grid.n[1] + l) * grid.n[2];
            self.line(grid, [i, l], lines, task.slice(start..start + grid.n[2]), out);
        }
    }

    /// `y ← A x`.
    pub(crate) fn apply(&self, grid: &Grid, x: &[f64], y: &mut [f64]) {
        let plane = |(i, y): (usize, &mut [f64])| self.plane(grid, i, x, Task::Apply, y);
        let size = grid.plane();
        if grid.parallel() {
            let planes = grid.group();
            y.par_chunks_mut(planes * size).enumerate().for_each(|(g, y)| {
                y.chunks_mut(size).enumerate().for_each(|(k, y)| plane((g * planes + k, y)));
            });
        } else {
            y.chunks_mut(size).enumerate().for_each(plane);
        }
    }
}

/// A part of a line, or nothing of nothing.
fn cut<'a>(grid: &Grid, x: &'a [f64], [i, l]: [usize; 2], run: Range<usize>) -> &'a [f64] {
    if x.is_empty() { x } else { &grid.line(x, i, l)[run] }
}

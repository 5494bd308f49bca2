//! `−∇·(k ∇u) + c u` on a box: [`Diffusion`].

mod boundary;
mod faces;
pub(crate) mod grid;
pub(crate) mod line;
pub(crate) mod relax;
pub(crate) mod seven;

use std::sync::Arc;

pub use boundary::{Boundary, End, Field, Wall};
use faces::Faces;
use grid::Grid;
use nalgebra_sparse::{CooMatrix, CsrMatrix};
use seven::{Axis, Seven};

use super::{check_length, check_size};
use crate::{Error, LinearOperator, Properties, Result, Sparse};

/// The elliptic operator `u ↦ −∇·(k ∇u) + c u` on a box of 1, 2 or 3 axes, cut into equal cells.
///
/// Cell-centred finite volumes: a vector holds the values in the middle of the cells, row by row
/// (last axis fastest); the flux through a face is the difference across it times the harmonic mean
/// of the two `k`, which stays right where `k` jumps between cells (P. Wesseling, *An Introduction
/// to Multigrid Methods*, 1992, §3.3). At a Dirichlet wall, half a cell away, the flux is that to the
/// value of the wall. Second order in the spacings, symmetric, and positive definite unless no wall
/// is a Dirichlet wall and `c = 0` everywhere, where constants are mapped to 0.
///
/// Values at the walls enter the right-hand side: [`Diffusion::add_wall`].
///
/// ```
/// use ansatz_linalg::{Boundary, Diffusion, End, Field, LinearOperator, Wall};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // A wall of two materials between 0 on the left and 1 on the right, insulated above and below.
/// let walls = [Boundary::DIRICHLET, Boundary::NEUMANN];
/// let k: Vec<f64> = (0..40 * 8).map(|i| if i / 8 < 20 { 1.0 } else { 100.0 }).collect();
/// let a = Diffusion::new(&[40, 8], &[0.025, 0.1], &walls, Field::Cells(k), Field::Constant(0.0))?;
/// let mut f = vec![0.0; 320];
/// a.add_wall(&mut f, 0, End::Upper, |_| 1.0)?;
/// // The flux is the same everywhere: the temperature falls over the poor conductor.
/// let flux = 1.0 / (0.5 + 0.5 / 100.0);
/// let u = a.cells(|x| if x[0] < 0.5 { flux * x[0] } else { 1.0 - flux / 100.0 * (1.0 - x[0]) });
/// let largest = a.apply(&u)?.iter().zip(&f).map(|(a, f)| (a - f).abs()).fold(0.0, f64::max);
/// assert!(largest < 1e-8 * 4e5);
/// assert_eq!(walls[0], Boundary::Walls(Wall::Dirichlet, Wall::Dirichlet));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Diffusion {
    points: Vec<usize>,
    spacing: Vec<f64>,
    boundaries: Vec<Boundary>,
    grid: Grid,
    matrix: Arc<Seven>,
    /// What couples the cells at the two ends of each axis to their walls.
    walls: Vec<[Vec<f64>; 2]>,
    singular: bool,
}

impl Diffusion {
    /// On `points` cells of the given `spacing` along each axis, with `k` = `conductivity` and
    /// `c` = `reaction`.
    ///
    /// # Errors
    /// [`Error::Size`] when the numbers of axes differ or a field does not have one number for each
    /// cell (or face); [`Error::InvalidArgument`] unless there are 1 to 3 axes of at least one cell,
    /// spacings and `k` are positive and `c` is not negative, or when an entry of the matrix would
    /// overflow or underflow, the two end faces of a periodic axis differ, or `c` is given at faces.
    pub fn new(
        points: &[usize],
        spacing: &[f64],
        boundaries: &[Boundary],
        conductivity: Field,
        reaction: Field,
    ) -> Result<Self> {
        if points.is_empty() || points.len() > 3 || points.contains(&0) {
            let expected = "1 to 3 axes, of at least one cell each";
            return Err(Error::invalid(
                "cells of a diffusion operator",
                format!("{points:?}"),
                expected,
            ));
        }
        check_size("cells of a diffusion operator", points)?;
        check_length(
            "spacings of a diffusion operator, one for each axis",
            points.len(),
            spacing.len(),
        )?;
        check_length(
            "boundaries of a diffusion operator, one for each axis",
            points.len(),
            boundaries.len(),
        )?;
        if let Some(h) = spacing.iter().find(|h| !((*h * *h).is_normal() && **h > 0.0)) {
            return Err(Error::invalid("spacing of a grid", h, "a positive number"));
        }
        let periodic: Vec<bool> = boundaries.iter().map(|b| *b == Boundary::Periodic).collect();
        let grid = Grid::new(points, &periodic);
        let faces = Faces { grid: &grid, spacing, boundaries };
        faces.check(&conductivity, &reaction)?;
        let walls = faces.walls(&conductivity);
        let matrix = match (&conductivity, &reaction) {
            (Field::Constant(k), Field::Constant(c)) => {
                let mut axes = [Axis::none(), Axis::none(), Axis::none()];
                for (axis, place) in grid.places().enumerate() {
                    axes[place] = faces.axis(axis, *k);
                }
                Seven::Separable { axes, reaction: *c }
            }
            _ => faces.matrix(&conductivity, &reaction, &walls),
        };
        let singular = reaction.vanishes() && !boundaries.iter().any(|b| b.has_dirichlet());
        Ok(Self {
            points: points.to_vec(),
            spacing: spacing.to_vec(),
            boundaries: boundaries.to_vec(),
            grid,
            matrix: Arc::new(matrix),
            walls,
            singular,
        })
    }

    /// The negative Laplacian: `k = 1`, `c = 0`. No coefficient is read from memory.
    ///
    /// # Errors
    /// As [`Diffusion::new`].
    pub fn laplacian(points: &[usize], spacing: &[f64], boundaries: &[Boundary]) -> Result<Self> {
        Self::new(points, spacing, boundaries, Field::Constant(1.0), Field::Constant(0.0))
    }

    /// The cells along each axis.
    pub fn points(&self) -> &[usize] {
        &self.points
    }

    /// The size of a cell along each axis.
    pub fn spacing(&self) -> &[f64] {
        &self.spacing
    }

    /// What bounds each axis.
    pub fn boundaries(&self) -> &[Boundary] {
        &self.boundaries
    }

    /// Whether constants are mapped to 0: no Dirichlet wall and `c = 0`.
    pub fn is_singular(&self) -> bool {
        self.singular
    }

    pub(crate) fn grid(&self) -> Grid {
        self.grid
    }

    pub(crate) fn seven(&self) -> &Arc<Seven> {
        &self.matrix
    }

    /// The values of a function in the middle of the cells; the box begins at the origin.
    pub fn cells(&self, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        self.grid.cells().map(|cell| f(&self.middle(cell))).collect()
    }

    fn middle(&self, cell: [usize; 3]) -> Vec<f64> {
        let along = |(place, h): (usize, &f64)| (cell[place] as f64 + 0.5) * h;
        self.grid.places().zip(&self.spacing).map(along).collect()
    }

    /// Adds to the right-hand side `f` what a wall contributes: at a Dirichlet wall `value` is `u`
    /// there, at a Neumann wall `k ∂u/∂n`, the flux into the box. It is given the place on the wall.
    ///
    /// # Errors
    /// [`Error::Size`] when `f` does not have one number for each cell,
    /// [`Error::InvalidArgument`] when there is no such axis or it is periodic.
    pub fn add_wall(
        &self,
        f: &mut [f64],
        axis: usize,
        end: End,
        value: impl Fn(&[f64]) -> f64,
    ) -> Result<()> {
        check_length("right-hand side of a diffusion problem", self.grid.len(), f.len())?;
        let Some(wall) = self.boundaries.get(axis).and_then(|b| b.wall(end)) else {
            let expected = "an axis of the grid that is not periodic";
            return Err(Error::invalid("axis of a wall", axis, expected));
        };
        let (place, h) = (Grid::place(self.grid.axes, axis), self.spacing[axis]);
        let (index, at, side) = match end {
            End::Lower => (0, 0.0, 0),
            End::Upper => (self.points[axis] - 1, self.points[axis] as f64 * h, 1),
        };
        let cells = self.grid.cells().filter(|cell| cell[place] == index);
        for (cell, coupling) in cells.zip(&self.walls[axis][side]) {
            let mut x = self.middle(cell);
            x[axis] = at;
            f[self.grid.at(cell)] += value(&x)
                * match wall {
                    Wall::Dirichlet => *coupling,
                    Wall::Neumann => h.recip(),
                };
        }
        Ok(())
    }

    /// The same matrix with its entries written down.
    ///
    /// # Errors
    /// As [`Sparse::new`].
    pub fn to_sparse(&self) -> Result<Sparse> {
        let mut entries = CooMatrix::new(self.grid.len(), self.grid.len());
        for cell in self.grid.cells() {
            let (row, at) = (self.matrix.row(&self.grid, cell), self.grid.at(cell));
            entries.push(at, at, row.diagonal);
            for (k, coupling) in row.coupling.iter().enumerate().filter(|(_, t)| **t != 0.0) {
                let (axis, step) = (k / 2, if k % 2 == 0 { -1 } else { 1 });
                let mut other = cell;
                other[axis] = self.grid.step(axis, cell[axis], step);
                entries.push(at, self.grid.at(other), -coupling);
            }
        }
        Sparse::new(CsrMatrix::from(&entries))
    }
}

impl LinearOperator<Vec<f64>> for Diffusion {
    fn shape(&self) -> [usize; 2] {
        [self.grid.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.resize(x.len(), 0.0);
        self.matrix.apply(&self.grid, x, y);
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties { positive_definite: !self.singular, ..Properties::SYMMETRIC }
    }
}

//! From the fields of an elliptic problem to the entries of its matrix.

use super::{
    boundary::{Boundary, End, Field, Wall},
    grid::Grid,
    seven::{Axis, Seven},
};
use crate::{Error, Result, operator::check_length};

/// A grid with its spacings and boundaries, one for each axis of the caller.
pub(super) struct Faces<'a> {
    pub(super) grid: &'a Grid,
    pub(super) spacing: &'a [f64],
    pub(super) boundaries: &'a [Boundary],
}

const CONDUCTIVITY: &str = "conductivity of a diffusion operator";
const REACTION: &str = "reaction of a diffusion operator";

/// Whether `k` is positive and its couplings neither underflow nor, added up, overflow: up to twelve
/// of them on a diagonal.
fn couples(k: f64, spacing: &[f64]) -> bool {
    let fits = |t: f64| t.is_normal() && (16.0 * t).is_finite();
    k.is_normal() && k > 0.0 && spacing.iter().all(|h| fits(k / (h * h)))
}

/// Whether `c` is no sink and leaves room for the couplings.
fn reacts(c: f64) -> bool {
    c == 0.0 || (c > 0.0 && c.is_normal() && (4.0 * c).is_finite())
}

impl Faces<'_> {
    /// Errors unless the fields fit to the grid and the problem is elliptic.
    pub(super) fn check(&self, conductivity: &Field, reaction: &Field) -> Result<()> {
        let everywhere = |k: &f64| couples(*k, self.spacing);
        let bad = match conductivity {
            Field::Constant(k) => (!everywhere(k)).then_some(k),
            Field::Cells(k) => {
                check_length(CONDUCTIVITY, self.grid.len(), k.len())?;
                k.iter().find(|k| !everywhere(k))
            }
            Field::Faces(k) => {
                check_length(
                    "conductivity at faces, one array for each axis",
                    self.grid.axes,
                    k.len(),
                )?;
                for (axis, k) in k.iter().enumerate() {
                    check_length(CONDUCTIVITY, self.across(axis).iter().product(), k.len())?;
                }
                let spacing = self.spacing.chunks(1);
                k.iter().zip(spacing).find_map(|(k, h)| k.iter().find(|k| !couples(**k, h)))
            }
        };
        if let Some(k) = bad {
            let value = format!("{k:e} with spacings {:?}", self.spacing);
            let expected = "a positive number that stays in range over the square of a spacing";
            return Err(Error::invalid(CONDUCTIVITY, value, expected));
        }
        if let Field::Faces(k) = conductivity {
            self.check_periodic(k)?;
        }
        let bad = match reaction {
            Field::Constant(c) => Some(c).filter(|c| !reacts(**c)),
            Field::Cells(c) => {
                check_length(REACTION, self.grid.len(), c.len())?;
                c.iter().find(|c| !reacts(**c))
            }
            Field::Faces(_) => {
                let expected = "a constant, or a number for each cell";
                return Err(Error::invalid(REACTION, "numbers at faces", expected));
            }
        };
        bad.map_or(Ok(()), |c| {
            Err(Error::invalid(REACTION, c, "zero or a positive number in range"))
        })
    }

    /// Errors unless the first and the last face of each periodic axis agree.
    fn check_periodic(&self, faces: &[Vec<f64>]) -> Result<()> {
        for (axis, place) in self.grid.places().enumerate() {
            if self.boundaries[axis] != Boundary::Periodic {
                continue;
            }
            for cell in self.grid.cells().filter(|cell| cell[place] == 0) {
                let mut last = cell;
                last[place] = self.grid.n[place];
                let [first, last] = [cell, last].map(|at| faces[axis][self.face(axis, at)]);
                if first != last {
                    let value = format!("{first} and {last} at the ends of axis {axis}");
                    let expected = "the same face at both ends of a periodic axis";
                    return Err(Error::invalid("conductivity at faces", value, expected));
                }
            }
        }
        Ok(())
    }

    /// The numbers of faces across an axis along each of the three.
    fn across(&self, axis: usize) -> [usize; 3] {
        let mut n = self.grid.n;
        n[Grid::place(self.grid.axes, axis)] += 1;
        n
    }

    fn face(&self, axis: usize, [i, l, j]: [usize; 3]) -> usize {
        let n = self.across(axis);
        (i * n[1] + l) * n[2] + j
    }

    /// What couples a cell through its face before (or, with `End::Upper`, after) it: to the
    /// neighbour, or to the wall half a cell away. The harmonic mean is that of two resistances in a
    /// row.
    fn through(&self, k: &Field, axis: usize, cell: [usize; 3], end: End) -> f64 {
        let (place, h) = (Grid::place(self.grid.axes, axis), self.spacing[axis]);
        let step = if end == End::Lower { -1 } else { 1 };
        let neighbour = self.grid.reach(place, cell[place], step);
        let k = match k {
            Field::Constant(k) => *k,
            Field::Cells(k) => {
                let own = k[self.grid.at(cell)];
                neighbour.map_or(own, |i| {
                    let mut other = cell;
                    other[place] = i;
                    2.0 / (own.recip() + k[self.grid.at(other)].recip())
                })
            }
            Field::Faces(k) => {
                let mut at = cell;
                at[place] += usize::from(end == End::Upper);
                k[axis][self.face(axis, at)]
            }
        };
        let distance = if neighbour.is_some() { h } else { 0.5 * h };
        k / (h * distance)
    }

    /// What couples the cells at the ends of each axis to their walls; nothing where it is periodic.
    pub(super) fn walls(&self, k: &Field) -> Vec<[Vec<f64>; 2]> {
        let wall = |axis: usize, end: End| -> Vec<f64> {
            if self.boundaries[axis].wall(end) != Some(Wall::Dirichlet) {
                // As many, so that they can be gone through: a Neumann wall couples to nothing.
                let place = Grid::place(self.grid.axes, axis);
                return vec![0.0; self.grid.len() / self.grid.n[place]];
            }
            self.at_wall(axis, end).map(|cell| self.through(k, axis, cell, end)).collect()
        };
        (0..self.grid.axes).map(|axis| [wall(axis, End::Lower), wall(axis, End::Upper)]).collect()
    }

    /// The cells at one end of an axis, in the order of memory.
    fn at_wall(&self, axis: usize, end: End) -> impl Iterator<Item = [usize; 3]> + use<> {
        let place = Grid::place(self.grid.axes, axis);
        let index = if end == End::Lower { 0 } else { self.grid.n[place] - 1 };
        self.grid.cells().filter(move |cell| cell[place] == index)
    }

    /// The factor of one axis where `k` is constant.
    pub(super) fn axis(&self, axis: usize, k: f64) -> Axis {
        let n = self.grid.n[Grid::place(self.grid.axes, axis)];
        let (boundary, t) = (self.boundaries[axis], k / (self.spacing[axis] * self.spacing[axis]));
        let mut coupling = vec![t; n];
        let mut diagonal = vec![2.0 * t; n];
        for (end, at) in [(End::Lower, 0), (End::Upper, n - 1)] {
            match boundary.wall(end) {
                Some(Wall::Dirichlet) => diagonal[at] += t,
                Some(Wall::Neumann) => diagonal[at] -= t,
                None => {}
            }
        }
        if boundary != Boundary::Periodic {
            coupling[0] = 0.0;
        } else if n == 1 {
            // Its neighbours are the cell itself.
            (coupling, diagonal) = (vec![0.0], vec![0.0]);
        }
        Axis::new(coupling, diagonal, vec![1.0; n])
    }

    /// The matrix of fields that vary.
    pub(super) fn matrix(&self, k: &Field, reaction: &Field, walls: &[[Vec<f64>; 2]]) -> Seven {
        let mut diagonal = match reaction {
            Field::Constant(c) => vec![*c; self.grid.len()],
            Field::Cells(c) => c.clone(),
            Field::Faces(_) => vec![0.0; self.grid.len()],
        };
        let mut coupling = [const { Vec::new() }; 3];
        for (axis, place) in self.grid.places().enumerate() {
            let n = self.grid.n[place];
            let before = |cell: [usize; 3]| {
                // The only cell of a periodic axis is its own neighbour.
                let there = n > 1 && self.grid.reach(place, cell[place], -1).is_some();
                if there { self.through(k, axis, cell, End::Lower) } else { 0.0 }
            };
            coupling[place] = self.grid.cells().map(before).collect();
            for cell in self.grid.cells() {
                let mut after = cell;
                after[place] = self.grid.step(place, cell[place], 1);
                let at = self.grid.at(cell);
                diagonal[at] += coupling[place][at] + coupling[place][self.grid.at(after)];
            }
            for (end, wall) in [End::Lower, End::Upper].into_iter().zip(&walls[axis]) {
                for (cell, t) in self.at_wall(axis, end).zip(wall) {
                    diagonal[self.grid.at(cell)] += t;
                }
            }
        }
        let inverse = diagonal.iter().map(|d| d.recip()).collect();
        Seven::Faces { coupling, diagonal, inverse }
    }
}

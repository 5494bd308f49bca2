//! Matrices that couple a cell to all of its neighbours, over corners too: [`Full`].

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use crate::operator::diffusion::grid::Grid;

/// The entries of a matrix on a grid for each offset: what the neighbour there is multiplied by.
/// Across an end that is not periodic they are zero.
#[derive(Debug, Clone)]
pub(super) struct Full {
    pub(super) entries: Vec<([isize; 3], Vec<f64>)>,
    pub(super) inverse: Vec<f64>,
}

/// The offsets along an axis, and how to tell them apart.
pub(super) const STEPS: [isize; 3] = [-1, 0, 1];

/// All offsets that are 0 along the axes where `spread` is false.
pub(super) fn offsets(spread: [bool; 3]) -> Vec<[isize; 3]> {
    let steps = |axis: usize| if spread[axis] { &STEPS[..] } else { &STEPS[1..2] };
    let mut all = Vec::new();
    for &a in steps(0) {
        for &b in steps(1) {
            for &c in steps(2) {
                all.push([a, b, c]);
            }
        }
    }
    all
}

impl Full {
    pub(super) fn new(entries: Vec<([isize; 3], Vec<f64>)>) -> Self {
        let diagonal = entries.iter().find(|(offset, _)| *offset == [0; 3]);
        let inverse =
            diagonal.map_or_else(Vec::new, |(_, d)| d.iter().map(|d| d.recip()).collect());
        Self { entries, inverse }
    }

    /// `out ← A x` for a line. `own(plane, line)` gives the lines of `x`.
    fn line<'a>(
        &self,
        grid: &Grid,
        [i, l]: [usize; 2],
        own: impl Fn(usize, usize) -> &'a [f64],
        out: &mut [f64],
    ) {
        let n = grid.n[2];
        out.fill(0.0);
        for (offset, a) in &self.entries {
            let (Some(plane), Some(line)) =
                (grid.reach(0, i, offset[0]), grid.reach(1, l, offset[1]))
            else {
                continue;
            };
            let (a, x) = (grid.line(a, i, l), own(plane, line));
            match offset[2] {
                0 => Arch::new().dispatch(AddProduct { a, x, out }),
                -1 => {
                    out[0] += a[0] * x[n - 1];
                    Arch::new().dispatch(AddProduct { a: &a[1..], x, out: &mut out[1..] });
                }
                _ => {
                    out[n - 1] += a[n - 1] * x[0];
                    Arch::new().dispatch(AddProduct { a, x: &x[1..], out: &mut out[..n - 1] });
                }
            }
        }
    }

    /// `out ← A x` for a plane.
    pub(super) fn plane(&self, grid: &Grid, i: usize, x: &[f64], out: &mut [f64]) {
        for (l, out) in out.chunks_mut(grid.n[2]).enumerate() {
            self.line(grid, [i, l], |plane, line| grid.line(x, plane, line), out);
        }
    }
}

/// Gauss–Seidel in 2, 4 or 8 colours: the parities of the indices. Backwards everything is in reverse
/// order.
pub(super) struct FullSweep<'a> {
    pub(super) grid: &'a Grid,
    pub(super) matrix: &'a Full,
    /// One, zero, one, …: one longer than a line.
    pub(super) mask: &'a [f64],
    pub(super) right: &'a [f64],
    pub(super) backwards: bool,
}

impl FullSweep<'_> {
    /// The planes of one parity, which do not touch, are shared between threads.
    pub(super) fn run(&self, u: &mut [f64]) {
        let mut colours = parities(self.grid, 0);
        let mut lines = parities(self.grid, 1).concat();
        if self.backwards {
            colours.reverse();
            lines.reverse();
        }
        for colour in colours {
            let mut planes: Vec<&mut [f64]> = u.chunks_mut(self.grid.plane()).collect();
            let mut own: Vec<(usize, &mut [f64])> = Vec::new();
            for &i in &colour {
                own.push((i, std::mem::take(&mut planes[i])));
            }
            let rest: Vec<&[f64]> = planes.into_iter().map(|plane| &*plane).collect();
            let work = |(i, plane): (usize, &mut [f64])| self.plane(&lines, i, plane, &rest);
            if self.grid.parallel() {
                own.into_par_iter().for_each(work);
            } else {
                own.into_iter().for_each(work);
            }
        }
    }

    fn plane(&self, lines: &[usize], i: usize, plane: &mut [f64], rest: &[&[f64]]) {
        let (grid, n) = (self.grid, self.grid.n[2]);
        let mut product = vec![0.0; n];
        for &l in lines {
            for k in 0..2 {
                let colour = if self.backwards { 1 - k } else { k };
                let line = |p: usize, l: usize| {
                    if p == i { grid.line(plane, 0, l) } else { grid.line(rest[p], 0, l) }
                };
                self.matrix.line(grid, [i, l], line, &mut product);
                Arch::new().dispatch(Correct {
                    right: grid.line(self.right, i, l),
                    inverse: grid.line(&self.matrix.inverse, i, l),
                    product: &product,
                    mask: &self.mask[colour..][..n],
                    out: &mut plane[l * n..(l + 1) * n],
                });
            }
        }
    }
}

/// The indices along an axis, even ones and odd ones; the last one of a periodic axis of odd length
/// touches the first one, and is alone.
fn parities(grid: &Grid, axis: usize) -> Vec<Vec<usize>> {
    let n = grid.n[axis];
    let seam = grid.periodic[axis] && n % 2 == 1 && n > 1;
    let end = if seam { n - 1 } else { n };
    let mut all: Vec<Vec<usize>> =
        vec![(0..end).step_by(2).collect(), (1..end).step_by(2).collect()];
    if seam {
        all.push(vec![n - 1]);
    }
    all
}

/// `out ← out + a x`.
struct AddProduct<'a> {
    a: &'a [f64],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for AddProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { a, x, out } = self;
        let n = out.len();
        let (a, x) = (&a[..n], &x[..n]);
        for j in 0..n {
            out[j] += a[j] * x[j];
        }
    }
}

/// `out ← out + mask D⁻¹ (f − A x)`.
struct Correct<'a> {
    right: &'a [f64],
    inverse: &'a [f64],
    product: &'a [f64],
    mask: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for Correct<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { right: f, inverse, product, mask, out } = self;
        let n = out.len();
        let (f, inverse, product, mask) = (&f[..n], &inverse[..n], &product[..n], &mask[..n]);
        for j in 0..n {
            out[j] += mask[j] * inverse[j] * (f[j] - product[j]);
        }
    }
}

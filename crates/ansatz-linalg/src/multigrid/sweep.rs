//! Red–black Gauss–Seidel on a seven-point matrix, in one pass over memory.

use rayon::prelude::*;

use crate::operator::diffusion::{grid::Grid, relax::Every, seven::Seven};

/// One sweep over `u`: first the cells of one colour, then the others; colour is the parity of the
/// sum of the three indices. Cells of one colour do not touch, so that their order does not matter
/// (but across the seam of a periodic axis of odd length, see below).
///
/// The planes are worked on in groups, in parallel. Within a group the second colour follows one
/// plane behind the first, while the planes are in the cache. The second colour of the first and
/// last plane of a group needs the neighbouring group's first colour; it is done when all are.
///
/// Across the seam of an odd periodic axis cells of one colour touch. Along the first axis they see
/// each other's old values, along the second one the later sees the new value of the earlier; lines
/// are gone through backwards when the colours are, so that the sweeps stay each other's transpose.
pub(super) struct Sweep<'a> {
    pub(super) grid: &'a Grid,
    pub(super) matrix: &'a Seven,
    pub(super) right: &'a [f64],
    /// Black before red, from the last line to the first.
    pub(super) backwards: bool,
}

/// A group of planes, with those before and after it as they were when they were copied.
struct Group<'a> {
    first: usize,
    own: &'a mut [f64],
    before: Vec<f64>,
    after: Vec<f64>,
    /// A copy of the line, where it is its own neighbour.
    copy: Vec<f64>,
}

impl Sweep<'_> {
    /// Sweeps over `u`; if `zero`, over zeros, whatever `u` holds.
    pub(super) fn run(&self, u: &mut [f64], zero: bool) {
        let size = self.grid.plane();
        let colours = if self.backwards { [1, 0] } else { [0, 1] };
        self.each(u, |group| {
            let count = group.own.len() / size;
            for i in 0..count {
                self.colour(group, i, colours[0], zero);
                // Now the plane before has all it needs, unless it is at the end of the group.
                if i >= 2 {
                    self.colour(group, i - 1, colours[1], false);
                }
            }
        });
        self.each(u, |group| {
            let count = group.own.len() / size;
            for i in [0, count - 1].into_iter().take(count) {
                self.colour(group, i, colours[1], false);
            }
        });
    }

    /// Runs `work` on every group.
    fn each(&self, u: &mut [f64], work: impl Fn(&mut Group) + Sync) {
        let (size, planes) = (self.grid.plane(), self.grid.group());
        let copies: Vec<[Vec<f64>; 2]> = (0..self.grid.n[0])
            .step_by(planes)
            .map(|first| {
                let last = (first + planes).min(self.grid.n[0]) - 1;
                let copy = |i: usize| u[i * size..(i + 1) * size].to_vec();
                [copy(self.grid.step(0, first, -1)), copy(self.grid.step(0, last, 1))]
            })
            .collect();
        let group = |((k, own), [before, after]): ((usize, &mut [f64]), [Vec<f64>; 2])| {
            work(&mut Group { first: k * planes, own, before, after, copy: Vec::new() });
        };
        let chunks = planes * size;
        if self.grid.parallel() {
            u.par_chunks_mut(chunks).enumerate().zip(copies).for_each(group);
        } else {
            u.chunks_mut(chunks).enumerate().zip(copies).for_each(group);
        }
    }

    /// The cells of one colour in one plane of a group.
    fn colour(&self, group: &mut Group, i: usize, colour: usize, zero: bool) {
        let lines = self.grid.n[1];
        for k in 0..lines {
            let l = if self.backwards { lines - 1 - k } else { k };
            self.line(group, [i, l], colour, zero);
        }
    }

    fn line(&self, group: &mut Group, [i, l]: [usize; 2], colour: usize, zero: bool) {
        let Group { first, own, before, after, copy } = group;
        let (grid, n) = (self.grid, self.grid.n[2]);
        let (plane, count) = (*first + i, own.len() / grid.plane());
        let start = (i * grid.n[1] + l) * n;
        let (head, rest) = own.split_at_mut(start);
        let (line, tail) = rest.split_at_mut(n);
        if grid.axes == 3 && grid.n[1] == 1 {
            copy.clear();
            copy.extend_from_slice(line);
        }
        let other = |plane: usize, line: usize| {
            let at = (plane * grid.n[1] + line) * n;
            if at < start { &head[at..at + n] } else { &tail[at - start - n..at - start] }
        };
        let beside = |step: isize| match grid.step(1, l, step) {
            _ if grid.axes < 3 => &[],
            k if k == l => &copy[..],
            k => other(i, k),
        };
        let around = [
            if i == 0 { grid.line(before, 0, l) } else { other(i - 1, l) },
            if i + 1 == count { grid.line(after, 0, l) } else { other(i + 1, l) },
            beside(-1),
            beside(1),
        ];
        let right = grid.line(self.right, plane, l);
        let first = (plane + l + colour) % 2;
        self.matrix.relax(grid, Every { at: [plane, l], first, line, around, right, zero });
    }
}

//! Between a grid and the next coarser one: [`Transfer`].

mod line;
mod map;

use line::Split;
pub(super) use map::{Ends, Map};
use rayon::prelude::*;

use super::full::{STEPS, offsets};
use crate::operator::diffusion::grid::Grid;

/// What the coarse cells contribute to the fine ones around them, for each offset from a coarse cell
/// (in fine cells).
#[derive(Debug, Clone)]
pub(super) enum Weights {
    /// Products of weights along each axis; `[axis][offset + 1][coarse index]`.
    Separable([[Vec<f64>; 3]; 3]),
    /// An array over the coarse cells for each offset, in the order of [`offsets`].
    Full(Vec<([isize; 3], Vec<f64>)>),
}

/// Interpolation to a fine grid and, as its transpose, restriction from it.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) fine: Grid,
    pub(super) coarse: Grid,
    pub(super) maps: [Map; 3],
    pub(super) weights: Weights,
}

/// The three fine planes that a coarse one needs at once.
type Planes = [(Option<usize>, Vec<f64>); 3];

impl Transfer {
    /// Which of the axes are halved.
    pub(super) fn halved(maps: [Map; 3]) -> [bool; 3] {
        maps.map(Map::is_halved)
    }

    /// The fine cell at an offset from a coarse one, unless that is coarse too.
    pub(super) fn fine(&self, axis: usize, coarse: usize, offset: isize) -> Option<usize> {
        let (map, n) = (self.maps[axis], self.fine.n[axis]);
        let at = map.cell(n, coarse);
        if offset == 0 {
            return Some(at);
        }
        self.fine.reach(axis, at, offset).filter(|cell| map.coarse(n, *cell).is_none())
    }

    /// How far the next coarse cell is: 1 where two coarse cells are neighbours, else 2.
    pub(super) fn apart(&self, axis: usize, coarse: usize, step: isize) -> isize {
        let (map, n) = (self.maps[axis], self.fine.n[axis]);
        let next = self.fine.reach(axis, map.cell(n, coarse), step);
        if next.is_some_and(|cell| map.coarse(n, cell).is_some()) { 1 } else { 2 }
    }

    /// The coarse cells around a fine one, with its offset from them.
    fn around(&self, axis: usize, fine: usize) -> impl Iterator<Item = (usize, isize)> + use<> {
        let (map, n) = (self.maps[axis], self.fine.n[axis]);
        let candidates = match map.coarse(n, fine) {
            Some(own) => [Some((own, 0)), None],
            None => [-1, 1].map(|step: isize| {
                let cell = self.fine.reach(axis, fine, step)?;
                Some((map.coarse(n, cell)?, -step))
            }),
        };
        candidates.into_iter().flatten()
    }

    /// The weights of a coarse line at an offset across it: a factor, and the weights of the cells
    /// before, at and after each coarse cell.
    fn line_weights(&self, [i, l]: [usize; 2], offset: [isize; 2]) -> (f64, [&[f64]; 3]) {
        match &self.weights {
            Weights::Separable([a, b, c]) => {
                let k = offset.map(|o| (o + 1) as usize);
                (a[k[0]][i] * b[k[1]][l], c.each_ref().map(|c| &c[..]))
            }
            Weights::Full(all) => {
                let line = |along: isize| {
                    let found = all.iter().find(|(o, _)| *o == [offset[0], offset[1], along]);
                    found.map_or(&[][..], |(_, w)| self.coarse.line(w, i, l))
                };
                (1.0, STEPS.map(line))
            }
        }
    }

    fn split(&self) -> Split {
        Split { map: self.maps[2], fine: self.fine.n[2], coarse: self.coarse.n[2] }
    }

    /// `coarse ← Pᵀ r`, where `residual(i, plane)` writes the fine plane `i` of `r`.
    pub(super) fn restrict(&self, residual: impl Fn(usize, &mut [f64]) + Sync, coarse: &mut [f64]) {
        let (size, planes) = (self.coarse.plane(), self.coarse.group());
        let group = |(g, coarse): (usize, &mut [f64])| {
            let split = self.split();
            let mut plane = vec![0.0; self.fine.plane()];
            let empty = || (None, vec![0.0; split.len() * self.fine.n[1]]);
            let mut cache: Planes = [empty(), empty(), empty()];
            for (k, out) in coarse.chunks_mut(size).enumerate() {
                let i = g * planes + k;
                out.fill(0.0);
                for offset in self.steps(0) {
                    let Some(from) = self.fine(0, i, offset) else { continue };
                    // The plane after this coarse plane is the one before the next.
                    let slot = from % 3;
                    if cache[slot].0 != Some(from) {
                        residual(from, &mut plane);
                        let lines = plane.chunks(self.fine.n[2]);
                        for (line, x) in lines.zip(cache[slot].1.chunks_mut(split.len())) {
                            split.part(line, x);
                        }
                        cache[slot].0 = Some(from);
                    }
                    self.restrict_plane(&cache[slot].1, i, offset, out);
                }
            }
        };
        if self.fine.parallel() {
            coarse.par_chunks_mut(planes * size).enumerate().for_each(group);
        } else {
            coarse.chunks_mut(planes * size).enumerate().for_each(group);
        }
    }

    /// Offsets along an axis.
    fn steps(&self, axis: usize) -> impl Iterator<Item = isize> + use<> {
        let halved = self.maps[axis].is_halved();
        STEPS.into_iter().filter(move |step| halved || *step == 0)
    }

    /// Adds what the fine plane, whose lines are parted, contributes to the coarse plane `i`.
    fn restrict_plane(&self, fine: &[f64], i: usize, offset: isize, coarse: &mut [f64]) {
        let split = self.split();
        for (l, out) in coarse.chunks_mut(self.coarse.n[2]).enumerate() {
            for beside in self.steps(1) {
                let Some(from) = self.fine(1, l, beside) else { continue };
                let line = &fine[from * split.len()..(from + 1) * split.len()];
                let (factor, weights) = self.line_weights([i, l], [offset, beside]);
                split.restrict(line, factor, weights, out);
            }
        }
    }

    /// `fine ← fine + P coarse`.
    pub(super) fn add_prolonged(&self, coarse: &[f64], fine: &mut [f64]) {
        let (size, planes) = (self.fine.plane(), self.fine.group());
        let group = |(g, fine): (usize, &mut [f64])| {
            let mut parts = vec![0.0; self.split().len()];
            for (k, out) in fine.chunks_mut(size).enumerate() {
                self.prolong_plane(coarse, g * planes + k, &mut parts, out);
            }
        };
        if self.fine.parallel() {
            fine.par_chunks_mut(planes * size).enumerate().for_each(group);
        } else {
            fine.chunks_mut(planes * size).enumerate().for_each(group);
        }
    }

    fn prolong_plane(&self, coarse: &[f64], i: usize, parts: &mut [f64], fine: &mut [f64]) {
        let split = self.split();
        for (l, out) in fine.chunks_mut(self.fine.n[2]).enumerate() {
            parts.fill(0.0);
            for (plane, offset) in self.around(0, i) {
                for (line, beside) in self.around(1, l) {
                    let x = self.coarse.line(coarse, plane, line);
                    let (factor, weights) = self.line_weights([plane, line], [offset, beside]);
                    split.prolong(x, factor, weights, parts);
                }
            }
            split.join(parts, out);
        }
    }

    /// Every offset.
    pub(super) fn offsets(maps: [Map; 3]) -> Vec<[isize; 3]> {
        offsets(Self::halved(maps))
    }
}

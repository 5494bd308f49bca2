//! The same few neighbours of every point of a grid: [`Stencil`].

use std::{collections::BTreeMap, ops::Range};

use pulp::{Arch, NullaryFnOnce};
use rayon::prelude::*;

use super::{check_length, check_size};
use crate::{Error, LinearOperator, Properties, Result};

/// What lies beyond the end of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// Zeros: a homogeneous Dirichlet condition one spacing beyond the last point.
    Zero,
    /// The other end.
    Periodic,
    /// The points themselves, mirrored at the face half a spacing beyond the last point: a
    /// homogeneous Neumann condition for points in the middle of cells.
    Mirror,
}

/// An operator that adds to each point of a regular grid multiples of its neighbours, the same
/// everywhere: `yᵢ = Σₒ cₒ xᵢ₊ₒ`. A vector is the array of the points row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stencil {
    points: Vec<usize>,
    edges: Vec<Edge>,
    entries: Vec<(Vec<isize>, f64)>,
    properties: Properties,
}

/// From this many points on the lines are shared between threads.
const PARALLEL_FROM: usize = 1 << 15;

impl Stencil {
    /// On a grid of `points` with an edge for each axis: offsets and factors. Factors of the same
    /// offset are added.
    ///
    /// # Errors
    /// [`Error::Size`] when edges or offsets do not have one entry for each axis,
    /// [`Error::InvalidArgument`] when there is no axis, an axis has no point, there are more
    /// points than memory, a sum of factors is not finite or an offset reaches across the grid.
    pub fn new(points: &[usize], edges: &[Edge], entries: &[(&[isize], f64)]) -> Result<Self> {
        if points.is_empty() || points.contains(&0) {
            let expected = "at least one axis, of at least one point each";
            return Err(Error::invalid("points of a stencil", format!("{points:?}"), expected));
        }
        check_size("points of a stencil", points)?;
        check_length("edges of a stencil, one for each axis", points.len(), edges.len())?;
        let mut sums: BTreeMap<Vec<isize>, f64> = BTreeMap::new();
        for (offset, factor) in entries {
            check_length("offset of a stencil, one for each axis", points.len(), offset.len())?;
            if offset.iter().zip(points).any(|(o, n)| o.unsigned_abs() >= (*n).max(2)) {
                let value = format!("{offset:?} on a grid {points:?}");
                let expected = "offsets shorter than the axes";
                return Err(Error::invalid("offset of a stencil", value, expected));
            }
            *sums.entry(offset.to_vec()).or_default() += factor;
        }
        if let Some(sum) = sums.values().find(|sum| !sum.is_finite()) {
            return Err(Error::invalid("factor of a stencil", sum, "a finite number"));
        }
        let properties = properties(points, edges, &sums);
        let entries = sums.into_iter().collect();
        Ok(Self { points: points.to_vec(), edges: edges.to_vec(), entries, properties })
    }

    /// The negative Laplacian `−Δ` by central differences of second order.
    ///
    /// Positive definite if some axis ends in [`Edge::Zero`]; otherwise constants are mapped to 0.
    ///
    /// # Errors
    /// As [`Stencil::new`]; [`Error::InvalidArgument`] unless every spacing is positive.
    pub fn laplacian(points: &[usize], spacing: &[f64], edges: &[Edge]) -> Result<Self> {
        check_length("spacings of a stencil, one for each axis", points.len(), spacing.len())?;
        let mut entries = vec![(vec![0; points.len()], 0.0)];
        for (axis, h) in spacing.iter().enumerate() {
            let weight = (h * h).recip();
            if !(*h > 0.0 && weight.is_normal()) {
                let expected = "a positive number, neither its square nor its inverse out of range";
                return Err(Error::invalid("spacing of a grid", h, expected));
            }
            entries[0].1 += 2.0 * weight;
            for step in [-1, 1] {
                let mut offset = vec![0; points.len()];
                offset[axis] = step;
                entries.push((offset, -weight));
            }
        }
        let entries: Vec<(&[isize], f64)> = entries.iter().map(|(o, c)| (&o[..], *c)).collect();
        let mut stencil = Self::new(points, edges, &entries)?;
        stencil.properties.positive_definite = edges.contains(&Edge::Zero);
        Ok(stencil)
    }

    /// The points of each axis.
    pub fn points(&self) -> &[usize] {
        &self.points
    }

    /// The outer index that lies `offset` from the line `line`, as the number of a line.
    fn neighbour_line(&self, line: usize, offset: &[isize]) -> Option<usize> {
        let (mut rest, mut stride, mut number) = (line, 1, 0);
        for axis in (0..self.points.len() - 1).rev() {
            let n = self.points[axis];
            let i = neighbour(rest % n, offset[axis], n, self.edges[axis])?;
            number += i * stride;
            rest /= n;
            stride *= n;
        }
        Some(number)
    }

    /// Where in a line of `n` points a shift stays inside: the range of the points themselves.
    fn inside(shift: isize, n: usize) -> Range<usize> {
        let start = (-shift).max(0) as usize;
        let end = (n as isize - shift.max(0)).max(start as isize) as usize;
        start..end
    }

    fn gather(&self, x: &[f64], y: &mut [f64]) {
        let last = self.points.len() - 1;
        let (n, edge) = (self.points[last], self.edges[last]);
        // Points of a line all of whose neighbours lie inside of it.
        let ranges = self.entries.iter().map(|(offset, _)| Self::inside(offset[last], n));
        let (start, end) =
            ranges.fold((0, n), |(start, end), r| (start.max(r.start), end.min(r.end)));
        let inside = if start < end { start..end } else { 0..0 };
        let line = |(number, y): (usize, &mut [f64])| {
            let lines: Vec<(f64, isize, &[f64])> = self
                .entries
                .iter()
                .filter_map(|(offset, c)| {
                    let from = self.neighbour_line(number, offset)?;
                    Some((*c, offset[last], &x[from * n..(from + 1) * n]))
                })
                .collect();
            sum_lines(&lines, inside.clone(), &mut y[inside.clone()]);
            for i in (0..inside.start).chain(inside.end..n) {
                let term = |(c, shift, x): &(f64, isize, &[f64])| {
                    neighbour(i, *shift, n, edge).map_or(0.0, |j| c * x[j])
                };
                y[i] = lines.iter().map(term).sum();
            }
        };
        if y.len() >= PARALLEL_FROM {
            let lines = (PARALLEL_FROM / 4 / n).max(1);
            y.par_chunks_mut(lines * n).enumerate().for_each(|(i, y)| {
                y.chunks_mut(n).enumerate().for_each(|(j, y)| line((i * lines + j, y)));
            });
        } else {
            y.chunks_mut(n).enumerate().for_each(line);
        }
    }

    fn scatter(&self, x: &[f64], y: &mut [f64]) {
        let last = self.points.len() - 1;
        let (n, edge) = (self.points[last], self.edges[last]);
        y.fill(0.0);
        for (number, x) in x.chunks(n).enumerate() {
            for (offset, c) in &self.entries {
                let Some(to) = self.neighbour_line(number, offset) else { continue };
                let (y, shift) = (&mut y[to * n..(to + 1) * n], offset[last]);
                for (i, x) in x.iter().enumerate() {
                    if let Some(j) = neighbour(i, shift, n, edge) {
                        y[j] += c * x;
                    }
                }
            }
        }
    }
}

/// Lines added in one pass.
const TOGETHER: usize = 8;

/// `y ← Σ c x`, each line shifted, at the points `inside`, where no shift leaves its line.
fn sum_lines(lines: &[(f64, isize, &[f64])], inside: Range<usize>, y: &mut [f64]) {
    if lines.is_empty() {
        y.fill(0.0);
    }
    for (i, group) in lines.chunks(TOGETHER).enumerate() {
        Arch::new().dispatch(SumLines { group, inside: inside.clone(), add: i > 0, y: &mut *y });
    }
}

/// At most [`TOGETHER`] lines. Called by name: what is not inlined is compiled for the baseline.
struct SumLines<'a> {
    group: &'a [(f64, isize, &'a [f64])],
    inside: Range<usize>,
    add: bool,
    y: &'a mut [f64],
}

impl NullaryFnOnce for SumLines<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        match self.group.len() {
            1 => self.lines::<1>(),
            2 => self.lines::<2>(),
            3 => self.lines::<3>(),
            4 => self.lines::<4>(),
            5 => self.lines::<5>(),
            6 => self.lines::<6>(),
            7 => self.lines::<7>(),
            _ => self.lines::<TOGETHER>(),
        }
    }
}

impl SumLines<'_> {
    #[inline(always)]
    fn lines<const K: usize>(self) {
        let Self { group, inside, add, y } = self;
        let length = y.len();
        let (mut c, mut x) = ([0.0; K], [&[][..]; K]);
        for k in 0..K {
            let (factor, shift, line) = group[k];
            let start = inside.start.saturating_add_signed(shift);
            c[k] = factor;
            x[k] = &line[start..start + length];
        }
        for i in 0..length {
            let mut sum = if add { y[i] } else { 0.0 };
            for k in 0..K {
                sum += c[k] * x[k][i];
            }
            y[i] = sum;
        }
    }
}

/// The point at `i + offset` of an axis of `n`.
fn neighbour(i: usize, offset: isize, n: usize, edge: Edge) -> Option<usize> {
    let (j, n) = (i as isize + offset, n as isize);
    let j = match edge {
        _ if (0..n).contains(&j) => j,
        Edge::Zero => return None,
        Edge::Periodic => j.rem_euclid(n),
        Edge::Mirror if j < 0 => -1 - j,
        Edge::Mirror => 2 * n - 1 - j,
    };
    Some(j as usize)
}

fn properties(points: &[usize], edges: &[Edge], sums: &BTreeMap<Vec<isize>, f64>) -> Properties {
    let same = |flipped: &dyn Fn(&[isize]) -> Vec<isize>| {
        sums.iter().all(|(offset, c)| sums.get(&flipped(offset)) == Some(c))
    };
    let opposite = same(&|offset| offset.iter().map(|o| -o).collect());
    // A mirror turns one axis alone.
    let mirrored = (0..points.len()).filter(|&axis| edges[axis] == Edge::Mirror).all(|axis| {
        same(&|offset| {
            let mut flipped = offset.to_vec();
            flipped[axis] = -flipped[axis];
            flipped
        })
    });
    let reach = |most: isize| sums.keys().all(|o| o.iter().all(|o| o.abs() <= most));
    let wraps = edges.contains(&Edge::Periodic);
    Properties {
        symmetric: opposite && mirrored,
        diagonal: reach(0),
        tridiagonal: reach(0) || (points.len() == 1 && reach(1) && !wraps),
        ..Properties::NONE
    }
}

impl LinearOperator<Vec<f64>> for Stencil {
    fn shape(&self) -> [usize; 2] {
        [self.points.iter().product(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.resize(x.len(), 0.0);
        self.gather(x, y);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.resize(x.len(), 0.0);
        if self.properties.symmetric {
            self.gather(x, y);
        } else {
            self.scatter(x, y);
        }
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

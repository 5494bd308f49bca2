//! The padded input of one piece of work, laid out so that each tap is a fixed offset: [`Grid`].
//!
//! Along an axis with stride s the padded input is split into s phases, the points `i s + φ`. A tap
//! at `t` then takes phase `t mod s` of the points shifted by `t / s`, so that the places of the
//! kernel, too, follow one another without gaps. All axes are flattened with the pitch of the
//! padded grid: a tap is an offset into it, and the few places in between that belong to no output
//! are computed and dropped.

use std::ops::Range;

use super::geometry::Axis;
use crate::{Padding, cpu::Float};

/// How places and points of one axis are related: place `i`, tap offset `o` and phase `φ` take the
/// point `(i + o) stride + φ − before`.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) n: usize,
    pub(super) stride: usize,
    pub(super) before: usize,
    pub(super) mode: Padding,
    pub(super) phases: Vec<usize>,
    /// The largest tap offset.
    pub(super) reach: usize,
}

/// One tap along one axis: index of its phase, and offset.
pub(super) type Tap = (usize, usize);

impl Rule {
    /// For the convolution itself, with its taps.
    pub(super) fn forward(axis: &Axis) -> (Self, Vec<Tap>) {
        let at = |k: usize| (k * axis.dilation % axis.stride, k * axis.dilation / axis.stride);
        let mut phases: Vec<usize> = (0..axis.kernel).map(|k| at(k).0).collect();
        phases.sort_unstable();
        phases.dedup();
        let index = |phase| phases.iter().position(|&p| p == phase).unwrap_or(0);
        let taps = (0..axis.kernel).map(|k| (index(at(k).0), at(k).1)).collect();
        let rule = Self {
            n: axis.pad.n,
            stride: axis.stride,
            before: axis.pad.before,
            mode: axis.pad.mode,
            reach: (axis.kernel - 1) * axis.dilation / axis.stride,
            phases,
        };
        (rule, taps)
    }

    /// For its adjoint: what phase `φ` of the padded input receives, by the taps `(k, offset)` of
    /// each phase.
    pub(super) fn adjoint(axis: &Axis) -> (Self, Vec<Vec<(usize, usize)>>) {
        let reach = (axis.kernel - 1) * axis.dilation / axis.stride;
        let mut taps = vec![Vec::new(); axis.stride];
        for k in 0..axis.kernel {
            let t = k * axis.dilation;
            taps[t % axis.stride].push((k, reach - t / axis.stride));
        }
        let mode = Padding::Zeros;
        (Self { n: axis.out, stride: 1, before: reach, mode, phases: vec![0], reach }, taps)
    }

    /// The points that the places `range` can take in one phase.
    fn line(&self, range: &Range<usize>, phase: usize) -> Line {
        let length = range.len() + self.reach;
        let point = |g: usize| {
            let padded = (range.start + g) * self.stride + phase;
            padded as isize - self.before as isize
        };
        let inside = |g: &usize| usize::try_from(point(*g)).is_ok_and(|i| i < self.n);
        let first = (0..length).find(inside).unwrap_or(length);
        let last = (first..length).rev().find(inside).map_or(first, |g| g + 1);
        let outside = |g| self.mode.source(point(g), self.n);
        Line {
            before: (0..first).map(outside).collect(),
            start: if first < last { point(first) as usize } else { 0 },
            count: last - first,
            step: self.stride,
            after: (last..length).map(outside).collect(),
        }
    }
}

/// The sources of one run of padded points: some by index, a regular run of them, some by index.
struct Line {
    before: Vec<Option<usize>>,
    start: usize,
    count: usize,
    step: usize,
    after: Vec<Option<usize>>,
}

impl Line {
    /// All sources one by one.
    fn sources(&self) -> Vec<Option<usize>> {
        let regular = (0..self.count).map(|i| Some(self.start + i * self.step));
        self.before.iter().copied().chain(regular).chain(self.after.iter().copied()).collect()
    }

    /// Appends these points of `row`.
    #[inline]
    fn append<T: Float>(&self, row: &[T], to: &mut Vec<T>) {
        let edge = |i: &Option<usize>| i.map_or(T::zero(), |i| row[i]);
        to.extend(self.before.iter().map(edge));
        let rest = &row[self.start.min(row.len())..];
        if self.step == 1 {
            to.extend_from_slice(&rest[..self.count]);
        } else {
            to.extend(rest.iter().step_by(self.step).take(self.count));
        }
        to.extend(self.after.iter().map(edge));
    }
}

/// The padded points `[phase, channel, image, i, j, k]`, and [`SLACK`](super::tiles::SLACK) zeros
/// at the end.
pub(super) struct Grid<T> {
    pub(super) values: Vec<T>,
    /// Points along each axis.
    dims: [usize; 3],
    channels: usize,
    images: usize,
    phases: [usize; 3],
    /// Places along each axis.
    places: [usize; 3],
}

impl<T: Float> Grid<T> {
    /// Of images `[images, channels, n…]` for the places `ranges`.
    pub(super) fn new(
        x: &[T],
        channels: usize,
        rules: &[Rule; 3],
        ranges: &[Range<usize>; 3],
        slack: usize,
    ) -> Self {
        let places: [usize; 3] = std::array::from_fn(|a| ranges[a].len());
        let dims: [usize; 3] = std::array::from_fn(|a| places[a] + rules[a].reach);
        let n: [usize; 3] = std::array::from_fn(|a| rules[a].n);
        let phases: [usize; 3] = std::array::from_fn(|a| rules[a].phases.len());
        let (plane, size) = (n.iter().product::<usize>(), dims.iter().product::<usize>());
        let images = x.len().checked_div(plane * channels).unwrap_or(0);
        let lines: [Vec<Line>; 3] = std::array::from_fn(|a| {
            rules[a].phases.iter().map(|&p| rules[a].line(&ranges[a], p)).collect()
        });
        let total = phases.iter().product::<usize>() * channels * images * size + slack;
        let mut values = Vec::with_capacity(total);
        for outer in &lines[0] {
            let outer = outer.sources();
            for middle in &lines[1] {
                let middle = middle.sources();
                for inner in &lines[2] {
                    for c in 0..channels {
                        for image in 0..images {
                            let x = &x[(image * channels + c) * plane..][..plane];
                            for i in &outer {
                                for j in &middle {
                                    if let (Some(i), Some(j)) = (i, j) {
                                        let row = &x[(i * n[1] + j) * n[2]..][..n[2]];
                                        inner.append(row, &mut values);
                                    } else {
                                        values.resize(values.len() + dims[2], T::zero());
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        values.resize(total, T::zero());
        Self { values, dims, channels, images, phases, places }
    }

    /// Points of all images in one channel.
    fn stretch(&self) -> usize {
        self.images * self.dims.iter().product::<usize>()
    }

    /// Where channel `c` begins.
    pub(super) fn channel(&self, c: usize) -> &[T] {
        &self.values[c * self.stretch()..]
    }

    /// The offset of a tap, from the place it belongs to, `c` channels on.
    pub(super) fn offset(&self, taps: [Tap; 3], c: usize) -> u32 {
        let [a, b, d] = taps;
        let phase = (a.0 * self.phases[1] + b.0) * self.phases[2] + d.0;
        let within = (a.1 * self.dims[1] + b.1) * self.dims[2] + d.1;
        ((phase * self.channels + c) * self.stretch() + within) as u32
    }

    /// The number of places from the first to the last, those between the rows included.
    pub(super) fn positions(&self) -> usize {
        if self.images == 0 || self.places.contains(&0) {
            return 0;
        }
        self.place(self.images - 1, self.places[0] - 1, self.places[1] - 1) + self.places[2]
    }

    /// The first place of a row.
    pub(super) fn place(&self, image: usize, i: usize, j: usize) -> usize {
        ((image * self.dims[0] + i) * self.dims[1] + j) * self.dims[2]
    }

    pub(super) fn images(&self) -> usize {
        self.images
    }

    pub(super) fn places(&self) -> [usize; 3] {
        self.places
    }
}

//! Convolution on the CPU, [`forward`], and its adjoint in the input, [`spread`].

use std::{mem::MaybeUninit, ops::Range};

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    geometry::Geometry,
    grid::{Grid, Rule, Tap},
    lanes::Lanes,
    pieces::{PARALLEL, Piece, outputs, pieces},
    tiles::{PANEL, SLACK, correlate},
};
use crate::cpu::collect;

/// `y = x * kernel + bias`.
pub(super) fn forward<T: Lanes>(
    x: &[T],
    kernel: &[T],
    bias: Option<&[T]>,
    batch: usize,
    geo: &Geometry,
) -> Vec<T> {
    let [a, b, c] = geo.axes.map(|axis| Rule::forward(&axis));
    let mut taps = Vec::with_capacity(geo.taps());
    for &i in &a.1 {
        for &j in &b.1 {
            taps.extend(c.1.iter().map(|&k| [i, j, k]));
        }
    }
    let columns = geo.inputs_per_group() * geo.taps();
    let (groups, rows) = (geo.groups, geo.outputs_per_group());
    let panels = pack(groups, rows, columns, |o, k| kernel[o * columns + k]);
    Correlation {
        x,
        bias,
        batch,
        groups,
        channels: [geo.inputs_per_group(), rows],
        rules: [a.0, b.0, c.0],
        dims: geo.axes.map(|axis| axis.out),
        stride: [1; 3],
        before: [0; 3],
        passes: vec![Pass { phase: [0; 3], taps, panels }],
    }
    .run()
}

/// The adjoint of [`forward`] in its input, plus `bias`. Padding must be with zeros.
pub(super) fn spread<T: Lanes>(
    y: &[T],
    kernel: &[T],
    bias: Option<&[T]>,
    batch: usize,
    geo: &Geometry,
) -> Vec<T> {
    let [a, b, c] = geo.axes.map(|axis| Rule::adjoint(&axis));
    let (inputs, outputs) = (geo.inputs_per_group(), geo.outputs_per_group());
    let sizes = geo.axes.map(|axis| axis.kernel);
    let mut passes = Vec::new();
    for (i, first) in a.1.iter().enumerate() {
        for (j, second) in b.1.iter().enumerate() {
            for (k, third) in c.1.iter().enumerate() {
                let mut taps: Vec<[Tap; 3]> = Vec::new();
                let mut places = Vec::new();
                for &(p, u) in first {
                    for &(q, v) in second {
                        for &(r, w) in third {
                            taps.push([(0, u), (0, v), (0, w)]);
                            places.push((p * sizes[1] + q) * sizes[2] + r);
                        }
                    }
                }
                let n = places.len();
                let panels = pack(geo.groups, inputs, outputs * n, |c, k| {
                    let (group, c) = (c / inputs, c % inputs);
                    let (o, tap) = (group * outputs + k / n, places[k % n]);
                    kernel[(o * inputs + c) * geo.taps() + tap]
                });
                passes.push(Pass { phase: [i, j, k], taps, panels });
            }
        }
    }
    Correlation {
        x: y,
        bias,
        batch,
        groups: geo.groups,
        channels: [outputs, inputs],
        rules: [a.0, b.0, c.0],
        dims: geo.axes.map(|axis| axis.pad.n),
        stride: geo.axes.map(|axis| axis.stride),
        before: geo.axes.map(|axis| axis.pad.before),
        passes,
    }
    .run()
}

/// Weights of output `o` for column `k` as `[group, panel, column, PANEL]`, filled up with zeros.
fn pack<T: Lanes>(
    groups: usize,
    rows: usize,
    columns: usize,
    get: impl Fn(usize, usize) -> T,
) -> Vec<T> {
    let mut panels = Vec::with_capacity(groups * rows.next_multiple_of(PANEL) * columns);
    for group in 0..groups {
        for first in (0..rows).step_by(PANEL) {
            for k in 0..columns {
                panels.extend(
                    (first..first + PANEL)
                        .map(|r| if r < rows { get(group * rows + r, k) } else { T::zero() }),
                );
            }
        }
    }
    panels
}

/// Sums over taps that fill one phase of the output.
struct Pass<T> {
    phase: [usize; 3],
    taps: Vec<[Tap; 3]>,
    panels: Vec<T>,
}

/// A convolution or its adjoint: places `p` of phase `φ` are the outputs `p stride + φ − before`.
struct Correlation<'a, T> {
    x: &'a [T],
    bias: Option<&'a [T]>,
    batch: usize,
    groups: usize,
    /// Input and output channels of a group.
    channels: [usize; 2],
    rules: [Rule; 3],
    /// Points of the output.
    dims: [usize; 3],
    stride: [usize; 3],
    before: [usize; 3],
    passes: Vec<Pass<T>>,
}

impl<T: Lanes> Correlation<'_, T> {
    fn run(&self) -> Vec<T> {
        let outputs_all = self.groups * self.channels[1];
        let n = self.batch * outputs_all * self.dims.iter().product::<usize>();
        let (pieces, slabs) = pieces(self.batch, self.dims, self.groups * self.channels[0]);
        let columns: usize = self.passes.iter().map(|p| p.taps.len()).sum();
        let work = (n / self.passes.len()).saturating_mul(columns * self.channels[0]);
        let fill = |out: &mut [MaybeUninit<T>]| {
            let parts = outputs(out, &pieces, (outputs_all, slabs));
            let one = |(piece, parts)| Arch::new().dispatch(Task { all: self, piece, parts });
            if work < PARALLEL || rayon::current_num_threads() == 1 {
                pieces.iter().zip(parts).for_each(one);
            } else {
                pieces.par_iter().zip(parts).for_each(one);
            }
        };
        // SAFETY: the pieces cover the output, and along each axis the phases cover every point.
        #[allow(unsafe_code)]
        unsafe {
            collect(n, fill)
        }
    }

    /// Images of a piece.
    fn images(&self, piece: &Piece) -> &[T] {
        let size = self.rules.iter().map(|r| r.n).product::<usize>();
        let image = self.groups * self.channels[0] * size;
        &self.x[piece.images.start * image..piece.images.end * image]
    }
}

/// One piece of a correlation.
struct Task<'a, 'b, T> {
    all: &'a Correlation<'a, T>,
    piece: &'a Piece,
    parts: Vec<&'b mut [MaybeUninit<T>]>,
}

impl<T: Lanes> WithSimd for Task<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let all = self.all;
        let ranges: [Range<usize>; 3] = std::array::from_fn(|a| {
            let (range, stride, before) = (&self.piece.ranges[a], all.stride[a], all.before[a]);
            if range.is_empty() {
                return 0..0;
            }
            (range.start + before) / stride..(range.end - 1 + before) / stride + 1
        });
        let [inputs, outputs] = all.channels;
        let x = all.images(self.piece);
        let grid = Grid::new(x, all.groups * inputs, &all.rules, &ranges, SLACK);
        let positions = grid.positions();
        if positions == 0 && self.parts.iter().all(|part| part.is_empty()) {
            return;
        }
        let pitch = positions + SLACK;
        let mut sums = vec![T::zero(); PANEL.min(outputs) * pitch];
        for pass in &all.passes {
            let columns = inputs * pass.taps.len();
            let mut offsets = Vec::with_capacity(columns);
            for c in 0..inputs {
                offsets.extend(pass.taps.iter().map(|&t| grid.offset(t, c)));
            }
            let runs = std::array::from_fn(|a| {
                let from = (all.stride[a], pass.phase[a], all.before[a]);
                Run::new(&ranges[a], &self.piece.ranges[a], from)
            });
            let panels = outputs.div_ceil(PANEL);
            for group in 0..all.groups {
                for panel in 0..panels {
                    let rows = PANEL.min(outputs - panel * PANEL);
                    let weights = &pass.panels[(group * panels + panel) * columns * PANEL..];
                    let channel = grid.channel(group * inputs);
                    let shape = (rows, pitch, positions);
                    correlate(simd, channel, &offsets, weights, &mut sums, shape);
                    for (r, sums) in sums.chunks(pitch).enumerate().take(rows) {
                        let o = group * outputs + panel * PANEL + r;
                        let bias = all.bias.map_or(T::zero(), |b| b[o]);
                        for image in 0..grid.images() {
                            let part = &mut self.parts[image * all.groups * outputs + o];
                            write(sums, part, bias, (&grid, image), &self.piece.ranges, &runs);
                        }
                    }
                }
            }
        }
    }
}

/// The places of a phase along one axis that are points of the piece: `count` from place `place`
/// on are the points `point`, `point + step`, ….
struct Run {
    place: usize,
    count: usize,
    point: usize,
    step: usize,
}

impl Run {
    fn new(
        places: &Range<usize>,
        points: &Range<usize>,
        (step, phase, before): (usize, usize, usize),
    ) -> Self {
        // The first place p with p·step + phase − before ≥ points.start, and the first one beyond.
        let reach = |point: usize| (point + before).saturating_sub(phase).div_ceil(step);
        let first = reach(points.start).max(places.start);
        let last = reach(points.end).min(places.end).max(first);
        let point = (first * step + phase).saturating_sub(before + points.start);
        Self { place: first - places.start, count: last - first, point, step }
    }
}

/// Writes one image of one channel out of the sums at all places.
#[inline(always)]
fn write<T: Lanes>(
    sums: &[T],
    part: &mut [MaybeUninit<T>],
    bias: T,
    (grid, image): (&Grid<T>, usize),
    ranges: &[Range<usize>; 3],
    [outer, middle, inner]: &[Run; 3],
) {
    for i in 0..outer.count {
        for j in 0..middle.count {
            let at = grid.place(image, outer.place + i, middle.place + j) + inner.place;
            let row = (outer.point + i * outer.step) * ranges[1].len();
            let row = (row + middle.point + j * middle.step) * ranges[2].len();
            let from = &sums[at..at + inner.count];
            let to = &mut part[row + inner.point.min(ranges[2].len())..row + ranges[2].len()];
            if inner.step == 1 {
                for (o, s) in to.iter_mut().zip(from) {
                    o.write(*s + bias);
                }
            } else {
                for (o, s) in to.iter_mut().step_by(inner.step).zip(from) {
                    o.write(*s + bias);
                }
            }
        }
    }
}

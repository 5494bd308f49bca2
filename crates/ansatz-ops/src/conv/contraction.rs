//! The adjoint of a convolution in its kernel, on the CPU: [`contraction`].

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{
    geometry::Geometry,
    grid::{Grid, Rule, Tap},
    lanes::Lanes,
    pieces::{PARALLEL, Piece, pieces},
    tiles::{SLACK, contract},
};

/// Sums for the kernel gradient that are kept apart, to be added in order.
const PARTS: usize = 8;

/// The adjoint of [`forward`](super::kernels::forward) in its kernel: `Σ x y` over images and places.
pub(super) fn contraction<T: Lanes>(x: &[T], y: &[T], batch: usize, geo: &Geometry) -> Vec<T> {
    let [a, b, c] = geo.axes.map(|axis| Rule::forward(&axis));
    let mut taps = Vec::with_capacity(geo.taps());
    for &i in &a.1 {
        for &j in &b.1 {
            taps.extend(c.1.iter().map(|&k| [i, j, k]));
        }
    }
    let rules = [a.0, b.0, c.0];
    let dims = geo.axes.map(|axis| axis.out);
    let (pieces, _) = pieces(batch, dims, geo.inputs + geo.outputs);
    let size = geo.kernel_shape().elem_count();
    let task = |piece: &Piece, sums: &mut [T]| {
        let (rules, taps) = (&rules, &taps);
        Arch::new().dispatch(Contraction { x, y, geo, rules, taps, piece, sums });
    };
    let part = |pieces: &[Piece]| {
        let mut sums = vec![T::zero(); size];
        for piece in pieces {
            task(piece, &mut sums);
        }
        sums
    };
    let each = pieces.len().div_ceil(PARTS).max(1);
    let places = batch * dims.iter().product::<usize>();
    let work = places.saturating_mul(size);
    let parts: Vec<Vec<T>> = if work < PARALLEL || rayon::current_num_threads() == 1 {
        pieces.chunks(each).map(part).collect()
    } else {
        pieces.par_chunks(each).map(part).collect()
    };
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_else(|| vec![T::zero(); size]);
    for part in parts {
        for (t, p) in total.iter_mut().zip(part) {
            *t += p;
        }
    }
    total
}

/// One piece of a [`contraction`].
struct Contraction<'a, T> {
    x: &'a [T],
    y: &'a [T],
    geo: &'a Geometry,
    rules: &'a [Rule; 3],
    taps: &'a [[Tap; 3]],
    piece: &'a Piece,
    sums: &'a mut [T],
}

impl<T: Lanes> WithSimd for Contraction<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, y, geo, rules, taps, piece, sums } = self;
        let image = geo.inputs * rules.iter().map(|r| r.n).product::<usize>();
        let x = &x[piece.images.start * image..piece.images.end * image];
        let grid = Grid::new(x, geo.inputs, rules, &piece.ranges, SLACK);
        let pitch = grid.positions().next_multiple_of(16);
        if pitch == 0 {
            return;
        }
        let spaced = spaced(y, geo, piece, &grid, pitch);
        let (inputs, outputs) = (geo.inputs_per_group(), geo.outputs_per_group());
        let mut offsets = Vec::with_capacity(inputs * taps.len());
        for c in 0..inputs {
            offsets.extend(taps.iter().map(|&t| grid.offset(t, c)));
        }
        let size = outputs * offsets.len();
        for group in 0..geo.groups {
            let channel = grid.channel(group * inputs);
            let g = &spaced[group * outputs * pitch..];
            let sums = &mut sums[group * size..(group + 1) * size];
            contract(simd, channel, &offsets, g, sums, (outputs, pitch, pitch));
        }
    }
}

/// The part of `y` in a piece as `[channel, pitch]` at the places of the grid, zeros in between.
fn spaced<T: Lanes>(
    y: &[T],
    geo: &Geometry,
    piece: &Piece,
    grid: &Grid<T>,
    pitch: usize,
) -> Vec<T> {
    let dims = geo.axes.map(|axis| axis.out);
    let plane = dims.iter().product::<usize>();
    let [outer, middle, inner] = grid.places();
    let starts: [usize; 3] = std::array::from_fn(|a| piece.ranges[a].start);
    let mut all = Vec::with_capacity(geo.outputs * pitch);
    for c in 0..geo.outputs {
        for image in 0..grid.images() {
            let y = &y[((piece.images.start + image) * geo.outputs + c) * plane..][..plane];
            for i in 0..outer {
                for j in 0..middle {
                    all.resize(c * pitch + grid.place(image, i, j), T::zero());
                    let row = (starts[0] + i) * dims[1] + starts[1] + j;
                    all.extend_from_slice(&y[row * dims[2] + starts[2]..][..inner]);
                }
            }
        }
        all.resize((c + 1) * pitch, T::zero());
    }
    all
}

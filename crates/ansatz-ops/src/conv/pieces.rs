//! How the work on a convolution is cut: [`pieces`]. The cut depends on the shapes alone.

use std::ops::Range;

/// Some images, and of the axis that is cut some places; all of the other axes.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) images: Range<usize>,
    pub(super) ranges: [Range<usize>; 3],
}

/// Places in a piece, at least (so that small images share one).
const PLACES: usize = 2048;

/// Places in a piece, at most.
const MOST: usize = 16384;

/// Elements of a padded piece that stay in the second cache.
const CACHE: usize = 1 << 18;

/// Multiplications from where threads are worth their start.
pub(super) const PARALLEL: usize = 1 << 20;

/// Pieces of `batch` images with places `dims`, and the number of slabs every image is cut in.
/// Slabs are cut from the first axis that is longer than 1, so that they are contiguous.
pub(super) fn pieces(batch: usize, dims: [usize; 3], channels: usize) -> (Vec<Piece>, usize) {
    let size = dims.iter().product::<usize>().max(1);
    let together = PLACES.div_ceil(size).max(1);
    let axis = dims.iter().position(|&n| n > 1).unwrap_or(2);
    let most = (CACHE / channels.max(1)).clamp(PLACES, MOST);
    let rows = dims[axis].max(1);
    let slab = (most / (size / rows).max(1)).clamp(1, rows);
    let slabs = if together > 1 { 1 } else { rows.div_ceil(slab) };
    let slab = rows.div_ceil(slabs);
    let slabs = rows.div_ceil(slab);
    let mut all = Vec::new();
    for first in (0..batch).step_by(together) {
        for s in 0..slabs {
            let mut ranges: [Range<usize>; 3] = std::array::from_fn(|a| 0..dims[a]);
            ranges[axis] = s * slab..((s + 1) * slab).min(dims[axis]);
            let images = first..(first + together).min(batch);
            all.push(Piece { images, ranges });
        }
    }
    (all, slabs)
}

/// `out` `[batch, channels, dims]` cut for [`pieces`]: for each, its part of every image and
/// channel, in order.
pub(super) fn outputs<'a, T>(
    mut out: &'a mut [T],
    pieces: &[Piece],
    (channels, slabs): (usize, usize),
) -> Vec<Vec<&'a mut [T]>> {
    let mut all: Vec<Vec<&mut [T]>> = pieces.iter().map(|_| Vec::new()).collect();
    for block in (0..pieces.len()).step_by(slabs.max(1)) {
        for _ in 0..pieces[block].images.len() * channels {
            for (piece, parts) in pieces[block..block + slabs].iter().zip(&mut all[block..]) {
                let length = piece.ranges.iter().map(ExactSizeIterator::len).product();
                let (part, rest) = std::mem::take(&mut out).split_at_mut(length);
                parts.push(part);
                out = rest;
            }
        }
    }
    all
}

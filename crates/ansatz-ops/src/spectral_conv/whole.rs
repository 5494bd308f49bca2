//! The kept modes by way of whole fast transforms, for many modes: [`picked`] and [`spread`].

use super::{matrices::SpectralFloat, truncated::Grid};
use crate::fft::{
    frequency::signed,
    transform::{self, Weighting},
};

/// The index of each kept mode among those of the whole transform.
fn places(grid: &Grid) -> Vec<usize> {
    let last = grid.points.len() - 1;
    let mut places = vec![0];
    for (axis, (&n, &kept)) in grid.points.iter().zip(&grid.modes).enumerate() {
        let all = if axis == last { n / 2 + 1 } else { n };
        let place = |k: usize| match signed(kept, k) {
            f if axis == last || f >= 0 => k,
            f => (n as i64 + f) as usize,
        };
        places = places.iter().flat_map(|p| (0..kept).map(move |k| p * all + place(k))).collect();
    }
    places
}

/// Dimensions `[items, points…]`, the axes of the points, and modes of an item in all.
fn whole(items: usize, grid: &Grid) -> (Vec<usize>, Vec<usize>, usize) {
    let dims = [&[items], &grid.points[..]].concat();
    let axes: Vec<usize> = (1..dims.len()).collect();
    let all = transform::halved(&dims, &axes)[1..].iter().product();
    (dims, axes, all)
}

/// [`analysis`](super::truncated::analysis) through the whole transform.
pub(super) fn picked<T: SpectralFloat>(
    x: &[T],
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let (dims, axes, all) = whole(x.len() / grid.size(), grid);
    let modes = transform::forward(x, &dims, &axes, scale, weighting);
    let places = places(grid);
    modes.chunks(all).flat_map(|item| places.iter().map(|&p| item[p])).collect()
}

/// [`synthesis`](super::truncated::synthesis) through the whole transform.
pub(super) fn spread<T: SpectralFloat>(
    (re, im): (&[T], &[T]),
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let (dims, axes, all) = whole(re.len() / grid.kept(), grid);
    let places = places(grid);
    let spread = |kept: &[T]| {
        let mut modes = vec![T::zero(); dims[0] * all];
        for (item, kept) in modes.chunks_mut(all).zip(kept.chunks(places.len())) {
            places.iter().zip(kept).for_each(|(&p, &z)| item[p] = z);
        }
        modes
    };
    transform::inverse((&spread(re), &spread(im)), &dims, &axes, scale, weighting)
}

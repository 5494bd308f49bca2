//! The transforms on slices: groups of items that stay in the cache, on all threads.

use std::mem::MaybeUninit;

use rayon::prelude::*;
use rustfft::{FftDirection, num_complex::Complex as C, num_traits::Zero};

use super::{
    lines::{PARALLEL_FROM, complex_pass, line_pass, pieces},
    plan::{FftFloat, cast},
};
use crate::cpu::collect;

/// Which modes of the halved axis are doubled on the way to the spectrum, or halved on the way
/// back: all but the first and, of an even number of points, the last stand for two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weighting {
    /// As the transforms are defined.
    Plain,
    /// As their adjoints need it.
    Adjoint,
}

/// The array from the first transformed axis on: what is transformed together.
fn item(dims: &[usize], axes: &[usize]) -> usize {
    let first = axes.iter().copied().min().unwrap_or(dims.len());
    dims[first..].iter().product::<usize>().max(1)
}

/// Items handled by one task.
fn group(item: usize) -> usize {
    (PARALLEL_FROM / 2 / item).max(1)
}

/// The number of elements after `axis`.
fn inner(dims: &[usize], axis: usize) -> usize {
    dims[axis + 1..].iter().product()
}

/// Real and imaginary parts, each of `n` numbers, written by `work(i, re, im)` in pieces.
pub(crate) fn planes<T: FftFloat>(
    n: usize,
    piece: usize,
    work: impl Fn(usize, &mut [MaybeUninit<T>], &mut [MaybeUninit<T>]) + Sync + Send,
) -> Vec<T> {
    let fill = |out: &mut [MaybeUninit<T>]| {
        let (re, im) = out.split_at_mut(n);
        if n >= PARALLEL_FROM && rayon::current_num_threads() > 1 {
            re.par_chunks_mut(piece)
                .zip(im.par_chunks_mut(piece))
                .enumerate()
                .for_each(|(i, (re, im))| work(i, re, im));
        } else {
            for (i, (re, im)) in re.chunks_mut(piece).zip(im.chunks_mut(piece)).enumerate() {
                work(i, re, im);
            }
        }
    };
    // SAFETY: the pieces cover both halves, and `work` writes every element (`split` below).
    #[allow(unsafe_code)]
    unsafe {
        collect(2 * n, fill)
    }
}

fn split<T: FftFloat>(
    work: &[C<T>],
    scale: T,
    re: &mut [MaybeUninit<T>],
    im: &mut [MaybeUninit<T>],
) {
    debug_assert!(work.len() == re.len() && work.len() == im.len());
    for ((z, re), im) in work.iter().zip(re).zip(im) {
        re.write(z.re * scale);
        im.write(z.im * scale);
    }
}

fn join<T: FftFloat>(re: &[T], im: &[T]) -> Vec<C<T>> {
    re.iter().zip(im).map(|(&re, &im)| C { re, im }).collect()
}

/// Complex passes along `axes` of items of an array `dims`.
fn passes<T: FftFloat>(work: &mut [C<T>], dims: &[usize], axes: &[usize], direction: FftDirection) {
    let mut transposed = Vec::new();
    for &axis in axes {
        if dims[axis] > 1 {
            let plan = T::complex_plan(dims[axis], direction);
            complex_pass(work, inner(dims, axis), &*plan, &mut transposed);
        }
    }
}

/// The complex transform times `scale`: the real parts, then the imaginary ones.
pub(crate) fn complex<T: FftFloat>(
    (re, im): (&[T], &[T]),
    dims: &[usize],
    axes: &[usize],
    direction: FftDirection,
    scale: f64,
) -> Vec<T> {
    let item = item(dims, axes);
    let piece = item * group(item);
    planes(re.len(), piece, |i, out_re, out_im| {
        let range = i * piece..i * piece + out_re.len();
        let mut work = join(&re[range.clone()], &im[range]);
        passes(&mut work, dims, axes, direction);
        split(&work, cast(scale), out_re, out_im);
    })
}

/// `dims` with the halved axis, the last of `axes`.
pub(crate) fn halved(dims: &[usize], axes: &[usize]) -> Vec<usize> {
    let mut half = dims.to_vec();
    if let Some(&axis) = axes.last() {
        half[axis] = dims[axis] / 2 + 1;
    }
    half
}

/// The transform of real numbers times `scale`: the real parts, then the imaginary ones.
pub(crate) fn forward<T: FftFloat>(
    x: &[T],
    dims: &[usize],
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let Some((&axis, others)) = axes.split_last() else { return Vec::new() };
    let half = halved(dims, axes);
    let (n, m, inner) = (dims[axis], half[axis], inner(dims, axis));
    let plan = T::real_plan(n);
    let (item_in, item_out) = (item(dims, axes), item(&half, axes));
    let count = group(item_in);
    let total = half.iter().product();
    planes(total, item_out * count, |i, re, im| {
        let x = &x[i * count * item_in..];
        let x = &x[..re.len() / item_out * item_in];
        let mut work = vec![C::zero(); re.len()];
        let start = || plan.make_scratch_vec();
        line_pass(x, &mut work, (n, m, inner), start, |x, y, scratch| {
            // Only lengths that do not fit are errors.
            let _ = plan.process_with_scratch(x, y, scratch);
            if weighting == Weighting::Adjoint {
                let last = (n - 1) / 2;
                y.iter_mut().skip(1).take(last).for_each(|z| *z = *z + *z);
            }
        });
        passes(&mut work, &half, others, FftDirection::Forward);
        split(&work, cast(scale), re, im);
    })
}

/// The inverse of [`forward`] for `dims` of the result, times `scale`, not divided by anything.
pub(crate) fn inverse<T: FftFloat>(
    (re, im): (&[T], &[T]),
    dims: &[usize],
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let Some((&axis, others)) = axes.split_last() else { return Vec::new() };
    let half = halved(dims, axes);
    let (n, m, inner) = (dims[axis], half[axis], inner(dims, axis));
    let plan = T::inverse_plan(n);
    let (item_in, item_out) = (item(&half, axes), item(dims, axes));
    let count = group(item_out);
    let (scale, half_scale) = (cast::<T>(scale), cast::<T>(0.5));
    let total = dims.iter().product();
    let mut out = vec![T::zero(); total];
    pieces(&mut out, item_out * count, total >= PARALLEL_FROM, |i, out| {
        let start = i * count * item_in;
        let range = start..start + out.len() / item_out * item_in;
        let mut work = join(&re[range.clone()], &im[range]);
        passes(&mut work, &half, others, FftDirection::Inverse);
        let start = || plan.make_scratch_vec();
        line_pass(&work, out, (m, n, inner), start, |z, y, scratch| {
            if weighting == Weighting::Adjoint {
                let last = (n - 1) / 2;
                z.iter_mut().skip(1).take(last).for_each(|z| *z = z.scale(half_scale));
            }
            // Real numbers have no imaginary part here; the plan insists.
            z[0].im = T::zero();
            if n.is_multiple_of(2) {
                z[m - 1].im = T::zero();
            }
            let _ = plan.process_with_scratch(z, y, scratch);
            for y in y.iter_mut() {
                *y *= scale;
            }
        });
    });
    out
}

//! New vectors filled in blocks, on one thread or several: [`collect`], [`room`] and
//! [`blocks`].

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// A vector of `n` elements that `fill` writes, without clearing it first.
///
/// # Safety
/// `fill` must initialise every element.
#[allow(unsafe_code)]
pub(crate) unsafe fn collect<T>(n: usize, fill: impl FnOnce(&mut [MaybeUninit<T>])) -> Vec<T> {
    let mut out = Vec::with_capacity(n);
    fill(&mut out.spare_capacity_mut()[..n]);
    // SAFETY: the capacity is at least n, and the caller vouches for the elements.
    unsafe {
        out.set_len(n);
    }
    out
}

/// `x` as room to write to.
///
/// # Safety
/// Nothing but valid values may be written: `x` is read as initialised later.
#[allow(unsafe_code)]
pub(crate) unsafe fn room<T>(x: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: `MaybeUninit<T>` has the layout of `T`, and the caller vouches for what is written.
    unsafe { &mut *(std::ptr::from_mut(x) as *mut [MaybeUninit<T>]) }
}

/// Calls `work(start, block)` for `out` cut into pieces of `block` elements (the last may be
/// shorter); `start` is the index of the first element.
///
/// The pieces run on the threads of rayon's pool once there are `parallel_from` elements or more,
/// one after the other below that. Their limits are the same in both cases, so the result is too.
/// For rows of `width` elements use a multiple of `width` as `block`.
pub(crate) fn blocks<T: Send>(
    out: &mut [T],
    block: usize,
    parallel_from: usize,
    work: impl Fn(usize, &mut [T]) + Sync + Send,
) {
    let block = block.max(1);
    if out.len() < parallel_from || out.len() <= block || rayon::current_num_threads() == 1 {
        for (i, piece) in out.chunks_mut(block).enumerate() {
            work(i * block, piece);
        }
    } else {
        out.par_chunks_mut(block).enumerate().for_each(|(i, piece)| work(i * block, piece));
    }
}

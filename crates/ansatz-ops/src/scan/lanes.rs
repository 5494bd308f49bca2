//! A tensor seen as parallel sequences, cut into strips of neighbouring ones: [`Lanes`].

use std::{mem::MaybeUninit, ops::Range};

use rayon::prelude::*;

use super::Direction;
use crate::cpu::{Float, collect};

/// Elements from which the strips are spread over threads, and about as many for one task.
const PARALLEL_FROM: usize = 1 << 15;
const TASK: usize = 1 << 13;

/// Contiguous data `[outer, n, inner]`, scanned along the middle axis.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    pub(super) outer: usize,
    pub(super) n: usize,
    pub(super) inner: usize,
}

/// Neighbouring sequences that are scanned together: 32, 8 or 1.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    /// Index of the first element of the first sequence.
    pub(super) base: usize,
    pub(super) width: usize,
}

impl Lanes {
    pub(super) fn new(dims: &[usize], dim: usize) -> Self {
        Self {
            outer: dims[..dim].iter().product(),
            n: dims[dim],
            inner: dims[dim + 1..].iter().product(),
        }
    }

    pub(super) fn elements(&self) -> usize {
        self.outer * self.n * self.inner
    }

    fn strips_per_block(&self) -> usize {
        self.inner / 32 + self.inner % 32 / 8 + self.inner % 8
    }

    /// Strip `k` of all.
    #[inline(always)]
    pub(super) fn strip(&self, k: usize) -> Strip {
        let per_block = self.strips_per_block();
        let (block, k) = (k / per_block, k % per_block);
        let (wide, eights) = (self.inner / 32, self.inner % 32 / 8);
        let (column, width) = if k < wide {
            (32 * k, 32)
        } else if k < wide + eights {
            (32 * wide + 8 * (k - wide), 8)
        } else {
            (32 * wide + 8 * eights + (k - wide - eights), 1)
        };
        Strip { base: block * self.n * self.inner + column, width }
    }

    /// Where a sequence that starts at `base` is entered, and the signed distance from one element
    /// to the next, as a wrapping addend.
    #[inline(always)]
    pub(super) fn walk(&self, base: usize, direction: Direction) -> (usize, usize) {
        match direction {
            Direction::Forward => (base, self.inner),
            Direction::Reverse => {
                (base + self.n.saturating_sub(1) * self.inner, self.inner.wrapping_neg())
            }
        }
    }

    /// New data of this layout: `work` fills the strips of a range. Every strip is given once, on
    /// some thread; what a strip holds must not depend on the range it comes in.
    ///
    /// # Safety
    /// `work` must write every element of its strips and no other.
    #[allow(unsafe_code)]
    pub(super) unsafe fn fill<T: Float>(
        &self,
        work: impl Fn(Range<usize>, Out<T>) + Sync + Send,
    ) -> Vec<T> {
        let strips = self.outer * self.strips_per_block();
        let fill = |out: Out<T>| {
            if strips == 0 || self.n == 0 {
                return;
            }
            let per_task = (TASK / (self.elements() / strips).max(1)).max(1);
            let tasks = strips.div_ceil(per_task);
            let range = |i: usize| i * per_task..((i + 1) * per_task).min(strips);
            if self.elements() < PARALLEL_FROM || rayon::current_num_threads() == 1 {
                work(0..strips, out);
            } else {
                (0..tasks).into_par_iter().for_each(|i| work(range(i), out));
            }
        };
        // SAFETY: the strips cover the data, and `work` writes all of each.
        unsafe { Out::collect(self.elements(), fill) }
    }
}

/// The output of a kernel whose tasks write interleaved pieces.
pub(crate) struct Out<T> {
    start: *mut MaybeUninit<T>,
    len: usize,
}

impl<T> Clone for Out<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Out<T> {}

// SAFETY: it is only used to write, each element by one task (see `Lanes::fill`).
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for Out<T> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for Out<T> {}

impl<T: Float> Out<T> {
    /// A vector of `n` elements that `fill` writes, from any threads.
    ///
    /// # Safety
    /// `fill` must write every element, each once.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn collect(n: usize, fill: impl FnOnce(Self)) -> Vec<T> {
        let fill = |out: &mut [MaybeUninit<T>]| fill(Self { start: out.as_mut_ptr(), len: n });
        // SAFETY: the caller vouches for the elements.
        unsafe { collect(n, fill) }
    }

    /// Writes `values` from index `at` on.
    #[inline(always)]
    pub(crate) fn write<const W: usize>(self, at: usize, values: [T; W]) {
        assert!(at <= self.len && W <= self.len - at);
        // SAFETY: the range is inside the allocation, and no other task has these elements.
        #[allow(unsafe_code)]
        unsafe {
            self.start.add(at).cast::<[T; W]>().write_unaligned(values);
        }
    }

    /// The same for a slice.
    #[inline(always)]
    pub(crate) fn write_slice(self, at: usize, values: &[T]) {
        assert!(at <= self.len && values.len() <= self.len - at);
        // SAFETY: the range is inside the allocation, and no other task has these elements.
        #[allow(unsafe_code)]
        unsafe {
            let to = self.start.add(at).cast::<T>();
            to.copy_from_nonoverlapping(values.as_ptr(), values.len());
        }
    }
}

//! The kernel of the linear combinations: all terms in one pass over the output.

use std::{mem::MaybeUninit, ops::Range};

use crate::cpu::{Float, blocks, vectorised};

/// Elements of a piece of work.
const BLOCK: usize = 16 * 1024;

/// Bytes read and written from which threads pay for themselves.
const PARALLEL_BYTES: usize = 1 << 20;

/// Terms of one pass; more are added to the block while it is in the first cache.
const MOST: usize = 7;

/// `out ← base + Σⱼ cⱼ xⱼ`, where all slices have the length of `out`; without `base`, the sum
/// alone. The terms are added one after the other, without fused multiply-add, so that the bits do
/// not depend on the machine.
pub(super) fn combine<T: Float>(
    out: &mut [MaybeUninit<T>],
    base: Option<&[T]>,
    terms: &[(T, &[T])],
) {
    let streams = terms.len() + 1 + usize::from(base.is_some());
    let parallel_from = PARALLEL_BYTES / (size_of::<T>() * streams);
    blocks(out, BLOCK, parallel_from, |start, out| {
        let range = start..start + out.len();
        let base = base.map(|b| &b[range.clone()]);
        let (first, rest) = terms.split_at(terms.len().min(MOST));
        group(out, Start::Value(base), first, &range);
        for terms in rest.chunks(MOST) {
            group(out, Start::Output, terms, &range);
        }
    });
}

/// Where the sum of a pass begins.
#[derive(Clone, Copy)]
enum Start<'a, T> {
    /// At these numbers, or at zero.
    Value(Option<&'a [T]>),
    /// At what is in the output already.
    Output,
}

fn group<T: Float>(
    out: &mut [MaybeUninit<T>],
    start: Start<'_, T>,
    terms: &[(T, &[T])],
    range: &Range<usize>,
) {
    macro_rules! fixed {
        ($($k:literal)*) => {
            match terms.len() {
                $($k => {
                    let factors: [T; $k] = std::array::from_fn(|j| terms[j].0);
                    let terms: [&[T]; $k] = std::array::from_fn(|j| &terms[j].1[range.clone()]);
                    match start {
                        Start::Value(Some(base)) => {
                            vectorised!(onto::<T, $k>, (out, base, factors, terms));
                        }
                        Start::Value(None) => vectorised!(alone::<T, $k>, (out, factors, terms)),
                        Start::Output => vectorised!(again::<T, $k>, (out, factors, terms)),
                    }
                })*
                _ => {}
            }
        };
    }
    fixed!(0 1 2 3 4 5 6 7);
}

#[inline(always)]
fn onto<T: Float, const K: usize>(
    (out, base, factors, terms): (&mut [MaybeUninit<T>], &[T], [T; K], [&[T]; K]),
) {
    let n = out.len();
    let (base, terms) = (&base[..n], terms.map(|x| &x[..n]));
    for i in 0..n {
        let mut sum = base[i];
        for j in 0..K {
            sum += factors[j] * terms[j][i];
        }
        out[i].write(sum);
    }
}

#[inline(always)]
fn alone<T: Float, const K: usize>(
    (out, factors, terms): (&mut [MaybeUninit<T>], [T; K], [&[T]; K]),
) {
    let n = out.len();
    let terms = terms.map(|x| &x[..n]);
    for i in 0..n {
        let mut sum = T::zero();
        for j in 0..K {
            sum += factors[j] * terms[j][i];
        }
        out[i].write(sum);
    }
}

#[inline(always)]
fn again<T: Float, const K: usize>(
    (out, factors, terms): (&mut [MaybeUninit<T>], [T; K], [&[T]; K]),
) {
    let n = out.len();
    let terms = terms.map(|x| &x[..n]);
    for i in 0..n {
        // SAFETY: the pass before wrote every element of the block.
        #[allow(unsafe_code)]
        let mut sum = unsafe { out[i].assume_init() };
        for j in 0..K {
            sum += factors[j] * terms[j][i];
        }
        out[i].write(sum);
    }
}

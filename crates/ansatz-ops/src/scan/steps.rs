//! What a scan of one tensor does at each element, and the kernel that does it: [`scan`].

use std::{marker::PhantomData, ops::Range};

use rayon::prelude::*;

use super::{
    Direction,
    lanes::{Lanes, Out, Strip},
};
use crate::cpu::{Float, vectorised};

/// Elements with what the kernels need, inlined.
pub(crate) trait Real: Float {
    const ZERO: Self;
    fn wide(self) -> f64;
    fn narrow(x: f64) -> Self;
    fn times(self, other: Self) -> Self;
    fn plus(self, other: Self) -> Self;
}

macro_rules! real {
    ($T:ty) => {
        impl Real for $T {
            const ZERO: Self = 0.0;

            #[inline(always)]
            fn wide(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn narrow(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    };
}
real!(f32);
real!(f64);

/// One step of a scan. States are f64, so that f32 results are rounded once.
pub(super) trait Step: Send + Sync + 'static {
    type State: Copy + Send + Sync;
    const START: Self::State;
    /// The state after an element, and the value there.
    fn step(state: Self::State, x: f64) -> (Self::State, f64);
}

pub(super) struct Sum;

impl Step for Sum {
    type State = f64;
    const START: f64 = 0.0;

    #[inline(always)]
    fn step(state: f64, x: f64) -> (f64, f64) {
        (state + x, state + x)
    }
}

pub(super) struct Product;

impl Step for Product {
    type State = f64;
    const START: f64 = 1.0;

    #[inline(always)]
    fn step(state: f64, x: f64) -> (f64, f64) {
        (state * x, state * x)
    }
}

/// The product of the elements before this one.
pub(super) struct ProductBefore;

impl Step for ProductBefore {
    type State = f64;
    const START: f64 = 1.0;

    #[inline(always)]
    fn step(state: f64, x: f64) -> (f64, f64) {
        (state * x, state)
    }
}

/// The largest element so far and `Σ exp(xⱼ − largest)`, which lies between 1 and their number.
pub(super) struct LogSumExp;

impl Step for LogSumExp {
    type State = (f64, f64);
    const START: (f64, f64) = (f64::NEG_INFINITY, 0.0);

    #[inline(always)]
    fn step((largest, sum): (f64, f64), x: f64) -> ((f64, f64), f64) {
        // Equal infinities have no difference; counted as terms they give the right logarithm.
        let small = if x == largest { 1.0 } else { (-(x - largest).abs()).exp() };
        let state = if x <= largest { (largest, sum + small) } else { (x, sum * small + 1.0) };
        (state, state.0 + state.1.ln())
    }
}

/// Scans one strip from `states`.
#[inline(always)]
fn strip<T: Real, S: Step, const W: usize>(
    x: &[T],
    out: Out<T>,
    lanes: Lanes,
    base: usize,
    direction: Direction,
    mut states: [S::State; W],
) {
    let (mut at, distance) = lanes.walk(base, direction);
    for _ in 0..lanes.n {
        let row = &x[at..at + W];
        let mut values = [T::ZERO; W];
        for ((state, value), x) in states.iter_mut().zip(&mut values).zip(row) {
            let (next, y) = S::step(*state, x.wide());
            *state = next;
            *value = T::narrow(y);
        }
        out.write(at, values);
        at = at.wrapping_add(distance);
    }
}

type Arguments<'a, T, S> = (&'a [T], Out<T>, Lanes, Range<usize>, Direction, PhantomData<S>);

#[inline(always)]
fn kernel<T: Real, S: Step>((x, out, lanes, strips, direction, _): Arguments<'_, T, S>) {
    for k in strips {
        let Strip { base, width } = lanes.strip(k);
        match width {
            32 => strip::<T, S, 32>(x, out, lanes, base, direction, [S::START; 32]),
            8 => strip::<T, S, 8>(x, out, lanes, base, direction, [S::START; 8]),
            _ => strip::<T, S, 1>(x, out, lanes, base, direction, [S::START]),
        }
    }
}

/// The scan `S` of all sequences.
pub(super) fn scan<T: Real, S: Step>(x: &[T], lanes: Lanes, direction: Direction) -> Vec<T> {
    let work =
        |strips, out| vectorised!(kernel, (x, out, lanes, strips, direction, PhantomData::<S>));
    // SAFETY: the kernel walks every element of its strips once, and writes there.
    #[allow(unsafe_code)]
    unsafe {
        lanes.fill(work)
    }
}

/// Elements that are summed together when few long sequences are cut into pieces.
const CHUNK: usize = 1 << 15;

#[inline(always)]
fn total<T: Real>(x: &[T]) -> f64 {
    // Eight sums, so that additions need not wait for each other.
    let mut sums = [0.0; 8];
    let pieces = x.chunks_exact(8);
    let rest: f64 = pieces.remainder().iter().map(|x| x.wide()).sum();
    for piece in pieces {
        for (sum, x) in sums.iter_mut().zip(piece) {
            *sum += x.wide();
        }
    }
    sums.iter().sum::<f64>() + rest
}

type ChunkArguments<'a, T> = (&'a [T], Out<T>, usize, Direction, f64);

#[inline(always)]
fn chunk<T: Real>((x, out, base, direction, start): ChunkArguments<'_, T>) {
    let lanes = Lanes { outer: 1, n: x.len().min(base + CHUNK) - base, inner: 1 };
    strip::<T, Sum, 1>(x, out, lanes, base, direction, [start]);
}

/// Cumulative sums. Few long sequences are cut into chunks: the totals of the chunks, in parallel,
/// give the value from which each starts. Whether and where depends on the sizes alone.
pub(super) fn sums<T: Real>(x: &[T], lanes: Lanes, direction: Direction) -> Vec<T> {
    if lanes.outer * lanes.inner != 1 || lanes.n < 4 * CHUNK {
        return scan::<T, Sum>(x, lanes, direction);
    }
    let mut starts: Vec<f64> =
        x.par_chunks(CHUNK).map(|piece| vectorised!(total::<T>, piece)).collect();
    let mut sum = 0.0;
    let mut accumulate = |total: &mut f64| (*total, sum) = (sum, sum + *total);
    match direction {
        Direction::Forward => starts.iter_mut().for_each(&mut accumulate),
        Direction::Reverse => starts.iter_mut().rev().for_each(&mut accumulate),
    }
    let fill = |out: Out<T>| {
        (0..starts.len()).into_par_iter().for_each(|i| {
            vectorised!(chunk::<T>, (x, out, i * CHUNK, direction, starts[i]));
        });
    };
    // SAFETY: the chunks cover the sequence, and each writes its own elements.
    #[allow(unsafe_code)]
    unsafe {
        Out::collect(x.len(), fill)
    }
}

//! What a scan of one tensor does at each element, and the kernel that does it: [`scan`].

use std::{marker::PhantomData, ops::Range};

use rayon::prelude::*;

use super::{
    Direction,
    lanes::{Lanes, Out, Strip},
};
use crate::{cpu::vectorised, pointwise::Real};

/// One step of a scan of `W` sequences side by side. States are f64, so that f32 results are rounded
/// once.
pub(super) trait Step: Send + Sync + 'static {
    type State<const W: usize>: Copy + Send + Sync;
    fn start<const W: usize>() -> Self::State<W>;
    /// The states after an element of each, and the values there.
    fn step<const W: usize>(state: &mut Self::State<W>, x: [f64; W]) -> [f64; W];
}

pub(super) struct Sum;

impl Step for Sum {
    type State<const W: usize> = [f64; W];

    #[inline(always)]
    fn start<const W: usize>() -> [f64; W] {
        [0.0; W]
    }

    #[inline(always)]
    fn step<const W: usize>(state: &mut [f64; W], x: [f64; W]) -> [f64; W] {
        for i in 0..W {
            state[i] += x[i];
        }
        *state
    }
}

pub(super) struct Product;

impl Step for Product {
    type State<const W: usize> = [f64; W];

    #[inline(always)]
    fn start<const W: usize>() -> [f64; W] {
        [1.0; W]
    }

    #[inline(always)]
    fn step<const W: usize>(state: &mut [f64; W], x: [f64; W]) -> [f64; W] {
        for i in 0..W {
            state[i] *= x[i];
        }
        *state
    }
}

/// The product of the elements before this one.
pub(super) struct ProductBefore;

impl Step for ProductBefore {
    type State<const W: usize> = [f64; W];

    #[inline(always)]
    fn start<const W: usize>() -> [f64; W] {
        [1.0; W]
    }

    #[inline(always)]
    fn step<const W: usize>(state: &mut [f64; W], x: [f64; W]) -> [f64; W] {
        let before = *state;
        Product::step(state, x);
        before
    }
}

/// The largest element so far and `Σ exp(xⱼ − largest)`, which lies between 1 and their number.
pub(super) struct LogSumExp;

impl Step for LogSumExp {
    type State<const W: usize> = ([f64; W], [f64; W]);

    #[inline(always)]
    fn start<const W: usize>() -> Self::State<W> {
        ([f64::NEG_INFINITY; W], [0.0; W])
    }

    #[inline(always)]
    fn step<const W: usize>((largest, sum): &mut Self::State<W>, x: [f64; W]) -> [f64; W] {
        let mut values = [0.0; W];
        for i in 0..W {
            let (most, x) = (largest[i], x[i]);
            // Equal infinities have no difference; counted as terms they give the right logarithm.
            let small = Real::exp(-(x - most).abs());
            let small = if x == most { 1.0 } else { small };
            let (larger, smaller) = (sum[i] + small, sum[i] * small + 1.0);
            sum[i] = if x <= most { larger } else { smaller };
            largest[i] = if x <= most { most } else { x };
            values[i] = largest[i] + Real::ln(sum[i]);
        }
        values
    }
}

/// Scans one strip.
#[inline(always)]
fn strip<T: Real, S: Step, const W: usize>(
    x: &[T],
    out: Out<T>,
    lanes: Lanes,
    base: usize,
    direction: Direction,
) {
    let mut states = S::start();
    let (mut at, distance) = lanes.walk(base, direction);
    for _ in 0..lanes.n {
        let row = &x[at..at + W];
        let mut wide = [0.0; W];
        for i in 0..W {
            wide[i] = row[i].wide();
        }
        let y = S::step(&mut states, wide);
        let mut values = [T::zero(); W];
        for i in 0..W {
            values[i] = T::c(y[i]);
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
            32 => strip::<T, S, 32>(x, out, lanes, base, direction),
            8 => strip::<T, S, 8>(x, out, lanes, base, direction),
            _ => strip::<T, S, 1>(x, out, lanes, base, direction),
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

/// Elements of a contiguous sequence that are summed by themselves first, so that of their additions
/// only one waits for those before.
const GROUP: usize = 8;

type LineArguments<'a, T> = (&'a [T], Out<T>, Range<usize>, Direction, f64);

/// The cumulative sum of contiguous elements, starting from `sum`.
#[inline(always)]
fn line<T: Real>((x, out, range, direction, mut sum): LineArguments<'_, T>) {
    let mut at = range.start;
    let x = &x[range];
    if direction == Direction::Forward {
        let (groups, tail) = x.as_chunks::<GROUP>();
        for group in groups {
            let (mut own, mut total) = ([0.0; GROUP], 0.0);
            for i in 0..GROUP {
                total += group[i].wide();
                own[i] = total;
            }
            out.write(at, shifted(own, sum));
            sum += total;
            at += GROUP;
        }
        for x in tail {
            sum += x.wide();
            out.write(at, [T::c(sum)]);
            at += 1;
        }
    } else {
        at += x.len();
        let (head, groups) = x.as_rchunks::<GROUP>();
        for group in groups.iter().rev() {
            let (mut own, mut total) = ([0.0; GROUP], 0.0);
            for i in (0..GROUP).rev() {
                total += group[i].wide();
                own[i] = total;
            }
            at -= GROUP;
            out.write(at, shifted(own, sum));
            sum += total;
        }
        for x in head.iter().rev() {
            sum += x.wide();
            at -= 1;
            out.write(at, [T::c(sum)]);
        }
    }
}

#[inline(always)]
fn shifted<T: Real>(own: [f64; GROUP], sum: f64) -> [T; GROUP] {
    let mut values = [T::zero(); GROUP];
    for i in 0..GROUP {
        values[i] = T::c(sum + own[i]);
    }
    values
}

/// Cumulative sums. Few long sequences are cut into chunks: the totals of the chunks, in parallel,
/// give the value from which each starts. Whether and where depends on the sizes alone.
pub(super) fn sums<T: Real>(x: &[T], lanes: Lanes, direction: Direction) -> Vec<T> {
    if lanes.inner != 1 {
        return scan::<T, Sum>(x, lanes, direction);
    }
    if lanes.outer != 1 || lanes.n < 4 * CHUNK {
        let work = |rows: Range<usize>, out| {
            for row in rows {
                let range = row * lanes.n..(row + 1) * lanes.n;
                vectorised!(line, (x, out, range, direction, 0.0));
            }
        };
        // SAFETY: where sequences are contiguous, strips are rows, and all of each is written.
        #[allow(unsafe_code)]
        return unsafe { lanes.fill(work) };
    }
    let pieces = lanes.n.div_ceil(CHUNK);
    let range = |i: usize| i * CHUNK..x.len().min((i + 1) * CHUNK);
    let sum_of = |i: usize| vectorised!(total::<T>, &x[range(i)]);
    let scan = |i: usize, start: f64, out: Out<T>| {
        vectorised!(line, (x, out, range(i), direction, start));
    };
    let in_order = |i: usize| if direction == Direction::Forward { i } else { pieces - 1 - i };
    let fill = |out: Out<T>| {
        let mut start = 0.0;
        if rayon::current_num_threads() == 1 {
            for i in (0..pieces).map(in_order) {
                let next = start + sum_of(i); // while the piece is in the cache
                scan(i, start, out);
                start = next;
            }
            return;
        }
        let mut starts: Vec<f64> = (0..pieces).into_par_iter().map(sum_of).collect();
        for i in (0..pieces).map(in_order) {
            (starts[i], start) = (start, start + starts[i]);
        }
        starts.into_par_iter().enumerate().for_each(|(i, start)| scan(i, start, out));
    };
    // SAFETY: the chunks cover the sequence, and each writes its own elements.
    #[allow(unsafe_code)]
    unsafe {
        Out::collect(x.len(), fill)
    }
}

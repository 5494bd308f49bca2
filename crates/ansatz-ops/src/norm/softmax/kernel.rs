//! The kernels of the softmax family, along lines that are contiguous or strided.

use std::mem::MaybeUninit;

use candle_core::Shape;

use crate::{
    cpu::{blocks, collect, vectorised},
    pointwise::Real,
};

/// Elements of a piece of work, and of all from which threads pay for themselves.
const BLOCK: usize = 16 * 1024;
const PARALLEL_FROM: usize = 1 << 15;

/// Lanes of sums and maxima along a contiguous line.
const LANES: usize = 32;

/// Strided lines that are handled side by side.
const SIDE: usize = 128;

/// `outer` times `length` elements with `inner` lines side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    length: usize,
    inner: usize,
}

impl Lines {
    pub(super) fn new(shape: &Shape, dim: usize) -> Self {
        let (length, after) = (shape.dims()[dim], &shape.dims()[dim + 1..]);
        Self { length, inner: after.iter().product() }
    }

    /// Elements of the lines that lie side by side.
    fn slab(self) -> usize {
        (self.length * self.inner).max(1)
    }

    /// Elements of a piece of work: whole slabs.
    fn block(self) -> usize {
        (BLOCK / self.slab()).max(1) * self.slab()
    }
}

/// Fills a vector as long as `x` slab by slab.
fn slabs<T: Real>(
    n: usize,
    lines: Lines,
    work: impl Fn(usize, &mut [MaybeUninit<T>]) + Sync + Send,
) -> Vec<T> {
    let fill = |out: &mut [MaybeUninit<T>]| blocks(out, lines.block(), PARALLEL_FROM, work);
    // SAFETY: the blocks cover the output, and every `work` below writes all of its block.
    #[allow(unsafe_code)]
    unsafe {
        collect(n, fill)
    }
}

pub(super) fn softmax<T: Real>(x: &[T], lines: Lines) -> Vec<T> {
    slabs(x.len(), lines, |start, out| {
        let x = &x[start..start + out.len()];
        if lines.inner == 1 {
            vectorised!(softmax_rows, (x, out, lines.length));
        } else {
            vectorised!(softmax_columns, (x, out, lines));
        }
    })
}

pub(super) fn log_softmax<T: Real>(x: &[T], lines: Lines) -> Vec<T> {
    slabs(x.len(), lines, |start, out| {
        let x = &x[start..start + out.len()];
        if lines.inner == 1 {
            vectorised!(log_softmax_rows, (x, out, lines.length));
        } else {
            vectorised!(log_softmax_columns, (x, out, lines));
        }
    })
}

pub(super) fn softmax_gradient<T: Real>(y: &[T], g: &[T], lines: Lines) -> Vec<T> {
    slabs(y.len(), lines, |start, out| {
        let range = start..start + out.len();
        let (y, g) = (&y[range.clone()], &g[range]);
        if lines.inner == 1 {
            vectorised!(softmax_gradient_rows, (y, g, out, lines.length));
        } else {
            vectorised!(softmax_gradient_columns, (y, g, out, lines));
        }
    })
}

pub(super) fn log_softmax_gradient<T: Real>(y: &[T], g: &[T], lines: Lines) -> Vec<T> {
    slabs(y.len(), lines, |start, out| {
        let range = start..start + out.len();
        let (y, g) = (&y[range.clone()], &g[range]);
        if lines.inner == 1 {
            vectorised!(log_softmax_gradient_rows, (y, g, out, lines.length));
        } else {
            vectorised!(log_softmax_gradient_columns, (y, g, out, lines));
        }
    })
}

/// One number for each line.
pub(super) fn logsumexp<T: Real>(x: &[T], lines: Lines, count: usize) -> Vec<T> {
    let inner = lines.inner.max(1);
    let fill = |out: &mut [MaybeUninit<T>]| {
        let some = (BLOCK / lines.slab()).max(1) * inner;
        blocks(out, some, PARALLEL_FROM / lines.length.max(1), |start, out| {
            let from = start * lines.length; // whole slabs
            let x = &x[from..from + out.len() * lines.length];
            vectorised!(logsumexp_lines, (x, out, lines));
        });
    };
    // SAFETY: the blocks cover the output, and the kernel writes every element of each.
    #[allow(unsafe_code)]
    unsafe {
        collect(count, fill)
    }
}

// ---- contiguous lines ------------------------------------------------------------------------

/// The larger of two numbers. May lose a NaN, which shows in the sum of the exponentials.
#[inline(always)]
fn larger<T: Real>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// `x`, then `rest`: a constant number of lanes stays in registers, a variable one does not.
#[inline(always)]
fn padded<T: Real>(x: &[T], rest: T) -> [T; LANES] {
    let mut all = [rest; LANES];
    all[..x.len()].copy_from_slice(x);
    all
}

/// The lanes of a sum over `$x` (or a maximum), the last chunk filled up with `$rest`: `$next` is
/// that of one lane after the number `$v`.
macro_rules! in_lanes {
    ($x:expr, $start:expr, $rest:expr, |$lane:ident, $v:ident| $next:expr) => {{
        let (x, tail) = $x.as_chunks::<LANES>();
        let mut lanes = [$start; LANES];
        for x in x {
            for l in 0..LANES {
                let ($lane, $v) = (lanes[l], x[l]);
                lanes[l] = $next;
            }
        }
        if !tail.is_empty() {
            let x = padded(tail, $rest);
            for l in 0..LANES {
                let ($lane, $v) = (lanes[l], x[l]);
                lanes[l] = $next;
            }
        }
        lanes
    }};
}

#[inline(always)]
fn largest<T: Real>(x: &[T]) -> T {
    let least = T::c(f64::NEG_INFINITY);
    let mut lanes = in_lanes!(x, least, least, |most, v| larger(most, v));
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            lanes[l] = larger(lanes[l], lanes[l + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The sum in lanes, then as a tree.
#[inline(always)]
fn sum<T: Real>(x: &[T]) -> T {
    tree(in_lanes!(x, T::zero(), T::zero(), |sum, v| sum + v))
}

/// `Σ exp(xᵢ − shift)`.
#[inline(always)]
fn sum_of_exponentials<T: Real>(x: &[T], shift: T) -> T {
    let least = T::c(f64::NEG_INFINITY);
    tree(in_lanes!(x, T::zero(), least, |sum, v| sum + (v - shift).exp()))
}

#[inline(always)]
fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let ((x, x_tail), (y, y_tail)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let mut lanes = [T::zero(); LANES];
    for (x, y) in x.iter().zip(y) {
        for l in 0..LANES {
            lanes[l] = x[l].fma(y[l], lanes[l]);
        }
    }
    if !x_tail.is_empty() {
        let (x, y) = (padded(x_tail, T::zero()), padded(y_tail, T::zero()));
        for l in 0..LANES {
            lanes[l] = x[l].fma(y[l], lanes[l]);
        }
    }
    tree(lanes)
}

#[inline(always)]
fn tree<T: Real>(mut lanes: [T; LANES]) -> T {
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            let other = lanes[l + half];
            lanes[l] += other;
        }
        half /= 2;
    }
    lanes[0]
}

/// What was written.
///
/// # Safety
/// Every element must have been.
#[inline(always)]
#[allow(unsafe_code)]
unsafe fn written<T>(out: &mut [MaybeUninit<T>]) -> &mut [T] {
    // SAFETY: the caller vouches for the elements.
    unsafe { &mut *(std::ptr::from_mut(out) as *mut [T]) }
}

#[inline(always)]
fn softmax_rows<T: Real>((x, out, length): (&[T], &mut [MaybeUninit<T>], usize)) {
    for (x, out) in x.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
        let most = largest(x);
        for (x, out) in x.iter().zip(&mut *out) {
            out.write((*x - most).exp());
        }
        // SAFETY: both slices have `length` elements.
        #[allow(unsafe_code)]
        let out = unsafe { written(out) };
        let factor = T::one() / sum(out);
        for y in out {
            *y *= factor;
        }
    }
}

#[inline(always)]
fn log_softmax_rows<T: Real>((x, out, length): (&[T], &mut [MaybeUninit<T>], usize)) {
    for (x, out) in x.chunks_exact(length).zip(out.chunks_exact_mut(length)) {
        let most = largest(x);
        let total = sum_of_exponentials(x, most).ln();
        for (x, out) in x.iter().zip(out) {
            out.write(*x - most - total);
        }
    }
}

#[inline(always)]
fn softmax_gradient_rows<T: Real>((y, g, out, length): (&[T], &[T], &mut [MaybeUninit<T>], usize)) {
    let rows = y.chunks_exact(length).zip(g.chunks_exact(length));
    for ((y, g), out) in rows.zip(out.chunks_exact_mut(length)) {
        let along = dot(y, g);
        for ((y, g), out) in y.iter().zip(g).zip(out) {
            out.write(*y * (*g - along));
        }
    }
}

#[inline(always)]
fn log_softmax_gradient_rows<T: Real>(
    (y, g, out, length): (&[T], &[T], &mut [MaybeUninit<T>], usize),
) {
    let rows = y.chunks_exact(length).zip(g.chunks_exact(length));
    for ((y, g), out) in rows.zip(out.chunks_exact_mut(length)) {
        let total = sum(g);
        for ((y, g), out) in y.iter().zip(g).zip(out) {
            out.write(*g - y.exp() * total);
        }
    }
}

// ---- lines side by side ----------------------------------------------------------------------

/// Calls `each(first element, lines)` for at most [`SIDE`] lines at a time.
macro_rules! side_by_side {
    ($n:expr, $lines:expr, |$start:ident, $width:ident| $body:block) => {
        for slab in (0..$n).step_by($lines.slab()) {
            for column in (0..$lines.inner).step_by(SIDE) {
                let ($start, $width) = (slab + column, SIDE.min($lines.inner - column));
                $body
            }
        }
    };
}

#[inline(always)]
fn largest_of_each<T: Real>(x: &[T], lines: Lines, start: usize, width: usize) -> [T; SIDE] {
    let mut most = [T::c(f64::NEG_INFINITY); SIDE];
    for k in 0..lines.length {
        let x = &x[start + k * lines.inner..][..width];
        for (most, x) in most.iter_mut().zip(x) {
            *most = larger(*most, *x);
        }
    }
    most
}

/// The largest of each line, and the sum of the exponentials of what is below it.
#[inline(always)]
fn largest_and_sum<T: Real>(
    x: &[T],
    lines: Lines,
    start: usize,
    width: usize,
    bounded: bool,
) -> ([T; SIDE], [T; SIDE]) {
    let mut most = largest_of_each(x, lines, start, width);
    if bounded {
        for most in &mut most {
            *most = bound(*most);
        }
    }
    let mut sums = [T::zero(); SIDE];
    for k in 0..lines.length {
        let x = &x[start + k * lines.inner..][..width];
        for ((sum, most), x) in sums.iter_mut().zip(&most).zip(x) {
            *sum += (*x - *most).exp();
        }
    }
    (most, sums)
}

/// A finite shift, so that lines of infinities come out right.
#[inline(always)]
fn bound<T: Real>(most: T) -> T {
    if most.abs() == T::c(f64::INFINITY) { T::zero() } else { most }
}

#[inline(always)]
fn softmax_columns<T: Real>((x, out, lines): (&[T], &mut [MaybeUninit<T>], Lines)) {
    side_by_side!(x.len(), lines, |start, width| {
        let most = largest_of_each(x, lines, start, width);
        let mut sums = [T::zero(); SIDE];
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            let (x, out) = (&x[at..at + width], &mut out[at..at + width]);
            for (((x, out), most), sum) in x.iter().zip(out).zip(&most).zip(&mut sums) {
                let y = (*x - *most).exp();
                out.write(y);
                *sum += y;
            }
        }
        for sum in &mut sums {
            *sum = T::one() / *sum;
        }
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            // SAFETY: the loop above wrote these elements.
            #[allow(unsafe_code)]
            let out = unsafe { written(&mut out[at..at + width]) };
            for (y, factor) in out.iter_mut().zip(&sums) {
                *y *= *factor;
            }
        }
    });
}

#[inline(always)]
fn log_softmax_columns<T: Real>((x, out, lines): (&[T], &mut [MaybeUninit<T>], Lines)) {
    side_by_side!(x.len(), lines, |start, width| {
        let (most, sums) = largest_and_sum(x, lines, start, width, false);
        let totals = sums.map(T::ln);
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            let (x, out) = (&x[at..at + width], &mut out[at..at + width]);
            for (((x, out), most), total) in x.iter().zip(out).zip(&most).zip(&totals) {
                out.write(*x - *most - *total);
            }
        }
    });
}

#[inline(always)]
fn softmax_gradient_columns<T: Real>(
    (y, g, out, lines): (&[T], &[T], &mut [MaybeUninit<T>], Lines),
) {
    side_by_side!(y.len(), lines, |start, width| {
        let mut along = [T::zero(); SIDE];
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            for ((sum, y), g) in along.iter_mut().zip(&y[at..at + width]).zip(&g[at..at + width]) {
                *sum += *y * *g;
            }
        }
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            let (y, g) = (&y[at..at + width], &g[at..at + width]);
            for (((y, g), out), along) in y.iter().zip(g).zip(&mut out[at..at + width]).zip(&along)
            {
                out.write(*y * (*g - *along));
            }
        }
    });
}

#[inline(always)]
fn log_softmax_gradient_columns<T: Real>(
    (y, g, out, lines): (&[T], &[T], &mut [MaybeUninit<T>], Lines),
) {
    side_by_side!(y.len(), lines, |start, width| {
        let mut totals = [T::zero(); SIDE];
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            for (sum, g) in totals.iter_mut().zip(&g[at..at + width]) {
                *sum += *g;
            }
        }
        for k in 0..lines.length {
            let at = start + k * lines.inner;
            let (y, g) = (&y[at..at + width], &g[at..at + width]);
            for (((y, g), out), total) in y.iter().zip(g).zip(&mut out[at..at + width]).zip(&totals)
            {
                out.write(*g - y.exp() * *total);
            }
        }
    });
}

/// `out` has one element for each line of `x`.
#[inline(always)]
fn logsumexp_lines<T: Real>((x, out, lines): (&[T], &mut [MaybeUninit<T>], Lines)) {
    if lines.inner == 1 {
        for (k, out) in out.iter_mut().enumerate() {
            let x = &x[k * lines.length..(k + 1) * lines.length];
            let most = bound(largest(x));
            out.write(sum_of_exponentials(x, most).ln() + most);
        }
        return;
    }
    for (slab, out) in out.chunks_mut(lines.inner).enumerate() {
        for (column, out) in out.chunks_mut(SIDE).enumerate() {
            let start = slab * lines.slab() + column * SIDE;
            let (most, sums) = largest_and_sum(x, lines, start, out.len(), true);
            for ((sum, most), out) in sums.into_iter().zip(most).zip(out) {
                out.write(sum.ln() + most);
            }
        }
    }
}

//! Pointwise functions of a block of stacked rows, forwards and backwards, on one thread.
//!
//! A block is `[rows of the stack, elements]`, contiguous; row 0 is the value.

use std::mem::MaybeUninit;

use super::Stack;
use crate::{
    Pointwise,
    cpu::{room, vectorised},
    pointwise::{Real, map, pull_back, taylor},
};

/// Elements handled together: their Taylor coefficients stay in the first cache.
const SPAN: usize = 512;
/// Elements in registers.
const LANES: usize = 16;

/// `y = f(z)` for all rows; each row has `n` elements.
/// Writes all of `y`.
pub(super) fn apply<T: Real>(
    stack: &Stack,
    f: Pointwise,
    n: usize,
    z: &[T],
    y: &mut [MaybeUninit<T>],
) {
    match stack {
        Stack::Value => map(f, z, y),
        Stack::Series { order, directions } => match order {
            0 => apply(&Stack::Value, f, n, z, y),
            1 => series::<T, 1, 2>(f, n, *directions, z, y),
            2 => series::<T, 2, 3>(f, n, *directions, z, y),
            3 => series::<T, 3, 4>(f, n, *directions, z, y),
            _ => series::<T, 4, 5>(f, n, *directions, z, y),
        },
        Stack::Laplacian { weights } => laplacian(f, n, weights, z, y),
    }
}

/// The cotangent of `z` from that of `y`; `y` is read only for a plain value and a function whose
/// derivative comes from the value, `z` only otherwise.
pub(super) fn pull<T: Real>(
    stack: &Stack,
    f: Pointwise,
    n: usize,
    (z, y): (&[T], &[T]),
    g: &[T],
    out: &mut [T],
) {
    match stack {
        Stack::Value => {
            // SAFETY: the kernel writes nothing but numbers.
            #[allow(unsafe_code)]
            let out = unsafe { room(out) };
            pull_back(f, z, y, g, out);
        }
        Stack::Series { order, directions } => match order {
            0 => pull_value(f, z, g, out),
            1 => pull_series::<T, 1, 3>(f, n, *directions, z, g, out),
            2 => pull_series::<T, 2, 4>(f, n, *directions, z, g, out),
            3 => pull_series::<T, 3, 5>(f, n, *directions, z, g, out),
            _ => pull_series::<T, 4, 6>(f, n, *directions, z, g, out),
        },
        Stack::Laplacian { weights } => pull_laplacian(f, n, weights, z, g, out),
    }
}

/// `out = g f′(z)`.
fn pull_value<T: Real>(f: Pointwise, z: &[T], g: &[T], out: &mut [T]) {
    let mut c = [[T::c(0.0); SPAN]; 2];
    for ((z, g), out) in z.chunks(SPAN).zip(g.chunks(SPAN)).zip(out.chunks_mut(SPAN)) {
        taylor(f, z, c.each_mut().map(|c| &mut c[..z.len()]));
        for ((o, g), c) in out.iter_mut().zip(g).zip(&c[1]) {
            *o = *g * *c;
        }
    }
}

/// The part `start..start + length` of row `row`.
fn part<T>(all: &[T], n: usize, row: usize, start: usize, length: usize) -> &[T] {
    &all[row * n + start..row * n + start + length]
}

fn part_mut<T>(all: &mut [T], n: usize, row: usize, start: usize, length: usize) -> &mut [T] {
    &mut all[row * n + start..row * n + start + length]
}

fn spans(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(SPAN).map(move |start| (start, SPAN.min(n - start)))
}

/// `y(t) = Σ cₖ (z(t) − z₀)ᵏ` to order `K = N − 1` along each direction.
fn series<T: Real, const K: usize, const N: usize>(
    f: Pointwise,
    n: usize,
    directions: usize,
    z: &[T],
    y: &mut [MaybeUninit<T>],
) {
    let mut c = [[T::c(0.0); SPAN]; N];
    for (start, length) in spans(n) {
        taylor(f, &z[start..start + length], c.each_mut().map(|c| &mut c[..length]));
        y[start..start + length].write_copy_of_slice(&c[0][..length]);
        for d in 0..directions {
            let at = |k: usize| (1 + k * directions + d) * n + start;
            let offsets: [usize; K] = std::array::from_fn(at);
            vectorised!(series_kernel::<T, K, N>, (&c, z, &mut *y, offsets, length));
        }
    }
}

#[inline(always)]
fn series_kernel<T: Real, const K: usize, const N: usize>(
    (c, z, y, offsets, length): (&[[T; SPAN]; N], &[T], &mut [MaybeUninit<T>], [usize; K], usize),
) {
    let whole = length - length % LANES;
    for i in (0..whole).step_by(LANES) {
        series_lanes(c, z, y, offsets, i, LANES);
    }
    if whole < length {
        series_lanes(c, z, y, offsets, whole, length - whole);
    }
}

#[inline(always)]
fn series_lanes<T: Real, const K: usize, const N: usize>(
    c: &[[T; SPAN]; N],
    z: &[T],
    y: &mut [MaybeUninit<T>],
    offsets: [usize; K],
    i: usize,
    count: usize,
) {
    let (c, z) = (coefficients(c, i), rows::<T, K>(z, offsets, i, count));
    let mut out = [[T::c(0.0); LANES]; K];
    for j in 0..LANES {
        let mut factors = [T::c(0.0); 4];
        for k in 1..N {
            factors[k - 1] = c[k][j];
        }
        let composed = compose::<T, K>(factors, column(&z, j));
        for k in 0..K {
            out[k][j] = composed[k];
        }
    }
    for k in 0..K {
        y[offsets[k] + i..offsets[k] + i + count].write_copy_of_slice(&out[k][..count]);
    }
}

// Plain loops: the closures of `array::from_fn` are not always inlined, and what is not is compiled
// for the baseline.

#[inline(always)]
fn coefficients<T: Real, const N: usize>(c: &[[T; SPAN]; N], i: usize) -> [[T; LANES]; N] {
    let mut lanes = [[T::c(0.0); LANES]; N];
    for k in 0..N {
        lanes[k].copy_from_slice(&c[k][i..i + LANES]);
    }
    lanes
}

/// `count` elements of each row, from `i` on; zeros behind them.
#[inline(always)]
fn rows<T: Real, const K: usize>(
    all: &[T],
    offsets: [usize; K],
    i: usize,
    count: usize,
) -> [[T; LANES]; K] {
    let mut lanes = [[T::c(0.0); LANES]; K];
    for k in 0..K {
        lanes[k][..count].copy_from_slice(&all[offsets[k] + i..offsets[k] + i + count]);
    }
    lanes
}

#[inline(always)]
fn column<T: Real, const K: usize>(rows: &[[T; LANES]; K], j: usize) -> [T; K] {
    let mut column = [T::c(0.0); K];
    for k in 0..K {
        column[k] = rows[k][j];
    }
    column
}

/// The coefficients 1 … K of `Σ c₍ₘ₋₁₎ δᵐ` for `δ = Σ x₍ₖ₋₁₎ tᵏ`; `K` is at most 4.
#[inline(always)]
fn compose<T: Real, const K: usize>(c: [T; 4], x: [T; K]) -> [T; K] {
    let two = T::c(2.0);
    let mut out = [T::c(0.0); K];
    for i in 0..K {
        out[i] = match i {
            0 => c[0] * x[0],
            1 => c[0].fma(x[1], c[1] * (x[0] * x[0])),
            2 => {
                let cube = c[2] * (x[0] * x[0]);
                c[0].fma(x[2], x[0] * (c[1] * two).fma(x[1], cube))
            }
            _ => {
                let square = x[0] * x[0];
                let second = (two * x[0]).fma(x[2], x[1] * x[1]);
                let high = (T::c(3.0) * c[2]).fma(x[1], c[3] * square);
                c[0].fma(x[3], c[1].fma(second, square * high))
            }
        };
    }
    out
}

/// The transposed rule: `z̄ⱼ = Σ₍ₖ≥ⱼ₎ h₍ₖ₋ⱼ₎ ȳₖ` with `h` the series of `f′(z(t))`.
fn pull_series<T: Real, const K: usize, const N: usize>(
    f: Pointwise,
    n: usize,
    directions: usize,
    z: &[T],
    g: &[T],
    out: &mut [T],
) {
    let mut c = [[T::c(0.0); SPAN]; N];
    let mut sum = [T::c(0.0); SPAN];
    for (start, length) in spans(n) {
        taylor(f, &z[start..start + length], c.each_mut().map(|c| &mut c[..length]));
        for ((s, g), c) in sum.iter_mut().zip(&g[start..start + length]).zip(&c[1]) {
            *s = *g * *c;
        }
        for d in 0..directions {
            let at = |k: usize| (1 + k * directions + d) * n + start;
            let offsets: [usize; K] = std::array::from_fn(at);
            let rows = (z, g, &mut *out);
            vectorised!(pull_series_kernel::<T, K, N>, (&c, &mut sum, rows, offsets, length));
        }
        out[start..start + length].copy_from_slice(&sum[..length]);
    }
}

/// Stacks of argument and cotangent, and that of the result.
type Rows<'a, T> = (&'a [T], &'a [T], &'a mut [T]);

#[inline(always)]
fn pull_series_kernel<T: Real, const K: usize, const N: usize>(
    (c, sum, (z, g, out), offsets, length): (
        &[[T; SPAN]; N],
        &mut [T; SPAN],
        Rows<'_, T>,
        [usize; K],
        usize,
    ),
) {
    let whole = length - length % LANES;
    for i in (0..whole).step_by(LANES) {
        pull_series_lanes(c, sum, (z, g, out), offsets, i, LANES);
    }
    if whole < length {
        pull_series_lanes(c, sum, (z, g, out), offsets, whole, length - whole);
    }
}

#[inline(always)]
fn pull_series_lanes<T: Real, const K: usize, const N: usize>(
    c: &[[T; SPAN]; N],
    sum: &mut [T; SPAN],
    (z, g, out): Rows<'_, T>,
    offsets: [usize; K],
    i: usize,
    count: usize,
) {
    let c = coefficients(c, i);
    let z = rows::<T, K>(z, offsets, i, count);
    let g = rows::<T, K>(g, offsets, i, count);
    let mut total = [T::c(0.0); LANES];
    total.copy_from_slice(&sum[i..i + LANES]);
    let mut result = [[T::c(0.0); LANES]; K];
    for j in 0..LANES {
        // The coefficients of f′ at the value.
        let mut slopes = [T::c(0.0); 4];
        for k in 2..N {
            slopes[k - 2] = T::c(k as f64) * c[k][j];
        }
        let h = compose::<T, K>(slopes, column(&z, j));
        for k in 0..K {
            total[j] = h[k].fma(g[k][j], total[j]);
            let mut s = c[1][j] * g[k][j];
            for m in k + 1..K {
                s = h[m - k - 1].fma(g[m][j], s);
            }
            result[k][j] = s;
        }
    }
    sum[i..i + LANES].copy_from_slice(&total);
    for k in 0..K {
        out[offsets[k] + i..offsets[k] + i + count].copy_from_slice(&result[k][..count]);
    }
}

/// `out = a b`.
#[inline(always)]
fn times<T: Real>((a, b, out): (&[T], &[T], &mut [T])) {
    for ((o, a), b) in out.iter_mut().zip(a).zip(b) {
        *o = *a * *b;
    }
}

/// `sum += w x²`.
#[inline(always)]
fn add_squares<T: Real>((w, x, sum): (T, &[T], &mut [T])) {
    for (s, x) in sum.iter_mut().zip(x) {
        *s = (w * *x).fma(*x, *s);
    }
}

/// `sum += a b`.
#[inline(always)]
fn add_times<T: Real>((a, b, sum): (&[T], &[T], &mut [T])) {
    for ((s, a), b) in sum.iter_mut().zip(a).zip(b) {
        *s = a.fma(*b, *s);
    }
}

/// `f(z)`, `f′ ∂ᵢz`, `f′ Δz + f″ Σᵢ wᵢ (∂ᵢz)²`.
fn laplacian<T: Real>(f: Pointwise, n: usize, weights: &[f64], z: &[T], y: &mut [MaybeUninit<T>]) {
    let last = weights.len() + 1;
    let mut c = [[T::c(0.0); SPAN]; 3];
    for (start, length) in spans(n) {
        taylor(f, &z[start..start + length], c.each_mut().map(|c| &mut c[..length]));
        y[start..start + length].write_copy_of_slice(&c[0][..length]);
        let mut squares = [T::c(0.0); SPAN];
        for (i, w) in weights.iter().enumerate() {
            let z = part(z, n, i + 1, start, length);
            vectorised!(slope_row, (&c[1][..], z, part_mut(y, n, i + 1, start, length)));
            vectorised!(add_squares, (T::c(2.0 * w), z, &mut squares[..length]));
        }
        let y = part_mut(y, n, last, start, length);
        let z = part(z, n, last, start, length);
        vectorised!(last_row, (&c[1][..], z, &c[2][..], &squares[..], y));
    }
}

/// `out = slope z`.
#[inline(always)]
fn slope_row<T: Real>((slope, z, out): (&[T], &[T], &mut [MaybeUninit<T>])) {
    for ((o, s), z) in out.iter_mut().zip(slope).zip(z) {
        o.write(*s * *z);
    }
}

/// `out = slope z + bend squares`.
#[inline(always)]
fn last_row<T: Real>(
    (slope, z, bend, squares, out): (&[T], &[T], &[T], &[T], &mut [MaybeUninit<T>]),
) {
    for ((((o, s), z), b), q) in out.iter_mut().zip(slope).zip(z).zip(bend).zip(squares) {
        o.write(b.fma(*q, *s * *z));
    }
}

/// The transposed rule of [`laplacian`].
fn pull_laplacian<T: Real>(
    f: Pointwise,
    n: usize,
    weights: &[f64],
    z: &[T],
    g: &[T],
    out: &mut [T],
) {
    let last = weights.len() + 1;
    let mut c = [[T::c(0.0); SPAN]; 4];
    for (start, length) in spans(n) {
        taylor(f, &z[start..start + length], c.each_mut().map(|c| &mut c[..length]));
        let [_, first, second, third] = &mut c;
        for (second, third) in second.iter_mut().zip(third.iter_mut()) {
            // f″ and f‴ from the coefficients.
            *second = T::c(2.0) * *second;
            *third = T::c(6.0) * *third;
        }
        let (z_last, g_last) = (part(z, n, last, start, length), part(g, n, last, start, length));
        vectorised!(times, (&first[..], g_last, part_mut(out, n, last, start, length)));
        let mut bend = [T::c(0.0); SPAN];
        vectorised!(times, (&second[..], g_last, &mut bend[..length]));
        let mut squares = [T::c(0.0); SPAN];
        let mut slopes = [T::c(0.0); SPAN];
        for (i, w) in weights.iter().enumerate() {
            let (z, g) = (part(z, n, i + 1, start, length), part(g, n, i + 1, start, length));
            vectorised!(add_squares, (T::c(*w), z, &mut squares[..length]));
            vectorised!(add_times, (z, g, &mut slopes[..length]));
            let out = part_mut(out, n, i + 1, start, length);
            vectorised!(pull_row, (T::c(2.0 * w), &first[..], &bend[..], z, g, out));
        }
        let value = &mut out[start..start + length];
        vectorised!(times, (&first[..], &g[start..start + length], &mut *value));
        vectorised!(add_times, (&second[..], &slopes[..length], &mut *value));
        vectorised!(add_times, (&bend[..length], z_last, &mut *value));
        vectorised!(times, (&third[..], g_last, &mut slopes[..length]));
        vectorised!(add_times, (&squares[..length], &slopes[..length], value));
    }
}

/// `out = f′ g + w bend z`.
#[inline(always)]
fn pull_row<T: Real>((w, first, bend, z, g, out): (T, &[T], &[T], &[T], &[T], &mut [T])) {
    for ((((o, f), b), z), g) in out.iter_mut().zip(first).zip(bend).zip(z).zip(g) {
        *o = f.fma(*g, w * *b * *z);
    }
}

//! The kernels of the normalisations: [`forward`] and [`backward`] over rows.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::{
    cpu::{collect, vectorised},
    pointwise::Real,
};

/// Elements of a piece of work, and of all from which threads pay for themselves.
const BLOCK: usize = 16 * 1024;
const PARALLEL_FROM: usize = 1 << 16;

/// Most pieces with sums of their own for weight and bias.
const MOST_SUMS: usize = 32;

/// Mean and inverse scale of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statistics<T> {
    mean: T,
    scale: T,
}

/// The gradients; weight and bias are empty if they were not asked for.
pub(super) struct Gradients<T> {
    pub(super) x: Vec<T>,
    pub(super) weight: Vec<T>,
    pub(super) bias: Vec<T>,
}

/// Runs `work` on the pieces, on several threads where there is much to do.
fn run<P: Send>(elements: usize, pieces: Vec<P>, work: impl Fn(usize, P) + Sync + Send) {
    if elements < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        pieces.into_iter().enumerate().for_each(|(i, piece)| work(i, piece));
    } else {
        pieces.into_par_iter().enumerate().for_each(|(i, piece)| work(i, piece));
    }
}

/// The normalised rows with weight and bias (of all channels), and what [`backward`] wants to know.
pub(super) fn forward<T: Real>(
    x: &[T],
    weight: &[T],
    bias: &[T],
    geometry: Geometry,
) -> (Vec<T>, Vec<Statistics<T>>) {
    let width = geometry.width();
    let some = (BLOCK / width).max(1);
    let zero = T::zero();
    let mut statistics = vec![Statistics { mean: zero, scale: zero }; geometry.rows];
    let fill = |out: &mut [MaybeUninit<T>]| {
        let pieces = x
            .chunks(some * width)
            .zip(out.chunks_mut(some * width))
            .zip(statistics.chunks_mut(some))
            .collect();
        run(x.len(), pieces, |i, ((x, out), statistics)| {
            vectorised!(forward_rows, (x, out, statistics, weight, bias, geometry, i * some));
        });
    };
    // SAFETY: the pieces cover the output, and the kernel writes every element of each.
    #[allow(unsafe_code)]
    let out = unsafe { collect(x.len(), fill) };
    (out, statistics)
}

/// The gradients for the cotangent `g` of the output.
pub(super) fn backward<T: Real>(
    x: &[T],
    g: &[T],
    weight: &[T],
    statistics: &[Statistics<T>],
    geometry: Geometry,
    parameters: bool,
) -> Gradients<T> {
    let width = geometry.width();
    // Few enough pieces that their sums stay small beside the input.
    let some = (BLOCK / width).max(1).max(geometry.rows.div_ceil(MOST_SUMS));
    let pieces = geometry.rows.div_ceil(some);
    let channels = geometry.all_channels();
    let zero = T::zero();
    let mut sums = vec![(vec![zero; channels], vec![zero; channels]); pieces];
    let fill = |out: &mut [MaybeUninit<T>]| {
        let pieces = x
            .chunks(some * width)
            .zip(g.chunks(some * width))
            .zip(out.chunks_mut(some * width))
            .zip(statistics.chunks(some))
            .zip(&mut sums)
            .collect();
        run(x.len(), pieces, |i, ((((x, g), out), statistics), (dw, db))| {
            let first = i * some;
            let sums = Sums { weight: dw, bias: db, wanted: parameters };
            vectorised!(backward_rows, ((x, g, out), statistics, weight, sums, geometry, first));
        });
    };
    // SAFETY: the pieces cover the output, and the kernel writes every element of each.
    #[allow(unsafe_code)]
    let dx = unsafe { collect(x.len(), fill) };
    let mut total = Gradients { x: dx, weight: Vec::new(), bias: Vec::new() };
    if parameters {
        (total.weight, total.bias) = (vec![zero; channels], vec![zero; channels]);
        for (dw, db) in &sums {
            for (sum, x) in total.weight.iter_mut().zip(dw) {
                *sum += *x;
            }
            for (sum, x) in total.bias.iter_mut().zip(db) {
                *sum += *x;
            }
        }
    }
    total
}

/// Where the gradients of weight and bias are added up.
struct Sums<'a, T> {
    weight: &'a mut [T],
    bias: &'a mut [T],
    wanted: bool,
}

#[inline(always)]
fn forward_rows<T: Real>(
    (x, out, statistics, weight, bias, geometry, first): (
        &[T],
        &mut [MaybeUninit<T>],
        &mut [Statistics<T>],
        &[T],
        &[T],
        Geometry,
        usize,
    ),
) {
    let (width, k) = (geometry.width(), geometry.channels);
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width)).zip(statistics);
    for (row, ((x, out), slot)) in (first..).zip(rows) {
        let s = statistic(x, geometry);
        *slot = s;
        let channel = (row % geometry.groups) * k;
        let (w, b) = (&weight[channel..channel + k], &bias[channel..channel + k]);
        if geometry.inner == 1 {
            for (((x, w), b), out) in x.iter().zip(w).zip(b).zip(out) {
                out.write((*x - s.mean) * s.scale * *w + *b);
            }
        } else {
            let runs = x.chunks_exact(geometry.inner).zip(out.chunks_exact_mut(geometry.inner));
            for (((x, out), w), b) in runs.zip(w).zip(b) {
                let scale = s.scale * *w;
                for (x, out) in x.iter().zip(out) {
                    out.write((*x - s.mean) * scale + *b);
                }
            }
        }
    }
}

#[inline(always)]
fn statistic<T: Real>(x: &[T], geometry: Geometry) -> Statistics<T> {
    let n = x.len() as f64;
    let mean = if geometry.rule.centred { T::c(total(x) / n) } else { T::zero() };
    let variance = squares(x, mean) / n;
    Statistics { mean, scale: T::c(1.0 / (variance + geometry.rule.eps).sqrt()) }
}

/// Lanes of a sum: enough that additions need not wait for each other.
const LANES: usize = 32;

/// Elements added up in their own precision.
const LONG: usize = 1024;

/// `x`, then `rest`: a constant number of lanes stays in registers, a variable one does not.
#[inline(always)]
fn padded<T: Real, const N: usize>(x: &[T], rest: T) -> [T; N] {
    let mut all = [rest; N];
    all[..x.len()].copy_from_slice(x);
    all
}

/// A sum over `$x` in [`LANES`], the last chunk filled up with `$rest`: `$next` is that of one lane
/// after the number `$v`.
macro_rules! in_lanes {
    ($x:expr, $rest:expr, |$sum:ident, $v:ident| $next:expr) => {{
        let mut total = 0.0;
        for x in $x.chunks(LONG) {
            let mut sums = [T::zero(); LANES];
            let (x, tail) = x.as_chunks::<LANES>();
            for x in x {
                for l in 0..LANES {
                    let ($sum, $v) = (sums[l], x[l]);
                    sums[l] = $next;
                }
            }
            if !tail.is_empty() {
                let x: [T; LANES] = padded(tail, $rest);
                for l in 0..LANES {
                    let ($sum, $v) = (sums[l], x[l]);
                    sums[l] = $next;
                }
            }
            total += tree(sums);
        }
        total
    }};
}

/// `Σ xᵢ`.
#[inline(always)]
fn total<T: Real>(x: &[T]) -> f64 {
    in_lanes!(x, T::zero(), |sum, v| sum + v)
}

/// `Σ (xᵢ − shift)²`.
#[inline(always)]
fn squares<T: Real>(x: &[T], shift: T) -> f64 {
    in_lanes!(x, shift, |sum, v| (v - shift).fma(v - shift, sum))
}

/// Lanes of a pair of sums: more would not stay in registers, as their loop is not unrolled.
const PAIR_LANES: usize = 16;

/// `Σ aᵢbᵢ` and `Σ aᵢbᵢ(xᵢ − mean)` in one pass.
#[inline(always)]
fn moments<T: Real>(a: &[T], b: &[T], x: &[T], mean: T) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for ((a, b), x) in a.chunks(LONG).zip(b.chunks(LONG)).zip(x.chunks(LONG)) {
        let (mut s0, mut s1) = ([T::zero(); PAIR_LANES], [T::zero(); PAIR_LANES]);
        let ((a, a_tail), (b, b_tail), (x, x_tail)) =
            (a.as_chunks::<PAIR_LANES>(), b.as_chunks::<PAIR_LANES>(), x.as_chunks::<PAIR_LANES>());
        for ((a, b), x) in a.iter().zip(b).zip(x) {
            for l in 0..PAIR_LANES {
                let product = a[l] * b[l];
                s0[l] += product;
                s1[l] = product.fma(x[l] - mean, s1[l]);
            }
        }
        if !a_tail.is_empty() {
            let a = padded::<T, PAIR_LANES>(a_tail, T::zero());
            let b = padded::<T, PAIR_LANES>(b_tail, T::zero());
            let x = padded::<T, PAIR_LANES>(x_tail, mean);
            for l in 0..PAIR_LANES {
                let product = a[l] * b[l];
                s0[l] += product;
                s1[l] = product.fma(x[l] - mean, s1[l]);
            }
        }
        first += tree(s0);
        second += tree(s1);
    }
    (first, second)
}

/// The same for `b = 1`.
#[inline(always)]
fn plain_moments<T: Real>(a: &[T], x: &[T], mean: T) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (a, x) in a.chunks(LONG).zip(x.chunks(LONG)) {
        let (mut s0, mut s1) = ([T::zero(); PAIR_LANES], [T::zero(); PAIR_LANES]);
        let ((a, a_tail), (x, x_tail)) = (a.as_chunks::<PAIR_LANES>(), x.as_chunks::<PAIR_LANES>());
        for (a, x) in a.iter().zip(x) {
            for l in 0..PAIR_LANES {
                s0[l] += a[l];
                s1[l] = a[l].fma(x[l] - mean, s1[l]);
            }
        }
        if !a_tail.is_empty() {
            let a = padded::<T, PAIR_LANES>(a_tail, T::zero());
            let x = padded::<T, PAIR_LANES>(x_tail, mean);
            for l in 0..PAIR_LANES {
                s0[l] += a[l];
                s1[l] = a[l].fma(x[l] - mean, s1[l]);
            }
        }
        first += tree(s0);
        second += tree(s1);
    }
    (first, second)
}

/// The sum of the lanes: the first steps in their own precision.
#[inline(always)]
fn tree<T: Real, const N: usize>(mut s: [T; N]) -> f64 {
    let mut half = N / 2;
    while half >= 8 {
        for l in 0..half {
            let other = s[l + half];
            s[l] += other;
        }
        half /= 2;
    }
    let s: [f64; 8] = std::array::from_fn(|l| s[l].wide());
    ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

/// With u = (x − mean)·scale: `dx = scale·(gw − mean gw − u·mean(gw·u))`, without the middle term
/// where the mean was not taken off; `dw = Σ g u`, `db = Σ g`.
#[inline(always)]
fn backward_rows<T: Real>(
    ((x, g, dx), statistics, weight, sums, geometry, first): (
        (&[T], &[T], &mut [MaybeUninit<T>]),
        &[Statistics<T>],
        &[T],
        Sums<'_, T>,
        Geometry,
        usize,
    ),
) {
    let (width, k, inner) = (geometry.width(), geometry.channels, geometry.inner);
    let n = width as f64;
    let rows = x.chunks_exact(width).zip(g.chunks_exact(width));
    let rows = rows.zip(dx.chunks_exact_mut(width)).zip(statistics);
    for (row, (((x, g), dx), s)) in (first..).zip(rows) {
        let channel = (row % geometry.groups) * k;
        let w = &weight[channel..channel + k];
        let dw = &mut sums.weight[channel..channel + k];
        let db = &mut sums.bias[channel..channel + k];
        let scale = s.scale.wide();
        // Σ gw and Σ gw·(x − mean).
        let (mut along_one, mut along_x) = (0.0, 0.0);
        if inner == 1 {
            (along_one, along_x) = moments(g, w, x, s.mean);
            if sums.wanted {
                for (((dw, db), g), x) in dw.iter_mut().zip(db).zip(g).zip(x) {
                    *dw += *g * ((*x - s.mean) * s.scale);
                    *db += *g;
                }
            }
        } else {
            let runs = g.chunks_exact(inner).zip(x.chunks_exact(inner));
            for ((((g, x), w), dw), db) in runs.zip(w).zip(dw).zip(db) {
                let (one, along) = plain_moments(g, x, s.mean);
                along_one += w.wide() * one;
                along_x += w.wide() * along;
                *dw += T::c(along * scale);
                *db += T::c(one);
            }
        }
        let offset = if geometry.rule.centred { T::c(along_one / n) } else { T::zero() };
        // `u·mean(gw·u) = (x − mean)·slope`.
        let slope = T::c(along_x / n * scale * scale);
        if inner == 1 {
            for (((g, w), x), dx) in g.iter().zip(w).zip(x).zip(dx) {
                dx.write(s.scale * (*g * *w - offset - (*x - s.mean) * slope));
            }
        } else {
            let runs = g.chunks_exact(inner).zip(x.chunks_exact(inner));
            for (((g, x), dx), w) in runs.zip(dx.chunks_exact_mut(inner)).zip(w) {
                for ((g, x), dx) in g.iter().zip(x).zip(dx) {
                    dx.write(s.scale * (*g * *w - offset - (*x - s.mean) * slope));
                }
            }
        }
    }
}

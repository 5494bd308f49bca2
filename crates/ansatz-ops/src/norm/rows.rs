//! The kernels of the normalisations: [`forward`] and [`backward`] over rows.

use std::{mem::MaybeUninit, ops::Neg};

use rayon::prelude::*;

use super::geometry::Geometry;
use crate::cpu::{Float, collect, vectorised};

/// Elements of a piece of work, and of all from which threads pay for themselves.
const BLOCK: usize = 16 * 1024;
const PARALLEL_FROM: usize = 1 << 16;

/// Most pieces with sums of their own for weight and bias.
const MOST_SUMS: usize = 32;

/// What the kernels compute with.
pub(super) trait Number: Float + Neg<Output = Self> {
    fn wide(self) -> f64;
    fn narrow(x: f64) -> Self;
}

impl Number for f32 {
    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x as f32
    }
}

impl Number for f64 {
    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    #[inline(always)]
    fn narrow(x: f64) -> Self {
        x
    }
}

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
pub(super) fn forward<T: Number>(
    x: &[T],
    weight: &[T],
    bias: &[T],
    geometry: Geometry,
) -> (Vec<T>, Vec<Statistics<T>>) {
    let width = geometry.width();
    let some = (BLOCK / width).max(1);
    let zero = T::from_f64(0.0);
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
pub(super) fn backward<T: Number>(
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
    let zero = T::from_f64(0.0);
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
fn forward_rows<T: Number>(
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
fn statistic<T: Number>(x: &[T], geometry: Geometry) -> Statistics<T> {
    let n = x.len() as f64;
    let mean = if geometry.rule.centred {
        T::narrow(total::<T, false>(x, x, T::narrow(0.0)) / n)
    } else {
        T::narrow(0.0)
    };
    let variance = total::<T, true>(x, x, mean) / n;
    Statistics { mean, scale: T::narrow(1.0 / (variance + geometry.rule.eps).sqrt()) }
}

/// Lanes of a sum.
const LANES: usize = 16;

/// Elements added up in their own precision.
const LONG: usize = 1024;

/// `Σ (xᵢ − shift)(yᵢ − shift)`, or `Σ xᵢ` unless `PRODUCT`.
#[inline(always)]
fn total<T: Number, const PRODUCT: bool>(x: &[T], y: &[T], shift: T) -> f64 {
    let mut sum = 0.0;
    for (x, y) in x.chunks(LONG).zip(y.chunks(LONG)) {
        let mut sums = [T::narrow(0.0); LANES];
        let ((x, x_tail), (y, y_tail)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
        for (x, y) in x.iter().zip(y) {
            for l in 0..LANES {
                sums[l] += if PRODUCT { (x[l] - shift) * (y[l] - shift) } else { x[l] };
            }
        }
        for (l, (x, y)) in x_tail.iter().zip(y_tail).enumerate() {
            sums[l] += if PRODUCT { (*x - shift) * (*y - shift) } else { *x };
        }
        sum += tree(sums);
    }
    sum
}

/// `Σ aᵢbᵢ` and `Σ aᵢbᵢ(xᵢ − mean)` in one pass.
#[inline(always)]
fn moments<T: Number>(a: &[T], b: &[T], x: &[T], mean: T) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for ((a, b), x) in a.chunks(LONG).zip(b.chunks(LONG)).zip(x.chunks(LONG)) {
        let (mut s0, mut s1) = ([T::narrow(0.0); LANES], [T::narrow(0.0); LANES]);
        let ((a, a_tail), (b, b_tail), (x, x_tail)) =
            (a.as_chunks::<LANES>(), b.as_chunks::<LANES>(), x.as_chunks::<LANES>());
        for ((a, b), x) in a.iter().zip(b).zip(x) {
            for l in 0..LANES {
                let product = a[l] * b[l];
                s0[l] += product;
                s1[l] += product * (x[l] - mean);
            }
        }
        for (l, ((a, b), x)) in a_tail.iter().zip(b_tail).zip(x_tail).enumerate() {
            let product = *a * *b;
            s0[l] += product;
            s1[l] += product * (*x - mean);
        }
        first += tree(s0);
        second += tree(s1);
    }
    (first, second)
}

/// The same for `b = 1`.
#[inline(always)]
fn plain_moments<T: Number>(a: &[T], x: &[T], mean: T) -> (f64, f64) {
    let (mut first, mut second) = (0.0, 0.0);
    for (a, x) in a.chunks(LONG).zip(x.chunks(LONG)) {
        let (mut s0, mut s1) = ([T::narrow(0.0); LANES], [T::narrow(0.0); LANES]);
        let ((a, a_tail), (x, x_tail)) = (a.as_chunks::<LANES>(), x.as_chunks::<LANES>());
        for (a, x) in a.iter().zip(x) {
            for l in 0..LANES {
                s0[l] += a[l];
                s1[l] += a[l] * (x[l] - mean);
            }
        }
        for (l, (a, x)) in a_tail.iter().zip(x_tail).enumerate() {
            s0[l] += *a;
            s1[l] += *a * (*x - mean);
        }
        first += tree(s0);
        second += tree(s1);
    }
    (first, second)
}

#[inline(always)]
fn tree<T: Number>(s: [T; LANES]) -> f64 {
    let mut wide = [0.0; LANES];
    for l in 0..LANES {
        wide[l] = s[l].wide();
    }
    let mut half = LANES / 2;
    while half > 0 {
        for l in 0..half {
            wide[l] += wide[l + half];
        }
        half /= 2;
    }
    wide[0]
}

/// With u = (x − mean)·scale: `dx = scale·(gw − mean gw − u·mean(gw·u))`, without the middle term
/// where the mean was not taken off; `dw = Σ g u`, `db = Σ g`.
#[inline(always)]
fn backward_rows<T: Number>(
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
                *dw += T::narrow(along * scale);
                *db += T::narrow(one);
            }
        }
        let offset = if geometry.rule.centred { T::narrow(along_one / n) } else { T::narrow(0.0) };
        // `u·mean(gw·u) = (x − mean)·slope`.
        let slope = T::narrow(along_x / n * scale * scale);
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

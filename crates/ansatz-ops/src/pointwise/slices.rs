//! Pointwise functions of slices on one thread, for kernels that fuse them with other work.
//!
//! All of them panic if the lengths of their slices differ.

use std::mem::MaybeUninit;

use super::functions::{self as f, Function};
use super::{Pointwise, Real};
use crate::cpu::dispatch;

/// Elements handled together: the lanes of one AVX-512 register of `f32`.
const LANES: usize = 16;
/// Elements after which sine and cosine look again whether an argument is very large.
const SPAN: usize = 256;

/// Runs `$body` with `$k` standing for the [`Function`] of `$function`.
macro_rules! with_function {
    ($function:expr, $far:expr, $k:ident => $body:expr) => {
        match $function {
            Pointwise::Tanh => {
                let $k = f::Tanh;
                $body
            }
            Pointwise::Sin if $far => {
                let $k = f::Sin::<true>;
                $body
            }
            Pointwise::Sin => {
                let $k = f::Sin::<false>;
                $body
            }
            Pointwise::Cos if $far => {
                let $k = f::Cos::<true>;
                $body
            }
            Pointwise::Cos => {
                let $k = f::Cos::<false>;
                $body
            }
            Pointwise::Exp => {
                let $k = f::Exp;
                $body
            }
            Pointwise::Ln => {
                let $k = f::Ln;
                $body
            }
            Pointwise::Sqrt => {
                let $k = f::Sqrt;
                $body
            }
            Pointwise::Recip => {
                let $k = f::Recip;
                $body
            }
            Pointwise::Powf(p) => {
                let $k = f::Powf(p);
                $body
            }
            Pointwise::Powi(n) => {
                let $k = f::Powi(n);
                $body
            }
            Pointwise::Sigmoid => {
                let $k = f::Sigmoid;
                $body
            }
            Pointwise::Softplus => {
                let $k = f::Softplus;
                $body
            }
            Pointwise::Silu => {
                let $k = f::Silu;
                $body
            }
            Pointwise::Gelu => {
                let $k = f::Gelu;
                $body
            }
            Pointwise::GeluTanh => {
                let $k = f::GeluTanh;
                $body
            }
            Pointwise::Erf => {
                let $k = f::Erf;
                $body
            }
            Pointwise::Relu => {
                let $k = f::Relu;
                $body
            }
            Pointwise::Abs => {
                let $k = f::Abs;
                $body
            }
        }
    };
}

/// Whether [`pull_back`] computes the derivative from the argument `x`; otherwise from the value
/// `y`, and the slice passed as `x` is not read (pass `y` for both).
pub(crate) fn needs_input(function: Pointwise) -> bool {
    !matches!(
        function,
        Pointwise::Tanh
            | Pointwise::Sigmoid
            | Pointwise::Exp
            | Pointwise::Relu
            | Pointwise::Sqrt
            | Pointwise::Recip
    )
}

/// `out = f(x)`; every element of `out` is written.
pub(crate) fn map<T: Real>(function: Pointwise, x: &[T], out: &mut [MaybeUninit<T>]) {
    assert_eq!(x.len(), out.len());
    let span = span(function, x.len());
    for (x, out) in x.chunks(span).zip(out.chunks_mut(span)) {
        with_function!(function, any_far(x), k => dispatch(map_kernel, (k, x, out)));
    }
}

/// `x = f(x)`.
pub(crate) fn map_in_place<T: Real>(function: Pointwise, x: &mut [T]) {
    for x in x.chunks_mut(span(function, x.len())) {
        with_function!(function, any_far(x), k => dispatch(map_in_place_kernel, (k, x)));
    }
}

/// `out = g · f′`, computed from `x` or from `y = f(x)`, see [`needs_input`]; every element of
/// `out` is written.
pub(crate) fn pull_back<T: Real>(
    function: Pointwise,
    x: &[T],
    y: &[T],
    g: &[T],
    out: &mut [MaybeUninit<T>],
) {
    let source = if needs_input(function) { x } else { y };
    assert!(source.len() == g.len() && g.len() == out.len());
    let span = span(function, g.len());
    let pieces = source.chunks(span).zip(g.chunks(span)).zip(out.chunks_mut(span));
    for ((s, g), out) in pieces {
        with_function!(function, any_far(s), k => dispatch(pull_back_kernel, (k, s, g, out)));
    }
}

/// `out[k] = f⁽ᵏ⁾(x)/k!` for `k = 0 … N − 1`.
pub(crate) fn taylor<T: Real, const N: usize>(
    function: Pointwise,
    x: &[T],
    mut out: [&mut [T]; N],
) {
    assert!(out.iter().all(|out| out.len() == x.len()));
    let span = span(function, x.len());
    for (i, x) in x.chunks(span).enumerate() {
        let range = i * span..i * span + x.len();
        let out = out.each_mut().map(|out| &mut out[range.clone()]);
        with_function!(function, any_far(x), k => dispatch(taylor_kernel, (k, x, out)));
    }
}

/// The whole slice at once, but for functions that look at the size of their arguments.
fn span(function: Pointwise, n: usize) -> usize {
    if matches!(function, Pointwise::Sin | Pointwise::Cos) { SPAN } else { n.max(1) }
}

/// Whether an argument is too large for the fast reduction modulo π/2.
fn any_far<T: Real>(x: &[T]) -> bool {
    dispatch(any_far_kernel, x)
}

#[inline(always)]
fn any_far_kernel<T: Real>(x: &[T]) -> bool {
    x.iter().fold(false, |far, x| far | (x.abs() > T::FAR))
}

#[inline(always)]
fn map_kernel<T: Real, F: Function<T>>((f, x, out): (F, &[T], &mut [MaybeUninit<T>])) {
    for (o, x) in out.iter_mut().zip(x) {
        o.write(f.value(*x));
    }
}

#[inline(always)]
fn map_in_place_kernel<T: Real, F: Function<T>>((f, x): (F, &mut [T])) {
    for x in x {
        *x = f.value(*x);
    }
}

#[inline(always)]
fn pull_back_kernel<T: Real, F: Function<T>>(
    (f, source, g, out): (F, &[T], &[T], &mut [MaybeUninit<T>]),
) {
    for ((o, s), g) in out.iter_mut().zip(source).zip(g) {
        o.write(*g * f.slope(*s));
    }
}

#[inline(always)]
fn taylor_kernel<T: Real, F: Function<T>, const N: usize>(
    (f, x, mut out): (F, &[T], [&mut [T]; N]),
) {
    // Filled apart and copied: the compiler cannot know that the outputs do not overlap.
    let mut columns = [[T::c(0.0); LANES]; N];
    for (i, x) in x.chunks(LANES).enumerate() {
        let mut padded = [T::c(1.0); LANES];
        padded[..x.len()].copy_from_slice(x);
        for j in 0..LANES {
            let series: [T; N] = f.series(padded[j]);
            for k in 0..N {
                columns[k][j] = series[k];
            }
        }
        for (out, column) in out.iter_mut().zip(&columns) {
            out[i * LANES..i * LANES + x.len()].copy_from_slice(&column[..x.len()]);
        }
    }
}

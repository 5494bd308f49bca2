//! Pointwise functions of slices on one thread, for kernels that fuse them with other work.
//!
//! All of them panic if the lengths of their slices differ.

use std::mem::MaybeUninit;

use super::functions::{self as f, Function, bound_of_near};
use super::{Pointwise, Real};
use crate::cpu::{Kernel, run};

/// Elements whose Taylor coefficients are computed together.
const PIECE: usize = 128;
/// Elements after which functions with a form for near arguments look again whether all are.
const SPAN: usize = 1024;

/// Runs `$body` with `$k` standing for the [`Function`] of `$function`, in its form for near
/// arguments where all of `$x` are.
macro_rules! with_function {
    ($function:expr, $x:expr, $k:ident => $body:expr) => {{
        let near = all_near($function, $x);
        match $function {
            Pointwise::Tanh => {
                let $k = f::Tanh;
                $body
            }
            Pointwise::Sin if near => {
                let $k = f::Sin::<true>;
                $body
            }
            Pointwise::Sin => {
                let $k = f::Sin::<false>;
                $body
            }
            Pointwise::Cos if near => {
                let $k = f::Cos::<true>;
                $body
            }
            Pointwise::Cos => {
                let $k = f::Cos::<false>;
                $body
            }
            Pointwise::Exp if near => {
                let $k = f::Exp::<true>;
                $body
            }
            Pointwise::Exp => {
                let $k = f::Exp::<false>;
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
            Pointwise::Sigmoid if near => {
                let $k = f::Sigmoid::<true>;
                $body
            }
            Pointwise::Sigmoid => {
                let $k = f::Sigmoid::<false>;
                $body
            }
            Pointwise::Softplus if near => {
                let $k = f::Softplus::<true>;
                $body
            }
            Pointwise::Softplus => {
                let $k = f::Softplus::<false>;
                $body
            }
            Pointwise::Silu if near => {
                let $k = f::Silu::<true>;
                $body
            }
            Pointwise::Silu => {
                let $k = f::Silu::<false>;
                $body
            }
            Pointwise::Gelu if near => {
                let $k = f::Gelu::<true>;
                $body
            }
            Pointwise::Gelu => {
                let $k = f::Gelu::<false>;
                $body
            }
            Pointwise::GeluTanh => {
                let $k = f::GeluTanh;
                $body
            }
            Pointwise::Erf if near => {
                let $k = f::Erf::<true>;
                $body
            }
            Pointwise::Erf => {
                let $k = f::Erf::<false>;
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
    }};
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
    let span = span::<T>(function, x.len());
    for (x, out) in x.chunks(span).zip(out.chunks_mut(span)) {
        with_function!(function, x, k => run(Map(k, x, out)));
    }
}

/// `x = f(x)`.
pub(crate) fn map_in_place<T: Real>(function: Pointwise, x: &mut [T]) {
    for x in x.chunks_mut(span::<T>(function, x.len())) {
        with_function!(function, x, k => run(MapInPlace(k, x)));
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
    let span = span::<T>(function, g.len());
    let pieces = source.chunks(span).zip(g.chunks(span)).zip(out.chunks_mut(span));
    for ((s, g), out) in pieces {
        with_function!(function, s, k => run(PullBack(k, s, g, out)));
    }
}

/// `out[k] = f⁽ᵏ⁾(x)/k!` for `k = 0 … N − 1`.
pub(crate) fn taylor<T: Real, const N: usize>(
    function: Pointwise,
    x: &[T],
    mut out: [&mut [T]; N],
) {
    assert!(out.iter().all(|out| out.len() == x.len()));
    let span = span::<T>(function, x.len());
    for (i, x) in x.chunks(span).enumerate() {
        let range = i * span..i * span + x.len();
        let out = out.each_mut().map(|out| &mut out[range.clone()]);
        with_function!(function, x, k => run(Taylor(k, x, out)));
    }
}

/// The whole slice at once, but for functions that look at the size of their arguments.
fn span<T: Real>(function: Pointwise, n: usize) -> usize {
    if bound_of_near::<T>(function).is_some() { SPAN } else { n.max(1) }
}

/// Whether there is a form for near arguments, and it holds for all of `x`.
fn all_near<T: Real>(function: Pointwise, x: &[T]) -> bool {
    bound_of_near(function).is_some_and(|bound| !run(AnyFar(x, bound)))
}

struct AnyFar<'a, T>(&'a [T], T);

impl<T: Real> Kernel for AnyFar<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn call(self) -> bool {
        self.0.iter().fold(false, |far, x| far | (x.abs() > self.1))
    }
}

struct Map<'a, F, T>(F, &'a [T], &'a mut [MaybeUninit<T>]);

impl<T: Real, F: Function<T>> Kernel for Map<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (o, x) in self.2.iter_mut().zip(self.1) {
            o.write(self.0.value(*x));
        }
    }
}

struct MapInPlace<'a, F, T>(F, &'a mut [T]);

impl<T: Real, F: Function<T>> Kernel for MapInPlace<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for x in self.1 {
            *x = self.0.value(*x);
        }
    }
}

/// Function, argument or value, cotangent, output.
struct PullBack<'a, F, T>(F, &'a [T], &'a [T], &'a mut [MaybeUninit<T>]);

impl<T: Real, F: Function<T>> Kernel for PullBack<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for ((o, s), g) in self.3.iter_mut().zip(self.1).zip(self.2) {
            o.write(*g * self.0.slope(*s));
        }
    }
}

struct Taylor<'a, F, T, const N: usize>(F, &'a [T], [&'a mut [T]; N]);

impl<T: Real, F: Function<T>, const N: usize> Kernel for Taylor<'_, F, T, N> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(f, x, mut out) = self;
        // The compiler cannot know that the outputs do not overlap, so they are filled apart and
        // copied. The length of a piece stays a number of the running program: with a constant,
        // the loop would be unrolled whole, once for each function, order and instruction set.
        let mut columns = [[T::c(0.0); PIECE]; N];
        for (i, x) in x.chunks(PIECE).enumerate() {
            for (j, x) in x.iter().enumerate() {
                let series: [T; N] = f.series(*x);
                for k in 0..N {
                    columns[k][j] = series[k];
                }
            }
            for (out, column) in out.iter_mut().zip(&columns) {
                out[i * PIECE..][..x.len()].copy_from_slice(&column[..x.len()]);
            }
        }
    }
}

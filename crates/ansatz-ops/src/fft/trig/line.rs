//! One line of a cosine or sine transform, through a fast transform of an extension of it.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::{ComplexToReal, RealToComplex};
use rustfft::{Fft, FftDirection, num_complex::Complex as C, num_traits::Zero};

use super::{Kind, Type};
use crate::fft::plan::{FftFloat, cast};

/// What all lines of one length share.
pub(super) struct Plan<T> {
    n: usize,
    sine: bool,
    method: Method<T>,
}

enum Method<T> {
    /// Type one: the even or odd extension of period `2 (n ∓ 1)`.
    Extension(Arc<dyn RealToComplex<T>>),
    /// Type two: even points forwards, odd ones backwards (J. Makhoul 1980); `exp(−iπk/(2n))`.
    Sorted(Arc<dyn RealToComplex<T>>, Vec<C<T>>),
    /// Type three: the transpose of that.
    Unsorted(Arc<dyn ComplexToReal<T>>, Vec<C<T>>),
    /// Type four: `exp(−iπj/(2n))` and `exp(−iπ(2k+1)/(4n))` around a transform of length 2n.
    Turned(Arc<dyn Fft<T>>, Vec<C<T>>, Vec<C<T>>),
}

/// Space for one line.
pub(super) struct Scratch<T> {
    real: Vec<T>,
    complex: Vec<C<T>>,
    inside: Vec<C<T>>,
}

/// `exp(−iπ numerator(k) / denominator)` for k < n.
fn turns<T: FftFloat>(n: usize, denominator: f64, numerator: impl Fn(usize) -> usize) -> Vec<C<T>> {
    let turn = |k: usize| {
        let (sin, cos) = (PI * numerator(k) as f64 / denominator).sin_cos();
        C { re: cast(cos), im: cast(-sin) }
    };
    (0..n).map(turn).collect()
}

impl<T: FftFloat> Plan<T> {
    pub(super) fn new(kind: Kind, n: usize) -> Self {
        let (width, sine) = (n as f64, kind.sine);
        let method = match kind.kind {
            Type::One => {
                Method::Extension(T::real_plan(if sine { 2 * (n + 1) } else { 2 * (n - 1) }))
            }
            Type::Two => Method::Sorted(T::real_plan(n), turns(n / 2 + 1, 2.0 * width, |k| k)),
            Type::Three => {
                Method::Unsorted(T::inverse_plan(n), turns(n / 2 + 1, 2.0 * width, |k| k))
            }
            Type::Four => Method::Turned(
                T::complex_plan(2 * n, FftDirection::Forward),
                turns(n, 2.0 * width, |j| j),
                turns(n, 4.0 * width, |k| 2 * k + 1),
            ),
        };
        Self { n, sine, method }
    }

    pub(super) fn scratch(&self) -> Scratch<T> {
        let (real, complex, inside) = match &self.method {
            Method::Extension(plan) => (plan.len(), plan.len() / 2 + 1, plan.get_scratch_len()),
            Method::Sorted(plan, _) => (self.n, self.n / 2 + 1, plan.get_scratch_len()),
            Method::Unsorted(plan, _) => (self.n, self.n / 2 + 1, plan.get_scratch_len()),
            Method::Turned(plan, ..) => (0, 2 * self.n, plan.get_inplace_scratch_len()),
        };
        let zeros = |n| vec![C::zero(); n];
        Scratch { real: vec![T::zero(); real], complex: zeros(complex), inside: zeros(inside) }
    }

    /// `y = K x`. The plans fail only when lengths do not fit, which they do.
    pub(super) fn run(&self, x: &mut [T], y: &mut [T], scratch: &mut Scratch<T>) {
        let n = self.n;
        let Scratch { real, complex, inside } = scratch;
        match &self.method {
            Method::Extension(plan) => {
                let half = cast::<T>(0.5);
                real.fill(T::zero());
                if self.sine {
                    real[1..=n].copy_from_slice(x);
                    real[n + 2..].iter_mut().zip(x.iter().rev()).for_each(|(o, x)| *o = -*x);
                    let _ = plan.process_with_scratch(real, complex, inside);
                    y.iter_mut().zip(&complex[1..]).for_each(|(y, z)| *y = -z.im * half);
                } else {
                    // The inner points occur twice, the ends once.
                    let (first, last) = (x[0], x[n - 1]);
                    for x in x.iter_mut() {
                        *x *= half;
                    }
                    (x[0], x[n - 1]) = (first, last);
                    real[..n].copy_from_slice(x);
                    real[n..]
                        .iter_mut()
                        .zip(x[1..].iter().rev().skip(1))
                        .for_each(|(o, x)| *o = *x);
                    let _ = plan.process_with_scratch(real, complex, inside);
                    y.iter_mut().zip(complex).for_each(|(y, z)| *y = z.re);
                }
            }
            Method::Sorted(plan, turns) => {
                if self.sine {
                    alternate(x);
                }
                for (j, x) in x.iter().enumerate() {
                    real[sorted(j, n)] = *x;
                }
                let _ = plan.process_with_scratch(real, complex, inside);
                for (k, (z, turn)) in complex.iter().zip(turns).enumerate() {
                    let z = z * turn;
                    if k > 0 {
                        y[n - k] = -z.im;
                    }
                    y[k] = z.re;
                }
                if self.sine {
                    y.reverse();
                }
            }
            Method::Unsorted(plan, turns) => {
                if self.sine {
                    x.reverse();
                }
                let half = cast::<T>(0.5);
                complex[0] = C { re: x[0], im: T::zero() };
                for (k, (z, turn)) in complex.iter_mut().zip(turns).enumerate().skip(1) {
                    *z = turn.conj() * C { re: x[k], im: -x[n - k] } * half;
                }
                if n.is_multiple_of(2) {
                    complex[n / 2].im = T::zero(); // to rounding
                }
                let _ = plan.process_with_scratch(complex, real, inside);
                for (j, y) in y.iter_mut().enumerate() {
                    *y = real[sorted(j, n)];
                }
                if self.sine {
                    alternate(y);
                }
            }
            Method::Turned(plan, before, after) => {
                complex.fill(C::zero());
                for (z, (x, turn)) in complex.iter_mut().zip(x.iter().zip(before)) {
                    *z = turn * *x;
                }
                plan.process_with_scratch(complex, inside);
                for (y, (z, turn)) in y.iter_mut().zip(complex.iter().zip(after)) {
                    let z = z * turn;
                    *y = if self.sine { -z.im } else { z.re };
                }
            }
        }
    }
}

/// Where point j goes: even ones to the front in order, odd ones to the back in reverse.
fn sorted(j: usize, n: usize) -> usize {
    if j.is_multiple_of(2) { j / 2 } else { n - 1 - j / 2 }
}

fn alternate<T: FftFloat>(x: &mut [T]) {
    x.iter_mut().skip(1).step_by(2).for_each(|x| *x = -*x);
}

//! Channels mixed mode by mode: complex products summed over one index.

use std::mem::MaybeUninit;

use pulp::{Arch, NullaryFnOnce};
use rustfft::num_traits::MulAdd;

use super::matrices::SpectralFloat;
use crate::fft::transform::planes;

/// Real and imaginary parts.
pub(super) type Pair<'a, T> = (&'a [T], &'a [T]);

/// `out[p, q] = Σₛ a[p, q, s] b[p, q, s]`, each of them a line of modes; with `conjugate`, of `b`.
pub(super) struct Mix<'a, T> {
    pub(super) a: Pair<'a, T>,
    pub(super) b: Pair<'a, T>,
    /// Lengths of p, q and s.
    pub(super) lengths: [usize; 3],
    /// How many lines apart neighbours in p, q and s are in `a` and in `b`.
    pub(super) strides: [[usize; 3]; 2],
    pub(super) modes: usize,
    pub(super) conjugate: bool,
}

/// Values of p of one task: they share what `b` brings into the cache.
const BLOCK: usize = 4;

/// All real parts of `out`, then all imaginary ones.
pub(super) fn mix<T: SpectralFloat + MulAdd<Output = T>>(mix: &Mix<'_, T>) -> Vec<T> {
    let [p, q, _] = mix.lengths;
    let row = q * mix.modes;
    planes(p * row, (BLOCK * row).max(1), |i, re, im| {
        Arch::new().dispatch(Task { mix, first: i * BLOCK, re, im });
    })
}

/// Some values of p. Called by name: through a function value the kernel, which is long, would not
/// be inlined and be compiled for the baseline.
struct Task<'a, T> {
    mix: &'a Mix<'a, T>,
    first: usize,
    re: &'a mut [MaybeUninit<T>],
    im: &'a mut [MaybeUninit<T>],
}

impl<T: SpectralFloat + MulAdd<Output = T>> NullaryFnOnce for Task<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { mix, first, re, im } = self;
        if mix.conjugate {
            kernel::<T, true>((mix, first, re, im));
        } else {
            kernel::<T, false>((mix, first, re, im));
        }
    }
}

#[inline(always)]
fn kernel<T: SpectralFloat + MulAdd<Output = T>, const CONJUGATE: bool>(
    (mix, first, re, im): (&Mix<'_, T>, usize, &mut [MaybeUninit<T>], &mut [MaybeUninit<T>]),
) {
    let [_, q_count, s_count] = mix.lengths;
    let [a_strides, b_strides] = mix.strides;
    let n = mix.modes;
    let p_count = re.len() / (q_count * n);
    let mut sums = vec![T::zero(); 2 * n];
    for q in 0..q_count {
        for p in 0..p_count {
            let at = |strides: [usize; 3]| (first + p) * strides[0] + q * strides[1];
            let (a, b) = (at(a_strides), at(b_strides));
            sums.fill(T::zero());
            let (sum_re, sum_im) = sums.split_at_mut(n);
            let mut s = 0;
            while s < s_count {
                let line_a = |i: usize| (a + (s + i) * a_strides[2]) * n;
                let line_b = |i: usize| (b + (s + i) * b_strides[2]) * n;
                let both = |i: usize| {
                    let (a, b) = (line_a(i), line_b(i));
                    [&mix.a.0[a..a + n], &mix.a.1[a..a + n], &mix.b.0[b..b + n], &mix.b.1[b..b + n]]
                };
                if s + 4 <= s_count {
                    let four = [both(0), both(1), both(2), both(3)];
                    accumulate::<T, 4, CONJUGATE>(sum_re, sum_im, four);
                    s += 4;
                } else {
                    accumulate::<T, 1, CONJUGATE>(sum_re, sum_im, [both(0)]);
                    s += 1;
                }
            }
            let start = (p * q_count + q) * n;
            re[start..start + n].iter_mut().zip(sum_re).for_each(|(o, x)| {
                o.write(*x);
            });
            im[start..start + n].iter_mut().zip(sum_im).for_each(|(o, x)| {
                o.write(*x);
            });
        }
    }
}

/// Adds `S` products to the sums.
#[inline(always)]
fn accumulate<T: SpectralFloat + MulAdd<Output = T>, const S: usize, const CONJUGATE: bool>(
    re: &mut [T],
    im: &mut [T],
    mut factors: [[&[T]; 4]; S],
) {
    // All of one length, which the compiler then knows.
    let n = re.len();
    for lines in &mut factors {
        for line in lines {
            *line = &line[..n];
        }
    }
    let im = &mut im[..n];
    for k in 0..n {
        let (mut x, mut y) = (re[k], im[k]);
        for [a_re, a_im, b_re, b_im] in &factors {
            let (a, b, c) = (a_re[k], a_im[k], b_re[k]);
            let d = if CONJUGATE { -b_im[k] } else { b_im[k] };
            x = a.mul_add(c, x);
            x = (-b).mul_add(d, x);
            y = a.mul_add(d, y);
            y = b.mul_add(c, y);
        }
        re[k] = x;
        im[k] = y;
    }
}

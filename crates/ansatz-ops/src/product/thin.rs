//! Products with one short axis (at most [`MOST`]), which a general kernel spends mostly on packing.
//!
//! All matrices here are contiguous, row by row. `MOST` bounds the length `K` of the short axis,
//! a constant of each compiled loop.

use crate::pointwise::Real;

/// Longest axis that counts as short.
pub(crate) const MOST: usize = 4;

/// Numbers summed side by side in [`contract`] and [`outer`].
const LANES: usize = 16;

/// Runs `$kernel::<T, K>($arguments)` with `K` the value of `$k`, at most [`MOST`].
macro_rules! by_length {
    ($k:expr, $kernel:ident, $arguments:expr) => {
        match $k {
            1 => $crate::cpu::vectorised!($kernel::<T, 1>, $arguments),
            2 => $crate::cpu::vectorised!($kernel::<T, 2>, $arguments),
            3 => $crate::cpu::vectorised!($kernel::<T, 3>, $arguments),
            _ => $crate::cpu::vectorised!($kernel::<T, 4>, $arguments),
        }
    };
}
pub(super) use by_length;

/// `out += a b`: `a` is `[rows, K]`, `b` `[K, n]`, `out` `[rows, n]`.
#[inline(always)]
pub(super) fn expand<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    for (a, out) in a.chunks_exact(K).zip(out.chunks_exact_mut(n)) {
        let mut factors = [T::zero(); K];
        factors.copy_from_slice(a);
        let rows: [&[T]; K] = std::array::from_fn(|k| &b[k * n..(k + 1) * n]);
        for (j, o) in out.iter_mut().enumerate() {
            let mut sum = *o;
            for k in 0..K {
                sum = factors[k].fma(rows[k][j], sum);
            }
            *o = sum;
        }
    }
}

/// `out += a bᵀ`: `a` is `[rows, n]`, `b` `[K, n]`, `out` `[rows, K]`.
#[inline(always)]
pub(super) fn contract<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    let whole = n - n % LANES;
    for (a, out) in a.chunks_exact(n).zip(out.chunks_exact_mut(K)) {
        for (k, o) in out.iter_mut().enumerate() {
            let b = &b[k * n..(k + 1) * n];
            let mut lanes = [T::zero(); LANES];
            for (a, b) in a[..whole].chunks_exact(LANES).zip(b[..whole].chunks_exact(LANES)) {
                for i in 0..LANES {
                    lanes[i] = a[i].fma(b[i], lanes[i]);
                }
            }
            let mut rest = T::zero();
            for (a, b) in a[whole..].iter().zip(&b[whole..]) {
                rest = a.fma(*b, rest);
            }
            let mut width = LANES / 2;
            while width > 0 {
                for i in 0..width {
                    lanes[i] += lanes[i + width];
                }
                width /= 2;
            }
            *o += lanes[0] + rest;
        }
    }
}

/// `out += aᵀ b`: `a` is `[rows, K]`, `b` `[rows, n]`, `out` `[K, n]`.
#[inline(always)]
pub(super) fn outer<T: Real, const K: usize>((a, b, n, out): (&[T], &[T], usize, &mut [T])) {
    let whole = n - n % LANES;
    for start in (0..whole).step_by(LANES) {
        let mut sums = [[T::zero(); LANES]; K];
        for (a, b) in a.chunks_exact(K).zip(b.chunks_exact(n)) {
            let b = &b[start..start + LANES];
            for k in 0..K {
                for i in 0..LANES {
                    sums[k][i] = a[k].fma(b[i], sums[k][i]);
                }
            }
        }
        for (k, sums) in sums.iter().enumerate() {
            for (o, s) in out[k * n + start..k * n + start + LANES].iter_mut().zip(sums) {
                *o += *s;
            }
        }
    }
    if whole < n {
        for (a, b) in a.chunks_exact(K).zip(b.chunks_exact(n)) {
            for k in 0..K {
                for j in whole..n {
                    out[k * n + j] = a[k].fma(b[j], out[k * n + j]);
                }
            }
        }
    }
}

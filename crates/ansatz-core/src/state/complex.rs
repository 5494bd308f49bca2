//! Complex states: a number, an array, a vector.

use num_complex::Complex64;

use super::{State, length_mismatch};
use crate::Result;

/// One pass over all components, whatever holds them.
fn combine<'a>(
    out: &mut [Complex64],
    base: Option<&[Complex64]>,
    h: f64,
    coefficients: &[f64],
    terms: impl Iterator<Item = &'a [Complex64]> + Clone,
) -> Result<()> {
    let same = |x: &[Complex64]| {
        if x.len() == out.len() {
            Ok(())
        } else {
            Err(length_mismatch("linear combination", out.len(), x.len()))
        }
    };
    base.map_or(Ok(()), same)?;
    let used = || coefficients.iter().zip(terms.clone()).filter(|(c, _)| **c != 0.0);
    used().try_for_each(|(_, x)| same(x))?;
    for (i, out) in out.iter_mut().enumerate() {
        let sum: Complex64 = used().map(|(c, x)| x[i] * *c).sum();
        *out = base.map_or(Complex64::ZERO, |base| base[i]) + sum * h;
    }
    Ok(())
}

/// By the sizes of the complex numbers, so that a rotation of all phases changes nothing.
fn weighted_rms(
    e: &[Complex64],
    a: &[Complex64],
    b: &[Complex64],
    rtol: f64,
    atol: f64,
) -> Result<f64> {
    for x in [a, b] {
        if x.len() != e.len() {
            return Err(length_mismatch("error norm", e.len(), x.len()));
        }
    }
    let square = |((e, a), b): ((&Complex64, &Complex64), &Complex64)| {
        (e.norm() / (atol + rtol * a.norm().max(b.norm()))).powi(2)
    };
    let sum: f64 = e.iter().zip(a).zip(b).map(square).sum();
    Ok((sum / e.len().max(1) as f64).sqrt())
}

macro_rules! complex_state {
    ($type:ty, [$($generics:tt)*], $slice:expr, $slice_mut:expr, $resize:expr) => {
        /// The dimension counts real and imaginary parts.
        impl<$($generics)*> State for $type {
            #[inline]
            fn combine_iter<'a>(
                &mut self,
                base: Option<&Self>,
                h: f64,
                coefficients: &[f64],
                terms: impl Iterator<Item = &'a Self> + Clone,
            ) -> Result<()> {
                let like = base.or(terms.clone().next()).map_or($slice(self).len(), |x| $slice(x).len());
                $resize(self, like);
                combine($slice_mut(self), base.map($slice), h, coefficients, terms.map($slice))
            }

            #[inline]
            fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
                weighted_rms($slice(self), $slice(a), $slice(b), rtol, atol)
            }

            fn all_finite(&self) -> Result<bool> {
                Ok($slice(self).iter().all(|z| z.is_finite()))
            }

            fn dimension(&self) -> usize {
                2 * $slice(self).len()
            }

            fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
                let (expected, got) = ($slice(self).len(), $slice(other).len());
                if expected == got { Ok(()) } else { Err(length_mismatch(what, expected, got)) }
            }
        }
    };
}

complex_state!(
    Complex64,
    [],
    std::slice::from_ref,
    std::slice::from_mut,
    |_: &mut Self, _: usize| ()
);
complex_state!(
    [Complex64; N],
    [const N: usize],
    <[Complex64; N]>::as_slice,
    <[Complex64; N]>::as_mut_slice,
    |_: &mut Self, _: usize| ()
);
complex_state!(Vec<Complex64>, [], Vec::as_slice, Vec::as_mut_slice, |x: &mut Self, n: usize| x
    .resize(n, Complex64::ZERO));

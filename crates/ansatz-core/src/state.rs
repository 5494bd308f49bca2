//! What a solver needs to know of the thing it solves for: [`State`].

mod complex;
#[cfg(feature = "candle")]
mod jet;
mod pair;
mod slices;

use crate::{Error, Result};

/// An element of a vector space with a norm: the state of a differential equation.
///
/// Implemented for `f64`, `[f64; N]`, `Vec<f64>`, the same of [`Complex64`](crate::Complex64), with the feature `candle` tensors and jets,
/// and pairs of states.
/// The two arithmetic operations are fused, so that a step of a solver makes one pass over memory
/// for each stage and no temporaries.
pub trait State: Clone {
    /// `self ← base + h · Σⱼ cⱼ xⱼ`; without `base`, the sum alone; with nothing to add, zeros of
    /// the size of `self`.
    ///
    /// Terms with `cⱼ = 0` are skipped, so `xⱼ` may then hold anything.
    ///
    /// # Errors
    /// When the sizes differ.
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()>
    where
        Self: 'a;

    /// [`combine_iter`](Self::combine_iter) of terms that lie side by side.
    ///
    /// # Errors
    /// When the sizes differ.
    #[inline]
    fn combine(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: &[Self],
    ) -> Result<()> {
        self.combine_iter(base, h, coefficients, terms.iter())
    }

    /// `self ← factor · self + Σⱼ cⱼ xⱼ` for terms `(cⱼ, xⱼ)`, where the result takes the place of
    /// one of the things added. With `factor = 0` what `self` held does not matter.
    ///
    /// By way of a copy and [`combine`](Self::combine) unless a state can do it in place.
    ///
    /// # Errors
    /// When the sizes differ.
    fn accumulate(&mut self, factor: f64, terms: &[(f64, &Self)]) -> Result<()> {
        let own = self.clone();
        let coefficients: Vec<f64> =
            std::iter::once(factor).chain(terms.iter().map(|(c, _)| *c)).collect();
        let all = std::iter::once(&own).chain(terms.iter().map(|(_, x)| *x));
        self.combine_iter(None, 1.0, &coefficients, all)
    }

    /// The weighted root mean square `√(mean ((selfᵢ / (atol + rtol·max(|aᵢ|, |bᵢ|)))²))`
    /// (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, eq. II.4.11).
    ///
    /// # Errors
    /// When the sizes differ.
    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64>;

    /// Whether every component is finite.
    ///
    /// # Errors
    /// When the components cannot be read.
    fn all_finite(&self) -> Result<bool>;

    /// The number of components.
    fn dimension(&self) -> usize;

    /// Errors unless `other` can be added to `self`: same shape, dtype, device.
    ///
    /// # Errors
    /// Says what differs.
    fn check_like(&self, what: &'static str, other: &Self) -> Result<()>;
}

impl State for f64 {
    #[inline]
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        let mut sum = 0.0;
        for (c, x) in coefficients.iter().zip(terms) {
            if *c != 0.0 {
                sum += c * x;
            }
        }
        *self = base.copied().unwrap_or(0.0) + h * sum;
        Ok(())
    }

    #[inline]
    fn accumulate(&mut self, factor: f64, terms: &[(f64, &Self)]) -> Result<()> {
        let scaled = if factor == 0.0 { 0.0 } else { factor * *self };
        *self = terms.iter().filter(|(c, _)| *c != 0.0).fold(scaled, |sum, (c, x)| sum + c * **x);
        Ok(())
    }

    #[inline]
    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        Ok((self / (atol + rtol * a.abs().max(b.abs()))).abs())
    }

    #[inline]
    fn all_finite(&self) -> Result<bool> {
        Ok(self.is_finite())
    }

    fn dimension(&self) -> usize {
        1
    }

    fn check_like(&self, _: &'static str, _: &Self) -> Result<()> {
        Ok(())
    }
}

impl<const N: usize> State for [f64; N] {
    #[inline]
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        // Decided when compiled: short arrays are unrolled where they are used.
        if N >= slices::KERNEL_FROM {
            let base = base.map(<[f64; N]>::as_slice);
            return slices::combine(self, base, h, coefficients, terms.map(|x| &x[..]));
        }
        let mut sum = [0.0; N];
        for (c, x) in coefficients.iter().zip(terms) {
            if *c != 0.0 {
                for (s, x) in sum.iter_mut().zip(x) {
                    *s += c * x;
                }
            }
        }
        match base {
            Some(base) => {
                for i in 0..N {
                    self[i] = base[i] + h * sum[i];
                }
            }
            None => {
                for i in 0..N {
                    self[i] = h * sum[i];
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn accumulate(&mut self, factor: f64, terms: &[(f64, &Self)]) -> Result<()> {
        slices::accumulate(self, factor, terms.iter().map(|(c, x)| (*c, &x[..])));
        Ok(())
    }

    #[inline]
    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        slices::weighted_rms(self, a, b, rtol, atol)
    }

    #[inline]
    fn all_finite(&self) -> Result<bool> {
        Ok(slices::all_finite(self))
    }

    fn dimension(&self) -> usize {
        N
    }

    fn check_like(&self, _: &'static str, _: &Self) -> Result<()> {
        Ok(())
    }
}

impl State for Vec<f64> {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        let n = base.or(terms.clone().next()).unwrap_or(self).len();
        for (c, x) in coefficients.iter().zip(terms.clone()) {
            if *c != 0.0 && x.len() != n {
                return Err(length_mismatch("a term of a linear combination", n, x.len()));
            }
        }
        self.resize(n, 0.0);
        let base = base.map(Vec::as_slice);
        slices::combine(self, base, h, coefficients, terms.map(Vec::as_slice))
    }

    fn accumulate(&mut self, factor: f64, terms: &[(f64, &Self)]) -> Result<()> {
        for (c, x) in terms {
            if *c != 0.0 {
                self.check_like("a term of a linear combination", x)?;
            }
        }
        slices::accumulate(self, factor, terms.iter().map(|(c, x)| (*c, &x[..])));
        Ok(())
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        self.check_like("error norm", a)?;
        self.check_like("error norm", b)?;
        slices::weighted_rms(self, a, b, rtol, atol)
    }

    fn all_finite(&self) -> Result<bool> {
        Ok(slices::all_finite(self))
    }

    fn dimension(&self) -> usize {
        self.len()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        if self.len() == other.len() {
            Ok(())
        } else {
            Err(length_mismatch(what, self.len(), other.len()))
        }
    }
}

fn length_mismatch(what: &'static str, expected: usize, got: usize) -> Error {
    Error::Shape { what, expected: format!("[{expected}]"), got: format!("[{got}]") }
}

/// Tensors of any shape. Values are detached from candle's graph: solvers differentiate by
/// replaying steps.
#[cfg(feature = "candle")]
impl State for candle_core::Tensor {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        coefficients: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        let used: Vec<(f64, &Self)> = coefficients
            .iter()
            .zip(terms)
            .filter(|(c, _)| **c != 0.0)
            .map(|(c, x)| (h * c, x))
            .collect();
        *self = if base.is_none() && used.is_empty() {
            self.zeros_like()?.detach()
        } else {
            ansatz_ops::linear_combination(base, &used)?
        };
        Ok(())
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        Ok(ansatz_ops::weighted_rms(self, a, b, rtol, atol)?)
    }

    fn all_finite(&self) -> Result<bool> {
        Ok(ansatz_ops::is_finite(self)?)
    }

    fn dimension(&self) -> usize {
        self.elem_count()
    }

    fn check_like(&self, what: &'static str, other: &Self) -> Result<()> {
        Ok(ansatz_ops::check_like(what, self, other)?)
    }
}

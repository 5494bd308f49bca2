//! Arithmetic of truncated power series, coefficient block by coefficient block.
//!
//! Nothing here is tracked by candle: [`Jet`](super::Jet) attaches the reverse rule
//! [`Series::pull_back`] to the results.

use candle_core::Tensor;

use crate::{Result, stacked};

/// `value + Σₖ terms[k−1] tᵏ`; `value` is `[1, *shape]`, shared by all directions, each term is
/// `[directions, *shape]`.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) value: Tensor,
    pub(crate) terms: Vec<Tensor>,
}

impl Series {
    /// Cuts a stack `[1 + order·directions, *shape]` into blocks, detached.
    pub(crate) fn from_stack(stack: &Tensor, order: usize, directions: usize) -> Result<Self> {
        let stack = stack.detach().contiguous()?;
        let value = stack.narrow(0, 0, 1)?;
        let terms = if directions == 0 {
            Vec::new()
        } else {
            (0..order)
                .map(|k| stack.narrow(0, 1 + k * directions, directions))
                .collect::<candle_core::Result<_>>()?
        };
        Ok(Self { value, terms })
    }

    pub(crate) fn to_stack(&self) -> Result<Tensor> {
        let mut blocks = Vec::with_capacity(self.terms.len() + 1);
        blocks.push(&self.value);
        blocks.extend(&self.terms);
        Ok(Tensor::cat(&blocks, 0)?)
    }

    pub(crate) fn order(&self) -> usize {
        self.terms.len()
    }

    pub(crate) fn truncated(&self, order: usize) -> Self {
        Self { value: self.value.clone(), terms: self.terms[..order.min(self.order())].to_vec() }
    }

    /// The coefficient of `tᵏ`.
    pub(crate) fn at(&self, k: usize) -> &Tensor {
        if k == 0 { &self.value } else { &self.terms[k - 1] }
    }

    /// `Σ aⱼ b₍ₖ₋ⱼ₎` over `j` in `from..=to`; the range must not be empty.
    pub(crate) fn convolve(&self, rhs: &Self, k: usize, from: usize, to: usize) -> Result<Tensor> {
        let mut sum = multiply(self.at(from), rhs.at(k - from))?;
        for j in from + 1..=to {
            sum = add(&sum, &multiply(self.at(j), rhs.at(k - j))?)?;
        }
        Ok(sum)
    }

    /// `Σ aᵢ a₍ₖ₋ᵢ₎` over `0 < i < k`, each pair formed once; `None` for `k < 2`.
    pub(crate) fn inner_square(&self, k: usize) -> Result<Option<Tensor>> {
        let mut sum = None;
        for i in 1..k.div_ceil(2) {
            let product = (self.at(i) * self.at(k - i))?;
            sum = Some(match sum {
                None => product,
                Some(s) => (s + product)?,
            });
        }
        let mut sum = match sum {
            Some(s) => Some((s * 2.0)?),
            None => None,
        };
        if k >= 2 && k.is_multiple_of(2) {
            let middle = self.at(k / 2).sqr()?;
            sum = Some(match sum {
                None => middle,
                Some(s) => (s + middle)?,
            });
        }
        Ok(sum)
    }

    /// The truncated product.
    pub(crate) fn product(&self, rhs: &Self) -> Result<Self> {
        let value = multiply(&self.value, &rhs.value)?;
        let order = self.order().min(rhs.order());
        let terms = (1..=order).map(|k| self.convolve(rhs, k, 0, k)).collect::<Result<Vec<_>>>()?;
        Ok(Self { value, terms })
    }

    /// The truncated square.
    pub(crate) fn square(&self) -> Result<Self> {
        let value = self.value.sqr()?;
        let twice = self.value.affine(2.0, 0.0)?;
        let terms = (1..=self.order())
            .map(|k| {
                let outer = multiply(&twice, self.at(k))?;
                Ok(match self.inner_square(k)? {
                    Some(inner) => (outer + inner)?,
                    None => outer,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { value, terms })
    }

    /// `factor · self + shift`.
    pub(crate) fn affine(&self, factor: f64, shift: f64) -> Result<Self> {
        Ok(Self {
            value: self.value.affine(factor, shift)?,
            terms: self
                .terms
                .iter()
                .map(|t| t.affine(factor, 0.0))
                .collect::<candle_core::Result<_>>()?,
        })
    }

    /// The sum, term by term.
    pub(crate) fn plus(&self, rhs: &Self) -> Result<Self> {
        Ok(Self {
            value: (&self.value + &rhs.value)?,
            terms: self
                .terms
                .iter()
                .zip(&rhs.terms)
                .map(|(a, b)| a + b)
                .collect::<candle_core::Result<_>>()?,
        })
    }

    /// The reverse rule of `y = f(x)` when `self` is the series of `f′(x(t))`, and of the product
    /// with `self`: since `∂yₖ/∂xⱼ` is the coefficient `k − j` of that series,
    /// `x̄ⱼ = Σ₍ₖ≥ⱼ₎ f′₍ₖ₋ⱼ₎ ȳₖ`; the value, common to all directions, collects from all of them
    /// (B. Christianson, *Reverse accumulation and accurate rounding error estimates for Taylor
    /// series coefficients*, 1992).
    pub(crate) fn pull_back(&self, cotangent: &Self) -> Result<Self> {
        let order = cotangent.order();
        let mut value = multiply(&self.value, &cotangent.value)?;
        if order > 0 {
            let mut sum = multiply(self.at(1), cotangent.at(1))?;
            for k in 2..=order {
                sum = (sum + multiply(self.at(k), cotangent.at(k))?)?;
            }
            value = (value + stacked::sum_rows(&sum)?)?;
        }
        let mut terms = Vec::with_capacity(order);
        for j in 1..=order {
            let mut sum = multiply(&self.value, cotangent.at(j))?;
            for k in j + 1..=order {
                sum = (sum + multiply(self.at(k - j), cotangent.at(k))?)?;
            }
            terms.push(sum);
        }
        Ok(Self { value, terms })
    }
}

/// The product of two blocks, where one may be a value `[1, *shape]`.
pub(crate) fn multiply(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok(if a.shape() == b.shape() { (a * b)? } else { a.broadcast_mul(b)? })
}

fn add(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok(if a.shape() == b.shape() { (a + b)? } else { a.broadcast_add(b)? })
}

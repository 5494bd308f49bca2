//! Bounds on the gradient, and the check that it is finite: [`Clip`].

use ansatz_ops::{check_like, is_finite, sum_of_squares};
use candle_core::{DType, Device, Tensor, Var, backprop::GradStore};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What is done to large gradients before a step.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Clip {
    /// Nothing.
    #[default]
    None,
    /// All gradients together are scaled down to this Euclidean norm if they exceed it
    /// (R. Pascanu, T. Mikolov, Y. Bengio 2013, algorithm 1). As in PyTorch, by the factor
    /// `min(1, bound/(norm + 1e-6))`.
    Norm(f64),
    /// Every element is limited to `[−bound, bound]`.
    Value(f64),
}

impl Clip {
    pub(crate) fn validate(self) -> Result<()> {
        match self {
            Self::Norm(bound) | Self::Value(bound) if !(bound.is_finite() && bound > 0.0) => {
                Err(Error::invalid("bound of gradient clipping", bound, "a positive number"))
            }
            _ => Ok(()),
        }
    }

    /// The factor for all gradients and the limit for each element.
    pub(crate) fn factor_and_limit(self, gradients: &Checked) -> Result<(f64, f64)> {
        Ok(match self {
            Self::None => (1.0, f64::INFINITY),
            Self::Norm(bound) => ((bound / (gradients.norm()? + 1e-6)).min(1.0), f64::INFINITY),
            Self::Value(bound) => (1.0, bound),
        })
    }
}

/// The gradients of the parameters that have one, known to be finite and of the right shape.
pub(crate) struct Checked {
    /// One entry for each parameter; contiguous.
    pub(crate) tensors: Vec<Option<Tensor>>,
    /// `Σ g²` over all elements, infinite if that overflows.
    squares: f64,
}

impl Checked {
    /// Takes the gradients of `vars` out of `store` and checks them all.
    pub(crate) fn new<'a>(
        vars: impl Iterator<Item = (&'a Var, &'a str)>,
        store: &GradStore,
    ) -> Result<Self> {
        let mut tensors = Vec::new();
        let mut names = Vec::new();
        for (var, name) in vars {
            tensors.push(match store.get(var) {
                Some(g) => {
                    check_like("gradient", var, g)?;
                    Some(g.detach().contiguous()?)
                }
                None => None,
            });
            names.push(name);
        }
        let squares = sums_of_squares(&tensors, 1.0)?;
        for (index, sum) in squares.iter().enumerate() {
            // A finite sum has finite terms; for an infinite one look closer, it may have
            // overflowed.
            if !sum.is_finite()
                && let Some(g) = &tensors[index]
                && !is_finite(g)?
            {
                return Err(Error::NonFiniteGradient { index, name: names[index].to_owned() });
            }
        }
        Ok(Self { squares: squares.iter().sum(), tensors })
    }

    /// The Euclidean norm of all gradients together.
    fn norm(&self) -> Result<f64> {
        if self.squares.is_finite() {
            return Ok(self.squares.sqrt());
        }
        // Small enough that no square overflows, in f64 or in f32.
        let wide = self.tensors.iter().flatten().all(|g| g.dtype() == DType::F64);
        let scale = if wide { 1e-160 } else { 1e-25 };
        Ok(sums_of_squares(&self.tensors, scale)?.iter().sum::<f64>().sqrt() / scale)
    }
}

/// `Σ (scale·g)²` for each gradient, 0 where there is none.
///
/// On the CPU added up in f64. Elsewhere in f32 or f64, with one transfer for all of them.
fn sums_of_squares(gradients: &[Option<Tensor>], scale: f64) -> Result<Vec<f64>> {
    let mut sums = vec![0.0; gradients.len()];
    let (mut pending, mut places) = (Vec::new(), Vec::new());
    for (place, gradient) in gradients.iter().enumerate() {
        let Some(g) = gradient else { continue };
        if g.device().is_cpu() {
            sums[place] = sum_of_squares(g, scale)?;
            continue;
        }
        // Squares of half precision numbers would overflow at once.
        let wide = if g.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        pending.push(g.to_dtype(wide)?.affine(scale, 0.0)?.sqr()?.sum_all()?);
        places.push(place);
    }
    if pending.is_empty() {
        return Ok(sums);
    }
    // Parameters of one optimiser live on one device but may differ in dtype.
    let widest =
        if pending.iter().any(|s| s.dtype() == DType::F64) { DType::F64 } else { DType::F32 };
    let pending =
        pending.iter().map(|s| s.to_dtype(widest)).collect::<candle_core::Result<Vec<_>>>()?;
    let values = Tensor::stack(&pending, 0)?.to_device(&Device::Cpu)?;
    for (place, sum) in places.into_iter().zip(values.to_dtype(DType::F64)?.to_vec1::<f64>()?) {
        sums[place] = sum;
    }
    Ok(sums)
}

//! The classifier and the regularisers of its training.
use std::time::{Duration, Instant};

use ansatz::core::{Key, Module};
use ansatz::nn::{Linear, Mlp, MlpConfig, Parameters};
use ansatz::ode::{Adjoint, LocalEstimates, NoGradient, Pid, Save, Tsit5, VectorField, solve};
use candle_core::{D, DType, Tensor};

use super::Images;
use crate::AnyError;

/// What is added to the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::reproduce) enum Regulariser {
    /// Nothing.
    None,
    /// This times `Σⱼ |hⱼ| Eⱼ / tolerance` over the steps of the solver.
    Error(f64),
    /// This times `Σⱼ Sⱼ` over the steps of the solver.
    Stiffness(f64),
    /// This times `Eⱼ / tolerance` of the step that holds a uniformly random time: on a unit
    /// interval the expectation of this is that of `Error`.
    LocalUnbiased(f64),
    /// The same of a uniformly random step, so that places with short steps are drawn more often.
    LocalBiased(f64),
}

/// `y' = network(y, t)` for `y` `[batch, features]`.
#[derive(Debug, Clone)]
pub(in crate::reproduce) struct Dynamics {
    network: Mlp,
}

impl VectorField<Tensor> for Dynamics {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> ansatz::core::Result<()> {
        let time = Tensor::full(t, (y.dim(0)?, 1), y.device())?.to_dtype(y.dtype())?;
        *dy = self.network.forward(&Tensor::cat(&[y, &time], 1)?)?;
        Ok(())
    }
}

/// Pixels, an affine map to features, a neural ODE over `[0, 1]`, an affine map to ten scores.
#[derive(Debug, Clone)]
pub(in crate::reproduce) struct Classifier {
    encoder: Linear,
    dynamics: Dynamics,
    decoder: Linear,
    tolerance: f64,
}

/// A loss and what its forward solve took.
pub(in crate::reproduce) struct Loss {
    pub(in crate::reproduce) value: Tensor,
    pub(in crate::reproduce) evaluations: usize,
}

/// How a classifier does on images.
#[derive(Debug, Clone, Copy)]
pub(in crate::reproduce) struct Prediction {
    /// The fraction that it gets right.
    pub(in crate::reproduce) accuracy: f64,
    /// Evaluations of the vector field.
    pub(in crate::reproduce) evaluations: usize,
    pub(in crate::reproduce) time: Duration,
}

impl Classifier {
    /// With `features` features and a vector field with a hidden layer of `hidden`; `tolerance` is
    /// the absolute and the relative one of the solver.
    pub(in crate::reproduce) fn new(
        [pixels, features, hidden]: [usize; 3],
        tolerance: f64,
        parameters: &Parameters,
    ) -> Result<Self, AnyError> {
        let vb = parameters.builder();
        let network = MlpConfig::new([features + 1, hidden, features]);
        Ok(Self {
            encoder: Linear::new(pixels, features, vb.pp("encoder"))?,
            dynamics: Dynamics { network: Mlp::new(&network, vb.pp("dynamics"))? },
            decoder: Linear::new(features, 10, vb.pp("decoder"))?,
            tolerance,
        })
    }

    /// The mean cross-entropy plus the regulariser, which draws its place with `key`.
    pub(in crate::reproduce) fn loss<A>(
        &self,
        images: &Images,
        regulariser: Regulariser,
        adjoint: A,
        key: &Key,
    ) -> Result<Loss, AnyError>
    where
        A: Adjoint<Dynamics, Tensor, Tsit5, Pid>,
    {
        let y0 = self.encoder.forward(&images.pixels)?;
        let save = if regulariser == Regulariser::None { Save::End } else { Save::Steps };
        let solution = solve(self.dynamics.clone(), y0, (0.0, 1.0))
            .with(Tsit5)
            .tolerance(self.tolerance, self.tolerance)
            .save(save)
            .adjoint(adjoint)
            .run()?;
        let scores = self.decoder.forward(&solution.y_end)?;
        let entropy = candle_nn::loss::cross_entropy(&scores, &images.classes)?;
        let all = || LocalEstimates::of_steps(&self.dynamics, Tsit5, &solution);
        let one = |index: usize| -> Result<Tensor, AnyError> {
            let (t, y) = (&solution.ts, &solution.ys[index]);
            let h = t[index + 1] - t[index];
            Ok(LocalEstimates::of_step(&self.dynamics, Tsit5, t[index], h, y)?.error_norm()?)
        };
        let steps = solution.statistics.accepted;
        let u = key.uniform(1)[0];
        let terms: Vec<(f64, Tensor)> = match regulariser {
            Regulariser::None => Vec::new(),
            Regulariser::Error(weight) => all()?
                .iter()
                .map(|e| Ok((weight * e.h.abs() / self.tolerance, e.error_norm()?)))
                .collect::<Result<_, AnyError>>()?,
            Regulariser::Stiffness(weight) => all()?
                .into_iter()
                .map(|e| Ok((weight, e.stiffness.ok_or("Tsit5 has no stiffness estimate")?)))
                .collect::<Result<_, AnyError>>()?,
            Regulariser::LocalUnbiased(weight) => {
                let index = solution.ts[1..steps].partition_point(|t| *t <= u);
                vec![(weight / self.tolerance, one(index)?)]
            }
            Regulariser::LocalBiased(weight) => {
                let index = ((u * steps as f64) as usize).min(steps - 1);
                vec![(weight / self.tolerance, one(index)?)]
            }
        };
        let mut value = entropy;
        for (weight, term) in terms {
            value = (value + (term * weight)?)?;
        }
        Ok(Loss { value, evaluations: solution.statistics.evaluations })
    }

    /// Classifies without gradients; the time is the shortest of `repeats`.
    pub(in crate::reproduce) fn predict(
        &self,
        images: &Images,
        repeats: usize,
    ) -> Result<Prediction, AnyError> {
        let mut best: Option<Prediction> = None;
        for _ in 0..repeats.max(1) {
            let started = Instant::now();
            let y0 = self.encoder.forward(&images.pixels)?;
            let solution = solve(self.dynamics.clone(), y0, (0.0, 1.0))
                .with(Tsit5)
                .tolerance(self.tolerance, self.tolerance)
                .adjoint(NoGradient)
                .run()?;
            let scores = self.decoder.forward(&solution.y_end)?;
            let right = scores.argmax(D::Minus1)?.eq(&images.classes)?;
            let accuracy = right.to_dtype(DType::F64)?.mean_all()?.to_scalar::<f64>()?;
            let time = started.elapsed();
            let evaluations = solution.statistics.evaluations;
            if best.is_none_or(|best| time < best.time) {
                best = Some(Prediction { accuracy, evaluations, time });
            }
        }
        best.ok_or_else(|| "nothing was predicted".into())
    }
}

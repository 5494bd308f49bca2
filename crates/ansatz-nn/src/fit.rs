//! The training loop: [`fit`].

use std::ops::Range;

use ansatz_core::{Progress, ProgressEvent};
use candle_core::{DType, Tensor};
use candle_nn::Optimizer;

use crate::{Error, Result, Schedule};

/// Minimises `loss` for the given steps and returns the loss of every step.
///
/// Step `k` sets the learning rate to `schedule.at(k)`, evaluates `loss(k)` (a tensor of one
/// element), and makes one update. Draw minibatches and collocation points from a key folded with
/// `k`: training then depends on nothing but the parameters and the step, and
/// `fit(…, 0..1000, …)` is `fit(…, 0..400, …)` followed by `fit(…, 400..1000, …)`, to the bit.
///
/// `progress` hears of every step, with the number of steps done and the loss.
///
/// # Errors
/// [`Error::NonFiniteLoss`] stops the loop before an update is made from a NaN or an infinity: the
/// parameters are as the update of the step before left them. Also when the schedule is invalid,
/// the loss has more than one element, or `loss` or the optimiser fails.
pub fn fit<O: Optimizer>(
    optimizer: &mut O,
    schedule: &Schedule,
    steps: Range<u64>,
    mut loss: impl FnMut(u64) -> ansatz_core::Result<Tensor>,
    progress: &dyn Progress,
) -> Result<Vec<f64>> {
    schedule.validate()?;
    let total = steps.end;
    let mut history = Vec::new();
    for step in steps {
        optimizer.set_learning_rate(schedule.at(step));
        let value = loss(step)?;
        let number = number(&value)?;
        if !number.is_finite() {
            return Err(Error::NonFiniteLoss { step, value: number });
        }
        optimizer.backward_step(&value)?;
        history.push(number);
        progress.report(&ProgressEvent::new("train", step + 1).of(total).with_loss(number));
    }
    Ok(history)
}

/// The only element.
fn number(loss: &Tensor) -> Result<f64> {
    if loss.elem_count() != 1 {
        return Err(ansatz_core::Error::Shape {
            what: "loss",
            expected: "one element (take the mean over the batch)".to_owned(),
            got: format!("{:?}", loss.dims()),
        }
        .into());
    }
    let scalar = loss.detach().reshape(())?;
    Ok(match scalar.dtype() {
        DType::F64 => scalar.to_scalar::<f64>()?,
        _ => f64::from(scalar.to_dtype(DType::F32)?.to_scalar::<f32>()?),
    })
}

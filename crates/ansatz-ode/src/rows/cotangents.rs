//! Sums of the gradients that a backward pass collects: [`Sums`].

use ansatz_ops::{linear_combination, variables};
use candle_core::{Tensor, Var, backprop::GradStore};

use super::batch::take;
use crate::{Error, Result, adjoint::attach::Parameters};

/// Running sums of the gradients of what the field captured and of its arguments. Those of captured
/// variables are one for the whole batch: a set for each row would be `rows` times as large.
pub(super) struct Sums {
    parameters: Parameters,
    captured: Vec<Tensor>,
    /// Of the arguments, for all rows; `None` for one that is not tracked or got nothing yet.
    arguments: Vec<Option<Tensor>>,
}

impl Sums {
    pub(super) fn new(captured: &[Tensor], arguments: usize) -> Self {
        Self {
            parameters: Parameters::new(&[], captured),
            captured: captured.to_vec(),
            arguments: vec![None; arguments],
        }
    }

    /// Errors if the graph of `slope`, evaluated at `t`, reaches a variable that is not known.
    pub(super) fn check_complete(&self, slope: &Tensor, known: &Leaves, t: f64) -> Result<()> {
        let is_known = |v: &Tensor| {
            let known = self.captured.iter().chain(&known.arguments).chain(&known.input);
            known.into_iter().any(|k| k.id() == v.id())
        };
        let complete = variables(std::slice::from_ref(slope)).iter().all(is_known);
        if complete { Ok(()) } else { Err(Error::LateVariable { t }) }
    }

    /// Adds what one backward pass found; `own` collects the gradients of the rows' arguments.
    pub(super) fn add(
        &mut self,
        store: &GradStore,
        leaves: &Leaves,
        own: &mut [Vec<Tensor>],
    ) -> Result<()> {
        self.parameters.add(store)?;
        for (leaf, own) in leaves.arguments.iter().zip(own) {
            own.extend(store.get(leaf).map(Tensor::detach));
        }
        Ok(())
    }

    /// Adds gradients of the arguments of some rows to those of all.
    pub(super) fn spread(
        &mut self,
        rows: &Tensor,
        arguments: &[Tensor],
        own: &[Vec<Tensor>],
    ) -> Result<()> {
        for ((sum, argument), own) in self.arguments.iter_mut().zip(arguments).zip(own) {
            if own.is_empty() {
                continue;
            }
            let terms: Vec<(f64, &Tensor)> = own.iter().map(|g| (1.0, g)).collect();
            let part = linear_combination(None, &terms)?;
            let before = match sum.take() {
                Some(sum) => sum,
                None => argument.detach().zeros_like()?,
            };
            *sum = Some(before.index_add(rows, &part, 0)?);
        }
        Ok(())
    }

    /// Those of the arguments, then those of what was captured.
    pub(super) fn finish(self) -> Result<Vec<Option<Tensor>>> {
        let mut all = self.arguments;
        all.extend(self.parameters.into_sums()?);
        Ok(all)
    }
}

/// Where the graph of one step's evaluations ends.
pub(super) struct Leaves {
    /// The arguments of the rows that took the step.
    pub(super) arguments: Vec<Tensor>,
    /// The state at which the last evaluation was made.
    pub(super) input: Option<Tensor>,
}

impl Leaves {
    /// For these rows of the field's arguments.
    pub(super) fn of(arguments: &[Tensor], rows: &[usize]) -> Result<Self> {
        let leaf = |argument: &Tensor| -> Result<Tensor> {
            let part = take(&argument.detach(), rows)?;
            let tracked = argument.track_op() && argument.dtype().is_float();
            Ok(if tracked { Var::from_tensor(&part)?.into_inner() } else { part })
        };
        let arguments = arguments.iter().map(leaf).collect::<Result<_>>()?;
        Ok(Self { arguments, input: None })
    }
}

//! A step of each row of a batch: [`Batch`].

use ansatz_ops::{check_like, combine_rows, pick_rows};
use candle_core::{Device, Tensor};

use super::RowsField;
use crate::{Error, ExplicitRungeKutta, Result};

/// Rows that take a step together, each of a length of its own.
pub(super) struct Batch<'a, F> {
    pub(super) field: &'a F,
    /// Start and signed length of each row's step.
    pub(super) t: &'a [f64],
    pub(super) h: &'a [f64],
    pub(super) y: &'a Tensor,
    pub(super) arguments: &'a [Tensor],
    /// Number of the iteration, from 0.
    pub(super) step: usize,
}

impl<F: RowsField> Batch<'_, F> {
    /// The field at `y`, a fraction `c` of the step after its start; attached to the graph.
    pub(super) fn evaluate(&self, c: f64, y: &Tensor) -> Result<Tensor> {
        let t = self.t.iter().zip(self.h).map(|(t, h)| t + c * h).collect();
        evaluate(self.field, t, y, self.arguments, self.step)
    }

    /// `y + h Σⱼ cⱼ kⱼ`.
    pub(super) fn along(&self, coefficients: &[f64], slopes: &[Tensor]) -> Result<Tensor> {
        Ok(combine_rows(Some(self.y), self.h, &terms(coefficients, slopes))?)
    }

    /// `h Σⱼ cⱼ kⱼ`.
    pub(super) fn sum(&self, coefficients: &[f64], slopes: &[Tensor]) -> Result<Tensor> {
        let terms = terms(coefficients, slopes);
        if terms.is_empty() {
            return Ok(self.y.zeros_like()?.detach());
        }
        Ok(combine_rows(None, self.h, &terms)?)
    }

    /// Adds the slopes of the stages up to `count` to those that are there, at least the first;
    /// returns the state at which the last one was evaluated.
    pub(super) fn run_stages<M: ExplicitRungeKutta>(
        &self,
        slopes: &mut Vec<Tensor>,
        count: usize,
    ) -> Result<Tensor> {
        let tableau = &M::TABLEAU;
        let mut point = self.y.clone();
        for i in slopes.len()..count {
            point = self.along(tableau.a[i], slopes)?;
            slopes.push(self.evaluate(tableau.c[i], &point)?.detach());
        }
        Ok(point)
    }
}

/// The terms that count.
fn terms<'a>(coefficients: &[f64], slopes: &'a [Tensor]) -> Vec<(f64, &'a Tensor)> {
    coefficients.iter().copied().zip(slopes).filter(|(c, _)| *c != 0.0).collect()
}

/// The field at times `t`; errors unless its value is like the state.
pub(super) fn evaluate<F: RowsField>(
    field: &F,
    t: Vec<f64>,
    y: &Tensor,
    arguments: &[Tensor],
    step: usize,
) -> Result<Tensor> {
    let first = t[0];
    // Converted before they move: not every device has f64.
    let t = Tensor::from_vec(t, y.dims()[0], &Device::Cpu)?
        .to_dtype(y.dtype())?
        .to_device(y.device())?;
    let slope =
        field.eval(&t, y, arguments).map_err(|source| Error::Field { t: first, step, source })?;
    check_like("the vector field's value, compared with the state", y, &slope)?;
    Ok(slope)
}

/// Some rows of a tensor, in order; the tensor itself where these are all.
pub(super) fn take(x: &Tensor, rows: &[usize]) -> Result<Tensor> {
    if rows.len() == x.dims()[0] {
        return Ok(x.clone());
    }
    let picks: Vec<_> = rows.iter().map(|row| (0, *row)).collect();
    Ok(pick_rows(&[x], &picks)?)
}

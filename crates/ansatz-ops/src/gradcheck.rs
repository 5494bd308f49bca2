//! Checking a gradient against central differences: [`gradcheck`].

use candle_core::{DType, Tensor, Var};

use crate::{Error, Result};

/// Step and tolerances of [`gradcheck`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradCheck {
    /// Difference step, relative to `max(1, |x|)`.
    pub step: f64,
    /// Allowed absolute difference.
    pub absolute: f64,
    /// Allowed difference relative to the larger of the two gradients.
    pub relative: f64,
}

impl Default for GradCheck {
    fn default() -> Self {
        // The error of a central difference is h²|f‴|/6 + ε|f|/h: h ≈ 6e-6 balances the two.
        Self { step: 6e-6, absolute: 1e-7, relative: 1e-6 }
    }
}

/// What [`gradcheck`] found when every gradient agreed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradCheckReport {
    /// Number of elements compared, over all inputs.
    pub elements: usize,
    /// Largest absolute difference.
    pub max_absolute: f64,
    /// Largest difference relative to `max(1, |gradient|)`.
    pub max_relative: f64,
}

/// Compares the gradient that `backward` gives for `f` with central differences in f64.
///
/// `f` maps tensors (of any number and shape) to one tensor of any shape; the output is contracted
/// with fixed generic weights, so that every element of it is tested at once. A gradient that
/// candle does not deliver counts as zero, so that *missing* gradients are found as well as wrong
/// ones. The default tolerances suit smooth functions with values of order one.
///
/// # Errors
/// [`Error::GradientMismatch`] names the first element that disagrees (NaN disagrees with
/// everything); [`Error::DType`] when an input is not f64; whatever `f` returns.
///
/// # Example
/// ```
/// use ansatz_ops::{GradCheck, gradcheck};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[0.3f64, -1.2], &Device::Cpu)?;
/// let report = gradcheck(|v| Ok(v[0].tanh()?), &[x], &GradCheck::default())?;
/// assert_eq!(report.elements, 2);
/// # Ok(())
/// # }
/// ```
pub fn gradcheck<F>(f: F, inputs: &[Tensor], options: &GradCheck) -> Result<GradCheckReport>
where
    F: Fn(&[Tensor]) -> Result<Tensor>,
{
    for (what, value) in [
        ("gradcheck step", options.step),
        ("gradcheck absolute tolerance", options.absolute),
        ("gradcheck relative tolerance", options.relative),
    ] {
        if !value.is_finite() || value <= 0.0 {
            return Err(Error::InvalidArgument {
                what,
                value: value.to_string(),
                expected: "a positive finite number",
            });
        }
    }
    for x in inputs {
        if x.dtype() != DType::F64 {
            return Err(Error::DType {
                what: "gradcheck input",
                expected: DType::F64,
                got: x.dtype(),
            });
        }
    }
    let contract = |xs: &[Tensor]| -> Result<Tensor> {
        let y = f(xs)?;
        let n = y.elem_count();
        let weights: Vec<f64> = (0..n).map(|i| (1.0 + 0.7 * i as f64).sin() + 0.1).collect();
        let weights = Tensor::from_vec(weights, y.shape(), y.device())?;
        Ok((y.to_dtype(DType::F64)? * weights)?.sum_all()?)
    };
    let leaves: Vec<Var> =
        inputs.iter().map(|x| Var::from_tensor(&x.detach())).collect::<candle_core::Result<_>>()?;
    let as_tensors: Vec<Tensor> = leaves.iter().map(|v| v.as_tensor().clone()).collect();
    let root = contract(&as_tensors)?;
    let store = root.backward()?;

    let mut report = GradCheckReport { elements: 0, max_absolute: 0.0, max_relative: 0.0 };
    let mut probe: Vec<Tensor> = inputs.iter().map(Tensor::detach).collect();
    for (input, leaf) in leaves.iter().enumerate() {
        let values = inputs[input].flatten_all()?.to_vec1::<f64>()?;
        let analytic = match store.get(leaf) {
            Some(g) => g.flatten_all()?.to_vec1::<f64>()?,
            None => vec![0.0; values.len()],
        };
        for index in 0..values.len() {
            let h = options.step * values[index].abs().max(1.0);
            let mut at = |x: f64| -> Result<f64> {
                let mut shifted = values.clone();
                shifted[index] = x;
                probe[input] =
                    Tensor::from_vec(shifted, inputs[input].shape(), inputs[input].device())?;
                Ok(contract(&probe)?.to_scalar::<f64>()?)
            };
            let numeric = (at(values[index] + h)? - at(values[index] - h)?) / (2.0 * h);
            let difference = (analytic[index] - numeric).abs();
            let size = analytic[index].abs().max(numeric.abs());
            let tolerance = options.absolute + options.relative * size;
            if difference.is_nan() || difference > tolerance {
                return Err(Error::GradientMismatch {
                    input,
                    index,
                    analytic: analytic[index],
                    numeric,
                    tolerance,
                });
            }
            report.elements += 1;
            report.max_absolute = report.max_absolute.max(difference);
            report.max_relative = report.max_relative.max(difference / size.max(1.0));
        }
        probe[input] = inputs[input].detach();
    }
    Ok(report)
}

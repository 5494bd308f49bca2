//! What the tensor adjoints share: finding what receives gradients, and attaching the solution.

use ansatz_core::State;
use ansatz_ops::{custom_vjp, linear_combination, variables};
use candle_core::{Tensor, Var};

use crate::{Error, Result, Save, Solution, Span, VectorField};

/// Everything a solve depends on that candle may track.
pub(crate) struct Inputs {
    y0: Tensor,
    times: Option<[Tensor; 2]>,
    arguments: Vec<Tensor>,
    /// Variables that the field captured.
    pub(crate) captured: Vec<Tensor>,
    /// Stand-ins for the arguments at which the field is evaluated when differentiating, so that
    /// the graph behind the arguments is not walked at every evaluation.
    pub(crate) leaves: Vec<Tensor>,
}

/// Gradients of everything in [`Inputs`]; `None` is zero.
pub(crate) struct InputGradients {
    pub(crate) y0: Tensor,
    pub(crate) t0: Option<f64>,
    pub(crate) t1: Option<f64>,
    pub(crate) parameters: Parameters,
}

impl Inputs {
    /// Evaluates the field once to see which variables it captured. `None` when nothing that the
    /// solve depends on is tracked.
    pub(crate) fn discover<F>(field: &F, y0: &Tensor, span: &Span) -> Result<Option<Self>>
    where
        F: VectorField<Tensor>,
    {
        let arguments = field.arguments().to_vec();
        let leaves = arguments
            .iter()
            .map(|a| Ok(Var::from_tensor(&a.detach())?.into_inner()))
            .collect::<Result<Vec<_>>>()?;
        let mut dy = y0.detach();
        field
            .eval_with(span.t0, &y0.detach(), &leaves, &mut dy)
            .map_err(|source| Error::Field { t: span.t0, step: 0, source })?;
        let mut captured = variables(&[dy]);
        captured.retain(|v| leaves.iter().all(|l| l.id() != v.id()));
        let times = span.tensors.clone();
        let tracked = !captured.is_empty()
            || y0.track_op()
            || arguments.iter().any(Tensor::track_op)
            || times.as_ref().is_some_and(|t| t.iter().any(Tensor::track_op));
        Ok(tracked.then(|| Self { y0: y0.clone(), times, arguments, captured, leaves }))
    }

    fn all(&self) -> Vec<&Tensor> {
        std::iter::once(&self.y0)
            .chain(self.times.iter().flatten())
            .chain(&self.arguments)
            .chain(&self.captured)
            .collect()
    }

    /// Whether the end times want gradients.
    pub(crate) fn wants_times(&self) -> bool {
        self.times.as_ref().is_some_and(|t| t.iter().any(Tensor::track_op))
    }

    fn arrange(&self, gradients: InputGradients) -> Result<Vec<Option<Tensor>>> {
        let mut all = vec![Some(gradients.y0)];
        if let Some(times) = &self.times {
            for (tensor, value) in times.iter().zip([gradients.t0, gradients.t1]) {
                all.push(match value {
                    Some(v) => Some(
                        Tensor::new(v, tensor.device())?
                            .to_dtype(tensor.dtype())?
                            .reshape(tensor.shape())?,
                    ),
                    None => None,
                });
            }
        }
        all.extend(gradients.parameters.sums);
        Ok(all)
    }
}

/// Running sums of the gradients of arguments and captured variables.
#[derive(Clone)]
pub(crate) struct Parameters {
    /// What to look up, the leaves of the arguments first.
    tensors: Vec<Tensor>,
    pub(crate) sums: Vec<Option<Tensor>>,
}

impl Parameters {
    pub(crate) fn new(leaves: &[Tensor], captured: &[Tensor]) -> Self {
        let tensors: Vec<Tensor> = leaves.iter().chain(captured).cloned().collect();
        let sums = vec![None; tensors.len()];
        Self { tensors, sums }
    }

    /// Errors if the graph of `slope`, evaluated at `leaf`, reaches a variable that is not known.
    pub(crate) fn check_complete(&self, slope: &Tensor, leaf: &Tensor, t: f64) -> Result<()> {
        let known =
            |v: &Tensor| v.id() == leaf.id() || self.tensors.iter().any(|k| k.id() == v.id());
        if variables(std::slice::from_ref(slope)).iter().all(known) {
            Ok(())
        } else {
            Err(Error::LateVariable { t })
        }
    }

    /// Adds what one backward pass found.
    pub(crate) fn add(&mut self, store: &candle_core::backprop::GradStore) -> Result<()> {
        for (tensor, sum) in self.tensors.iter().zip(&mut self.sums) {
            if let Some(g) = store.get(tensor) {
                *sum = Some(match sum.take() {
                    Some(s) => linear_combination(Some(&s), &[(1.0, g)])?,
                    None => g.detach(),
                });
            }
        }
        Ok(())
    }
}

/// Attaches a solution to the graph. `vjp` receives the cotangents of the saved states and of the
/// state at the end (zero where that is itself the saved one).
pub(crate) fn attach<V>(
    mut solution: Solution<Tensor>,
    save: &Save,
    inputs: Inputs,
    vjp: V,
) -> Result<Solution<Tensor>>
where
    V: Fn(&Inputs, &[Tensor], &Tensor) -> Result<InputGradients> + Send + Sync + 'static,
{
    let end_only = *save == Save::End;
    let mut rows: Vec<&Tensor> = solution.ys.iter().collect();
    if !end_only {
        rows.push(&solution.y_end);
    }
    let packed = Tensor::stack(&rows, 0)?;
    let saved = solution.ys.len();
    let inputs = std::sync::Arc::new(inputs);
    let held = inputs.clone();
    let packed = custom_vjp(&inputs.all(), &packed, move |cotangent| {
        let cotangent = cotangent.detach();
        let rows = (0..saved)
            .map(|i| Ok(cotangent.get(i)?.contiguous()?))
            .collect::<ansatz_ops::Result<Vec<_>>>()?;
        let end =
            if end_only { rows[0].zeros_like()? } else { cotangent.get(saved)?.contiguous()? };
        Ok(held.arrange(vjp(&held, &rows, &end)?)?)
    })?;
    for (i, y) in solution.ys.iter_mut().enumerate() {
        *y = packed.get(i)?;
    }
    solution.y_end = if end_only { solution.ys[0].clone() } else { packed.get(saved)? };
    Ok(solution)
}

/// `Σ aᵢ bᵢ` over all elements.
pub(crate) fn dot(a: &Tensor, b: &Tensor) -> Result<f64> {
    let product = (a * b)?.sum_all()?;
    Ok(match product.dtype() {
        candle_core::DType::F64 => product.to_scalar::<f64>()?,
        _ => f64::from(product.to_dtype(candle_core::DType::F32)?.to_scalar::<f32>()?),
    })
}

/// A copy without graph.
pub(crate) fn detached(y: &Tensor) -> Result<Tensor> {
    let mut copy = y.detach();
    copy.combine(Some(y), 0.0, &[], &[])?;
    Ok(copy)
}

/// Derivative of the loss with respect to the end of the interval: what the states that move
/// with it (saved exactly there) receive, times the slope there.
pub(crate) fn end_time_gradient<F>(
    field: &F,
    t_end: f64,
    y_end: &Tensor,
    ts: &[f64],
    rows: &[Tensor],
    end: &Tensor,
) -> Result<f64>
where
    F: VectorField<Tensor>,
{
    let mut total = end.clone();
    for (t, row) in ts.iter().zip(rows) {
        if *t == t_end {
            total = (total + row)?;
        }
    }
    slope_product(field, t_end, y_end, &total)
}

/// `⟨a, f(t, y)⟩`.
pub(crate) fn slope_product<F>(field: &F, t: f64, y: &Tensor, a: &Tensor) -> Result<f64>
where
    F: VectorField<Tensor>,
{
    let mut dy = y.clone();
    field.eval_into(t, y, &mut dy).map_err(|source| Error::Field { t, step: 0, source })?;
    dot(a, &dy.detach())
}

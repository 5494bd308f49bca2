//! What the tensor adjoints share: finding what receives gradients, and attaching the solution.

use ansatz_core::State;
use ansatz_ops::{custom_vjp, linear_combination, variables, weighted_rms};
use candle_core::{Tensor, Var};

use super::step::Taped;
use crate::{Error, Result, Save, Solution, Span, Status, VectorField, sides::Sides};

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

/// A fresh leaf for each argument of the field.
pub(crate) fn argument_leaves<F: VectorField<Tensor>>(field: &F) -> Result<Vec<Tensor>> {
    field.arguments().iter().map(|a| Ok(Var::from_tensor(&a.detach())?.into_inner())).collect()
}

/// Gradients of everything in [`Inputs`]; `None` is zero.
pub(crate) struct InputGradients {
    pub(crate) y0: Tensor,
    /// Of the two ends of the interval.
    pub(crate) times: [Option<f64>; 2],
    /// Arguments first, then what was captured.
    pub(crate) parameters: Vec<Option<Tensor>>,
}

impl Inputs {
    /// Evaluates the field once to see which variables it captured.
    pub(crate) fn discover<F>(field: &F, y0: &Tensor, span: &Span) -> Result<Self>
    where
        F: VectorField<Tensor>,
    {
        let leaves = argument_leaves(field)?;
        let mut dy = y0.detach();
        field
            .eval_with(span.t0, &y0.detach(), &leaves, &mut dy)
            .map_err(|source| Error::Field { t: span.t0, step: 0, source })?;
        Ok(Self::found(field, y0, span, leaves, variables(&[dy])))
    }

    /// The inputs of a solve whose evaluations reached `variables`, at `leaves` and other leaves
    /// that are not listed.
    pub(crate) fn found<F>(
        field: &F,
        y0: &Tensor,
        span: &Span,
        leaves: Vec<Tensor>,
        variables: Vec<Tensor>,
    ) -> Self
    where
        F: VectorField<Tensor>,
    {
        let arguments = field.arguments().to_vec();
        let mut captured = variables;
        captured.retain(|v| leaves.iter().all(|l| l.id() != v.id()));
        let times = span.tensors.clone();
        Self { y0: y0.clone(), times, arguments, captured, leaves }
    }

    /// Whether candle tracks anything of it.
    pub(crate) fn is_tracked(&self) -> bool {
        !self.captured.is_empty()
            || self.y0.track_op()
            || self.arguments.iter().any(Tensor::track_op)
            || self.times.as_ref().is_some_and(|t| t.iter().any(Tensor::track_op))
    }

    /// Adds variables that were found elsewhere.
    pub(crate) fn also(&mut self, variables: Vec<Tensor>) {
        for v in variables {
            if self.captured.iter().chain(&self.leaves).all(|known| known.id() != v.id()) {
                self.captured.push(v);
            }
        }
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
            for (tensor, value) in times.iter().zip(gradients.times) {
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
        all.extend(gradients.parameters);
        Ok(all)
    }
}

/// Running sums of the gradients of arguments and captured variables.
#[derive(Clone)]
pub struct Parameters {
    /// What to look up, the leaves of the arguments first.
    tensors: Vec<Tensor>,
    sums: Vec<Option<Tensor>>,
    /// Gradients not yet in `sums`, so that several are added in one pass.
    waiting: Vec<Vec<Tensor>>,
}

impl Parameters {
    /// Gradients that wait for each other.
    const BATCH: usize = 6;

    pub(crate) fn new(leaves: &[Tensor], captured: &[Tensor]) -> Self {
        let tensors: Vec<Tensor> = leaves.iter().chain(captured).cloned().collect();
        Self { sums: vec![None; tensors.len()], waiting: vec![Vec::new(); tensors.len()], tensors }
    }

    /// Errors if the graph of `stage`, evaluated at `t`, reaches a variable that is not known.
    pub(crate) fn check_complete(&self, stage: &Taped, t: f64) -> Result<()> {
        let known = |v: &Tensor| {
            v.id() == stage.input.id() || self.tensors.iter().any(|k| k.id() == v.id())
        };
        if variables(std::slice::from_ref(&stage.slope)).iter().all(known) {
            Ok(())
        } else {
            Err(Error::LateVariable { t })
        }
    }

    /// Adds what one backward pass found.
    pub(crate) fn add(&mut self, store: &candle_core::backprop::GradStore) -> Result<()> {
        for i in 0..self.tensors.len() {
            if let Some(g) = store.get(&self.tensors[i]) {
                self.waiting[i].push(g.detach());
                if self.waiting[i].len() == Self::BATCH {
                    self.settle(i)?;
                }
            }
        }
        Ok(())
    }

    fn settle(&mut self, i: usize) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting[i]);
        let terms: Vec<(f64, &Tensor)> = waiting.iter().map(|g| (1.0, g)).collect();
        if !terms.is_empty() {
            self.sums[i] = Some(linear_combination(self.sums[i].as_ref(), &terms)?);
        }
        Ok(())
    }

    /// The sums, the leaves of the arguments first; `None` where nothing was added.
    pub(crate) fn into_sums(mut self) -> Result<Vec<Option<Tensor>>> {
        for i in 0..self.tensors.len() {
            self.settle(i)?;
        }
        Ok(self.sums)
    }
}

/// Cotangents of what a solve returns.
pub(crate) struct Cotangents {
    /// Of the saved states.
    pub(crate) rows: Vec<Tensor>,
    /// Of the state at the end; zero where that is itself the saved one.
    pub(crate) end: Tensor,
    /// Of the states and the times of the crossings.
    pub(crate) crossings: Vec<Tensor>,
    pub(crate) times: Vec<f64>,
}

impl Cotangents {
    /// The largest root mean square of those of states; 1 where all are zero. A tolerance for the adjoint
    /// equation, which is linear, means the same for a small loss as for a large one when it is solved
    /// for cotangents divided by this.
    pub(crate) fn size(&self) -> Result<f64> {
        let mut largest = 0.0f64;
        for row in self.rows.iter().chain([&self.end]) {
            largest = largest.max(weighted_rms(row, row, row, 0.0, 1.0)?);
        }
        Ok(if largest > 0.0 && largest.is_finite() { largest } else { 1.0 })
    }
}

/// Attaches a solution to the graph.
pub(crate) fn attach<V>(
    mut solution: Solution<Tensor>,
    save: &Save,
    inputs: Inputs,
    vjp: V,
) -> Result<Solution<Tensor>>
where
    V: Fn(&Inputs, &Cotangents) -> Result<InputGradients> + Send + Sync + 'static,
{
    let end_only = *save == Save::End;
    let mut rows: Vec<Tensor> = solution.ys.clone();
    if !end_only {
        rows.push(solution.y_end.clone());
    }
    let (saved, states) = (solution.ys.len(), rows.len());
    rows.extend(solution.crossings.iter().map(|c| c.y.clone()));
    let crossings = solution.crossings.len();
    let times: Vec<f64> = solution.crossings.iter().map(|c| c.t).collect();
    rows.extend(as_rows(&times, &solution.y_end)?);
    let packed = Tensor::stack(&rows, 0)?;
    let inputs = std::sync::Arc::new(inputs);
    let held = inputs.clone();
    let packed = custom_vjp(&inputs.all(), &packed, move |cotangent| {
        let cotangent = cotangent.detach();
        let row = |i: usize| -> ansatz_ops::Result<Tensor> { Ok(cotangent.get(i)?.contiguous()?) };
        let rows = (0..saved).map(row).collect::<ansatz_ops::Result<Vec<_>>>()?;
        let end = if end_only { rows[0].zeros_like()? } else { row(saved)? };
        let at = states..states + crossings;
        let of_crossings = at.map(row).collect::<ansatz_ops::Result<Vec<_>>>()?;
        let times = time_values(&cotangent, states + crossings, crossings)?;
        let cotangents = Cotangents { rows, end, crossings: of_crossings, times };
        Ok(held.arrange(vjp(&held, &cotangents)?)?)
    })?;
    for (i, y) in solution.ys.iter_mut().enumerate() {
        *y = packed.get(i)?;
    }
    solution.y_end = if end_only { solution.ys[0].clone() } else { packed.get(saved)? };
    if crossings > 0 {
        let from = states + crossings;
        let all = packed.narrow(0, from, packed.dim(0)? - from)?.flatten_all()?;
        for (i, crossing) in solution.crossings.iter_mut().enumerate() {
            crossing.y = packed.get(states + i)?;
            crossing.time = Some(all.get(i)?);
        }
    }
    Ok(solution)
}

/// Numbers as rows of the shape of a state, filled up with zeros.
fn as_rows(numbers: &[f64], like: &Tensor) -> Result<Vec<Tensor>> {
    let row = |part: &[f64]| -> Result<Tensor> {
        let mut all = part.to_vec();
        all.resize(like.elem_count(), 0.0);
        let all = Tensor::from_vec(all, like.shape(), &candle_core::Device::Cpu)?;
        // Converted before it moves: not every device has f64.
        Ok(all.to_dtype(like.dtype())?.to_device(like.device())?)
    };
    numbers.chunks(like.elem_count()).map(row).collect()
}

/// The first numbers of the rows from `first` on.
fn time_values(rows: &Tensor, first: usize, count: usize) -> ansatz_ops::Result<Vec<f64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let all = rows.narrow(0, first, rows.dim(0)? - first)?.flatten_all()?;
    let all = all.to_device(&candle_core::Device::Cpu)?.to_dtype(candle_core::DType::F64)?;
    Ok(all.narrow(0, 0, count)?.to_vec1()?)
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

/// The ends of a solve: what the gradients of the end times need.
pub(crate) struct Ends {
    pub(crate) y0: Tensor,
    t_end: f64,
    y_end: Tensor,
    /// Times of the saved states.
    ts: Vec<f64>,
    /// Where the field is evaluated at the start and at the end.
    inside: [f64; 2],
    /// Whether the end that was asked for was reached.
    finished: bool,
}

impl Ends {
    pub(crate) fn of(solution: &Solution<Tensor>, span: &Span, y0: Tensor, sides: &Sides) -> Self {
        Self {
            inside: [sides.after(span.t0), sides.before(solution.t_end)],
            y0,
            t_end: solution.t_end,
            y_end: solution.y_end.clone(),
            ts: solution.ts.clone(),
            finished: solution.status == Status::Finished,
        }
    }

    /// Derivatives of the loss with respect to the start and the end of the interval, where they
    /// are wanted. The start: minus the slope there times `adjoint`, the cotangent of the state
    /// that leaves it. The end: the slope there times what the states that move with it (saved
    /// exactly there) receive.
    pub(crate) fn gradients<F>(
        &self,
        field: &F,
        inputs: &Inputs,
        adjoint: &Tensor,
        cotangents: &Cotangents,
    ) -> Result<[Option<f64>; 2]>
    where
        F: VectorField<Tensor>,
    {
        if !inputs.wants_times() {
            return Ok([None, None]);
        }
        let start = -slope_product(field, self.inside[0], &self.y0, adjoint)?;
        if !self.finished {
            return Ok([Some(start), None]);
        }
        let mut total = cotangents.end.clone();
        for (t, row) in self.ts.iter().zip(&cotangents.rows) {
            if *t == self.t_end {
                total = (total + row)?;
            }
        }
        Ok([Some(start), Some(slope_product(field, self.inside[1], &self.y_end, &total)?)])
    }
}

/// `⟨a, f(t, y)⟩`.
fn slope_product<F>(field: &F, t: f64, y: &Tensor, a: &Tensor) -> Result<f64>
where
    F: VectorField<Tensor>,
{
    let mut dy = y.clone();
    field.eval_into(t, y, &mut dy).map_err(|source| Error::Field { t, step: 0, source })?;
    dot(a, &dy.detach())
}

//! One step of an explicit Runge–Kutta method, differentiated stage by stage.
//!
//! With stage inputs `Yⱼ = y + h Σₘ aⱼₘ kₘ`, slopes `kⱼ = f(tⱼ, Yⱼ)` and the state
//! `y₁ = y + h Σⱼ bⱼ kⱼ`, the cotangent `λ` of `y₁` gives those of the slopes,
//! `κⱼ = h bⱼ λ + h Σ₍ₘ>ⱼ₎ aₘⱼ γₘ` with `γₘ = (∂f/∂y)ᵀ κₘ`, and of the state before,
//! `λ + Σⱼ γⱼ` (J. M. Sanz-Serna, SIAM Rev. 58, 2016, 3–33, section 3). No tape is longer than one
//! evaluation of `f`.

use ansatz_ops::{backward_from, linear_combination};
use candle_core::{Tensor, Var};

use super::attach::Parameters;
use crate::{Error, ExplicitRungeKutta, Result, VectorField};

/// One evaluation of the field on a tape of its own.
#[derive(Clone)]
pub(crate) struct Taped {
    /// Where it was evaluated: a leaf, so that gradients stop here.
    pub(crate) input: Tensor,
    /// The slope, attached to the leaf, the leaves of the arguments and what the field captured.
    pub(crate) slope: Tensor,
}

impl Taped {
    /// Evaluates the field at `y` with `leaves` for its arguments.
    pub(crate) fn evaluate<F: VectorField<Tensor>>(
        field: &F,
        t: f64,
        y: &Tensor,
        leaves: &[Tensor],
    ) -> ansatz_core::Result<Self> {
        let input = Var::from_tensor(&y.detach())?.into_inner();
        let mut slope = input.clone();
        field.eval_with(t, &input, leaves, &mut slope)?;
        Ok(Self { input, slope })
    }
}

/// A state interpolated inside the step: where, and its cotangent.
pub(crate) type Inside<'a> = (f64, &'a Tensor);

/// Which stages a pull-back visits, and the weights of the interpolated states.
pub(crate) struct StepPlan {
    /// For each interpolated state the weight of each stage and, last, of the end derivative.
    weights: Vec<Vec<f64>>,
    needed: Vec<bool>,
    /// Stages up to the last one that matters.
    pub(crate) count: usize,
}

impl StepPlan {
    pub(crate) fn new<M: ExplicitRungeKutta>(inside: &[Inside<'_>]) -> Self {
        let stages = M::TABLEAU.stages();
        // Interpolation may read the derivative at the end of the step: one more stage.
        let weights: Vec<Vec<f64>> = inside
            .iter()
            .map(|(theta, _)| {
                let mut w = vec![0.0; stages + 1];
                M::dense_weights(*theta, &mut w);
                w
            })
            .collect();
        let mut needed = vec![false; stages + 1];
        for j in (0..=stages).rev() {
            let later = (j + 1..=stages)
                .any(|m| needed[m] && row::<M>(m).get(j).is_some_and(|a| *a != 0.0));
            needed[j] = later || b::<M>(j) != 0.0 || weights.iter().any(|w| w[j] != 0.0);
        }
        let count = needed.iter().rposition(|n| *n).map_or(0, |j| j + 1);
        Self { weights, needed, count }
    }
}

/// The coefficients of the input of stage `j`; the one past the last is the end of the step.
pub(crate) fn row<M: ExplicitRungeKutta>(j: usize) -> &'static [f64] {
    let tableau = &M::TABLEAU;
    if j < tableau.stages() { tableau.a[j] } else { tableau.b }
}

fn b<M: ExplicitRungeKutta>(j: usize) -> f64 {
    if j < M::TABLEAU.stages() { M::TABLEAU.b[j] } else { 0.0 }
}

/// Pulls the cotangent of the state after a step of signed length `h`, and of states interpolated
/// inside it, back to the state before; adds the gradients of parameters. `stages` are the first
/// `plan.count` evaluations of the step.
pub(crate) fn pull_back<M: ExplicitRungeKutta>(
    h: f64,
    adjoint: &Tensor,
    inside: &[Inside<'_>],
    plan: &StepPlan,
    stages: &[Taped],
    parameters: &mut Parameters,
) -> Result<Tensor> {
    if stages.len() != plan.count {
        let what = "evaluations of a step, to be differentiated";
        let (expected, got) = (plan.count, stages.len());
        return Err(Error::from(ansatz_ops::Error::Count { what, expected, got }));
    }
    let mut pulled: Vec<Option<Tensor>> = vec![None; plan.count];
    for j in (0..plan.count).rev() {
        if !plan.needed[j] {
            continue;
        }
        // The slope's cotangent: from the step, the interpolations and the later stages.
        let mut terms: Vec<(f64, &Tensor)> = Vec::new();
        if b::<M>(j) != 0.0 {
            terms.push((h * b::<M>(j), adjoint));
        }
        for (w, (_, cotangent)) in plan.weights.iter().zip(inside) {
            if w[j] != 0.0 {
                terms.push((h * w[j], cotangent));
            }
        }
        for (m, g) in pulled.iter().enumerate().skip(j + 1) {
            if let (Some(a), Some(g)) = (row::<M>(m).get(j), g)
                && *a != 0.0
            {
                terms.push((h * a, g));
            }
        }
        if terms.is_empty() {
            continue;
        }
        let cotangent = linear_combination(None, &terms)?;
        let store = backward_from(std::slice::from_ref(&stages[j].slope), &[cotangent])?;
        parameters.add(&store)?;
        pulled[j] = store.get(&stages[j].input).map(Tensor::detach);
    }
    let mut terms: Vec<(f64, &Tensor)> = inside.iter().map(|(_, ct)| (1.0, *ct)).collect();
    terms.extend(pulled.iter().flatten().map(|g| (1.0, g)));
    Ok(linear_combination(Some(adjoint), &terms)?)
}

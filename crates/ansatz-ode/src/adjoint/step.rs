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
    /// For each interpolated state the weight of each slope.
    weights: Vec<Vec<f64>>,
    /// For each slope whether anything depends on it.
    pub(crate) needed: Vec<bool>,
    /// Slopes up to the last one that matters.
    pub(crate) count: usize,
}

impl StepPlan {
    pub(crate) fn new<M: ExplicitRungeKutta>(inside: &[Inside<'_>]) -> Self {
        // Interpolation may read the derivative at the end of the step and the extra stages.
        let slopes = M::TABLEAU.slopes();
        let weights: Vec<Vec<f64>> = inside
            .iter()
            .map(|(theta, _)| {
                let mut w = vec![0.0; slopes];
                M::dense_weights(*theta, &mut w);
                w
            })
            .collect();
        let mut needed = vec![false; slopes];
        for j in (0..slopes).rev() {
            let later =
                (j + 1..slopes).any(|m| needed[m] && row::<M>(m).get(j).is_some_and(|a| *a != 0.0));
            needed[j] = later || b::<M>(j) != 0.0 || weights.iter().any(|w| w[j] != 0.0);
        }
        let count = needed.iter().rposition(|n| *n).map_or(0, |j| j + 1);
        Self { weights, needed, count }
    }
}

/// The coefficients of the state at which slope `j` is evaluated: that of a stage, of the end of the
/// step, of an extra stage.
pub(crate) fn row<M: ExplicitRungeKutta>(j: usize) -> &'static [f64] {
    let tableau = &M::TABLEAU;
    let stages = tableau.stages();
    match j.checked_sub(stages) {
        None => tableau.a[j],
        Some(0) => tableau.b,
        Some(extra) => tableau.extra[extra - 1].a,
    }
}

/// Where in the step slope `j` is evaluated.
pub(crate) fn node<M: ExplicitRungeKutta>(j: usize) -> f64 {
    let tableau = &M::TABLEAU;
    match j.checked_sub(tableau.stages()) {
        None => tableau.c[j],
        Some(0) => 1.0,
        Some(extra) => tableau.extra[extra - 1].c,
    }
}

/// The weight of slope `j` in the step.
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

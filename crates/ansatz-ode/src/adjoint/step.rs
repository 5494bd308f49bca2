//! One step of an explicit Runge–Kutta method, differentiated stage by stage.
//!
//! With stage inputs `Yⱼ = y + h Σₘ aⱼₘ kₘ`, slopes `kⱼ = f(tⱼ, Yⱼ)` and the state
//! `y₁ = y + h Σⱼ bⱼ kⱼ`, the cotangent `λ` of `y₁` gives those of the slopes,
//! `κⱼ = h bⱼ λ + h Σ₍ₘ>ⱼ₎ aₘⱼ γₘ` with `γₘ = (∂f/∂y)ᵀ κₘ`, and of the state before,
//! `λ + Σⱼ γⱼ` (J. M. Sanz-Serna, SIAM Rev. 58, 2016, 3–33, section 3). No tape is longer than one
//! evaluation of `f`.

use std::marker::PhantomData;

use ansatz_ops::{backward_from, linear_combination};
use candle_core::{Tensor, Var, backprop::GradStore};

use super::attach::Parameters;
use crate::{Error, ExplicitRungeKutta, Result, VectorField};

/// A Runge–Kutta method as its slopes `kⱼ = f(t + cⱼ h, y + h Σₘ aⱼₘ kₘ)`, with those that only dense
/// output reads.
pub(crate) trait Slopes {
    /// How many there are.
    fn count() -> usize;

    /// The entries `aⱼₘ` left of the diagonal.
    fn row(j: usize) -> &'static [f64];

    /// `cⱼ`.
    fn node(j: usize) -> f64;

    /// The weight of slope `j` in the step.
    fn weight(j: usize) -> f64;

    /// The weights of the slopes in the state at `theta`.
    fn inside(theta: f64, weights: &mut [f64]);
}

/// Those of an explicit method: its stages, the slope at the end of the step, the extra stages.
pub(crate) struct OfExplicit<M>(PhantomData<M>);

impl<M: ExplicitRungeKutta> Slopes for OfExplicit<M> {
    fn count() -> usize {
        M::TABLEAU.slopes()
    }

    fn row(j: usize) -> &'static [f64] {
        let tableau = &M::TABLEAU;
        match j.checked_sub(tableau.stages()) {
            None => tableau.a[j],
            Some(0) => tableau.b,
            Some(extra) => tableau.extra[extra - 1].a,
        }
    }

    fn node(j: usize) -> f64 {
        let tableau = &M::TABLEAU;
        match j.checked_sub(tableau.stages()) {
            None => tableau.c[j],
            Some(0) => 1.0,
            Some(extra) => tableau.extra[extra - 1].c,
        }
    }

    fn weight(j: usize) -> f64 {
        if j < M::TABLEAU.stages() { M::TABLEAU.b[j] } else { 0.0 }
    }

    fn inside(theta: f64, weights: &mut [f64]) {
        M::dense_weights(theta, weights);
    }
}

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

/// Through an evaluation at a given state.
pub(crate) fn through_value(_: usize, stage: &Taped, cotangent: Tensor) -> Result<GradStore> {
    Ok(backward_from(std::slice::from_ref(&stage.slope), &[cotangent])?)
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
    pub(crate) fn new<S: Slopes>(inside: &[Inside<'_>]) -> Self {
        let slopes = S::count();
        let weights: Vec<Vec<f64>> = inside
            .iter()
            .map(|(theta, _)| {
                let mut w = vec![0.0; slopes];
                S::inside(*theta, &mut w);
                w
            })
            .collect();
        let mut needed = vec![false; slopes];
        for j in (0..slopes).rev() {
            let later =
                (j + 1..slopes).any(|m| needed[m] && S::row(m).get(j).is_some_and(|a| *a != 0.0));
            needed[j] = later || S::weight(j) != 0.0 || weights.iter().any(|w| w[j] != 0.0);
        }
        let count = needed.iter().rposition(|n| *n).map_or(0, |j| j + 1);
        Self { weights, needed, count }
    }
}

/// Pulls the cotangent of the state after a step of signed length `h`, and of states interpolated
/// inside it, back to the state before; adds the gradients of parameters. `stages` are the first
/// `plan.count` evaluations of the step, and `through` pulls a cotangent back through one of them.
pub(crate) fn pull_back<S: Slopes>(
    h: f64,
    adjoint: &Tensor,
    inside: &[Inside<'_>],
    plan: &StepPlan,
    stages: &[Taped],
    parameters: &mut Parameters,
    mut through: impl FnMut(usize, &Taped, Tensor) -> Result<GradStore>,
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
        if S::weight(j) != 0.0 {
            terms.push((h * S::weight(j), adjoint));
        }
        for (w, (_, cotangent)) in plan.weights.iter().zip(inside) {
            if w[j] != 0.0 {
                terms.push((h * w[j], cotangent));
            }
        }
        for (m, g) in pulled.iter().enumerate().skip(j + 1) {
            if let (Some(a), Some(g)) = (S::row(m).get(j), g)
                && *a != 0.0
            {
                terms.push((h * a, g));
            }
        }
        if terms.is_empty() {
            continue;
        }
        let cotangent = linear_combination(None, &terms)?;
        let store = through(j, &stages[j], cotangent)?;
        parameters.add(&store)?;
        pulled[j] = store.get(&stages[j].input).map(Tensor::detach);
    }
    let mut terms: Vec<(f64, &Tensor)> = inside.iter().map(|(_, ct)| (1.0, *ct)).collect();
    terms.extend(pulled.iter().flatten().map(|g| (1.0, g)));
    Ok(linear_combination(Some(adjoint), &terms)?)
}

//! Local error and stiffness of a solve, differentiable: [`LocalEstimates`].

use candle_core::Tensor;

use crate::{Error, ExplicitRungeKutta, Result, Solution, VectorField};

/// What one step of a method with an embedded estimate tells of the problem, attached to candle's graph:
/// added to a loss these make an equation that is cheap to solve.
///
/// The sums `Σⱼ |hⱼ| ‖errorⱼ‖` and `Σⱼ stiffnessⱼ` over the steps of a solve are the regularisers of
/// A. Pal et al. 2021 (*Opening the blackbox*, arXiv:2105.03918, eqs. 9 and 11); one step at a random
/// place gives an estimate of them at the cost of a single step (A. Pal et al. 2023, *Locally regularized
/// neural differential equations*, arXiv:2303.02262).
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor, Var};
/// use ansatz_ode::{LocalEstimates, Save, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// let rate = Var::new(-3f64, &Device::Cpu)?;
/// let r = rate.as_tensor().clone();
/// let field = move |_t: f64, y: &Tensor| y.tanh()?.broadcast_mul(&r);
/// let y0 = Tensor::new(&[1f64, 2.0], &Device::Cpu)?;
/// let solution = solve(field.clone(), y0, (0.0, 1.0))
///     .with(Tsit5)
///     .tolerance(1e-6, 1e-6)
///     .save(Save::Steps)
///     .run()?;
/// let mut cost = solution.y_end.sqr()?.sum_all()?;
/// for step in LocalEstimates::of_steps(&field, Tsit5, &solution)? {
///     cost = (cost + (step.error_norm()? * step.h.abs())?)?;
/// }
/// assert!(cost.backward()?.get(&rate).is_some());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct LocalEstimates {
    /// Start of the step.
    pub t: f64,
    /// Its signed length.
    pub h: f64,
    /// The embedded error estimate `h Σᵢ (bᵢ − b̂ᵢ) kᵢ`, of the shape of the state.
    pub error: Tensor,
    /// `‖kᵢ − kⱼ‖ / ‖Yᵢ − Yⱼ‖` of the last two stages at one time, which estimates the largest eigenvalue
    /// of the Jacobian by size (L. F. Shampine 1977; E. Hairer, G. Wanner, *Solving ODEs II*, section
    /// IV.2): a scalar. `None` for methods without two stages at one time.
    pub stiffness: Option<Tensor>,
}

impl LocalEstimates {
    /// Of the step of signed length `h` from `y` at `t`. Gradients flow to `y` and to what the field
    /// captured.
    ///
    /// # Errors
    /// When the method has no error estimate, `h` is zero or not finite, or the field fails.
    pub fn of_step<F, M>(field: &F, _: M, t: f64, h: f64, y: &Tensor) -> Result<Self>
    where
        F: VectorField<Tensor>,
        M: ExplicitRungeKutta,
    {
        let tableau = &M::TABLEAU;
        if !tableau.has_error_estimate() {
            let expected = "a weight for each stage: take a method with an embedded estimate";
            return Err(Error::invalid("error weights", tableau.error.len(), expected));
        }
        if !h.is_finite() || h == 0.0 {
            return Err(Error::invalid("step of local estimates", h, "a finite length, not 0"));
        }
        let mut inputs: Vec<Tensor> = Vec::with_capacity(tableau.stages());
        let mut slopes: Vec<Tensor> = Vec::with_capacity(tableau.stages());
        for (row, c) in tableau.a.iter().zip(tableau.c) {
            let input = add(Some(y), h, row, &slopes)?;
            let mut slope = input.clone();
            let time = t + c * h;
            field
                .eval_with(time, &input, field.arguments(), &mut slope)
                .map_err(|source| Error::Field { t: time, step: 0, source })?;
            inputs.push(input);
            slopes.push(slope);
        }
        let error = add(None, h, tableau.error, &slopes)?;
        let last = tableau.stages() - 1;
        let other = (0..last).rev().find(|&i| tableau.c[i] == tableau.c[last]);
        let stiffness = match other {
            Some(i) => {
                let rise = norm(&(&slopes[last] - &slopes[i])?)?;
                Some((rise / norm(&(&inputs[last] - &inputs[i])?)?)?)
            }
            None => None,
        };
        Ok(Self { t, h, error, stiffness })
    }

    /// Of every step of a solution that was computed with `Save::Steps`, without events: each step once
    /// more.
    ///
    /// # Errors
    /// As [`of_step`](Self::of_step); when not every step was saved.
    pub fn of_steps<F, M>(field: &F, method: M, solution: &Solution<Tensor>) -> Result<Vec<Self>>
    where
        F: VectorField<Tensor>,
        M: ExplicitRungeKutta,
    {
        let steps = solution.statistics.accepted;
        if solution.ts.len() != steps + 1 {
            let expected = "one more than steps: solve with `Save::Steps`, without events";
            return Err(Error::invalid("saved states", solution.ts.len(), expected));
        }
        let ends = solution.ts.windows(2).zip(&solution.ys);
        ends.map(|(t, y)| Self::of_step(field, method, t[0], t[1] - t[0], y)).collect()
    }

    /// The root mean square of the error's components, a scalar.
    ///
    /// # Errors
    /// When candle fails.
    pub fn error_norm(&self) -> Result<Tensor> {
        Ok((norm(&self.error)? / (self.error.elem_count() as f64).sqrt())?)
    }
}

/// `base + h Σⱼ cⱼ kⱼ` on the graph.
fn add(base: Option<&Tensor>, h: f64, coefficients: &[f64], slopes: &[Tensor]) -> Result<Tensor> {
    let mut sum = base.cloned();
    for (c, slope) in coefficients.iter().zip(slopes).filter(|(c, _)| **c != 0.0) {
        let term = (slope * (h * c))?;
        sum = Some(match sum {
            Some(sum) => (sum + term)?,
            None => term,
        });
    }
    sum.ok_or(Error::EmptyState)
}

/// The Euclidean norm. Away from zero only: a tiny number keeps its gradient finite.
fn norm(x: &Tensor) -> Result<Tensor> {
    Ok((x.sqr()?.sum_all()? + f64::from(f32::MIN_POSITIVE))?.sqrt()?)
}

//! What the methods for least squares share: the iterate and its record.

use super::{LeastSquaresSolver, LinearModel, Minimum};
use crate::{
    NonlinearStopping, Outcome, Residual, Result, Vector,
    iterative::{finite, measurable_norm},
    nonlinear::{Guarded, no_step, outward},
};

/// A point, its residuals, and their norm.
pub(super) struct Point<V> {
    pub(super) x: V,
    pub(super) residual: V,
    pub(super) norm: f64,
}

/// Differences of the objective below this many rounding units are taken for rounding.
const NOISE: f64 = 10.0;

/// Where an iteration is, and how it came there.
pub(super) struct Fit<'a, V, S> {
    function: &'a dyn Residual<V>,
    solver: &'a S,
    pub(super) stopping: NonlinearStopping,
    pub(super) at: Point<V>,
    /// The last step was small, though nothing kept it from being larger.
    pub(super) small: bool,
    scale: Vec<f64>,
    /// The shortest step whose decrease rounding hid.
    shortest: f64,
    target: f64,
    objectives: Vec<f64>,
    gradients: Vec<f64>,
    evaluations: usize,
    jacobians: usize,
}

impl<'a, V: Vector, S: LeastSquaresSolver<V>> Fit<'a, V, S> {
    pub(super) fn new(
        function: &'a dyn Residual<V>,
        solver: &'a S,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Self> {
        stopping.validate()?;
        finite("first guess", guess)?;
        let x = guess.clone().detached();
        let residual = function.value(&x)?.detached();
        finite("residuals at the first guess", &residual)?;
        let norm = measurable_norm("residuals at the first guess", &residual)?;
        Ok(Self {
            function,
            solver,
            stopping: *stopping,
            at: Point { x, residual, norm },
            small: false,
            scale: Vec::new(),
            shortest: f64::INFINITY,
            target: f64::NAN,
            objectives: Vec::new(),
            gradients: Vec::new(),
            evaluations: 1,
            jacobians: 0,
        })
    }

    /// The linear model here; why there is none, or why it is not needed any more.
    pub(super) fn model(
        &mut self,
    ) -> Result<std::result::Result<Box<dyn LinearModel<V> + 'a>, Outcome>>
    where
        V: 'a,
    {
        let Point { x, residual, norm } = &self.at;
        self.jacobians += 1;
        let jacobian = Box::new(Guarded(self.function.jacobian(x, residual)?));
        let model = self.solver.linearise(jacobian, x, residual, &mut self.scale);
        self.objectives.push(0.5 * norm * norm);
        let model = match model {
            Ok(model) => model,
            Err(error) => {
                self.gradients.push(f64::NAN);
                return no_step(error).map(Err);
            }
        };
        if !model.gradient().all_finite()? {
            self.gradients.push(f64::NAN);
            return Ok(Err(Outcome::Breakdown("the Jacobian is not finite")));
        }
        let gradient = measurable_norm("gradient", model.gradient())?;
        if self.gradients.is_empty() {
            self.target = self.stopping.target(gradient);
        }
        self.gradients.push(gradient);
        Ok(if gradient <= self.target || self.small {
            Err(Outcome::Converged)
        } else if self.gradients.len() > self.stopping.iterations {
            Err(Outcome::Budget)
        } else {
            Ok(model)
        })
    }

    /// `x + length · step` and the residuals there, finite or not.
    pub(super) fn trial(&mut self, length: f64, step: &V) -> Result<Point<V>> {
        let mut x = self.at.x.clone();
        x.axpby(1.0, length, step)?;
        let residual = self.function.value(&x)?.detached();
        self.evaluations += 1;
        let norm = residual.norm2()?;
        Ok(Point { x, residual, norm })
    }

    /// Whether to make a step of this length although the decrease of `|r|²`, promised and measured,
    /// is lost in rounding, as it is near a minimum whose residuals are not zero: as long as such
    /// steps get shorter.
    pub(super) fn is_hidden(&mut self, decreases: [f64; 2], length: f64, step: &V) -> bool {
        let noise = NOISE * step.epsilon() * self.at.norm * self.at.norm;
        let hidden = decreases.iter().all(|d| d.abs() <= noise) && length < 0.9 * self.shortest;
        if hidden {
            self.shortest = length;
        }
        hidden
    }

    /// What it means that no step reduces the objective: that the gradient is rounding, as at a
    /// minimum that is the first guess, or that the method is at its end.
    ///
    /// Rounding of `x` moves `r` by `ε ‖J‖ ‖x‖`, and `‖J g‖ / ‖g‖` is a norm that `‖J‖` has at least.
    pub(super) fn stuck(&self, model: &dyn LinearModel<V>) -> Result<Outcome> {
        let Point { x, norm, .. } = &self.at;
        let gradient = model.gradient().norm2()?;
        let jacobian = model.image(model.gradient()).map_err(outward)?.norm2()? / gradient;
        let rounding = NOISE * x.epsilon() * jacobian * (norm + jacobian * x.norm2()?);
        let enough = gradient <= rounding && self.stopping.allows_rounding(x.epsilon());
        Ok(if enough { Outcome::Converged } else { Outcome::Stagnation })
    }

    pub(super) fn finish(self, outcome: Outcome) -> Minimum<V> {
        let Self { at, target, objectives, gradients, evaluations, jacobians, .. } = self;
        Minimum { x: at.x, outcome, objectives, gradients, target, evaluations, jacobians }
    }
}

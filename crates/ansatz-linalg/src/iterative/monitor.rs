//! What watches over an iteration: [`Monitor`].

pub(super) const NOT_FINITE: &str = "the residual is not finite";

/// Why a method hands back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// The residual is small enough, as far as the method knows.
    Converged,
    /// The method begins anew from here, if there was progress.
    Restart,
    /// The iterations are used up.
    Budget,
    /// The method cannot go on, and beginning anew would not help.
    Breakdown(
        /// Why.
        &'static str,
    ),
}

/// Counts iterations and keeps the norms of their residuals.
#[derive(Debug, Clone)]
pub struct Monitor {
    target: f64,
    budget: usize,
    history: Vec<f64>,
}

impl Monitor {
    pub(crate) fn new(residual: f64, target: f64, budget: usize) -> Self {
        Self { target, budget, history: vec![residual] }
    }

    /// Takes the norm of the residual after an iteration; a reason to pause, if there is one.
    pub fn record(&mut self, residual: f64) -> Option<Pause> {
        self.history.push(residual);
        if !residual.is_finite() {
            return Some(Pause::Breakdown(NOT_FINITE));
        }
        if residual <= self.target {
            return Some(Pause::Converged);
        }
        (self.iterations() >= self.budget).then_some(Pause::Budget)
    }

    /// Iterations recorded.
    pub fn iterations(&self) -> usize {
        self.history.len() - 1
    }

    /// The norm of the residual that is asked for.
    pub fn target(&self) -> f64 {
        self.target
    }

    /// The measured residual in place of the last one recorded.
    pub(crate) fn correct(&mut self, residual: f64) {
        if let Some(last) = self.history.last_mut() {
            *last = residual;
        }
    }

    pub(crate) fn into_history(self) -> Vec<f64> {
        self.history
    }
}

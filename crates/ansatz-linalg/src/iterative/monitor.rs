//! What watches over an iteration: [`Monitor`].

pub(super) const NOT_FINITE: &str = "the residual is not finite";

/// A residual that has grown by this factor will not come back.
const DIVERGED: f64 = 1e10;

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
        if residual > DIVERGED * self.history[0] {
            return Some(Pause::Breakdown(
                "the iteration diverges: the residual has grown by 10¹⁰",
            ));
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

    /// Takes the measured residual at the end of a pass that began after `begun` iterations: in place
    /// of the last one recorded, or as a new one where the pass recorded none but made progress.
    pub(crate) fn correct(&mut self, begun: usize, residual: f64) {
        if self.iterations() > begun {
            self.history.pop();
        } else if self.history.last() == Some(&residual) {
            return;
        }
        self.history.push(residual);
    }

    pub(crate) fn into_history(self) -> Vec<f64> {
        self.history
    }
}

//! What the backward pass needs of the forward solve: [`Record`].

use std::sync::Arc;

use ansatz_ops::Recorder;
use candle_core::Tensor;

/// What the backward pass needs of the forward solve: some states, all times.
pub(super) struct Record {
    /// States before the iterations.
    pub(super) states: Recorder<Tensor>,
    pub(super) iterations: Vec<Iteration>,
    /// Rows saved at their start, with their slots.
    pub(super) starts: Vec<(u32, u32)>,
    /// Variables that the field captured.
    pub(super) captured: Vec<Tensor>,
}

/// One iteration: a step of every row that had not ended.
pub(super) struct Iteration {
    /// The rows, in the order of the state.
    pub(super) rows: Arc<[u32]>,
    /// Positions among them of those whose step was accepted, with its start and signed length.
    pub(super) accepted: Vec<u32>,
    pub(super) t: Vec<f64>,
    pub(super) h: Vec<f64>,
    pub(super) saves: Vec<Saved>,
}

/// A state saved in a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Saved {
    /// Position among the accepted.
    pub(super) step: u32,
    pub(super) slot: u32,
    /// Where in the step; 1 is its end itself.
    pub(super) theta: f64,
}

impl Record {
    /// The rows that the state after an iteration holds.
    pub(super) fn rows_after(&self, iteration: usize) -> &[u32] {
        self.iterations.get(iteration + 1).map_or(&[], |next| &next.rows)
    }

    /// The rows that took steps at all.
    pub(super) fn first_rows(&self) -> &[u32] {
        self.iterations.first().map_or(&[], |first| &first.rows)
    }
}

impl Iteration {
    /// Positions of the rows whose step was accepted.
    pub(super) fn lanes(&self) -> Vec<usize> {
        self.accepted.iter().map(|lane| *lane as usize).collect()
    }

    /// The rows whose step was accepted.
    pub(super) fn accepted_rows(&self) -> Vec<usize> {
        self.accepted.iter().map(|lane| self.rows[*lane as usize] as usize).collect()
    }
}

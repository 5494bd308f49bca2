//! A progress sink that remembers: [`History`].

use std::sync::{Mutex, PoisonError};

use ansatz::core::{Progress, ProgressEvent};

/// Keeps the step and the loss of every report that has one.
#[derive(Debug, Default)]
pub struct History(Mutex<Vec<(u64, f64)>>);

impl History {
    /// The pairs of step and loss, in the order of the reports.
    pub fn losses(&self) -> Vec<(u64, f64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for History {
    fn report(&self, event: &ProgressEvent) {
        if let Some(loss) = event.loss {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push((event.step, loss));
        }
    }
}

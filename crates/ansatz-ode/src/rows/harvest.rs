//! States collected while rows advance: [`Harvest`].

use ansatz_ops::pick_rows;
use candle_core::Tensor;

use crate::Result;

/// States for numbered slots, which come in batches and in any order.
pub(super) struct Harvest {
    batches: Vec<Tensor>,
    /// Batch and row of the state in each slot.
    places: Vec<Option<(usize, usize)>>,
}

impl Harvest {
    pub(super) fn new(slots: usize) -> Self {
        Self { batches: Vec::new(), places: vec![None; slots] }
    }

    /// Puts the rows of `states` into these slots.
    pub(super) fn put(&mut self, states: Tensor, slots: impl IntoIterator<Item = usize>) {
        for (row, slot) in slots.into_iter().enumerate() {
            self.places[slot] = Some((self.batches.len(), row));
        }
        self.batches.push(states);
    }

    /// All states, `[slots, …]`; NaN in slots that were left empty.
    pub(super) fn assemble(mut self, like: &Tensor) -> Result<Tensor> {
        let empty = self.batches.len();
        let picks: Vec<_> = self.places.iter().map(|p| p.unwrap_or((empty, 0))).collect();
        if picks.iter().any(|p| p.0 == empty) {
            let nan = like.narrow(0, 0, 1)?.detach().zeros_like()?.affine(1.0, f64::NAN)?;
            self.batches.push(nan);
        }
        let batches: Vec<&Tensor> = self.batches.iter().collect();
        Ok(pick_rows(&batches, &picks)?)
    }
}

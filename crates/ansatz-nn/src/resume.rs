//! Optimisers whose state can be saved, and the check that stored tensors fit: [`Resume`].

use std::collections::BTreeMap;

use candle_core::{Tensor, Var};

use crate::{Error, Result};

/// An optimiser that can continue from a saved state as if it had never stopped.
pub trait Resume {
    /// A copy of everything but the configuration: named tensors that do not change any more.
    ///
    /// # Errors
    /// When candle fails.
    fn state(&self) -> Result<BTreeMap<String, Tensor>>;

    /// Continues from a state of [`state`](Self::state). All or nothing: on an error the
    /// optimiser is as before.
    ///
    /// # Errors
    /// [`Error::Mismatch`] lists the names that are missing, unexpected, or of another shape or
    /// dtype.
    fn load_state(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()>;
}

/// Pairs each target with the tensor of its name, moved to the device of the target, after
/// checking that names, shapes and dtypes all agree. Changes nothing.
pub(crate) fn pair(
    what: &'static str,
    targets: &BTreeMap<String, Var>,
    stored: &BTreeMap<String, Tensor>,
) -> Result<BTreeMap<String, (Var, Tensor)>> {
    let missing: Vec<_> = targets.keys().filter(|k| !stored.contains_key(*k)).cloned().collect();
    let unexpected: Vec<_> = stored.keys().filter(|k| !targets.contains_key(*k)).cloned().collect();
    let mut different = Vec::new();
    let mut pairs = BTreeMap::new();
    for (name, var) in targets {
        let Some(tensor) = stored.get(name) else { continue };
        if tensor.shape() == var.shape() && tensor.dtype() == var.dtype() {
            pairs.insert(name.clone(), (var.clone(), tensor.to_device(var.device())?));
        } else {
            different.push(format!(
                "{name} (is {:?} {}, stored {:?} {})",
                var.dims(),
                var.dtype().as_str(),
                tensor.dims(),
                tensor.dtype().as_str()
            ));
        }
    }
    if missing.is_empty() && unexpected.is_empty() && different.is_empty() {
        return Ok(pairs);
    }
    Err(Error::Mismatch { what, missing, unexpected, different })
}

//! A bandit for each range of a context: [`ContextualTsallisInf`].

use ansatz_core::Key;

use super::TsallisInf;
use crate::{Error, Result};

/// Cuts the range of a number that is known before each choice into bins, each with a
/// [`TsallisInf`] of its own: comes near the best function of the context that is constant on the bins
/// (M. Khodak, E. Chow, M.-F. Balcan, A. Talwalkar, *Learning to Relax*, ICLR 2024, §3).
#[derive(Debug, Clone)]
pub struct ContextualTsallisInf {
    bins: Vec<TsallisInf>,
    range: [f64; 2],
    pending: Option<usize>,
}

impl ContextualTsallisInf {
    /// Among `actions`, for contexts in `range` cut into `bins`; what lies outside counts as its end.
    ///
    /// # Errors
    /// As [`TsallisInf::new`], and [`Error::InvalidArgument`] when there is no bin or the range is
    /// empty or not finite.
    pub fn new(actions: &[f64], range: [f64; 2], bins: usize, key: Key) -> Result<Self> {
        if bins == 0 {
            return Err(Error::invalid("bins of a context", bins, "at least one"));
        }
        if !(range[0] < range[1] && range[0].is_finite() && range[1].is_finite()) {
            return Err(Error::invalid("range of a context", format!("{range:?}"), "low < high"));
        }
        let bin = |key| TsallisInf::new(actions.to_vec(), key);
        let bins = key.split_n(bins).into_iter().map(bin).collect::<Result<_>>()?;
        Ok(Self { bins, range, pending: None })
    }

    /// An action for this context.
    ///
    /// # Errors
    /// As [`TsallisInf::choose`], and [`Error::InvalidArgument`] when the context is NaN.
    pub fn choose(&mut self, context: f64) -> Result<f64> {
        if context.is_nan() {
            return Err(Error::invalid("context", context, "a number"));
        }
        if self.pending.is_some() {
            return Err(Error::invalid("choice of a bandit", "a second one", "first the loss"));
        }
        let [low, high] = self.range;
        let place = ((context - low) / (high - low)).clamp(0.0, 1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to the count
        let bin = ((place * self.bins.len() as f64) as usize).min(self.bins.len() - 1);
        let action = self.bins[bin].choose()?;
        self.pending = Some(bin);
        Ok(action)
    }

    /// Takes the loss of the last choice, best from 0 to 1.
    ///
    /// # Errors
    /// As [`TsallisInf::learn`].
    pub fn learn(&mut self, loss: f64) -> Result<()> {
        let Some(bin) = self.pending else {
            return Err(Error::invalid("loss", loss, "a choice before it"));
        };
        self.bins[bin].learn(loss)?;
        self.pending = None;
        Ok(())
    }
}

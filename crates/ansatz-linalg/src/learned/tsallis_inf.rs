//! A bandit for costs that may come from anywhere: [`TsallisInf`].

use ansatz_core::Key;

use crate::{Error, Result};

/// Follows the regularised leader, with Tsallis' entropy as regulariser (J. Zimmert, Y. Seldin, J.
/// Mach. Learn. Res. 22, 2021, algorithm 1): chooses among a few actions so that the sum of its losses
/// comes near that of the best one, knowing only the losses of what it chose.
///
/// The regret over `T` rounds with `d` actions is at most about `4 √(d T)` for losses from 0 to 1,
/// whoever chooses the losses, and logarithmic in `T` where they are drawn independently.
///
/// ```
/// use ansatz_linalg::{TsallisInf, core::Key};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let mut bandit = TsallisInf::new(vec![1.0, 1.3, 1.6, 1.9], Key::new(1))?;
/// let mut total = 0.0;
/// for _ in 0..2000 {
///     let loss = (bandit.choose()? - 1.6f64).abs();
///     total += loss;
///     bandit.learn(loss)?;
/// }
/// assert!(total < 100.0); // where 1.9 in each round costs 600
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TsallisInf {
    actions: Vec<f64>,
    /// Estimates of the sums of losses.
    losses: Vec<f64>,
    round: u64,
    key: Key,
    /// What was chosen, and how probable that was.
    pending: Option<(usize, f64)>,
}

impl TsallisInf {
    /// Among `actions`, with the randomness of `key`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when there is no action or one is not finite.
    pub fn new(actions: Vec<f64>, key: Key) -> Result<Self> {
        if actions.is_empty() || actions.iter().any(|action| !action.is_finite()) {
            let got = format!("{actions:?}");
            return Err(Error::invalid("actions of a bandit", got, "at least one, all finite"));
        }
        let losses = vec![0.0; actions.len()];
        Ok(Self { actions, losses, round: 0, key, pending: None })
    }

    /// The actions.
    pub fn actions(&self) -> &[f64] {
        &self.actions
    }

    /// How probable each action is in the next choice:
    /// `pᵢ = 4 (η (Lᵢ − x))⁻²` with `η = 2 / √t` and the `x` for which they add up to 1.
    pub fn probabilities(&self) -> Vec<f64> {
        let rate = 2.0 / ((self.round + 1) as f64).sqrt();
        let least = self.losses.iter().copied().fold(f64::INFINITY, f64::min);
        // Only differences matter, and x is found as one: large sums would swallow it.
        let weights = |x: f64| -> Vec<f64> {
            self.losses.iter().map(|loss| 4.0 / (rate * (loss - least - x)).powi(2)).collect()
        };
        // The sum rises with x and is convex: Newton's method, begun where it is at most 1, goes once
        // past the solution and comes down to it from there.
        let mut x = -2.0 * (self.losses.len() as f64).sqrt() / rate;
        for _ in 0..100 {
            let p = weights(x);
            let sum: f64 = p.iter().sum();
            let slope = rate * p.iter().map(|p| p.powf(1.5)).sum::<f64>();
            let step = (1.0 - sum) / slope;
            // Not past the pole.
            let next = (x + step).min(0.5 * x);
            if (next - x).abs() <= 1e-15 * x.abs().max(1.0) {
                break;
            }
            x = next;
        }
        let p = weights(x);
        let sum: f64 = p.iter().sum();
        p.into_iter().map(|p| p / sum).collect()
    }

    /// An action for the next round.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the loss of the last choice has not been given.
    pub fn choose(&mut self) -> Result<f64> {
        if self.pending.is_some() {
            return Err(Error::invalid("choice of a bandit", "a second one", "first the loss"));
        }
        let probabilities = self.probabilities();
        let chosen = self.key.fold_in(self.round).categorical(&probabilities, 1)?[0];
        self.pending = Some((chosen, probabilities[chosen]));
        Ok(self.actions[chosen])
    }

    /// Takes the loss of the last choice, best from 0 to 1.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when nothing was chosen or the loss is negative, not finite or so
    /// large that its estimate is not.
    pub fn learn(&mut self, loss: f64) -> Result<()> {
        if !(loss >= 0.0 && loss.is_finite()) {
            return Err(Error::invalid("loss", loss, "a number of at least 0"));
        }
        let Some((chosen, probability)) = self.pending else {
            return Err(Error::invalid("loss", loss, "a choice before it"));
        };
        // Without bias for every action, chosen or not.
        let sum = self.losses[chosen] + loss / probability;
        if !sum.is_finite() {
            return Err(Error::invalid("loss", loss, "one whose sum is finite, best up to 1"));
        }
        self.pending = None;
        self.losses[chosen] = sum;
        self.round += 1;
        Ok(())
    }
}

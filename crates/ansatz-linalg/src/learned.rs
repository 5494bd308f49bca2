//! Solvers that learn from one system to the next: [`LearnedRelaxation`] and the bandits behind it.

mod contextual;
mod relaxation;
mod tsallis_inf;

pub use contextual::ContextualTsallisInf;
pub use relaxation::{Chooser, LearnedRelaxation, Relaxed};
pub use tsallis_inf::TsallisInf;

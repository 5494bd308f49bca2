//! Shared pieces of the examples: models, losses, plots and progress bars.

pub mod plot;
pub mod predator_prey;
pub mod progress;
pub mod score;
pub mod shooting;

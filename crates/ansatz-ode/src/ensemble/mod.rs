//! Many solves of one equation side by side: [`ensemble`].

mod builder;
mod early;
mod field;
mod harvest;
mod kernels;
mod lanes;
mod rows;
mod trajectories;
mod trajectory;
mod worker;

pub use builder::{Ensemble, ensemble};
pub use field::{Common, EnsembleField, Parametrised};
pub use trajectory::Trajectory;

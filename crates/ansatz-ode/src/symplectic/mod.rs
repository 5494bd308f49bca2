//! Symplectic methods: [`SymplecticMethod`] and how they step.

mod hermite;
mod splitting;
mod stepper;

pub use hermite::Hermite;
pub use splitting::{Splitting, SymplecticMethod};
pub use stepper::Substeps;

/// The family of symplectic methods: explicit, of fixed step, for [partitioned
/// fields](crate::PartitionedField).
#[derive(Debug, Clone, Copy)]
pub struct Symplectic;

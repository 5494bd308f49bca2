//! Multistep methods of variable order and step length.

mod adams;
#[cfg(feature = "stiff")]
mod bdf;
mod history;
mod order;
mod polynomial;
#[cfg(test)]
mod tests;

pub use adams::{AdamsBashforthMoulton, AdamsInterpolant, AdamsSteps};
#[cfg(feature = "stiff")]
pub use bdf::{BackwardDifferentiation, BdfInterpolant, BdfSteps};

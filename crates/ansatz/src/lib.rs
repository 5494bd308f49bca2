//! Scientific machine learning in Rust: the facade over the ansatz family.
pub use ansatz_core as core;
#[cfg(feature = "data")]
pub use ansatz_data as data;
#[cfg(feature = "nn")]
pub use ansatz_nn as nn;
#[cfg(feature = "ode")]
pub use ansatz_ode as ode;
pub use ansatz_ops as ops;

//! Time the workloads that the Python peers run too, under the same rules.
//!
//! A [`Variant`] is one way to run one workload. Each runs in a process of its own, so that its
//! peak memory is its own, on as many CPUs as asked for; it prints one [`Line`], in the schema of
//! the peers. To add a workload, write a file beside this one with a function that returns its
//! variants, and name it in [`variants`]:
//!
//! ```
//! use ansatz_workflows::bench::{Measured, Rules, Variant, Work, timed};
//! use ansatz_workflows::AnyError;
//!
//! fn run(rules: &Rules) -> Result<Measured, AnyError> {
//!     let (value, timing) = timed(rules, || Ok((1..=1000_i32).map(|k| 1.0 / f64::from(k * k)).sum::<f64>()))?;
//!     let error = (value - std::f64::consts::PI.powi(2) / 6.0).abs();
//!     Ok(Measured::new(timing, Work::Steps(1000), error).with("value", value))
//! }
//! let variant = Variant { workload: "X1", library: "ansatz", method: "sum", run };
//! assert_eq!(variant.peer(), "ansatz-sum");
//! ```
mod adjoint_memory;
mod allocator;
mod formulas;
mod kernels;
mod line;
mod network;
mod o1_lorenz;
mod o2_lorenz_batch;
mod o3_neural_ode;
mod o4_stiff;
mod o5_brusselator;
mod o5_reference;
mod p1_burgers;
mod p2_laplacian;
mod peers;
mod pinning;
mod process;
mod selection;
mod timing;

pub use formulas::{bias, inputs, r2, targets, weight};
pub use line::{Failure, Line, Measured, Work, table};
pub use peers::{Figure, Peers, comparison};
pub use pinning::{Pinning, cpus_in_list};
pub use process::{Report, measure_here, measure_in_own_process};
pub use selection::select;
pub use timing::{Rules, Timing, timed, timed_repeated};

use crate::AnyError;

/// One way to run one workload.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// As the peers call it, e.g. `O1.end`.
    pub workload: &'static str,
    /// Whose code does the work: `ansatz`, or `candle` for a composition of candle's operations.
    pub library: &'static str,
    /// What the workload leaves open, e.g. `Tsit5`; may be empty.
    pub method: &'static str,
    /// Sets up, measures with [`timed`], compares with the reference value.
    pub run: fn(&Rules) -> Result<Measured, AnyError>,
}

impl Variant {
    /// The library, followed by `-` and the method where there is one.
    pub fn peer(&self) -> String {
        let Self { library, method, .. } = self;
        if method.is_empty() { (*library).into() } else { format!("{library}-{method}") }
    }

    /// Names the variant among all: workload and peer.
    pub fn id(&self) -> String {
        format!("{}/{}", self.workload, self.peer())
    }
}

/// Every variant of every workload.
pub fn variants() -> Vec<Variant> {
    [
        o1_lorenz::variants(),
        o2_lorenz_batch::variants(),
        o3_neural_ode::variants(),
        o4_stiff::variants(),
        o5_brusselator::variants(),
        adjoint_memory::variants(),
        p1_burgers::variants(),
        p2_laplacian::variants(),
        kernels::variants(),
        allocator::variants(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_variants_have_the_same_id() {
        let variants = super::variants();
        let ids: BTreeSet<String> = variants.iter().map(super::Variant::id).collect();
        assert_eq!(ids.len(), variants.len());
    }
}

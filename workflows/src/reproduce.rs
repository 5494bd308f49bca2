//! Run the key claims of a paper and compare them with the published figures.
//!
//! An [`Entry`] is one paper. It returns [`Claim`]s: what the paper says, where it says so, what
//! was measured here, and whether the claim holds. The frame prints them, writes
//! `SLUG.json` beside the plots, and says with its exit status whether all hold. To add a paper,
//! write a file beside this one with a type that implements [`Entry`], and name it in [`entries`]:
//!
//! ```
//! use ansatz_workflows::AnyError;
//! use ansatz_workflows::reproduce::{Claim, Context, Entry, Verdict};
//!
//! struct Archimedes;
//!
//! impl Entry for Archimedes {
//!     fn slug(&self) -> &'static str { "circle" }
//!     fn title(&self) -> &'static str { "Measurement of a Circle" }
//!     fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
//!         let sides = if context.full() { 96.0 } else { 12.0 };
//!         let inside = sides * (std::f64::consts::PI / sides).sin();
//!         Ok(vec![Claim {
//!             claim: "the circumference exceeds 3 10/71 diameters".into(),
//!             published: "3.1408".into(),
//!             source: "proposition 3".into(),
//!             measured: format!("{inside:.4}"),
//!             verdict: Verdict::holds_if(inside > 3.0 + 10.0 / 71.0),
//!         }])
//!     }
//! }
//! ```
mod blackbox_reg;
mod claim;
mod context;
mod dcdm;
mod frame;
mod implicit_diff;
mod learn_relax;
mod local_reg;
mod neural_de;
mod record;
mod regularised;

pub use claim::{Claim, Verdict};
pub use context::Context;
pub use frame::{Selection, listing, run, select};
pub use record::{Record, Size};

use crate::AnyError;

/// One paper.
pub trait Entry {
    /// Its short name, as in the atlas of the book.
    fn slug(&self) -> &'static str;

    /// Its title.
    fn title(&self) -> &'static str;

    /// Measures its claims, at a size for this machine or ([`Context::full`]) at the paper's.
    ///
    /// # Errors
    /// Whatever stops the measurement. A claim that does not hold is not an error but a
    /// [`Verdict::Fails`].
    fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError>;
}

/// Every paper that has an entry.
pub fn entries() -> Vec<Box<dyn Entry>> {
    vec![
        Box::new(blackbox_reg::BlackboxReg),
        Box::new(dcdm::Dcdm),
        Box::new(implicit_diff::ImplicitDiff),
        Box::new(learn_relax::LearnRelax),
        Box::new(local_reg::LocalReg),
        Box::new(neural_de::NeuralDe),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_entries_have_the_same_slug() {
        let entries = super::entries();
        let slugs: BTreeSet<_> = entries.iter().map(|e| e.slug()).collect();
        assert_eq!(slugs.len(), entries.len());
    }
}

//! One claim of a paper, beside what was measured.
use serde::{Deserialize, Serialize};

/// What a paper claims and what came out here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// In a few words, e.g. `adjoint gradients agree with finite differences`.
    pub claim: String,
    /// The published figure, with its unit.
    pub published: String,
    /// Where it stands: table, figure or page.
    pub source: String,
    /// The figure measured here, with its unit.
    pub measured: String,
    /// Does the claim hold here?
    pub verdict: Verdict,
}

/// Whether a claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The measured figure supports the claim.
    Holds,
    /// It does not.
    Fails,
    /// This machine cannot tell, as when a time on a GPU is claimed and there is none; the figure
    /// is printed all the same. [`Claim::source`] says why.
    Incomparable,
}

impl Verdict {
    /// [`Verdict::Holds`] if the condition is true. Write the condition so that a figure that is
    /// not a number makes it false (`error < bound`, not `!(error >= bound)`).
    pub fn holds_if(condition: bool) -> Self {
        if condition { Self::Holds } else { Self::Fails }
    }
}

//! Chaotic systems.

use super::{Dataset, Format};

pub(super) const DATASETS: &[Dataset] = &[Dataset {
    name: "chaos_systems",
    file: "chaos_systems.json",
    title: "Parameters, initial states and estimated exponents of 135 chaotic systems",
    licence: "Apache-2.0 text in the package, MIT in its metadata",
    source: "Python package dysts 0.96, data/chaotic_attractors.json (W. Gilpin), annotations only",
    notes: "Exponents are rough estimates (Lorenz .892 and 1.091 against the accepted .906; the \
            two differ by more than a factor 2 for 46 of 134 systems), and the Kaplan-Yorke \
            dimension is wrong for a dozen systems. Recompute before using one as a bar. Six are \
            delay systems. No equations are included.",
    sha256: "e32dc24a94a4d1b6c543cb5f058004f5baccfe72f997779b3c8e823822d3c291",
    format: Format::Json,
    arrays: &[],
    bundled: None,
}];

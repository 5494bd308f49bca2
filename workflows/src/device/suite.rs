//! Every check, one file for each field.
mod derivatives;
mod graphs;
mod grids;
mod networks;
mod ode;
mod pointwise;
mod random;
mod scans;
mod systems;
mod tensors;
mod training;
mod transforms;

pub(super) use derivatives::burgers;

use super::Check;

/// Every check of the suite.
pub fn checks() -> Vec<Check> {
    [
        tensors::checks(),
        pointwise::checks(),
        networks::checks(),
        grids::checks(),
        transforms::checks(),
        graphs::checks(),
        scans::checks(),
        derivatives::checks(),
        training::checks(),
        ode::checks(),
        systems::checks(),
        random::checks(),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_checks_have_the_same_name() {
        let checks = super::checks();
        let names: BTreeSet<&str> = checks.iter().map(|c| c.name).collect();
        assert_eq!(names.len(), checks.len());
    }
}

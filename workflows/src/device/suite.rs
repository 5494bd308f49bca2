//! Every check, one file for each field.
mod derivatives;
mod ode;
mod pointwise;
mod random;
mod tensors;
mod training;

pub(super) use derivatives::burgers;

use super::Check;

/// Every check of the suite.
pub fn checks() -> Vec<Check> {
    [
        tensors::checks(),
        pointwise::checks(),
        derivatives::checks(),
        training::checks(),
        ode::checks(),
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

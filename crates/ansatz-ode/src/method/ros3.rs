//! Sandu and others' pair of order 3(2).

use crate::{Adaptive, Method, Rosenbrock, RosenbrockMethod, RosenbrockTableau};

/// ROS3 (A. Sandu et al., Atmos. Environ. 31, 1997, 3459–3472): three stages, two evaluations, L-stable.
/// Made for atmospheric chemistry. Its order falls on differential-algebraic equations. Dense output of
/// order 2 (derived from the order conditions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ros3;

impl Method for Ros3 {
    type Family = Rosenbrock;
}

impl RosenbrockMethod for Ros3 {
    const TABLEAU: RosenbrockTableau = RosenbrockTableau {
        order: 3,
        embedded_order: 2,
        gamma: 0.435866521508459,
        nodes: &[0.0, 0.435866521508459, 0.435866521508459],
        d: &[0.435866521508459, 0.24291996454816805, 2.185138002766406],
        a: &[&[], &[1.0], &[1.0, 0.0]],
        c: &[&[], &[-1.0156171083877703], &[4.07599564525377, 9.20767942983308]],
        m: &[1.0, 6.1697947043828245, -0.42772256543218573],
        error: &[0.5, -2.907955871680547, 0.2235406989781157],
        dense: &[
            &[4.445499509977353, -3.4454995099773527],
            &[-3.284550816786683, 9.454345521169508],
            &[-0.06396000601974385, -0.3637625594124419],
        ],
    };
}

impl Adaptive for Ros3 {}

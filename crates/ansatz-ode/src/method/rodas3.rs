//! Sandu and others' stiffly accurate pair of order 3(2).

use crate::{Adaptive, Method, Rosenbrock, RosenbrockMethod, RosenbrockTableau};

/// RODAS3 (A. Sandu et al., Atmos. Environ. 31, 1997, 3459–3472): four stages, three evaluations,
/// L-stable, stiffly accurate. Dense output of order 2 (derived from the order conditions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rodas3;

impl Method for Rodas3 {
    type Family = Rosenbrock;
}

impl RosenbrockMethod for Rodas3 {
    const TABLEAU: RosenbrockTableau = RosenbrockTableau {
        order: 3,
        embedded_order: 2,
        gamma: 0.5,
        nodes: &[0.0, 0.0, 1.0, 1.0],
        d: &[0.5, 1.5, 0.0, 0.0],
        a: &[&[], &[0.0], &[2.0, 0.0], &[2.0, 0.0, 1.0]],
        c: &[&[], &[4.0], &[1.0, -1.0], &[1.0, -1.0, -2.6666666666666665]],
        m: &[2.0, 0.0, 1.0, 1.0],
        error: &[0.0, 0.0, 0.0, 1.0],
        dense: &[
            &[5.0, -3.0],
            &[-1.0, 1.0],
            &[-0.5110804953040206, 1.5110804953040207],
            &[0.06667978772684834, 0.9333202122731517],
        ],
    };
}

impl Adaptive for Rodas3 {}

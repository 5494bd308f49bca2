//! Lang and Verwer's pair of order 3(2).

use crate::{Adaptive, Method, Rosenbrock, RosenbrockMethod, RosenbrockTableau};

/// ROS3P (J. Lang, J. Verwer, BIT 41, 2001, 731–738): three stages, two evaluations, A-stable, of third
/// order for parabolic problems too. Dense output of order 2 (derived from the order conditions).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ros3P;

impl Method for Ros3P {
    type Family = Rosenbrock;
}

impl RosenbrockMethod for Ros3P {
    const TABLEAU: RosenbrockTableau = RosenbrockTableau {
        order: 3,
        embedded_order: 2,
        gamma: 0.7886751345948129,
        nodes: &[0.0, 1.0, 1.0],
        d: &[0.7886751345948129, -0.2113248654051871, -1.0773502691896257],
        a: &[&[], &[1.2679491924311228], &[1.2679491924311228, 0.0]],
        c: &[&[], &[-1.6076951545867362], &[-3.4641016151377544, -1.7320508075688772]],
        m: &[2.0, 0.5773502691896257, 0.4226497308103742],
        error: &[-0.11324865405187118, -0.4226497308103742, 0.0],
        dense: &[
            &[2.9019393689857957, -0.9019393689857956],
            &[0.21138301202235066, 0.36596725716727513],
            &[1.1547005383792515, -0.7320508075688773],
        ],
    };
}

impl Adaptive for Ros3P {}

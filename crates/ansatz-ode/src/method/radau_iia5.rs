//! Ehle's three-stage Radau IIA method of order 5.

use crate::{Adaptive, Collocation, CollocationMethod, CollocationTableau, Method};

/// Radau IIA with three stages, order 5 (B. L. Ehle 1969), as in RADAU5 (E. Hairer, G. Wanner,
/// *Solving ODEs II*, section IV.8): A-, B- and L-stable, stiffly accurate, stage order 3. The method
/// for the stiffest problems, for strict tolerances, and for differential-algebraic equations.
///
/// The error estimate is that of a method of order 3, far above the error of the step at strict
/// tolerances: results are more accurate than asked for. (RADAU5 itself replaces a tolerance `rtol`
/// by `0.1 rtol^(2/3)` for that reason.)
///
/// Dense output is the collocation polynomial, of degree 3: errors `O(h⁴)` inside a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RadauIia5;

impl Method for RadauIia5 {
    type Family = Collocation;
}

impl CollocationMethod for RadauIia5 {
    const TABLEAU: CollocationTableau = CollocationTableau {
        order: 5,
        embedded_order: 3,
        c: &[0.1550510257216822, 0.6449489742783178, 1.0],
        t: &[
            &[0.09123239487089295, -0.1412552950209542, -0.030029194105147424],
            &[0.241717932707107, 0.20412935229379994, 0.3829421127572619],
            &[0.966048182615093, 1.0, 0.0],
        ],
        t_inverse: &[
            &[4.325579890063155, 0.33919925181580984, 0.5417705399358749],
            &[-4.178718591551905, -0.32768282076106237, 0.47662355450055044],
            &[-0.5028726349457868, 2.571926949855605, -0.5960392048282249],
        ],
        real: Some(3.637834252744496),
        pairs: &[(2.6810828736277523, 3.0504301992474105)],
        d: &[0.0, 0.0, 1.0],
        error: &[-2.7623054547485992, 0.3799355982527289, -0.0916296098652258],
        dense: &[
            &[10.048809399827416, -25.62959144707664, 15.580782047249224],
            &[-1.382142733160749, 10.296258113743306, -8.914115380582556],
            &[0.3333333333333333, -2.6666666666666665, 3.3333333333333335],
        ],
    };
}

impl Adaptive for RadauIia5 {}

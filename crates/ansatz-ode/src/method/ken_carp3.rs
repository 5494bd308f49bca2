//! The implicit–explicit pair of Kennedy and Carpenter of order 3(2).

use crate::{Adaptive, DirkTableau, Imex, ImexMethod, ImexTableau, Method};

/// `ARK3(2)4L[2]SA` of C. A. Kennedy and M. H. Carpenter (Appl. Numer. Math. 44, 2003, 139–181), known as
/// KenCarp3: an implicit–explicit pair of order 3(2) with 4 stages, for fields in two parts
/// ([`Split`](crate::Split)). The implicit part is A- and L-stable, stiffly accurate, of stage
/// order 2. Dense output of order 2 (published).
///
/// Where the stiff part is much stiffer than the steps are short, stiff components have the order 2
/// only (S. Boscarino, SIAM J. Numer. Anal. 45, 2007, 1600–1621), errors there may be some ten times
/// the tolerance, and the error estimate, to which the error of the step before contributes, changes
/// sixfold with the ratio of two steps. [`Pid::pi`](crate::Pid::pi) then rejects far fewer steps than
/// the integral control that is the default, and [`KenCarp4`](crate::KenCarp4) none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KenCarp3;

impl Method for KenCarp3 {
    type Family = Imex;
}

impl ImexMethod for KenCarp3 {
    const TABLEAU: ImexTableau = ImexTableau {
        implicit: DirkTableau {
            order: 3,
            embedded_order: 2,
            c: &[0.0, 0.871733043016918, 0.6, 1.0],
            a: &[
                &[0.0],
                &[0.435866521508459, 0.435866521508459],
                &[0.2576482460664272, -0.09351476757488625, 0.435866521508459],
                &[0.18764102434672383, -0.595297473576955, 0.9717899277217721, 0.435866521508459],
            ],
            error: &[
                -0.027099261876665316,
                -0.11013520969201586,
                0.10306492520138458,
                0.0341695463672966,
            ],
            dense: &[
                &[0.20352450885253262, -0.015883484505808787],
                &[-1.8886417335445254, 1.2933442599675704],
                &[2.5968145478511913, -1.625024620129419],
                &[0.08830267684080172, 0.3475638446676573],
            ],
            predictor: &[
                &[],
                &[0.871733043016918],
                &[0.39351476757488624, 0.20648523242511377],
                &[0.3217169539540115, 0.34235870374665806, 0.3359243422993304],
            ],
        },
        explicit: &[
            &[],
            &[0.871733043016918],
            &[0.5275890119763004, 0.0724109880236996],
            &[0.3990960076760701, -0.4375576546135194, 1.0384616469374492],
        ],
    };
}

impl Adaptive for KenCarp3 {}

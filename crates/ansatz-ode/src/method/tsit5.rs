//! Tsitouras' 5(4) pair.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The 5(4) pair of Ch. Tsitouras (Comput. Math. Appl. 62, 2011, 770–775): seven stages, first
/// same as last, free dense output of order 4. The default for smooth, non-stiff problems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tsit5;

const B: [f64; 7] = [
    0.09646076681806523,
    0.01,
    0.4798896504144996,
    1.379008574103742,
    -3.290069515436081,
    2.324710524099774,
    0.0,
];

impl Method for Tsit5 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Tsit5 {
    const TABLEAU: Tableau = Tableau {
        order: 5,
        embedded_order: 4,
        c: &[0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0],
        a: &[
            &[],
            &[0.161],
            &[-0.008480655492356989, 0.335480655492357],
            &[2.8971530571054935, -6.359448489975075, 4.3622954328695815],
            &[5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
            &[
                5.86145544294642,
                -12.92096931784711,
                8.159367898576159,
                -0.071584973281401,
                -0.028269050394068383,
            ],
            &[B[0], B[1], B[2], B[3], B[4], B[5]],
        ],
        b: &B,
        error: &[
            0.001780011052225777,
            0.000816434459656747,
            -0.007880878010261995,
            0.1447110071732629,
            -0.5823571654525552,
            0.45808210592918697,
            -1.0 / 66.0,
        ],
        extra: &[],
        dense: &[],
    };

    fn dense_weights(theta: f64, weights: &mut [f64]) {
        let square = theta * theta;
        weights[0] = -1.0530884977290216
            * theta
            * (theta - 1.3299890189751412)
            * (square - 1.4364028541716351 * theta + 0.7139816917074209);
        weights[1] = 0.1017 * square * (square - 2.1966568338249754 * theta + 1.2949852507374631);
        weights[2] =
            2.490627285651253 * square * (square - 2.3853564547206166 * theta + 1.578034682080925);
        weights[3] = -16.548102889244903
            * square
            * (theta - 1.2171292729553325)
            * (theta - 0.616204060378001);
        weights[4] = 47.37952196281928
            * square
            * (theta - 1.2030712083723627)
            * (theta - 0.6580472926535473);
        weights[5] = -34.870657861496609 * square * (theta - 1.2) * (theta - 2.0 / 3.0);
        weights[6] = 2.5 * square * (theta - 1.0) * (theta - 0.6);
        weights[7] = 0.0;
    }
}

impl Adaptive for Tsit5 {}

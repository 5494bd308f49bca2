//! Dormand and Prince's 5(4) pair.

use crate::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// The 5(4) pair of J. R. Dormand and P. J. Prince (J. Comput. Appl. Math. 6, 1980, 19–26): seven
/// stages, first same as last. Dense output of order 4 as in E. Hairer, S. Nørsett, G. Wanner,
/// *Solving ODEs I*, section II.6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dopri5;

const B: [f64; 7] =
    [35.0 / 384.0, 0.0, 500.0 / 1113.0, 125.0 / 192.0, -2187.0 / 6784.0, 11.0 / 84.0, 0.0];

impl Method for Dopri5 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Dopri5 {
    const TABLEAU: Tableau = Tableau {
        order: 5,
        embedded_order: 4,
        c: &[0.0, 0.2, 0.3, 0.8, 8.0 / 9.0, 1.0, 1.0],
        a: &[
            &[],
            &[0.2],
            &[3.0 / 40.0, 9.0 / 40.0],
            &[44.0 / 45.0, -56.0 / 15.0, 32.0 / 9.0],
            &[19372.0 / 6561.0, -25360.0 / 2187.0, 64448.0 / 6561.0, -212.0 / 729.0],
            &[9017.0 / 3168.0, -355.0 / 33.0, 46732.0 / 5247.0, 49.0 / 176.0, -5103.0 / 18656.0],
            &[B[0], B[1], B[2], B[3], B[4], B[5]],
        ],
        b: &B,
        error: &[
            71.0 / 57600.0,
            0.0,
            -71.0 / 16695.0,
            71.0 / 1920.0,
            -17253.0 / 339200.0,
            22.0 / 525.0,
            -1.0 / 40.0,
        ],
        extra: &[],
        dense: &[],
    };

    fn dense_weights(theta: f64, weights: &mut [f64]) {
        let rise = theta * theta * (3.0 - 2.0 * theta);
        let bump = theta * theta * (theta - 1.0) * (theta - 1.0);
        for (w, b) in weights.iter_mut().zip(B) {
            *w = rise * b;
        }
        weights[0] += theta * (theta - 1.0) * (theta - 1.0)
            - bump * 5.0 * (2558722523.0 - 31403016.0 * theta) / 11282082432.0;
        weights[2] += bump * 100.0 * (882725551.0 - 15701508.0 * theta) / 32700410799.0;
        weights[3] -= bump * 25.0 * (443332067.0 - 31403016.0 * theta) / 1880347072.0;
        weights[4] += bump * 32805.0 * (23143187.0 - 3489224.0 * theta) / 199316789632.0;
        weights[5] -= bump * 55.0 * (29972135.0 - 7076736.0 * theta) / 822651844.0;
        weights[6] = theta * theta * (theta - 1.0)
            + bump * 10.0 * (7414447.0 - 829305.0 * theta) / 29380423.0;
        weights[7] = 0.0;
    }
}

impl Adaptive for Dopri5 {}

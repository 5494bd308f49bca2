//! A low-storage pair for conservation laws.

use crate::{
    Adaptive, EmbeddedWeights, LowStorage, LowStorageCoefficients, LowStorageRungeKutta, Method,
    Recurrence,
};

/// The low-storage method of order 4(3) with nine stages and first same as last of H. Ranocha, L.
/// Dalcin, M. Parsani and D. I. Ketcheson (Commun. Appl. Math. Comput. 4, 2022, 1191–1228), made for
/// adaptive steps of discretised conservation laws.
///
/// With the gains `proportional: 0.16, integral: 0.21, derivative: 0.01` of
/// [`Pid`](crate::Pid), its authors' choice, hardly a step is rejected where stability limits them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RDPK3SpFSAL49;

impl Method for RDPK3SpFSAL49 {
    type Family = LowStorage;
}

impl LowStorageRungeKutta for RDPK3SpFSAL49 {
    const COEFFICIENTS: LowStorageCoefficients = LowStorageCoefficients {
        order: 4,
        c: &[
            0.0,
            0.2836343005184365,
            0.5484076570002895,
            0.3687228761669438,
            -0.6806126440140844,
            0.3518526124230706,
            1.6659419948795933,
            0.9715279295934716,
            0.905156984015959,
        ],
        recurrence: Recurrence::ThreeS {
            gamma: &[
                [0.0, 1.0, 0.0],
                [-4.655641447335069, 2.499262792574495, 0.0],
                [-0.7720265099645872, 0.5866820377718875, 0.0],
                [-4.024436690519806, 1.2051460865230945, 0.7621006678721315],
                [-0.02129676284018531, 0.34747937221867325, -0.19811825043394005],
                [-2.4350225097901097, 1.321346060965113, -0.6228959218699007],
                [0.01985627297131987, 0.3119636464694194, -0.37522483807759566],
                [-0.28107911467910385, 0.4351419539684379, -0.33554383091351697],
                [0.16894341687548597, 0.23596981300287537, -0.04560955005031121],
            ],
            delta: &[
                1.0,
                1.2629238766481143,
                0.7574967189685912,
                0.5163589453140728,
                -0.027463274218026097,
                -0.43826731781279443,
                1.2735872946026565,
                -0.62947402839274,
                0.0,
            ],
            beta: &[
                0.2836343005184365,
                0.9736500104654742,
                0.33823592252425155,
                -0.35849436111061833,
                -0.004113944068471528,
                1.4279688940485864,
                0.01808470948394314,
                0.1605770645946802,
                0.2952227015964592,
            ],
        },
        embedded: Some(EmbeddedWeights {
            order: 3,
            error: &[
                0.020200567148121625,
                -0.0007110470862255846,
                -0.02341351123367267,
                -0.0013365087418096878,
                0.00045359090451467423,
                -0.036054284954901476,
                -0.004138435439976565,
                -0.0392991156465746,
                0.13385299364410866,
                -0.049554248593584385,
            ],
        }),
    };
}

impl Adaptive for RDPK3SpFSAL49 {}

//! A low-storage pair for conservation laws.

use crate::{
    Adaptive, EmbeddedWeights, LowStorage, LowStorageCoefficients, LowStorageRungeKutta, Method,
    Recurrence,
};

/// The low-storage method of order 3(2) with five stages and first same as last of H. Ranocha, L.
/// Dalcin, M. Parsani and D. I. Ketcheson (Commun. Appl. Math. Comput. 4, 2022, 1191–1228), made for
/// adaptive steps of discretised conservation laws.
///
/// With the gains `proportional: 0.23, integral: 0.47` of
/// [`Pid`](crate::Pid), its authors' choice, hardly a step is rejected where stability limits them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RDPK3SpFSAL35;

impl Method for RDPK3SpFSAL35 {
    type Family = LowStorage;
}

impl LowStorageRungeKutta for RDPK3SpFSAL35 {
    const COEFFICIENTS: LowStorageCoefficients = LowStorageCoefficients {
        order: 3,
        c: &[0.0, 0.23002986245180762, 0.4050046072094991, 0.8947822893693433, 0.7235136928826589],
        recurrence: Recurrence::ThreeS {
            gamma: &[
                [0.0, 1.0, 0.0],
                [0.2587771979725733, 0.552835490930139, 0.0],
                [-0.13243803601407234, 0.6731871608203062, 0.0],
                [0.05056033948190826, 0.28031039632976723, 0.2752563273304676],
                [0.5670532000739313, 0.552152544702061, -0.8950526174674034],
            ],
            delta: &[1.0, 0.3407655879334525, 0.3414382655003386, 0.7229275366787987, 0.0],
            beta: &[
                0.23002986245180762,
                0.30214341669482886,
                0.8025606185416311,
                0.4362158943603441,
                0.11292725304550591,
            ],
        },
        embedded: Some(EmbeddedWeights {
            order: 2,
            error: &[
                0.019951930051997083,
                -0.08330270541190223,
                0.035762783592424595,
                0.07555593806212726,
                0.05410810882394851,
                -0.10207605511859524,
            ],
        }),
    };
}

impl Adaptive for RDPK3SpFSAL35 {}

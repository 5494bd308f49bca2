//! Solutions of partial differential equations: operator learning and PINN references.

use candle_core::DType::{F32, F64, U8};

use super::{ArraySpec, Dataset, Format, array};

const NEURALOP_LICENCE: &str = "MIT (LICENSE; the metadata says Modified BSD)";
const DARCY_NOTES: &str = "x is the binary coefficient, y solves -div(a grad y) = f; axes \
    [sample, row, column]. Contrast 18 between the phases, not the 12/3 of the FNO paper, so that \
    paper's errors are no bar here. Row and column i of an s x s field sit at i/s + 1/1024: use \
    [0,1) coordinates, never linspace(0,1). y_negative marks samples with a negative y, impossible \
    for f > 0; only train 767 and test 12 are gross. No training sample recurs in the tests.";

macro_rules! darcy {
    ($samples:literal, $side:literal) => {
        &[
            array("x", U8, &[$samples, $side, $side], "1"),
            array("y", F32, &[$samples, $side, $side], "1"),
            array("y_negative", U8, &[$samples], "flag"),
        ]
    };
}

const BURGERS_16: &[ArraySpec] = &[
    array("input", F64, &[1200, 16], "1"),
    array("output", F64, &[1200, 17, 16], "1"),
    array("visc", F64, &[1], "1"),
    array("x", F64, &[16], "1"),
    array("t", F64, &[17], "1"),
];

pub(super) const DATASETS: &[Dataset] = &[
    Dataset {
        name: "darcy_16",
        file: "darcy_16.npz",
        title: "Darcy flow, 1,000 training samples on 16 x 16",
        licence: NEURALOP_LICENCE,
        source: "Python package neuraloperator 0.3.0, darcy_train_16.pt",
        notes: DARCY_NOTES,
        sha256: "0de398229501d32b0c5a55c9801a46834dc6aa633781b6126652adafc17a3b1e",
        format: Format::Npz,
        arrays: darcy!(1000, 16),
        bundled: None,
    },
    Dataset {
        name: "darcy_test_16",
        file: "darcy_test_16.npz",
        title: "Darcy flow, 50 test samples at the training resolution",
        licence: NEURALOP_LICENCE,
        source: "Python package neuraloperator 0.3.0, darcy_test_16.pt",
        notes: DARCY_NOTES,
        sha256: "9ae4d2afc9c3c3a625512d4bc1296c857db06f672bbf59a0da09678b47f2b0b4",
        format: Format::Npz,
        arrays: darcy!(50, 16),
        bundled: None,
    },
    Dataset {
        name: "darcy_test_32",
        file: "darcy_test_32.npz",
        title: "Darcy flow, the same 50 test samples on 32 x 32: zero-shot super-resolution",
        licence: NEURALOP_LICENCE,
        source: "Python package neuraloperator 0.3.0, darcy_test_32.pt",
        notes: DARCY_NOTES,
        sha256: "69f833a270c91cc967f20ac47453245fdc9e7c4c147fc053de8638bc29f392d4",
        format: Format::Npz,
        arrays: darcy!(50, 32),
        bundled: None,
    },
    Dataset {
        name: "burgers_16",
        file: "burgers_16.npz",
        title: "Periodic viscous Burgers equation, 1,200 trajectories of 17 frames on 16 points",
        licence: NEURALOP_LICENCE,
        source: "Python package neuraloperator 0.3.0, burgers_lowres.pt",
        notes: "u_t + u u_x = visc u_xx on [0,1), visc .01. output[:, 0] equals input. x = j/16 \
                and t = 0, .06, .., .96 were added, t by re-solving. No split is given.",
        sha256: "92bf5a239a373192cbe7db36cd4d7ebefff57f7740c23c25f2a945aa2d2137bb",
        format: Format::Npz,
        arrays: BURGERS_16,
        bundled: None,
    },
    Dataset {
        name: "raissi_burgers",
        file: "raissi_burgers.npz",
        title: "Burgers equation, PINN reference u(t, x)",
        licence: "LGPL-2.1 as bundled there: not for shipping",
        source: "Python package deepxde 1.15.0, examples/dataset/Burgers.npz; first published by \
                 Raissi et al.",
        notes: "nu = .01/pi, u(0,x) = -sin(pi x), u[t, x], t = 0 .. .99. Relative L2 distance \
                2.9e-12 to the Cole-Hopf integral.",
        sha256: "06d29eefba74b32d8a54643e901c01f5f13e679a3e6269f23176e28a7aa73bf2",
        format: Format::Npz,
        arrays: &[
            array("x", F64, &[256], "1"),
            array("t", F64, &[100], "1"),
            array("u", F64, &[100, 256], "1"),
            array("nu", F64, &[1], "1"),
        ],
        bundled: None,
    },
    Dataset {
        name: "raissi_allen_cahn",
        file: "raissi_allen_cahn.npz",
        title: "Allen-Cahn equation, PINN reference u(t, x)",
        licence: "LGPL-2.1 as bundled there: not for shipping",
        source: "Python package deepxde 1.15.0, examples/dataset/Allen_Cahn.mat",
        notes: "u_t = d u_xx + 5(u - u^3), d = .001, u(0,x) = x^2 cos(pi x), u(t, +-1) = -1. \
                Relative L2 distance 1.6e-4 (max 4.9e-4) to an extrapolated solve: an error below \
                that means nothing. Not the periodic d = 1e-4 problem.",
        sha256: "08f6472eedd19960352e2efa447b8a79eb49240cc9a760b9e154577775a8c67c",
        format: Format::Npz,
        arrays: &[
            array("x", F64, &[201], "1"),
            array("t", F64, &[101], "1"),
            array("u", F64, &[101, 201], "1"),
            array("d", F64, &[1], "1"),
        ],
        bundled: None,
    },
];

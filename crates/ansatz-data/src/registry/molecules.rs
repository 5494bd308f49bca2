//! Molecules and their computed properties.

use candle_core::DType::{F32, F64, I64, U8};

use super::{Dataset, Format, array};

pub(super) const DATASETS: &[Dataset] = &[Dataset {
    name: "qm9_10k",
    file: "qm9_10k.npz",
    title: "The first 10,000 molecules of QM9",
    licence: "MIT (package); QM9, Ramakrishnan et al. 2014",
    source: "Python package qm9pack 1.0.3, first 10,000 rows of qm9_part1.csv",
    notes: "Molecule i is rows offsets[i] .. offsets[i+1] of z and pos. The small end of QM9, in \
            the database's order: shuffle before splitting, and do not compare errors with \
            published QM9 rows. index is the QM9 number; uncharacterised molecules are left out. \
            gap = lumo - homo to the printed 1e-4.",
    sha256: "1897bc759a567230f4e8521673cad5becb2efda4299ada93def515f07741fe0d",
    format: Format::Npz,
    arrays: &[
        array("z", U8, &[157423], "atomic number"),
        array("pos", F32, &[157423, 3], "angstrom"),
        array("offsets", I64, &[10001], "index"),
        array("index", I64, &[10000], "index"),
        array("dipole", F64, &[10000], "debye"),
        array("alpha", F64, &[10000], "bohr^3"),
        array("homo", F64, &[10000], "hartree"),
        array("lumo", F64, &[10000], "hartree"),
        array("gap", F64, &[10000], "hartree"),
        array("u0", F64, &[10000], "hartree"),
    ],
    bundled: None,
}];

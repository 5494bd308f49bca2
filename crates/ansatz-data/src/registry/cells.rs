//! Single cells and snapshots of populations: bridges, optimal transport, clustering.

use candle_core::DType::{F32, F64, I64, U8};

use super::{Dataset, Format, array};

const SBIRR_NOTES: &str = "Snapshot i is rows offsets[i] .. offsets[i+1] of x. Even snapshots \
    train, odd ones are held out. times were added from the repository's settings.";

pub(super) const DATASETS: &[Dataset] = &[
    Dataset {
        name: "msci_pca50",
        file: "msci_pca50.npz",
        title: "CITE-seq cells of days 2, 3, 4 and 7 on 50 principal components",
        licence: "MIT (repository); terms of the underlying competition data not checked",
        source: "repository ngushchin/LightSB @ 70aa4ee, data/full_cite_pcas_50_day_*.npy (Open \
                 Problems multimodal single-cell)",
        notes: "Published set-ups: 2 -> 4 evaluated on 3, and 3 -> 7 evaluated on 4, data divided \
                by the mean standard deviation of the three days. A plain mixture of the end days \
                scores 2.2-2.3 in energy distance, as well as published bridges: print it.",
        sha256: "12a6e0ec2a1ef53c90128b396485777ce324af69be582f48997cd263f1655726",
        format: Format::Npz,
        arrays: &[
            array("day2", F32, &[6071, 50], "1"),
            array("day3", F32, &[7643, 50], "1"),
            array("day4", F32, &[8485, 50], "1"),
            array("day7", F32, &[7195, 50], "1"),
        ],
        bundled: None,
    },
    Dataset {
        name: "sbirr_lv",
        file: "sbirr_lv.npz",
        title: "Stochastic Lotka-Volterra snapshots, a multi-marginal bridge",
        licence: "no licence file: do not ship; can be re-simulated",
        source: "repository YunyiShen/SBIRR @ 77f2f66, LV_data.npy",
        notes: SBIRR_NOTES,
        sha256: "fa476747a7804a48eebaf43b28a0528f25e468ac9c3fb34c3e20ddec016f43d0",
        format: Format::Npz,
        arrays: &[
            array("x", F64, &[450, 2], "1"),
            array("offsets", I64, &[10], "index"),
            array("times", F64, &[9], "1"),
        ],
        bundled: None,
    },
    Dataset {
        name: "sbirr_repressilator",
        file: "sbirr_repressilator.npz",
        title: "Stochastic repressilator snapshots, a multi-marginal bridge",
        licence: "no licence file: do not ship; can be re-simulated",
        source: "repository YunyiShen/SBIRR @ 77f2f66, repres_data.npy",
        notes: SBIRR_NOTES,
        sha256: "8d52c1c4f0d6d9ac4597d86ae3df3e6b90a1ab57dd031bc0efdc2bfb0c4646e3",
        format: Format::Npz,
        arrays: &[
            array("x", F64, &[550, 3], "1"),
            array("offsets", I64, &[12], "index"),
            array("times", F64, &[11], "1"),
        ],
        bundled: None,
    },
    Dataset {
        name: "sbirr_hesc",
        file: "sbirr_hesc.npz",
        title: "Human embryonic stem cells on 5 principal components, unequal snapshots",
        licence: "no licence file: do not ship",
        source: "repository YunyiShen/SBIRR @ 77f2f66, hESC_data.npy",
        notes: "Snapshot i is rows offsets[i] .. offsets[i+1] of x; even ones train, odd ones are \
                held out. By the snapshot sizes this is the 0/12/24/36/72 h course of Chu et al. \
                2016 (inferred), so snapshot 3 lies a quarter of the way from 2 to 4, not half.",
        sha256: "ec4f13ebe57d0a64f9b14bd7b2513ca9ff700b44226cf57b1d9314f8f365fd46",
        format: Format::Npz,
        arrays: &[
            array("x", F64, &[570, 5], "1"),
            array("offsets", I64, &[6], "index"),
            array("times", F64, &[5], "day"),
        ],
        bundled: None,
    },
    Dataset {
        name: "pbmc68k_reduced",
        file: "pbmc68k_reduced.npz",
        title: "700 peripheral blood cells on 50 principal components, with cell types",
        licence: "BSD-3-Clause (package); 10x Genomics public data set",
        source: "Python package scanpy 1.11.5, datasets/10x_pbmc68k_reduced.h5ad",
        notes: "The rows of *_names are ASCII padded with zeros: ten cell types, and the phases \
                G1, G2M, S. louvain is 0-10.",
        sha256: "0befb0b8973281264db3127ba0dbf6f776619e9346214f27901275ed696aa7e1",
        format: Format::Npz,
        arrays: &[
            array("pca", F32, &[700, 50], "1"),
            array("umap", F64, &[700, 2], "1"),
            array("bulk_label", I64, &[700], "label"),
            array("bulk_label_names", U8, &[10, 28], "ascii"),
            array("louvain", I64, &[700], "label"),
            array("phase", I64, &[700], "label"),
            array("phase_names", U8, &[3, 3], "ascii"),
            array("pca_variance_ratio", F32, &[50], "1"),
        ],
        bundled: None,
    },
];

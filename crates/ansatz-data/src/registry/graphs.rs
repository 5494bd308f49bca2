//! Graphs for node classification.
//!
//! `edge_index` `[2, E]` holds both directions, no self loops, no duplicates, sorted by source
//! then target; row 0 is the source. Features are sparse triplets (`feat_row`, `feat_col`,
//! `feat_val`) of dense shape `feat_shape`. The ten rows of `split_*` are the published splits.

use candle_core::DType::{F32, F64, I64, U8};

use super::{Dataset, Format, array};

const PLANETOID_LICENCE: &str = "none found for Planetoid; the loader source carries an MIT header \
    (c) 2019 Geom-GCN Authors";
const WEBKB_LICENCE: &str = "none found for WebKB; the loader source carries an MIT header (c) \
    2019 Geom-GCN Authors";
const FEATURES: &str = "Features are raw; GCN papers divide each row by its sum.";
const SINGLE: &str = "Class 1 has a single node, so it is missing from some training splits.";

macro_rules! planetoid {
    ($nodes:literal, $edges:literal, $nonzeros:literal) => {
        &[
            array("edge_index", I64, &[2, $edges], "index"),
            array("feat_row", I64, &[$nonzeros], "index"),
            array("feat_col", I64, &[$nonzeros], "index"),
            array("feat_val", F32, &[$nonzeros], "1"),
            array("feat_shape", I64, &[2], "1"),
            array("y", I64, &[$nodes], "label"),
            array("has_label", U8, &[$nodes], "flag"),
            array("train_mask", U8, &[$nodes], "flag"),
            array("val_mask", U8, &[$nodes], "flag"),
            array("test_mask", U8, &[$nodes], "flag"),
            array("split_train", U8, &[10, $nodes], "flag"),
            array("split_val", U8, &[10, $nodes], "flag"),
            array("split_test", U8, &[10, $nodes], "flag"),
        ]
    };
}

macro_rules! geom_gcn {
    ($nodes:literal, $edges:literal, $raw_edges:literal, $nonzeros:literal) => {
        &[
            array("edge_index", I64, &[2, $edges], "index"),
            array("edge_index_raw", I64, &[2, $raw_edges], "index"),
            array("feat_row", I64, &[$nonzeros], "index"),
            array("feat_col", I64, &[$nonzeros], "index"),
            array("feat_val", F32, &[$nonzeros], "1"),
            array("feat_shape", I64, &[2], "1"),
            array("y", I64, &[$nodes], "label"),
            array("split_train", U8, &[10, $nodes], "flag"),
            array("split_val", U8, &[10, $nodes], "flag"),
            array("split_test", U8, &[10, $nodes], "flag"),
        ]
    };
}

pub(super) const DATASETS: &[Dataset] = &[
    Dataset {
        name: "cora",
        file: "cora.npz",
        title: "Cora citation network: Planetoid and ten geom-gcn splits",
        licence: PLANETOID_LICENCE,
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, data/ind.cora.*, splits/",
        notes: "The ten splits cover only the 2,485 nodes of the largest component. Homophily \
                .81. Features are raw; GCN papers divide each row by its sum.",
        sha256: "eeccdb0dc5a4fddb018ff77b7a8ddc8621a2d3c54b4de3ee7b734a19917ffb3b",
        format: Format::Npz,
        arrays: planetoid!(2708, 10556, 49216),
        bundled: None,
    },
    Dataset {
        name: "citeseer",
        file: "citeseer.npz",
        title: "Citeseer citation network: Planetoid and ten geom-gcn splits",
        licence: PLANETOID_LICENCE,
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, data/ind.citeseer.*, splits/",
        notes: "15 nodes have no features and no label (has_label false, y 0), 48 nodes are \
                isolated. The ten splits cover all nodes, but splits 4 and 5 only 2,120. Homophily \
                .74. Features are raw; GCN papers divide each row by its sum.",
        sha256: "79bc7b2ce04ebeef232fba45f9aac4c85482ab7b2bb99d1325631df3c23e99f3",
        format: Format::Npz,
        arrays: planetoid!(3327, 9104, 105165),
        bundled: None,
    },
    Dataset {
        name: "texas",
        file: "texas.npz",
        title: "WebKB Texas, a heterophilic graph",
        licence: WEBKB_LICENCE,
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, new_data/texas, splits/",
        notes: SINGLE,
        sha256: "459794e2ff1fe2689c15e5be837c246979ba264ee4a0db8618661dfce6b6cda4",
        format: Format::Npz,
        arrays: geom_gcn!(183, 558, 325, 15266),
        bundled: None,
    },
    Dataset {
        name: "wisconsin",
        file: "wisconsin.npz",
        title: "WebKB Wisconsin, a heterophilic graph",
        licence: WEBKB_LICENCE,
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, new_data/wisconsin, splits/",
        notes: FEATURES,
        sha256: "358314389cd4415fc8da1b9d69b9ad96a7ebc2eab7ec1609bdc8742f8d6591a7",
        format: Format::Npz,
        arrays: geom_gcn!(251, 900, 515, 24057),
        bundled: None,
    },
    Dataset {
        name: "cornell",
        file: "cornell.npz",
        title: "WebKB Cornell as shipped until July 2022, to compare with tables of that time",
        licence: WEBKB_LICENCE,
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, new_data/cornell, splits/",
        notes: "Features and labels are those of Texas by mistake of the source: do not count the \
                two as independent evidence. Use cornell_2022 for anything new. Class 1 has a \
                single node, so it is missing from some training splits.",
        sha256: "f86e2d7ac1d2146ab901e7513328734d1f35f701e3ac6e3014b7692da06cd233",
        format: Format::Npz,
        arrays: geom_gcn!(183, 554, 298, 15266),
        bundled: None,
    },
    Dataset {
        name: "cornell_2022",
        file: "cornell_2022.npz",
        title: "WebKB Cornell as corrected by its author in July 2022, a heterophilic graph",
        licence: WEBKB_LICENCE,
        source: "repository bingzhewei/geom-gcn @ 1124af1, new_data/cornell; splits as cornell",
        notes: FEATURES,
        sha256: "6b54bdb22fa5dbfdaca89e13162bef5f08b7cec49cfc7e1406f348257fef069c",
        format: Format::Npz,
        arrays: geom_gcn!(183, 554, 298, 17240),
        bundled: None,
    },
    Dataset {
        name: "actor",
        file: "actor.npz",
        title: "Actor (also called Film) co-occurrence graph, heterophilic",
        licence: "none found for Film; the loader source carries an MIT header (c) 2019 Geom-GCN \
                  Authors",
        source: "repository graphdml-uiuc-jlu/geom-gcn @ f1fc0d1, new_data/film, splits/",
        notes: "edge_index_raw has 3,372 duplicates and self loops. Features are raw.",
        sha256: "c7f688448b7f25abe3f8f588aee16603c5c90601771a681db38d4c4d638490ed",
        format: Format::Npz,
        arrays: geom_gcn!(7600, 53318, 33391, 40977),
        bundled: None,
    },
    Dataset {
        name: "karate",
        file: "karate.csv",
        title: "Zachary's karate club: 34 nodes, 78 undirected edges",
        licence: "public facts; package BSD-3-Clause",
        source: "Zachary 1977; taken from Python package networkx 3.6.1",
        notes: "Each edge once, source < target. Faction 0 is Mr. Hi (17 nodes), 1 is Officer \
                (17); node 8 is 0, the club he joined. weight counts shared contexts.",
        sha256: "20973bc074d02f8a7dde70ebae0ab077698916d5225697be7da2dfc8bdf9f0d7",
        format: Format::Csv,
        arrays: &[
            array("source", F64, &[78], "index"),
            array("target", F64, &[78], "index"),
            array("weight", F64, &[78], "1"),
            array("source_faction", F64, &[78], "label"),
            array("target_faction", F64, &[78], "label"),
        ],
        bundled: None,
    },
];

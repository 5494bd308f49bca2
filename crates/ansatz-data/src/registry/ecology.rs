//! Populations over time.

use candle_core::DType::F64;

use super::{Dataset, Format, array};

pub(super) const DATASETS: &[Dataset] = &[
    Dataset {
        name: "lynx_hare",
        file: "lynx_hare.csv",
        title: "Hudson Bay hare and lynx pelts, 1900-1920: the 21-point Lotka-Volterra problem",
        licence: "facts (numbers)",
        source: "Howard 2009, \"Modeling basics\", table as in the Stan predator-prey case study",
        notes: "Not a window of lynx_hare_1845_1935: over 1900-1920 the two differ by up to 65 \
                (hare) and 36 (lynx). Never mix or join them.",
        sha256: "51ab3a3912b247c09e12058593abbcf5cbe65f15dd9db7f7e0d5184d655500e4",
        format: Format::Csv,
        arrays: &[
            array("year", F64, &[21], "year"),
            array("hare", F64, &[21], "thousand pelts"),
            array("lynx", F64, &[21], "thousand pelts"),
        ],
        bundled: Some(include_bytes!("../../data/lynx_hare.csv")),
    },
    Dataset {
        name: "lynx_hare_1845_1935",
        file: "lynx_hare_1845_1935.csv",
        title: "Hare and lynx pelts, 1845-1935, for forecasting",
        licence: "package GPL-3; numbers are facts",
        source: "Python package astsa 0.1, Hare.csv and Lynx.csv (there from Odum, Fundamentals \
                 of Ecology)",
        notes: "Read off a figure: some runs are exactly collinear (1854-1856, 1859-1861, \
                1902-1904). Neither lynx_hare nor R's `lynx` series (Mackenzie River).",
        sha256: "7eb7664ce29e60717612c8f9aa3d6bad0077f3feb4d5977bbdcea0203f7819ba",
        format: Format::Csv,
        arrays: &[
            array("year", F64, &[91], "year"),
            array("hare", F64, &[91], "thousand pelts"),
            array("lynx", F64, &[91], "thousand pelts"),
        ],
        bundled: None,
    },
];

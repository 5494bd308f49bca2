//! Kahan and Li's method of order 8.

use crate::{Method, Splitting, Symplectic, SymplecticMethod};

/// The composition of 17 Verlet steps of W. Kahan and R.-C. Li (Math. Comp. 66, 1997, 1089–1099;
/// coefficients in E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, section
/// V.3.2): order 8, symmetric, 17 kicks. For accuracies near rounding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KahanLi8;

impl Method for KahanLi8 {
    type Family = Symplectic;
}

impl SymplecticMethod for KahanLi8 {
    const SPLITTING: Splitting = Splitting {
        order: 8,
        drift: &[
            0.06510124154444503,
            0.3456827324319992,
            0.08584400956513055,
            -0.11531652804484584,
            -0.11853099378904099,
            -0.10568212657746094,
            0.22145701433231887,
            0.27669305564781616,
            -0.15524840511036211,
            -0.15524840511036211,
            0.27669305564781616,
            0.22145701433231887,
            -0.10568212657746094,
            -0.11853099378904099,
            -0.11531652804484584,
            0.08584400956513055,
            0.3456827324319992,
            0.06510124154444503,
        ],
        kick: &[
            0.13020248308889007,
            0.5611629817751084,
            -0.38947496264484727,
            0.1588419065551556,
            -0.39590389413323757,
            0.1845396409783157,
            0.25837438768632204,
            0.2950117236093103,
            -0.6055085338300346,
            0.2950117236093103,
            0.25837438768632204,
            0.1845396409783157,
            -0.39590389413323757,
            0.1588419065551556,
            -0.38947496264484727,
            0.5611629817751084,
            0.13020248308889007,
            0.0,
        ],
    };
}

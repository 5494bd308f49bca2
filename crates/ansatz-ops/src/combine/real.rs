//! The number types of the kernels over plain slices: [`Real`].

use std::mem::MaybeUninit;

use super::{finite, norms, sum};

/// `f32` or `f64`: what [`combine_slices`](crate::combine_slices) and its kin take.
///
/// Sealed: the kernels behind it are compiled once for each of the two types, inside this crate.
pub trait Real: kernels::Kernels {}

impl Real for f32 {}
impl Real for f64 {}

pub(crate) mod kernels {
    use super::MaybeUninit;

    /// The kernels, as functions without type parameters, so that they are compiled here and not
    /// in the crate that calls them.
    pub trait Kernels: Copy + Send + Sync + 'static {
        fn combine(out: &mut [MaybeUninit<Self>], base: Option<&[Self]>, terms: &[(Self, &[Self])]);
        fn weighted_squares(error: &[Self], a: &[Self], b: &[Self], rtol: f64, atol: f64) -> f64;
        fn scaled_squares(x: &[Self], scale: f64) -> f64;
        fn all_finite(x: &[Self]) -> bool;
    }
}

macro_rules! kernels {
    ($($t:ty),*) => {$(
        impl kernels::Kernels for $t {
            fn combine(
                out: &mut [MaybeUninit<Self>],
                base: Option<&[Self]>,
                terms: &[(Self, &[Self])],
            ) {
                sum::combine(out, base, terms);
            }

            fn weighted_squares(
                error: &[Self],
                a: &[Self],
                b: &[Self],
                rtol: f64,
                atol: f64,
            ) -> f64 {
                norms::weighted_squares(error, a, b, rtol, atol)
            }

            fn scaled_squares(x: &[Self], scale: f64) -> f64 {
                norms::scaled_squares(x, scale)
            }

            fn all_finite(x: &[Self]) -> bool {
                finite::all_finite(x)
            }
        }
    )*};
}

kernels!(f32, f64);

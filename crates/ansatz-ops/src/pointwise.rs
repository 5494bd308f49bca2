//! The pointwise functions that scientific networks use: [`Pointwise`] and [`pointwise`].

#[allow(clippy::approx_constant, reason = "rounded to the type, and parts of sums")]
mod coefficients;
mod composed;
#[allow(clippy::needless_range_loop, reason = "coefficients are named by their index")]
mod functions;
mod real;
#[allow(clippy::needless_range_loop, reason = "coefficients are named by their index")]
mod slices;
mod tensor;

pub(crate) use real::Real;
#[allow(unused_imports, reason = "map_in_place is for kernels that fuse")]
pub(crate) use slices::{map, map_in_place, needs_input, pull_back, taylor};
pub use tensor::pointwise;

use candle_core::Tensor;

use crate::Result;

/// A function applied to every element on its own.
///
/// An enumeration, not a closure, because every tensor-like type has its own rule for each of
/// them: a Taylor series propagates coefficients, a bound propagates intervals.
///
/// Where a derivative jumps ([`Relu`](Self::Relu), [`Abs`](Self::Abs)), it is 0 at the jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pointwise {
    /// Hyperbolic tangent.
    Tanh,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Exponential.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Square root.
    Sqrt,
    /// Reciprocal, `1/x`.
    Recip,
    /// Real power, `x^p`.
    Powf(f64),
    /// Integer power, `x^n`; negative bases are fine.
    Powi(i32),
    /// Logistic function, `1/(1 + e^−x)`.
    Sigmoid,
    /// `ln(1 + e^x)`, without overflow and accurate in both tails.
    Softplus,
    /// `x · sigmoid(x)` (S. Elfwing, E. Uchibe, K. Doya 2018), also called swish.
    Silu,
    /// `x · Φ(x)` with the exact normal distribution function (D. Hendrycks, K. Gimpel 2016).
    Gelu,
    /// The tanh approximation of [`Gelu`](Self::Gelu), `x/2 · (1 + tanh(√(2/π)(x + 0.044715 x³)))`.
    GeluTanh,
    /// Error function, `2/√π ∫₀ˣ e^−t² dt`.
    Erf,
    /// `max(x, 0)`.
    Relu,
    /// Absolute value.
    Abs,
}

impl Pointwise {
    /// [`pointwise`] as a method.
    ///
    /// # Errors
    /// When candle fails, e.g. for integer tensors.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        pointwise(self, x)
    }
}

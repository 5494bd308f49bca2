//! The error type of this crate.

use candle_core::{DType, DeviceLocation, Shape};

/// What can go wrong in a tensor operation or a gradient.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// candle refused an operation.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
    /// Two tensors that must have the same shape do not.
    #[error(
        "{what}: expected shape {expected:?}, got {got:?}; reshape or broadcast before the call"
    )]
    Shape {
        /// The operation and operand.
        what: &'static str,
        /// The shape that was needed.
        expected: Shape,
        /// The shape that was given.
        got: Shape,
    },
    /// A tensor has a dtype the operation does not take.
    #[error("{what}: expected dtype {expected:?}, got {got:?}; convert with `to_dtype`")]
    DType {
        /// The operation and operand.
        what: &'static str,
        /// The dtype that was needed.
        expected: DType,
        /// The dtype that was given.
        got: DType,
    },
    /// Tensors of one operation live on different devices.
    #[error(
        "{what}: expected a tensor on {expected:?}, got one on {got:?}; move it with `to_device`"
    )]
    Device {
        /// The operation and operand.
        what: &'static str,
        /// The device that was needed.
        expected: DeviceLocation,
        /// The device that was given.
        got: DeviceLocation,
    },
    /// A count does not match: inputs, outputs, cotangents, slots.
    #[error("{what}: expected {expected}, got {got}")]
    Count {
        /// The operation and what was counted.
        what: &'static str,
        /// The count that was needed.
        expected: usize,
        /// The count that was given.
        got: usize,
    },
    /// A gradient does not agree with central differences.
    #[error(
        "gradient of input {input}, element {index}: backward gives {analytic:e}, central \
         differences give {numeric:e} (tolerance {tolerance:e}); the backward rule is wrong or \
         missing, or the function is not smooth there"
    )]
    GradientMismatch {
        /// Index of the input tensor.
        input: usize,
        /// Flat index of the element.
        index: usize,
        /// What `backward` returned.
        analytic: f64,
        /// What central differences returned.
        numeric: f64,
        /// The tolerance that was exceeded.
        tolerance: f64,
    },
    /// An option has a value that makes no sense.
    #[error("{what} = {value}: expected {expected}")]
    InvalidArgument {
        /// The option.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// An error of a caller's function, passed through a custom gradient.
    #[error(transparent)]
    Custom(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of another crate so that it can pass through a function of this one.
    pub fn custom(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Custom(Box::new(error))
    }
}

/// Passing back through candle (from inside a backward pass) keeps the error as the source.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(inner) => inner,
            other => candle_core::Error::wrap(other),
        }
    }
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

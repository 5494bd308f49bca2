//! The error type of this crate.

use candle_core::{DType, DeviceLocation, Shape};

/// What can go wrong in a tensor operation or a gradient.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// candle refused an operation.
    #[error(transparent)]
    Candle(candle_core::Error),
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

/// An error of this crate inside one of candle's, from where it can be taken out again.
struct Carried(Error);

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0) // what candle's own `Display` shows
    }
}

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Carried {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// Passing through candle (from inside a backward pass) keeps the error: converting candle's error
/// back into this type gives the one that was put in.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(inner) => inner,
            other => candle_core::Error::WrappedContext {
                wrapped: Box::new(Carried(other)),
                context: "in a function that candle called".into(),
            },
        }
    }
}

/// An error of this crate that passed through candle comes out as it went in.
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        match error {
            candle_core::Error::WrappedContext { wrapped, context } => {
                match wrapped.downcast::<Carried>() {
                    Ok(carried) => carried.0,
                    Err(wrapped) => {
                        Self::Candle(candle_core::Error::WrappedContext { wrapped, context })
                    }
                }
            }
            other => Self::Candle(other),
        }
    }
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

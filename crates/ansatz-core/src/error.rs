//! The error type of this crate.

/// What can go wrong in the shared vocabulary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// candle refused an operation.
    #[cfg(feature = "candle")]
    #[error(transparent)]
    Candle(candle_core::Error),
    /// A tensor operation or gradient failed.
    #[cfg(feature = "candle")]
    #[error(transparent)]
    Ops(ansatz_ops::Error),
    /// Two values that must have the same shape do not.
    #[error("{what}: expected shape {expected}, got {got}")]
    Shape {
        /// The operation and operand.
        what: &'static str,
        /// What was needed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A tensor lives on another device than it must.
    #[cfg(feature = "candle")]
    #[error("{what}: expected a tensor on {expected}, got one on {got}; move it with `to_device`")]
    Device {
        /// The operation and operand.
        what: &'static str,
        /// What was needed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// A number type differs from the one needed, or the device cannot compute with it.
    #[cfg(feature = "candle")]
    #[error("{what}: expected dtype {expected}, got {got}; convert with `to_dtype`")]
    DType {
        /// The operation and operand.
        what: &'static str,
        /// What was needed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// An argument has a value that makes no sense.
    #[error("{what} = {value}: expected {expected}")]
    InvalidArgument {
        /// The argument.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// An error of a caller's function.
    #[error(transparent)]
    Custom(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Wraps the error of another crate so that it can pass through a trait of this one.
    pub fn custom(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Custom(Box::new(error))
    }

    /// Shorthand for [`Error::InvalidArgument`].
    pub fn invalid(what: &'static str, value: impl ToString, expected: &'static str) -> Self {
        Self::InvalidArgument { what, value: value.to_string(), expected }
    }
}

#[cfg(feature = "candle")]
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        ansatz_ops::Error::from(error).into()
    }
}

/// An error of this crate that passed through a custom gradient comes out as it went in.
#[cfg(feature = "candle")]
impl From<ansatz_ops::Error> for Error {
    fn from(error: ansatz_ops::Error) -> Self {
        match error {
            ansatz_ops::Error::Candle(inner) => Self::Candle(inner),
            ansatz_ops::Error::Custom(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Custom(other),
            },
            other => Self::Ops(other),
        }
    }
}

/// Passing into a custom gradient keeps the error as the source.
#[cfg(feature = "candle")]
impl From<Error> for ansatz_ops::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Ops(inner) => inner,
            Error::Candle(inner) => inner.into(),
            other => ansatz_ops::Error::custom(other),
        }
    }
}

/// Passing through candle keeps the error: converting candle's error back gives the one put in.
#[cfg(feature = "candle")]
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        ansatz_ops::Error::from(error).into()
    }
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

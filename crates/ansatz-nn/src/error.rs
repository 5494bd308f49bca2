//! The error type of this crate.

use std::path::PathBuf;

/// What can go wrong when a model is built, trained, saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// candle refused an operation.
    #[error(transparent)]
    Candle(candle_core::Error),
    /// An error of the shared vocabulary: shapes, keys, modules.
    #[error(transparent)]
    Core(ansatz_core::Error),
    /// An argument or a field of a configuration has a value that makes no sense.
    #[error("{what} = {value}: expected {expected}")]
    InvalidArgument {
        /// The argument.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
    /// A parameter was asked for again with another shape, dtype or device.
    #[error(
        "parameter `{path}` is {stored} but was asked for as {asked}; two layers may share a \
         path only if they share the parameter"
    )]
    ParameterMismatch {
        /// The path of the parameter.
        path: String,
        /// Shape, dtype and device of the stored parameter.
        stored: String,
        /// Shape, dtype and device asked for.
        asked: String,
    },
    /// There is no parameter of that name.
    #[error("no parameter `{path}`; there are: {known}")]
    UnknownParameter {
        /// The path asked for.
        path: String,
        /// The paths there are.
        known: String,
    },
    /// A gradient holds a NaN or an infinity; no parameter was changed.
    #[error(
        "the gradient of parameter {index} (`{name}`) is not finite, and no parameter was changed; \
         lower the learning rate or look for a division by zero, or the root of zero, in the loss"
    )]
    NonFiniteGradient {
        /// The position of the parameter in the list given to the optimiser.
        index: usize,
        /// Its path, or its position where the optimiser was not told paths.
        name: String,
    },
    /// No parameter of the optimiser has a gradient.
    #[error(
        "the loss depends on none of the parameters of the optimiser; was it built from other \
         parameters, detached, or sent through an operation without a gradient?"
    )]
    NoGradient,
    /// The loss is a NaN or an infinity; training stopped before an update was made from it.
    #[error(
        "the loss of step {step} is {value}; the parameters are as the update of the step before \
         left them; lower the learning rate, clip the gradient or start from a checkpoint"
    )]
    NonFiniteLoss {
        /// The step.
        step: u64,
        /// The loss.
        value: f64,
    },
    /// Reading or writing a file failed.
    #[error("cannot {action} {path:?}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A file is no checkpoint, or a damaged one.
    #[error("{path:?} is not a usable checkpoint: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Stored tensors do not fit the model or the optimiser; nothing was changed.
    #[error(
        "the checkpoint does not fit the {what}, and nothing was changed; missing: [{}]; \
         unexpected: [{}]; different: [{}]",
        missing.join(", "), unexpected.join(", "), different.join(", ")
    )]
    Mismatch {
        /// What was to be loaded.
        what: &'static str,
        /// Names the checkpoint lacks.
        missing: Vec<String>,
        /// Names only the checkpoint has.
        unexpected: Vec<String>,
        /// Names with another shape or dtype, and how they differ.
        different: Vec<String>,
    },
}

impl Error {
    /// Shorthand for [`Error::InvalidArgument`].
    pub(crate) fn invalid(
        what: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> Self {
        Self::InvalidArgument { what, value: value.to_string(), expected }
    }

    /// Shorthand for [`Error::Io`], for `map_err`.
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// Passing through candle's traits (`Optimizer`, `SimpleBackend`) keeps the error as the source.
impl From<Error> for candle_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(inner) => inner,
            other => {
                // Of candle's wrappers, the only one that can be opened again.
                let context = other.to_string();
                Self::WrappedContext { wrapped: Box::new(other), context }
            }
        }
    }
}

/// An error of this crate that went through candle comes out as itself.
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        match error {
            candle_core::Error::WrappedContext { wrapped, context } => {
                match wrapped.downcast::<Self>() {
                    Ok(ours) => *ours,
                    Err(wrapped) => {
                        Self::Candle(candle_core::Error::WrappedContext { wrapped, context })
                    }
                }
            }
            other => Self::Candle(other),
        }
    }
}

impl From<ansatz_core::Error> for Error {
    fn from(error: ansatz_core::Error) -> Self {
        match error {
            ansatz_core::Error::Candle(inner) => inner.into(),
            ansatz_core::Error::Custom(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Core(ansatz_core::Error::Custom(other)),
            },
            other => Self::Core(other),
        }
    }
}

/// An error of this crate passes through modules, vector fields and losses and comes out as itself.
impl From<Error> for ansatz_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Candle(inner) => Self::Candle(inner),
            Error::Core(inner) => inner,
            other => Self::custom(other),
        }
    }
}

impl From<ansatz_ops::Error> for Error {
    fn from(error: ansatz_ops::Error) -> Self {
        match error {
            ansatz_ops::Error::Candle(inner) => inner.into(),
            other => Self::Core(other.into()),
        }
    }
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

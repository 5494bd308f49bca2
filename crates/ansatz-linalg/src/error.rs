//! The error type of this crate.

/// What can go wrong in linear algebra.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on vectors failed: sizes, dtypes, devices.
    #[error(transparent)]
    Core(ansatz_core::Error),
    /// Sizes do not fit.
    #[error("{what}: expected {expected}, got {got}")]
    Size {
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
    /// A number is NaN or infinite.
    #[error("{what}: entry {index} is not finite; check the data that the matrix is made of")]
    NotFinite {
        /// The operand.
        what: &'static str,
        /// Its first entry that is not finite, in the order of storage.
        index: usize,
    },
    /// The matrix has no inverse, or none that can be told from rounding.
    #[error(
        "{what} is singular but for rounding: {value:e} at pivot {pivot}; drop what is dependent, or \
         ask for a least-squares solution (Qr, Svd)"
    )]
    Singular {
        /// The matrix.
        what: &'static str,
        /// The column that has most to do with it, or the step of elimination that failed.
        pivot: usize,
        /// How far it is from being singular, columns scaled to one length: the inverse of the
        /// condition number, or the sine of the angle to the other columns. 0 where a pivot is.
        value: f64,
    },
    /// A matrix that was promised to be positive definite is not.
    #[error(
        "{what} is not positive definite but for rounding: pivot {pivot} of its Cholesky \
         factorisation is not positive; take LU, or add a multiple of the identity"
    )]
    NotPositiveDefinite {
        /// The matrix.
        what: &'static str,
        /// The step of elimination that failed; of a sparse matrix in the order of little fill-in.
        pivot: usize,
    },
    /// A function of a matrix that jumps at zero and at the negative numbers.
    #[error(
        "{function} of a matrix with the eigenvalue {re:e} + {im:e} i: the principal one is for \
         eigenvalues off zero and the negative real axis"
    )]
    NotPrincipal {
        /// The function.
        function: &'static str,
        /// The real part of the eigenvalue.
        re: f64,
        /// The imaginary part, zero but for rounding.
        im: f64,
    },
    /// A factorisation did not come to an end.
    #[error("{what} failed: {reason}")]
    Factorisation {
        /// The factorisation.
        what: &'static str,
        /// What the library said.
        reason: String,
    },
    /// An iteration ended before the residual was small enough.
    #[error(
        "{method} did not converge: {outcome} after {iterations} iterations, with a residual (for a \
         minimum: a gradient) of {residual:e} where at most {target:e} was asked for; precondition \
         the system, begin closer to the solution, loosen the tolerance, or take what there is with \
         `run`"
    )]
    NotConverged {
        /// The method.
        method: &'static str,
        /// Why it ended.
        outcome: crate::Outcome,
        /// Iterations made.
        iterations: usize,
        /// Norm of the residual at the end; for a minimum, of the gradient.
        residual: f64,
        /// The norm that was asked for.
        target: f64,
    },
    /// A singular system whose right-hand side is not in the range of the matrix.
    #[error(
        "{what} is {value:e}, and the system has a solution only if it is 0; subtract the mean, or \
         add a Dirichlet wall or a reaction"
    )]
    Inconsistent {
        /// What should be zero.
        what: &'static str,
        /// What it is.
        value: f64,
    },
    /// What was given as a solution does not fulfil its condition.
    #[error(
        "{what}: a Newton step would still move it by {change:e} of its size; solve it further \
         before you ask for gradients"
    )]
    NotSolved {
        /// The solution.
        what: &'static str,
        /// The change, relative.
        change: f64,
    },
    /// The applications of an operator that were allowed did not suffice.
    #[error(
        "{what}: {applications} applications of the operator led {progress} of the way; allow more, \
         or loosen the tolerance"
    )]
    Exhausted {
        /// What was computed.
        what: &'static str,
        /// Applications until then.
        applications: usize,
        /// The part of the way that was done, from 0 to 1.
        progress: f64,
    },
    /// The operator can be applied, but its transpose cannot.
    #[error(
        "{operator} has no transpose here; take a method that needs none (GMRES, BiCGStab), or \
         give the operator one"
    )]
    NoTranspose {
        /// The operator.
        operator: &'static str,
    },
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Shorthand for [`Error::Size`].
    pub fn size(what: &'static str, expected: impl ToString, got: impl ToString) -> Self {
        Self::Size { what, expected: expected.to_string(), got: got.to_string() }
    }

    /// Shorthand for [`Error::InvalidArgument`].
    pub fn invalid(what: &'static str, value: impl ToString, expected: &'static str) -> Self {
        Self::InvalidArgument { what, value: value.to_string(), expected }
    }
}

/// An error of this crate that passed through a caller's function comes out as it went in.
impl From<ansatz_core::Error> for Error {
    fn from(error: ansatz_core::Error) -> Self {
        match error {
            ansatz_core::Error::Custom(inner) => match inner.downcast::<Self>() {
                Ok(ours) => *ours,
                Err(other) => Self::Core(ansatz_core::Error::Custom(other)),
            },
            other => Self::Core(other),
        }
    }
}

impl From<Error> for ansatz_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(inner) => inner,
            other => Self::custom(other),
        }
    }
}

#[cfg(feature = "candle")]
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        ansatz_core::Error::from(error).into()
    }
}

#[cfg(feature = "candle")]
impl From<ansatz_ops::Error> for Error {
    fn from(error: ansatz_ops::Error) -> Self {
        ansatz_core::Error::from(error).into()
    }
}

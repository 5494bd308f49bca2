//! Errors of a caller's function on their way through a linear solver: [`Guarded`].

use crate::{Error, LinearOperator, Outcome, Properties, Result, Vector};

/// A Jacobian whose errors no solver's can be mistaken for: [`no_step`] and [`outward`] take them out
/// again as they went in.
pub(crate) struct Guarded<A>(pub(crate) A);

impl<V: Vector, A: LinearOperator<V>> LinearOperator<V> for Guarded<A> {
    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.0.apply_into(x, y).map_err(inward)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.0.apply_transposed_into(x, y).map_err(inward)
    }

    fn properties(&self) -> Properties {
        self.0.properties()
    }
}

fn inward(error: Error) -> Error {
    Error::Core(ansatz_core::Error::custom(error))
}

pub(crate) fn outward(error: Error) -> Error {
    match error {
        Error::Core(inner) => inner.into(),
        other => other,
    }
}

/// What a failure of a linear solver means to a method that asked for a step: reasons to end with
/// what there is. Others are handed on, and those of a [`Guarded`] operator.
pub(crate) fn no_step(error: Error) -> Result<Outcome> {
    match error {
        Error::Singular { .. } => Ok(Outcome::Breakdown("the Jacobian is singular")),
        Error::NotFinite { .. } => Ok(Outcome::Breakdown("the Jacobian is not finite")),
        Error::NotConverged { .. } => Ok(Outcome::Breakdown("the linear solver did not converge")),
        other => Err(outward(other)),
    }
}

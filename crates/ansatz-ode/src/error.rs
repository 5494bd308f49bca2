//! The error type of this crate.

/// What can go wrong in a solve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on states failed: sizes, dtypes, devices.
    #[error(transparent)]
    Core(ansatz_core::Error),
    /// The vector field returned an error.
    #[error("the vector field failed at t = {t}, step {step}: {source}")]
    Field {
        /// Time of the evaluation.
        t: f64,
        /// Number of the step, from 0.
        step: usize,
        /// What the field returned.
        source: ansatz_core::Error,
    },
    /// The condition or the change of an event returned an error.
    #[error("an event failed at t = {t}: {source}")]
    Event {
        /// Time of the evaluation.
        t: f64,
        /// What it returned.
        source: Box<ansatz_core::Error>,
    },
    /// An adjoint cannot differentiate through events.
    #[error(
        "{adjoint} does not differentiate through events; use RecursiveCheckpoint or Direct with \
         conditions made by `Event::of_tensor`, or NoGradient for values only"
    )]
    EventsNotDifferentiated {
        /// The adjoint.
        adjoint: &'static str,
    },
    /// A mass matrix has other numbers of zero rows and zero columns.
    #[error(
        "the mass matrix has {rows} zero rows but {columns} zero columns; write the system so that \
         each algebraic equation is a zero row and each algebraic variable a zero column"
    )]
    NotSemiExplicit {
        /// Zero rows: algebraic equations.
        rows: usize,
        /// Zero columns: algebraic variables.
        columns: usize,
    },
    /// The algebraic equations do not determine the algebraic variables.
    #[error(
        "the algebraic equations do not determine the algebraic variables at t = {t}: the index is \
         above 1; differentiate the constraints, or choose other variables"
    )]
    IndexTooHigh {
        /// Time at which it showed.
        t: f64,
    },
    /// The initial values do not satisfy the algebraic equations.
    #[error(
        "the initial values at t = {t} do not satisfy the algebraic equations: they are off by \
         {distance:e} in units of the tolerance; make them consistent with `consistent_initial`"
    )]
    Inconsistent {
        /// Time of the initial values.
        t: f64,
        /// How far the algebraic variables are from those that do, in the norm of the tolerance.
        distance: f64,
    },
    /// A linear system of an implicit method could not be solved.
    #[cfg(feature = "stiff")]
    #[error("linear algebra of an implicit step failed: {0}")]
    Linear(Box<ansatz_linalg::Error>),
    /// The time of an event has no derivative.
    #[error(
        "the condition of the event at t = {t} touches zero without crossing it, so that the time \
         of the event has no derivative"
    )]
    TangentialEvent {
        /// Time of the event.
        t: f64,
    },
    /// The equations of an implicit step could not be solved.
    #[error(
        "Newton's method failed at t = {t}, step {step}, even with a step of {h:e}; check the \
         Jacobian or the preconditioner, or the solution ends there; with fixed steps take shorter ones"
    )]
    NotConverged {
        /// Time reached.
        t: f64,
        /// The step that was tried.
        h: f64,
        /// Number of the step, from 0.
        step: usize,
    },
    /// An event that changes the state happens again and again within no time.
    #[error(
        "event {event} happens again and again at t = {t}; end the solve there with another event \
         (say, of a small speed), or let the change take the state off the surface"
    )]
    Crowded {
        /// Where they crowd together.
        t: f64,
        /// Which event, in the order in which they were given.
        event: usize,
    },
    /// A value is NaN or infinite and no smaller step mends it.
    #[error(
        "{what} is not finite at t = {t}, step {step}; check the data and parameters, or the \
         solution leaves the range of its dtype there"
    )]
    NotFinite {
        /// The initial state, the vector field or the state after a step.
        what: &'static str,
        /// Time of the evaluation.
        t: f64,
        /// Number of the step, from 0.
        step: usize,
    },
    /// The controller asks for a step below the resolution of time.
    #[error(
        "the step size fell to {h:e} at t = {t}, step {step}; the solution may blow up there, be \
         discontinuous, or need a stiff method; loosen the tolerance or split the interval"
    )]
    StepTooSmall {
        /// Time reached.
        t: f64,
        /// The step that was asked for.
        h: f64,
        /// Number of the step, from 0.
        step: usize,
    },
    /// Save times do not run from the start towards the end, or jump times not in one direction.
    #[error(
        "time {index} is {value} after {previous}; save times must increase when solving forwards \
         and decrease when solving backwards, jump times must do one of the two"
    )]
    NonMonotone {
        /// Position in the list of save times.
        index: usize,
        /// The offending time.
        value: f64,
        /// The one before it.
        previous: f64,
    },
    /// A time lies outside the interval of the solve.
    #[error("time {value} lies outside the interval from {t0} to {t1}")]
    OutsideInterval {
        /// The offending time.
        value: f64,
        /// Start of the interval.
        t0: f64,
        /// End of the interval.
        t1: f64,
    },
    /// The field reads a variable that it did not read at the start, where variables are sought.
    #[error(
        "at t = {t} the vector field reads a variable that it does not read at the start of the \
         interval, so its gradient would be lost; bind it as an argument with `WithArguments`"
    )]
    LateVariable {
        /// Time of the evaluation.
        t: f64,
    },
    /// A channel of a control path has no observed value at all.
    #[error(
        "channel {channel} of series {series} was never observed; fill it with `forward_fill` or \
         leave it out"
    )]
    Unobserved {
        /// Position in the batch.
        series: usize,
        /// The channel.
        channel: usize,
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
    /// The step budget ran out where a complete solve was needed.
    #[error(
        "{steps} steps led only to t = {t}; raise `max_steps`, loosen the tolerance, or use a \
         method for stiff problems"
    )]
    StepBudgetExhausted {
        /// Time reached.
        t: f64,
        /// Steps taken.
        steps: usize,
    },
    /// Something about one trajectory of an ensemble makes no sense.
    #[error("trajectory {index}: {source}")]
    Trajectory {
        /// Number of the trajectory, from 0.
        index: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// An ensemble was given too few or too many values of something that each trajectory has.
    #[error("{got} {what} for {trajectories} initial states: give one for each")]
    EnsembleCount {
        /// What there is one of for each trajectory.
        what: &'static str,
        /// How many were given.
        got: usize,
        /// How many initial states there are.
        trajectories: usize,
    },
    /// Something about one row of a batch makes no sense, or stopped it.
    #[error("row {row}: {source}")]
    Row {
        /// Number of the row, from 0.
        row: usize,
        /// What is wrong with it.
        source: Box<Error>,
    },
    /// A batch was given too few or too many values of something that each row has.
    #[error("{got} {what} for {rows} rows: give one for each")]
    RowCount {
        /// What there is one of for each row.
        what: &'static str,
        /// How many were given.
        got: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// The initial state has no components.
    #[error("the initial state is empty; a batch needs at least one row")]
    EmptyState,
}

impl Error {
    pub(crate) fn invalid(
        what: &'static str,
        value: impl ToString,
        expected: &'static str,
    ) -> Self {
        Self::InvalidArgument { what, value: value.to_string(), expected }
    }

    #[cfg(feature = "candle")]
    pub(crate) fn row(row: usize, source: Self) -> Self {
        Self::Row { row, source: Box::new(source) }
    }
}

#[cfg(feature = "stiff")]
impl From<ansatz_linalg::Error> for Error {
    fn from(error: ansatz_linalg::Error) -> Self {
        Self::Linear(Box::new(error))
    }
}

/// An error of a solve that passed through a module, a field or a gradient comes out as it went in.
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

#[cfg(feature = "candle")]
impl From<ansatz_ops::Error> for Error {
    fn from(error: ansatz_ops::Error) -> Self {
        ansatz_core::Error::from(error).into()
    }
}

#[cfg(feature = "candle")]
impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        ansatz_core::Error::from(error).into()
    }
}

/// A solve inside another vector field or a module passes its error on.
impl From<Error> for ansatz_core::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Core(inner) => inner,
            other => ansatz_core::Error::custom(other),
        }
    }
}

/// A solve inside a custom gradient or a gradient check passes its error on.
#[cfg(feature = "candle")]
impl From<Error> for ansatz_ops::Error {
    fn from(error: Error) -> Self {
        ansatz_core::Error::from(error).into()
    }
}

/// The result type of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

//! Where the trajectories of an ensemble differ: [`Trajectories`].

use crate::{Error, Result, Span, norm::check_tolerances, save::check_times};

/// A value for all trajectories, or one for each.
#[derive(Debug, Clone)]
pub(super) enum Each<T> {
    All(T),
    PerTrajectory(Vec<T>),
}

impl<T> Each<T> {
    /// That of trajectory `index`; the number of values was checked.
    pub(super) fn of(&self, index: usize) -> &T {
        match self {
            Self::All(value) => value,
            Self::PerTrajectory(values) => &values[index],
        }
    }

    fn check_count(&self, what: &'static str, trajectories: usize) -> Result<()> {
        match self {
            Self::PerTrajectory(values) => check_count(what, values.len(), trajectories),
            Self::All(_) => Ok(()),
        }
    }
}

fn check_count(what: &'static str, got: usize, trajectories: usize) -> Result<()> {
    if got == trajectories {
        return Ok(());
    }
    Err(Error::EnsembleCount { what, got, trajectories })
}

/// What there is of each trajectory.
#[derive(Debug, Clone)]
pub(super) struct Trajectories<const N: usize, const P: usize> {
    pub(super) y0s: Vec<[f64; N]>,
    /// None at all where they are empty.
    pub(super) parameters: Vec<[f64; P]>,
    pub(super) spans: Each<(f64, f64)>,
    /// Relative and absolute; `None` for those of the controller.
    pub(super) tolerances: Option<Vec<(f64, f64)>>,
    pub(super) saves: Each<Vec<f64>>,
    pub(super) max_steps: usize,
}

impl<const N: usize> Trajectories<N, 0> {
    /// The same with parameters.
    pub(super) fn parametrised<const P: usize>(
        self,
        parameters: Vec<[f64; P]>,
    ) -> Trajectories<N, P> {
        let Self { y0s, spans, tolerances, saves, max_steps, .. } = self;
        Trajectories { y0s, parameters, spans, tolerances, saves, max_steps }
    }
}

impl<const N: usize, const P: usize> Trajectories<N, P> {
    /// The parameters of trajectory `index`.
    pub(super) fn parameters(&self, index: usize) -> [f64; P] {
        self.parameters.get(index).copied().unwrap_or([0.0; P])
    }

    /// Whether any trajectory has save times.
    pub(super) fn any_saves(&self) -> bool {
        match &self.saves {
            Each::All(times) => !times.is_empty(),
            Each::PerTrajectory(each) => each.iter().any(|times| !times.is_empty()),
        }
    }

    /// Errors unless there are as many of everything as initial states, and all of it makes sense.
    pub(super) fn validate(&self) -> Result<()> {
        let count = self.y0s.len();
        if count == 0 {
            return Err(Error::invalid("number of trajectories", 0, "at least one initial state"));
        }
        if N == 0 {
            return Err(Error::EmptyState);
        }
        if P > 0 {
            check_count("parameters", self.parameters.len(), count)?;
        }
        if let Some(tolerances) = &self.tolerances {
            check_count("tolerances", tolerances.len(), count)?;
        }
        self.spans.check_count("spans", count)?;
        self.saves.check_count("lists of save times", count)?;
        let shared = matches!((&self.spans, &self.saves), (Each::All(_), Each::All(_)));
        for index in 0..count {
            let checked = || {
                if index == 0 || !shared {
                    let span = Span::from(*self.spans.of(index));
                    span.validate()?;
                    check_times(self.saves.of(index), &span)?;
                }
                if let Some(&(rtol, atol)) = self.tolerances.as_ref().map(|each| &each[index]) {
                    check_tolerances(rtol, atol)?;
                }
                if self.y0s[index].iter().all(|y| y.is_finite()) {
                    return Ok(());
                }
                let (what, t) = ("the initial state", self.spans.of(index).0);
                Err(Error::NotFinite { what, t, step: 0 })
            };
            let source = match checked() {
                Ok(()) => continue,
                Err(source) => source,
            };
            // What they share is wrong with all of them.
            if shared && !matches!(source, Error::NotFinite { .. }) && self.tolerances.is_none() {
                return Err(source);
            }
            return Err(Error::Trajectory { index, source: Box::new(source) });
        }
        Ok(())
    }
}

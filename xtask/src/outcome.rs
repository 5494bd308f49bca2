//! What one check came to, and the table printed at the end.
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    /// Not run, and why: nothing is skipped silently.
    Skipped(String),
}

impl Outcome {
    /// Passed when there is nothing to complain about; prints the complaints otherwise.
    pub(crate) fn from_complaints(complaints: &[String]) -> Self {
        for complaint in complaints {
            println!("  {complaint}");
        }
        match complaints.len() {
            0 => Self::Passed,
            1 => Self::Failed("1 complaint, see above".into()),
            n => Self::Failed(format!("{n} complaints, see above")),
        }
    }

    /// One outcome for checks that ran one after another: the first failure, else the first
    /// reasons for skipping, else passed.
    pub(crate) fn and(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Failed(_) => self,
            Self::Passed => match next() {
                Self::Skipped(reason) => Self::Skipped(format!("in part: {reason}")),
                other => other,
            },
            Self::Skipped(reason) => match next() {
                Self::Failed(failure) => Self::Failed(failure),
                Self::Passed => Self::Skipped(format!("in part: {reason}")),
                Self::Skipped(other) => Self::Skipped(format!("{reason}; {other}")),
            },
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Passed | Self::Skipped(_) => ExitCode::SUCCESS,
        }
    }
}

impl From<crate::Result> for Outcome {
    fn from(result: crate::Result) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => write!(f, "passed"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
        }
    }
}

/// One line of the table: the check, its wall time, its outcome.
pub(crate) struct Row {
    pub(crate) step: &'static str,
    pub(crate) wall: Duration,
    pub(crate) outcome: Outcome,
}

/// The table, with a last line that counts.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut lines = vec![format!("{:<20}{:>9}  result", "step", "seconds")];
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for Row { step, wall, outcome } in rows {
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed(_) => failed += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
        lines.push(format!("{step:<20}{:>9.1}  {outcome}", wall.as_secs_f64()));
    }
    lines.push(format!("{passed} passed, {failed} failed, {skipped} skipped\n"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipped(reason: &str) -> Outcome {
        Outcome::Skipped(reason.into())
    }

    #[test]
    fn a_failure_wins_over_everything() {
        let failure = Outcome::Failed("no".into());
        assert_eq!(failure.clone().and(|| Outcome::Passed), failure);
        assert_eq!(Outcome::Passed.and(|| failure.clone()), failure);
        assert_eq!(skipped("absent").and(|| failure.clone()), failure);
        assert_eq!(failure.exit_code(), ExitCode::FAILURE);
    }

    #[test]
    fn after_a_failure_the_rest_does_not_run() {
        let outcome = Outcome::Failed("no".into()).and(|| unreachable!());
        assert_eq!(outcome, Outcome::Failed("no".into()));
    }

    #[test]
    fn a_skipped_part_stays_visible() {
        assert_eq!(Outcome::Passed.and(|| skipped("absent")), skipped("in part: absent"));
        assert_eq!(skipped("absent").and(|| Outcome::Passed), skipped("in part: absent"));
        assert_eq!(skipped("absent").exit_code(), ExitCode::SUCCESS);
    }

    #[test]
    fn the_table_counts() {
        let wall = Duration::from_millis(1240);
        let row = |step, outcome| Row { step, wall, outcome };
        let text = table(&[row("fmt", Outcome::Passed), row("deny", skipped("absent"))]);
        assert!(text.contains("fmt                       1.2  passed\n"), "{text}");
        assert!(text.ends_with("1 passed, 0 failed, 1 skipped\n"), "{text}");
    }
}

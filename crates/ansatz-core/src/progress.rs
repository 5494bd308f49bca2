//! Reports of progress to whoever wants to show them.

use std::time::Duration;

/// One report: how far a run has come.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct ProgressEvent<'a> {
    /// What runs, for example `"train"`.
    pub label: &'a str,
    /// Steps done so far.
    pub step: u64,
    /// Steps in all, if known.
    pub total: Option<u64>,
    /// The current loss, residual or error, if there is one.
    pub loss: Option<f64>,
}

impl<'a> ProgressEvent<'a> {
    /// A report that `step` steps of `label` are done.
    pub fn new(label: &'a str, step: u64) -> Self {
        Self { label, step, total: None, loss: None }
    }

    /// Adds the number of steps in all.
    #[must_use]
    pub fn of(self, total: u64) -> Self {
        Self { total: Some(total), ..self }
    }

    /// Adds the current loss.
    #[must_use]
    pub fn with_loss(self, loss: f64) -> Self {
        Self { loss: Some(loss), ..self }
    }

    /// The part done, between 0 and 1, if the total is known. A run of no steps is done.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total?;
        Some(if self.step >= total { 1.0 } else { self.step as f64 / total as f64 })
    }

    /// The time still needed if the steps to come take as long as those done in `elapsed`.
    /// `None` before the first step and without a total.
    pub fn remaining(&self, elapsed: Duration) -> Option<Duration> {
        let fraction = self.fraction().filter(|&f| f > 0.0)?;
        Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 / fraction - 1.0)).ok()
    }
}

/// Receives reports from a long run.
///
/// Closures implement it. Reports may come from any thread and from inside hot loops, so an
/// implementation should return quickly.
///
/// ```
/// use ansatz_core::{Progress, ProgressEvent};
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// fn run(progress: &dyn Progress) {
///     for step in 1..=3 {
///         progress.report(&ProgressEvent::new("train", step).of(3).with_loss(1.0));
///     }
/// }
///
/// let seen = AtomicU64::new(0);
/// run(&|event: &ProgressEvent| seen.store(event.step, Ordering::Relaxed));
/// assert_eq!(seen.into_inner(), 3);
/// ```
pub trait Progress: Send + Sync {
    /// Takes one report.
    fn report(&self, event: &ProgressEvent);
}

/// Ignores all reports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _: &ProgressEvent) {}
}

impl<F: Fn(&ProgressEvent) + Send + Sync> Progress for F {
    fn report(&self, event: &ProgressEvent) {
        self(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fraction_and_remaining_time() {
        let second = Duration::from_secs(1);
        let quarter = ProgressEvent::new("solve", 25).of(100);
        assert_eq!(quarter.fraction(), Some(0.25));
        assert_eq!(quarter.remaining(10 * second), Some(30 * second));
        assert_eq!(
            ProgressEvent::new("solve", 100).of(100).remaining(second),
            Some(Duration::ZERO)
        );
        assert_eq!(ProgressEvent::new("solve", 0).of(0).fraction(), Some(1.0));
        // Overshoot is clipped, the unknowable is not invented.
        assert_eq!(ProgressEvent::new("solve", 101).of(100).fraction(), Some(1.0));
        assert_eq!(ProgressEvent::new("solve", 0).of(100).remaining(second), None);
        assert_eq!(ProgressEvent::new("solve", 5).remaining(second), None);
    }

    #[test]
    fn silent_and_closures_are_progress() {
        let seen = std::sync::Mutex::new(vec![]);
        let record = |event: &ProgressEvent| {
            seen.lock().unwrap().push((event.label.to_string(), event.step, event.loss));
        };
        let sinks: [&dyn Progress; 2] = [&Silent, &record];
        for sink in sinks {
            sink.report(&ProgressEvent::new("train", 3).with_loss(0.5));
        }
        assert_eq!(*seen.lock().unwrap(), [("train".to_string(), 3, Some(0.5))]);
    }
}

//! How a workload is timed, the same way for every peer.
use std::fs;
use std::time::Instant;

use crate::AnyError;

/// How often to repeat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// At least this many timed runs.
    pub min_runs: usize,
    /// At most this many.
    pub max_runs: usize,
    /// No new run begins after this many seconds (but see `min_runs`).
    pub budget_s: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { min_runs: 3, max_runs: 50, budget_s: 10.0 }
    }
}

impl Rules {
    /// The defaults with the budget of `BENCH_BUDGET_S`, where that is set to a number.
    pub fn from_env() -> Self {
        let budget = std::env::var("BENCH_BUDGET_S").ok().and_then(|text| text.parse().ok());
        Self { budget_s: budget.unwrap_or(Self::default().budget_s), ..Self::default() }
    }
}

/// Wall times of one workload, in seconds, and memory of this process, in MiB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// Median of the timed runs.
    pub median_s: f64,
    /// The fastest run.
    pub min_s: f64,
    /// Number of timed runs.
    pub runs: usize,
    /// What the first, untimed call took beyond the median: caches, thread start.
    pub first_extra_s: f64,
    /// Resident memory before the first call; `None` where /proc is absent.
    pub rss_before_mb: Option<f64>,
    /// Highest resident memory up to the last run; `None` where /proc is absent.
    pub peak_rss_mb: Option<f64>,
}

/// Calls `work` once untimed, then repeatedly under the rules; returns its last result.
///
/// # Errors
/// The first error of `work`.
pub fn timed<T>(
    rules: &Rules,
    mut work: impl FnMut() -> Result<T, AnyError>,
) -> Result<(T, Timing), AnyError> {
    let rss_before_mb = memory_mb("VmRSS:");
    let (mut result, first) = once(&mut work)?;
    let mut runs = Vec::with_capacity(rules.max_runs);
    let start = Instant::now();
    while runs.len() < rules.min_runs.max(1)
        || (runs.len() < rules.max_runs && start.elapsed().as_secs_f64() < rules.budget_s)
    {
        let (value, seconds) = once(&mut work)?;
        result = value;
        runs.push(seconds);
    }
    runs.sort_by(f64::total_cmp);
    let middle = runs.len() / 2;
    let median_s =
        if runs.len() % 2 == 1 { runs[middle] } else { runs[middle - 1].midpoint(runs[middle]) };
    let timing = Timing {
        median_s,
        min_s: runs[0],
        runs: runs.len(),
        first_extra_s: (first - median_s).max(0.0),
        rss_before_mb,
        peak_rss_mb: memory_mb("VmHWM:"),
    };
    Ok((result, timing))
}

/// [`timed`] for work too short for the clock: calls it `calls` times in each run; the times are
/// those of one call.
///
/// # Errors
/// The first error of `work`.
pub fn timed_repeated<T>(
    rules: &Rules,
    calls: usize,
    mut work: impl FnMut() -> Result<T, AnyError>,
) -> Result<(T, Timing), AnyError> {
    let calls = calls.max(1);
    let (result, mut timing) = timed(rules, || {
        for _ in 1..calls {
            std::hint::black_box(work()?);
        }
        work()
    })?;
    timing.median_s /= calls as f64;
    timing.min_s /= calls as f64;
    Ok((result, timing))
}

fn once<T>(work: &mut impl FnMut() -> Result<T, AnyError>) -> Result<(T, f64), AnyError> {
    let start = Instant::now();
    let result = work()?;
    Ok((result, start.elapsed().as_secs_f64()))
}

/// One field of /proc/self/status, which counts in KiB.
fn memory_mb(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn count_calls(rules: &Rules) -> (usize, Timing) {
        let mut calls = 0;
        let (last, timing) = timed(rules, || {
            calls += 1;
            Ok(calls)
        })
        .unwrap();
        assert_eq!(last, calls, "the result is that of the last call");
        (calls, timing)
    }

    #[test]
    fn an_exhausted_budget_leaves_the_warm_up_and_three_runs() {
        let (calls, timing) = count_calls(&Rules { budget_s: 0.0, ..Rules::default() });
        assert_eq!((calls, timing.runs), (4, 3));
    }

    #[test]
    fn a_quick_workload_stops_at_fifty_runs() {
        let (calls, timing) = count_calls(&Rules::default());
        assert_eq!((calls, timing.runs), (51, 50));
    }

    #[test]
    fn the_warm_up_is_not_in_the_median() {
        let mut first = true;
        let ((), timing) = timed(&Rules { budget_s: 0.0, ..Rules::default() }, || {
            let pause = if first { 60 } else { 5 };
            first = false;
            std::thread::sleep(Duration::from_millis(pause));
            Ok(())
        })
        .unwrap();
        assert!(timing.min_s >= 0.005 && timing.min_s <= timing.median_s, "{timing:?}");
        // The pauses are lower bounds; a busy machine only lengthens them.
        assert!(timing.first_extra_s > 0.0 || timing.median_s > 0.060, "{timing:?}");
    }

    #[test]
    fn repeated_work_is_timed_per_call() {
        let rules = Rules { budget_s: 0.0, ..Rules::default() };
        let mut calls = 0;
        let (last, timing) = timed_repeated(&rules, 10, || {
            calls += 1;
            std::thread::sleep(Duration::from_millis(2));
            Ok(calls)
        })
        .unwrap();
        // A warm-up and three runs.
        assert_eq!((last, calls, timing.runs), (40, 40, 3));
        // The pauses are lower bounds; ten of them would be 20 ms.
        assert!(timing.min_s >= 0.002 && timing.min_s < 0.020, "{timing:?}");
    }

    #[test]
    fn the_error_of_the_work_comes_back() {
        let result: Result<((), Timing), _> = timed(&Rules::default(), || Err("no".into()));
        assert!(result.is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_is_seen() {
        let (_, timing) = timed(&Rules { budget_s: 0.0, ..Rules::default() }, || {
            Ok(std::hint::black_box(vec![1_u8; 64 << 20]).len())
        })
        .unwrap();
        assert!(timing.peak_rss_mb.unwrap() > timing.rss_before_mb.unwrap() + 40.0, "{timing:?}");
    }
}

//! One line of results, in the schema of the Python peers, and the readable table.
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Timing;

/// What the workload counts: calls of the vector field, or steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Evaluations of the vector field in one run.
    Nfev(usize),
    /// Steps or iterations in one run.
    Steps(usize),
}

/// What a workload hands back.
#[derive(Debug, Clone)]
pub struct Measured {
    timing: Timing,
    work: Work,
    error_vs_reference: f64,
    extra: Map<String, Value>,
}

impl Measured {
    /// Times, counts and the error as the workload defines it.
    pub fn new(timing: Timing, work: Work, error_vs_reference: f64) -> Self {
        Self { timing, work, error_vs_reference, extra: Map::new() }
    }

    /// Adds a field of this workload alone, e.g. `error_t5`. Numbers that JSON lacks (infinite,
    /// not a number) become null.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }
}

/// One line of results. The names are those of the peers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// E.g. `O1.end`.
    pub workload: String,
    /// `ansatz`, or `ansatz-` and the method.
    pub peer: String,
    /// CPUs and threads it was given.
    pub threads: usize,
    /// The CPUs it was pinned to, or why it was not.
    pub pinned: String,
    /// Load average of one minute at the end: near `threads` on a quiet machine.
    pub load: Option<f64>,
    /// Median wall time of one run, in seconds.
    pub median_s: f64,
    /// Fastest run, in seconds.
    pub min_s: f64,
    /// Timed runs.
    pub runs: usize,
    /// First call less the median, in seconds (the peers' name; nothing is compiled here).
    pub compile_s: f64,
    /// Resident memory before the first call, in MiB.
    pub rss_before_mb: Option<f64>,
    /// Peak resident memory of the process, in MiB.
    pub peak_rss_mb: Option<f64>,
    /// Calls of the vector field in one run, where that is what the workload counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nfev: Option<usize>,
    /// Steps in one run, where that is what the workload counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// As the workload defines it; null when it is not a finite number.
    pub error_vs_reference: Option<f64>,
    /// Fields of this workload alone.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Line {
    /// The line of one variant that ran on `threads` threads.
    pub fn new(
        workload: &str,
        peer: String,
        threads: usize,
        pinned: String,
        load: Option<f64>,
        measured: Measured,
    ) -> Self {
        let Measured { timing, work, error_vs_reference, extra } = measured;
        let round = |digits: i32, x: f64| (x * 10_f64.powi(digits)).round() / 10_f64.powi(digits);
        let (nfev, steps) = match work {
            Work::Nfev(n) => (Some(n), None),
            Work::Steps(n) => (None, Some(n)),
        };
        Self {
            workload: workload.into(),
            peer,
            threads,
            pinned,
            load: load.map(|x| round(1, x)),
            // Picoseconds: a call of a microsecond keeps six digits.
            median_s: round(12, timing.median_s),
            min_s: round(12, timing.min_s),
            runs: timing.runs,
            compile_s: round(4, timing.first_extra_s),
            rss_before_mb: timing.rss_before_mb.map(|x| round(1, x)),
            peak_rss_mb: timing.peak_rss_mb.map(|x| round(1, x)),
            nfev,
            steps,
            error_vs_reference: error_vs_reference.is_finite().then_some(error_vs_reference),
            extra,
        }
    }
}

/// The line of a variant that did not come through; the peers print the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failure {
    /// E.g. `O1.end`.
    pub workload: String,
    /// `ansatz`, or `ansatz-` and the method.
    pub peer: String,
    /// Exit status, or what was wrong with the output.
    pub failed: String,
}

/// The lines as a table for reading.
pub fn table(lines: &[Line]) -> String {
    let heading = format!(
        "{:<14}{:<22}{:>8}{:>13}{:>13}{:>6}{:>16}{:>12}{:>10}\n",
        "workload", "peer", "threads", "median", "fastest", "runs", "work", "error", "peak MiB"
    );
    let rows = lines.iter().map(|line| {
        let work = match (line.nfev, line.steps) {
            (Some(n), _) => format!("{n} f"),
            (_, Some(n)) => format!("{n} steps"),
            _ => "-".into(),
        };
        let or_dash = |x: Option<f64>, show: fn(f64) -> String| x.map_or("-".into(), show);
        format!(
            "{:<14}{:<22}{:>8}{:>13}{:>13}{:>6}{:>16}{:>12}{:>10}\n",
            line.workload,
            line.peer,
            line.threads,
            seconds(line.median_s),
            seconds(line.min_s),
            line.runs,
            work,
            or_dash(line.error_vs_reference, |x| format!("{x:.2e}")),
            or_dash(line.peak_rss_mb, |x| format!("{x:.0}")),
        )
    });
    std::iter::once(heading).chain(rows).collect()
}

pub(super) fn seconds(s: f64) -> String {
    match s {
        s if s < 1e-3 => format!("{:.1} us", s * 1e6),
        s if s < 1.0 => format!("{:.3} ms", s * 1e3),
        s => format!("{s:.3} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(error: f64) -> Measured {
        let timing = Timing {
            median_s: 0.00123456789,
            min_s: 0.001,
            runs: 50,
            first_extra_s: 0.25,
            rss_before_mb: Some(10.04),
            peak_rss_mb: Some(12.0),
        };
        Measured::new(timing, Work::Nfev(10771), error).with("error_t5", 9.1e-7)
    }

    fn line(error: f64) -> Line {
        Line::new("O1.end", "ansatz".into(), 2, "CPUs 0,1".into(), Some(1.96), measured(error))
    }

    #[test]
    fn the_schema_is_that_of_the_peers() {
        let value = serde_json::to_value(line(0.0042)).unwrap();
        let expected = serde_json::json!({
            "workload": "O1.end", "peer": "ansatz", "threads": 2, "pinned": "CPUs 0,1", "load": 2.0,
            "median_s": 0.00123456789, "min_s": 0.001, "runs": 50, "compile_s": 0.25,
            "rss_before_mb": 10.0, "peak_rss_mb": 12.0, "nfev": 10771,
            "error_vs_reference": 0.0042, "error_t5": 9.1e-7,
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn a_line_survives_the_way_between_processes() {
        for error in [0.0042, f64::NAN] {
            let line = line(error);
            let text = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<Line>(&text).unwrap(), line);
        }
    }

    #[test]
    fn an_error_that_is_no_number_is_null_and_not_zero() {
        assert_eq!(
            serde_json::to_value(line(f64::NAN)).unwrap()["error_vs_reference"],
            Value::Null
        );
    }

    #[test]
    fn the_table_has_units() {
        let text = table(&[line(0.0042)]);
        assert!(text.contains("1.235 ms") && text.contains("10771 f"), "{text}");
        assert_eq!((seconds(2e-5), seconds(2.5)), ("20.0 us".into(), "2.500 s".into()));
    }
}

//! One process for each variant, so that its peak memory is its own.
use std::fs;
use std::process::{Command, Stdio};

use super::{Failure, Line, Pinning, Rules, Variant};
use crate::{AnyError, Error};

/// What came of one variant.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// It was measured.
    Line(Box<Line>),
    /// It was not.
    Failure(Failure),
}

/// Measures in this process. `threads` and `pinned` are what the parent gave it.
///
/// # Errors
/// Those of the workload.
pub fn measure_here(variant: &Variant, threads: usize, pinned: String) -> Result<Line, AnyError> {
    let measured = (variant.run)(&Rules::from_env())?;
    Ok(Line::new(variant.workload, variant.peer(), threads, pinned, load(), measured))
}

/// Starts `program` under the pinning with `args`, and reads the line that it prints last.
pub fn measure_in_own_process(
    variant: &Variant,
    pinning: &Pinning,
    program: &std::path::Path,
    args: &[String],
) -> Report {
    let mut command = pinning.command(program);
    match read_line(variant, command.args(args)) {
        Ok(line) => Report::Line(Box::new(line)),
        Err(error) => Report::Failure(Failure {
            workload: variant.workload.into(),
            peer: variant.peer(),
            failed: error.to_string(),
        }),
    }
}

fn read_line(variant: &Variant, command: &mut Command) -> Result<Line, Error> {
    let process = |why: String| Error::Process { workload: variant.id(), why };
    // Messages of the workload stay visible: only its standard output is ours.
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| process(format!("its process did not start: {e}")))?;
    if !output.status.success() {
        return Err(process(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|e| process(format!("its last line is no record: {e}")))
}

/// Load average of the last minute; `None` where /proc is absent.
fn load() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Measured, Work, timed};

    const VARIANT: Variant = Variant {
        workload: "X1",
        library: "ansatz",
        method: "",
        run: |_| {
            let rules = Rules { budget_s: 0.0, ..Rules::default() };
            let (value, timing) = timed(&rules, || Ok(1.0))?;
            Ok(Measured::new(timing, Work::Steps(1), value - 1.0))
        },
    };

    fn shell(script: &str) -> Result<Line, Error> {
        read_line(&VARIANT, Command::new("sh").args(["-c", script]))
    }

    #[cfg(unix)]
    #[test]
    fn the_last_line_of_the_process_is_the_record() {
        let line = measure_here(&VARIANT, 1, "CPUs 0".into()).unwrap();
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(shell(&format!("echo a remark; echo '{json}'")).unwrap(), line);
        assert_eq!((line.runs, line.steps, line.error_vs_reference), (3, Some(1), Some(0.0)));
    }

    #[cfg(unix)]
    #[test]
    fn a_process_that_fails_or_says_nothing_is_a_failure() {
        for script in ["exit 3", "true", "echo no record"] {
            assert!(matches!(shell(script), Err(Error::Process { .. })), "{script}");
        }
        let pinning = Pinning::new(Some(1)).unwrap();
        let args = ["-c".to_owned(), "exit 3".to_owned()];
        let report = measure_in_own_process(&VARIANT, &pinning, "sh".as_ref(), &args);
        assert!(matches!(report, Report::Failure(_)), "{report:?}");
    }
}

//! What a run found: the JSON report and the lines of the tables.
use ansatz::ops::without_kernels;
use candle_core::DType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeviceInfo, HostInfo};
use crate::AnyError;

/// Everything one run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When it began, in UTC.
    pub date: String,
    /// What was checked.
    pub device: DeviceInfo,
    /// Where the references were computed.
    pub host: HostInfo,
    /// Version of ansatz.
    pub ansatz: String,
    /// The manifest of the bundle (candle, CUDA, compiler, commit), if the program is in one.
    pub build: Option<Value>,
    /// One for each check, dtype and part.
    pub checks: Vec<CheckLine>,
    /// One for each workload.
    pub timings: Vec<TimingLine>,
}

/// Value or gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What the function returns.
    Value,
    /// What `backward` gives for its inputs.
    Gradient,
}

/// What computes a check on the CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The kernels, where there are some.
    Usual,
    /// The compositions of candle operations that stand for the kernels on other devices.
    Composed,
}

impl Way {
    pub(super) fn of<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::Usual => work(),
            Self::Composed => without_kernels(work),
        }
    }
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Within the tolerance.
    Agrees,
    /// Beyond the tolerance, or not a number.
    Differs,
    /// The device could not compute it.
    Failed,
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckLine {
    /// The check.
    pub name: String,
    /// The dtype on the device.
    pub dtype: String,
    /// Whether the CPU ran the compositions of other devices instead of its kernels.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub composed: bool,
    /// Value or gradient.
    pub part: Part,
    /// `max |a − b| / max(1, max |b|)` against the CPU in f64; null when it is not a finite number.
    pub max_difference: Option<f64>,
    /// The largest that agrees.
    pub tolerance: f64,
    /// The outcome.
    pub verdict: Verdict,
    /// The first line of the error, if the device could not compute it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl CheckLine {
    pub(super) fn new(
        name: &str,
        dtype: DType,
        way: Way,
        part: Part,
        result: Result<f64, AnyError>,
        tolerance: f64,
    ) -> Self {
        let (found, verdict, error) = match result {
            // NaN is not below anything.
            Ok(d) if d <= tolerance => (Some(d), Verdict::Agrees, None),
            Ok(d) => (d.is_finite().then_some(d), Verdict::Differs, None),
            Err(error) => {
                // The first line: the rest may be a backtrace.
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default().to_owned();
                (None, Verdict::Failed, Some(first))
            }
        };
        Self {
            name: name.into(),
            dtype: dtype.as_str().into(),
            composed: way == Way::Composed,
            part,
            max_difference: found,
            tolerance,
            verdict,
            error,
        }
    }

    /// Whether the difference is within the tolerance.
    pub fn agrees(&self) -> bool {
        self.verdict == Verdict::Agrees
    }

    /// The heading of the table.
    pub fn heading() -> String {
        format!(
            "{:<44}{:<7}{:<10}{:>11}{:>11}  {}",
            "check", "dtype", "part", "difference", "tolerance", "verdict"
        )
    }

    /// The line of the table.
    pub fn row(&self) -> String {
        let part = match self.part {
            Part::Value => "value",
            Part::Gradient => "gradient",
        };
        let found = self.max_difference.map_or_else(|| "-".into(), |d| format!("{d:.1e}"));
        let verdict = match (self.verdict, &self.error) {
            (Verdict::Agrees, _) => "agrees".into(),
            (Verdict::Differs, _) => "DIFFERS".into(),
            (Verdict::Failed, error) => format!("FAILED: {}", error.as_deref().unwrap_or("")),
        };
        let Self { name, dtype, tolerance, .. } = self;
        let name = if self.composed { &format!("{name} (composed)") } else { name };
        format!("{name:<44}{dtype:<7}{part:<10}{found:>11}{tolerance:>11.1e}  {verdict}")
    }
}

/// One workload on the CPU and on the device, median wall times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimingLine {
    /// The workload.
    pub name: String,
    /// What it computes in.
    pub dtype: String,
    /// Seconds on the CPU.
    pub cpu_s: f64,
    /// Seconds on the device; null where the device is the CPU or could not do it.
    pub device_s: Option<f64>,
    /// CPU seconds over device seconds.
    pub ratio: Option<f64>,
    /// The first line of the error, if the device could not do it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl TimingLine {
    /// A line from the two times; `None` for a device that is the CPU.
    pub fn new(name: &str, cpu_s: f64, device: Option<Result<f64, AnyError>>) -> Self {
        let (device_s, error) = match device {
            None => (None, None),
            Some(Ok(s)) => (Some(s), None),
            Some(Err(e)) => (None, Some(e.to_string().lines().next().unwrap_or("").to_owned())),
        };
        Self {
            name: name.into(),
            dtype: DType::F32.as_str().into(),
            cpu_s,
            device_s,
            ratio: device_s.map(|s| cpu_s / s),
            error,
        }
    }

    /// The heading of the table.
    pub fn heading() -> String {
        format!("{:<46}{:<7}{:>12}{:>12}{:>9}", "workload", "dtype", "CPU ms", "device ms", "ratio")
    }

    /// The line of the table.
    pub fn row(&self) -> String {
        let Self { name, dtype, cpu_s, .. } = self;
        let milliseconds = |s: f64| format!("{:.3}", s * 1e3);
        let device = self.device_s.map_or_else(|| "-".into(), milliseconds);
        let ratio = self.ratio.map_or_else(|| "-".into(), |r| format!("{r:.1}"));
        let error = self.error.as_ref().map(|e| format!("  FAILED: {e}")).unwrap_or_default();
        let cpu = milliseconds(*cpu_s);
        format!("{name:<46}{dtype:<7}{cpu:>12}{device:>12}{ratio:>9}{error}")
    }
}

impl Report {
    /// Whether there was something to do, everything agrees and every workload ran.
    pub fn agrees(&self) -> bool {
        self.checks.len() + self.timings.len() > 0
            && self.checks.iter().all(CheckLine::agrees)
            && self.timings.iter().all(|t| t.error.is_none())
    }

    /// A last line that counts.
    pub fn summary(&self) -> String {
        let count = |v: Verdict| self.checks.iter().filter(|c| c.verdict == v).count();
        let (agree, differ, failed) =
            (count(Verdict::Agrees), count(Verdict::Differs), count(Verdict::Failed));
        format!("{agree} agree, {differ} differ, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(result: Result<f64, AnyError>) -> CheckLine {
        CheckLine::new("softmax", DType::F32, Way::Usual, Part::Value, result, 1e-5)
    }

    fn report(checks: Vec<CheckLine>, timings: Vec<TimingLine>) -> Report {
        Report {
            date: "2026-11-23T07:00:00Z".into(),
            device: DeviceInfo { device: "cuda:0".into(), ..DeviceInfo::default() },
            host: HostInfo { processor: None, threads: 2, system: "x86_64 linux".into() },
            ansatz: "0.1.0".into(),
            build: Some(serde_json::json!({ "cuda": "13.0" })),
            checks,
            timings,
        }
    }

    #[test]
    fn the_verdict_is_by_the_tolerance_and_nan_differs() {
        assert!(line(Ok(1e-5)).agrees());
        for bad in [1.1e-5, f64::NAN, f64::INFINITY] {
            assert_eq!(line(Ok(bad)).verdict, Verdict::Differs, "{bad}");
        }
        let failed = line(Err("no kernel\n   0: backtrace".into()));
        assert_eq!((failed.verdict, failed.error.as_deref()), (Verdict::Failed, Some("no kernel")));
        assert!(failed.row().contains("FAILED: no kernel"));
    }

    #[test]
    fn the_report_survives_json() {
        let timings = vec![
            TimingLine::new("matmul", 0.5, Some(Ok(0.01))),
            TimingLine::new("dense", 0.5, Some(Err("no memory".into()))),
        ];
        let report = report(vec![line(Ok(1e-7)), line(Ok(f64::NAN))], timings);
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["checks"][0]["verdict"], "agrees");
        assert_eq!(value["checks"][1]["max_difference"], Value::Null);
        assert_eq!(value["timings"][0]["ratio"], 50.0);
        assert_eq!(value["build"]["cuda"], "13.0");
    }

    #[test]
    fn nothing_checked_is_not_agreement() {
        assert!(!report(vec![], vec![]).agrees());
        assert!(report(vec![line(Ok(0.0))], vec![]).agrees());
        assert!(!report(vec![line(Ok(0.0)), line(Ok(1.0))], vec![]).agrees());
        let failed = TimingLine::new("dense", 0.5, Some(Err("no memory".into())));
        assert!(!report(vec![line(Ok(0.0))], vec![failed]).agrees());
    }

    #[test]
    fn the_summary_counts() {
        let report = report(vec![line(Ok(0.0)), line(Ok(1.0)), line(Err("x".into()))], vec![]);
        assert_eq!(report.summary(), "1 agree, 1 differ, 1 failed");
    }
}

//! Giving a process a fixed number of CPUs and threads.
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs, thread};

use crate::Error;

/// What a workload's process is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinning {
    threads: usize,
    /// The CPUs to pin to; empty where pinning is not possible.
    cpus: Vec<usize>,
}

impl Pinning {
    /// `threads` CPUs of those this process may use. The default is `BENCH_THREADS`, else 2, like
    /// the peers', but never more than there are.
    ///
    /// # Errors
    /// [`Error::Threads`] for 0 or for more than there are.
    pub fn new(asked: Option<usize>) -> Result<Self, Error> {
        let allowed = allowed_cpus();
        let available = if allowed.is_empty() {
            thread::available_parallelism().map_or(1, usize::from)
        } else {
            allowed.len()
        };
        let from_env = env::var("BENCH_THREADS").ok().and_then(|text| text.parse().ok());
        let threads = asked.or(from_env).unwrap_or_else(|| available.min(2));
        if threads == 0 || threads > available {
            return Err(Error::Threads { asked: threads, available });
        }
        let cpus = if has_taskset() { allowed.into_iter().take(threads).collect() } else { vec![] };
        Ok(Self { threads, cpus })
    }

    /// Number of threads.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What is done, in words.
    pub fn describe(&self) -> String {
        match self.cpus.as_slice() {
            [] => "not pinned: taskset is not here".into(),
            _ => format!("CPUs {}", self.cpu_list()),
        }
    }

    /// A command for `program` under this pinning. rayon and candle take their number of threads
    /// from the variables, everything else from the affinity.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = if self.cpus.is_empty() {
            Command::new(program)
        } else {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &self.cpu_list()]).arg(program);
            command
        };
        for name in ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS", "BENCH_THREADS"] {
            command.env(name, self.threads.to_string());
        }
        for name in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"] {
            command.env(name, self.threads.to_string());
        }
        command
    }

    fn cpu_list(&self) -> String {
        self.cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
    }
}

/// The CPUs of our own affinity mask, lowest first; empty where /proc is absent.
fn allowed_cpus() -> Vec<usize> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    list.map(cpus_in_list).unwrap_or_default()
}

/// The numbers of a list such as `0-2,5`; empty if it is malformed.
pub fn cpus_in_list(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
    });
    let ranges: Option<Vec<_>> = ranges.collect();
    ranges.into_iter().flatten().flatten().collect()
}

fn has_taskset() -> bool {
    let mut command = Command::new("taskset");
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cpus_are_read() {
        assert_eq!(cpus_in_list("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(cpus_in_list("3"), [3]);
        for malformed in ["", "a", "1-", "1,,2"] {
            assert!(cpus_in_list(malformed).is_empty(), "{malformed}");
        }
    }

    #[test]
    fn no_threads_and_too_many_are_refused() {
        for asked in [0, 1 << 20] {
            assert!(matches!(Pinning::new(Some(asked)), Err(Error::Threads { .. })));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_sees_what_it_was_given() {
        let pinning = Pinning::new(Some(1)).unwrap();
        let mut command = pinning.command(Path::new("sh"));
        let script = "echo $RAYON_NUM_THREADS; grep Cpus_allowed_list: /proc/self/status";
        let output = command.args(["-c", script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (threads, list) = text.split_once('\n').unwrap();
        assert_eq!(threads, "1");
        if has_taskset() {
            let list = list.trim_start_matches("Cpus_allowed_list:");
            assert_eq!(cpus_in_list(list), pinning.cpus);
        }
    }
}

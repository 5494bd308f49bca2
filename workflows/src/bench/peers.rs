//! The Python peers, run beside our own variants: [`Peers`] and [`comparison`].
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::line::seconds;
use super::{Line, Pinning, Variant};
use crate::Error;

/// How OpenMP threads wait. A peer is given the better of both.
const POLICIES: [Option<&str>; 2] = [None, Some("PASSIVE")];

/// One result, of a peer or our own: the fields that all lines share.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Figure {
    /// E.g. `K1.tanh.16k`.
    pub workload: String,
    /// E.g. `torch`.
    pub peer: String,
    /// Median wall time, in seconds.
    pub median_s: f64,
    /// As the workload defines it.
    pub error_vs_reference: Option<f64>,
}

impl From<&Line> for Figure {
    fn from(line: &Line) -> Self {
        Self {
            workload: line.workload.clone(),
            peer: line.peer.clone(),
            median_s: line.median_s,
            error_vs_reference: line.error_vs_reference,
        }
    }
}

/// The scripts that serve the chosen workloads, and what runs them.
#[derive(Debug, Clone)]
pub struct Peers {
    python: PathBuf,
    scripts: Vec<PathBuf>,
    workloads: BTreeSet<&'static str>,
}

impl Peers {
    /// The scripts in `folder` whose first line names the family of a chosen workload, as in
    /// `"""K1: …` or `"""N1: … N2: …`.
    ///
    /// # Errors
    /// [`Error::Process`] where the interpreter does not start or the folder cannot be read.
    pub fn find(python: &Path, folder: &Path, chosen: &[Variant]) -> Result<Self, Error> {
        // Asked here: under the pinning it is taskset that starts, and always does.
        let mut version = Command::new(python);
        version.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        version.status().map_err(|e| Error::Process {
            workload: "peers".into(),
            why: format!("{} did not start: {e}", python.display()),
        })?;
        let unreadable = |e: std::io::Error| Error::Process {
            workload: folder.display().to_string(),
            why: format!("its scripts cannot be listed: {e}"),
        };
        let families: BTreeSet<&str> =
            chosen.iter().filter_map(|v| v.workload.split('.').next()).collect();
        let mut scripts = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let is_script = path.extension().is_some_and(|e| e == "py");
            let text =
                if is_script { fs::read_to_string(&path).unwrap_or_default() } else { continue };
            let first = text.lines().next().unwrap_or_default().trim_start_matches('"');
            let mut named = first.split_whitespace().filter_map(|word| word.strip_suffix(':'));
            if named.any(|word| families.contains(word)) {
                scripts.push(path);
            }
        }
        scripts.sort();
        let workloads = chosen.iter().map(|v| v.workload).collect();
        Ok(Self { python: python.into(), scripts, workloads })
    }

    /// Whether no script serves the workloads.
    pub fn is_empty(&self) -> bool {
        self.scripts.is_empty()
    }

    /// How often to call [`run`](Self::run): once for each way that OpenMP threads may wait.
    pub const ROUNDS: usize = POLICIES.len();

    /// Runs every script under the pinning; returns the JSON lines of the chosen workloads.
    ///
    /// # Errors
    /// [`Error::Process`] where nothing starts. A script that fails only lacks lines; its messages
    /// are seen.
    pub fn run(&self, pinning: &Pinning, round: usize) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        for script in &self.scripts {
            let mut command = pinning.command(&self.python);
            command.args(["-W", "ignore"]).arg(script).env_remove("OMP_WAIT_POLICY");
            if let Some(policy) = POLICIES[round % POLICIES.len()] {
                command.env("OMP_WAIT_POLICY", policy);
            }
            let output = command.stderr(Stdio::inherit()).output().map_err(|e| Error::Process {
                workload: script.display().to_string(),
                why: format!("{} did not start: {e}", self.python.display()),
            })?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            lines.extend(text.lines().filter(|line| self.is_chosen(line)).map(String::from));
        }
        Ok(lines)
    }

    fn is_chosen(&self, line: &str) -> bool {
        // Some peers have one way where we have several: O2 beside O2.tensor and O2.ensemble.
        let means = |figure: Figure| {
            let workload = figure.workload.as_str();
            self.workloads.iter().any(|w| *w == workload || w.split('.').next() == Some(workload))
        };
        serde_json::from_str::<Figure>(line).is_ok_and(means)
    }
}

/// The figures of each workload, fastest first, each peer at its best, with the ratio of its time
/// to that of our fastest variant. Where peers have one workload (`O2`) and we several ways to do it
/// (`O2.tensor`, `O2.ensemble`), the fastest of these stands beside the peers too.
pub fn comparison(figures: &[Figure]) -> String {
    let mut order: Vec<&str> = Vec::new();
    for figure in figures {
        if !order.contains(&figure.workload.as_str()) {
            order.push(&figure.workload);
        }
    }
    let mut text = format!(
        "{:<20}{:<40}{:>12}{:>12}{:>14}\n",
        "workload", "peer", "median", "error", "times ansatz"
    );
    for workload in order {
        let mut best: Vec<&Figure> = Vec::new();
        for figure in figures.iter().filter(|f| f.workload == workload) {
            match best.iter_mut().find(|b| b.peer == figure.peer) {
                Some(b) if b.median_s <= figure.median_s => {}
                Some(b) => *b = figure,
                None => best.push(figure),
            }
        }
        let fastest = fastest_way(workload, figures);
        best.extend(&fastest);
        best.sort_by(|a, b| a.median_s.total_cmp(&b.median_s));
        let ours = best.iter().find(|f| f.peer.starts_with("ansatz")).map(|f| f.median_s);
        for figure in best {
            let ratio = ours.map_or("-".into(), |ours| format!("{:.2}", figure.median_s / ours));
            let error = figure.error_vs_reference.map_or("-".into(), |e| format!("{e:.1e}"));
            let time = seconds(figure.median_s);
            let peer = &figure.peer;
            let _ = writeln!(text, "{workload:<20}{peer:<40}{time:>12}{error:>12}{ratio:>14}");
        }
    }
    text
}

/// Our fastest way of a workload that we have under names of its family alone.
fn fastest_way(workload: &str, figures: &[Figure]) -> Option<Figure> {
    let ours = |f: &&Figure| f.peer.starts_with("ansatz");
    if figures.iter().filter(ours).any(|f| f.workload == workload) {
        return None;
    }
    let ways =
        figures.iter().filter(ours).filter(|f| f.workload.split('.').next() == Some(workload));
    let fastest = ways.min_by(|a, b| a.median_s.total_cmp(&b.median_s))?;
    let peer = format!("{} ({})", fastest.peer, fastest.workload);
    Some(Figure { peer, workload: workload.into(), ..fastest.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIANT: Variant = Variant {
        workload: "K1.tanh.16k",
        library: "ansatz",
        method: "",
        run: |_| Err("not run here".into()),
    };

    fn figure(workload: &str, peer: &str, median_s: f64) -> Figure {
        let (workload, peer) = (workload.into(), peer.into());
        Figure { workload, peer, median_s, error_vs_reference: Some(1e-7) }
    }

    #[test]
    fn every_peer_is_shown_at_its_best_with_its_ratio() {
        let figures = [
            figure("K1", "ansatz", 3e-6),
            figure("K1", "torch", 9e-6),
            figure("K1", "ansatz-other", 2e-6),
            figure("K1", "torch", 4e-6),
            figure("K2", "torch", 1.0),
        ];
        let text = comparison(&figures);
        let rows: Vec<Vec<&str>> =
            text.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), 4, "{text}");
        assert_eq!((rows[0][1], rows[0][5]), ("ansatz-other", "1.00"));
        assert_eq!((rows[1][1], rows[1][5]), ("ansatz", "1.50"));
        assert_eq!((rows[2][1], rows[2][2], rows[2][5]), ("torch", "4.0", "2.00"));
        assert_eq!((rows[3][1], rows[3][5]), ("torch", "-"));
    }

    #[test]
    fn the_fastest_of_several_ways_stands_beside_the_peers() {
        let figures = [
            figure("K1.one", "ansatz-a", 3e-6),
            figure("K1.other", "ansatz-a", 2e-6),
            figure("K1", "torch", 8e-6),
        ];
        let text = comparison(&figures);
        let last: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(last.len(), 2, "{text}");
        assert!(last[0].starts_with("K1 ") && last[0].contains("ansatz-a (K1.other)"), "{text}");
        assert!(last[1].contains("torch") && last[1].trim_end().ends_with("4.00"), "{text}");
    }

    /// An interpreter that prints what it was given.
    #[cfg(unix)]
    #[test]
    fn the_scripts_of_the_family_run_under_both_policies() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("mine.py", "\"\"\"K1: mine.\"\"\"");
        write("both.py", "\"\"\"N1: one. K1: two.");
        write("other.py", "\"\"\"K12: not mine, says K1.\"\"\"");
        write("common.py", "\"\"\"What all share.\"\"\"");
        let python = folder.path().join("python");
        let script = "#!/bin/sh\necho remark\n\
            echo '{\"workload\": \"K1.sin.16k\", \"peer\": \"torch\", \"median_s\": 1}'\n\
            echo '{\"workload\": \"K1.tanh.16k\", \"peer\": \"torch\", \"failed\": 1}'\n\
            echo \"{\\\"workload\\\": \\\"K1.tanh.16k\\\", \\\"peer\\\": \\\"$OMP_WAIT_POLICY-$BENCH_THREADS-\
            $(basename $3)\\\", \\\"median_s\\\": 0.25, \\\"error_vs_reference\\\": null}\"\n";
        fs::write(&python, script).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();

        let peers = Peers::find(&python, folder.path(), &[VARIANT]).unwrap();
        let pinning = Pinning::new(Some(1)).unwrap();
        let mut names = Vec::new();
        for round in 0..Peers::ROUNDS {
            for line in peers.run(&pinning, round).unwrap() {
                let figure: Figure = serde_json::from_str(&line).unwrap();
                assert_eq!((figure.median_s, figure.error_vs_reference), (0.25, None));
                names.push(figure.peer);
            }
        }
        let expected = ["-1-both.py", "-1-mine.py", "PASSIVE-1-both.py", "PASSIVE-1-mine.py"];
        assert_eq!(names, expected);

        let nothing = Variant { workload: "Z9", ..VARIANT };
        assert!(Peers::find(&python, folder.path(), &[nothing]).unwrap().is_empty());
        let absent = Peers::find("/no/such/python".as_ref(), folder.path(), &[VARIANT]);
        assert!(matches!(absent, Err(Error::Process { .. })));
        assert!(Peers::find(&python, &folder.path().join("absent"), &[VARIANT]).is_err());
    }
}

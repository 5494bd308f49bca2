//! The command lines of the heavy programs: `cargo xtask` shows and checks them without building
//! the programs, then passes them on unchanged.
use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `bench`.
#[derive(Args, Debug, Clone, Default)]
pub struct Bench {
    /// Workloads, e.g. O1 or O1.save1000 (default: all)
    #[arg(value_name = "WORKLOAD")]
    pub workloads: Vec<String>,
    /// Print one JSON line for each variant, in the schema of the Python peers
    #[arg(long)]
    pub json: bool,
    /// Number of CPUs and threads (default: $BENCH_THREADS, else 2, at most those available)
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Run the Python peers too, with this interpreter, and compare (default: $ANSATZ_PYTHON; none:
    /// no peers)
    #[arg(long, value_name = "PYTHON")]
    pub peers: Option<PathBuf>,
    /// Where the peers' scripts are, with a common.py beside them (default: workflows/peers)
    #[arg(long, value_name = "DIR")]
    pub peer_dir: Option<PathBuf>,
}

impl Bench {
    /// The same arguments as words.
    pub fn to_args(&self) -> Vec<String> {
        let mut words = self.workloads.clone();
        if self.json {
            words.push("--json".into());
        }
        words.extend(self.threads.iter().flat_map(|n| ["--threads".into(), n.to_string()]));
        for (option, path) in [("--peers", &self.peers), ("--peer-dir", &self.peer_dir)] {
            let path = path.iter().map(|path| path.to_string_lossy().into_owned());
            words.extend(path.flat_map(|path| [option.into(), path]));
        }
        words
    }
}

/// Arguments of `reproduce`.
#[derive(Args, Debug, Clone, Default)]
pub struct Reproduce {
    /// Papers, by slug (none and no --all: list them)
    #[arg(value_name = "SLUG")]
    pub slugs: Vec<String>,
    /// Every paper that has an entry
    #[arg(long, conflicts_with = "slugs")]
    pub all: bool,
    /// At the paper's size instead of one for this machine
    #[arg(long)]
    pub full: bool,
    /// Where plots and records go (default: target/reproduce)
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

impl Reproduce {
    /// The same arguments as words.
    pub fn to_args(&self) -> Vec<String> {
        let mut words = self.slugs.clone();
        words.extend(self.all.then(|| "--all".into()));
        words.extend(self.full.then(|| "--full".into()));
        let out = self.out.iter().map(|path| path.to_string_lossy().into_owned());
        words.extend(out.flat_map(|path| ["--out".into(), path]));
        words
    }
}

/// Arguments of `data`.
#[derive(Args, Debug, Clone)]
pub struct Data {
    /// What to do
    #[command(subcommand)]
    pub action: DataAction,
}

/// What `data` does.
#[derive(Subcommand, Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataAction {
    /// Every data set, with its format, its licence and whether it is here
    List,
    /// The folder that holds the data sets
    Path,
    /// Compare the files that are here with their published checksums
    Verify,
}

impl Data {
    /// The same arguments as words.
    pub fn to_args(&self) -> Vec<String> {
        let action = match self.action {
            DataAction::List => "list",
            DataAction::Path => "path",
            DataAction::Verify => "verify",
        };
        vec![action.into()]
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program<A: Args> {
        #[command(flatten)]
        args: A,
    }

    fn parse<A: Args>(words: &[String]) -> A {
        let name = std::iter::once("program".to_owned());
        Program::<A>::parse_from(name.chain(words.iter().cloned())).args
    }

    #[test]
    fn arguments_survive_being_passed_on() {
        let words = ["O1", "O3.spiral", "--json", "--threads", "1"].map(String::from);
        assert_eq!(parse::<Bench>(&words).to_args(), words);
        let words = ["K1", "--peers", "python3", "--peer-dir", "there"].map(String::from);
        assert_eq!(parse::<Bench>(&words).to_args(), words);

        let words = ["neural-de", "--full", "--out", "there"].map(String::from);
        assert_eq!(parse::<Reproduce>(&words).to_args(), words);
        assert_eq!(parse::<Reproduce>(&["--all".into()]).to_args(), ["--all"]);

        for action in ["list", "path", "verify"] {
            assert_eq!(parse::<Data>(&[action.into()]).to_args(), [action]);
        }
    }
}

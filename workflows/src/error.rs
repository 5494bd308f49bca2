//! What the programs themselves can fail with.
use std::io;
use std::path::PathBuf;

/// An error of the frame; workloads and entries bring their own.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A name on the command line that nothing goes by.
    #[error("unknown {what} `{name}`; known: {known}")]
    Unknown {
        /// `workload` or `slug`.
        what: &'static str,
        /// As typed.
        name: String,
        /// Every known name.
        known: String,
    },
    /// More threads than CPUs, or none.
    #[error("{asked} threads asked for, but this process may use 1 to {available} CPUs")]
    Threads {
        /// As typed.
        asked: usize,
        /// CPUs in the affinity mask.
        available: usize,
    },
    /// The process of one workload ended badly or did not print a record.
    #[error("{workload}: {why}")]
    Process {
        /// Its workload and peer.
        workload: String,
        /// Exit status, or what was wrong with the output.
        why: String,
    },
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A record could not be written as JSON.
    #[error("cannot write the record as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

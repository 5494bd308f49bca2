//! `cargo xtask data`: list, locate or verify the data sets.
use std::process::ExitCode;

use crate::Result;
use crate::cli::Data;
use crate::program::{Profile, launch};
use crate::workspace::Workspace;

/// Built like the tests, dependencies (hashing included) optimised: starts in seconds, and
/// verifying is bound by the disk.
pub(crate) fn run(args: &Data) -> Result<ExitCode> {
    launch(&Workspace::load()?, "data", Profile::Dev, None, &args.to_args())
}

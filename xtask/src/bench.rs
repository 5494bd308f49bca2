//! `cargo xtask bench`: time the workloads that the Python peers run too.
use std::process::ExitCode;

use crate::Result;
use crate::cli::Bench;
use crate::program::{Launch, Profile, launch};
use crate::workspace::Workspace;

pub(crate) fn run(command: &Launch<Bench>) -> Result<ExitCode> {
    let args = command.args.to_args();
    launch(&Workspace::load()?, "bench", Profile::Release, command.features.as_deref(), &args)
}

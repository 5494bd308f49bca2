//! `cargo xtask reproduce`: run the key claims of papers.
use std::process::ExitCode;

use crate::Result;
use crate::cli::Reproduce;
use crate::program::{Launch, Profile, launch};
use crate::workspace::Workspace;

pub(crate) fn run(command: &Launch<Reproduce>) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let mut args = command.args.clone();
    args.out.get_or_insert_with(|| workspace.target.join("reproduce"));
    launch(&workspace, "reproduce", Profile::Release, command.features.as_deref(), &args.to_args())
}

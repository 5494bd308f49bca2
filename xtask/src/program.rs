//! Launching the heavy programs of `workflows/`.
use std::process::ExitCode;

use crate::workspace::Workspace;
use crate::{Result, shell};

/// The arguments of a heavy program, and the features to build it with.
#[derive(clap::Args)]
pub(crate) struct Launch<A: clap::Args> {
    #[command(flatten)]
    pub(crate) args: A,
    /// Build with these features: cuda, metal, accelerate, mkl
    #[arg(long, value_name = "FEATURES")]
    pub(crate) features: Option<String>,
}

/// How a program is built.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Shares the build with the tests: starts within seconds.
    Dev,
    /// For measured numbers. The first build compiles candle again.
    Release,
}

/// Builds and runs a program in the workspace root; its exit status becomes ours.
pub(crate) fn launch(
    workspace: &Workspace,
    name: &str,
    profile: Profile,
    features: Option<&str>,
    args: &[String],
) -> Result<ExitCode> {
    let mut command = shell::cargo(&workspace.root, cargo_words(name, profile, features));
    command.args(args);
    let status = command.status().map_err(|e| format!("cannot start cargo: {e}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn cargo_words(name: &str, profile: Profile, features: Option<&str>) -> Vec<String> {
    let mut words = vec!["run", "--package", "ansatz-workflows", "--bin", name];
    match profile {
        Profile::Dev => words.push("--quiet"),
        Profile::Release => words.push("--release"),
    }
    words.extend(features.into_iter().flat_map(|f| ["--features", f]));
    words.push("--");
    words.into_iter().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_programs_are_built_for_speed() {
        let words = cargo_words("bench", Profile::Release, Some("accelerate"));
        assert_eq!(
            words.join(" "),
            "run --package ansatz-workflows --bin bench --release --features accelerate --"
        );
        assert!(!cargo_words("data", Profile::Dev, None).contains(&"--release".to_owned()));
    }
}

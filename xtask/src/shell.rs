//! Running other programs.
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Result;

/// `cargo` with these arguments, in the workspace root.
pub(crate) fn cargo<I, S>(root: &Path, args: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root).args(args);
    command
}

/// Prints the command, runs it and waits.
///
/// # Errors
/// If it cannot start or ends with a status other than 0.
pub(crate) fn run(command: &mut Command) -> Result {
    println!("$ {}", show(command));
    let status = command
        .status()
        .map_err(|e| format!("cannot start {}: {e}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", show(command)).into()) }
}

/// The standard output of a command that ends well; `None` when it is absent or fails.
pub(crate) fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Writes a program as text that may be executed. It is left alone when it is right already: a new
/// time stamp could rebuild everything.
pub(crate) fn write_program(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(path, text)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The version line of a cargo subcommand such as `nextest`, when it is installed.
pub(crate) fn cargo_tool(name: &str) -> Option<String> {
    let text = output("cargo", &[name, "--version"])?;
    text.lines().next().map(str::to_owned)
}

fn show(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        let value = value?.to_string_lossy();
        let name = name.to_string_lossy();
        Some(if value.contains(' ') {
            format!("{name}='{value}'")
        } else {
            format!("{name}={value}")
        })
    });
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program.to_string_lossy().into_owned())
        .chain(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    variables.chain(words).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
        assert_eq!(show(&command), "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn a_missing_program_is_an_error_and_not_a_panic() {
        assert!(run(&mut Command::new("no-such-program-here")).is_err());
        assert_eq!(output("no-such-program-here", &[]), None);
    }
}

//! `cargo xtask device`: build a bundle that tests and times the operations on a GPU machine.
//!
//! The GPU machine needs neither Rust nor a network, and this one needs neither a GPU nor a CUDA
//! toolkit: without one, the compiler comes from pinned Python wheels, and the program is linked
//! against empty libraries that carry the right names ([`wheels`], [`stubs`]).
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use crate::workspace::Workspace;
use crate::{Result, shell};

mod bundle;
mod capability;
mod manifest;
mod stubs;
mod symbols;
mod toolkit;
mod tools;
mod wheels;

use bundle::Bundle;
use capability::Capability;
use toolkit::Toolkit;
use tools::Tools;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build without CUDA: the same suite, on the CPU
    #[arg(long, conflicts_with_all = ["compute_capability", "libraries"])]
    cpu: bool,
    /// Oldest GPU to run on, e.g. 80 (A100 and everything later) or 90 (Hopper alone)
    #[arg(long, value_name = "N", default_value = "80")]
    compute_capability: Capability,
    /// Put the CUDA libraries into the bundle, for machines that have only the driver
    #[arg(long)]
    libraries: bool,
    /// The folder to make (default: ansatz-device in the target folder)
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let tools = Tools::from_env();
    let out = match &args.out {
        Some(folder) => env::current_dir()?.join(folder),
        None => workspace.target.join("device/ansatz-device"),
    };
    // Before the long build, not after it.
    bundle::check_out(&out)?;
    let toolkit = if args.cpu {
        None
    } else {
        let work = workspace.target.join("device");
        fs::create_dir_all(&work)?;
        Some(Toolkit::find_or_make(&work, &workspace.root, &tools, args.libraries)?)
    };
    let capability = args.compute_capability;
    let program = build(&workspace, toolkit.as_ref(), capability)?;
    let needs = symbols::needs(&tools, &program)?;
    let libraries = match &toolkit {
        Some(toolkit) => toolkit.libraries(args.libraries)?,
        None => vec![],
    };
    let manifest = manifest::Manifest {
        toolkit: toolkit.as_ref().map(|t| (t.version.to_string(), t.origin, capability)),
        glibc: needs.glibc,
        bytes: fs::metadata(&program)?.len(),
        libraries: &libraries,
    };
    let text = manifest.text(&workspace);
    let bundle = Bundle { program: &program, libraries: &libraries, manifest: &text };
    bundle.write(&out)?;
    let archive = bundle::archive(&tools, &out)?;
    println!("bundle   {}", out.display());
    println!("archive  {} ({:.1} MB)", archive.display(), megabytes(&archive)?);
    println!("run it   tar -xzf {} && ./{}/run.sh", file_name(&archive), file_name(&out));
    Ok(ExitCode::SUCCESS)
}

/// Builds the program and returns its path.
fn build(
    workspace: &Workspace,
    toolkit: Option<&Toolkit>,
    capability: Capability,
) -> Result<PathBuf> {
    // A target folder of its own for CUDA: kernels are cached by source and architecture, not by
    // compiler, and its variables would rebuild what the tests share.
    let target = match toolkit {
        Some(_) => workspace.target.join("device/cuda"),
        None => workspace.target.clone(),
    };
    let mut command = shell::cargo(&workspace.root, cargo_words(toolkit.is_some()));
    command.env("CARGO_TARGET_DIR", &target);
    if let Some(toolkit) = toolkit {
        command
            .env("NVCC", &toolkit.nvcc)
            .env("CUDA_COMPUTE_CAP", capability.to_string())
            .env("CUDARC_CUDA_VERSION", toolkit.version.for_cudarc());
        if let Some(home) = &toolkit.home {
            command.env("CUDA_HOME", home);
        }
        command.args(&toolkit.link_words);
    }
    shell::run(&mut command)?;
    let program = target.join("release").join(format!("device{}", env::consts::EXE_SUFFIX));
    if program.is_file() {
        Ok(program)
    } else {
        let why = "cargo ended well but left no program there; is build.target set?";
        Err(format!("{}: {why}", program.display()).into())
    }
}

/// The words up to those for the linker.
fn cargo_words(cuda: bool) -> Vec<&'static str> {
    let mut words = vec!["rustc", "--release", "--package", "ansatz-workflows", "--bin", "device"];
    if cuda {
        words.extend(["--features", "cuda"]);
    }
    words.extend(["--", "-C", "strip=symbols"]);
    words
}

fn megabytes(file: &Path) -> Result<f64> {
    Ok(fs::metadata(file)?.len() as f64 / 1e6)
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Runs a program and returns what it printed; the message of a failure names the program and ends
/// with the last lines that it wrote.
fn capture(command: &mut Command) -> Result<String> {
    let name = command.get_program().display().to_string();
    let output = command.output().map_err(|e| format!("cannot start {name}: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    let lines: Vec<&str> = lines.into_iter().rev().collect();
    Err(format!("{name}: {}\n{}", output.status, lines.join("\n")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_program_gets_the_words_for_the_linker() {
        // `cargo rustc` hands them to one target; RUSTFLAGS would reach build scripts too, which
        // could not start with libraries that this machine lacks.
        let words = cargo_words(true).join(" ");
        assert!(words.starts_with("rustc --release") && words.contains("--bin device"), "{words}");
        assert!(words.contains("--features cuda --"), "{words}");
        assert!(!cargo_words(false).contains(&"--features"));
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_names_the_program_and_its_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo first >&2; echo last words >&2; exit 3"]);
        let message = capture(&mut command).unwrap_err().to_string();
        assert!(message.contains("sh: ") && message.ends_with("last words"), "{message}");
        assert!(capture(&mut Command::new("no-such-program-here")).is_err());
    }
}

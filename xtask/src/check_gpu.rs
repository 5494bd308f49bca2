//! `cargo xtask check-gpu`: type-check the CUDA and Metal code on a machine without a GPU.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::outcome::Outcome;
use crate::workspace::Workspace;
use crate::{Result, shell};

const STUB: &str = include_str!("../templates/stub_nvcc.sh");
const METAL_TARGET: &str = "aarch64-apple-darwin";

pub(crate) fn run() -> Result<ExitCode> {
    let outcome = check(&Workspace::load()?);
    println!("check-gpu: {outcome}");
    Ok(outcome.exit_code())
}

pub(crate) fn check(workspace: &Workspace) -> Outcome {
    cuda(workspace).and(|| metal(workspace))
}

/// candle's build script calls `nvcc` and reads what it leaves behind. For a type check the
/// contents do not matter, so a script that leaves empty files will do.
///
/// The outputs go into a target folder of their own. Kernels are cached by source and
/// architecture, not by compiler: in the common folder, a machine with a real toolkit could later
/// link the empty ones.
fn cuda(workspace: &Workspace) -> Outcome {
    if !cfg!(unix) {
        return Outcome::Skipped("CUDA: the stand-in for nvcc is a shell script".into());
    }
    let folder = workspace.target.join("stub-cuda");
    let stub = match write_stub(&folder.join("bin")) {
        Ok(stub) => stub,
        Err(error) => return Outcome::Failed(format!("writing the stand-in for nvcc: {error}")),
    };
    // Optimised build scripts and macros, as in the common profile, would take four times as long
    // to compile as this check needs.
    let words = ["--config", "profile.dev.package.'*'.opt-level=0", "check"];
    let mut command = shell::cargo(&workspace.root, words);
    command
        .args(["--package", "ansatz", "--package", "ansatz-workflows", "--features", "cuda"])
        // The facade, and the program that `cargo xtask device` bundles.
        .args(["--lib", "--bin", "device"])
        .env("CARGO_TARGET_DIR", &folder)
        .env("NVCC", stub)
        .env("CUDA_COMPUTE_CAP", "80")
        .env("CUDARC_CUDA_VERSION", "12080");
    shell::run(&mut command).into()
}

fn write_stub(folder: &Path) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let stub = folder.join("nvcc");
    shell::write_program(&stub, STUB)?;
    Ok(stub)
}

/// A check for Metal needs the standard library of an Apple target, but neither a linker nor an SDK
/// (as long as no dependency of the facade compiles C).
fn metal(workspace: &Workspace) -> Outcome {
    let mut words = vec!["check", "--package", "ansatz", "--features", "metal"];
    if target_installed(METAL_TARGET) {
        words.extend(["--target", METAL_TARGET]);
    } else if cfg!(not(target_os = "macos")) {
        let reason = format!("Metal: the target is absent (rustup target add {METAL_TARGET})");
        return Outcome::Skipped(reason);
    }
    shell::run(&mut shell::cargo(&workspace.root, words)).into()
}

pub(crate) fn target_installed(target: &str) -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let Ok(output) = Command::new(rustc).args(["--print", "sysroot"]).output() else {
        return false;
    };
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    sysroot.join("lib/rustlib").join(target).join("lib").is_dir()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_stub_answers_like_nvcc() {
        let folder = tempfile::tempdir().unwrap();
        let stub = write_stub(folder.path()).unwrap();
        let call = |args: &[&str]| Command::new(&stub).current_dir(&folder).args(args).output();

        let version = call(&["--version"]).unwrap();
        assert!(String::from_utf8_lossy(&version.stdout).contains("release 12.8"));

        assert!(
            call(&["--ptx", "--output-directory", ".", "a/affine.cu"]).unwrap().status.success()
        );
        assert!(folder.path().join("affine.ptx").is_file());
        assert!(call(&["-c", "-o", "moe.o", "a/moe.cu"]).unwrap().status.success());
        assert!(folder.path().join("moe.o").is_file());
    }

    #[test]
    fn the_stub_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = fs::metadata(write_stub(folder.path()).unwrap()).unwrap().modified().unwrap();
        let again = fs::metadata(write_stub(folder.path()).unwrap()).unwrap().modified().unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn installed_targets_are_told_from_others() {
        assert!(!target_installed("no-such-target"));
    }
}

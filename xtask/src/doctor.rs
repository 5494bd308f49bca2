//! `cargo xtask doctor`: what this machine offers.
//!
//! The half that needs no tensor library is printed first, so that it also helps where candle does
//! not compile. The other half (devices, data) comes from the program `doctor` of `workflows/`.
use std::process::ExitCode;
use std::{env, fs, thread};

use crate::check_gpu::target_installed;
use crate::program::{Profile, launch};
use crate::workspace::Workspace;
use crate::{Result, shell};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Build the second half with these features (cuda, metal, accelerate, mkl) to try the devices
    #[arg(long, value_name = "FEATURES")]
    features: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    section("toolchain", &toolchain());
    section("processor", &processor());
    section("environment", &environment());
    section("optional tools", &tools());
    // Nothing is measured here, so it shares the build with the tests and starts quickly.
    launch(&workspace, "doctor", Profile::Dev, args.features.as_deref(), &[])
}

fn section(title: &str, rows: &[(String, String)]) {
    println!("{title}");
    for (name, value) in rows {
        println!("  {name:<22}{value}");
    }
    println!();
}

fn row(name: &str, value: impl Into<String>) -> (String, String) {
    (name.into(), value.into())
}

fn toolchain() -> Vec<(String, String)> {
    let version = |program: &str, args: &[&str]| {
        let text = shell::output(program, args).unwrap_or_else(|| "not found".into());
        text.lines().next().unwrap_or_default().to_owned()
    };
    vec![
        row("rustc", version("rustc", &["--version"])),
        row("cargo", version("cargo", &["--version"])),
        row("host", format!("{} {}", env::consts::OS, env::consts::ARCH)),
        row("C compiler", version("cc", &["--version"])),
        row("nvcc", version("nvcc", &["--version"])),
        row("nvidia-smi", version("nvidia-smi", &["-L"])),
        row(
            "Apple target",
            if target_installed("aarch64-apple-darwin") { "installed" } else { "not installed" },
        ),
    ]
}

fn processor() -> Vec<(String, String)> {
    let available = thread::available_parallelism().map_or(1, usize::from);
    let mut rows = vec![
        row("SIMD", simd_features().join(" ")),
        row("threads we may use", available.to_string()),
    ];
    if let Some(list) = affinity(&fs::read_to_string("/proc/self/status").unwrap_or_default()) {
        rows.push(row("affinity", format!("CPUs {list}")));
    }
    rows
}

/// The CPUs this process may run on, from the text of /proc/self/status.
fn affinity(status: &str) -> Option<&str> {
    status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).map(str::trim)
}

#[cfg(target_arch = "x86_64")]
fn simd_features() -> Vec<&'static str> {
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    present(&features)
}

#[cfg(target_arch = "aarch64")]
fn simd_features() -> Vec<&'static str> {
    present(&[("neon", std::arch::is_aarch64_feature_detected!("neon"))])
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn simd_features() -> Vec<&'static str> {
    vec!["not looked up on this architecture"]
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn present(features: &[(&'static str, bool)]) -> Vec<&'static str> {
    features.iter().filter(|(_, present)| *present).map(|(name, _)| *name).collect()
}

fn environment() -> Vec<(String, String)> {
    ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS", "RUST_MIN_STACK", "CARGO_TARGET_DIR", "ANSATZ_DATA"]
        .iter()
        .map(|name| row(name, env::var(name).unwrap_or_else(|_| "not set".into())))
        .collect()
}

fn tools() -> Vec<(String, String)> {
    let cargo = |name: &str| shell::cargo_tool(name);
    [
        ("cargo-nextest", cargo("nextest"), "faster tests"),
        ("cargo-deny", cargo("deny"), "licences and sources in ci"),
        ("cargo-hack", cargo("hack"), "feature combinations in ci"),
        ("mdbook", shell::output("mdbook", &["--version"]), "the book"),
        ("taskset", shell::output("taskset", &["--version"]), "bench pins its threads"),
    ]
    .into_iter()
    .map(|(name, version, use_)| {
        row(name, version.unwrap_or_else(|| format!("not installed ({use_})")))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affinity_is_read_from_the_status() {
        let status = "Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1,4\n";
        assert_eq!(affinity(status), Some("0-1,4"));
        assert_eq!(affinity("Name:\tx\n"), None);
    }
}

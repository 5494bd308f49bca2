//! manifest.json: what a bundle was built from.
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::capability::Capability;
use crate::shell;
use crate::workspace::Workspace;

/// The parts that the build knows; the rest is read from the workspace.
pub(crate) struct Manifest<'a> {
    /// Release of CUDA, where its compiler came from, and for which GPUs it compiled.
    pub(crate) toolkit: Option<(String, &'static str, Capability)>,
    pub(crate) glibc: Option<String>,
    pub(crate) bytes: u64,
    pub(crate) libraries: &'a [PathBuf],
}

impl Manifest<'_> {
    /// As JSON.
    pub(crate) fn text(&self, workspace: &Workspace) -> String {
        let root = workspace.root.display().to_string();
        let git = |words: &[&str]| {
            let words: Vec<&str> = [&["-C", root.as_str()], words].concat();
            shell::output("git", &words)
        };
        let (cuda, origin, capability) = match &self.toolkit {
            Some((version, origin, capability)) => {
                (Some(version), Some(*origin), Some(capability.to_string()))
            }
            None => (None, None, None),
        };
        let libraries: Vec<String> = self.libraries.iter().map(|f| super::file_name(f)).collect();
        let value = json!({
            "built": shell::output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
            "ansatz": env!("CARGO_PKG_VERSION"),
            "commit": git(&["rev-parse", "HEAD"]),
            "changed_since": git(&["status", "--porcelain"]).map(|text| !text.is_empty()),
            "candle": locked(&workspace.root, "candle-core"),
            "rustc": shell::output("rustc", &["--version"]),
            "target": format!("{} {}", std::env::consts::ARCH, std::env::consts::OS),
            "cuda": cuda,
            "cuda_compiler": origin,
            "compute_capability": capability,
            "glibc": self.glibc,
            "program_bytes": self.bytes,
            "libraries": libraries,
        });
        format!("{value:#}\n")
    }
}

/// The version of a package in Cargo.lock.
fn locked(root: &Path, package: &str) -> Option<String> {
    let text = fs::read_to_string(root.join("Cargo.lock")).ok()?;
    let (_, rest) = text.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_every_version() {
        let workspace = Workspace::load().unwrap();
        let libraries = [PathBuf::from("/t/libcudart.so.13")];
        let manifest = Manifest {
            toolkit: Some(("13.0".into(), "Python wheels", "8.0".parse().unwrap())),
            glibc: Some("2.34".into()),
            bytes: 7,
            libraries: &libraries,
        };
        let value: serde_json::Value = serde_json::from_str(&manifest.text(&workspace)).unwrap();
        assert_eq!(value["cuda"], "13.0");
        assert_eq!(value["compute_capability"], "80");
        assert_eq!(value["libraries"][0], "libcudart.so.13");
        assert_eq!(value["ansatz"], env!("CARGO_PKG_VERSION"));
        assert!(value["candle"].as_str().unwrap().starts_with("0."), "{value}");
        assert!(value["rustc"].as_str().unwrap().starts_with("rustc"), "{value}");

        let cpu = Manifest { toolkit: None, glibc: None, bytes: 7, libraries: &[] };
        let value: serde_json::Value = serde_json::from_str(&cpu.text(&workspace)).unwrap();
        assert!(value["cuda"].is_null() && value["compute_capability"].is_null());
    }
}

//! House rules that can be read off the files: headings, lints, backend code, registries.
use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::workspace::{Package, Workspace};

/// Hosts of package registries. The workspace names packages by name and version, never by where
/// one mirror keeps them.
const REGISTRY_HOSTS: &[&str] = &[
    "crates.io",
    "static.crates.io",
    "index.crates.io",
    "pypi.org",
    "files.pythonhosted.org",
    "registry.npmjs.org",
    "conda.anaconda.org",
    "proxy.golang.org",
];

/// The one source that Cargo.lock may name.
const LOCK_SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Everything in the files of the workspace that breaks a house rule.
pub(crate) fn complaints(workspace: &Workspace) -> Result<Vec<String>> {
    let root = &workspace.root;
    let mut complaints: Vec<String> = workspace.crates().flat_map(package_complaints).collect();
    let mut files = Vec::new();
    collect(root, &mut files)?;
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file);
        // Files that are not text (figures) have none of these rules.
        if let Ok(text) = fs::read_to_string(&file) {
            complaints.extend(file_complaints(name, &text));
        }
    }
    Ok(complaints)
}

/// Every crate under `crates/` introduces itself and takes the lints of the workspace.
fn package_complaints(package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut complaints = Vec::new();
    if !package.folder.join("README.md").is_file() {
        complaints.push(format!("{name}: has no README.md"));
    }
    if package.description.as_ref().is_none_or(|text| text.trim().is_empty()) {
        complaints.push(format!("{name}: Cargo.toml has no description"));
    }
    if !takes_workspace_lints(&package.manifest) {
        complaints.push(format!("{name}: Cargo.toml lacks `[lints] workspace = true`"));
    }
    for dependency in &package.dependencies {
        if let Some(source) = &dependency.unusual_source {
            complaints.push(format!("{name}: {} comes from {source}", dependency.name));
        }
    }
    complaints
}

fn takes_workspace_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(str::trim).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let setting: String = line.split_whitespace().collect();
        (section == "[lints]" && setting == "workspace=true") || setting == "lints.workspace=true"
    })
}

/// Rules for one file. `name` is its path from the workspace root.
fn file_complaints(name: &Path, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut complain = |line: usize, what: &str| {
        complaints.push(format!("{}:{line}: {what}", name.display()));
    };
    let is = |extension: &str| name.extension().is_some_and(|e| e == extension);
    if is("rs") {
        let introduced = text.starts_with("//!") || text.starts_with("#![doc = include_str!(");
        if name.file_name().is_some_and(|file| file != "build.rs") && !introduced {
            complain(1, "does not start with a `//!` line that says what the file is for");
        }
        if !name.starts_with("crates/ansatz-ops") {
            for (number, line) in text.lines().enumerate() {
                if mentions_gpu_feature(line) {
                    complain(number + 1, "code for one GPU backend belongs into ansatz-ops");
                }
            }
        }
    }
    if name == Path::new("Cargo.lock") {
        for (number, line) in text.lines().enumerate() {
            let source = line.strip_prefix("source = ").map(|s| s.trim_matches('"'));
            if source.is_some_and(|s| s != LOCK_SOURCE) {
                complain(number + 1, "a package comes from an unusual source");
            }
        }
    } else {
        for (number, line) in text.lines().enumerate() {
            if let Some(host) = registry_link(line) {
                complain(number + 1, &format!("links the package registry {host}"));
            }
        }
    }
    if name == Path::new(".cargo/config.toml") {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if ["[source", "[registr", "registry"].iter().any(|start| line.starts_with(start)) {
                complain(
                    number + 1,
                    "a registry is a setting of the machine, not of the workspace",
                );
            }
        }
    }
    complaints
}

fn mentions_gpu_feature(line: &str) -> bool {
    let code: String = line.split("//").next().unwrap_or("").split_whitespace().collect();
    ["cuda", "metal"].iter().any(|backend| code.contains(&format!("feature=\"{backend}\"")))
}

fn registry_link(line: &str) -> Option<&'static str> {
    line.split("://").skip(1).find_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
        let host = rest[..end.unwrap_or(rest.len())].trim_start_matches("www.");
        REGISTRY_HOSTS.iter().find(|known| **known == host).copied()
    })
}

/// Every file that could be tracked: all but hidden folders (other than `.cargo`, `.ci`,
/// `.config`), build outputs and local data.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') && ![".cargo", ".ci", ".config"].contains(&&*name);
        let kind = entry.file_type()?;
        if hidden || (kind.is_dir() && ["target", "book", "shared"].contains(&&*name)) {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(name: &str, text: &str) -> usize {
        file_complaints(Path::new(name), text).len()
    }

    #[test]
    fn source_files_say_what_they_are_for() {
        assert_eq!(count("crates/ansatz-ode/src/lib.rs", "//! Solvers.\n"), 0);
        let prose = "#![doc = include_str!(\"../README.md\")]\n";
        assert_eq!(count("crates/ansatz-ode/src/lib.rs", prose), 0);
        assert_eq!(count("crates/ansatz-ode/src/lib.rs", "use std::fs;\n"), 1);
        assert_eq!(count("crates/ansatz-ode/build.rs", "fn main() {}\n"), 0);
    }

    #[test]
    fn gpu_code_lives_in_one_crate() {
        for backend in ["cuda", "metal"] {
            let text = format!("//! X.\n#[cfg(feature = \"{backend}\")]\nfn f() {{}}\n");
            assert_eq!(count("crates/ansatz-ode/src/gpu.rs", &text), 1);
            assert_eq!(count("crates/ansatz-ops/src/gpu.rs", &text), 0);
        }
        assert_eq!(count("xtask/src/a.rs", "//! The cfg(feature = \"cuda\") rule.\n"), 0);
    }

    #[test]
    fn registries_are_not_linked() {
        let link = |host: &str| format!("see https:{}{host}/x for more\n", "//");
        assert_eq!(count("README.md", &link("crates.io")), 1);
        assert_eq!(count("README.md", &link("www.pypi.org")), 1);
        assert_eq!(count("README.md", &link("doc.rust-lang.org")), 0);
        assert_eq!(count("README.md", "crates.io without a link\n"), 0);
    }

    #[test]
    fn packages_come_from_the_usual_place() {
        let good = format!("source = \"{LOCK_SOURCE}\"\n");
        assert_eq!(count("Cargo.lock", &good), 0);
        assert_eq!(count("Cargo.lock", "source = \"git+https://example.org/x\"\n"), 1);
        assert_eq!(count(".cargo/config.toml", "[alias]\nx = \"run\"\n"), 0);
        assert_eq!(count(".cargo/config.toml", "[source.mirror]\nregistry = \"m\"\n"), 2);
    }

    #[test]
    fn a_bare_crate_gets_every_complaint() {
        let bare = Package { name: "ansatz-x".into(), ..Package::default() };
        assert_eq!(package_complaints(&bare).len(), 3);
    }

    #[test]
    fn lints_are_found_in_their_section_only() {
        assert!(takes_workspace_lints("[lints]\nworkspace = true\n"));
        assert!(takes_workspace_lints("lints.workspace = true\n"));
        assert!(!takes_workspace_lints("[lints]\n[package]\nworkspace = true\n"));
    }
}

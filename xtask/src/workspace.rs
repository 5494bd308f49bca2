//! The workspace as `cargo metadata` describes it: packages, dependencies, features.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Result, shell};

/// The root folder, the target folder and the members.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One member.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) description: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    /// Feature name to what it enables, as written in the manifest.
    pub(crate) features: BTreeMap<String, Vec<String>>,
    /// The text of Cargo.toml.
    pub(crate) manifest: String,
}

/// One entry of a dependency table.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    /// A git repository or a registry other than the usual one.
    pub(crate) unusual_source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Build,
    Dev,
}

impl Workspace {
    /// Asks cargo about the workspace that this program was built from.
    pub(crate) fn load() -> Result<Self> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let output =
            shell::cargo(here, ["metadata", "--no-deps", "--format-version", "1"]).output()?;
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            return Err(format!("cargo metadata failed:\n{message}").into());
        }
        Self::parse(&serde_json::from_slice(&output.stdout)?)
    }

    fn parse(metadata: &Value) -> Result<Self> {
        let packages = array(metadata, "packages").map(package).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            root: text(metadata, "workspace_root")?.into(),
            target: text(metadata, "target_directory")?.into(),
            packages,
        })
    }

    /// The published crates: those under `crates/`.
    pub(crate) fn crates(&self) -> impl Iterator<Item = &Package> {
        let folder = self.root.join("crates");
        self.packages.iter().filter(move |p| p.folder.starts_with(&folder))
    }
}

impl Package {
    /// Dependencies that a user of the crate gets too: normal and build, not dev.
    pub(crate) fn shipped_dependencies(&self) -> impl Iterator<Item = &Dependency> {
        self.dependencies.iter().filter(|d| d.kind != Kind::Dev)
    }
}

fn package(value: &Value) -> Result<Package> {
    let manifest_path = PathBuf::from(text(value, "manifest_path")?);
    let features = value["features"].as_object().into_iter().flatten().map(|(name, enables)| {
        let enables = enables.as_array().into_iter().flatten();
        (name.clone(), enables.filter_map(Value::as_str).map(str::to_owned).collect())
    });
    Ok(Package {
        name: text(value, "name")?,
        description: value["description"].as_str().map(str::to_owned),
        dependencies: array(value, "dependencies").map(dependency).collect::<Result<_>>()?,
        features: features.collect(),
        manifest: std::fs::read_to_string(&manifest_path)?,
        folder: manifest_path.parent().map(Path::to_path_buf).unwrap_or_default(),
    })
}

fn dependency(value: &Value) -> Result<Dependency> {
    let source = value["source"].as_str();
    let usual = "registry+https://github.com/rust-lang/crates.io-index";
    Ok(Dependency {
        name: text(value, "name")?,
        kind: match value["kind"].as_str() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            _ => Kind::Normal,
        },
        optional: value["optional"].as_bool().unwrap_or(false),
        unusual_source: source.filter(|s| *s != usual).map(str::to_owned),
    })
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> Result<String> {
    Ok(value[key].as_str().ok_or_else(|| format!("cargo metadata has no text `{key}`"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_read() {
        let workspace = Workspace::load().unwrap();
        let core = workspace.crates().find(|p| p.name == "ansatz-core").unwrap();
        assert_eq!(core.folder, workspace.root.join("crates/ansatz-core"));
        assert!(core.features["cuda"].iter().any(|f| f == "candle-nn/cuda"));
        let candle = core.dependencies.iter().find(|d| d.name == "candle-core").unwrap();
        assert!(candle.optional && candle.kind == Kind::Normal && candle.unusual_source.is_none());
        assert!(core.dependencies.iter().any(|d| d.kind == Kind::Dev));
        assert!(workspace.crates().all(|p| p.name != "xtask"));
    }

    #[test]
    fn a_missing_field_is_an_error() {
        assert!(Workspace::parse(&serde_json::json!({ "packages": [] })).is_err());
    }
}

//! `cargo xtask new-crate NAME`: start a research crate that depends on ansatz.
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;

use crate::Result;
use crate::workspace::Workspace;

/// Path in the new crate, and its contents with `{{name}}` and `{{crates}}` to fill in. The package
/// `ansatz-workflows` compiles `lib.rs.in` in its tests, so the code needs no placeholders.
const TEMPLATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../templates/new_crate/Cargo.toml.in")),
    ("README.md", include_str!("../templates/new_crate/README.md.in")),
    ("src/lib.rs", include_str!("../templates/new_crate/lib.rs.in")),
    (".cargo/config.toml", include_str!("../templates/new_crate/config.toml.in")),
    (".gitignore", "/target\n"),
];

/// Names that would be confused with a crate of the language or of this family.
const RESERVED: &[&str] =
    &["ansatz", "alloc", "build", "core", "deps", "examples", "proc-macro", "std", "test"];

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Name of the crate and of its folder, e.g. pendulum-study
    name: String,
    /// Folder to make it in (default: the one that holds the workspace)
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let parent = match &args.path {
        Some(path) => path.clone(),
        None => workspace.root.parent().ok_or("the workspace has no parent; give --path")?.into(),
    };
    let folder = create(&args.name, &parent, &workspace.root)?;
    println!("{} is ready. Next:", args.name);
    println!("  cd {}", folder.display());
    println!("  cargo test");
    Ok(ExitCode::SUCCESS)
}

fn create(name: &str, parent: &Path, root: &Path) -> Result<PathBuf> {
    check_name(name)?;
    fs::create_dir_all(parent).map_err(|e| format!("{}: {e}", parent.display()))?;
    let parent = parent.canonicalize()?;
    let root = root.canonicalize()?;
    if ["crates", "examples", "tests", "workflows", "xtask"]
        .iter()
        .any(|member| parent.starts_with(root.join(member)))
    {
        return Err(format!(
            "{} belongs to the workspace; a research crate stands on its own, choose another --path",
            parent.display()
        )
        .into());
    }
    let folder = parent.join(name);
    if folder.exists() {
        return Err(format!("{} exists already; choose another name", folder.display()).into());
    }
    let crates = relative(&folder, &root.join("crates"));
    for (path, text) in TEMPLATE {
        let file = folder.join(path);
        fs::create_dir_all(file.parent().unwrap_or(&folder))?;
        fs::write(file, fill(text, name, &crates))?;
    }
    // The same versions as the workspace: proven together, and already compiled if it shares the
    // target folder.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder)
}

fn fill(text: &str, name: &str, crates: &Path) -> String {
    let crates = crates.to_string_lossy().replace('\\', "/");
    text.replace("{{name}}", name).replace("{{crates}}", &crates)
}

fn check_name(name: &str) -> Result {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) {
        return Err(format!(
            "`{name}` is not a crate name: a lower-case letter, then lower-case letters, digits, - or _"
        )
        .into());
    }
    if RESERVED.contains(&name) || name.starts_with("ansatz-") {
        return Err(format!("`{name}` is taken; choose a name of your own").into());
    }
    if KEYWORDS.contains(&name) {
        return Err(format!("`{name}` is a word of the language; choose another").into());
    }
    Ok(())
}

/// The way from one folder to another; both absolute and free of `..`.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to): (Vec<Component>, Vec<Component>) =
        (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
    }

    #[test]
    fn bad_names_are_refused() {
        for name in ["", "Pendulum", "1d", "a b", "../x", "a/b", "-x", "core", "ansatz-x", "impl"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        for name in ["pendulum", "pendulum-study", "pde_2d"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn the_way_between_folders() {
        let way = |from, to| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/x", "/a/w/crates"), Path::new("../w/crates"));
        assert_eq!(way("/a/w/x/y", "/a/w/crates"), Path::new("../../crates"));
    }

    #[test]
    fn a_crate_is_written_once_and_its_paths_lead_to_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let made = create("pendulum-study", folder.path(), &root()).unwrap();
        for (path, _) in TEMPLATE {
            let text = fs::read_to_string(made.join(path)).unwrap();
            assert!(!text.contains("{{"), "{path}: {text}");
        }
        let manifest = fs::read_to_string(made.join("Cargo.toml")).unwrap();
        let paths: Vec<&str> =
            manifest.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(!paths.is_empty());
        for path in paths {
            assert!(made.join(path).join("Cargo.toml").is_file(), "{path}");
        }
        assert!(create("pendulum-study", folder.path(), &root()).is_err());
    }

    #[test]
    fn members_of_the_workspace_are_no_place_for_it() {
        assert!(create("pendulum-study", &root().join("crates"), &root()).is_err());
        assert!(!root().join("crates/pendulum-study").exists());
    }
}

//! `cargo xtask book`: build the book with mdBook and check the links of the prose.
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::outcome::Outcome;
use crate::workspace::Workspace;
use crate::{Result, links, shell};

pub(crate) fn run() -> Result<ExitCode> {
    let outcome = check(&Workspace::load()?);
    println!("book: {outcome}");
    Ok(outcome.exit_code())
}

/// Links first (no tool needed), then the build when mdBook is installed.
pub(crate) fn check(workspace: &Workspace) -> Outcome {
    check_links(&workspace.root).and(|| build(&workspace.root))
}

fn check_links(root: &Path) -> Outcome {
    // The summary lists the chapters: a chapter file that it names must exist.
    let mut files = vec![root.join("README.md"), root.join("docs/src/SUMMARY.md")];
    markdown_below(&root.join("docs/src"), &mut files);
    files.sort();
    files.dedup();
    let complaints: Vec<String> = files
        .iter()
        .flat_map(|file| links::complaints(file, root).unwrap_or_else(|e| vec![e.to_string()]))
        .collect();
    Outcome::from_complaints(&complaints)
}

fn markdown_below(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            markdown_below(&path, files);
        } else if path.extension().is_some_and(|e| e == "md") {
            files.push(path);
        }
    }
}

fn build(root: &Path) -> Outcome {
    if shell::output("mdbook", &["--version"]).is_none() {
        return Outcome::Skipped("links checked but not built: mdbook is not installed".into());
    }
    shell::run(Command::new("mdbook").current_dir(root).args(["build", "docs"])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_that_the_summary_names_must_exist() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("docs/src/guide")).unwrap();
        fs::write(root.join("README.md"), "[book](docs/src/SUMMARY.md)\n").unwrap();
        fs::write(root.join("docs/src/SUMMARY.md"), "- [Guide](guide/start.md)\n").unwrap();
        assert!(matches!(check_links(root), Outcome::Failed(_)));

        fs::write(root.join("docs/src/guide/start.md"), "[back](../SUMMARY.md)\n").unwrap();
        assert_eq!(check_links(root), Outcome::Passed);

        fs::write(root.join("docs/src/guide/start.md"), "[back](SUMMARY.md)\n").unwrap();
        assert!(matches!(check_links(root), Outcome::Failed(_)));
    }

    #[test]
    fn a_workspace_without_a_book_fails() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(check_links(folder.path()), Outcome::Failed(_)));
    }
}

//! `cargo xtask ci`: every check, timed, with one line each at the end.
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::outcome::{Outcome, Row, table};
use crate::workspace::Workspace;
use crate::{Result, book, check_gpu, features, forwarding, layering, shell, sources};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these steps
    #[arg(long, value_enum, value_name = "STEP", conflicts_with = "skip")]
    only: Vec<Step>,
    /// Leave these steps out
    #[arg(long, value_enum, value_name = "STEP")]
    skip: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Is the code formatted?
    Fmt,
    /// Lints, warnings are errors
    Clippy,
    /// Unit, integration and documentation tests
    Tests,
    /// API documentation, warnings are errors
    Docs,
    /// Licences, duplicate and forbidden crates, sources
    Deny,
    /// Dependencies between the crates run one way
    Layering,
    /// Backend features reach candle from every crate
    FeatureForwarding,
    /// House rules that can be read off the files
    Sources,
    /// Feature combinations compile
    FeatureCheck,
    /// Links of the book and the README, and the book itself
    Book,
    /// CUDA and Metal code type-checks
    CheckGpu,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Tests => "tests",
            Self::Docs => "docs",
            Self::Deny => "deny",
            Self::Layering => "layering",
            Self::FeatureForwarding => "feature-forwarding",
            Self::Sources => "sources",
            Self::FeatureCheck => "feature-check",
            Self::Book => "book",
            Self::CheckGpu => "check-gpu",
        }
    }

    fn run(self, workspace: &Workspace) -> Outcome {
        let cargo = |words: &[&str]| shell::cargo(&workspace.root, words);
        match self {
            Self::Fmt => shell::run(&mut cargo(&["fmt", "--all", "--check"])).into(),
            Self::Clippy => shell::run(&mut cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]))
            .into(),
            Self::Tests => tests(workspace).into(),
            Self::Docs => shell::run(
                cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"),
            )
            .into(),
            Self::Deny => deny(workspace),
            Self::Layering => Outcome::from_complaints(&layering::complaints(workspace.crates())),
            Self::FeatureForwarding => {
                Outcome::from_complaints(&forwarding::complaints(workspace.crates()))
            }
            Self::Sources => match sources::complaints(workspace) {
                Ok(complaints) => Outcome::from_complaints(&complaints),
                Err(error) => Outcome::Failed(error.to_string()),
            },
            Self::FeatureCheck => features::check(workspace).into(),
            Self::Book => book::check(workspace),
            Self::CheckGpu => check_gpu::check(workspace),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::load()?;
    let rows: Vec<Row> = Step::value_variants()
        .iter()
        .filter(|step| args.only.is_empty() || args.only.contains(step))
        .map(|step| row(*step, args, &workspace))
        .collect();
    println!("\n{}", table(&rows));
    let failed = rows.iter().any(|row| matches!(row.outcome, Outcome::Failed(_)));
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn row(step: Step, args: &Args, workspace: &Workspace) -> Row {
    let name = step.name();
    if args.skip.contains(&step) {
        let outcome = Outcome::Skipped(format!("by --skip {name}"));
        return Row { step: name, wall: Duration::ZERO, outcome };
    }
    println!("\n== {name}");
    let start = Instant::now();
    let outcome = step.run(workspace);
    let wall = start.elapsed();
    println!("== {name}: {outcome} ({:.1} s)", wall.as_secs_f64());
    Row { step: name, wall, outcome }
}

/// nextest when it is installed. It runs each test in its own process, beside others: one rayon
/// thread per test then uses the cores fully, and several would fight for them. (nextest's own
/// configuration file cannot set variables, so it is set here.)
fn tests(workspace: &Workspace) -> Result {
    let cargo = |words: &[&str]| shell::cargo(&workspace.root, words);
    if shell::cargo_tool("nextest").is_some() {
        let mut nextest = cargo(&["nextest", "run", "--workspace"]);
        shell::run(nextest.env("RAYON_NUM_THREADS", "1"))?;
    } else {
        println!("  cargo-nextest is not installed: using cargo test");
        shell::run(&mut cargo(&[
            "test",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--examples",
        ]))?;
    }
    shell::run(&mut cargo(&["test", "--workspace", "--doc"]))
}

/// Advisories are left to a person before a release: their database changes from day to day, and
/// this result should depend on the workspace alone.
fn deny(workspace: &Workspace) -> Outcome {
    if shell::cargo_tool("deny").is_none() {
        return Outcome::Skipped("cargo-deny is not installed".into());
    }
    let words = ["deny", "--workspace", "check", "bans", "licenses", "sources"];
    shell::run(&mut shell::cargo(&workspace.root, words)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_uses_the_names_of_the_command_line() {
        for step in Step::value_variants() {
            let typed = step.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(typed, step.name());
        }
    }

    #[test]
    fn a_skipped_step_says_who_asked() {
        let args = Args { only: vec![], skip: vec![Step::Fmt] };
        let workspace =
            Workspace { root: "nowhere".into(), target: "nowhere".into(), packages: vec![] };
        let row = row(Step::Fmt, &args, &workspace);
        assert_eq!(row.outcome, Outcome::Skipped("by --skip fmt".into()));
    }
}

//! Program behind `cargo xtask bench`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::process::ExitCode;

use ansatz_workflows::bench::{
    Line, Pinning, Report, Variant, measure_here, measure_in_own_process, select, table, variants,
};
use ansatz_workflows::{AnyError, cli};
use clap::Parser;

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "bench", about = "Time the workloads that the Python peers run too")]
struct Cli {
    #[command(flatten)]
    args: cli::Bench,
    /// Measure this one in this process (what the program tells itself)
    #[arg(long, hide = true, value_names = ["ID", "PINNED"], num_args = 2)]
    measure: Option<Vec<String>>,
}

fn main() -> ExitCode {
    let Cli { args, measure } = Cli::parse();
    let result = match measure.as_deref() {
        Some([id, pinned]) => measure_one(id, pinned, args.threads.unwrap_or(1)),
        _ => measure_all(&args),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(2)
    })
}

fn measure_one(id: &str, pinned: &str, threads: usize) -> Result<ExitCode, AnyError> {
    let variant = variants().into_iter().find(|v| v.id() == id).ok_or("no such variant")?;
    let line = measure_here(&variant, threads, pinned.to_owned())?;
    println!("{}", serde_json::to_string(&line)?);
    Ok(ExitCode::SUCCESS)
}

fn measure_all(args: &cli::Bench) -> Result<ExitCode, AnyError> {
    let chosen = select(&variants(), &args.workloads)?;
    let pinning = Pinning::new(args.threads)?;
    let pinned = pinning.describe();
    let threads = pinning.threads().to_string();
    let program = std::env::current_exe()?;
    eprintln!("variants: {}, each in its own process; threads: {threads}; {pinned}", chosen.len());
    let measure = |variant: &Variant| {
        let words = ["--measure".into(), variant.id(), pinned.clone(), "--threads".into()];
        let words: Vec<String> = words.into_iter().chain([threads.clone()]).collect();
        measure_in_own_process(variant, &pinning, &program, &words)
    };
    let mut lines: Vec<Line> = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for variant in &chosen {
        match measure(variant) {
            Report::Line(line) if args.json => println!("{}", serde_json::to_string(&line)?),
            Report::Line(line) => {
                eprintln!("{} done", variant.id());
                lines.push(*line);
            }
            Report::Failure(failure) => {
                code = ExitCode::FAILURE;
                if args.json {
                    println!("{}", serde_json::to_string(&failure)?);
                }
                eprintln!("error: {}", failure.failed);
            }
        }
    }
    if !args.json {
        print!("{}", table(&lines));
    }
    Ok(code)
}

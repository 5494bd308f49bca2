//! Program behind `cargo xtask bench`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::path::PathBuf;
use std::process::ExitCode;

use ansatz_workflows::bench::{
    Figure, Line, Peers, Pinning, Report, Variant, comparison, measure_here,
    measure_in_own_process, select, table, variants,
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
    let peers = peers(args, &chosen)?;
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
    let mut figures: Vec<Figure> = Vec::new();
    let mut code = ExitCode::SUCCESS;
    // Beside peers, in turns: what else the machine does then meets both.
    let rounds = if peers.is_some() { Peers::ROUNDS } else { 1 };
    for round in 0..rounds {
        for variant in &chosen {
            match measure(variant) {
                Report::Line(line) => {
                    if args.json {
                        println!("{}", serde_json::to_string(&line)?);
                    } else {
                        eprintln!("{} done", variant.id());
                    }
                    figures.push(Figure::from(&*line));
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
        for line in
            peers.iter().map(|p| p.run(&pinning, round)).collect::<Result<Vec<_>, _>>()?.concat()
        {
            if args.json {
                println!("{line}");
            }
            figures.push(serde_json::from_str(&line)?);
        }
    }
    if !args.json {
        print!("{}", if peers.is_some() { comparison(&figures) } else { table(&lines) });
    }
    Ok(code)
}

/// The peers asked for, if any.
fn peers(args: &cli::Bench, chosen: &[Variant]) -> Result<Option<Peers>, AnyError> {
    let from_env = || std::env::var_os("ANSATZ_PYTHON").map(PathBuf::from);
    let Some(python) = args.peers.clone().or_else(from_env) else {
        return Ok(None);
    };
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/peers"));
    let folder = args.peer_dir.clone().unwrap_or_else(own);
    let peers = Peers::find(&python, &folder, chosen)?;
    if peers.is_empty() {
        eprintln!("no script in {} serves these workloads", folder.display());
    }
    Ok(Some(peers))
}

//! Program behind `cargo xtask reproduce`. Exit status: 0 when no verdict fails, 1 when one
//! does, 2 when the command makes no sense.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::path::PathBuf;
use std::process::ExitCode;

use ansatz_workflows::reproduce::{Selection, entries, listing, run, select};
use ansatz_workflows::{Error, cli};
use clap::Parser;

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "reproduce", about = "Run the key claims of papers")]
struct Cli {
    #[command(flatten)]
    args: cli::Reproduce,
}

fn main() -> ExitCode {
    match reproduce(&Cli::parse().args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn reproduce(args: &cli::Reproduce) -> Result<bool, Error> {
    let entries = entries();
    if args.slugs.is_empty() && !args.all {
        println!("{}", listing(&entries));
        println!("{} papers; name some, or --all", entries.len());
        return Ok(true);
    }
    let selection = if args.all { Selection::All } else { Selection::Slugs(&args.slugs) };
    let folder = args.out.clone().unwrap_or_else(|| PathBuf::from("target/reproduce"));
    let mut all_hold = true;
    for entry in select(&entries, selection)? {
        let record = run(entry, args.full, &folder)?;
        print!("{}", record.table());
        for file in record.plots.iter().chain([&format!("{}.json", record.slug)]) {
            println!("  wrote  {}", folder.join(file).display());
        }
        all_hold &= record.holds();
    }
    println!(
        "{}",
        if all_hold {
            "every claim that can be judged here holds"
        } else {
            "NOT every claim holds"
        }
    );
    Ok(all_hold)
}

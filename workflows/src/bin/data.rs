//! Program behind `cargo xtask data`. Exit status: 1 when a file is damaged, or when the
//! folder is asked for and none is set.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::process::ExitCode;

use ansatz::data::DataDir;
use ansatz_workflows::{cli, data};
use clap::Parser;

#[derive(Parser)]
#[command(name = "data", about = "List, locate or verify the data sets")]
struct Cli {
    #[command(flatten)]
    args: cli::Data,
}

fn main() -> ExitCode {
    let dir = DataDir::from_env();
    match Cli::parse().args.action {
        cli::DataAction::List => {
            for line in data::listing(&dir) {
                println!("{line}");
            }
            ExitCode::SUCCESS
        }
        cli::DataAction::Path => {
            if dir.folder().is_none() {
                eprintln!("error: {} is {}", DataDir::VARIABLE, data::folder(&dir));
                return ExitCode::FAILURE;
            }
            println!("{}", data::folder(&dir));
            ExitCode::SUCCESS
        }
        cli::DataAction::Verify => {
            let result = data::verify(&dir);
            for line in &result.lines {
                println!("{line}");
            }
            println!("{} intact, {} absent, {} bad", result.intact, result.absent, result.bad);
            if result.bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

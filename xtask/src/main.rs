//! Every workflow of the workspace: `cargo xtask COMMAND`.
//!
//! This program is small so that it compiles in seconds. What links candle (bench, reproduce, data
//! and half of doctor) is a program of the package `ansatz-workflows`, which this one launches.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod book;
mod check_gpu;
mod ci;
mod data;
mod device;
mod doctor;
mod features;
mod forwarding;
mod layering;
mod links;
mod new_crate;
mod outcome;
mod program;
mod reproduce;
mod shell;
mod sources;
mod workspace;

/// The command line of the heavy programs: one definition for both sides.
#[path = "../../workflows/src/cli.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the package ansatz-workflows")]
mod cli;

/// Anything that stops a command, with a message for the person at the terminal.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Every workflow of the workspace", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every check of the workspace and print one line for each
    Ci(ci::Args),
    /// Say what this machine offers: toolchain, CPU, threads, devices, data, optional tools
    Doctor(doctor::Args),
    /// Type-check the CUDA and Metal code without a GPU
    CheckGpu,
    /// Build a bundle that tests and times the operations on a GPU machine without Rust or network
    Device(device::Args),
    /// Time the workloads that the Python peers run too
    Bench(program::Launch<cli::Bench>),
    /// Run the key claims of papers and compare them with the published figures
    Reproduce(program::Launch<cli::Reproduce>),
    /// List, locate or verify the data sets
    Data(cli::Data),
    /// Build the book and check its links
    Book,
    /// Start a research crate that depends on ansatz
    NewCrate(new_crate::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Ci(args) => ci::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::CheckGpu => check_gpu::run(),
        Command::Device(args) => device::run(&args),
        Command::Bench(launch) => bench::run(&launch),
        Command::Reproduce(launch) => reproduce::run(&launch),
        Command::Data(args) => data::run(&args),
        Command::Book => book::run(),
        Command::NewCrate(args) => new_crate::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

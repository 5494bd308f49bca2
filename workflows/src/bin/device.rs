//! The program that `cargo xtask device` bundles. Exit status: 0 when everything agrees, 1 when
//! something does not, 2 when it could not run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

use std::path::PathBuf;
use std::process::ExitCode;

use ansatz::core::{parse_device, parse_dtype};
use ansatz_workflows::AnyError;
use ansatz_workflows::device::{
    Check, CheckLine, DeviceInfo, HostInfo, Report, Size, TimingLine, Way, build_manifest, checks,
    dtypes, utc, workloads,
};
use candle_core::{DType, Device};
use clap::Parser;

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "device", about = "Compare a device with the CPU in f64, and time both")]
#[command(args_override_self = true)]
struct Cli {
    /// cpu, cuda, cuda:N, metal, metal:N, or best: the first GPU that opens, else the CPU
    #[arg(long, default_value = "best")]
    device: String,
    /// Check this dtype (f32, f64, f16, bf16) instead of f32 and, where the device has it, f64
    #[arg(long)]
    dtype: Option<String>,
    /// Only checks and workloads whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Time tiny sizes once: shows that everything runs, the times mean nothing
    #[arg(long)]
    quick: bool,
    /// Write the report here
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // The first line: the rest may be a backtrace.
            eprintln!("error: {}", error.to_string().lines().next().unwrap_or_default());
            ExitCode::from(2)
        }
    }
}

fn run(cli: &Cli) -> Result<bool, AnyError> {
    let device = parse_device(&cli.device)?;
    let dtypes = match &cli.dtype {
        Some(name) => vec![parse_dtype(name)?],
        None => dtypes(&device),
    };
    let wanted = |name: &str| cli.only.as_ref().is_none_or(|text| name.contains(text.as_str()));
    let checks: Vec<Check> = checks().into_iter().filter(|c| wanted(c.name)).collect();
    let workloads: Vec<_> = workloads().into_iter().filter(|w| wanted(w.name)).collect();
    if checks.is_empty() && workloads.is_empty() {
        return Err(format!("no check and no workload has a name with {:?}", cli.only).into());
    }
    // An unwritable file is noticed now, not after the run.
    if let Some(path) = &cli.json {
        std::fs::write(path, "").map_err(|e| format!("{}: {e}", path.display()))?;
    }

    let mut report = Report {
        date: utc(),
        device: DeviceInfo::of(&device),
        host: HostInfo::here(),
        ansatz: env!("CARGO_PKG_VERSION").into(),
        build: build_manifest(),
        checks: vec![],
        timings: vec![],
    };
    heading(&report);
    println!("{}", CheckLine::heading());
    report.checks = run_checks(&checks, &device, &dtypes)?;
    let size = if cli.quick { Size::Quick } else { Size::Full };
    println!("\n{}", TimingLine::heading());
    for workload in &workloads {
        let line = workload.time(&device, size)?;
        println!("{}", line.row());
        report.timings.push(line);
    }
    println!("\n{}", report.summary());
    if let Some(path) = &cli.json {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        println!("wrote {}", path.display());
    }
    let agrees = report.agrees();
    println!("{}", if agrees { "everything agrees" } else { "NOT everything agrees" });
    Ok(agrees)
}

fn run_checks(
    checks: &[Check],
    device: &Device,
    dtypes: &[DType],
) -> Result<Vec<CheckLine>, AnyError> {
    // Elsewhere there is nothing but compositions.
    let ways: &[Way] = if device.is_cpu() { &[Way::Usual, Way::Composed] } else { &[Way::Usual] };
    let mut lines = Vec::new();
    for check in checks {
        for dtype in dtypes {
            for way in ways {
                for line in check.run(device, *dtype, *way)? {
                    println!("{}", line.row());
                    lines.push(line);
                }
            }
        }
    }
    Ok(lines)
}

fn heading(report: &Report) {
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let Report { date, device, host, ansatz, build, .. } = report;
    println!("date      {date}");
    println!("device    {} {}", device.device, or_dash(&device.name));
    println!(
        "          driver {}, compute capability {}, memory {}",
        or_dash(&device.driver),
        or_dash(&device.compute_capability),
        or_dash(&device.memory)
    );
    println!("host      {}, {} threads, {}", or_dash(&host.processor), host.threads, host.system);
    let built = |key: &str| {
        build.as_ref().and_then(|b| b[key].as_str()).map_or_else(|| "-".into(), str::to_owned)
    };
    println!(
        "versions  ansatz {ansatz}, candle {}, CUDA {} for {}, commit {}\n",
        built("candle"),
        built("cuda"),
        built("compute_capability"),
        built("commit")
    );
}

//! The programs as a shell sees them: exit status and messages.
use std::process::{Command, Output};

use ansatz_workflows::device::{CheckLine, Report, checks};

fn call(program: &str, args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(program).args(args).output().expect("the program starts");
    let text = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (status.code(), text.concat())
}

#[test]
fn an_unknown_paper_is_an_error_that_lists_the_known_ones() {
    let (code, text) = call(env!("CARGO_BIN_EXE_reproduce"), &["no-such-paper"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`no-such-paper`") && text.contains("known:"), "{text}");
}

#[test]
fn without_a_name_the_papers_are_listed() {
    let (code, text) = call(env!("CARGO_BIN_EXE_reproduce"), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("papers"), "{text}");
}

#[test]
fn an_unknown_workload_is_an_error_that_lists_the_known_ones() {
    let (code, text) = call(env!("CARGO_BIN_EXE_bench"), &["no-such-workload"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("`no-such-workload`") && text.contains("known:"), "{text}");
}

#[test]
fn more_threads_than_cpus_is_an_error() {
    let (code, text) = call(env!("CARGO_BIN_EXE_bench"), &["--threads", "100000"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("100000 threads"), "{text}");
}

#[test]
fn the_doctor_reports_the_devices() {
    let (code, text) = call(env!("CARGO_BIN_EXE_doctor"), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("CPU") && text.contains("CUDA 0"), "{text}");
}

#[test]
fn the_data_folder_must_be_set_to_be_named() {
    let program = env!("CARGO_BIN_EXE_data");
    let call = |folder: Option<&str>| {
        let mut command = Command::new(program);
        command.arg("path").env_remove("ANSATZ_DATA");
        command.envs(folder.map(|folder| ("ANSATZ_DATA", folder)));
        let output = command.output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(call(None), (Some(1), String::new()));
    assert_eq!(call(Some("here")), (Some(0), "here\n".into()));
}

/// The machinery of the bundle where there is no GPU: the CPU in f32 and f64, by kernels and by what
/// other devices run, against its kernels in f64.
#[test]
fn the_device_suite_agrees_on_the_cpu_and_reports_it() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("report.json");
    let path = json.to_str().unwrap();
    // run.sh puts a --json of its own first; the last one counts.
    let words = ["--json", "/nowhere/at/all", "--device", "cpu", "--quick", "--json", path];
    let (code, text) = call(env!("CARGO_BIN_EXE_device"), &words);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("everything agrees"), "{text}");

    let report: Report = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert!(report.agrees() && report.device.device == "cpu");
    for dtype in ["f32", "f64"] {
        for composed in [false, true] {
            let of = |c: &&CheckLine| c.dtype == dtype && c.composed == composed;
            let n = report.checks.iter().filter(of).count();
            assert!(n > checks().len(), "values and gradients in {dtype}");
        }
    }
    // f32 is not f64, nor a composition a kernel: rounding must be seen, and the kernels must repeat
    // themselves to the bit.
    let largest = |dtype: &str, composed: bool| {
        let of = report.checks.iter().filter(|c| c.dtype == dtype && c.composed == composed);
        of.filter_map(|c| c.max_difference).fold(0.0, f64::max)
    };
    assert!(largest("f32", false) > 1e-8 && largest("f64", false) == 0.0);
    assert!(largest("f64", true) > 1e-16);
    assert!(report.timings.iter().all(|t| t.cpu_s > 0.0 && t.device_s.is_none()));
}

#[test]
fn a_device_that_is_not_there_is_an_error() {
    let program = env!("CARGO_BIN_EXE_device");
    for (words, what) in [
        (["--device", "gpu"], "cuda:N"),
        (["--only", "no such check"], "no such check"),
        (["--dtype", "f31"], "f31"),
    ] {
        let (code, text) = call(program, &words);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(what), "{text}");
    }
}

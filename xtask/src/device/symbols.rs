//! What a linked program expects of the machine that runs it, read from its table of symbols.
use std::path::Path;
use std::process::Command;

use super::tools::Tools;
use crate::Result;

/// What the program needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The oldest glibc that has every function used; `None` where it could not be read.
    pub(crate) glibc: Option<String>,
}

/// Reads it with `nm`, where that is installed.
///
/// # Errors
/// When a function is open that no CUDA library provides: the linker was told to accept open
/// functions, so it did not complain.
pub(crate) fn needs(tools: &Tools, program: &Path) -> Result<Needs> {
    let mut command = Command::new(&tools.nm);
    match super::capture(command.arg("-D").arg(program)) {
        Ok(text) => parse(&text),
        Err(error) => {
            println!("the symbols of the program are not checked: {error}");
            Ok(Needs { glibc: None })
        }
    }
}

fn parse(text: &str) -> Result<Needs> {
    let mut newest: Option<Vec<u32>> = None;
    let mut strangers: Vec<&str> = Vec::new();
    for line in text.lines() {
        let Some(symbol) = line.trim_start().strip_prefix("U ") else { continue };
        match symbol.split_once('@') {
            Some((_, library)) => {
                let version = library.trim_start_matches('@').strip_prefix("GLIBC_");
                let version: Option<Vec<u32>> =
                    version.and_then(|v| v.split('.').map(|n| n.parse().ok()).collect());
                newest = newest.max(version);
            }
            None if is_cuda(symbol) => {}
            None => strangers.push(symbol),
        }
    }
    if !strangers.is_empty() && cfg!(target_os = "linux") {
        let some: Vec<&str> = strangers.iter().take(5).copied().collect();
        return Err(format!(
            "{} functions of the program are in none of the CUDA libraries: {}",
            strangers.len(),
            some.join(", ")
        )
        .into());
    }
    let glibc = newest.map(|v| v.iter().map(u32::to_string).collect::<Vec<_>>().join("."));
    Ok(Needs { glibc })
}

/// Functions of the driver, the libraries and the run-time library (`__cudaRegisterFatBinary`).
fn is_cuda(symbol: &str) -> bool {
    symbol.starts_with("cu") || symbol.starts_with("nvrtc") || symbol.starts_with("__cuda")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "                 w __gmon_start__\n\
        \x20                U memcpy@GLIBC_2.14\n\
        \x20                U pow@GLIBC_2.29\n\
        \x20                U strlen@GLIBC_2.2.5\n\
        \x20                U _Unwind_Resume@GCC_3.0\n\
        \x20                U cuInit\n\
        \x20                U nvrtcCompileProgram\n\
        \x20                U __cudaRegisterFatBinary\n\
        0000000000001000 T main\n";

    #[test]
    fn the_newest_glibc_counts() {
        assert_eq!(parse(GOOD).unwrap(), Needs { glibc: Some("2.29".into()) });
        assert_eq!(parse("").unwrap(), Needs { glibc: None });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_function_that_nobody_provides_is_found() {
        let error = parse(&format!("{GOOD}                 U gemm_typo\n")).unwrap_err();
        assert!(error.to_string().contains("gemm_typo"), "{error}");
    }

    #[test]
    fn without_nm_nothing_is_claimed() {
        let needs = needs(&Tools::absent(), Path::new("program")).unwrap();
        assert_eq!(needs.glibc, None);
    }
}

//! The programs that building a bundle calls, and what to say when one is absent.
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Result;

/// Paths or names to look up; the tests put scripts in their place.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) python: PathBuf,
    pub(crate) cc: PathBuf,
    /// The compiler that nvcc calls for the part of a kernel file that is ordinary C++.
    pub(crate) cxx: PathBuf,
    pub(crate) nm: PathBuf,
    pub(crate) tar: PathBuf,
}

impl Tools {
    pub(crate) fn from_env() -> Self {
        let named = |variable: &str, usual: &str| {
            env::var_os(variable).filter(|v| !v.is_empty()).unwrap_or_else(|| usual.into()).into()
        };
        Self {
            python: named("PYTHON", "python3"),
            cc: named("CC", "cc"),
            cxx: named("NVCC_CCBIN", "g++"),
            nm: named("NM", "nm"),
            tar: "tar".into(),
        }
    }

    pub(crate) fn require_python(&self) -> Result {
        require(
            &self.python,
            "Python 3, which fetches the CUDA compiler",
            "install Python 3.9 or later, name it with PYTHON, or install a CUDA toolkit and set \
             CUDA_HOME",
        )
    }

    pub(crate) fn require_c(&self) -> Result {
        require(
            &self.cc,
            "the C compiler, which makes the stand-ins for the CUDA libraries",
            "install one (Debian: gcc) or name it with CC",
        )
    }

    pub(crate) fn require_cxx(&self) -> Result {
        require(
            &self.cxx,
            "the C++ compiler that nvcc calls",
            "install one (Debian: g++) or name it with NVCC_CCBIN",
        )
    }
}

fn require(program: &PathBuf, what: &str, remedy: &str) -> Result {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(format!("{} --version: {status}. It is {what}: {remedy}", program.display()).into())
        }
        Err(error) => {
            Err(format!("{} does not start ({error}). It is {what}: {remedy}", program.display())
                .into())
        }
    }
}

#[cfg(test)]
impl Tools {
    /// Tools none of which is there.
    pub(crate) fn absent() -> Self {
        let absent = || PathBuf::from("/no/such/program");
        Self { python: absent(), cc: absent(), cxx: absent(), nm: absent(), tar: absent() }
    }
}

/// A shell script to stand in for a tool.
#[cfg(test)]
#[cfg(unix)]
pub(crate) fn script(path: &std::path::Path, body: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_tool_has_a_message_of_its_own() {
        let tools = Tools::absent();
        for (result, remedy) in [
            (tools.require_python(), "CUDA_HOME"),
            (tools.require_c(), "with CC"),
            (tools.require_cxx(), "NVCC_CCBIN"),
        ] {
            let message = result.unwrap_err().to_string();
            assert!(message.contains("/no/such/program does not start"), "{message}");
            assert!(message.contains(remedy), "{message}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_tool_that_fails_is_told_from_one_that_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let broken = script(&folder.path().join("python"), "exit 3");
        let message = require(&broken, "x", "y").unwrap_err().to_string();
        assert!(message.contains("exit status: 3"), "{message}");
        let working = script(&folder.path().join("cc"), "echo 1.0");
        assert!(require(&working, "x", "y").is_ok());
    }
}

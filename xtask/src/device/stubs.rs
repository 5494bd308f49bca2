//! Empty libraries to link against on a machine without the CUDA libraries.
//!
//! The program records the names of the libraries that it will load, and leaves the functions that
//! it calls open; on the GPU machine the loader finds both. Here a linker must find libraries of
//! these names and must accept open functions.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::Tools;
use crate::Result;

/// Library, and the name under which the loader of CUDA 13 looks for it.
pub(crate) const LIBRARIES: &[(&str, &str)] = &[
    ("cuda", "libcuda.so.1"),
    ("cudart", "libcudart.so.13"),
    ("cublas", "libcublas.so.13"),
    ("cublasLt", "libcublasLt.so.13"),
    ("curand", "libcurand.so.10"),
    ("cufft", "libcufft.so.12"),
    ("nvrtc", "libnvrtc.so.13"),
];

/// Makes the libraries in a folder of their own and returns it.
pub(crate) fn write(work: &Path, tools: &Tools) -> Result<PathBuf> {
    tools.require_c()?;
    let folder = work.join("stubs");
    fs::create_dir_all(&folder)?;
    let source = folder.join("empty.c");
    fs::write(&source, "/* A library of this name is on the GPU machine. */\n")?;
    for (name, loaded_as) in LIBRARIES {
        let mut command = Command::new(&tools.cc);
        command.args(["-shared", "-nostdlib"]).arg(format!("-Wl,-soname,{loaded_as}"));
        command.arg("-o").arg(folder.join(format!("lib{name}.so"))).arg(&source);
        super::capture(&mut command)
            .map_err(|e| format!("{e}\nno stand-in for lib{name} could be made"))?;
    }
    Ok(folder)
}

/// The words for rustc: where the stand-ins are, that functions may stay open, and that each
/// library is recorded although nothing in it is used.
pub(crate) fn link_words(folder: &Path) -> Vec<String> {
    let mut words = vec!["-L".into(), format!("native={}", folder.display())];
    let mut pass = |word: String| words.extend(["-C".into(), format!("link-arg={word}")]);
    pass("-Wl,--unresolved-symbols=ignore-all".into());
    pass("-Wl,--no-as-needed".into());
    for (name, _) in LIBRARIES {
        pass(format!("-l{name}"));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_library_is_named_to_the_linker_after_the_switch() {
        let words = link_words(Path::new("/t/stubs"));
        assert_eq!(words[..2], ["-L", "native=/t/stubs"]);
        let place = |text: &str| words.iter().position(|w| w == text);
        let switch = place("link-arg=-Wl,--no-as-needed").unwrap();
        for (name, _) in LIBRARIES {
            assert!(place(&format!("link-arg=-l{name}")).unwrap() > switch, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn each_library_gets_the_name_it_is_loaded_by() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let body = format!("echo \"$@\" >> '{}'", log.display());
        let cc = crate::device::tools::script(&folder.path().join("cc"), &body);
        let tools = Tools { cc, ..Tools::absent() };
        write(folder.path(), &tools).unwrap();
        let log = fs::read_to_string(log).unwrap();
        assert!(log.contains("-Wl,-soname,libcublas.so.13") && log.contains("libcublas.so "));
        assert_eq!(log.lines().count(), LIBRARIES.len() + 1, "--version and one each: {log}");
    }

    #[test]
    fn without_a_c_compiler_the_message_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(folder.path(), &Tools::absent()).unwrap_err().to_string();
        assert!(error.contains("C compiler") && error.contains("CC"), "{error}");
    }
}

//! A CUDA compiler from Python wheels, in a virtual environment below the target folder.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::Tools;
use crate::{Result, shell};

/// Where the pinned wheels are listed, from the workspace root.
pub(crate) const COMPILER: &str = "xtask/cuda/compiler.txt";
pub(crate) const LIBRARIES: &str = "xtask/cuda/libraries.txt";

/// Installs the wheels that the files list, unless they are there; returns the folder with `bin`,
/// `include` and `lib`.
pub(crate) fn install(work: &Path, root: &Path, tools: &Tools, libraries: bool) -> Result<PathBuf> {
    let environment = work.join("python");
    let lists = if libraries { vec![COMPILER, LIBRARIES] } else { vec![COMPILER] };
    for list in lists {
        install_list(&environment, &root.join(list), tools)?;
    }
    find_root(&environment)
}

fn install_list(environment: &Path, list: &Path, tools: &Tools) -> Result {
    let wanted = fs::read_to_string(list).map_err(|e| format!("{}: {e}", list.display()))?;
    let stamp = environment.join(list.file_name().unwrap_or_default());
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    let python = environment.join("bin/python");
    if !python.is_file() {
        tools.require_python()?;
        let mut command = Command::new(&tools.python);
        command.args(["-m", "venv"]).arg(environment);
        super::capture(&mut command).map_err(|error| {
            // Half an environment would look like a whole one the next time.
            let _ = fs::remove_dir_all(environment);
            format!(
                "{error}\nno virtual environment could be made for the CUDA compiler: install \
                 Python's module venv (Debian: python3-venv), or install a CUDA toolkit and set \
                 CUDA_HOME"
            )
        })?;
    }
    let mut command = Command::new(&python);
    command.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "-r"]);
    command.arg(list);
    shell::run(&mut command).map_err(|error| {
        format!(
            "{error}\nthe CUDA wheels of {} could not be installed: pip needs a package index or a \
             mirror (PIP_INDEX_URL, PIP_FIND_LINKS). Without one, install a CUDA toolkit and set \
             CUDA_HOME",
            list.display()
        )
    })?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// The folder of the wheels that holds `bin/nvcc`: `lib/pythonX.Y/site-packages/nvidia/cu13`.
fn find_root(environment: &Path) -> Result<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let releases = versions.flat_map(|version| {
        let nvidia = version.path().join("site-packages/nvidia");
        fs::read_dir(nvidia).into_iter().flatten().flatten()
    });
    let mut roots = releases.map(|e| e.path()).filter(|root| root.join("bin/nvcc").is_file());
    roots.next().ok_or_else(|| {
        format!(
            "{}: the wheels are installed but hold no bin/nvcc; delete the folder and try again",
            environment.display()
        )
        .into()
    })
}

/// Writes a script that calls the wheels' nvcc with the headers that they keep apart. It lies in a
/// folder `bin` because candle's build takes the folder above as the toolkit.
pub(crate) fn write_wrapper(work: &Path, root: &Path) -> Result<PathBuf> {
    let text = format!(
        "#!/bin/sh\n# nvcc of the Python wheels, with the headers that they keep apart.\n\
         exec \"{0}/bin/nvcc\" -I \"{0}/include/cccl\" \"$@\"\n",
        root.display()
    );
    let wrapper = work.join("toolkit/bin/nvcc");
    fs::create_dir_all(work.join("toolkit/bin"))?;
    shell::write_program(&wrapper, &text)?;
    Ok(wrapper)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::device::tools::script;

    /// A Python that makes an environment whose pip runs `pip`.
    fn fake_python(folder: &Path, pip: &str) -> Tools {
        let inner = script(&folder.join("inner"), pip);
        let body = format!(
            "[ \"$1\" = --version ] && exit 0\n\
             mkdir -p \"$3/bin\" && cp \"{}\" \"$3/bin/python\"",
            inner.display()
        );
        let python = script(&folder.join("python3"), &body);
        Tools { python, ..Tools::absent() }
    }

    fn workspace_with_list(folder: &Path) -> PathBuf {
        fs::create_dir_all(folder.join("xtask/cuda")).unwrap();
        fs::write(folder.join(COMPILER), "nvidia-cuda-nvcc==13.0.88\n").unwrap();
        folder.to_path_buf()
    }

    const MAKES_NVCC: &str = "here=$(dirname \"$0\")/..\n\
        root=$here/lib/python3.11/site-packages/nvidia/cu13\n\
        mkdir -p \"$root/bin\" && echo x > \"$root/bin/nvcc\"\n\
        echo \"$@\" >> \"$here/calls\"";

    #[test]
    fn wheels_are_installed_once() {
        let folder = tempfile::tempdir().unwrap();
        let tools = fake_python(folder.path(), MAKES_NVCC);
        let root = workspace_with_list(folder.path());
        let work = folder.path().join("work");
        fs::create_dir_all(&work).unwrap();
        let first = install(&work, &root, &tools, false).unwrap();
        assert!(first.ends_with("nvidia/cu13"), "{}", first.display());
        assert_eq!(install(&work, &root, &tools, false).unwrap(), first);
        let calls = fs::read_to_string(work.join("python/calls")).unwrap();
        assert_eq!(calls.lines().count(), 1, "{calls}");
        assert!(calls.contains("pip install") && calls.contains("compiler.txt"), "{calls}");

        // Another pin is installed at once.
        fs::write(root.join(COMPILER), "nvidia-cuda-nvcc==13.0.99\n").unwrap();
        install(&work, &root, &tools, false).unwrap();
        assert_eq!(fs::read_to_string(work.join("python/calls")).unwrap().lines().count(), 2);
    }

    #[test]
    fn without_an_index_the_message_says_what_else_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let tools = fake_python(folder.path(), "exit 1");
        let root = workspace_with_list(folder.path());
        let error = install(folder.path(), &root, &tools, false).unwrap_err().to_string();
        assert!(error.contains("PIP_INDEX_URL") && error.contains("CUDA_HOME"), "{error}");
    }

    #[test]
    fn without_the_module_venv_nothing_is_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        let body = "[ \"$1\" = --version ] && exit 0\nmkdir -p \"$3/bin\"; exit 1";
        let python = script(&folder.path().join("python3"), body);
        let tools = Tools { python, ..Tools::absent() };
        let root = workspace_with_list(folder.path());
        let error = install(folder.path(), &root, &tools, false).unwrap_err().to_string();
        assert!(error.contains("python3-venv"), "{error}");
        assert!(!folder.path().join("python").exists());
    }

    #[test]
    fn the_wrapper_adds_the_headers() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("cu 13");
        fs::create_dir_all(root.join("bin")).unwrap();
        script(&root.join("bin/nvcc"), "for word; do echo \"<$word>\"; done");
        let wrapper = write_wrapper(folder.path(), &root).unwrap();
        let output = Command::new(wrapper).args(["-c", "a b.cu"]).output().unwrap();
        let expected = format!("<-I>\n<{}/include/cccl>\n<-c>\n<a b.cu>\n", root.display());
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    }

    #[test]
    fn the_pinned_lists_name_one_version_each() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for list in [COMPILER, LIBRARIES] {
            let text = fs::read_to_string(root.join(list)).unwrap();
            let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
            assert!(!lines.is_empty() && lines.iter().all(|l| l.contains("==")), "{list}");
        }
    }
}

//! The folder that is carried to the GPU machine, and its archive.
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::tools::Tools;
use crate::{Result, shell};

const RUN: &str = include_str!("../../templates/device_run.sh");
const README: &str = include_str!("../../templates/device_readme.txt");

/// What goes into the folder.
pub(crate) struct Bundle<'a> {
    pub(crate) program: &'a Path,
    pub(crate) libraries: &'a [PathBuf],
    pub(crate) manifest: &'a str,
}

/// Refuses to replace a folder that is not an older bundle.
pub(crate) fn check_out(out: &Path) -> Result {
    let occupied = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_some());
    if out.is_file() || (occupied && !out.join("manifest.json").is_file()) {
        let why = "exists and is not a bundle of this command; name another folder with --out";
        return Err(format!("{}: {why}", out.display()).into());
    }
    Ok(())
}

impl Bundle<'_> {
    /// Makes the folder, in place of an older bundle.
    pub(crate) fn write(&self, out: &Path) -> Result {
        check_out(out)?;
        let failed = |e: std::io::Error| format!("{}: {e}", out.display());
        if out.exists() {
            fs::remove_dir_all(out).map_err(failed)?;
        }
        fs::create_dir_all(out.join("lib")).map_err(failed)?;
        fs::copy(self.program, out.join("device")).map_err(failed)?;
        for library in self.libraries {
            // Copying follows links: the file keeps the name that the loader asks for.
            fs::copy(library, out.join("lib").join(super::file_name(library))).map_err(failed)?;
        }
        shell::write_program(&out.join("run.sh"), RUN).map_err(failed)?;
        fs::write(out.join("README.txt"), README).map_err(failed)?;
        fs::write(out.join("manifest.json"), self.manifest).map_err(failed)?;
        Ok(())
    }
}

/// Packs the folder as `OUT.tar.gz` beside it.
pub(crate) fn archive(tools: &Tools, out: &Path) -> Result<PathBuf> {
    let mut name = OsString::from(out);
    name.push(".tar.gz");
    let archive = PathBuf::from(name);
    let parent = out.parent().unwrap_or(Path::new("/"));
    let mut command = Command::new(&tools.tar);
    command.arg("-czf").arg(&archive).arg("-C").arg(parent).arg(super::file_name(out));
    super::capture(&mut command).map_err(|error| {
        format!("{error}\nthe bundle in {} is complete but not packed", out.display())
    })?;
    Ok(archive)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::device::tools::script;

    /// A bundle whose program prints its arguments and what it was told by variables.
    fn bundle(folder: &Path) -> PathBuf {
        let program = script(
            &folder.join("device-1"),
            "echo \"arguments $*\"; echo \"threads $RAYON_NUM_THREADS\"\n\
             echo \"libraries $LD_LIBRARY_PATH\"; exit 7",
        );
        let library = folder.join("libcudart.so.13");
        fs::write(&library, "x").unwrap();
        let out = folder.join("made here/ansatz-device");
        let bundle = Bundle { program: &program, libraries: &[library], manifest: "{}\n" };
        bundle.write(&out).unwrap();
        out
    }

    #[test]
    fn the_bundle_holds_all_that_is_needed_and_runs_with_one_command() {
        let folder = tempfile::tempdir().unwrap();
        let out = bundle(folder.path());
        let mut names: Vec<String> = fs::read_dir(&out)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["README.txt", "device", "lib", "manifest.json", "run.sh"]);
        assert!(out.join("lib/libcudart.so.13").is_file());

        // From another folder, whose path it must not depend on.
        let output = Command::new(out.join("run.sh"))
            .current_dir(folder.path())
            .args(["--device", "cuda:1"])
            .env("LD_LIBRARY_PATH", "/mine")
            .env("SLURM_CPUS_PER_TASK", "5")
            .env_remove("RAYON_NUM_THREADS")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("arguments --json device-report.json --device cuda:1\n"), "{text}");
        assert!(text.contains("threads 5\n"), "{text}");
        let first = format!("libraries {}/lib:/mine", out.canonicalize().unwrap().display());
        assert!(text.contains(&first), "{text}");
        assert_eq!(output.status.code(), Some(7), "the exit status of the program");
    }

    #[test]
    fn missing_libraries_are_named_with_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let out = bundle(folder.path());
        let bin = folder.path().join("bin");
        fs::create_dir_all(&bin).unwrap();
        let lines = "\tlibcuda.so.1 => not found\\n\tlibcublas.so.13 => not found\\n\
                     \tlibc.so.6 => /lib/libc.so.6 (0x1)\\n";
        script(&bin.join("ldd"), &format!("printf '{lines}'"));
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let output = Command::new(out.join("run.sh")).env("PATH", path).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("libcuda.so.1 libcublas.so.13"), "{text}");
        assert!(text.contains("NVIDIA driver") && text.contains("--libraries"), "{text}");
        assert!(!text.contains("libc.so.6"), "{text}");
    }

    #[test]
    fn only_an_older_bundle_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let out = bundle(folder.path());
        fs::write(out.join("old"), "").unwrap();
        check_out(&out).unwrap();
        bundle(folder.path());
        assert!(!out.join("old").exists());

        let thesis = folder.path().join("thesis");
        fs::create_dir_all(&thesis).unwrap();
        check_out(&thesis).unwrap();
        fs::write(thesis.join("chapter"), "").unwrap();
        let error = check_out(&thesis).unwrap_err().to_string();
        assert!(error.contains("--out"), "{error}");
        check_out(&thesis.join("chapter")).unwrap_err();
    }

    #[test]
    fn the_archive_unpacks_to_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        let out = bundle(folder.path());
        let tools = Tools { tar: "tar".into(), ..Tools::absent() };
        let archive = archive(&tools, &out).unwrap();
        assert!(archive.ends_with("made here/ansatz-device.tar.gz"), "{}", archive.display());
        let there = folder.path().join("there");
        fs::create_dir_all(&there).unwrap();
        let status =
            Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&there).status().unwrap();
        assert!(status.success() && there.join("ansatz-device/lib/libcudart.so.13").is_file());
        let error = super::archive(&Tools::absent(), &out).unwrap_err().to_string();
        assert!(error.contains("complete but not packed"), "{error}");
    }
}

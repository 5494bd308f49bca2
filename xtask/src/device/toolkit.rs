//! The CUDA toolkit: the installed one, or one made from Python wheels.
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::tools::Tools;
use super::{stubs, wheels};
use crate::Result;

/// What a build with CUDA needs to know.
#[derive(Debug)]
pub(crate) struct Toolkit {
    pub(crate) nvcc: PathBuf,
    pub(crate) version: Version,
    /// In words, for the manifest.
    pub(crate) origin: &'static str,
    /// `CUDA_HOME` of an installed toolkit, where the linker finds its libraries.
    pub(crate) home: Option<PathBuf>,
    /// Words for rustc when it links the program.
    pub(crate) link_words: Vec<String>,
    library_folders: Vec<PathBuf>,
}

/// The parts of the CUDA libraries that a program with candle loads; the driver's own excepted.
const LIBRARIES: &[&str] = &[
    "libcudart",
    "libcublas",
    "libcublasLt",
    "libcurand",
    "libcufft",
    "libnvrtc",
    "libnvrtc-builtins",
];

impl Toolkit {
    /// The installed toolkit where there is one, else one made from wheels in `work`.
    pub(crate) fn find_or_make(
        work: &Path,
        root: &Path,
        tools: &Tools,
        libraries: bool,
    ) -> Result<Self> {
        if env::consts::OS != "linux" {
            let why = "a bundle with CUDA is built on Linux, as GPU machines run it";
            return Err(format!("{why}; for a trial here: cargo xtask device --cpu").into());
        }
        tools.require_cxx()?;
        // Programs find libraries of the bundle beside themselves.
        let beside = ["-C".to_owned(), "link-arg=-Wl,-rpath,$ORIGIN/lib".to_owned()];
        let variable = |name: &str| env::var_os(name).filter(|v| !v.is_empty());
        let search = env::var_os("PATH").unwrap_or_default();
        let candidates = variable("NVCC")
            .map(PathBuf::from)
            .into_iter()
            .chain(variable("CUDA_HOME").map(|home| PathBuf::from(home).join("bin/nvcc")))
            .chain(env::split_paths(&search).map(|folder| folder.join("nvcc")))
            .chain([PathBuf::from("/usr/local/cuda/bin/nvcc")]);
        if let Some(nvcc) = installed(candidates) {
            println!("CUDA compiler: {}", nvcc.display());
            // /usr/bin/nvcc is often a link into the toolkit.
            let real = nvcc.canonicalize()?;
            let home = real.parent().and_then(Path::parent).unwrap_or(Path::new("/")).to_path_buf();
            return Ok(Self {
                version: Version::of(&nvcc)?,
                origin: "installed toolkit",
                link_words: beside.into(),
                library_folders: vec![home.join("lib64"), home.join("lib")],
                home: Some(home),
                nvcc,
            });
        }
        println!(
            "CUDA compiler: no nvcc on PATH or below CUDA_HOME, so the wheels of {}",
            wheels::COMPILER
        );
        let root = wheels::install(work, root, tools, libraries)?;
        let nvcc = wheels::write_wrapper(work, &root)?;
        let stubs = stubs::write(work, tools)?;
        Ok(Self {
            version: Version::of(&nvcc)?,
            origin: "Python wheels",
            home: None,
            link_words: [stubs::link_words(&stubs), beside.into()].concat(),
            library_folders: vec![root.join("lib")],
            nvcc,
        })
    }

    /// The libraries to put into the bundle: all that the program loads but the driver's, or the
    /// small one that depends on the compiler most.
    pub(crate) fn libraries(&self, all: bool) -> Result<Vec<PathBuf>> {
        let wanted = if all { LIBRARIES } else { &LIBRARIES[..1] };
        let files: Vec<PathBuf> = self
            .library_folders
            .iter()
            .flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .collect();
        let mut found: Vec<PathBuf> = Vec::new();
        for library in wanted {
            let first = files.iter().find(|f| is_loaded_name(&super::file_name(f), library));
            match first {
                Some(file) => found.push(file.clone()),
                None if all => {
                    let folders: Vec<String> =
                        self.library_folders.iter().map(|f| f.display().to_string()).collect();
                    return Err(format!(
                        "{library}.so is not in {}: without it the bundle would not be complete; \
                         leave --libraries out to use those of the GPU machine",
                        folders.join(" or ")
                    )
                    .into());
                }
                None => {}
            }
        }
        Ok(found)
    }
}

/// The first of the candidates that is a file.
fn installed(mut candidates: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    candidates.find(|nvcc| nvcc.is_file())
}

/// Whether the file has the name that the loader asks for, `libcublas.so.13` (the full version
/// `libcublas.so.13.0.2` is another file, `libcublas.so` is for linkers).
fn is_loaded_name(file: &str, library: &str) -> bool {
    let version = file.strip_prefix(library).and_then(|rest| rest.strip_prefix(".so."));
    let Some(version) = version else { return false };
    // This one is loaded by its release.
    let dots = usize::from(library == "libnvrtc-builtins");
    version.matches('.').count() == dots && version.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The release of a toolkit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

/// The newest release that cudarc 0.19, on which candle stands, knows by name. Later ones of the
/// same series load what it expects.
const NEWEST: Version = Version { major: 13, minor: 4 };

impl Version {
    fn of(nvcc: &Path) -> Result<Self> {
        let text = super::capture(Command::new(nvcc).arg("--version"))?;
        Self::parse(&text)
            .ok_or_else(|| format!("{} --version names no release:\n{text}", nvcc.display()).into())
    }

    /// From `Cuda compilation tools, release 13.0, V13.0.88`.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("release ")?;
        let (major, rest) = rest.split_once('.')?;
        let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }

    /// As cudarc's build reads it: 13000 for 13.0.
    pub(crate) fn for_cudarc(self) -> String {
        let minor =
            if self.major == NEWEST.major { self.minor.min(NEWEST.minor) } else { self.minor };
        format!("{}0{minor}0", self.major)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolkit(folder: &Path) -> Toolkit {
        Toolkit {
            nvcc: folder.join("bin/nvcc"),
            version: Version { major: 13, minor: 0 },
            origin: "installed toolkit",
            home: None,
            link_words: vec![],
            library_folders: vec![folder.join("absent"), folder.to_path_buf()],
        }
    }

    #[test]
    fn releases_are_read_and_named_for_cudarc() {
        let parse = |text| Version::parse(text).unwrap().for_cudarc();
        assert_eq!(parse("Cuda compilation tools, release 13.0, V13.0.88"), "13000");
        assert_eq!(parse("release 12.8, V12.8.0"), "12080");
        assert_eq!(parse("release 13.5, V13.5.37"), "13040");
        assert_eq!(Version::parse("gcc 12.2"), None);
    }

    #[test]
    fn the_first_compiler_that_exists_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("nvcc");
        let candidates = || [PathBuf::from("/no/nvcc"), there.clone(), PathBuf::from("/x/nvcc")];
        assert_eq!(installed(candidates().into_iter()), None);
        fs::write(&there, "").unwrap();
        assert_eq!(installed(candidates().into_iter()), Some(there.clone()));
    }

    #[test]
    fn names_of_the_loader_are_told_from_other_names() {
        assert!(is_loaded_name("libcublas.so.13", "libcublas"));
        assert!(is_loaded_name("libnvrtc-builtins.so.13.0", "libnvrtc-builtins"));
        for other in
            ["libcublas.so", "libcublas.so.13.0.2.14", "libcublasLt.so.13", "libnvblas.so.13"]
        {
            assert!(!is_loaded_name(other, "libcublas"), "{other}");
        }
    }

    #[test]
    fn a_bundle_with_libraries_is_complete_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let toolkit = toolkit(folder.path());
        assert!(toolkit.libraries(false).unwrap().is_empty(), "taken where it is");
        for name in [
            "libcudart.so.13",
            "libcublas.so.13",
            "libcublasLt.so.13",
            "libcurand.so.10",
            "libcufft.so.12",
        ] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(toolkit.libraries(false).unwrap(), [folder.path().join("libcudart.so.13")]);
        let error = toolkit.libraries(true).unwrap_err().to_string();
        assert!(error.contains("libnvrtc.so"), "{error}");
        for name in ["libnvrtc.so.13", "libnvrtc-builtins.so.13.0"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(toolkit.libraries(true).unwrap().len(), LIBRARIES.len());
    }
}

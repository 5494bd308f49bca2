//! Where the files are: [`DataDir`], and opening a registered data set as a [`DatasetFile`].

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::verify::sha256_hex;
use crate::{Dataset, Error, Format, Npz, Result, Table};

/// The folder that holds the data files, or none.
///
/// Bundled data sets are compiled into the crate and need no folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataDir {
    folder: Option<PathBuf>,
}

impl DataDir {
    /// The environment variable that names the folder.
    pub const VARIABLE: &'static str = "ANSATZ_DATA";

    /// The folder named by the environment variable `ANSATZ_DATA`; none if it is unset or empty.
    pub fn from_env() -> Self {
        Self { folder: std::env::var_os(Self::VARIABLE).filter(|v| !v.is_empty()).map(Into::into) }
    }

    /// The given folder. Nothing is checked until a file is looked up.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// No folder: only bundled data sets can be opened.
    pub fn bundled_only() -> Self {
        Self::default()
    }

    /// The folder, if there is one.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }
}

impl Dataset {
    /// The path of this data set's file in `dir`.
    ///
    /// # Errors
    ///
    /// [`Error::Absent`] if there is no folder or no such file in it. This holds for bundled data
    /// sets too: [`open`](Self::open) does not need their file.
    pub fn path(&self, dir: &DataDir) -> Result<PathBuf> {
        dir.folder().map(|folder| folder.join(self.file)).filter(|path| path.is_file()).ok_or_else(
            || Error::Absent {
                dataset: self.name,
                file: self.file,
                folder: dir.folder().map(Path::to_owned),
            },
        )
    }

    /// Whether [`open`](Self::open) will find the bytes: bundled, or a file in `dir`.
    pub fn is_available(&self, dir: &DataDir) -> bool {
        self.is_bundled() || self.path(dir).is_ok()
    }

    /// The bytes of this data set, read from the crate if bundled and else from `dir`, and
    /// checked against the registered SHA-256.
    ///
    /// # Errors
    ///
    /// [`Error::Absent`], [`Error::Io`], or [`Error::Checksum`] if the file is not the registered
    /// one.
    pub fn open(&self, dir: &DataDir) -> Result<DatasetFile> {
        let bytes = self.bytes(dir)?;
        let got = sha256_hex(&bytes);
        if got != self.sha256 {
            return Err(Error::Checksum { dataset: self.name, expected: self.sha256, got });
        }
        Ok(DatasetFile { dataset: self.clone(), bytes })
    }

    /// The unchecked bytes.
    pub(crate) fn bytes(&self, dir: &DataDir) -> Result<Cow<'static, [u8]>> {
        match self.bundled {
            Some(bytes) => Ok(Cow::Borrowed(bytes)),
            None => read(&self.path(dir)?).map(Cow::Owned),
        }
    }
}

/// Reads a whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|source| Error::Io { path: path.to_owned(), source })
}

/// The verified bytes of a data set.
#[derive(Debug, Clone)]
pub struct DatasetFile {
    dataset: Dataset,
    bytes: Cow<'static, [u8]>,
}

impl DatasetFile {
    /// The registry entry.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The bytes of the file, as they are. This is the way to the data of [`Format::Json`].
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The columns of a [`Format::Csv`] data set.
    ///
    /// # Errors
    ///
    /// [`Error::WrongFormat`] if the data set is not CSV.
    pub fn table(&self) -> Result<Table> {
        self.expect(Format::Csv)?;
        Table::from_bytes(&self.bytes)
    }

    /// The arrays of a [`Format::Npz`] data set.
    ///
    /// # Errors
    ///
    /// [`Error::WrongFormat`] if the data set is not NPZ.
    pub fn arrays(self) -> Result<Npz> {
        self.expect(Format::Npz)?;
        Npz::from_bytes(self.bytes.into_owned())
    }

    fn expect(&self, wanted: Format) -> Result<()> {
        let Dataset { name: dataset, format, .. } = self.dataset;
        if format == wanted { Ok(()) } else { Err(Error::WrongFormat { dataset, format, wanted }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cora() -> &'static Dataset {
        Dataset::find("cora").unwrap()
    }

    #[test]
    fn without_a_folder_only_bundled_sets_open() {
        let none = DataDir::bundled_only();
        assert!(matches!(cora().open(&none), Err(Error::Absent { folder: None, .. })));
        assert!(!cora().is_available(&none));
        let lynx = Dataset::find("lynx_hare").unwrap();
        assert!(lynx.is_available(&none));
        assert_eq!(lynx.open(&none).unwrap().table().unwrap().rows(), 21);
    }

    #[test]
    fn absent_says_which_variable_to_set_and_where_it_looked() {
        let folder = tempfile::tempdir().unwrap();
        let error = cora().path(&DataDir::new(folder.path())).unwrap_err();
        let Error::Absent { dataset, file, folder: Some(searched) } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((*dataset, *file), ("cora", "cora.npz"));
        assert_eq!(searched, folder.path());
        assert!(error.to_string().contains(DataDir::VARIABLE));
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("cora.npz")).unwrap();
        let error = cora().open(&DataDir::new(folder.path())).unwrap_err();
        assert!(matches!(error, Error::Absent { .. }));
    }

    #[test]
    fn a_changed_file_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cora.npz"), b"PK").unwrap();
        let error = cora().open(&DataDir::new(folder.path())).unwrap_err();
        assert!(matches!(error, Error::Checksum { dataset: "cora", .. }));
    }

    #[test]
    fn the_wrong_reader_is_refused() {
        let file = Dataset::find("lynx_hare").unwrap().open(&DataDir::bundled_only()).unwrap();
        assert!(matches!(
            file.arrays(),
            Err(Error::WrongFormat { format: Format::Csv, wanted: Format::Npz, .. })
        ));
    }
}

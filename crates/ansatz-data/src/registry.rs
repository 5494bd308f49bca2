//! The registered data sets: [`Dataset`], with what is needed to find, check and cite each.

use std::fmt;

use candle_core::DType;

use crate::{Error, Result};

mod cells;
mod chaos;
mod ecology;
mod graphs;
mod images;
mod molecules;
mod pde;

/// A data set: where its numbers come from and what its file holds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Dataset {
    /// Unique short name, for instance `"cora"`.
    pub name: &'static str,
    /// File name in the data folder.
    pub file: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// Licence as found at the source. Read it before passing the file on.
    pub licence: &'static str,
    /// Where the numbers were taken from.
    pub source: &'static str,
    /// What one must know to use it rightly: conventions, known faults, limits of accuracy.
    pub notes: &'static str,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// Format of the file.
    pub format: Format,
    /// The file's arrays or columns, in the file's order. Empty for JSON.
    pub arrays: &'static [ArraySpec],
    /// The file itself, if it is compiled into this crate.
    pub(crate) bundled: Option<&'static [u8]>,
}

/// Format of a data set's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-separated numbers, see [`Table`](crate::Table).
    Csv,
    /// NumPy archive of arrays, see [`Npz`](crate::Npz).
    Npz,
    /// JSON text, see [`DatasetFile::bytes`](crate::DatasetFile::bytes).
    Json,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::Npz => "NPZ",
            Self::Json => "JSON",
        })
    }
}

/// One array, or one column of a CSV file (then of type F64 and shape `[rows]`).
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ArraySpec {
    /// Its name in the file.
    pub name: &'static str,
    /// Element type as read; bools are U8.
    pub dtype: DType,
    /// Its shape.
    pub shape: &'static [usize],
    /// Unit; `"1"` for a dimensionless number, and `"index"`, `"label"`, `"flag"` or `"ascii"`
    /// for what is no quantity.
    pub unit: &'static str,
}

const fn array(
    name: &'static str,
    dtype: DType,
    shape: &'static [usize],
    unit: &'static str,
) -> ArraySpec {
    ArraySpec { name, dtype, shape, unit }
}

/// The registry, by subject.
const GROUPS: [&[Dataset]; 7] = [
    ecology::DATASETS,
    pde::DATASETS,
    graphs::DATASETS,
    cells::DATASETS,
    images::DATASETS,
    molecules::DATASETS,
    chaos::DATASETS,
];

impl Dataset {
    /// All registered data sets.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        GROUPS.into_iter().flatten()
    }

    /// The data set of that name.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownDataset`], which lists the names there are.
    pub fn find(name: &str) -> Result<&'static Self> {
        Self::all().find(|dataset| dataset.name == name).ok_or_else(|| Error::UnknownDataset {
            name: name.to_owned(),
            known: Self::all().map(|dataset| dataset.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// Whether the file is compiled into this crate.
    pub fn is_bundled(&self) -> bool {
        self.bundled.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_files_and_checksums_are_unique_and_well_formed() {
        let (mut names, mut sums) = (HashSet::new(), HashSet::new());
        for dataset in Dataset::all() {
            assert!(names.insert(dataset.name), "{}", dataset.name);
            assert!(sums.insert(dataset.sha256), "{}", dataset.name);
            let extension = match dataset.format {
                Format::Csv => "csv",
                Format::Npz => "npz",
                Format::Json => "json",
            };
            assert_eq!(dataset.file, format!("{}.{extension}", dataset.name));
            assert_eq!(dataset.sha256.len(), 64, "{}", dataset.name);
            assert!(dataset.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
            assert_eq!(dataset.arrays.is_empty(), dataset.format == Format::Json);
        }
        assert_eq!(names.len(), 25);
    }

    #[test]
    fn only_the_short_lynx_series_is_bundled() {
        let bundled: Vec<_> = Dataset::all().filter(|d| d.is_bundled()).map(|d| d.name).collect();
        assert_eq!(bundled, ["lynx_hare"]);
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let Err(Error::UnknownDataset { name, known }) = Dataset::find("Cora") else { panic!() };
        assert_eq!(name, "Cora");
        assert!(known.split(", ").any(|known| known == "cora"));
    }
}

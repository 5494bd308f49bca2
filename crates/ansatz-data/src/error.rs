//! The error of this crate.

use std::path::PathBuf;

use candle_core::DType;

use crate::Format;

/// Result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a data set's name and a tensor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No data set of that name is registered.
    #[error("no data set is named `{name}`; registered are {known}")]
    UnknownDataset {
        /// The name that was asked for.
        name: String,
        /// All registered names, separated by commas.
        known: String,
    },

    /// A data set's file was not found.
    #[error(
        "the file {file} of data set `{dataset}` was not found ({searched}); set the environment \
         variable ANSATZ_DATA to the absolute path of the folder that holds it",
        searched = match folder {
            Some(folder) => format!("looked in {}", folder.display()),
            None => "no data folder is set".to_owned(),
        }
    )]
    Absent {
        /// Name of the data set.
        dataset: &'static str,
        /// Its file name.
        file: &'static str,
        /// The folder that was searched, if one was set.
        folder: Option<PathBuf>,
    },

    /// A data set's file is not the registered one.
    #[error(
        "data set `{dataset}` has SHA-256 {got}, expected {expected}; the file is damaged or \
         another version, fetch it again"
    )]
    Checksum {
        /// Name of the data set.
        dataset: &'static str,
        /// The registered checksum.
        expected: &'static str,
        /// The checksum of the bytes found.
        got: String,
    },

    /// A data set was asked for something that its format does not hold.
    #[error("data set `{dataset}` is {format}, not {wanted}; see `Dataset::format`")]
    WrongFormat {
        /// Name of the data set.
        dataset: &'static str,
        /// The format of its file.
        format: Format,
        /// The format that was asked for.
        wanted: Format,
    },

    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A column or array is not in the file.
    #[error("no {what} is named `{name}`; there are {available}")]
    Missing {
        /// `"column"` or `"array"`.
        what: &'static str,
        /// The name that was asked for.
        name: String,
        /// The names present, separated by commas.
        available: String,
    },

    /// Two columns or arrays of a file share a name.
    #[error("two {what}s are named `{name}`; rename one")]
    DuplicateName {
        /// `"column"` or `"array"`.
        what: &'static str,
        /// The name.
        name: String,
    },

    /// A CSV file has no header or no rows, or no columns were asked for.
    #[error("there are no {what}; at least one is needed")]
    Empty {
        /// What is lacking: `"lines"`, `"rows"` or `"columns"`.
        what: &'static str,
    },

    /// A CSV file is not UTF-8 text.
    #[error("line {line} is not UTF-8 text; save the file as UTF-8")]
    NotText {
        /// Line of the first bad byte, from 1.
        line: u64,
    },

    /// The last line of a CSV file has no line end, so the file may have been cut.
    #[error(
        "line {line} does not end in a line feed, so the file may have been cut inside it; \
         append one if the line is complete"
    )]
    CutRow {
        /// The line, from 1.
        line: u64,
    },

    /// The first line of a CSV file holds an empty or a numeric cell instead of a column name.
    #[error("line 1 should name the columns, found the cell `{cell}`; add a header line")]
    MissingHeader {
        /// The cell.
        cell: String,
    },

    /// A CSV row has more or fewer cells than the header.
    #[error("line {line} has {got} cells, the header has {expected}")]
    RaggedRow {
        /// The line, from 1.
        line: u64,
        /// Number of columns.
        expected: usize,
        /// Number of cells.
        got: usize,
    },

    /// A CSV cell is not a number.
    #[error("line {line}, column `{column}`: `{cell}` is not a number")]
    NotANumber {
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell.
        cell: String,
    },

    /// A CSV cell is NaN, infinite, or beyond the range of f64.
    #[error("line {line}, column `{column}`: `{cell}` is not finite; remove the row or impute it")]
    NotFinite {
        /// The line, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell.
        cell: String,
    },

    /// A value does not fit the type asked for: out of range, or with a fraction into an integer.
    #[error("column `{column}` holds {value}, which {dtype:?} cannot represent; use F64")]
    NotRepresentable {
        /// The column's name.
        column: String,
        /// The value.
        value: f64,
        /// The type asked for.
        dtype: DType,
    },

    /// A file is not a ZIP archive, or a damaged one, or uses a part of ZIP that `.npz` does not.
    #[error("not a readable .npz archive: {reason}")]
    Archive {
        /// What is wrong.
        reason: &'static str,
    },

    /// An array is compressed.
    #[error(
        "array `{array}` is compressed (ZIP method {method}), which is not supported; write it \
         with numpy.savez instead of numpy.savez_compressed"
    )]
    Compressed {
        /// The array.
        array: String,
        /// ZIP compression method; 8 is deflate.
        method: u16,
    },

    /// An array's bytes do not have the checksum stored beside them.
    #[error("array `{array}` is damaged: its CRC-32 differs from the archive's")]
    Crc {
        /// The array.
        array: String,
    },

    /// An array's `.npy` header cannot be read.
    #[error("array `{array}` has an unreadable .npy header: {reason}")]
    NpyHeader {
        /// The array.
        array: String,
        /// What is wrong.
        reason: &'static str,
    },

    /// An array has an element type without a counterpart in candle.
    #[error(
        "array `{array}` has NumPy type {descr}; readable are little-endian f2, f4, f8, i2, i4, \
         i8, u1, u4 and bool, convert it with .astype"
    )]
    UnsupportedType {
        /// The array.
        array: String,
        /// NumPy's type description, shortened.
        descr: String,
    },

    /// An array is stored column by column.
    #[error("array `{array}` is in Fortran order; write it with numpy.ascontiguousarray")]
    FortranOrder {
        /// The array.
        array: String,
    },

    /// An array's data are shorter or longer than its shape says.
    #[error("array `{array}` of shape {shape:?} and type {dtype:?} has {got} bytes of data")]
    SizeMismatch {
        /// The array.
        array: String,
        /// The declared shape.
        shape: Vec<usize>,
        /// The declared type.
        dtype: DType,
        /// Number of data bytes present.
        got: usize,
    },

    /// candle failed, for instance to reach the device.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}

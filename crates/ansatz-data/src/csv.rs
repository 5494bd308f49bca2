//! Comma-separated numbers: [`Table`].

use std::collections::HashSet;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::locate::read;
use crate::{Error, Result};

/// Named columns of finite f64 numbers, read from CSV.
///
/// The file is UTF-8; its first line names the columns; cells are separated by commas, may be
/// quoted with `"`, and are numbers in the notation of Rust and C (`-1.5e-3`). Blank lines are
/// skipped. Every other deviation is an error that says where.
///
/// The last line must end in a line feed: that is how a file that was cut inside a row is
/// noticed. A file cut exactly between two rows looks complete; where that matters, compare the
/// number of rows or a checksum, as [`Dataset::open`](crate::Dataset::open) does.
///
/// ```
/// # fn main() -> ansatz_data::Result<()> {
/// let table = ansatz_data::Table::from_bytes(b"t,x\n0,1.5\n1,2.5\n")?;
/// assert_eq!(table.column("x")?, [1.5, 2.5]);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
}

impl Table {
    /// Reads a CSV file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and the errors of [`from_bytes`](Self::from_bytes).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(&read(path.as_ref())?)
    }

    /// Reads the text of a CSV file.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::NotText`], [`Error::CutRow`], [`Error::MissingHeader`],
    /// [`Error::DuplicateName`], [`Error::RaggedRow`], [`Error::NotANumber`] or
    /// [`Error::NotFinite`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.trim_ascii().is_empty() {
            return Err(Error::Empty { what: "lines" });
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            return Err(Error::NotText { line: 1 + line_feeds(&bytes[..error.valid_up_to()]) });
        }
        if bytes.last() != Some(&b'\n') {
            return Err(Error::CutRow { line: 1 + line_feeds(bytes) });
        }

        let mut reader = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true) // so that ragged rows are reported here, with their line
            .trim(::csv::Trim::All)
            .from_reader(bytes);
        let mut record = ::csv::StringRecord::new();
        read_record(&mut reader, &mut record)?;
        let names = header(&record)?;

        let mut columns = vec![Vec::new(); names.len()];
        let (mut line, mut counted) = (1, 0);
        loop {
            let from = reader.position().byte() as usize;
            if !read_record(&mut reader, &mut record)? {
                break;
            }
            // The reader's own line number is that of the blank lines before the row.
            let blank = bytes[from..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            line += line_feeds(&bytes[counted..from + blank]);
            counted = from + blank;
            if record.len() != names.len() {
                return Err(Error::RaggedRow { line, expected: names.len(), got: record.len() });
            }
            for ((cell, name), column) in record.iter().zip(&names).zip(&mut columns) {
                column.push(number(cell, name, line)?);
            }
        }
        if columns[0].is_empty() {
            return Err(Error::Empty { what: "rows" });
        }
        Ok(Self { names, columns })
    }

    /// Names of the columns, in the file's order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Number of rows, without the header; at least one.
    pub fn rows(&self) -> usize {
        self.columns[0].len()
    }

    /// One column.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no such column.
    pub fn column(&self, name: &str) -> Result<&[f64]> {
        match self.names.iter().position(|n| n == name) {
            Some(i) => Ok(&self.columns[i]),
            None => Err(Error::Missing {
                what: "column",
                name: name.to_owned(),
                available: self.names.join(", "),
            }),
        }
    }

    /// The given columns, in the given order, as a tensor of shape `[rows, columns]`.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] if no column is given, [`Error::Missing`] if one is not there,
    /// [`Error::NotRepresentable`] if `dtype` cannot hold a value (rounding to a shorter float is
    /// fine, overflow and a lost fraction are not), or candle's error.
    pub fn to_tensor(&self, columns: &[&str], dtype: DType, device: &Device) -> Result<Tensor> {
        let data = columns.iter().map(|name| self.column(name)).collect::<Result<Vec<_>>>()?;
        if data.is_empty() {
            return Err(Error::Empty { what: "columns" });
        }
        let by_row: Vec<f64> =
            (0..self.rows()).flat_map(|row| data.iter().map(move |column| column[row])).collect();
        let shape = (self.rows(), data.len());
        let tensor = Tensor::from_slice(&by_row, shape, &Device::Cpu)?.to_dtype(dtype)?;

        let kept = tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        for (i, (&value, &kept)) in by_row.iter().zip(&kept).enumerate() {
            if !survives(value, kept, dtype) {
                let column = columns[i % columns.len()].to_owned();
                return Err(Error::NotRepresentable { column, value, dtype });
            }
        }
        Ok(tensor.to_device(device)?)
    }
}

/// Whether `value`, become `kept` in `dtype`, means the same.
fn survives(value: f64, kept: f64, dtype: DType) -> bool {
    // Beyond 2^53 the round trip through i64 may agree by saturation.
    const EXACT: f64 = 9007199254740992.0;
    if dtype.is_float() { kept.is_finite() } else { kept == value && value.abs() <= EXACT }
}

/// Reads the next record; false at the end.
fn read_record(
    reader: &mut ::csv::Reader<&[u8]>,
    record: &mut ::csv::StringRecord,
) -> Result<bool> {
    // Reading checked UTF-8 from memory with ragged rows allowed, `csv` has no error left to
    // report; if it finds one, the position is what we can say.
    reader
        .read_record(record)
        .map_err(|error| Error::NotText { line: error.position().map_or(1, ::csv::Position::line) })
}

fn header(record: &::csv::StringRecord) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    for cell in record {
        if cell.is_empty() || cell.parse::<f64>().is_ok() {
            return Err(Error::MissingHeader { cell: cell.to_owned() });
        }
        if !seen.insert(cell) {
            return Err(Error::DuplicateName { what: "column", name: cell.to_owned() });
        }
    }
    Ok(record.iter().map(str::to_owned).collect())
}

fn number(cell: &str, column: &str, line: u64) -> Result<f64> {
    let place = || (column.to_owned(), cell.to_owned());
    match cell.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => {
            let (column, cell) = place();
            Err(Error::NotFinite { line, column, cell })
        }
        Err(_) => {
            let (column, cell) = place();
            Err(Error::NotANumber { line, column, cell })
        }
    }
}

#[allow(clippy::naive_bytecount)] // each byte is counted once; no crate is needed for that
fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&b| b == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        Table::from_bytes(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn reads_signs_exponents_quotes_blank_lines_bom_and_crlf() {
        let text = "\u{feff}t,\"x, scaled\"\r\n\r\n 1 ,\"-2.5e-3\"\r\n2,+4\r\n\r\n";
        let table = Table::from_bytes(text.as_bytes()).unwrap();
        assert_eq!(table.names().collect::<Vec<_>>(), ["t", "x, scaled"]);
        assert_eq!(table.rows(), 2);
        assert_eq!(table.column("t").unwrap(), [1.0, 2.0]);
        assert_eq!(table.column("x, scaled").unwrap(), [-2.5e-3, 4.0]);
    }

    #[test]
    fn errors_carry_the_line() {
        assert!(matches!(
            error("a,b\n1,2\n3\n"),
            Error::RaggedRow { line: 3, expected: 2, got: 1 }
        ));
        assert!(matches!(error("a,b\n1,2,3\n"), Error::RaggedRow { line: 2, expected: 2, got: 3 }));
        let Error::NotANumber { line: 2, column, cell } = error("a,b\n1,two\n") else { panic!() };
        assert_eq!((column.as_str(), cell.as_str()), ("b", "two"));
        assert!(matches!(error("a\n1\n\"\"\n"), Error::NotANumber { line: 3, .. }));
        for bad in ["NaN", "inf", "-Infinity", "1e999"] {
            let text = format!("a\n1\n{bad}\n");
            assert!(matches!(error(&text), Error::NotFinite { line: 3, .. }), "{bad}");
        }
        assert!(matches!(error("a,b\n1,2\n3,4"), Error::CutRow { line: 3 }));
        assert!(matches!(
            Table::from_bytes(b"a\n1\n\xff\n").unwrap_err(),
            Error::NotText { line: 3 }
        ));
    }

    #[test]
    fn lines_are_counted_over_blank_lines_and_crlf() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "", "1,2", "", "", "3,x", "", ""].join(end);
            assert!(matches!(error(&text), Error::NotANumber { line: 6, .. }), "{end:?}");
        }
    }

    #[test]
    fn header_faults() {
        assert!(matches!(error(""), Error::Empty { what: "lines" }));
        assert!(matches!(error(" \n\n"), Error::Empty { what: "lines" }));
        assert!(matches!(error("a,b\n"), Error::Empty { what: "rows" }));
        assert!(matches!(error("1900,30.0\n1901,47.2\n"), Error::MissingHeader { .. }));
        assert!(matches!(error("a,,c\n1,2,3\n"), Error::MissingHeader { .. }));
        assert!(matches!(error("a,b,a\n1,2,3\n"), Error::DuplicateName { what: "column", .. }));
    }

    #[test]
    fn a_missing_column_names_those_there_are() {
        let table = Table::from_bytes(b"a,b\n1,2\n").unwrap();
        let Error::Missing { name, available, .. } = table.column("c").unwrap_err() else {
            panic!()
        };
        assert_eq!((name.as_str(), available.as_str()), ("c", "a, b"));
    }

    #[test]
    fn tensor_is_rows_by_columns_in_the_order_asked() {
        let table = Table::from_bytes(b"a,b,c\n1,2,3\n4,5,6\n").unwrap();
        for dtype in [DType::F32, DType::F64] {
            let tensor = table.to_tensor(&["c", "a"], dtype, &Device::Cpu).unwrap();
            assert_eq!((tensor.dims(), tensor.dtype()), (&[2, 2][..], dtype));
            let values = tensor.to_dtype(DType::F64).unwrap().to_vec2::<f64>().unwrap();
            assert_eq!(values, [[3.0, 1.0], [6.0, 4.0]]);
        }
        let empty = table.to_tensor(&[], DType::F64, &Device::Cpu);
        assert!(matches!(empty, Err(Error::Empty { what: "columns" })));
    }

    #[test]
    fn values_that_the_type_cannot_hold_are_refused() {
        let table = Table::from_bytes(b"i,x\n3,0.5\n300,1e300\n").unwrap();
        let to = |name, dtype| table.to_tensor(&[name], dtype, &Device::Cpu);
        assert_eq!(to("i", DType::I64).unwrap().to_vec2::<i64>().unwrap(), [[3], [300]]);
        assert!(matches!(to("i", DType::U8), Err(Error::NotRepresentable { value: 300.0, .. })));
        assert!(matches!(to("x", DType::I64), Err(Error::NotRepresentable { value: 0.5, .. })));
        assert!(matches!(to("x", DType::F32), Err(Error::NotRepresentable { value: 1e300, .. })));
        let huge = Table::from_bytes(b"i\n9223372036854775808\n").unwrap();
        let cast = huge.to_tensor(&["i"], DType::I64, &Device::Cpu);
        assert!(matches!(cast, Err(Error::NotRepresentable { .. })));
    }
}

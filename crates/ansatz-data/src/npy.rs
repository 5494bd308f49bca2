//! The header of one `.npy` array.
//!
//! NumPy's NEP 1: a magic string, a version, a length, and a Python dictionary literal such as
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`. Only this dictionary is
//! understood, by a scanner without recursion, so that no header can exhaust the stack.

use candle_core::DType;

use crate::{Error, Result};

const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header accepted; NumPy itself refuses more than 10,000 bytes.
const MAX_HEADER: usize = 0xffff;
/// Longest type description repeated in an error.
const MAX_DESCR: usize = 60;

/// What a header says, with the position of the data behind it.
pub(crate) struct Header {
    pub(crate) dtype: DType,
    /// Whether the elements are NumPy bools, which become U8.
    pub(crate) is_bool: bool,
    pub(crate) shape: Vec<usize>,
    /// Number of bytes before the data.
    pub(crate) len: usize,
}

/// Reads the header at the start of `file` and checks that exactly its data follow.
pub(crate) fn header(array: &str, file: &[u8]) -> Result<Header> {
    let fault = |reason| Error::NpyHeader { array: array.to_owned(), reason };
    let rest = file.strip_prefix(MAGIC).ok_or(fault("the magic string is missing"))?;
    let (text_at, text_len) = match *rest {
        [1, _, a, b, ..] => (MAGIC.len() + 4, usize::from(u16::from_le_bytes([a, b]))),
        [2 | 3, _, a, b, c, d, ..] => (MAGIC.len() + 6, u32::from_le_bytes([a, b, c, d]) as usize),
        [_, _, _, _, _, _, ..] => return Err(fault("the format version is not 1, 2 or 3")),
        _ => return Err(fault("it is cut")),
    };
    if text_len > MAX_HEADER {
        return Err(fault("it is longer than 65,535 bytes"));
    }
    let len = text_at + text_len;
    let text = file.get(text_at..len).ok_or(fault("it is cut"))?;
    let text = std::str::from_utf8(text).map_err(|_| fault("it is not UTF-8 text"))?;

    let dict = Dict::parse(text).map_err(fault)?;
    if dict.fortran_order {
        return Err(Error::FortranOrder { array: array.to_owned() });
    }
    let (dtype, is_bool) = dtype(dict.descr).ok_or_else(|| Error::UnsupportedType {
        array: array.to_owned(),
        descr: dict.descr.chars().take(MAX_DESCR).collect(),
    })?;
    // Zero extents count as one here: candle multiplies the others when it computes strides.
    let bytes_if_nonempty = dict
        .shape
        .iter()
        .try_fold(dtype.size_in_bytes(), |n, &extent| n.checked_mul(extent.max(1)))
        .filter(|&n| isize::try_from(n).is_ok());
    let expected =
        if dict.shape.contains(&0) { 0 } else { bytes_if_nonempty.unwrap_or(usize::MAX) };
    let got = file.len() - len;
    if bytes_if_nonempty.is_none() || got != expected {
        let (array, shape) = (array.to_owned(), dict.shape);
        return Err(Error::SizeMismatch { array, shape, dtype, got });
    }
    Ok(Header { dtype, is_bool, shape: dict.shape, len })
}

/// candle's type for a NumPy type string, and whether it is a bool.
fn dtype(descr: &str) -> Option<(DType, bool)> {
    Some(match descr {
        "'<f2'" => (DType::F16, false),
        "'<f4'" => (DType::F32, false),
        "'<f8'" => (DType::F64, false),
        "'<i2'" => (DType::I16, false),
        "'<i4'" => (DType::I32, false),
        "'<i8'" => (DType::I64, false),
        "'|u1'" => (DType::U8, false),
        "'<u4'" => (DType::U32, false),
        "'|b1'" => (DType::U8, true),
        _ => return None,
    })
}

/// The three values of the dictionary.
struct Dict<'a> {
    /// The type as written, quotes included, or a list for structured types.
    descr: &'a str,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl<'a> Dict<'a> {
    fn parse(text: &'a str) -> Result<Self, &'static str> {
        const SYNTAX: &str = "it is not the dictionary that NumPy writes";
        /// NumPy's own limit on the number of axes.
        const MAX_AXES: usize = 64;
        let mut descr = None;
        let mut fortran_order = None;
        let mut shape = None;
        let mut rest = text.trim().strip_prefix('{').ok_or(SYNTAX)?;
        loop {
            rest = rest.trim_start();
            if let Some(tail) = rest.strip_prefix('}') {
                if !tail.is_empty() {
                    return Err(SYNTAX);
                }
                break;
            }
            let (key, value) = rest.split_once(':').ok_or(SYNTAX)?;
            let value = value.trim_start();
            let taken = match key.trim_end() {
                "'descr'" => {
                    // A quoted string, or a list of fields; its brackets are not interpreted.
                    let taken = if value.starts_with('[') {
                        value.find("'fortran_order'").unwrap_or(value.len())
                    } else {
                        value.find([',', '}']).ok_or(SYNTAX)?
                    };
                    replace_none(&mut descr, value[..taken].trim_end())?;
                    taken
                }
                "'fortran_order'" => {
                    let (order, taken) = match value {
                        v if v.starts_with("False") => (false, 5),
                        v if v.starts_with("True") => (true, 4),
                        _ => return Err(SYNTAX),
                    };
                    replace_none(&mut fortran_order, order)?;
                    taken
                }
                "'shape'" => {
                    let taken = value.find(')').ok_or(SYNTAX)? + 1;
                    let extents = value[..taken - 1].strip_prefix('(').ok_or(SYNTAX)?.trim();
                    let extents = extents.strip_suffix(',').unwrap_or(extents);
                    let list = if extents.is_empty() {
                        Vec::new()
                    } else {
                        extents
                            .split(',')
                            .map(|n| n.trim().parse::<usize>())
                            .collect::<Result<_, _>>()
                            .map_err(|_| "its shape is not a list of sizes")?
                    };
                    if list.len() > MAX_AXES {
                        return Err("its shape has more than 64 axes");
                    }
                    replace_none(&mut shape, list)?;
                    taken
                }
                _ => return Err(SYNTAX),
            };
            rest = value[taken..].trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        Ok(Self {
            descr: descr.ok_or("it lacks 'descr'")?,
            fortran_order: fortran_order.ok_or("it lacks 'fortran_order'")?,
            shape: shape.ok_or("it lacks 'shape'")?,
        })
    }
}

/// Fills a slot once.
fn replace_none<T>(slot: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err("it has a key twice"),
    }
}

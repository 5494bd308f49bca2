//! NumPy archives of arrays: [`Npz`].

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use candle_core::{DType, Device, Tensor};

use crate::locate::read;
use crate::{Error, Result, npy, zip};

/// The arrays of a `.npz` file, as written by `numpy.savez`.
///
/// Element types are kept: f2, f4, f8, i2, i4, i8, u1 and u4 become candle's type of that width,
/// bool becomes U8 with the values 0 and 1. Not supported, each with an error that says what to
/// do: compression (`savez_compressed`), Fortran order, big-endian numbers, objects (pickles are
/// never executed), structured and complex types, files of 4 GiB and more.
///
/// The whole file is checked when it is opened: directory, CRC-32 of every array, every header,
/// and that every shape accounts for exactly the bytes that are there. Memory use is the file's
/// size plus the tensors asked for, whatever a damaged or hostile file declares.
#[derive(Debug, Clone)]
pub struct Npz {
    bytes: Vec<u8>,
    arrays: Vec<Array>,
}

#[derive(Debug, Clone)]
struct Array {
    name: String,
    dtype: DType,
    shape: Vec<usize>,
    data: Range<usize>,
}

impl Npz {
    /// Reads an `.npz` file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and the errors of [`from_bytes`](Self::from_bytes).
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::from_bytes(read(path.as_ref())?)
    }

    /// Reads the content of an `.npz` file.
    ///
    /// # Errors
    ///
    /// [`Error::Archive`], [`Error::Compressed`], [`Error::Crc`], [`Error::DuplicateName`],
    /// [`Error::NpyHeader`], [`Error::FortranOrder`], [`Error::UnsupportedType`] or
    /// [`Error::SizeMismatch`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        let mut arrays = Vec::new();
        let mut seen = HashSet::new();
        for zip::Entry { name, data } in zip::entries(&bytes)? {
            let name = name.strip_suffix(".npy").unwrap_or(&name).to_owned();
            if !seen.insert(name.clone()) {
                return Err(Error::DuplicateName { what: "array", name });
            }
            let header = npy::header(&name, &bytes[data.clone()])?;
            let data = data.start + header.len..data.end;
            if header.is_bool && bytes[data.clone()].iter().any(|&byte| byte > 1) {
                return Err(Error::UnsupportedType {
                    array: name,
                    descr: "bool with a byte that is neither 0 nor 1".to_owned(),
                });
            }
            arrays.push(Array { name, dtype: header.dtype, shape: header.shape, data });
        }
        Ok(Self { bytes, arrays })
    }

    /// Names of the arrays, in the file's order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.arrays.iter().map(|array| array.name.as_str())
    }

    /// An array's element type and shape, without making a tensor.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no such array.
    pub fn spec(&self, name: &str) -> Result<(DType, &[usize])> {
        self.array(name).map(|array| (array.dtype, array.shape.as_slice()))
    }

    /// An array as a tensor of its own type and shape on `device`.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] if there is no such array, or candle's error, for instance if the
    /// device does not know the type.
    pub fn get(&self, name: &str, device: &Device) -> Result<Tensor> {
        let array = self.array(name)?;
        let bytes = &self.bytes[array.data.clone()];
        Ok(Tensor::from_raw_buffer(bytes, array.dtype, &array.shape, device)?)
    }

    fn array(&self, name: &str) -> Result<&Array> {
        self.arrays.iter().find(|array| array.name == name).ok_or_else(|| Error::Missing {
            what: "array",
            name: name.to_owned(),
            available: self.names().collect::<Vec<_>>().join(", "),
        })
    }
}

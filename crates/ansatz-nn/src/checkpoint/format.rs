//! The bytes of a checkpoint.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::{Checkpoint, crc32::Crc32};
use crate::{Error, Result};

/// What the names of optimiser tensors start with.
pub(super) const OPTIMIZER: &str = "optimizer/";

/// The entry of the metadata that is ours.
const ENTRY: &str = "ansatz";

/// The version of the format below.
const VERSION: u32 = 1;

/// The value of our entry, as JSON.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    step: u64,
    notes: BTreeMap<String, String>,
    /// Of everything else: tensors in the order of their names, steps, notes.
    crc32: u32,
}

/// One tensor as it stands in the file.
struct Raw {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for &Raw {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The file, the same bytes for the same contents.
pub(super) fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>> {
    let optimizer = checkpoint.optimizer.iter().map(|(n, t)| (format!("{OPTIMIZER}{n}"), t));
    let parameters = checkpoint.parameters.iter().map(|(n, t)| (n.clone(), t));
    let raw = parameters
        .chain(optimizer)
        .map(|(name, tensor)| {
            let raw = to_raw(&name, tensor)?;
            Ok((name, raw))
        })
        .collect::<Result<BTreeMap<_, _>>>()?;
    let crc32 = checksum(
        raw.iter().map(|(n, r)| (n.as_str(), r.dtype, r.shape.as_slice(), r.bytes.as_slice())),
        checkpoint.step,
        &checkpoint.notes,
    );
    let notes = checkpoint.notes.clone();
    let header = Header { version: VERSION, step: checkpoint.step, notes, crc32 };
    let header = serde_json::to_string(&header)
        .map_err(|e| Error::invalid("notes of a checkpoint", e, "text"))?;
    // One entry only: more would be written in random order.
    let metadata = HashMap::from([(ENTRY.to_owned(), header)]);
    safetensors::serialize(&raw, Some(metadata)).map_err(|e| Error::Candle(e.into()))
}

/// The contents of a file, or what is wrong with it.
pub(super) fn decode(bytes: &[u8]) -> Result<Checkpoint, String> {
    let broken = |e: &dyn std::fmt::Display| format!("damaged, or no safetensors file: {e}");
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| broken(&e))?;
    let header = metadata.metadata().as_ref().and_then(|m| m.get(ENTRY)).ok_or(
        "its metadata has no entry `ansatz`; read files of other programs with \
         `candle_core::safetensors::load` and `Checkpoint::from_tensors`",
    )?;
    // The version first: a later one may have other fields.
    let version: u64 = serde_json::from_str::<serde_json::Value>(header)
        .ok()
        .and_then(|v| v.get("version")?.as_u64())
        .ok_or("its entry `ansatz` is damaged")?;
    if version != u64::from(VERSION) {
        return Err(format!("version {version} of the format; this program reads {VERSION}"));
    }
    let header: Header =
        serde_json::from_str(header).map_err(|e| format!("its entry `ansatz` is damaged: {e}"))?;

    let views: BTreeMap<_, _> = file.tensors().into_iter().collect();
    let crc32 = checksum(
        views.iter().map(|(n, v)| (n.as_str(), v.dtype(), v.shape(), v.data())),
        header.step,
        &header.notes,
    );
    if crc32 != header.crc32 {
        return Err(format!(
            "damaged: the checksum of its contents is {crc32:08x}, not {:08x}",
            header.crc32
        ));
    }
    let mut checkpoint =
        Checkpoint { step: header.step, notes: header.notes, ..Checkpoint::default() };
    for (name, view) in views {
        let dtype = DType::try_from(view.dtype())
            .ok()
            .filter(|d| is_plain(*d))
            .ok_or_else(|| format!("tensor {name} is of dtype {:?}", view.dtype()))?;
        let tensor = Tensor::from_raw_buffer(view.data(), dtype, view.shape(), &Device::Cpu)
            .map_err(|e| format!("tensor {name}: {e}"))?;
        match name.strip_prefix(OPTIMIZER) {
            Some(rest) => checkpoint.optimizer.insert(rest.to_owned(), tensor),
            None => checkpoint.parameters.insert(name, tensor),
        };
    }
    Ok(checkpoint)
}

fn to_raw(name: &str, tensor: &Tensor) -> Result<Raw> {
    let dtype = tensor.dtype();
    if !is_plain(dtype) {
        let got = format!("{} (tensor {name})", dtype.as_str());
        return Err(Error::invalid("dtype in a checkpoint", got, "a common number type"));
    }
    // On the host first, where candle's conversion to bytes cannot fail.
    let host = tensor.to_device(&Device::Cpu)?;
    let bytes = View::data(&host).into_owned();
    Ok(Raw { dtype: dtype.into(), shape: tensor.dims().to_vec(), bytes })
}

/// The types of which candle and the file hold the same bytes.
fn is_plain(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::F64 | DType::F32 | DType::BF16 | DType::F16 | DType::U8 | DType::U32 | DType::I64
    )
}

/// Of the contents, not of the bytes of the file: safetensors may order the tensors as it likes.
fn checksum<'a>(
    tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize], &'a [u8])>,
    step: u64,
    notes: &BTreeMap<String, String>,
) -> u32 {
    let mut crc = Crc32::new();
    for (name, dtype, shape, bytes) in tensors {
        crc.text(name);
        crc.text(&format!("{dtype:?}"));
        crc.number(shape.len() as u64);
        for &n in shape {
            crc.number(n as u64);
        }
        crc.number(bytes.len() as u64);
        crc.bytes(bytes);
    }
    crc.number(step);
    for (name, text) in notes {
        crc.text(name);
        crc.text(text);
    }
    crc.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<u8> {
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        let mut checkpoint = Checkpoint::from_tensors([
            ("layer.weight".to_owned(), tensor(&[1.0, -2.5])),
            ("layer.bias".to_owned(), tensor(&[0.0])),
        ])
        .unwrap();
        checkpoint.optimizer.insert("adam.steps".to_owned(), tensor(&[3.0]));
        encode(&checkpoint.step(5).note("a", "b")).unwrap()
    }

    #[test]
    fn every_length_but_the_right_one_is_refused() {
        let whole = example();
        decode(&whole).unwrap();
        for length in 0..whole.len() {
            assert!(decode(&whole[..length]).is_err(), "{length} of {} bytes", whole.len());
        }
        assert!(decode(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let mut bytes = example();
        for byte in 0..bytes.len() {
            for bit in 0..8 {
                bytes[byte] ^= 1 << bit;
                assert!(decode(&bytes).is_err(), "bit {bit} of byte {byte}");
                bytes[byte] ^= 1 << bit;
            }
        }
        decode(&bytes).unwrap();
    }

    /// The checksum keeps names apart from what stands beside them, and the like.
    #[test]
    fn the_checksum_covers_everything() {
        let notes = BTreeMap::from([("a".to_owned(), "bc".to_owned())]);
        let base = ("x", Dtype::F32, &[1usize][..], &[0u8; 4][..]);
        let reference = checksum([base].into_iter(), 1, &notes);
        for other in [
            ("y", base.1, base.2, base.3),
            (base.0, Dtype::I32, base.2, base.3),
            (base.0, base.1, &[1, 1][..], base.3),
            (base.0, base.1, base.2, &[0, 0, 0, 1][..]),
        ] {
            assert_ne!(checksum([other].into_iter(), 1, &notes), reference, "{other:?}");
        }
        assert_ne!(checksum([base].into_iter(), 2, &notes), reference);
        let shifted = BTreeMap::from([("ab".to_owned(), "c".to_owned())]);
        assert_ne!(checksum([base].into_iter(), 1, &shifted), reference);
    }

    #[test]
    fn later_versions_are_refused_by_number() {
        let bytes = example();
        let at = bytes.windows(9).position(|w| w == b"version\\\"").unwrap();
        let mut later = bytes.clone();
        // {\"version\":1 in the JSON text inside the JSON header.
        assert_eq!(later[at + 10], b'1');
        later[at + 10] = b'2';
        let reason = decode(&later).unwrap_err();
        assert!(reason.starts_with("version 2"), "{reason}");
    }

    #[test]
    fn odd_dtypes_are_refused() {
        let odd = Tensor::new(&[1i32], &Device::Cpu).unwrap();
        let checkpoint = Checkpoint::from_tensors([("x".to_owned(), odd)]).unwrap();
        assert!(matches!(encode(&checkpoint), Err(Error::InvalidArgument { .. })));
    }
}

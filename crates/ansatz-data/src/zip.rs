//! The part of the ZIP format that `numpy.savez` writes: uncompressed entries, one disk, below
//! 4 GiB.
//!
//! Written for hostile input: every offset is checked against the bytes at hand, nothing is
//! allocated from a declared size, and the entries together may not claim more bytes than the
//! archive has (so overlapping entries cannot multiply the work). Follows PKWARE's APPNOTE 6.3,
//! sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end record).

use std::ops::Range;

use crate::{Error, Result};

const END_SIGNATURE: &[u8] = b"PK\x05\x06";
const END_LEN: usize = 22;
const CENTRAL_SIGNATURE: &[u8] = b"PK\x01\x02";
const CENTRAL_LEN: usize = 46;
const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";
const LOCAL_LEN: usize = 30;
const MAX_COMMENT: usize = 0xffff;

/// An uncompressed entry whose CRC-32 has been checked.
pub(crate) struct Entry {
    /// Name as stored, for instance `x.npy`.
    pub(crate) name: String,
    /// Where its data are in the archive.
    pub(crate) data: Range<usize>,
}

/// All entries of an archive, in the order of its directory.
pub(crate) fn entries(bytes: &[u8]) -> Result<Vec<Entry>> {
    let end = end_record(bytes)?;
    let count = u16_at(bytes, end + 10)?;
    let directory_len = u32_at(bytes, end + 12)? as usize;
    let directory = u32_at(bytes, end + 16)? as usize;
    if u16_at(bytes, end + 4)? != 0 || u16_at(bytes, end + 8)? != count {
        return Err(fault("it spans several disks"));
    }
    if count == u16::MAX || directory == u32::MAX as usize {
        return Err(fault("it is a ZIP64 archive; split it into files below 4 GiB"));
    }
    if directory.checked_add(directory_len) != Some(end) {
        return Err(fault("its directory is not where the end record says"));
    }

    let mut entries = Vec::new();
    let mut claimed = 0;
    let mut at = directory;
    for _ in 0..count {
        if slice(bytes, at, 4)? != CENTRAL_SIGNATURE {
            return Err(fault("a directory entry has the wrong signature"));
        }
        let flags = u16_at(bytes, at + 8)?;
        let method = u16_at(bytes, at + 10)?;
        let crc = u32_at(bytes, at + 16)?;
        let stored = u32_at(bytes, at + 20)? as usize;
        let size = u32_at(bytes, at + 24)? as usize;
        let name_len = usize::from(u16_at(bytes, at + 28)?);
        let extra_len = usize::from(u16_at(bytes, at + 30)?);
        let comment_len = usize::from(u16_at(bytes, at + 32)?);
        let local = u32_at(bytes, at + 42)? as usize;
        let name = std::str::from_utf8(slice(bytes, at + CENTRAL_LEN, name_len)?)
            .map_err(|_| fault("an entry's name is not UTF-8"))?
            .to_owned();
        at += CENTRAL_LEN + name_len + extra_len + comment_len;

        if flags & 1 != 0 {
            return Err(fault("it is encrypted"));
        }
        if method != 0 {
            return Err(Error::Compressed { array: name, method });
        }
        if stored != size {
            return Err(fault("an uncompressed entry has two different sizes"));
        }
        // numpy fills the local header's sizes with a ZIP64 placeholder; the directory's hold.
        if slice(bytes, local, 4)? != LOCAL_SIGNATURE {
            return Err(fault("an entry has the wrong signature"));
        }
        let start = local
            + LOCAL_LEN
            + usize::from(u16_at(bytes, local + 26)?)
            + usize::from(u16_at(bytes, local + 28)?);
        let data = slice(bytes, start, size)?;
        claimed += size;
        if start + size > directory || claimed > directory {
            return Err(fault("entries overlap each other or the directory"));
        }
        if crc32(data) != crc {
            return Err(Error::Crc { array: name });
        }
        entries.push(Entry { name, data: start..start + size });
    }
    if at != end {
        return Err(fault("its directory has another length than the end record says"));
    }
    Ok(entries)
}

/// Position of the end record: the last one whose comment reaches exactly to the end.
fn end_record(bytes: &[u8]) -> Result<usize> {
    let last = bytes.len().checked_sub(END_LEN).ok_or(fault("it is shorter than an end record"))?;
    (last.saturating_sub(MAX_COMMENT)..=last)
        .rev()
        .find(|&at| {
            bytes[at..].starts_with(END_SIGNATURE)
                && u16_at(bytes, at + 20).is_ok_and(|len| usize::from(len) == last - at)
        })
        .ok_or(fault("it has no end record; it was cut or is another kind of file"))
}

fn fault(reason: &'static str) -> Error {
    Error::Archive { reason }
}

/// `len` bytes from `at`; all positions here are sums of a few numbers below 2^32.
fn slice(bytes: &[u8], at: usize, len: usize) -> Result<&[u8]> {
    at.checked_add(len)
        .and_then(|end| bytes.get(at..end))
        .ok_or(fault("an entry or its data reach past the end; it was cut"))
}

fn u16_at(bytes: &[u8], at: usize) -> Result<u16> {
    let b = slice(bytes, at, 2)?;
    Ok(u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32> {
    let b = slice(bytes, at, 4)?;
    Ok(u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320), as ZIP uses it.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let mut c = i as u32;
            let mut bit = 0;
            while bit < 8 {
                c = if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 };
                bit += 1;
            }
            table[i] = c;
            i += 1;
        }
        table
    };
    !bytes.iter().fold(!0, |crc: u32, &byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_check_string() {
        // The catalogue value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn an_empty_archive_has_no_entries() {
        let mut bytes = END_SIGNATURE.to_vec();
        bytes.resize(END_LEN, 0);
        assert!(entries(&bytes).unwrap().is_empty());
    }
}

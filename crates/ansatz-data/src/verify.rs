//! Comparing files with the registered SHA-256 checksums.

use sha2::{Digest, Sha256};

use crate::{DataDir, Dataset, Error, Result};

/// What became of a data set's check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes are the registered ones.
    Ok,
    /// The bytes are others.
    Mismatch {
        /// Their SHA-256, in lower-case hexadecimal.
        got: String,
    },
    /// There is no file.
    Absent,
}

impl Dataset {
    /// Checks the bytes that [`open`](Self::open) would use.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file exists and cannot be read.
    pub fn verify(&self, dir: &DataDir) -> Result<Verdict> {
        match self.bytes(dir) {
            Ok(bytes) => {
                let got = sha256_hex(&bytes);
                Ok(if got == self.sha256 { Verdict::Ok } else { Verdict::Mismatch { got } })
            }
            Err(Error::Absent { .. }) => Ok(Verdict::Absent),
            Err(error) => Err(error),
        }
    }
}

/// Checks every registered data set, in the registry's order.
pub fn verify_all(dir: &DataDir) -> Vec<(&'static Dataset, Result<Verdict>)> {
    Dataset::all().map(|dataset| (dataset, dataset.verify(dir))).collect()
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_the_standard_s_example() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            sha256_hex(b"abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn without_a_folder_bundled_sets_are_ok_and_the_others_absent() {
        for (dataset, verdict) in verify_all(&DataDir::bundled_only()) {
            let expected = if dataset.is_bundled() { Verdict::Ok } else { Verdict::Absent };
            assert_eq!(verdict.unwrap(), expected, "{}", dataset.name);
        }
    }

    #[test]
    fn a_changed_file_is_a_mismatch() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cora.npz"), b"abc").unwrap();
        let verdict = Dataset::find("cora").unwrap().verify(&DataDir::new(folder.path())).unwrap();
        assert_eq!(verdict, Verdict::Mismatch { got: sha256_hex(b"abc") });
    }
}

//! The checksum of checkpoints.

/// CRC-32 as in Ethernet, gzip and PNG (ISO 3309): polynomial 0x04C11DB7, reflected. Finds every
/// change of up to 32 neighbouring bits, and any other with probability 1 − 2⁻³².
pub(super) struct Crc32(u32);

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
};

impl Crc32 {
    pub(super) fn new() -> Self {
        Self(u32::MAX)
    }

    /// Adds bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0 >> 8 ^ TABLE[(self.0 as u8 ^ byte) as usize];
        }
    }

    /// Adds a number.
    pub(super) fn number(&mut self, number: u64) {
        self.bytes(&number.to_le_bytes());
    }

    /// Adds a text, preceded by its length, so that two texts cannot be divided otherwise.
    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes(text.as_bytes());
    }

    pub(super) fn finish(&self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of CRC algorithms, and one of zlib's.
    #[test]
    fn check_values() {
        let of = |bytes: &[u8]| {
            let mut crc = Crc32::new();
            bytes.chunks(2).for_each(|part| crc.bytes(part));
            crc.finish()
        };
        assert_eq!(of(b"123456789"), 0xCBF4_3926);
        assert_eq!(of(b""), 0);
        assert_eq!(of(b"The quick brown fox jumps over the lazy dog"), 0x414F_A339);
    }
}

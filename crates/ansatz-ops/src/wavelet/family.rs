//! Families of wavelets and their filters: [`Wavelet`].

use super::tables::{BIORTHOGONAL, COIFLETS, DAUBECHIES, SYMLETS};
use crate::{Error, Result};

/// A wavelet, by family and order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wavelet {
    /// Steps: `Daubechies(1)`.
    Haar,
    /// Orthogonal, with this many vanishing moments (1 to 10) and filters twice as long; zeros
    /// inside the unit circle (I. Daubechies 1988). `db1` … `db10` elsewhere.
    Daubechies(usize),
    /// The same length and moments (2 to 8), nearest to symmetric (I. Daubechies 1992, § 8.1.1).
    Symlet(usize),
    /// Orthogonal; wavelet with `2 k` and scaling function with `2 k − 1` vanishing moments, filters
    /// of length `6 k`, k from 1 to 3 (I. Daubechies 1992, § 8.2).
    Coiflet(usize),
    /// Symmetric filters, not orthogonal (A. Cohen, I. Daubechies, J.-C. Feauveau 1992): zeros of
    /// the reconstruction and of the decomposition filter. (1; 1, 3, 5), (2; 2, 4, 6, 8),
    /// (3; 1, 3, 5, 7, 9), (4, 4), which is the 9/7 of JPEG 2000, (5, 5) and (6, 8).
    ///
    /// (5, 5) is the pair that goes by this name; its filters have 6 and 4 zeros.
    Biorthogonal(usize, usize),
}

/// The orders of the table, in its sequence.
const ORDERS: [(usize, usize); 15] = [
    (1, 1),
    (1, 3),
    (1, 5),
    (2, 2),
    (2, 4),
    (2, 6),
    (2, 8),
    (3, 1),
    (3, 3),
    (3, 5),
    (3, 7),
    (3, 9),
    (4, 4),
    (5, 5),
    (6, 8),
];

/// The four filters of a wavelet, all of one even length.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    /// Decomposition, low pass: convolved with the signal.
    pub dec_lo: Vec<f64>,
    /// Decomposition, high pass.
    pub dec_hi: Vec<f64>,
    /// Reconstruction, low pass.
    pub rec_lo: Vec<f64>,
    /// Reconstruction, high pass.
    pub rec_hi: Vec<f64>,
}

impl Wavelet {
    /// The filters, in the order and with the signs of PyWavelets.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the family has no such order.
    pub fn filters(&self) -> Result<Filters> {
        let pick = |table: &[&'static [f64]], order: usize, first: usize, expected| {
            order.checked_sub(first).and_then(|i| table.get(i)).copied().ok_or_else(|| {
                Error::InvalidArgument {
                    what: "order of a wavelet",
                    value: order.to_string(),
                    expected,
                }
            })
        };
        let reversed = |h: &[f64]| h.iter().rev().copied().collect::<Vec<_>>();
        let orthogonal = |h: &[f64]| (reversed(h), h.to_vec());
        let (dec_lo, rec_lo) = match *self {
            Self::Haar => orthogonal(DAUBECHIES[0]),
            Self::Daubechies(n) => orthogonal(pick(&DAUBECHIES, n, 1, "1 to 10 (Daubechies)")?),
            Self::Symlet(n) => orthogonal(pick(&SYMLETS, n, 2, "2 to 8 (symlets)")?),
            Self::Coiflet(n) => orthogonal(pick(&COIFLETS, n, 1, "1 to 3 (coiflets)")?),
            Self::Biorthogonal(r, d) => {
                let row = ORDERS.iter().position(|orders| *orders == (r, d));
                let (dec, rec) = row.map(|i| BIORTHOGONAL[i]).ok_or(Error::InvalidArgument {
                    what: "orders of a biorthogonal wavelet",
                    value: format!("({r}, {d})"),
                    expected: "(1; 1, 3, 5), (2; 2, 4, 6, 8), (3; 1, 3, 5, 7, 9), (4, 4), (5, 5) or (6, 8)",
                })?;
                (dec.to_vec(), rec.to_vec())
            }
        };
        let alternate = |h: &[f64], sign: f64| -> Vec<f64> {
            h.iter()
                .enumerate()
                .map(|(i, x)| if i % 2 == 0 { sign * x } else { -sign * x })
                .collect()
        };
        let (dec_hi, rec_hi) = (alternate(&rec_lo, -1.0), alternate(&dec_lo, 1.0));
        Ok(Filters { dec_lo, dec_hi, rec_lo, rec_hi })
    }

    /// All wavelets there are.
    pub fn all() -> Vec<Self> {
        let mut all = vec![Self::Haar];
        all.extend((1..=DAUBECHIES.len()).map(Self::Daubechies));
        all.extend((2..2 + SYMLETS.len()).map(Self::Symlet));
        all.extend((1..=COIFLETS.len()).map(Self::Coiflet));
        all.extend(ORDERS.map(|(r, d)| Self::Biorthogonal(r, d)));
        all
    }
}

/// The largest number of levels at which a signal of this length still has a coefficient that the
/// ends do not touch: `⌊log₂ (length / (filter length − 1))⌋`. More levels are allowed.
///
/// # Errors
/// [`Error::InvalidArgument`] when the family has no such order.
pub fn max_level(length: usize, wavelet: Wavelet) -> Result<usize> {
    let ratio = length / (wavelet.filters()?.dec_lo.len() - 1);
    Ok(ratio.checked_ilog2().unwrap_or(0) as usize)
}

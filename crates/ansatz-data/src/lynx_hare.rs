//! The Hudson Bay lynx–hare series, 1900–1920: [`LynxHare`].

use candle_core::{DType, Device, Tensor};

use crate::{DataDir, Dataset, Result, Table};

/// Pelts of snowshoe hare and Canada lynx collected by the Hudson's Bay Company in 1900–1920, the
/// classic data for fitting the Lotka–Volterra equations. Bundled with the crate.
///
/// Source: the table in Howard (2009), *Modeling basics* (lecture notes, Texas A&M University), as
/// used in Carpenter (2018), *Predator-Prey Population Dynamics: the Lotka-Volterra model in Stan*.
/// The longer published series (data set `lynx_hare_1845_1935`) has another origin and other
/// values for the same years; do not join the two.
///
/// ```
/// # fn main() -> ansatz_data::Result<()> {
/// let data = ansatz_data::LynxHare::load()?;
/// assert_eq!((data.years[0], data.hare[0], data.lynx[0]), (1900.0, 30.0, 4.0));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LynxHare {
    /// Calendar years 1900, …, 1920.
    pub years: Vec<f64>,
    /// Hare pelts in the year, in thousands.
    pub hare: Vec<f64>,
    /// Lynx pelts in the year, in thousands.
    pub lynx: Vec<f64>,
    table: Table,
}

impl LynxHare {
    /// The 21 years of the series.
    ///
    /// # Errors
    ///
    /// None in a correctly built crate; the table is compiled in and is checked like any file.
    pub fn load() -> Result<Self> {
        let table = Dataset::find("lynx_hare")?.open(&DataDir::bundled_only())?.table()?;
        let column = |name| table.column(name).map(<[f64]>::to_vec);
        let (years, hare, lynx) = (column("year")?, column("hare")?, column("lynx")?);
        Ok(Self { years, hare, lynx, table })
    }

    /// The populations as a tensor of shape `[21, 2]`: a row a year; hare, then lynx; thousands of
    /// pelts.
    ///
    /// # Errors
    ///
    /// [`Error::NotRepresentable`](crate::Error::NotRepresentable) for an integer `dtype`, or
    /// candle's error.
    pub fn populations(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        self.table.to_tensor(&["hare", "lynx"], dtype, device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_consecutive_and_the_peaks_are_those_of_the_case_study() {
        let data = LynxHare::load().unwrap();
        assert!(data.years.iter().copied().eq((1900..=1920).map(f64::from)));
        // Hare peaks of 77.4 in 1903, lynx peak of 59.4 in 1904; last row 24.7, 8.6.
        assert_eq!((data.years[3], data.hare[3]), (1903.0, 77.4));
        assert_eq!((data.years[4], data.lynx[4]), (1904.0, 59.4));
        assert_eq!((data.hare[20], data.lynx[20]), (24.7, 8.6));
        assert_eq!((data.hare.len(), data.lynx.len()), (21, 21));
    }

    #[test]
    fn the_tensor_has_hare_then_lynx() {
        let data = LynxHare::load().unwrap();
        for dtype in [DType::F32, DType::F64] {
            let tensor = data.populations(dtype, &Device::Cpu).unwrap();
            assert_eq!(tensor.dims(), [21, 2]);
            let rows = tensor.to_dtype(DType::F32).unwrap().to_vec2::<f32>().unwrap();
            assert_eq!(rows[0], [30.0, 4.0]);
            assert_eq!(rows[20], [24.7, 8.6]);
        }
    }
}

//! The intervals of the rows: [`RowSpans`].

use candle_core::{DType, Device, Tensor};

use crate::{Error, Result};

/// From where to where each row is solved; some rows backwards in time if need be.
///
/// Made from a pair of numbers for all rows, from a vector of pairs or, to receive gradients with
/// respect to the end times, from two tensors by [`from_tensors`](Self::from_tensors).
#[derive(Debug, Clone)]
pub struct RowSpans {
    pub(super) ends: Each<(f64, f64)>,
    pub(super) tensors: Option<[Tensor; 2]>,
}

/// A value for all rows, or one for each.
#[derive(Debug, Clone)]
pub(super) enum Each<T> {
    All(T),
    PerRow(Vec<T>),
}

impl<T: Clone> Each<T> {
    /// That of a row; their number was checked.
    pub(super) fn of(&self, row: usize) -> &T {
        match self {
            Self::All(value) => value,
            Self::PerRow(values) => &values[row],
        }
    }

    /// Errors unless there is one for each row.
    pub(super) fn check_count(&self, what: &'static str, rows: usize) -> Result<()> {
        match self {
            Self::PerRow(values) if values.len() != rows => {
                Err(Error::RowCount { what, got: values.len(), rows })
            }
            _ => Ok(()),
        }
    }

    /// One for each row.
    pub(super) fn spread(&self, what: &'static str, rows: usize) -> Result<Vec<T>> {
        self.check_count(what, rows)?;
        Ok((0..rows).map(|row| self.of(row).clone()).collect())
    }
}

impl From<(f64, f64)> for RowSpans {
    fn from(span: (f64, f64)) -> Self {
        Self { ends: Each::All(span), tensors: None }
    }
}

impl From<Vec<(f64, f64)>> for RowSpans {
    fn from(spans: Vec<(f64, f64)>) -> Self {
        Self { ends: Each::PerRow(spans), tensors: None }
    }
}

impl RowSpans {
    /// Intervals whose ends are tensors `[rows]` of dtype f32 or f64, which receive gradients.
    ///
    /// # Errors
    /// When a tensor has another number of axes or is not of floating point type, or their lengths
    /// differ.
    pub fn from_tensors(t0: &Tensor, t1: &Tensor) -> Result<Self> {
        let (starts, ends) = (host(t0)?, host(t1)?);
        if starts.len() != ends.len() {
            let (what, got, rows) = ("end times", ends.len(), starts.len());
            return Err(Error::RowCount { what, got, rows });
        }
        let ends = Each::PerRow(starts.into_iter().zip(ends).collect());
        Ok(Self { ends, tensors: Some([t0.clone(), t1.clone()]) })
    }
}

/// The elements of a tensor with one axis, in f64 (converted on the CPU: not every device has it).
pub(super) fn host(x: &Tensor) -> Result<Vec<f64>> {
    if !x.dtype().is_float() || x.rank() != 1 {
        let value = format!("{:?} {:?}", x.dtype(), x.dims());
        return Err(Error::invalid("times", value, "a tensor of floating point type, [rows]"));
    }
    Ok(x.detach().to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}

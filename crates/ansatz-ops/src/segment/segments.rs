//! Which group each row belongs to: [`Segments`].

use std::sync::{Arc, OnceLock};

use candle_core::{DType, Device, Tensor};

use crate::{Error, Result};

/// A partition of rows into segments: row `i` belongs to segment `ids[i]`.
///
/// Rows need not be sorted by segment. Where they are not, a stable counting sort (linear time)
/// finds their order once; the tensors that the operations take keep the order they have. A
/// segment may be empty. Cloning is cheap.
///
/// ```
/// use ansatz_ops::{Segments, segment_sum};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let ids = Tensor::new(&[2u32, 0, 2], &Device::Cpu)?;
/// let segments = Segments::new(&ids, 3)?;
/// let x = Tensor::new(&[1.0f64, 10.0, 100.0], &Device::Cpu)?;
/// assert_eq!(segment_sum(&x, &segments)?.to_vec1::<f64>()?, [10.0, 0.0, 101.0]);
/// assert_eq!(segments.order(), Some(&[1, 0, 2][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Segments(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ids: Vec<u32>,
    offsets: Vec<u32>,
    order: Option<Vec<u32>>,
    /// `ids` where the fallback last needed them.
    on_device: OnceLock<Tensor>,
}

impl Segments {
    /// From the segment of each row: `ids` is `[rows]`, of dtype u8, u32 or i64, on any device,
    /// sorted or not, with values below `count`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when an id is negative or not below `count` (`u32::MAX` and
    /// `i64::MAX` always are; candle's own operations skip those), or there are 2³² rows or
    /// segments; [`Error::DType`] for other dtypes; [`Error::Candle`] when `ids` has not one
    /// axis.
    pub fn new(ids: &Tensor, count: usize) -> Result<Self> {
        Self::from_ids(read_ids("id of a segment", ids, count)?, count)
    }

    /// From `count + 1` limits: segment `s` is rows `offsets[s]..offsets[s + 1]`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when there is no offset, the first is not 0, they decrease, or
    /// there are 2³² rows or segments.
    pub fn from_offsets(offsets: &[usize]) -> Result<Self> {
        let invalid = |value: String, expected| Error::InvalidArgument {
            what: "offsets of segments",
            value,
            expected,
        };
        let (Some(&first), Some(&rows)) = (offsets.first(), offsets.last()) else {
            return Err(invalid("[]".into(), "one more than there are segments"));
        };
        if first != 0 {
            return Err(invalid(format!("[{first}, …]"), "0 as the first"));
        }
        check_size(rows)?;
        check_size(offsets.len())?;
        let mut ids = Vec::with_capacity(rows);
        for (s, pair) in offsets.windows(2).enumerate() {
            if pair[0] > pair[1] {
                let value = format!("[…, {}, {}, …]", pair[0], pair[1]);
                return Err(invalid(value, "numbers that do not decrease"));
            }
            if pair[1] > rows {
                let value = format!("[…, {}, …, {rows}]", pair[1]);
                return Err(invalid(value, "numbers that do not decrease"));
            }
            ids.resize(pair[1], s as u32);
        }
        let offsets = offsets.iter().map(|&o| o as u32).collect();
        Ok(Self::from_parts(ids, offsets, None))
    }

    /// From ids that are known to be below `count`.
    pub(crate) fn from_ids(ids: Vec<u32>, count: usize) -> Result<Self> {
        check_size(ids.len())?;
        check_size(count)?;
        let mut offsets = vec![0u32; count + 1];
        for &id in &ids {
            offsets[id as usize + 1] += 1;
        }
        for s in 0..count {
            offsets[s + 1] += offsets[s];
        }
        let order = (!ids.is_sorted()).then(|| {
            let mut next = offsets[..count].to_vec();
            let mut order = vec![0u32; ids.len()];
            for (row, &id) in ids.iter().enumerate() {
                let place = &mut next[id as usize];
                order[*place as usize] = row as u32;
                *place += 1;
            }
            order
        });
        Ok(Self::from_parts(ids, offsets, order))
    }

    fn from_parts(ids: Vec<u32>, offsets: Vec<u32>, order: Option<Vec<u32>>) -> Self {
        Self(Arc::new(Inner { ids, offsets, order, on_device: OnceLock::new() }))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.ids.len()
    }

    /// Number of segments, empty ones included.
    pub fn count(&self) -> usize {
        self.0.offsets.len() - 1
    }

    /// The segment of each row.
    pub fn ids(&self) -> &[u32] {
        &self.0.ids
    }

    /// `count() + 1` limits into the sorted rows.
    pub fn offsets(&self) -> &[u32] {
        &self.0.offsets
    }

    /// The rows sorted by segment, within a segment by number; `None` where they are sorted
    /// already.
    pub fn order(&self) -> Option<&[u32]> {
        self.0.order.as_deref()
    }

    /// The number of rows of each segment, as a tensor `[count]`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn sizes(&self, dtype: DType, device: &Device) -> Result<Tensor> {
        let sizes: Vec<u32> = self.0.offsets.windows(2).map(|w| w[1] - w[0]).collect();
        let count = sizes.len();
        Ok(Tensor::from_vec(sizes, count, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)?)
    }

    /// The segment of each row, as a tensor for candle's own operations.
    pub(super) fn ids_on(&self, device: &Device) -> Result<Tensor> {
        let make = || Tensor::from_slice(&self.0.ids, self.rows(), device);
        if let Some(kept) = self.0.on_device.get() {
            return Ok(if kept.device().same_device(device) { kept.clone() } else { make()? });
        }
        let made = make()?;
        Ok(self.0.on_device.get_or_init(|| made).clone())
    }

    /// The number of features of `x` `[rows, features…]`: elements in a row.
    pub(super) fn width(&self, what: &'static str, x: &Tensor) -> Result<usize> {
        leading(what, x, self.rows())
    }
}

/// The elements in a row of `x`, which must have `rows` rows.
pub(super) fn leading(what: &'static str, x: &Tensor, rows: usize) -> Result<usize> {
    if x.dims().first() == Some(&rows) {
        return Ok(x.dims()[1..].iter().product());
    }
    let mut expected = x.dims().to_vec();
    match expected.first_mut() {
        Some(first) => *first = rows,
        None => expected.push(rows),
    }
    Err(Error::Shape { what, expected: expected.into(), got: x.shape().clone() })
}

/// The shape of `x` with another number of rows.
pub(super) fn with_rows(x: &Tensor, rows: usize) -> Vec<usize> {
    let mut dims = x.dims().to_vec();
    dims[0] = rows;
    dims
}

fn check_size(n: usize) -> Result<()> {
    // The largest u32 marks "no row".
    if n < u32::MAX as usize {
        return Ok(());
    }
    Err(Error::InvalidArgument {
        what: "number of rows or segments",
        value: n.to_string(),
        expected: "less than 2³² − 1",
    })
}

/// The values of a tensor of indexes `[n]`, all below `count`.
pub(crate) fn read_ids(what: &'static str, ids: &Tensor, count: usize) -> Result<Vec<u32>> {
    fn checked<I: Copy + Into<i64>>(
        what: &'static str,
        ids: Vec<I>,
        count: usize,
    ) -> Result<Vec<u32>> {
        let limit = count.min(u32::MAX as usize) as i64;
        let narrow = |id: I| -> Result<u32> {
            let id = id.into();
            if (0..limit).contains(&id) {
                return Ok(id as u32);
            }
            Err(Error::InvalidArgument {
                what,
                value: format!("{id} with {count} to choose from"),
                expected: "a number from 0 to one below that; padding is left out, not marked",
            })
        };
        ids.into_iter().map(narrow).collect()
    }
    match ids.dtype() {
        DType::U8 => checked(what, ids.to_vec1::<u8>()?, count),
        DType::U32 => checked(what, ids.to_vec1::<u32>()?, count),
        DType::I64 => checked(what, ids.to_vec1::<i64>()?, count),
        got => Err(Error::DType { what, expected: DType::U32, got }),
    }
}

//! Sparse matrices by rows: [`Csr`].

use candle_core::{DType, Device, Tensor};

use crate::segment::read_ids;
use crate::{Edges, Error, Result, Segments, gather_rows, gather_segment_sum, segment_sum};

/// A sparse matrix in compressed rows: where its entries are is fixed, their values are a tensor
/// `[entries]` that may receive gradients.
///
/// The entries are sorted by row and within a row by column. The transposed order is made
/// together with the matrix and shared by all that follow from it; cloning is cheap.
///
/// ```
/// use ansatz_ops::Csr;
/// use candle_core::{Device, Tensor, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // [[4, 0], [1, 5]]: the two entries at (1, 1) are added.
/// let rows = Tensor::new(&[1u32, 1, 0, 1], &Device::Cpu)?;
/// let columns = Tensor::new(&[1u32, 0, 0, 1], &Device::Cpu)?;
/// let values = Var::new(&[2.0f64, 1.0, 4.0, 3.0], &Device::Cpu)?;
/// let a = Csr::from_triplets(&rows, &columns, &values, (2, 2))?;
/// assert_eq!(a.to_dense()?.to_vec2::<f64>()?, [[4.0, 0.0], [1.0, 5.0]]);
///
/// let x = Tensor::new(&[10.0f64, 100.0], &Device::Cpu)?;
/// let y = a.matmul(&x)?;
/// assert_eq!(y.to_vec1::<f64>()?, [40.0, 510.0]);
/// let grads = y.sum_all()?.backward()?;
/// assert_eq!(grads.get(&values).unwrap().to_vec1::<f64>()?, [100.0, 10.0, 10.0, 100.0]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Csr {
    /// From columns to rows.
    edges: Edges,
    values: Tensor,
}

impl Csr {
    /// From entries in any order; those at the same place are added. `rows` and `columns` are
    /// `[n]` of dtype u8, u32 or i64, `values` `[n]`; `shape` is the number of rows and columns.
    ///
    /// Gradients flow to `values`. The device is that of `values`.
    ///
    /// # Errors
    /// [`Error::Count`] when the three differ in length; [`Error::InvalidArgument`] when a row or
    /// column is out of range; or candle fails.
    pub fn from_triplets(
        rows: &Tensor,
        columns: &Tensor,
        values: &Tensor,
        shape: (usize, usize),
    ) -> Result<Self> {
        let what = "row of a sparse matrix";
        let rows = read_ids(what, rows, shape.0)?;
        let columns = read_ids("column of a sparse matrix", columns, shape.1)?;
        check_count("columns, one for each row", rows.len(), columns.len())?;
        check_values(values, rows.len())?;
        // Two stable sorts, by column and then by row.
        let by_column = Segments::from_ids(columns.clone(), shape.1)?;
        let order: Vec<u32> = match by_column.order() {
            Some(order) => order.to_vec(),
            None => (0..rows.len() as u32).collect(),
        };
        let sorted_rows: Vec<u32> = order.iter().map(|&e| rows[e as usize]).collect();
        let by_row = Segments::from_ids(sorted_rows, shape.0)?;
        let order: Vec<u32> = match by_row.order() {
            Some(again) => again.iter().map(|&k| order[k as usize]).collect(),
            None => order,
        };
        let (mut entry_rows, mut entry_columns) = (Vec::new(), Vec::new());
        let mut entry_of = vec![0u32; rows.len()];
        for &e in &order {
            let (row, column) = (rows[e as usize], columns[e as usize]);
            if entry_rows.last() != Some(&row) || entry_columns.last() != Some(&column) {
                entry_rows.push(row);
                entry_columns.push(column);
            }
            entry_of[e as usize] = entry_rows.len() as u32 - 1;
        }
        let entries = entry_rows.len();
        // A sum of one term each: also what puts the values in order.
        let values = segment_sum(values, &Segments::from_ids(entry_of, entries)?)?;
        Ok(Self { edges: Edges::from_ids(entry_columns, entry_rows, shape.1, shape.0)?, values })
    }

    /// From the arrays of the format: the entries of row `r` are `offsets[r]..offsets[r + 1]`, in
    /// columns (any order, repetitions add) `columns` `[entries]` with `values` `[entries]`.
    ///
    /// # Errors
    /// As [`Segments::from_offsets`] for the offsets; [`Error::Count`] when the last offset, the
    /// columns and the values disagree; [`Error::InvalidArgument`] when a column is not below
    /// `width`; or candle fails.
    pub fn new(offsets: &[usize], columns: &Tensor, values: &Tensor, width: usize) -> Result<Self> {
        let rows = Segments::from_offsets(offsets)?;
        let columns = read_ids("column of a sparse matrix", columns, width)?;
        check_count("columns of a sparse matrix", rows.rows(), columns.len())?;
        check_values(values, columns.len())?;
        let edges = Edges::from_ids(columns, rows.ids().to_vec(), width, rows.count())?;
        Ok(Self { edges, values: values.clone() })
    }

    /// Number of rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.edges.by_target().count(), self.edges.by_source().count())
    }

    /// Number of stored entries.
    pub fn entries(&self) -> usize {
        self.edges.len()
    }

    /// The limits of the rows: row `r` is entries `offsets()[r]..offsets()[r + 1]`.
    pub fn offsets(&self) -> &[u32] {
        self.edges.by_target().offsets()
    }

    /// The row of each entry.
    pub fn rows(&self) -> &[u32] {
        self.edges.by_target().ids()
    }

    /// The column of each entry.
    pub fn columns(&self) -> &[u32] {
        self.edges.by_source().ids()
    }

    /// The entries as edges from columns to rows, for operations of one's own.
    pub fn edges(&self) -> &Edges {
        &self.edges
    }

    /// The values of the entries, `[entries]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// The same entries with other values.
    ///
    /// # Errors
    /// [`Error::Count`] when `values` is not `[entries]`.
    pub fn with_values(&self, values: &Tensor) -> Result<Self> {
        check_values(values, self.entries())?;
        Ok(Self { edges: self.edges.clone(), values: values.clone() })
    }

    /// The transposed matrix; gradients flow to the same values.
    ///
    /// # Errors
    /// When candle fails.
    pub fn transpose(&self) -> Result<Self> {
        let order = self.edges.by_source().order();
        let Some(order) = order else {
            return Ok(Self { edges: self.edges.reversed(), values: self.values.clone() });
        };
        // The entries move, so that they are sorted by row again.
        let pick = |ids: &[u32]| order.iter().map(|&e| ids[e as usize]).collect::<Vec<_>>();
        let edges = Edges::from_ids(
            pick(self.rows()),
            pick(self.columns()),
            self.shape().0,
            self.shape().1,
        )?;
        let moved = Segments::from_ids(order.to_vec(), self.entries())?;
        Ok(Self { edges, values: gather_rows(&self.values, &moved)? })
    }

    /// The product with a dense matrix `[columns, k]` or a vector `[columns]` (or any
    /// `[columns, features…]`): `[rows, …]`.
    ///
    /// Gradients flow to the values (the product of cotangent and operand at the entries alone) and
    /// to the operand (the product with the transposed matrix), and are of any order. Same bits for
    /// any number of threads.
    ///
    /// # Errors
    /// [`Error::Shape`] when `x` has another number of rows than the matrix columns;
    /// [`Error::DType`] when the dtypes differ; or candle fails.
    pub fn matmul(&self, x: &Tensor) -> Result<Tensor> {
        gather_segment_sum(x, Some(&self.values), &self.edges)
    }

    /// The product of the transposed matrix with `[rows, features…]`, without making it.
    ///
    /// # Errors
    /// As [`matmul`](Self::matmul).
    pub fn transposed_matmul(&self, x: &Tensor) -> Result<Tensor> {
        gather_segment_sum(x, Some(&self.values), &self.edges.reversed())
    }

    /// The matrix with its zeros, `[rows, columns]`; gradients flow to the values.
    ///
    /// # Errors
    /// When candle fails.
    pub fn to_dense(&self) -> Result<Tensor> {
        let (rows, columns) = self.shape();
        let places = self.rows().iter().zip(self.columns());
        let places: Vec<i64> =
            places.map(|(&r, &c)| i64::from(r) * columns as i64 + i64::from(c)).collect();
        let places = Tensor::from_vec(places, self.entries(), &Device::Cpu)?;
        let places = places.to_device(self.values.device())?;
        let zeros = Tensor::zeros(rows * columns, self.dtype(), self.values.device())?;
        // index_add has the right gradient in candle.
        Ok(zeros.index_add(&places, &self.values.contiguous()?, 0)?.reshape((rows, columns))?)
    }

    /// The dtype of the values.
    pub fn dtype(&self) -> DType {
        self.values.dtype()
    }
}

fn check_count(what: &'static str, expected: usize, got: usize) -> Result<()> {
    if expected == got { Ok(()) } else { Err(Error::Count { what, expected, got }) }
}

fn check_values(values: &Tensor, entries: usize) -> Result<()> {
    if values.dims() == [entries] {
        return Ok(());
    }
    let what = "values of a sparse matrix, one for each entry";
    Err(Error::Shape { what, expected: entries.into(), got: values.shape().clone() })
}

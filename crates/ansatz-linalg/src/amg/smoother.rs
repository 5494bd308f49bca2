//! Gauss–Seidel in blocks of rows: [`Smoother`].

use nalgebra_sparse::CsrMatrix;
use rayon::prelude::*;

use crate::{Error, Result};

/// A matrix arranged for sweeps. Rows are cut into blocks, which are swept side by side; to the
/// diagonal of a row that reaches into other blocks the sizes of these entries are added, so that the
/// sweep converges for every positive definite matrix (ℓ₁-Gauss–Seidel of A. Baker et al. 2011).
#[derive(Debug)]
pub(super) struct Smoother {
    offsets: Vec<usize>,
    /// Where in a row the entries of the own block begin, the diagonal, and where they end.
    inner: Vec<u32>,
    pivot: Vec<u32>,
    outer: Vec<u32>,
    columns: Vec<u32>,
    values: Vec<f64>,
    /// What the diagonal is raised by, zero for most.
    raised: Vec<f64>,
    inverse: Vec<f64>,
    block: usize,
    /// Rows that reach into other blocks.
    boundary: Vec<u32>,
}

/// Most blocks, and fewest rows of one.
const BLOCKS: usize = 8;
const ROWS: usize = 1 << 12;

impl Smoother {
    #[allow(clippy::cast_possible_truncation)] // checked at the start
    pub(super) fn new(a: &CsrMatrix<f64>, diagonal: Vec<f64>) -> Result<Self> {
        let n = a.nrows();
        if u32::try_from(n).is_err() {
            return Err(Error::size(super::WHAT, "fewer than 2³² rows", n));
        }
        let block = n.div_ceil(BLOCKS).max(ROWS);
        let (offsets, columns, values) = a.csr_data();
        let (mut inner, mut pivot, mut outer) = (Vec::new(), Vec::new(), Vec::new());
        let (mut boundary, mut raised) = (Vec::new(), vec![0.0; n]);
        for i in 0..n {
            let row = &columns[offsets[i]..offsets[i + 1]];
            let (start, end) = (i / block * block, (i / block + 1) * block);
            let first = row.partition_point(|j| *j < start);
            let last = row.partition_point(|j| *j < end);
            inner.push(first as u32);
            pivot.push(row.partition_point(|j| *j < i) as u32);
            outer.push(last as u32);
            if first > 0 || last < row.len() {
                let values = &values[offsets[i]..offsets[i + 1]];
                let outside = values[..first].iter().chain(&values[last..]);
                raised[i] = outside.map(|a| a.abs()).sum();
                boundary.push(i as u32);
            }
        }
        let inverse = diagonal.iter().zip(&raised).map(|(d, r)| 1.0 / (d + r)).collect();
        Ok(Self {
            offsets: offsets.to_vec(),
            inner,
            pivot,
            outer,
            columns: columns.iter().map(|j| *j as u32).collect(),
            values: values.to_vec(),
            raised,
            inverse,
            block,
            boundary,
        })
    }

    pub(super) fn dimension(&self) -> usize {
        self.pivot.len()
    }

    pub(super) fn entries(&self) -> usize {
        self.values.len()
    }

    fn dot(&self, range: std::ops::Range<usize>, x: &[f64], from: usize) -> f64 {
        let columns = &self.columns[range.clone()];
        columns.iter().zip(&self.values[range]).map(|(j, a)| a * x[*j as usize - from]).sum()
    }

    /// A forward sweep from zero: `x ← (D + L)⁻¹ b`, block by block.
    pub(super) fn forth_from_zero(&self, b: &[f64], x: &mut Vec<f64>) {
        x.resize(self.dimension(), 0.0);
        x.par_chunks_mut(self.block).enumerate().for_each(|(k, x)| {
            let from = k * self.block;
            for i in 0..x.len() {
                let (row, at) = (from + i, self.offsets[from + i]);
                let below = at + self.inner[row] as usize..at + self.pivot[row] as usize;
                x[i] = (b[row] - self.dot(below, x, from)) * self.inverse[row];
            }
        });
    }

    /// `b − A x` after [`Smoother::forth_from_zero`]: of each row only the entries are needed that the
    /// sweep did not use.
    pub(super) fn residual_after(&self, x: &[f64], r: &mut Vec<f64>) {
        r.resize(x.len(), 0.0);
        r.par_chunks_mut(ROWS).enumerate().for_each(|(k, r)| {
            for (i, r) in r.iter_mut().enumerate() {
                let row = k * ROWS + i;
                let at = self.offsets[row];
                let above = at + self.pivot[row] as usize + 1..self.offsets[row + 1];
                *r = self.raised[row] * x[row] - self.dot(above, x, 0);
                if self.inner[row] > 0 {
                    *r -= self.dot(at..at + self.inner[row] as usize, x, 0);
                }
            }
        });
    }

    /// `b − A x`.
    pub(super) fn residual(&self, b: &[f64], x: &[f64], r: &mut Vec<f64>) {
        r.resize(x.len(), 0.0);
        r.par_chunks_mut(ROWS).enumerate().for_each(|(k, r)| {
            for (i, r) in r.iter_mut().enumerate() {
                let row = k * ROWS + i;
                *r = b[row] - self.dot(self.offsets[row]..self.offsets[row + 1], x, 0);
            }
        });
    }

    /// A backward sweep, `x ← x + (D + U)⁻¹ (b − A x)` block by block. `right` is overwritten.
    pub(super) fn back(&self, b: &[f64], x: &mut [f64], right: &mut Vec<f64>) {
        // What comes from other blocks is that of before the sweep.
        right.clear();
        right.extend_from_slice(b);
        for row in self.boundary.iter().map(|row| *row as usize) {
            let at = self.offsets[row];
            let (first, last) = (at + self.inner[row] as usize, at + self.outer[row] as usize);
            right[row] -= self.dot(at..first, x, 0) + self.dot(last..self.offsets[row + 1], x, 0);
            right[row] += self.raised[row] * x[row];
        }
        let right = &right[..];
        x.par_chunks_mut(self.block).enumerate().for_each(|(k, x)| {
            let from = k * self.block;
            for i in (0..x.len()).rev() {
                let (row, at) = (from + i, self.offsets[from + i]);
                let pivot = at + self.pivot[row] as usize;
                let below = self.dot(at + self.inner[row] as usize..pivot, x, from);
                let end = at + self.outer[row] as usize;
                let above = self.dot(pivot + 1..end, x, from);
                x[i] = (right[row] - below - above) * self.inverse[row];
            }
        });
    }
}

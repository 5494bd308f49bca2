//! Parts of a sparse matrix for sweeps over its rows: [`Rows`].

use crate::{Error, Result, Sparse};

/// Some entries of a square sparse matrix, row by row. Indices of four bytes: sweeps are limited by
/// memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) offsets: Vec<usize>,
    pub(super) columns: Vec<u32>,
    pub(super) values: Vec<f64>,
}

impl Rows {
    /// The entries `(i, j)` of `matrix` that `keep` takes.
    pub(super) fn of(matrix: &Sparse, keep: impl Fn(usize, usize) -> bool) -> Result<Self> {
        let source = matrix.as_csr();
        if u32::try_from(source.ncols()).is_err() {
            return Err(Error::size(super::WHAT, "fewer than 2³² columns", source.ncols()));
        }
        let mut rows = Self { offsets: vec![0], ..Self::default() };
        for (i, row) in source.row_iter().enumerate() {
            for (j, a) in row.col_indices().iter().zip(row.values()) {
                if keep(i, *j) {
                    #[allow(clippy::cast_possible_truncation)] // checked above
                    rows.columns.push(*j as u32);
                    rows.values.push(*a);
                }
            }
            rows.offsets.push(rows.columns.len());
        }
        Ok(rows)
    }

    pub(super) fn count(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let range = self.offsets[i]..self.offsets[i + 1];
        let columns = self.columns[range.clone()].iter().map(|j| *j as usize);
        columns.zip(self.values[range].iter().copied())
    }

    /// `Σⱼ aᵢⱼ xⱼ`.
    pub(super) fn dot(&self, i: usize, x: &[f64]) -> f64 {
        self.row(i).map(|(j, a)| a * x[j]).sum()
    }

    /// `x ← x − factor · (row i)ᵀ`.
    pub(super) fn subtract(&self, i: usize, factor: f64, x: &mut [f64]) {
        self.row(i).for_each(|(j, a)| x[j] -= a * factor);
    }

    /// `x ← (D + L)⁻¹ x`, where these are the entries of `L`, below the diagonal.
    pub(super) fn solve_lower(&self, diagonal: &[f64], x: &mut [f64]) {
        for i in 0..self.count() {
            x[i] = (x[i] - self.dot(i, x)) / diagonal[i];
        }
    }

    /// `x ← (D + U)⁻¹ x`, where these are the entries of `U`, above the diagonal.
    pub(super) fn solve_upper(&self, diagonal: &[f64], x: &mut [f64]) {
        for i in (0..self.count()).rev() {
            x[i] = (x[i] - self.dot(i, x)) / diagonal[i];
        }
    }

    /// `x ← (D + Lᵀ)⁻¹ x`, where these are the entries of `L`.
    pub(super) fn solve_lower_transposed(&self, diagonal: &[f64], x: &mut [f64]) {
        for i in (0..self.count()).rev() {
            x[i] /= diagonal[i];
            self.subtract(i, x[i], x);
        }
    }

    /// `x ← (D + Uᵀ)⁻¹ x`, where these are the entries of `U`.
    pub(super) fn solve_upper_transposed(&self, diagonal: &[f64], x: &mut [f64]) {
        for i in 0..self.count() {
            x[i] /= diagonal[i];
            self.subtract(i, x[i], x);
        }
    }
}

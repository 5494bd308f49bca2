//! Kronecker products and sums: operators on the two axes of an array.

use crate::{LinearOperator, Properties, Result};

/// `A ⊗ B`. A vector is an array `[columns of A, columns of B]` row by row: `B` acts along its rows,
/// `A` down its columns.
#[derive(Debug, Clone, Copy)]
pub struct KroneckerProduct<A, B> {
    /// The left factor.
    pub a: A,
    /// The right factor.
    pub b: B,
}

/// `A ⊗ I + I ⊗ B` for square `A` and `B`: the one acts down the columns of an array, the other
/// along its rows, and the results are added. Discretised Laplacians are of this kind.
#[derive(Debug, Clone, Copy)]
pub struct KroneckerSum<A, B> {
    a: A,
    b: B,
}

impl<A: LinearOperator<Vec<f64>>, B: LinearOperator<Vec<f64>>> KroneckerSum<A, B> {
    /// `a ⊗ I + I ⊗ b`.
    ///
    /// # Errors
    /// [`Error::Size`](crate::Error::Size) when one of them is not square,
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) when the size overflows.
    pub fn new(a: A, b: B) -> Result<Self> {
        for [rows, columns] in [a.shape(), b.shape()] {
            super::check_length("rows of a term of a Kronecker sum", columns, rows)?;
        }
        super::check_size("rows of a Kronecker sum", &[a.shape()[0], b.shape()[0]])?;
        Ok(Self { a, b })
    }
}

type Apply<'a> = &'a dyn Fn(&Vec<f64>, &mut Vec<f64>) -> Result<()>;

/// `apply` on each row of `x` `[…, columns]`.
fn along_rows(x: &[f64], columns: usize, apply: Apply<'_>) -> Result<Vec<f64>> {
    let (mut out, mut row, mut image) = (Vec::with_capacity(x.len()), Vec::new(), Vec::new());
    for x in x.chunks(columns.max(1)) {
        row.clear();
        row.extend_from_slice(x);
        apply(&row, &mut image)?;
        out.extend_from_slice(&image);
    }
    Ok(out)
}

/// What sums without terms are.
fn zeros(length: usize, y: &mut Vec<f64>) -> Result<()> {
    super::check_size("size of a Kronecker product", &[length])?;
    y.clear();
    y.resize(length, 0.0);
    Ok(())
}

/// Side of the blocks in which axes are exchanged: both sides stay in the cache.
const BLOCK: usize = 32;

/// `x` `[rows, columns]` with the axes exchanged.
fn exchanged(x: &[f64], columns: usize) -> Vec<f64> {
    let rows = x.len() / columns.max(1);
    let mut out = vec![0.0; x.len()];
    for i0 in (0..rows).step_by(BLOCK) {
        for j0 in (0..columns).step_by(BLOCK) {
            for i in i0..rows.min(i0 + BLOCK) {
                for j in j0..columns.min(j0 + BLOCK) {
                    out[j * rows + i] = x[i * columns + j];
                }
            }
        }
    }
    out
}

/// `a` on each column of `x` `[columns of a, width]`.
fn down_columns(x: &[f64], (length, width): (usize, usize), apply: Apply<'_>) -> Result<Vec<f64>> {
    let images = along_rows(&exchanged(x, width), length, apply)?;
    let length = images.len() / width.max(1);
    Ok(exchanged(&images, length))
}

impl<A: LinearOperator<Vec<f64>>, B: LinearOperator<Vec<f64>>> LinearOperator<Vec<f64>>
    for KroneckerProduct<A, B>
{
    fn shape(&self) -> [usize; 2] {
        let (a, b) = (self.a.shape(), self.b.shape());
        [a[0].saturating_mul(b[0]), a[1].saturating_mul(b[1])]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        if x.is_empty() {
            return zeros(self.shape()[0], y);
        }
        let (a, b) = (self.a.shape(), self.b.shape());
        let rows = along_rows(x, b[1], &|x, y| self.b.apply_into(x, y))?;
        *y = down_columns(&rows, (a[1], b[0]), &|x, y| self.a.apply_into(x, y))?;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        if x.is_empty() {
            return zeros(self.shape()[1], y);
        }
        let (a, b) = (self.a.shape(), self.b.shape());
        let rows = along_rows(x, b[0], &|x, y| self.b.apply_transposed_into(x, y))?;
        *y = down_columns(&rows, (a[0], b[1]), &|x, y| self.a.apply_transposed_into(x, y))?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        let [rows, columns] = self.b.shape();
        if rows != columns {
            // The blocks lie beside the diagonal.
            return Properties::NONE;
        }
        self.a.properties().of_kronecker_product(self.b.properties())
    }
}

impl<A: LinearOperator<Vec<f64>>, B: LinearOperator<Vec<f64>>> LinearOperator<Vec<f64>>
    for KroneckerSum<A, B>
{
    fn shape(&self) -> [usize; 2] {
        [self.a.shape()[0] * self.b.shape()[0]; 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        let (a, b) = (self.a.shape()[0], self.b.shape()[0]);
        *y = along_rows(x, b, &|x, y| self.b.apply_into(x, y))?;
        let columns = down_columns(x, (a, b), &|x, y| self.a.apply_into(x, y))?;
        y.iter_mut().zip(columns).for_each(|(y, c)| *y += c);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        let (a, b) = (self.a.shape()[0], self.b.shape()[0]);
        *y = along_rows(x, b, &|x, y| self.b.apply_transposed_into(x, y))?;
        let columns = down_columns(x, (a, b), &|x, y| self.a.apply_transposed_into(x, y))?;
        y.iter_mut().zip(columns).for_each(|(y, c)| *y += c);
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.a.properties().of_kronecker_sum(self.b.properties())
    }
}

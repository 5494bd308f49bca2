//! Dense matrices on plain vectors: [`Dense`], and any operator as one: [`to_dense`].

use faer::{Accum, ColMut, ColRef, Mat, Par, linalg::matmul::matmul};

use super::check_length;
use crate::{Components, Error, LinearOperator, Properties, Result};

/// A dense matrix.
#[derive(Debug, Clone)]
pub struct Dense {
    matrix: Mat<f64>,
    properties: Properties,
}

impl Dense {
    /// From a matrix of faer.
    ///
    /// # Errors
    /// [`Error::NotFinite`] when an entry is NaN or infinite.
    pub fn new(matrix: Mat<f64>) -> Result<Self> {
        let entries = || matrix.col_iter().flat_map(faer::ColRef::iter);
        if let Some(index) = entries().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite { what: "dense matrix, column by column", index });
        }
        let properties = read(&matrix);
        Ok(Self { matrix, properties })
    }

    /// From rows.
    ///
    /// # Errors
    /// [`Error::Size`] when the rows differ in length; [`Error::NotFinite`].
    pub fn from_rows(rows: &[impl AsRef<[f64]>]) -> Result<Self> {
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        if let Some(row) = rows.iter().find(|row| row.as_ref().len() != width) {
            return Err(Error::size("row of a dense matrix", width, row.as_ref().len()));
        }
        Self::new(Mat::from_fn(rows.len(), width, |i, j| rows[i].as_ref()[j]))
    }

    /// The largest sum of the absolute values of a column.
    pub fn norm_1(&self) -> f64 {
        let sums = self.matrix.col_iter().map(|column| column.iter().map(|a| a.abs()).sum());
        sums.fold(0.0, f64::max)
    }

    /// The matrix.
    pub fn as_faer(&self) -> &Mat<f64> {
        &self.matrix
    }
}

fn read(matrix: &Mat<f64>) -> Properties {
    let (m, n) = (matrix.nrows(), matrix.ncols());
    let mut found = Properties { symmetric: m == n, ..Properties::DIAGONAL };
    for j in 0..n {
        for i in 0..m {
            let a = matrix[(i, j)];
            found.symmetric = found.symmetric && a == matrix[(j, i)];
            if a != 0.0 {
                found.diagonal &= i == j;
                found.tridiagonal &= i.abs_diff(j) <= 1;
                found.lower_triangular &= i >= j;
                found.upper_triangular &= i <= j;
            }
        }
    }
    found
}

impl LinearOperator<Vec<f64>> for Dense {
    fn shape(&self) -> [usize; 2] {
        [self.matrix.nrows(), self.matrix.ncols()]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        y.resize(self.matrix.nrows(), 0.0);
        let (x, y) = (ColRef::from_slice(x), ColMut::from_slice_mut(y));
        matmul(y, Accum::Replace, &self.matrix, x, 1.0, Par::Seq);
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        y.resize(self.matrix.ncols(), 0.0);
        let (x, y) = (ColRef::from_slice(x), ColMut::from_slice_mut(y));
        matmul(y, Accum::Replace, self.matrix.transpose(), x, 1.0, Par::Seq);
        Ok(())
    }

    /// What the entries say; positive definiteness is not read from them.
    fn properties(&self) -> Properties {
        self.properties
    }
}

/// The matrix of an operator on any vectors with components, like `x` for its arguments.
pub(crate) fn matrix_of<V: Components>(
    operator: &dyn LinearOperator<V>,
    x: &V,
) -> Result<Mat<f64>> {
    let [rows, columns] = operator.shape();
    check_length("argument of a linear operator", columns, x.dimension())?;
    let mut matrix = Mat::zeros(rows, columns);
    for j in 0..columns {
        let mut unit = vec![0.0; columns];
        unit[j] = 1.0;
        let column = operator.apply(&x.with_components(unit)?)?.components()?;
        check_length("result of a linear operator", rows, column.len())?;
        for (i, a) in column.iter().enumerate() {
            matrix[(i, j)] = *a;
        }
    }
    Ok(matrix)
}

/// The matrix of an operator, column by column: as many applications as it has columns.
///
/// # Errors
/// Those of the operator; [`Error::Size`] when its results are not as long as its shape says.
pub fn to_dense(operator: &(impl LinearOperator<Vec<f64>> + ?Sized)) -> Result<Mat<f64>> {
    let [rows, columns] = operator.shape();
    let mut matrix = Mat::zeros(rows, columns);
    let (mut unit, mut column) = (vec![0.0; columns], Vec::new());
    for j in 0..columns {
        unit[j] = 1.0;
        operator.apply_into(&unit, &mut column)?;
        unit[j] = 0.0;
        check_length("result of a linear operator", rows, column.len())?;
        for (i, a) in column.iter().enumerate() {
            matrix[(i, j)] = *a;
        }
    }
    Ok(matrix)
}

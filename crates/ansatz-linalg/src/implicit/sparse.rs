//! Gradients of solutions of sparse systems: [`sparse_solve`].

use ansatz_ops::{Csr, custom_vjp};
use candle_core::{DType, Device, Tensor};
use nalgebra_sparse::CooMatrix;

use super::{outward, projection::check_numbers};
use crate::{Error, Factorised, Result, Sparse};

/// The solution of `A x = b` for a sparse matrix and `b` `[n]` or `[n, k]`, attached to the graphs of
/// the values of the matrix and of `b`.
///
/// `factorise` makes whatever solves: [`SparseLu`](crate::SparseLu),
/// [`SparseCholesky`](crate::SparseCholesky), or an iteration with its preconditioner as a
/// [`Prepared`](crate::Prepared). It is kept, and used once more by `backward`, for the transposed
/// system: `Aᵀ u = g` gives `u` to `b` and `−uᵢ xⱼ` to each entry. Computed on the host in `f64`; the
/// result has the dtype and device of `b`.
///
/// ```
/// use ansatz_linalg::core::candle::{Device, Tensor, Var};
/// use ansatz_linalg::{SparseLu, implicit};
/// use ansatz_ops::Csr;
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// let cpu = &Device::Cpu;
/// let ids = |ids: &[u32]| Tensor::new(ids, cpu);
/// let values = Var::new(&[2f64, 1.0, 4.0], cpu)?; // (2 1; 0 4)
/// let a = Csr::from_triplets(&ids(&[0, 0, 1])?, &ids(&[0, 1, 1])?, &values, (2, 2))?;
/// let x = implicit::sparse_solve(&a, &Tensor::new(&[5f64, 4.0], cpu)?, SparseLu::new)?;
/// assert_eq!(x.to_vec1::<f64>()?, [2.0, 1.0]);
/// // x₁ = b₁ / a₁₁
/// let gradient = x.get(1)?.backward()?.get(&values).unwrap().to_vec1::<f64>()?;
/// assert_eq!(gradient, [0.0, 0.0, -0.25]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Error::Size`] when the matrix is not square or `b` does not fit it, [`Error::InvalidArgument`] when
/// `b` is not finite; those of `factorise` and of the solves.
pub fn sparse_solve<S: Factorised + Send + Sync + 'static>(
    matrix: &Csr,
    b: &Tensor,
    factorise: impl FnOnce(&Sparse) -> Result<S>,
) -> Result<Tensor> {
    let (n, width) = matrix.shape();
    if n != width {
        let shape = format!("{n} × {width}");
        return Err(Error::size("matrix of a sparse solve", "as many rows as columns", shape));
    }
    let columns = match *b.dims() {
        [rows] if rows == n => 1,
        [rows, columns] if rows == n => columns,
        _ => {
            let (expected, got) = (format!("[{n}] or [{n}, k]"), format!("{:?}", b.dims()));
            return Err(Error::size("right-hand side of a sparse solve", expected, got));
        }
    };
    check_numbers("right-hand side of a sparse solve", b)?;
    let plain = plain(matrix)?;
    let factors = factorise(&plain)?;
    let solved =
        Solved { factors, rows: matrix.rows().to_vec(), columns: matrix.columns().to_vec() };
    let x = solve(b, n, columns, |x| solved.factors.solve_in_place(x))?;
    let output = x.to_tensor(b)?;
    let (values, like) = (matrix.values().detach(), b.detach());
    let rule = move |g: &Tensor| -> Result<Vec<Option<Tensor>>> {
        let u = solve(g, n, columns, |u| solved.factors.solve_transposed_in_place(u))?;
        let entry = |(i, j): (&u32, &u32)| {
            let (i, j) = (*i as usize, *j as usize);
            (0..columns).map(|k| -u.columns[k * n + i] * x.columns[k * n + j]).sum::<f64>()
        };
        let entries: Vec<f64> = solved.rows.iter().zip(&solved.columns).map(entry).collect();
        let entries = Tensor::from_vec(entries, values.dims(), &Device::Cpu)?;
        let entries = entries.to_dtype(values.dtype())?.to_device(values.device())?;
        Ok(vec![Some(entries), Some(u.to_tensor(&like)?)])
    };
    Ok(custom_vjp(&[matrix.values(), b], &output, move |g| rule(g).map_err(outward))?)
}

struct Solved<S> {
    factors: S,
    rows: Vec<u32>,
    columns: Vec<u32>,
}

/// Right-hand sides one after the other.
struct Columns {
    columns: Vec<f64>,
    count: usize,
}

impl Columns {
    fn to_tensor(&self, like: &Tensor) -> Result<Tensor> {
        let n = self.columns.len() / self.count.max(1);
        let values = Tensor::from_slice(&self.columns, (self.count, n), &Device::Cpu)?;
        let values = values.t()?.reshape(like.shape())?;
        Ok(values.to_dtype(like.dtype())?.to_device(like.device())?)
    }
}

fn solve(
    b: &Tensor,
    n: usize,
    count: usize,
    in_place: impl FnOnce(&mut [f64]) -> Result<()>,
) -> Result<Columns> {
    let b = b.detach().to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let mut columns: Vec<f64> = b.reshape((n, count))?.t()?.flatten_all()?.to_vec1()?;
    in_place(&mut columns)?;
    Ok(Columns { columns, count })
}

fn plain(matrix: &Csr) -> Result<Sparse> {
    let values = matrix.values().detach().to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
    let values: Vec<f64> = values.to_vec1()?;
    let (rows, columns) = matrix.shape();
    let ids = |ids: &[u32]| ids.iter().map(|i| *i as usize).collect();
    let entries = CooMatrix::try_from_triplets(
        rows,
        columns,
        ids(matrix.rows()),
        ids(matrix.columns()),
        values,
    );
    let entries = entries.map_err(|error| Error::Factorisation {
        what: "arrangement of a sparse matrix",
        reason: error.to_string(),
    })?;
    Sparse::from_coo(&entries)
}

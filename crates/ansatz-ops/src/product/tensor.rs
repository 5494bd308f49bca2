//! The matrix product of tensors: [`matmul`].

use std::mem::MaybeUninit;

use candle_core::{CpuStorage, Shape, Storage, Tensor};
use rayon::prelude::*;

use super::{Matrix, add_product, set_product, zeroed};
use crate::{
    Error, Result,
    cpu::{attach, by_float, collect},
    pointwise::Real,
};

/// Floating-point operations from which on a second thread pays.
pub(crate) const PARALLEL_FROM: usize = 1 << 21;

/// Matrix product of the last two axes, with batch axes broadcast: `[…, m, k]` times `[…, k, n]`
/// is `[…, m, n]`. Any number of batch axes, any strides.
///
/// On the CPU products below 2 MFLOP run on one thread; larger ones are cut into pieces that depend
/// on the shapes only, so that the result has the same bits for any number of threads. The gradient
/// is made of products like this one, to any order. candle's own product is wrong where one operand
/// is a batch of transposed matrices and the other was broadcast over the batch (0.11.1).
///
/// # Errors
/// [`Error::Shape`] when the shapes do not fit or a tensor has fewer than two axes, [`Error::DType`]
/// or [`Error::Device`] when they differ, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::matmul;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let batch = Tensor::new(&[[[1f64, 2.0]], [[3.0, 4.0]]], &Device::Cpu)?; // [2, 1, 2]
/// let matrix = Tensor::new(&[[1f64, 0.0], [1.0, 1.0]], &Device::Cpu)?;
/// let product = matmul(&batch, &matrix)?;
/// assert_eq!(product.to_vec3::<f64>()?, [[[3.0, 2.0]], [[7.0, 4.0]]]);
/// # Ok(())
/// # }
/// ```
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    check_kind("factors of a matrix product", a, b)?;
    let shapes = Shapes::of(a, b)?;
    by_float!(a, T => {
        let values = fill::<T>(a, b, &shapes)?;
        let (left, right) = (a.clone(), b.clone());
        let tracked = [a.track_op(), b.track_op()];
        attach("matmul", &[a, b], values, shapes.output(), move |_, g| {
            gradients(&left, &right, g, tracked)
        })
    }, _ => composed(a, b, &shapes))
}

/// Errors unless `b` has the dtype and device of `a`.
pub(crate) fn check_kind(what: &'static str, a: &Tensor, b: &Tensor) -> Result<()> {
    if a.dtype() != b.dtype() {
        return Err(Error::DType { what, expected: a.dtype(), got: b.dtype() });
    }
    if !a.device().same_device(b.device()) {
        let (expected, got) = (a.device().location(), b.device().location());
        return Err(Error::Device { what, expected, got });
    }
    Ok(())
}

/// The shapes of a product.
struct Shapes {
    batch: Vec<usize>,
    m: usize,
    k: usize,
    n: usize,
}

impl Shapes {
    fn of(a: &Tensor, b: &Tensor) -> Result<Self> {
        let what = "second factor of a matrix product, [batch…, k, n] for a first [batch…, m, k]";
        let wrong = |expected: &[usize]| Error::Shape {
            what,
            expected: expected.into(),
            got: b.shape().clone(),
        };
        let ([batch_a @ .., m, k], [batch_b @ .., k_b, n]) = (a.dims(), b.dims()) else {
            let what = "factors of a matrix product, two axes at least";
            let scalar = if a.rank() < 2 { a } else { b };
            return Err(Error::Shape {
                what,
                expected: (1, 1).into(),
                got: scalar.shape().clone(),
            });
        };
        let rank = batch_a.len().max(batch_b.len());
        let axis =
            |batch: &[usize], i: usize| (i + batch.len()).checked_sub(rank).map_or(1, |i| batch[i]);
        let mut batch = Vec::with_capacity(rank);
        let mut fits = k == k_b;
        for i in 0..rank {
            let (x, y) = (axis(batch_a, i), axis(batch_b, i));
            fits &= x == y || x == 1 || y == 1;
            batch.push(if x == 1 { y } else { x });
        }
        if !fits {
            return Err(wrong(&[batch_a, &[*k, *n]].concat()));
        }
        Ok(Self { batch, m: *m, k: *k, n: *n })
    }

    fn output(&self) -> Shape {
        Shape::from([self.batch.as_slice(), &[self.m, self.n]].concat())
    }
}

/// Where the matrices of a batch start in the storage of `x`, for each matrix of the result.
fn offsets(x: &Tensor, batch: &[usize]) -> Vec<usize> {
    let (dims, stride) = (x.dims(), x.stride());
    let missing = batch.len() + 2 - dims.len();
    let mut all = vec![x.layout().start_offset()];
    for (axis, &length) in batch.iter().enumerate() {
        let step = match axis.checked_sub(missing) {
            Some(i) if dims[i] != 1 => stride[i],
            _ => 0,
        };
        all = all.iter().flat_map(|&at| (0..length).map(move |i| at + i * step)).collect();
    }
    all
}

/// The whole storage of a CPU tensor.
fn storage<T: Real>(storage: &Storage) -> Result<&[T]> {
    let values: Option<&[T]> = match storage {
        Storage::Cpu(cpu) => T::slice(cpu as &CpuStorage),
        _ => None,
    };
    values.ok_or_else(|| Error::DType {
        what: "factor of a matrix product on the CPU",
        expected: T::DTYPE,
        got: storage.dtype(),
    })
}

fn fill<T: Real>(a: &Tensor, b: &Tensor, shapes: &Shapes) -> Result<Vec<T>> {
    let Shapes { batch, m, k, n } = shapes;
    let (mut m, k, n) = (*m, *k, *n);
    let (a_guard, a_layout) = a.storage_and_layout();
    let (b_guard, b_layout) = b.storage_and_layout();
    let (a_all, b_all) = (storage::<T>(&a_guard)?, storage::<T>(&b_guard)?);
    let (mut a_at, mut b_at) = (offsets(a, batch), offsets(b, batch));
    let mut a_stride = &a_layout.stride()[a.rank() - 2..];
    let folded = [k, 1];
    let b_stride = &b_layout.stride()[b.rank() - 2..];
    let total: usize = batch.iter().product::<usize>() * m * n;
    if b.rank() == 2 && a_layout.is_contiguous() && total > 0 {
        // One product over all leading axes. The strides are said anew: of an axis of length 1 the
        // layout may hold any, and is contiguous all the same.
        a_stride = &folded;
        m *= a_at.len();
        a_at.truncate(1);
        b_at.truncate(1);
    }
    let matrix = |all, at: usize, dims, stride: &[usize]| {
        let values: &[T] = <[T]>::get(all, at..).unwrap_or_default();
        Matrix::strided(values, dims, [stride[0], stride[1]]).ok_or(Error::Count {
            what: "elements in the storage of a factor of a matrix product",
            expected: at + dims[0] * dims[1],
            got: all.len(),
        })
    };
    let mut pairs = Vec::with_capacity(a_at.len());
    for (&at, &bt) in a_at.iter().zip(&b_at) {
        pairs.push((matrix(a_all, at, [m, k], a_stride)?, matrix(b_all, bt, [k, n], b_stride)?));
    }
    let each = 2 * m * k * n;
    let parallel = each * pairs.len() >= PARALLEL_FROM && rayon::current_num_threads() > 1;
    let write = |out: &mut [MaybeUninit<T>]| {
        if out.is_empty() {
            return;
        }
        let work = |((a, b), out): ((Matrix<'_, T>, Matrix<'_, T>), &mut [MaybeUninit<T>])| {
            one(a, b, out, parallel);
        };
        if parallel && pairs.len() > 1 {
            pairs.par_iter().copied().zip(out.par_chunks_mut(m * n)).for_each(work);
        } else {
            pairs.iter().copied().zip(out.chunks_mut(m * n)).for_each(work);
        }
    };
    // SAFETY: the matrices cover the output, and `one` writes all of each.
    #[allow(unsafe_code)]
    Ok(unsafe { collect(total, write) })
}

/// One matrix, in pieces of rows, or of the summed axis where there are few rows and columns.
/// Writes all of `out`.
fn one<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [MaybeUninit<T>], parallel: bool) {
    /// Operations of one piece.
    const PIECE: usize = 1 << 20;
    /// Pieces of the summed axis: each takes a copy of the output.
    const MOST_PIECES: usize = 16;
    /// Rows of a piece, unless that leaves fewer than eight pieces: each arranges all of `b` anew.
    const ROWS: usize = 128;
    let (m, k, n) = (a.rows, a.columns, b.columns);
    let pieces = (2 * m * k * n / PIECE).max(1);
    if pieces < 2 {
        set_product(a, b, out);
        return;
    }
    if m * n <= 1 << 14 && k >= 16 * m.max(n) {
        let length = k.div_ceil(pieces.min(MOST_PIECES));
        let starts: Vec<usize> = (0..k).step_by(length).collect();
        let part = |start: usize| {
            let length = length.min(k - start);
            let mut sum = vec![T::zero(); m * n];
            add_product(a.columns(start, length), b.rows(start, length), &mut sum);
            sum
        };
        let parts: Vec<Vec<T>> = if parallel {
            starts.into_par_iter().map(part).collect()
        } else {
            starts.into_iter().map(part).collect()
        };
        let out = zeroed(out);
        for part in parts {
            for (o, p) in out.iter_mut().zip(part) {
                *o += p;
            }
        }
        return;
    }
    let rows = m.div_ceil(pieces).max(ROWS.min(m.div_ceil(8))).next_multiple_of(16);
    let work = |(i, out): (usize, &mut [MaybeUninit<T>])| {
        set_product(a.rows(i * rows, out.len() / n), b, out);
    };
    if parallel {
        out.par_chunks_mut(rows * n).enumerate().for_each(work);
    } else {
        out.chunks_mut(rows * n).enumerate().for_each(work);
    }
}

/// `g bᵀ` and `aᵀ g`, summed over the axes that were broadcast.
fn gradients(
    a: &Tensor,
    b: &Tensor,
    g: &Tensor,
    tracked: [bool; 2],
) -> Result<Vec<Option<Tensor>>> {
    let transposed = |t: &Tensor| t.transpose(t.rank() - 2, t.rank() - 1);
    let left =
        if tracked[0] { Some(reduce_to(&matmul(g, &transposed(b)?)?, a.shape())?) } else { None };
    let right = if !tracked[1] {
        None
    } else if b.rank() == 2 && a.rank() > 2 && a.is_contiguous() {
        // The sum over the batch is part of the product.
        let rows = |t: &Tensor| t.reshape(((), t.dims()[t.rank() - 1]));
        Some(matmul(&rows(a)?.t()?, &rows(g)?)?)
    } else {
        Some(reduce_to(&matmul(&transposed(a)?, g)?, b.shape())?)
    };
    Ok(vec![left, right])
}

/// Sums over the leading axes along which a tensor of shape `shape` was broadcast.
fn reduce_to(t: &Tensor, shape: &Shape) -> Result<Tensor> {
    if t.shape() == shape {
        return Ok(t.clone());
    }
    let (dims, extra) = (shape.dims(), t.rank() - shape.rank());
    let mut sum = t.clone();
    for (axis, length) in t.dims().iter().enumerate() {
        if axis < extra || (dims[axis - extra] == 1 && *length != 1) {
            sum = sum.sum_keepdim(axis)?;
        }
    }
    Ok(sum.reshape(shape)?)
}

/// By candle's operations, for any device and dtype.
fn composed(a: &Tensor, b: &Tensor, shapes: &Shapes) -> Result<Tensor> {
    let Shapes { batch, m, k, n } = shapes;
    let fold = |t: &Tensor, rows: usize, columns: usize| {
        let dims = [batch.as_slice(), &[rows, columns]].concat();
        // Copied: candle's product is wrong for some strides.
        let count: usize = batch.iter().product();
        t.broadcast_as(dims)?.contiguous()?.reshape((count, rows, columns))
    };
    Ok(fold(a, *m, *k)?.matmul(&fold(b, *k, *n)?)?.reshape(shapes.output())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn the_path_of_other_devices_agrees() {
        let make = |dims: &[usize]| {
            let n: usize = dims.iter().product();
            let v: Vec<f64> = (0..n).map(|i| (0.3 * i as f64).sin()).collect();
            Tensor::from_vec(v, dims, &Device::Cpu).unwrap()
        };
        for (a, b) in [
            (make(&[5, 7]), make(&[7, 6])),
            (make(&[3, 5, 7]), make(&[7, 6])),
            (make(&[5, 7]), make(&[2, 3, 7, 6])),
            (make(&[3, 7, 5]).transpose(1, 2).unwrap(), make(&[2, 1, 7, 6])),
        ] {
            let shapes = Shapes::of(&a, &b).unwrap();
            let ours = matmul(&a, &b).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap();
            let theirs = composed(&a, &b, &shapes).unwrap();
            let theirs = theirs.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            assert!(ours.iter().zip(&theirs).all(|(x, y)| (x - y).abs() < 1e-14));
        }
    }
}

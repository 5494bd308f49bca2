//! Other numbers of points along the trailing axes: [`upsample_nearest`], [`upsample_linear`],
//! [`adaptive_avg_pool`].
//!
//! Each is a sparse matrix along every axis, applied axis by axis; the gradient applies the
//! transposed matrices.

use std::sync::Arc;

use candle_core::{Device, Tensor};

use crate::{
    Error, Result,
    cpu::{Float, attach, blocks, by_float, values, vectorised},
};

/// Copies the nearest point to the left: `y[i] = x[⌊i n/m⌋]` along each of the trailing axes, which
/// get the lengths `sizes`.
///
/// As PyTorch's `nearest`, in exact integer arithmetic (PyTorch rounds `n/m` to f32 first). Any
/// lengths, longer or shorter; right gradients, also where the input is used elsewhere.
///
/// # Errors
/// [`Error::Count`] when there are more sizes than axes, [`Error::InvalidArgument`] when a size is 0
/// or an axis empty.
///
/// ```
/// use candle_core::{Device, Tensor};
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1f32, 2.], &Device::Cpu)?;
/// assert_eq!(ansatz_ops::upsample_nearest(&x, [4])?.to_vec1::<f32>()?, [1., 1., 2., 2.]);
/// # Ok(())
/// # }
/// ```
pub fn upsample_nearest<const N: usize>(x: &Tensor, sizes: [usize; N]) -> Result<Tensor> {
    resample(x, sizes, |n, m| (0..m).map(|i| vec![(i * n / m, 1.0)]).collect())
}

/// Linear, bilinear, trilinear interpolation along the trailing axes, to the lengths `sizes`.
///
/// Point `i` of `m` stands at `(i + ½) n/m − ½` of the old axis, taken as 0 where negative; with
/// `align_corners` at `i (n − 1)/(m − 1)`, so that the ends keep their places. As PyTorch's
/// `linear`, `bilinear` and `trilinear` (no anti-aliasing when the axis gets shorter). Gradients are
/// tested to third order.
///
/// # Errors
/// As [`upsample_nearest`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[0f32, 4.], &Device::Cpu)?;
/// let y = ansatz_ops::upsample_linear(&x, [4], false)?;
/// assert_eq!(y.to_vec1::<f32>()?, [0., 1., 3., 4.]);
/// let y = ansatz_ops::upsample_linear(&x, [5], true)?;
/// assert_eq!(y.to_vec1::<f32>()?, [0., 1., 2., 3., 4.]);
/// # Ok(())
/// # }
/// ```
pub fn upsample_linear<const N: usize>(
    x: &Tensor,
    sizes: [usize; N],
    align_corners: bool,
) -> Result<Tensor> {
    resample(x, sizes, |n, m| {
        let place = |i: usize| match (align_corners, m) {
            (true, 1) => 0.0,
            (true, _) => i as f64 * (n - 1) as f64 / (m - 1) as f64,
            (false, _) => ((i as f64 + 0.5) * n as f64 / m as f64 - 0.5).max(0.0),
        };
        let row = |i: usize| {
            let at = place(i).min((n - 1) as f64);
            let (left, part) = (at.floor() as usize, at.fract());
            if part == 0.0 { vec![(left, 1.0)] } else { vec![(left, 1.0 - part), (left + 1, part)] }
        };
        (0..m).map(row).collect()
    })
}

/// Means over `sizes` windows that cover each of the trailing axes: window `i` of `m` is
/// `⌊i n/m⌋ .. ⌈(i + 1) n/m⌉`, as in PyTorch. Gradients are tested to third order.
///
/// # Errors
/// As [`upsample_nearest`].
pub fn adaptive_avg_pool<const N: usize>(x: &Tensor, sizes: [usize; N]) -> Result<Tensor> {
    resample(x, sizes, |n, m| {
        let window = |i: usize| i * n / m..((i + 1) * n).div_ceil(m);
        (0..m).map(|i| window(i).map(|j| (j, 1.0 / window(i).len() as f64)).collect()).collect()
    })
}

/// A sparse matrix along one axis: row `i` is `entries[starts[i]..starts[i + 1]]`.
struct Matrix {
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
    columns: usize,
}

impl Matrix {
    fn new(rows: Vec<Vec<(usize, f64)>>, columns: usize) -> Self {
        let mut starts = vec![0];
        let mut entries = Vec::new();
        for row in rows {
            entries.extend(row);
            starts.push(entries.len());
        }
        Self { starts, entries, columns }
    }

    fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    fn row(&self, i: usize) -> &[(usize, f64)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }

    fn transposed(&self) -> Self {
        let mut rows = vec![Vec::new(); self.columns];
        for i in 0..self.rows() {
            for &(j, w) in self.row(i) {
                rows[j].push((i, w));
            }
        }
        Self::new(rows, self.rows())
    }

    /// For devices without a kernel: transposed and dense, `[columns, rows]`.
    fn dense(&self, like: &Tensor) -> Result<Tensor> {
        let mut all = vec![0f64; self.columns * self.rows()];
        for i in 0..self.rows() {
            for &(j, w) in self.row(i) {
                all[j * self.rows() + i] += w;
            }
        }
        // Converted before it moves: Metal has no f64.
        let all = Tensor::from_vec(all, (self.columns, self.rows()), &Device::Cpu)?;
        Ok(all.to_dtype(like.dtype())?.to_device(like.device())?)
    }
}

/// The matrices of the trailing axes and their transposes.
#[derive(Clone)]
struct Pair(Arc<Vec<Matrix>>, Arc<Vec<Matrix>>);

fn resample<const N: usize>(
    x: &Tensor,
    sizes: [usize; N],
    rows: impl Fn(usize, usize) -> Vec<Vec<(usize, f64)>>,
) -> Result<Tensor> {
    if N > x.rank() {
        let what = "resampling: axes with a size, of at most as many as the tensor has";
        return Err(Error::Count { what, expected: x.rank(), got: N });
    }
    let mut matrices = Vec::with_capacity(N);
    for (&m, &n) in sizes.iter().zip(&x.dims()[x.rank() - N..]) {
        if m == 0 || n == 0 {
            return Err(Error::InvalidArgument {
                what: "length of an axis to resample, before and after",
                value: format!("{n}, {m}"),
                expected: "at least 1",
            });
        }
        matrices.push(Matrix::new(rows(n, m), n));
    }
    let transposed = matrices.iter().map(Matrix::transposed).collect();
    apply(x, Pair(Arc::new(matrices), Arc::new(transposed)))
}

fn apply(x: &Tensor, pair: Pair) -> Result<Tensor> {
    by_float!(x, T => {
        let xc = x.contiguous()?;
        let xv = values::<T>(&xc)?;
        let mut dims = x.dims().to_vec();
        let leading = dims.len() - pair.0.len();
        let mut out: Option<Vec<T>> = None;
        for (a, matrix) in pair.0.iter().enumerate() {
            let inner = dims[leading + a + 1..].iter().product();
            out = Some(along(out.as_deref().unwrap_or(&xv), inner, matrix));
            dims[leading + a] = matrix.rows();
        }
        let out = out.unwrap_or_else(|| xv.to_vec());
        drop(xv);
        attach("resample", &[x], out, dims, move |_, g| {
            let Pair(m, t) = pair.clone();
            Ok(vec![Some(apply(g, Pair(t, m))?)])
        })
    }, _ => composed(x, &pair.0))
}

/// By candle operations: a dense matrix along each axis.
fn composed(x: &Tensor, matrices: &[Matrix]) -> Result<Tensor> {
    let leading = x.rank() - matrices.len();
    let mut y = x.clone();
    for (a, matrix) in matrices.iter().enumerate() {
        let last = y.rank() - 1;
        let moved = y.transpose(leading + a, last)?.contiguous()?;
        let mut dims = moved.dims().to_vec();
        dims[last] = matrix.rows();
        let rows = moved.elem_count() / matrix.columns;
        let product = moved.reshape((rows, matrix.columns))?.matmul(&matrix.dense(x)?)?;
        y = product.reshape(dims)?.transpose(leading + a, last)?.contiguous()?;
    }
    Ok(y)
}

/// Applies `matrix` to the middle axis of `[outer, columns, inner]`.
fn along<T: Float>(x: &[T], inner: usize, matrix: &Matrix) -> Vec<T> {
    let entries: Vec<(usize, T)> =
        matrix.entries.iter().map(|&(j, w)| (j, T::from_f64(w))).collect();
    let outer = x.len().checked_div(matrix.columns * inner).unwrap_or(0);
    let mut out = vec![T::zero(); outer * matrix.rows() * inner];
    let slab = (matrix.rows() * inner).max(1);
    let block = (1 << 14) / slab * slab;
    blocks(&mut out, block.max(slab), 1 << 16, |start, out| {
        let first = start / slab;
        let x = &x[first * matrix.columns * inner..];
        vectorised!(rows_of, (x, &matrix.starts[..], &entries[..], inner, matrix.columns, out));
    });
    out
}

/// Whole slabs of the output.
#[inline(always)]
fn rows_of<T: Float>(
    (x, starts, entries, inner, columns, out): (
        &[T],
        &[usize],
        &[(usize, T)],
        usize,
        usize,
        &mut [T],
    ),
) {
    let rows = starts.len() - 1;
    if inner == 1 {
        for (out, x) in out.chunks_mut(rows.max(1)).zip(x.chunks(columns)) {
            for (o, ends) in out.iter_mut().zip(starts.windows(2)) {
                let row = &entries[ends[0]..ends[1]];
                *o = row.iter().fold(T::zero(), |sum, &(j, w)| sum + w * x[j]);
            }
        }
        return;
    }
    for (r, out) in out.chunks_mut(inner.max(1)).enumerate() {
        let (slab, i) = (r / rows, r % rows);
        for &(j, w) in &entries[starts[i]..starts[i + 1]] {
            let x = &x[(slab * columns + j) * inner..][..inner];
            for (o, v) in out.iter_mut().zip(x) {
                *o += w * *v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of other devices, run on the CPU, with weights that f32 does not hold exactly.
    #[test]
    fn composed_equals_the_kernel() {
        let values: Vec<f64> = (0..2 * 4 * 8).map(|i| (0.7 * i as f64).sin()).collect();
        let x = Tensor::from_vec(values, (2, 4, 8), &Device::Cpu).unwrap();
        let rows = |n: usize, m: usize| {
            (0..m).map(|i| vec![(i * n / m, 0.7), ((i + 1) % n, 0.3)]).collect::<Vec<_>>()
        };
        let matrices = vec![Matrix::new(rows(4, 3), 4), Matrix::new(rows(8, 11), 8)];
        let other = composed(&x, &matrices).unwrap();
        let ours = resample(&x, [3, 11], rows).unwrap();
        let error = (ours - other).unwrap().abs().unwrap().max_all().unwrap();
        assert!(error.to_scalar::<f64>().unwrap() < 1e-14);
    }
}

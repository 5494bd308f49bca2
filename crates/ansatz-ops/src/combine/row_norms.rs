//! Norms of each row: [`weighted_rms_rows`], [`weighted_rms_each_row`], [`finite_rows`].

use candle_core::{D, Device, Tensor};

use super::{
    norms::{BLOCK, PARALLEL_FROM, load, numbers, weighted_block},
    real::kernels::Kernels,
    rows::rows_of,
};
use crate::{
    Error, Result,
    cpu::{Float, blocks, by_float, values, vectorised},
};

/// [`weighted_rms`](crate::weighted_rms) of every row: one number for each index of the first axis,
/// over all the others.
///
/// It is what steps of a batch are judged by when each row has a step of its own.
///
/// # Errors
/// As [`weighted_rms`](crate::weighted_rms), and [`Error::InvalidArgument`] for tensors without an
/// axis.
///
/// # Example
/// ```
/// use ansatz_ops::weighted_rms_rows;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let error = Tensor::new(&[[3f64, 4.0], [0.0, 0.0]], &Device::Cpu)?;
/// let zero = error.zeros_like()?;
/// assert_eq!(weighted_rms_rows(&error, &zero, &zero, 0.0, 0.5)?, [50f64.sqrt(), 0.0]);
/// # Ok(())
/// # }
/// ```
pub fn weighted_rms_rows(
    error: &Tensor,
    a: &Tensor,
    b: &Tensor,
    rtol: f64,
    atol: f64,
) -> Result<Vec<f64>> {
    let rows = rows_of("weighted_rms_rows: number of axes", error)?;
    weighted_rms_each_row(error, a, b, &vec![rtol; rows], &vec![atol; rows])
}

/// [`weighted_rms_rows`] with tolerances of each row.
///
/// # Errors
/// As [`weighted_rms_rows`], and [`Error::Count`] unless there is one of both tolerances for each row.
pub fn weighted_rms_each_row(
    error: &Tensor,
    a: &Tensor,
    b: &Tensor,
    rtol: &[f64],
    atol: &[f64],
) -> Result<Vec<f64>> {
    let [error, a, b] = load(error, a, b)?;
    let rows = rows_of("weighted_rms_rows: number of axes", &error)?;
    for tolerances in [rtol, atol] {
        if tolerances.len() != rows {
            let what = "weighted_rms_each_row: tolerances, one for each row";
            return Err(Error::Count { what, expected: rows, got: tolerances.len() });
        }
    }
    let width = error.elem_count().checked_div(rows).unwrap_or(0);
    if width == 0 {
        return Ok(vec![0.0; rows]);
    }
    let mut sums = by_float!(error, T => {
        let (e, a, b) = (values::<T>(&error)?, values::<T>(&a)?, values::<T>(&b)?);
        squares::<T>([&e, &a, &b], rtol, atol)
    }, _ => {
        let column = |x: &[f64]| -> Result<Tensor> {
            let x = Tensor::new(x, &Device::Cpu)?.to_dtype(error.dtype())?;
            Ok(x.to_device(error.device())?.reshape((rows, 1))?)
        };
        let flat = |x: &Tensor| x.reshape((rows, width));
        let larger = flat(&a)?.abs()?.maximum(&flat(&b)?.abs()?)?;
        let scale = larger.broadcast_mul(&column(rtol)?)?.broadcast_add(&column(atol)?)?;
        numbers(&(flat(&error)? / scale)?.sqr()?.sum(D::Minus1)?)?
    });
    for sum in &mut sums {
        *sum = (*sum / width as f64).sqrt();
    }
    Ok(sums)
}

/// Whether every element of a row is finite, for every row.
///
/// # Errors
/// [`Error::InvalidArgument`] for tensors without an axis, and when candle fails.
pub fn finite_rows(x: &Tensor) -> Result<Vec<bool>> {
    let rows = rows_of("finite_rows: number of axes", x)?;
    let width = x.elem_count().checked_div(rows).unwrap_or(0);
    if width == 0 {
        return Ok(vec![true; rows]);
    }
    let x = x.detach().contiguous()?;
    by_float!(x, T => {
        let finite = |row: &[T]| T::all_finite(row);
        Ok(values::<T>(&x)?.chunks_exact(width).map(finite).collect())
    }, _ => {
        // x·0 is 0 for finite numbers and NaN for the others; a NaN survives the sum.
        let probe = x.affine(0.0, 0.0)?.reshape((rows, width))?.sum(D::Minus1)?;
        Ok(numbers(&probe)?.into_iter().map(|p| p == 0.0).collect())
    })
}

/// The sums under the roots.
fn squares<T: Float + Kernels>([e, a, b]: [&[T]; 3], rtol: &[f64], atol: &[f64]) -> Vec<f64> {
    let width = e.len() / rtol.len();
    let mut sums = vec![0.0; rtol.len()];
    blocks(&mut sums, (BLOCK / width).max(1), PARALLEL_FROM / width, |start, sums| {
        let rows = start..start + sums.len();
        let elements = rows.start * width..rows.end * width;
        let parts = [e, a, b].map(|x| &x[elements.clone()]);
        if width > BLOCK {
            // One long row.
            let [e, a, b] = parts;
            sums[0] = T::weighted_squares(e, a, b, rtol[start], atol[start]);
        } else {
            vectorised!(some_rows, (sums, parts, &rtol[rows.clone()], &atol[rows]));
        }
    });
    sums
}

#[inline(always)]
fn some_rows<T: Float>((sums, [e, a, b], rtol, atol): (&mut [f64], [&[T]; 3], &[f64], &[f64])) {
    let n = sums.len();
    let (width, rtol, atol) = (e.len() / n, &rtol[..n], &atol[..n]);
    for (i, sum) in sums.iter_mut().enumerate() {
        let row = i * width..(i + 1) * width;
        let parts = (&e[row.clone()], &a[row.clone()], &b[row], rtol[i], atol[i]);
        *sum = weighted_block(parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::without_kernels;
    use candle_core::DType;

    /// The path of other devices, run on the CPU: f64 keeps its digits.
    #[test]
    fn composed_norms_equal_the_kernels() {
        let make = |scale: f64| {
            let v: Vec<f64> = (0..1025).map(|i| scale * (0.3 * i as f64).sin()).collect();
            Tensor::from_vec(v, (5, 41, 5), &Device::Cpu).unwrap()
        };
        let (e, a, b) = (make(1e-6), make(2.0), make(-3.0));
        let (rtol, atol) = ([1e-6, 1e-7, 0.0, 1e-5, 1.0], [1e-9, 0.0, 1e-3, 1e-5, 1.0]);
        for (dtype, tolerance) in [(DType::F64, 1e-13), (DType::F32, 1e-5)] {
            let [e, a, b] = [&e, &a, &b].map(|x| x.to_dtype(dtype).unwrap());
            let ours = weighted_rms_each_row(&e, &a, &b, &rtol, &atol).unwrap();
            let composed =
                without_kernels(|| weighted_rms_each_row(&e, &a, &b, &rtol, &atol)).unwrap();
            for row in 0..5 {
                let [e, a, b] = [&e, &a, &b].map(|x| x.get(row).unwrap());
                let alone = crate::weighted_rms(&e, &a, &b, rtol[row], atol[row]).unwrap();
                assert_eq!(ours[row], alone);
                assert!((composed[row] / alone - 1.0).abs() < tolerance);
            }
        }
    }
}

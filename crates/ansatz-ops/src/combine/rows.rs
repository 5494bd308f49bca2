//! Rows that differ: [`combine_rows`] scales each by a number of its own, [`pick_rows`] takes them
//! from several tensors.

use std::{mem::MaybeUninit, ops::Range};

use candle_core::{Device, Tensor};

use super::check_like;
use crate::{
    Error, Result,
    cpu::{Float, blocks, by_float, collect, values, vectorised},
};

/// Elements that are worked on together: they and the scales of their rows stay in the first cache.
const TILE: usize = 1024;

/// Bytes read and written from which threads pay for themselves.
const PARALLEL_BYTES: usize = 1 << 20;

/// Terms of one pass.
const MOST: usize = 7;

/// `baseᵢ + Σⱼ (sᵢ cⱼ) xⱼᵢ` for every row `i` (index of the first axis), detached from the graph;
/// without `base`, the sum alone. `scales` holds a number `sᵢ` for each row.
///
/// It is a stage of a step whose length differs from row to row. All tensors have one shape, dtype and
/// device. On the CPU, f32 and f64 tensors are combined in one pass without temporaries; elsewhere a
/// composition of candle operations. Both give the same bits, those of
/// [`linear_combination`](crate::linear_combination) for each row with the coefficients `sᵢ cⱼ`.
///
/// # Errors
/// When shapes, dtypes or devices differ, there are no axes, there is nothing to add, the number of
/// scales is not that of the rows, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::combine_rows;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let y = Tensor::new(&[[1f64, 2.0], [3.0, 4.0]], &Device::Cpu)?;
/// let slope = Tensor::new(&[[1f64, 0.0], [1.0, 10.0]], &Device::Cpu)?;
/// // An Euler step of length 0.5 in the first row and 2 in the second.
/// let next = combine_rows(Some(&y), &[0.5, 2.0], &[(1.0, &slope)])?;
/// assert_eq!(next.to_vec2::<f64>()?, [[1.5, 2.0], [5.0, 24.0]]);
/// # Ok(())
/// # }
/// ```
pub fn combine_rows(
    base: Option<&Tensor>,
    scales: &[f64],
    terms: &[(f64, &Tensor)],
) -> Result<Tensor> {
    let all = || base.into_iter().chain(terms.iter().map(|(_, x)| *x));
    let Some(first) = all().next() else {
        return Err(Error::Count { what: "combine_rows: base and terms", expected: 1, got: 0 });
    };
    for x in all() {
        check_like("combine_rows term", first, x)?;
    }
    let rows = rows_of("combine_rows: number of axes", first)?;
    if scales.len() != rows {
        let what = "combine_rows: scales, one for each row";
        return Err(Error::Count { what, expected: rows, got: scales.len() });
    }
    let compact = |x: &Tensor| x.detach().contiguous();
    let base = base.map(compact).transpose()?;
    let xs = terms.iter().map(|(_, x)| compact(x)).collect::<candle_core::Result<Vec<_>>>()?;
    let width = first.elem_count().checked_div(rows).unwrap_or(0);
    by_float!(first, T => {
        let base = base.as_ref().map(values::<T>).transpose()?;
        let guards = xs.iter().map(values::<T>).collect::<Result<Vec<_>>>()?;
        let terms: Vec<(f64, &[T])> =
            terms.iter().zip(&guards).map(|((c, _), x)| (*c, &**x)).collect();
        let fill = |out: &mut [MaybeUninit<T>]| {
            combine(out, base.as_deref(), scales, &terms, width);
        };
        // SAFETY: the kernel writes every element of its output.
        #[allow(unsafe_code)]
        let out = unsafe { collect(first.elem_count(), fill) };
        Ok(Tensor::from_vec(out, first.shape(), &Device::Cpu)?)
    }, _ => {
        let factors: Vec<f64> =
            terms.iter().flat_map(|(c, _)| scales.iter().map(move |s| s * c)).collect();
        let mut shape = vec![1; first.rank() + 1];
        (shape[0], shape[1]) = (terms.len(), rows);
        // Converted before it moves: not every device has f64.
        let factors = Tensor::from_vec(factors, shape, &Device::Cpu)?
            .to_dtype(first.dtype())?
            .to_device(first.device())?;
        let mut sum = match base {
            Some(base) if terms.is_empty() => return Ok(base.force_contiguous()?),
            Some(base) => base,
            None => first.zeros_like()?.detach(),
        };
        for (j, x) in xs.iter().enumerate() {
            sum = (sum + x.broadcast_mul(&factors.get(j)?)?)?;
        }
        Ok(sum)
    })
}

/// A tensor of rows from several others, detached from the graph: row `i` is row `picks[i].1` of
/// `from[picks[i].0]`.
///
/// The tensors have one dtype and device, and one shape but for their first axis.
///
/// # Errors
/// When they differ, there is none of them, one has no axes, a row is not there, or candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::pick_rows;
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let before = Tensor::new(&[[1f32, 1.0], [2.0, 2.0], [3.0, 3.0]], &Device::Cpu)?;
/// let after = (&before * 10.0)?;
/// // The first row was rejected, the second is dropped, the third goes on.
/// let next = pick_rows(&[&before, &after], &[(0, 0), (1, 2)])?;
/// assert_eq!(next.to_vec2::<f32>()?, [[1.0, 1.0], [30.0, 30.0]]);
/// # Ok(())
/// # }
/// ```
pub fn pick_rows(from: &[&Tensor], picks: &[(usize, usize)]) -> Result<Tensor> {
    let Some(first) = from.first() else {
        let what = "pick_rows: tensors";
        return Err(Error::Count { what, expected: 1, got: 0 });
    };
    let mut counts = Vec::with_capacity(from.len());
    for x in from {
        counts.push(rows_of("pick_rows: number of axes", x)?);
        check_like("pick_rows: rows", &first.narrow(0, 0, 0)?, &x.narrow(0, 0, 0)?)?;
    }
    for (tensor, index) in picks {
        if counts.get(*tensor).is_none_or(|count| index >= count) {
            return Err(Error::InvalidArgument {
                what: "pick_rows: tensor and row",
                value: format!("({tensor}, {index})"),
                expected: "a tensor of those given, and one of its rows",
            });
        }
    }
    let mut shape = first.dims().to_vec();
    shape[0] = picks.len();
    let width: usize = shape[1..].iter().product();
    let compact = |x: &&Tensor| x.detach().contiguous();
    let xs = from.iter().map(compact).collect::<candle_core::Result<Vec<_>>>()?;
    by_float!(first, T => {
        let guards = xs.iter().map(values::<T>).collect::<Result<Vec<_>>>()?;
        let slices: Vec<&[T]> = guards.iter().map(|x| &**x).collect();
        let fill = |out: &mut [MaybeUninit<T>]| copy(out, &slices, picks, width);
        // SAFETY: every row of the output is written.
        #[allow(unsafe_code)]
        let out = unsafe { collect(picks.len() * width, fill) };
        Ok(Tensor::from_vec(out, shape, &Device::Cpu)?)
    }, _ => {
        let starts: Vec<usize> = counts
            .iter()
            .scan(0, |end, count| Some(std::mem::replace(end, *end + count)))
            .collect();
        let index: Vec<u32> = picks.iter().map(|(x, i)| (starts[*x] + i) as u32).collect();
        let index = Tensor::from_vec(index, picks.len(), first.device())?;
        let all = if xs.len() == 1 { xs[0].clone() } else { Tensor::cat(&xs, 0)? };
        if picks.is_empty() || width == 0 {
            return Ok(Tensor::zeros(shape, first.dtype(), first.device())?);
        }
        Ok(all.index_select(&index, 0)?)
    })
}

/// The length of the first axis.
pub(super) fn rows_of(what: &'static str, x: &Tensor) -> Result<usize> {
    let missing =
        || Error::InvalidArgument { what, value: "0".to_owned(), expected: "at least 1: the rows" };
    x.dims().first().copied().ok_or_else(missing)
}

fn combine<T: Float>(
    out: &mut [MaybeUninit<T>],
    base: Option<&[T]>,
    scales: &[f64],
    terms: &[(f64, &[T])],
    width: usize,
) {
    let streams = terms.len() + 1 + usize::from(base.is_some());
    let parallel_from = PARALLEL_BYTES / (size_of::<T>() * streams);
    blocks(out, 16 * TILE, parallel_from, |start, out| {
        let mut own = [0.0; TILE];
        for (k, out) in out.chunks_mut(TILE).enumerate() {
            let range = start + k * TILE..start + k * TILE + out.len();
            let own = &mut own[..out.len()];
            spread(own, scales, width, range.start);
            match base {
                Some(base) => _ = out.write_copy_of_slice(&base[range.clone()]),
                None => out.fill(MaybeUninit::new(T::zero())),
            }
            for terms in terms.chunks(MOST) {
                add(out, own, terms, &range);
            }
        }
    });
}

/// The scale of the row of each element, from element `start` on.
fn spread(own: &mut [f64], scales: &[f64], width: usize, start: usize) {
    let (mut row, mut filled) = (start / width, 0);
    let mut left = width - start % width;
    while filled < own.len() {
        let end = own.len().min(filled + left);
        own[filled..end].fill(scales[row]);
        (row, left, filled) = (row + 1, width, end);
    }
}

/// Adds some terms to numbers that are there.
fn add<T: Float>(
    out: &mut [MaybeUninit<T>],
    scales: &[f64],
    terms: &[(f64, &[T])],
    range: &Range<usize>,
) {
    macro_rules! fixed {
        ($($k:literal)*) => {
            match terms.len() {
                $($k => {
                    let factors: [f64; $k] = std::array::from_fn(|j| terms[j].0);
                    let terms: [&[T]; $k] = std::array::from_fn(|j| &terms[j].1[range.clone()]);
                    vectorised!(add_fixed::<T, $k>, (out, scales, factors, terms));
                })*
                _ => {}
            }
        };
    }
    fixed!(1 2 3 4 5 6 7);
}

/// Without fused multiply-add, so that the bits do not depend on the machine.
#[inline(always)]
fn add_fixed<T: Float, const K: usize>(
    (out, scales, factors, terms): (&mut [MaybeUninit<T>], &[f64], [f64; K], [&[T]; K]),
) {
    let n = out.len();
    let (scales, terms) = (&scales[..n], terms.map(|x| &x[..n]));
    for i in 0..n {
        // SAFETY: the base was written to every element.
        #[allow(unsafe_code)]
        let mut sum = unsafe { out[i].assume_init() };
        for j in 0..K {
            sum += T::nearest(scales[i] * factors[j]) * terms[j][i];
        }
        out[i].write(sum);
    }
}

/// Copies rows, those that lie side by side together.
fn copy<T: Float>(
    out: &mut [MaybeUninit<T>],
    from: &[&[T]],
    picks: &[(usize, usize)],
    width: usize,
) {
    let mut i = 0;
    while i < picks.len() {
        let (source, first) = picks[i];
        let follows = |(n, pick): (usize, &(usize, usize))| *pick == (source, first + n);
        let run = picks[i..].iter().enumerate().take_while(|p| follows(*p)).count();
        let rows = &from[source][first * width..(first + run) * width];
        _ = out[i * width..(i + run) * width].write_copy_of_slice(rows);
        i += run;
    }
}

//! One level of a filter bank and its transpose, on candle's graph: [`down`] and [`up`].

use std::sync::Arc;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::{Boundary, Filters, Wavelet, analysis, frame::Frame, synthesis};
use crate::{
    Error, Result,
    cpu::{attach, by_float, values},
    pointwise::Real,
    scan::lanes::Out,
};

/// The longest filters there are.
pub(super) const MAX_TAPS: usize = 20;

/// A frame and the two filters that move over it, in the order in which they meet the positions.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bank {
    pub(super) frame: Frame,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

impl Bank {
    /// The bank that takes a signal of length `n ≥ 1` apart.
    pub(super) fn analysis(n: usize, wavelet: Wavelet, boundary: Boundary) -> Result<Arc<Self>> {
        let Filters { mut dec_lo, mut dec_hi, .. } = wavelet.filters()?;
        let frame = Frame::of_analysis(n, dec_lo.len(), boundary);
        // A convolution meets the signal backwards.
        dec_lo.reverse();
        dec_hi.reverse();
        Ok(Arc::new(Self { frame, low: dec_lo, high: dec_hi }))
    }

    /// The bank whose transpose puts it together.
    pub(super) fn synthesis(n: usize, wavelet: Wavelet, boundary: Boundary) -> Result<Arc<Self>> {
        let Filters { rec_lo, rec_hi, .. } = wavelet.filters()?;
        let frame = Frame::of_synthesis(n, rec_lo.len(), boundary);
        Ok(Arc::new(Self { frame, low: rec_lo, high: rec_hi }))
    }

    /// The filters in the type of a kernel.
    pub(super) fn taps<T: Real>(&self) -> [Vec<T>; 2] {
        [&self.low, &self.high].map(|h| h.iter().map(|x| T::c(*x)).collect())
    }
}

/// Elements from which tasks are spread over threads.
const PARALLEL_FROM: usize = 1 << 15;

/// Calls `work` for every task, on threads when there are many elements.
pub(super) fn spread(tasks: usize, elements: usize, work: impl Fn(usize) + Sync + Send) {
    if elements < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        (0..tasks).for_each(work);
    } else {
        let together = (tasks * (PARALLEL_FROM / 4) / elements).max(1);
        (0..tasks).into_par_iter().with_min_len(together).for_each(work);
    }
}

/// `[outer, n, inner]` of dimensions around `dim`.
fn around(dims: &[usize], dim: usize) -> (usize, usize) {
    (dims[..dim].iter().product(), dims[dim + 1..].iter().product())
}

fn with_length(dims: &[usize], dim: usize, n: usize) -> Vec<usize> {
    let mut dims = dims.to_vec();
    dims[dim] = n;
    dims
}

/// Both bands of `x` (f32 or f64): the filters at every second position of the window.
pub(super) fn down(x: &Tensor, dim: usize, bank: &Arc<Bank>) -> Result<(Tensor, Tensor)> {
    let data = x.contiguous()?;
    by_float!(x, T => {
        let data = values::<T>(&data)?;
        let (outer, inner) = around(x.dims(), dim);
        let n = outer * bank.frame.m * inner;
        let mut high = Vec::new();
        // SAFETY: the kernel writes every element of both.
        #[allow(unsafe_code)]
        let low = unsafe {
            Out::<T>::collect(n, |low| {
                high = Out::<T>::collect(n, |high| {
                    analysis::run(&data, bank, (outer, inner), [low, high]);
                });
            })
        };
        let dims = with_length(x.dims(), dim, bank.frame.m);
        // A node for each band: one that the loss does not use costs nothing.
        let again = bank.clone();
        let low = attach("wavelet analysis", &[x], low, dims.clone(), move |_, g| {
            Ok(vec![Some(up([Some(g), None], dim, &again)?)])
        })?;
        let again = bank.clone();
        let high = attach("wavelet analysis", &[x], high, dims, move |_, g| {
            Ok(vec![Some(up([None, Some(g)], dim, &again)?)])
        })?;
        Ok((low, high))
    }, _ => composed_down(x, dim, bank))
}

/// The transpose of [`down`], of the bands that are given.
pub(super) fn up(bands: [Option<&Tensor>; 2], dim: usize, bank: &Arc<Bank>) -> Result<Tensor> {
    let Some(like) = bands[0].or(bands[1]) else {
        return Err(Error::Count { what: "wavelet synthesis: bands", expected: 1, got: 0 });
    };
    let (outer, inner) = around(like.dims(), dim);
    let contiguous = |band: Option<&Tensor>| band.map(Tensor::contiguous).transpose();
    let data = [contiguous(bands[0])?, contiguous(bands[1])?];
    by_float!(like, T => {
        let low = data[0].as_ref().map(values::<T>).transpose()?;
        let high = data[1].as_ref().map(values::<T>).transpose()?;
        let slices = [low.as_deref(), high.as_deref()];
        // SAFETY: the kernel writes every element.
        #[allow(unsafe_code)]
        let out = unsafe {
            Out::<T>::collect(outer * bank.frame.n * inner, |out| {
                synthesis::run(slices, bank, (outer, inner), out);
            })
        };
        let again = bank.clone();
        let given = bands.map(|band| band.is_some());
        let inputs: Vec<&Tensor> = bands.into_iter().flatten().collect();
        let dims = with_length(like.dims(), dim, bank.frame.n);
        attach("wavelet synthesis", &inputs, out, dims, move |_, g| {
            let (low, high) = down(g, dim, &again)?;
            let both = [(given[0], low), (given[1], high)];
            Ok(both.into_iter().filter(|(given, _)| *given).map(|(_, g)| Some(g)).collect())
        })
    }, _ => composed_up(bands, like, dim, bank))
}

/// The window as indices into the signal, and 1 or 0 for positions with and without a value.
fn gathered(frame: &Frame, like: &Tensor, dim: usize) -> Result<(Tensor, Tensor)> {
    let sources: Vec<Option<usize>> = (0..frame.window()).map(|i| frame.source(i)).collect();
    let ids: Vec<u32> = sources.iter().map(|s| s.unwrap_or(0) as u32).collect();
    let mask: Vec<f32> = sources.iter().map(|s| if s.is_some() { 1.0 } else { 0.0 }).collect();
    let mut shape = vec![1; like.rank()];
    shape[dim] = ids.len();
    let mask = Tensor::from_vec(mask, shape, &Device::Cpu)?.to_dtype(like.dtype())?;
    Ok((Tensor::new(ids, like.device())?, mask.to_device(like.device())?))
}

/// [`down`] by candle operations.
fn composed_down(x: &Tensor, dim: usize, bank: &Bank) -> Result<(Tensor, Tensor)> {
    let frame = &bank.frame;
    let (ids, mask) = gathered(frame, x, dim)?;
    let window = x.contiguous()?.index_select(&ids, dim)?.broadcast_mul(&mask)?;
    let mut dims = x.dims().to_vec();
    dims.splice(dim..=dim, [frame.window() / 2, 2]);
    let pairs = window.reshape(dims)?;
    let band = |taps: &[f64]| -> Result<Tensor> {
        let mut sum: Option<Tensor> = None;
        for (j, w) in taps.iter().enumerate() {
            let phase = pairs.narrow(dim + 1, j % 2, 1)?.squeeze(dim + 1)?;
            let term = phase.narrow(dim, j / 2, frame.m)?.affine(*w, 0.0)?;
            sum = Some(match sum {
                Some(sum) => (sum + term)?,
                None => term,
            });
        }
        sum.ok_or(Error::Count { what: "taps of a filter", expected: 2, got: 0 })
    };
    Ok((band(&bank.low)?, band(&bank.high)?))
}

/// [`up`] by candle operations.
fn composed_up(
    bands: [Option<&Tensor>; 2],
    like: &Tensor,
    dim: usize,
    bank: &Bank,
) -> Result<Tensor> {
    let frame = &bank.frame;
    let half = frame.taps / 2;
    let mut phases: [Option<Tensor>; 2] = [None, None];
    for (band, taps) in bands.iter().zip([&bank.low, &bank.high]) {
        let Some(band) = band else { continue };
        let padded = band.pad_with_zeros(dim, half - 1, half - 1)?;
        for (j, w) in taps.iter().enumerate() {
            let shifted = padded.narrow(dim, half - 1 - j / 2, frame.m + half - 1)?;
            let term = shifted.affine(*w, 0.0)?;
            phases[j % 2] = Some(match phases[j % 2].take() {
                Some(sum) => (sum + term)?,
                None => term,
            });
        }
    }
    let phases: Vec<Tensor> = phases.into_iter().flatten().collect();
    let dims = with_length(like.dims(), dim, frame.window());
    let window = Tensor::stack(&phases, dim + 1)?.reshape(dims)?;
    let (ids, mask) = gathered(frame, like, dim)?;
    let dims = with_length(like.dims(), dim, frame.n);
    let zeros = Tensor::zeros(dims, like.dtype(), like.device())?;
    Ok(zeros.index_add(&ids, &window.broadcast_mul(&mask)?.contiguous()?, dim)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradCheck, gradcheck};

    fn wave(dims: &[usize]) -> Tensor {
        let n = dims.iter().product::<usize>();
        let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
        Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
    }

    fn difference(a: &Tensor, b: &Tensor) -> f64 {
        assert_eq!(a.dims(), b.dims());
        (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
    }

    fn banks(n: usize) -> Vec<Arc<Bank>> {
        let wavelets = [Wavelet::Haar, Wavelet::Daubechies(3), Wavelet::Biorthogonal(3, 5)];
        let boundaries = [Boundary::Symmetric, Boundary::Zero, Boundary::Periodic];
        let pairs = wavelets.iter().flat_map(|w| boundaries.map(|b| (*w, b)));
        pairs
            .flat_map(|(w, b)| {
                [Bank::analysis(n, w, b).unwrap(), Bank::synthesis(n, w, b).unwrap()]
            })
            .collect()
    }

    #[test]
    fn kernels_equal_compositions() {
        for (dims, dim) in [([2, 1, 33], 1), ([1, 7, 41], 1), ([2, 3, 30], 2), ([1, 1, 1101], 2)] {
            for bank in banks(dims[dim]) {
                let x = wave(&dims);
                let (low, high) = down(&x, dim, &bank).unwrap();
                let (low_c, high_c) = composed_down(&x, dim, &bank).unwrap();
                assert!(difference(&low, &low_c).max(difference(&high, &high_c)) < 1e-14);
                for bands in [[Some(&low), Some(&high)], [None, Some(&high)], [Some(&low), None]] {
                    let y = up(bands, dim, &bank).unwrap();
                    let y_c = composed_up(bands, &low, dim, &bank).unwrap();
                    assert!(difference(&y, &y_c) < 1e-13, "{bank:?}");
                }
            }
        }
    }

    #[test]
    fn compositions_have_right_gradients() {
        for bank in banks(7) {
            let f = |v: &[Tensor]| {
                let (low, high) = composed_down(&v[0], 1, &bank)?;
                let low = low.sqr()?;
                composed_up([Some(&low), Some(&high)], &low, 1, &bank)
            };
            gradcheck(f, &[wave(&[2, 7])], &GradCheck::default()).unwrap();
        }
    }
}

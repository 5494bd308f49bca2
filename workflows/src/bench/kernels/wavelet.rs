//! K4.dwt: a filter bank over several levels, forward and backward, f32, zeros beyond the ends.
//!
//! `K4.dwt.1d` is `[64, 4096]`, Daubechies 4, five levels; `K4.dwt.2d` `[16, 256, 256]`,
//! Daubechies 2, three levels. Backward from the sum of all coefficients. candle runs the same bank
//! as convolutions of stride two.
use ansatz::ops::wavelet::{Boundary, Wavelet, dwt, dwt2};
use candle_core::{Device, Tensor, Var};

use crate::AnyError;
use crate::bench::{Measured, Rules, Variant, Work, inputs, timed};

/// The 2-norms of the coefficients and of the gradient of their sum in f64, from PyWavelets 1.8 and
/// its transpose.
type Reference = [f64; 2];
const SIGNAL: Reference = [362.03871778552406, 512.0000000000007];
const IMAGE: Reference = [724.0779477144368, 1023.9999999999943];

const SIGNAL_LEVELS: usize = 5;
const IMAGE_LEVELS: usize = 3;

pub(super) fn variants() -> Vec<Variant> {
    let v = |workload, library, run| Variant { workload, library, method: "", run };
    vec![
        v("K4.dwt.1d", "ansatz", |r| measure(r, &[64, 4096], SIGNAL, signal)),
        v("K4.dwt.1d", "candle", |r| measure(r, &[64, 1, 4096], SIGNAL, signal_convolved)),
        v("K4.dwt.2d", "ansatz", |r| measure(r, &[16, 256, 256], IMAGE, image)),
        v("K4.dwt.2d", "candle", |r| measure(r, &[16, 1, 256, 256], IMAGE, image_convolved)),
    ]
}

fn measure(
    rules: &Rules,
    dims: &[usize],
    expected: Reference,
    bands: fn(&Tensor) -> Result<Vec<Tensor>, AnyError>,
) -> Result<Measured, AnyError> {
    let (n, rows) = (dims[dims.len() - 1], dims.iter().product::<usize>());
    let x: Vec<f32> = inputs(rows / n, n).into_iter().map(|x| x as f32).collect();
    let x = Var::from_tensor(&Tensor::from_vec(x, dims, &Device::Cpu)?)?;
    let ((all, gradient), timing) = timed(rules, || {
        let flat: Vec<Tensor> =
            bands(&x)?.iter().map(Tensor::flatten_all).collect::<Result<_, _>>()?;
        let all = Tensor::cat(&flat, 0)?;
        // candle starts from ones in the shape of the root.
        let gradient = all.backward()?.remove(&x).ok_or("the input received no gradient")?;
        Ok((all, gradient))
    })?;
    let norm = |x: &Tensor| -> Result<f64, AnyError> {
        let x = x.to_dtype(candle_core::DType::F64)?;
        Ok(x.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt())
    };
    let (value, norm) = (norm(&all)?, norm(&gradient)?);
    Ok(Measured::new(timing, Work::Steps(1), (value / expected[0] - 1.0).abs())
        .with("norm", value)
        .with("grad_norm", norm)
        .with("grad_norm_error", (norm / expected[1] - 1.0).abs()))
}

fn signal(x: &Tensor) -> Result<Vec<Tensor>, AnyError> {
    let bands = dwt(x, 1, Wavelet::Daubechies(4), Boundary::Zero, SIGNAL_LEVELS)?;
    let mut all = bands.details;
    all.push(bands.approximation);
    Ok(all)
}

fn image(x: &Tensor) -> Result<Vec<Tensor>, AnyError> {
    let bands = dwt2(x, (1, 2), Wavelet::Daubechies(2), Boundary::Zero, IMAGE_LEVELS)?;
    let mut all = vec![bands.approximation];
    for detail in bands.details {
        all.extend([detail.horizontal, detail.vertical, detail.diagonal]);
    }
    Ok(all)
}

/// Low and high pass, backwards, as convolutions take them.
fn kernels(wavelet: Wavelet) -> Result<[Vec<f32>; 2], AnyError> {
    let filters = wavelet.filters()?;
    Ok([filters.dec_lo, filters.dec_hi].map(|h| h.into_iter().rev().map(|x| x as f32).collect()))
}

fn signal_convolved(x: &Tensor) -> Result<Vec<Tensor>, AnyError> {
    let [low, high] = kernels(Wavelet::Daubechies(4))?;
    let taps = low.len();
    let kernel = Tensor::from_vec([low, high].concat(), (2, 1, taps), &Device::Cpu)?;
    let (mut x, mut all) = (x.clone(), Vec::new());
    for _ in 0..SIGNAL_LEVELS {
        let both = x.pad_with_zeros(2, taps - 2, taps - 1)?.conv1d(&kernel, 0, 2, 1, 1)?;
        all.push(both.narrow(1, 1, 1)?);
        x = both.narrow(1, 0, 1)?;
    }
    all.push(x);
    Ok(all)
}

fn image_convolved(x: &Tensor) -> Result<Vec<Tensor>, AnyError> {
    let filters = kernels(Wavelet::Daubechies(2))?;
    let taps = filters[0].len();
    let mut kernel = Vec::new();
    for rows in &filters {
        for columns in &filters {
            kernel.extend(rows.iter().flat_map(|r| columns.iter().map(move |c| r * c)));
        }
    }
    let kernel = Tensor::from_vec(kernel, (4, 1, taps, taps), &Device::Cpu)?;
    let (mut x, mut all) = (x.clone(), Vec::new());
    for _ in 0..IMAGE_LEVELS {
        let padded = x.pad_with_zeros(2, taps - 2, taps - 1)?;
        let padded = padded.pad_with_zeros(3, taps - 2, taps - 1)?;
        let bands = padded.conv2d(&kernel, 0, 2, 1, 1)?;
        all.push(bands.narrow(1, 1, 3)?);
        x = bands.narrow(1, 0, 1)?;
    }
    all.push(x);
    Ok(all)
}

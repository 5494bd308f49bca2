//! Fourier, cosine, sine and wavelet transforms, and what is made of them.
use ansatz::ops::fft::{
    Complex, Norm, Type, dct, dst, fft, ifft, irfft, rfft, spectral_derivative,
};
use ansatz::ops::spectral_conv;
use ansatz::ops::wavelet::{Boundary, Wavelet, dwt, dwt2, idwt, idwt2, soft_threshold};
use candle_core::Tensor;

use crate::AnyError;
use crate::device::Check;

pub(super) fn checks() -> Vec<Check> {
    [fourier(), wavelets()].concat()
}

fn fourier() -> Vec<Check> {
    const PAIR: &[&[usize]] = &[&[3, 12, 15], &[3, 12, 15]];
    const LINES: &[&[usize]] = &[&[5, 33]];
    vec![
        Check::new("fft, two axes", PAIR, |x| {
            both(&fft(&Complex::new(x[0].clone(), x[1].clone())?, (1, 2), Norm::Ortho)?)
        }),
        Check::new("ifft, first axis", PAIR, |x| {
            both(&ifft(&Complex::new(x[0].clone(), x[1].clone())?, 0, Norm::Forward)?)
        }),
        Check::new("rfft", LINES, |x| both(&rfft(&x[0], 1, Norm::Ortho)?)),
        Check::new("rfft, prime length", &[&[3, 127]], |x| both(&rfft(&x[0], 1, Norm::Ortho)?)),
        Check::new("irfft, two axes", &[&[2, 8, 6], &[2, 8, 6]], |x| {
            Ok(irfft(&Complex::new(x[0].clone(), x[1].clone())?, 10, (1, 2), Norm::Ortho)?)
        }),
        Check::new("dct I", LINES, |x| Ok(dct(&x[0], 1, Type::One, Norm::Ortho)?)),
        Check::new("dct II", LINES, |x| Ok(dct(&x[0], 1, Type::Two, Norm::Ortho)?)),
        Check::new("dct III, first axis", LINES, |x| Ok(dct(&x[0], 0, Type::Three, Norm::Ortho)?)),
        Check::new("dst I", LINES, |x| Ok(dst(&x[0], 1, Type::One, Norm::Ortho)?)),
        Check::new("dst IV", LINES, |x| Ok(dst(&x[0], 1, Type::Four, Norm::Ortho)?)),
        Check::new("spectral_derivative", LINES, |x| {
            Ok(spectral_derivative(&x[0], 1, 1, std::f64::consts::TAU)?)
        }),
        Check::new("spectral_conv 1-D", &[&[2, 3, 32], &[3, 4, 5], &[3, 4, 5]], |x| {
            Ok(spectral_conv(&x[0], &Complex::new(x[1].clone(), x[2].clone())?, &[32])?)
        }),
        Check::new("spectral_conv 2-D", &[&[2, 3, 12, 10], &[3, 4, 5, 3], &[3, 4, 5, 3]], |x| {
            Ok(spectral_conv(&x[0], &Complex::new(x[1].clone(), x[2].clone())?, &[12, 10])?)
        }),
        Check::new("spectral_conv, finer grid", &[&[1, 2, 9], &[2, 2, 4], &[2, 2, 4]], |x| {
            Ok(spectral_conv(&x[0], &Complex::new(x[1].clone(), x[2].clone())?, &[21])?)
        }),
    ]
}

fn wavelets() -> Vec<Check> {
    const LINES: &[&[usize]] = &[&[5, 61]];
    vec![
        Check::new("dwt, Haar, periodic", LINES, |x| {
            bands(&x[0], Wavelet::Haar, Boundary::Periodic)
        }),
        Check::new("dwt, Daubechies 4, symmetric", LINES, |x| {
            bands(&x[0], Wavelet::Daubechies(4), Boundary::Symmetric)
        }),
        Check::new("dwt, biorthogonal, zero", LINES, |x| {
            bands(&x[0], Wavelet::Biorthogonal(2, 2), Boundary::Zero)
        }),
        Check::new("idwt after soft threshold", LINES, |x| {
            let all = dwt(&x[0], 1, Wavelet::Symlet(4), Boundary::Symmetric, 2)?;
            Ok(idwt(&all.map_details(|d| soft_threshold(d, 0.4))?)?)
        }),
        Check::new("dwt2", &[&[2, 13, 18]], |x| {
            let all = dwt2(&x[0], (1, 2), Wavelet::Daubechies(2), Boundary::Symmetric, 2)?;
            let mut flat = vec![all.approximation.flatten_all()?];
            for d in &all.details {
                for band in [&d.horizontal, &d.vertical, &d.diagonal] {
                    flat.push(band.flatten_all()?);
                }
            }
            Ok(Tensor::cat(&flat, 0)?)
        }),
        Check::new("idwt2 after scaling", &[&[2, 13, 18]], |x| {
            let all = dwt2(&x[0], (1, 2), Wavelet::Haar, Boundary::Periodic, 2)?;
            Ok(idwt2(&all.map_details(|d| Ok((d * 0.5)?))?)?)
        }),
    ]
}

/// Real parts, then imaginary parts.
fn both(z: &Complex) -> Result<Tensor, AnyError> {
    Ok(Tensor::cat(&[&z.re, &z.im], 0)?)
}

/// All bands of two levels.
fn bands(x: &Tensor, wavelet: Wavelet, boundary: Boundary) -> Result<Tensor, AnyError> {
    let all = dwt(x, 1, wavelet, boundary, 2)?;
    let mut parts = vec![all.approximation];
    parts.extend(all.details);
    Ok(Tensor::cat(&parts, 1)?)
}

//! Discrete wavelet transforms with gradients, in one and two dimensions.
//!
//! [`dwt`] splits a signal into an approximation of half its length and the detail that is lost, and
//! goes on with the approximation; [`idwt`] puts it together again, to rounding. [`dwt2`] and
//! [`idwt2`] do the same with images. [`Wavelet`] names the filters, [`Boundary`] what is assumed
//! beyond the ends. Coefficients, their order and their lengths are those of PyWavelets (G. R. Lee et
//! al. 2019), so that programs can be compared number by number.
//!
//! All transforms are linear; the gradient of one is the transposed filter bank, exact and tested
//! to third order. On the CPU, f32 and f64 run in vector kernels, on threads, with the same bits for any
//! number of threads; f16 and bf16 are computed in f32. Other devices run a composition of candle
//! operations.
//!
//! ```
//! use ansatz_ops::wavelet::{Boundary, Wavelet, dwt, idwt, soft_threshold};
//! use candle_core::{Device, Tensor};
//!
//! # fn main() -> ansatz_ops::Result<()> {
//! let signal: Vec<f64> = (0..100).map(|i| (0.1 * i as f64).sin()).collect();
//! let signal = Tensor::new(signal, &Device::Cpu)?;
//! let bands = dwt(&signal, 0, Wavelet::Daubechies(4), Boundary::Symmetric, 3)?;
//! assert_eq!(bands.details.len(), 3); // the coarsest first
//!
//! let error = (idwt(&bands)? - &signal)?.abs()?.max_all()?.to_scalar::<f64>()?;
//! assert!(error < 1e-13);
//!
//! // Denoising: small details are noise.
//! let smooth = idwt(&bands.map_details(|d| soft_threshold(d, 0.01))?)?;
//! assert_eq!(smooth.dims(), signal.dims());
//! # Ok(())
//! # }
//! ```

mod analysis;
mod bank;
mod family;
mod frame;
mod plane;
mod synthesis;
mod tables;
mod threshold;
mod transform;

pub use family::{Filters, Wavelet, max_level};
pub use frame::Boundary;
pub use plane::{Coefficients2, Details2, dwt2, idwt2};
pub use threshold::{hard_threshold, soft_threshold};
pub use transform::{Coefficients, dwt, idwt};

//! Compare every operation on a device with the CPU in f64, and time both.
//!
//! A [`Check`] is one function of tensors. The suite evaluates it, and the gradient of a generic
//! contraction of its output, on the CPU in f64 and on the device in each dtype that the device
//! has, from the same numbers. On the CPU itself, the kernels are compared, and the compositions of
//! candle operations that stand for them on other devices. To add a check, write one line into a file of `device/suite/`:
//!
//! ```
//! use ansatz_workflows::device::{Check, Way};
//! use ansatz::ops::softmax;
//! use candle_core::{DType, Device};
//!
//! let check = Check::new("softmax", &[&[4, 7]], |x| Ok(softmax(&x[0], 1)?));
//! let [value, gradient] = check.run(&Device::Cpu, DType::F32, Way::Usual)?.try_into().unwrap();
//! assert!(value.agrees() && gradient.agrees());
//! # Ok::<(), ansatz_workflows::AnyError>(())
//! ```
mod check;
mod compare;
mod date;
mod host;
mod report;
mod suite;
pub(crate) mod workloads;

pub use check::{Check, tolerance};
pub use date::utc;
pub use host::{DeviceInfo, HostInfo, build_manifest};
pub use report::{CheckLine, Part, Report, TimingLine, Verdict, Way};
pub use suite::checks;
pub use workloads::{Size, Step, Workload, workloads};

use ansatz::core::supports_dtype;
use candle_core::{DType, Device};

/// The dtypes to check on a device: f32, and f64 where the device computes with it.
pub fn dtypes(device: &Device) -> Vec<DType> {
    let all = [DType::F32, DType::F64];
    all.into_iter().filter(|dtype| supports_dtype(device, *dtype).is_ok()).collect()
}

//! What the CPU kernels are built from.
//!
//! A kernel is a plain function over slices, marked `#[inline(always)]` and written so that the
//! compiler turns its loop into vector instructions; [`dispatch`] runs it compiled for the best
//! instruction set of this machine. [`blocks`] spreads it over threads in pieces whose limits
//! depend on the data alone, so that the result has the same bits for any number of threads.
//! [`attach`] puts what it computed on candle's graph, with its gradient.

mod attach;
mod float;
mod parallel;
mod simd;

pub(crate) use attach::attach;
pub(crate) use float::{Float, by_float, values};
pub(crate) use parallel::{blocks, collect};
#[allow(unused_imports, reason = "dispatch is for short kernels")]
pub(crate) use simd::{Kernel, dispatch, run};

#[cfg(test)]
mod tests;

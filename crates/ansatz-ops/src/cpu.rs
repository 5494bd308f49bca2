//! What the CPU kernels are built from.
//!
//! A kernel is a plain function over slices, marked `#[inline(always)]` and written so that the
//! compiler turns its loop into vector instructions; [`vectorised!`] runs it compiled for the best
//! instruction set of this machine. [`blocks`] spreads it over threads in pieces whose limits
//! depend on the data alone, so that the result has the same bits for any number of threads.
//! [`attach`] puts what it computed on candle's graph, with its gradient.

mod attach;
mod choice;
mod float;
mod parallel;
mod simd;

pub(crate) use attach::attach;
#[cfg(feature = "cuda")]
pub(crate) use choice::compositions_only;
pub(crate) use choice::kernels_take;
pub use choice::without_kernels;
pub(crate) use float::{Float, by_float, values};
pub(crate) use parallel::{blocks, collect, room};
pub(crate) use simd::{Inlined, Kernel, Moved, run, vectorised};

#[cfg(test)]
mod tests;

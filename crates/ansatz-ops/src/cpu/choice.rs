//! Kernel or composition: [`without_kernels`].

use std::cell::Cell;

use candle_core::Tensor;

thread_local! {
    static COMPOSED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` with every operation of this crate that it calls composed of candle's operations, as
/// on a GPU, instead of computed by a kernel of the CPU.
///
/// For tests: what a GPU will do can be compared with the kernels where there is none. It holds on
/// this thread until `work` returns or panics; call `backward` inside of it too.
///
/// ```
/// use ansatz_ops::{softmax, without_kernels};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[0.3f64, -1.0, 2.0], &Device::Cpu)?;
/// let (kernel, composed) = (softmax(&x, 0)?, without_kernels(|| softmax(&x, 0))?);
/// let apart = (kernel - composed)?.abs()?.max_all()?.to_scalar::<f64>()?;
/// assert!(apart < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn without_kernels<R>(work: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            COMPOSED.set(self.0);
        }
    }
    let _restore = Restore(COMPOSED.replace(true));
    work()
}

/// Whether this thread is inside of [`without_kernels`].
pub(crate) fn compositions_only() -> bool {
    COMPOSED.get()
}

/// Whether the kernels may take a tensor of a dtype that they have.
pub(crate) fn kernels_take(x: &Tensor) -> bool {
    x.device().is_cpu() && !compositions_only()
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn it_holds_until_the_work_returns_or_panics() {
        let x = Tensor::new(0f64, &Device::Cpu).unwrap();
        assert!(kernels_take(&x));
        without_kernels(|| {
            without_kernels(|| assert!(!kernels_take(&x)));
            assert!(!kernels_take(&x));
            std::thread::scope(|s| assert!(s.spawn(|| kernels_take(&x)).join().unwrap()));
        });
        assert!(kernels_take(&x));
        let panics = std::panic::catch_unwind(|| without_kernels(|| panic!("work")));
        assert!(panics.is_err() && kernels_take(&x));
    }
}

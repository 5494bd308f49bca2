//! Kernels compiled for several instruction sets, chosen when they run: [`dispatch`].

use pulp::{Arch, NullaryFnOnce};

/// A function and its argument, to be called once.
struct Call<A, F>(F, A);

impl<A, R, F: FnOnce(A) -> R> NullaryFnOnce for Call<A, F> {
    type Output = R;

    #[inline(always)]
    fn call(self) -> R {
        (self.0)(self.1)
    }
}

/// `kernel(arguments)`, compiled for AVX-512, AVX2 with FMA, NEON or the baseline, whichever is the
/// best this machine has.
///
/// `kernel` must be an `#[inline(always)]` function (not a closure), and so must be what it calls in
/// its loops: code that is not inlined is compiled for the baseline only.
#[inline]
pub(crate) fn dispatch<A, R>(kernel: impl FnOnce(A) -> R, arguments: A) -> R {
    Arch::new().dispatch(Call(kernel, arguments))
}

//! Kernels compiled for several instruction sets, chosen when they run: [`dispatch`], [`run`].

use pulp::Arch;
pub(crate) use pulp::NullaryFnOnce as Kernel;

/// A function and its argument, to be called once.
struct Call<A, F>(F, A);

impl<A, R, F: FnOnce(A) -> R> Kernel for Call<A, F> {
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
///
/// For kernels of a few instructions: a function item is called through a shim of the compiler that
/// it inlines only while the kernel is short. A long one (some twenty operations and a division)
/// ends up compiled for the baseline, where each `mul_add` is a call of a function; make it a
/// [`Kernel`] and use [`run`].
#[inline]
pub(crate) fn dispatch<A, R>(kernel: impl FnOnce(A) -> R, arguments: A) -> R {
    Arch::new().dispatch(Call(kernel, arguments))
}

/// `kernel.call()`, compiled like [`dispatch`] for the best instruction set. Mark `call`
/// `#[inline(always)]`; then it is inlined whatever its length.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    Arch::new().dispatch(kernel)
}

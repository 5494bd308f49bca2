//! Kernels compiled for several instruction sets, chosen when they run: [`vectorised!`], [`run`].

use pulp::Arch;
pub(crate) use pulp::NullaryFnOnce as Kernel;

/// `kernel.call()`, compiled for AVX-512, AVX2 with FMA, NEON or the baseline, whichever is the best
/// this machine has.
///
/// Mark `call` `#[inline(always)]`, and what it calls in its loops: code that is not inlined is
/// compiled for the baseline only, where each `mul_add` is a call of a function.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> K::Output {
    Arch::new().dispatch(kernel)
}

/// A closure that is inlined into the code for the instruction set, whatever its length.
pub(crate) struct Inlined<C>(pub(crate) C);

impl<R, C: FnOnce() -> R> Kernel for Inlined<C> {
    type Output = R;

    #[inline(always)]
    fn call(self) -> R {
        (self.0)()
    }
}

/// Arguments that are not `Copy`: a closure that moves them out can be called but once, and then
/// there is no shim between the call and its body.
pub(crate) struct Moved<T>(pub(crate) T);

impl<T> Moved<T> {
    #[inline(always)]
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

/// `$kernel($arguments)`, compiled like [`run`] for the best instruction set. `$kernel` names an
/// `#[inline(always)]` function (not a value that holds one: that is called through a shim of the
/// compiler, which long functions are not inlined into). The arguments are one expression.
macro_rules! vectorised {
    ($kernel:expr, $arguments:expr) => {{
        let arguments = $crate::cpu::Moved($arguments);
        $crate::cpu::run($crate::cpu::Inlined(
            #[inline(always)]
            move || $kernel(arguments.into_inner()),
        ))
    }};
}
pub(crate) use vectorised;

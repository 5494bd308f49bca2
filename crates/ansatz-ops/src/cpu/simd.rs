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

/// `$kernel($arguments)`, compiled like [`run`] for the best instruction set. `$kernel` names an
/// `#[inline(always)]` function (not a value that holds one: that is called through a shim of the
/// compiler, which long functions are not inlined into). The arguments are one expression, with at
/// least one part that is not `Copy` (an output never is).
macro_rules! vectorised {
    ($kernel:expr, $arguments:expr) => {{
        let arguments = $arguments;
        // Moves its arguments out, so that there is no shim between this and its body.
        $crate::cpu::run($crate::cpu::Inlined(
            #[inline(always)]
            move || $kernel(arguments),
        ))
    }};
}
pub(crate) use vectorised;

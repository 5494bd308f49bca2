//! The transforms axis by axis, each a pass over all lines at once along the last axis: the shape
//! in which a library for GPUs takes them.
//!
//! Complex numbers lie as pairs in one last axis of length 2.

use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, D, DType, Layout, Shape, Tensor, WithDType,
    backend::BackendStorage,
};
use rustfft::FftDirection;

use super::{
    Complex,
    dense::matrix,
    plan::FftFloat,
    transform::{self, Weighting},
};
use crate::Result;

/// A pass over lines; none of them scales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// `[…, n, 2]` to the same.
    Complex(FftDirection),
    /// `[…, n]` to its first modes `[…, n / 2 + 1, 2]`.
    Half,
    /// `[…, n / 2 + 1, 2]` to the `n` points, given here, that have these modes. Imaginary parts
    /// that no real line has must be 0.
    Whole(usize),
}

/// The shapes of a pass over a tensor.
pub(super) struct Shapes {
    /// Points of a line.
    pub(super) n: usize,
    pub(super) lines: usize,
    /// Of the result.
    pub(super) output: Vec<usize>,
}

impl Pass {
    pub(super) fn shapes(self, dims: &[usize]) -> candle_core::Result<Shapes> {
        let of = |n: usize, outer: &[usize], line: &[usize]| Shapes {
            n,
            lines: outer.iter().product(),
            output: [outer, line].concat(),
        };
        Ok(match (self, dims) {
            (Self::Complex(_), [outer @ .., n, 2]) => of(*n, outer, &[*n, 2]),
            (Self::Half, [outer @ .., n]) => of(*n, outer, &[n / 2 + 1, 2]),
            (Self::Whole(n), [outer @ .., modes, 2]) if *modes == n / 2 + 1 => of(n, outer, &[n]),
            _ => candle_core::bail!("no lines for the pass {self:?} in a tensor {dims:?}"),
        })
    }

    fn over(self, lines: &Tensor) -> Result<Tensor> {
        Ok(lines.contiguous()?.apply_op1(self)?)
    }
}

impl CustomOp1 for Pass {
    fn name(&self) -> &'static str {
        "fft-pass"
    }

    fn cpu_fwd(
        &self,
        storage: &CpuStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        match storage.dtype() {
            DType::F32 => on_cpu::<f32>(*self, storage, layout),
            DType::F64 => on_cpu::<f64>(*self, storage, layout),
            other => candle_core::bail!("a pass of a transform takes f32 and f64, not {other:?}"),
        }
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        storage: &CudaStorage,
        layout: &Layout,
    ) -> candle_core::Result<(CudaStorage, Shape)> {
        super::cufft::run(*self, storage, layout)
    }

    #[cfg(not(feature = "cuda"))]
    fn cuda_fwd(&self, _: &CudaStorage, _: &Layout) -> candle_core::Result<(CudaStorage, Shape)> {
        Err(candle_core::Error::NotCompiledWithCudaSupport)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, g: &Tensor) -> candle_core::Result<Option<Tensor>> {
        let adjoint = || match *self {
            Self::Complex(direction) => Self::Complex(direction.opposite_direction()).over(g),
            Self::Half => {
                let n = x.dim(D::Minus1)?;
                Self::Whole(n).over(&weighted(g, n, 0.5)?)
            }
            Self::Whole(n) => weighted(&Self::Half.over(g)?, n, 2.0),
        };
        Ok(Some(adjoint()?))
    }
}

/// Whether the passes take a tensor: on CUDA, in f32 and f64, of lines that are worth a plan.
#[cfg(feature = "cuda")]
pub(super) fn take(x: &Tensor, axes: &[usize]) -> bool {
    let known = matches!(x.dtype(), DType::F32 | DType::F64);
    let lines = x.elem_count() > 0 && axes.iter().all(|&axis| x.dims()[axis] > 1);
    x.device().is_cuda() && known && lines && !crate::cpu::compositions_only()
}

/// The pass by the kernels of the CPU.
fn on_cpu<T: FftFloat + WithDType>(
    pass: Pass,
    storage: &CpuStorage,
    layout: &Layout,
) -> candle_core::Result<(CpuStorage, Shape)> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        candle_core::bail!("a pass of a transform takes contiguous lines");
    };
    let from = &storage.as_slice::<T>()?[start..end];
    let Shapes { n, lines, output } = pass.shapes(layout.dims())?;
    let parts =
        || -> [Vec<T>; 2] { [0, 1].map(|i| from.iter().skip(i).step_by(2).copied().collect()) };
    let paired = |planes: &[T]| -> Vec<T> {
        let (re, im) = planes.split_at(planes.len() / 2);
        re.iter().zip(im).flat_map(|(re, im)| [*re, *im]).collect()
    };
    let (dims, axes) = ([lines, n], [1]);
    let to = match pass {
        Pass::Complex(direction) => {
            let [re, im] = parts();
            paired(&transform::complex((&re, &im), &dims, &axes, direction, 1.0))
        }
        Pass::Half => paired(&transform::forward(from, &dims, &axes, 1.0, Weighting::Plain)),
        Pass::Whole(_) => {
            let [re, im] = parts();
            transform::inverse((&re, &im), &dims, &axes, 1.0, Weighting::Plain)
        }
    };
    Ok((T::to_cpu_storage_owned(to), output.into()))
}

/// Modes `[…, n / 2 + 1, 2]`, those that stand for two times `weight`; the imaginary parts of the
/// others become 0.
fn weighted(modes: &Tensor, n: usize, weight: f64) -> Result<Tensor> {
    let entry = |k: usize, part: usize| match (k == 0 || 2 * k == n, part) {
        (true, 0) => 1.0,
        (true, _) => 0.0,
        (false, _) => weight,
    };
    let weights = matrix((n / 2 + 1, 2), modes.dtype(), modes.device(), entry)?;
    Ok(modes.broadcast_mul(&weights)?)
}

/// Complex passes of `packed` `[…, 2]` along `axes`.
fn complex_passes(mut packed: Tensor, axes: &[usize], direction: FftDirection) -> Result<Tensor> {
    let last = packed.rank() - 2;
    for &axis in axes {
        let lines = packed.transpose(axis, last)?;
        packed = Pass::Complex(direction).over(&lines)?.transpose(axis, last)?;
    }
    Ok(packed)
}

fn unpacked(packed: &Tensor, scale: f64) -> Result<Complex> {
    let part = |i: usize| -> Result<Tensor> {
        Ok(packed.narrow(D::Minus1, i, 1)?.squeeze(D::Minus1)?.contiguous()?.affine(scale, 0.0)?)
    };
    Ok(Complex { re: part(0)?, im: part(1)? })
}

/// As [`dense::complex`](super::dense::complex), in f32 and f64.
pub(super) fn complex(
    z: &Complex,
    axes: &[usize],
    direction: FftDirection,
    scale: f64,
) -> Result<Complex> {
    let packed = Tensor::stack(&[&z.re, &z.im], z.re.rank())?;
    unpacked(&complex_passes(packed, axes, direction)?, scale)
}

/// As [`dense::forward`](super::dense::forward), in f32 and f64.
pub(super) fn forward(
    x: &Tensor,
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Result<Complex> {
    let Some((&axis, others)) = axes.split_last() else { return Complex::from_real(x) };
    let (n, last) = (x.dim(axis)?, x.rank() - 1);
    let mut modes = Pass::Half.over(&x.transpose(axis, last)?)?;
    if weighting == Weighting::Adjoint {
        modes = weighted(&modes, n, 2.0)?;
    }
    let modes = modes.transpose(axis, last)?;
    unpacked(&complex_passes(modes, others, FftDirection::Forward)?, scale)
}

/// As [`dense::inverse`](super::dense::inverse), in f32 and f64.
pub(super) fn inverse(
    z: &Complex,
    n: usize,
    axes: &[usize],
    scale: f64,
    weighting: Weighting,
) -> Result<Tensor> {
    let Some((&axis, others)) = axes.split_last() else { return Ok(z.re.clone()) };
    let last = z.re.rank() - 1;
    let packed = Tensor::stack(&[&z.re, &z.im], z.re.rank())?;
    let modes = complex_passes(packed, others, FftDirection::Inverse)?.transpose(axis, last)?;
    let weight = if weighting == Weighting::Adjoint { 0.5 } else { 1.0 };
    let x = Pass::Whole(n).over(&weighted(&modes, n, weight)?)?;
    Ok(x.transpose(axis, last)?.contiguous()?.affine(scale, 0.0)?)
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;
    use crate::fft::{
        dense,
        tests::{distance, ramp},
    };

    const SHAPES: [(&[usize], &[usize]); 6] = [
        (&[7], &[0]),
        (&[3, 8], &[1]),
        (&[8, 3], &[0]),
        (&[2, 5, 6], &[2, 1]),
        (&[4, 3, 5], &[0, 2]),
        (&[3, 4, 5, 2], &[2, 1, 3]),
    ];

    /// Σ w f for fixed weights w, and its gradient.
    fn pulled(x: &Var, f: impl Fn(&Tensor) -> Tensor) -> Tensor {
        let y = f(x.as_tensor());
        let loss = (&y * ramp(y.dims(), 0.4)).unwrap().sum_all().unwrap();
        loss.backward().unwrap().get(x).unwrap().clone()
    }

    #[test]
    fn passes_equal_the_dense_matrices_with_their_gradients() {
        let packed = |z: Complex| Tensor::stack(&[z.re, z.im], 0).unwrap();
        for (dims, axes) in SHAPES {
            let z = Complex::new(ramp(dims, 0.1), ramp(dims, 2.3)).unwrap();
            let x = Var::from_tensor(&packed(z)).unwrap();
            let both = |dense: &dyn Fn(&Tensor) -> Tensor, passes: &dyn Fn(&Tensor) -> Tensor| {
                assert!(distance(&dense(&x), &passes(&x)) < 1e-12, "{dims:?} {axes:?}");
                let (dense, passes) = (pulled(&x, dense), pulled(&x, passes));
                assert!(distance(&dense, &passes) < 1e-12, "gradient, {dims:?} {axes:?}");
            };
            let of = |x: &Tensor| Complex::unpack(x).unwrap();
            for direction in [FftDirection::Forward, FftDirection::Inverse] {
                both(&|x| packed(dense::complex(&of(x), axes, direction, 0.5).unwrap()), &|x| {
                    packed(complex(&of(x), axes, direction, 0.5).unwrap())
                });
            }
            let axis = *axes.last().unwrap();
            let n = dims[axis];
            for weighting in [Weighting::Plain, Weighting::Adjoint] {
                both(&|x| packed(dense::forward(&of(x).re, axes, 0.5, weighting).unwrap()), &|x| {
                    packed(forward(&of(x).re, axes, 0.5, weighting).unwrap())
                });
                // Imaginary parts that no real tensor has are in `half`, too.
                let half = |x: &Tensor| of(x).map(|x| x.narrow(axis, 0, n / 2 + 1)).unwrap();
                both(&|x| dense::inverse(&half(x), n, axes, 0.5, weighting).unwrap(), &|x| {
                    inverse(&half(x), n, axes, 0.5, weighting).unwrap()
                });
            }
        }
    }

    /// The kernels of the CPU ignore these parts; a library for GPUs need not.
    #[test]
    fn imaginary_parts_that_no_line_has_are_removed() {
        for (n, want) in [(4, [1.0, 0.0, 0.5, 0.5, 1.0, 0.0]), (5, [1.0, 0.0, 0.5, 0.5, 0.5, 0.5])]
        {
            let ones = ramp(&[3, 2], 0.0).ones_like().unwrap();
            let got = weighted(&ones, n, 0.5).unwrap().flatten_all().unwrap();
            assert_eq!(got.to_vec1::<f64>().unwrap(), want);
        }
    }

    #[test]
    fn a_pass_refuses_what_has_no_lines() {
        let x = ramp(&[4, 3], 0.0);
        for pass in [Pass::Complex(FftDirection::Forward), Pass::Whole(4)] {
            let message = pass.over(&x).unwrap_err().to_string();
            assert!(message.contains("[4, 3]"), "{message}");
        }
        let modes = ramp(&[4, 2], 0.0);
        assert!(Pass::Whole(7).over(&modes).is_ok() && Pass::Whole(8).over(&modes).is_err());
    }
}

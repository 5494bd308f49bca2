//! What a convolution does along each axis, and what shapes follow: [`Conv`], [`Geometry`].

use candle_core::{Shape, Tensor};

use crate::{Error, Padding, Result, pad::PadAxis};

/// How a convolution over `N` axes (1, 2 or 3) is laid out.
///
/// ```
/// use ansatz_ops::{Conv, Padding};
///
/// // 3×3 kernels on a channel: periodic along it, walls across.
/// let mut conv = Conv::<2>::default().padded(1, Padding::Circular);
/// conv.mode[1] = Padding::Zeros;
/// assert_eq!(conv.padding, [(1, 1); 2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv<const N: usize> {
    /// Distance of the places the kernel is put at.
    pub stride: [usize; N],
    /// Distance of the points a kernel takes.
    pub dilation: [usize; N],
    /// Points put before and after each axis.
    pub padding: [(usize, usize); N],
    /// What these points are.
    pub mode: [Padding; N],
    /// Groups of channels that do not see each other; as many as channels: depthwise.
    pub groups: usize,
}

impl<const N: usize> Default for Conv<N> {
    /// Stride and dilation 1, no padding, one group.
    fn default() -> Self {
        Self {
            stride: [1; N],
            dilation: [1; N],
            padding: [(0, 0); N],
            mode: [Padding::Zeros; N],
            groups: 1,
        }
    }
}

impl<const N: usize> Conv<N> {
    /// The same stride along all axes.
    #[must_use]
    pub fn with_stride(self, stride: usize) -> Self {
        Self { stride: [stride; N], ..self }
    }

    /// The same dilation along all axes.
    #[must_use]
    pub fn with_dilation(self, dilation: usize) -> Self {
        Self { dilation: [dilation; N], ..self }
    }

    /// `amount` points on each side of all axes.
    #[must_use]
    pub fn padded(self, amount: usize, mode: Padding) -> Self {
        Self { padding: [(amount, amount); N], mode: [mode; N], ..self }
    }

    /// That many groups.
    #[must_use]
    pub fn with_groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// That the numbers of axes, strides, dilations and groups make sense.
    fn check(&self) -> Result<()> {
        if !(1..=3).contains(&N) {
            return Err(invalid("spatial axes of a convolution", N, "1, 2 or 3"));
        }
        for a in 0..N {
            for (what, value) in
                [("stride of conv", self.stride[a]), ("dilation of conv", self.dilation[a])]
            {
                if value == 0 {
                    return Err(invalid(what, value, "at least 1"));
                }
            }
        }
        if self.groups == 0 {
            return Err(invalid("groups of conv", 0, "at least 1"));
        }
        Ok(())
    }
}

fn invalid(what: &'static str, value: usize, expected: &'static str) -> Error {
    Error::InvalidArgument { what, value: value.to_string(), expected }
}

/// One axis of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    pub(super) pad: PadAxis,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    /// Places the kernel is put at.
    pub(super) out: usize,
}

impl Axis {
    /// An axis that is not there.
    const UNIT: Self = Self {
        pad: PadAxis { n: 1, before: 0, after: 0, mode: Padding::Zeros },
        kernel: 1,
        stride: 1,
        dilation: 1,
        out: 1,
    };

    fn span(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }
}

/// All three shapes of a convolution from `x` `[batch, inputs, n…]` by the kernel
/// `[outputs, inputs/groups, k…]` to `y` `[batch, outputs, out…]`; fewer than three axes are
/// filled up with axes of length 1 at the front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) axes: [Axis; 3],
    pub(super) groups: usize,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// Axes that are there.
    pub(super) rank: usize,
}

impl Geometry {
    /// Of the convolution of `x` with `kernel`.
    pub(super) fn forward<const N: usize>(
        x: &Tensor,
        kernel: &Tensor,
        conv: &Conv<N>,
    ) -> Result<Self> {
        conv.check()?;
        check_rank("input of conv: [batch, channels, spatial axes…]", x, N)?;
        check_rank("kernel of conv: [out, in/groups, spatial axes…]", kernel, N)?;
        let (inputs, outputs, groups) = (x.dims()[1], kernel.dims()[0], conv.groups);
        check_groups(outputs, groups)?;
        let mut expected = kernel.dims().to_vec();
        expected[1] = inputs / groups;
        if kernel.dims()[1] * groups != inputs {
            let what = "kernel of conv: second axis, input channels / groups";
            return Err(Error::Shape {
                what,
                expected: expected.into(),
                got: kernel.shape().clone(),
            });
        }
        let mut axes = [Axis::UNIT; 3];
        for a in 0..N {
            let mut axis = Self::axis(kernel.dims()[a + 2], conv, a)?;
            axis.pad.n = x.dims()[a + 2];
            axis.pad.mode.check(axis.pad.n, axis.pad.before, axis.pad.after)?;
            let padded = axis.pad.padded();
            if padded < axis.span() {
                let mut expected = x.dims().to_vec();
                expected[a + 2] = axis.span() - axis.pad.before - axis.pad.after;
                let what = "input of conv: at least as long as the kernel, after padding";
                return Err(Error::Shape {
                    what,
                    expected: expected.into(),
                    got: x.shape().clone(),
                });
            }
            axis.out = (padded - axis.span()) / axis.stride + 1;
            axes[3 - N + a] = axis;
        }
        Ok(Self { axes, groups, inputs, outputs, rank: N })
    }

    /// Of the convolution whose transpose takes `y` to a tensor that is `extra` points longer than
    /// the shortest one possible.
    pub(super) fn transposed<const N: usize>(
        y: &Tensor,
        kernel: &Tensor,
        conv: &Conv<N>,
        extra: [usize; N],
    ) -> Result<Self> {
        conv.check()?;
        check_rank("input of conv_transpose: [batch, channels, spatial axes…]", y, N)?;
        check_rank("kernel of conv_transpose: [in, out/groups, spatial axes…]", kernel, N)?;
        let (outputs, groups) = (y.dims()[1], conv.groups);
        if kernel.dims()[0] != outputs {
            let mut expected = kernel.dims().to_vec();
            expected[0] = outputs;
            let what = "kernel of conv_transpose: first axis, input channels";
            return Err(Error::Shape {
                what,
                expected: expected.into(),
                got: kernel.shape().clone(),
            });
        }
        check_groups(outputs, groups)?;
        let mut axes = [Axis::UNIT; 3];
        for a in 0..N {
            let mut axis = Self::axis(kernel.dims()[a + 2], conv, a)?;
            axis.out = y.dims()[a + 2];
            if extra[a] >= axis.stride {
                let expected = "less than the stride";
                return Err(invalid("output padding of conv_transpose", extra[a], expected));
            }
            if axis.out == 0 {
                return Err(invalid("axis of the input of conv_transpose", 0, "at least 1 point"));
            }
            let padded = (axis.out - 1) * axis.stride + axis.span() + extra[a];
            let around = axis.pad.before + axis.pad.after;
            axis.pad.n = padded.checked_sub(around).ok_or_else(|| {
                let expected = "at most the length of the result without padding";
                invalid("padding of conv_transpose, both sides", around, expected)
            })?;
            axis.pad.mode.check(axis.pad.n, axis.pad.before, axis.pad.after)?;
            axes[3 - N + a] = axis;
        }
        let inputs = kernel.dims()[1] * groups;
        Ok(Self { axes, groups, inputs, outputs, rank: N })
    }

    /// What the options say about one axis.
    fn axis<const N: usize>(kernel: usize, conv: &Conv<N>, a: usize) -> Result<Axis> {
        if kernel == 0 {
            return Err(invalid("length of a kernel", 0, "at least 1"));
        }
        let (before, after) = conv.padding[a];
        let pad = PadAxis { n: 0, before, after, mode: conv.mode[a] };
        let (stride, dilation) = (conv.stride[a], conv.dilation[a]);
        Ok(Axis { pad, kernel, stride, dilation, out: 0 })
    }

    /// The same on an input that was padded before.
    pub(super) fn unpadded(mut self) -> Self {
        for axis in &mut self.axes {
            let n = axis.pad.padded();
            axis.pad = PadAxis { n, before: 0, after: 0, mode: Padding::Zeros };
        }
        self
    }

    /// Whether only zeros are put around the input.
    pub(super) fn pads_zeros(&self) -> bool {
        let zero = |a: &Axis| a.pad.mode == Padding::Zeros || a.pad.before + a.pad.after == 0;
        self.axes.iter().all(zero)
    }

    fn shape(&self, leading: [usize; 2], length: impl Fn(&Axis) -> usize) -> Shape {
        let spatial = self.axes[3 - self.rank..].iter().map(length);
        leading.into_iter().chain(spatial).collect::<Vec<_>>().into()
    }

    /// Of the input.
    pub(super) fn x_shape(&self, batch: usize) -> Shape {
        self.shape([batch, self.inputs], |a| a.pad.n)
    }

    /// Of the output.
    pub(super) fn y_shape(&self, batch: usize) -> Shape {
        self.shape([batch, self.outputs], |a| a.out)
    }

    /// Of the kernel.
    pub(super) fn kernel_shape(&self) -> Shape {
        self.shape([self.outputs, self.inputs / self.groups], |a| a.kernel)
    }

    /// Points of a kernel.
    pub(super) fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.kernel).product()
    }

    /// Input channels a kernel sees.
    pub(super) fn inputs_per_group(&self) -> usize {
        self.inputs / self.groups
    }

    /// Output channels of a group.
    pub(super) fn outputs_per_group(&self) -> usize {
        self.outputs / self.groups
    }
}

fn check_rank(what: &'static str, x: &Tensor, n: usize) -> Result<()> {
    if x.rank() == n + 2 {
        return Ok(());
    }
    Err(Error::Count { what, expected: n + 2, got: x.rank() })
}

fn check_groups(outputs: usize, groups: usize) -> Result<()> {
    if outputs.is_multiple_of(groups) {
        return Ok(());
    }
    Err(invalid("groups of conv", groups, "a divisor of the channels on both sides"))
}

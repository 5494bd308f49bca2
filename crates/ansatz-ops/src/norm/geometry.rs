//! How a normalisation sees its input: [`Geometry`].

use candle_core::Tensor;

use crate::{Error, Result};

/// Rows of `channels · inner` numbers, each normalised by itself. Row r holds the channels
/// `(r % groups)·channels ..`, each as `inner` numbers side by side.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    pub(super) rows: usize,
    pub(super) groups: usize,
    pub(super) channels: usize,
    pub(super) inner: usize,
    pub(super) rule: Rule,
}

/// What is done to a row, apart from weight and bias.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// Whether the mean is taken off.
    pub(super) centred: bool,
    pub(super) eps: f64,
}

impl Geometry {
    pub(super) fn width(&self) -> usize {
        self.channels * self.inner
    }

    /// All channels of one example: the length of weight and bias.
    pub(super) fn all_channels(&self) -> usize {
        self.groups * self.channels
    }
}

impl Rule {
    pub(super) fn new(what: &'static str, centred: bool, eps: f64) -> Result<Self> {
        if eps.is_nan() || eps < 0.0 {
            let expected = "a number ≥ 0, usually 1e-5";
            return Err(Error::InvalidArgument { what, value: eps.to_string(), expected });
        }
        Ok(Self { centred, eps })
    }
}

/// Errors unless `parameter` is `[length]` with the dtype and device of `x`.
pub(super) fn check_parameter(
    what: &'static str,
    parameter: Option<&Tensor>,
    x: &Tensor,
    length: usize,
) -> Result<()> {
    let Some(p) = parameter else { return Ok(()) };
    if p.dims() != [length] {
        return Err(Error::Shape { what, expected: length.into(), got: p.shape().clone() });
    }
    if p.dtype() != x.dtype() {
        return Err(Error::DType { what, expected: x.dtype(), got: p.dtype() });
    }
    if !p.device().same_device(x.device()) {
        let (expected, got) = (x.device().location(), p.device().location());
        return Err(Error::Device { what, expected, got });
    }
    Ok(())
}

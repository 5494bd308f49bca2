//! Padding with boundary conditions: [`pad`].

use candle_core::{Shape, Tensor};

use crate::{
    Error, Result,
    cpu::{Float, attach, blocks, by_float, values},
};

/// What lies outside of an axis: the discrete form of a boundary condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Padding {
    /// Zero: homogeneous Dirichlet, one grid spacing beyond the last point.
    #[default]
    Zeros,
    /// The other end: periodic.
    Circular,
    /// The mirror image about the last point, which is not repeated: homogeneous Neumann at that
    /// point.
    Reflect,
    /// The last point again: homogeneous Neumann half a spacing beyond it.
    Replicate,
}

impl Padding {
    /// The point of `0..n` that stands at `i`; none where zero does. Amounts must be checked.
    pub(crate) fn source(self, i: isize, n: usize) -> Option<usize> {
        if let Ok(inside) = usize::try_from(i)
            && inside < n
        {
            return Some(inside);
        }
        let last = n as isize - 1;
        match self {
            _ if n == 0 => None,
            Self::Zeros => None,
            Self::Circular => Some(i.rem_euclid(n as isize) as usize),
            Self::Reflect => Some((if i < 0 { -i } else { 2 * last - i }).clamp(0, last) as usize),
            Self::Replicate => Some(i.clamp(0, last) as usize),
        }
    }

    /// Errors when an axis of `n` points has too few for this padding.
    pub(crate) fn check(self, n: usize, before: usize, after: usize) -> Result<()> {
        let (limit, expected) = match self {
            Self::Zeros => return Ok(()),
            Self::Circular => (n, "at most the length of the axis for circular padding"),
            Self::Reflect => {
                (n.saturating_sub(1), "less than the length of the axis for reflecting padding")
            }
            Self::Replicate if n > 0 => return Ok(()),
            Self::Replicate => (0, "0 on an empty axis, which has no point to replicate"),
        };
        let amount = before.max(after);
        if amount <= limit {
            return Ok(());
        }
        let value = format!("{amount} on an axis of {n}");
        Err(Error::InvalidArgument { what: "padding", value, expected })
    }
}

/// One axis and what is put around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PadAxis {
    pub(crate) n: usize,
    pub(crate) before: usize,
    pub(crate) after: usize,
    pub(crate) mode: Padding,
}

impl PadAxis {
    pub(crate) fn padded(&self) -> usize {
        self.before + self.n + self.after
    }

    /// The point that stands at `q` of the padded axis.
    fn source(&self, q: usize) -> Option<usize> {
        self.mode.source(q as isize - self.before as isize, self.n)
    }

    /// Places of the padded axis that are not the axis itself.
    fn edges(&self) -> impl Iterator<Item = usize> {
        (0..self.before).chain(self.before + self.n..self.padded())
    }
}

/// Pads the trailing axes of `x`, as many as `amounts` has entries `(before, after)`.
///
/// `[…, n]` becomes `[…, before + n + after]`. The gradient is the adjoint: what stands outside is
/// added to the points it came from. It is itself differentiable; third order is tested.
///
/// # Errors
/// [`Error::InvalidArgument`] when circular padding is longer than its axis, reflecting padding not
/// shorter, or an empty axis is to be replicated; [`Error::Count`] when `x` has too few axes.
///
/// # Example
/// ```
/// use ansatz_ops::{Padding, pad};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[1f32, 2., 3.], &Device::Cpu)?;
/// let around = |mode| pad(&x, &[(2, 1)], mode)?.to_vec1::<f32>().map_err(ansatz_ops::Error::from);
/// assert_eq!(around(Padding::Zeros)?, [0., 0., 1., 2., 3., 0.]);
/// assert_eq!(around(Padding::Circular)?, [2., 3., 1., 2., 3., 1.]);
/// assert_eq!(around(Padding::Reflect)?, [3., 2., 1., 2., 3., 2.]);
/// assert_eq!(around(Padding::Replicate)?, [1., 1., 1., 2., 3., 3.]);
/// # Ok(())
/// # }
/// ```
pub fn pad(x: &Tensor, amounts: &[(usize, usize)], mode: Padding) -> Result<Tensor> {
    if amounts.len() > x.rank() {
        let what = "pad: axes with an amount, of at most as many as the tensor has";
        return Err(Error::Count { what, expected: x.rank(), got: amounts.len() });
    }
    let leading = x.rank() - amounts.len();
    let mut axes = Vec::with_capacity(amounts.len());
    for (&n, &(before, after)) in x.dims()[leading..].iter().zip(amounts) {
        mode.check(n, before, after)?;
        axes.push(PadAxis { n, before, after, mode });
    }
    if axes.iter().all(|a| a.before + a.after == 0) {
        return Ok(x.clone());
    }
    pad_axes(x, &axes)
}

/// [`pad`] for checked axes, each with its own mode.
pub(crate) fn pad_axes(x: &Tensor, axes: &[PadAxis]) -> Result<Tensor> {
    by_float!(x, T => {
        let x_values = x.contiguous()?;
        let out = pad_values::<T>(&values(&x_values)?, axes);
        let again = axes.to_vec();
        let shape = replaced(x, axes, PadAxis::padded);
        attach("pad", &[x], out, shape, move |_, g| Ok(vec![Some(fold_axes(g, &again)?)]))
    }, _ => pad_composed(x, axes))
}

/// The adjoint of [`pad_axes`].
pub(crate) fn fold_axes(x: &Tensor, axes: &[PadAxis]) -> Result<Tensor> {
    by_float!(x, T => {
        let x_values = x.contiguous()?;
        let out = fold_values::<T>(&values(&x_values)?, axes);
        let again = axes.to_vec();
        let shape = replaced(x, axes, |a| a.n);
        attach("fold", &[x], out, shape, move |_, g| Ok(vec![Some(pad_axes(g, &again)?)]))
    }, _ => fold_composed(x, axes))
}

/// The shape of `x` with other lengths of the trailing axes.
fn replaced(x: &Tensor, axes: &[PadAxis], length: impl Fn(&PadAxis) -> usize) -> Shape {
    let mut dims = x.dims().to_vec();
    let leading = dims.len() - axes.len();
    for (d, axis) in dims[leading..].iter_mut().zip(axes) {
        *d = length(axis);
    }
    dims.into()
}

/// Elements from where threads are worth their start.
const PARALLEL: usize = 1 << 16;

/// Elements written by one piece of work, about.
const BLOCK: usize = 1 << 14;

/// For each row of the padded block of leading axes, the row of the block it is a copy of.
fn row_sources(leading: &[PadAxis]) -> Vec<Option<usize>> {
    let mut rows = vec![Some(0)];
    for axis in leading {
        let extend = |row: &Option<usize>| {
            let row = *row;
            (0..axis.padded()).map(move |q| Some(row? * axis.n + axis.source(q)?))
        };
        rows = rows.iter().flat_map(extend).collect();
    }
    rows
}

/// `x` `[…, n…]` padded in its last `axes.len()` axes.
pub(crate) fn pad_values<T: Float>(x: &[T], axes: &[PadAxis]) -> Vec<T> {
    let Some((last, leading)) = axes.split_last() else { return x.to_vec() };
    let sources = row_sources(leading);
    let (width, rows_in) = (last.padded(), leading.iter().map(|a| a.n).product::<usize>());
    let outer = x.len().checked_div(rows_in * last.n).unwrap_or(0);
    let zero = T::zero();
    let mut out = vec![zero; outer * sources.len() * width];
    let edges: Vec<(usize, usize)> =
        last.edges().filter_map(|q| Some((q, last.source(q)?))).collect();
    blocks(&mut out, (BLOCK / width.max(1) + 1) * width, PARALLEL, |start, piece| {
        for (r, row) in piece.chunks_mut(width.max(1)).enumerate() {
            let index = start / width + r;
            let Some(source) = sources[index % sources.len()] else { continue };
            let source = (index / sources.len() * rows_in + source) * last.n;
            let source = &x[source..source + last.n];
            row[last.before..last.before + last.n].copy_from_slice(source);
            for &(q, i) in &edges {
                row[q] = source[i];
            }
        }
    });
    out
}

/// The adjoint of [`pad_values`]: sums in the order of the padded rows, whatever the threads.
pub(crate) fn fold_values<T: Float>(x: &[T], axes: &[PadAxis]) -> Vec<T> {
    let Some((last, leading)) = axes.split_last() else { return x.to_vec() };
    let sources = row_sources(leading);
    let (width, rows_out) = (last.padded(), leading.iter().map(|a| a.n).product::<usize>());
    let outer = x.len().checked_div(sources.len() * width).unwrap_or(0);
    let mut copies = vec![Vec::new(); rows_out];
    for (q, source) in sources.iter().enumerate() {
        if let Some(i) = source {
            copies[*i].push(q);
        }
    }
    let edges: Vec<(usize, usize)> =
        last.edges().filter_map(|q| Some((q, last.source(q)?))).collect();
    let mut out = vec![T::zero(); outer * rows_out * last.n];
    let n = last.n.max(1);
    blocks(&mut out, (BLOCK / n + 1) * n, PARALLEL, |start, piece| {
        for (r, row) in piece.chunks_mut(n).enumerate() {
            let index = start / n + r;
            for &q in &copies[index % rows_out] {
                let source = (index / rows_out * sources.len() + q) * width;
                let source = &x[source..source + width];
                for (o, s) in row.iter_mut().zip(&source[last.before..]) {
                    *o += *s;
                }
                for &(q, i) in &edges {
                    row[i] += source[q];
                }
            }
        }
    });
    out
}

/// [`pad_axes`] by candle operations.
pub(crate) fn pad_composed(x: &Tensor, axes: &[PadAxis]) -> Result<Tensor> {
    let leading = x.rank() - axes.len();
    let mut y = x.clone();
    for (a, axis) in axes.iter().enumerate() {
        if axis.before + axis.after == 0 {
            continue;
        }
        y = if axis.mode == Padding::Zeros {
            y.pad_with_zeros(leading + a, axis.before, axis.after)?
        } else {
            y.contiguous()?.index_select(&axis_sources(axis, x)?, leading + a)?
        };
    }
    Ok(y)
}

/// [`fold_axes`] by candle operations.
pub(crate) fn fold_composed(x: &Tensor, axes: &[PadAxis]) -> Result<Tensor> {
    let leading = x.rank() - axes.len();
    let mut y = x.clone();
    for (a, axis) in axes.iter().enumerate() {
        if axis.before + axis.after == 0 {
            continue;
        }
        let dim = leading + a;
        y = if axis.mode == Padding::Zeros {
            y.narrow(dim, axis.before, axis.n)?
        } else {
            let mut dims = y.dims().to_vec();
            dims[dim] = axis.n;
            let zeros = Tensor::zeros(dims, y.dtype(), y.device())?;
            zeros.index_add(&axis_sources(axis, x)?, &y.contiguous()?, dim)?
        };
    }
    Ok(y)
}

/// The index of the source of every place of an axis that is not padded with zeros.
fn axis_sources(axis: &PadAxis, like: &Tensor) -> Result<Tensor> {
    let sources: Vec<u32> =
        (0..axis.padded()).filter_map(|q| axis.source(q)).map(|i| i as u32).collect();
    Ok(Tensor::from_vec(sources, axis.padded(), like.device())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    /// The path of other devices, run on the CPU.
    #[test]
    fn composed_equals_the_kernel() {
        let values: Vec<f64> = (0..2 * 3 * 4 * 5).map(|i| (0.7 * i as f64).sin()).collect();
        let x = Tensor::from_vec(values, (2, 3, 4, 5), &Device::Cpu).unwrap();
        let flat = |t: Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for mode in [Padding::Zeros, Padding::Circular, Padding::Reflect, Padding::Replicate] {
            let axes = [
                PadAxis { n: 3, before: 2, after: 1, mode },
                PadAxis { n: 4, before: 0, after: 3, mode: Padding::Circular },
                PadAxis { n: 5, before: 1, after: 2, mode },
            ];
            let y = pad_axes(&x, &axes).unwrap();
            assert_eq!(flat(y.clone()), flat(pad_composed(&x, &axes).unwrap()), "{mode:?}");
            let (a, b) = (fold_axes(&y, &axes).unwrap(), fold_composed(&y, &axes).unwrap());
            let error = (a - b).unwrap().abs().unwrap().max_all().unwrap();
            assert!(error.to_scalar::<f64>().unwrap() < 1e-13, "{mode:?}");
        }
    }
}

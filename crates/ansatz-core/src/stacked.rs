//! What types that carry several tensors in one stack `[rows, *shape]` share.
//!
//! Row 0 is the value. A linear map acts on all rows at once: one matrix product, one
//! convolution, one reduction over the stack, whatever the number of rows.

use ansatz_ops::{Dense, Stack, custom_vjp, dense_stack, matmul};
use candle_core::{Shape, Tensor};

use crate::{Error, Result, tensor_like};

/// The stack with axes of length 1 inserted after the first, so that each row has at least `rank`
/// axes and broadcasting aligns trailing axes.
pub(crate) fn align(stack: &Tensor, rank: usize) -> Result<Tensor> {
    let missing = (rank + 1).saturating_sub(stack.rank());
    if missing == 0 {
        return Ok(stack.clone());
    }
    let mut dims = vec![1; missing + stack.rank()];
    dims[0] = stack.dims()[0];
    dims[1 + missing..].copy_from_slice(&stack.dims()[1..]);
    Ok(stack.reshape(dims)?)
}

/// Two stacks aligned to the same rank.
pub(crate) fn align_both(a: &Tensor, b: &Tensor) -> Result<(Tensor, Tensor)> {
    let rank = a.rank().max(b.rank()) - 1;
    Ok((align(a, rank)?, align(b, rank)?))
}

/// `[rows, *shape]` for a shape of one row.
pub(crate) fn with_rows(rows: usize, shape: &[usize]) -> Vec<usize> {
    let mut dims = Vec::with_capacity(shape.len() + 1);
    dims.push(rows);
    dims.extend_from_slice(shape);
    dims
}

/// The rows one by one. Halving keeps the work of candle's backward at O(n log n) rows, where
/// cutting one row at a time would pad each to the whole stack.
pub(crate) fn rows(stack: &Tensor) -> Result<Vec<Tensor>> {
    let n = stack.dim(0)?;
    if n < 2 {
        return Ok((0..n).map(|i| stack.get(i)).collect::<candle_core::Result<_>>()?);
    }
    let mut all = rows(&stack.narrow(0, 0, n / 2)?)?;
    all.append(&mut rows(&stack.narrow(0, n / 2, n - n / 2)?)?);
    Ok(all)
}

/// The sum over the first axis, kept with length 1.
pub(crate) fn sum_rows(stack: &Tensor) -> Result<Tensor> {
    // Adding halves is several times faster than candle's reduction over a leading axis.
    let n = stack.dim(0)?;
    match n {
        0 => Ok(stack.sum_keepdim(0)?),
        1 => Ok(stack.clone()),
        _ => {
            let half = n / 2;
            let pairs = (stack.narrow(0, 0, half)? + stack.narrow(0, half, half)?)?;
            let sum = sum_rows(&pairs)?;
            if n % 2 == 1 { Ok((sum + stack.narrow(0, n - 1, 1)?)?) } else { Ok(sum) }
        }
    }
}

/// Sums `t` over the axes along which a tensor of shape `dims` was broadcast to the shape of `t`.
pub(crate) fn reduce_to(t: &Tensor, dims: &[usize]) -> Result<Tensor> {
    let extra = t.rank() - dims.len();
    let mut sum = t.clone();
    for (axis, length) in t.dims().iter().enumerate() {
        if axis < extra || (dims[axis - extra] == 1 && *length != 1) {
            sum = sum.sum_keepdim(axis)?;
        }
    }
    Ok(sum.reshape(dims)?)
}

/// `value` as row 0 above `rows − 1` rows of zeros.
pub(crate) fn constant(value: &Tensor, rows: usize) -> Result<Tensor> {
    if rows == 1 {
        return Ok(value.unsqueeze(0)?);
    }
    let zeros = Tensor::zeros(with_rows(rows - 1, value.dims()), value.dtype(), value.device())?;
    Ok(Tensor::cat(&[&value.unsqueeze(0)?, &zeros], 0)?)
}

/// Applies a linear map to each row.
pub(crate) fn linear<E>(
    stack: &Tensor,
    map: impl Fn(&Tensor) -> Result<Tensor, E>,
) -> Result<Tensor>
where
    Error: From<E>,
{
    let mapped = rows(stack)?.iter().map(map).collect::<Result<Vec<_>, E>>()?;
    Ok(Tensor::stack(&mapped, 0)?)
}

/// Adds a constant, broadcast, to row 0.
pub(crate) fn add_constant(stack: &Tensor, value: &Tensor) -> Result<Tensor> {
    let rows = stack.dim(0)?;
    let aligned = align(&stack.detach(), value.rank())?;
    let first = aligned.narrow(0, 0, 1)?.broadcast_add(&value.detach())?;
    let output = if rows == 1 {
        first
    } else {
        let dims = with_rows(rows - 1, &first.dims()[1..]);
        let rest = aligned.narrow(0, 1, rows - 1)?;
        let rest =
            if rest.dims() == dims { rest } else { rest.broadcast_as(dims)?.contiguous()? };
        Tensor::cat(&[&first, &rest], 0)?
    };
    let (stack_shape, value_shape) = (aligned.dims().to_vec(), value.dims().to_vec());
    let (unaligned, value_tracked) = (stack.dims().to_vec(), value.track_op());
    Ok(custom_vjp(&[stack, value], &output, move |g| {
        let value = if value_tracked { Some(reduce_to(&g.get(0)?, &value_shape)?) } else { None };
        Ok(vec![Some(reduce_to(g, &stack_shape)?.reshape(unaligned.as_slice())?), value])
    })?)
}

/// A chain of dense layers by the kernel for stacks of this kind, if there is one.
pub(crate) fn dense_chain(
    stack: &Tensor,
    kind: &Stack,
    layers: &[Dense<'_>],
) -> Result<Option<Tensor>> {
    tensor_like::check_chain(&stack.dims()[1..], layers)?;
    if layers.is_empty() {
        return Ok(Some(stack.clone()));
    }
    Ok(dense_stack(stack, kind, layers)?)
}

/// `x Wᵀ + b` for all rows in one product; the bias goes to row 0.
pub(crate) fn dense(stack: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    let (outputs, features) = weight.dims2()?;
    let dims = tensor_like::dense_shape(&stack.dims()[1..], outputs, features)?;
    let dims = with_rows(stack.dim(0)?, &dims);
    let per_row: usize = dims[1..dims.len() - 1].iter().product();
    let x = stack.detach().reshape(((), features))?;
    let w = weight.detach();
    let mut output = matmul(&x, &w.t()?)?;
    if let Some(b) = bias {
        // Only the rows of the value get the bias.
        let first = output.narrow(0, 0, per_row)?.broadcast_add(&b.detach())?;
        let rest = output.narrow(0, per_row, output.dim(0)? - per_row)?;
        output = Tensor::cat(&[first, rest], 0)?;
    }
    let output = output.reshape(dims)?;

    let stack_shape = stack.dims().to_vec();
    let tracked = [stack.track_op(), weight.track_op(), bias.is_some_and(Tensor::track_op)];
    let bias_shape = bias.map(|b| b.dims().to_vec()).unwrap_or_default();
    let mut inputs = vec![stack, weight];
    inputs.extend(bias);
    let count = inputs.len();
    // One node with three gradients: candle would also compute the ones that nobody asks for,
    // and sum the bias over rows that it does not enter.
    Ok(custom_vjp(&inputs, &output, move |g| {
        let g = g.reshape(((), outputs))?;
        let mut gradients = vec![None; count];
        if tracked[0] {
            gradients[0] = Some(matmul(&g, &w)?.reshape(stack_shape.as_slice())?);
        }
        if tracked[1] {
            gradients[1] = Some(matmul(&g.t()?, &x)?);
        }
        if tracked[2] {
            gradients[2] = Some(reduce_to(&g.narrow(0, 0, per_row)?, &bias_shape)?);
        }
        Ok(gradients)
    })?)
}

/// Applies a map of `[batch, …]` tensors to the rows and the batch together.
pub(crate) fn over_batch(
    stack: &Tensor,
    rank: usize,
    what: &'static str,
    map: impl Fn(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    if stack.rank() != rank + 1 {
        return Err(Error::Shape {
            what,
            expected: format!("{rank} axes"),
            got: format!("{:?}", &stack.dims()[1..]),
        });
    }
    let (rows, batch) = (stack.dim(0)?, stack.dim(1)?);
    let mapped = map(&stack.flatten(0, 1)?)?;
    let mut dims = vec![rows, batch];
    dims.extend_from_slice(&mapped.dims()[1..]);
    Ok(mapped.reshape(dims)?)
}

/// The rows in another shape.
pub(crate) fn reshape(stack: &Tensor, shape: &Shape) -> Result<Tensor> {
    Ok(stack.reshape(with_rows(stack.dim(0)?, shape.dims()))?)
}

/// The rows broadcast to a shape.
pub(crate) fn broadcast_as(stack: &Tensor, shape: &Shape) -> Result<Tensor> {
    let aligned = align(stack, shape.rank())?;
    Ok(aligned.broadcast_as(with_rows(stack.dim(0)?, shape.dims()))?)
}

/// The methods of `TensorLike` that act on every row alike. The type has a field `stack`, and the
/// methods `with(&self, stack: Tensor) -> Self`, `kind(&self) -> Result<Stack>` and
/// `check_kind(&self, other: &Self) -> Result<()>`.
macro_rules! stacked_methods {
    () => {
        fn primal(&self) -> Result<Tensor> {
            Ok(self.stack.get(0)?)
        }

        fn constant(&self, value: &Tensor) -> Result<Self> {
            Ok(self.with(stacked::constant(value, self.stack.dim(0)?)?))
        }

        fn add(&self, rhs: &Self) -> Result<Self> {
            self.check_kind(rhs)?;
            let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
            Ok(self.with(a.broadcast_add(&b)?))
        }

        fn sub(&self, rhs: &Self) -> Result<Self> {
            self.check_kind(rhs)?;
            let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
            Ok(self.with(a.broadcast_sub(&b)?))
        }

        fn linear<E>(&self, map: impl Fn(&Tensor) -> Result<Tensor, E>) -> Result<Self>
        where
            Error: From<E>,
        {
            Ok(self.with(stacked::linear(&self.stack, map)?))
        }

        fn shape(&self) -> Result<Shape> {
            Ok(Shape::from(&self.stack.dims()[1..]))
        }

        fn dtype(&self) -> Result<DType> {
            Ok(self.stack.dtype())
        }

        fn device(&self) -> Result<Device> {
            Ok(self.stack.device().clone())
        }

        fn add_constant(&self, value: &Tensor) -> Result<Self> {
            Ok(self.with(stacked::add_constant(&self.stack, value)?))
        }

        fn scale(&self, factor: f64) -> Result<Self> {
            Ok(self.with(self.stack.affine(factor, 0.0)?))
        }

        fn neg(&self) -> Result<Self> {
            Ok(self.with(self.stack.neg()?))
        }

        fn mul_constant(&self, value: &Tensor) -> Result<Self> {
            let aligned = stacked::align(&self.stack, value.rank())?;
            Ok(self.with(aligned.broadcast_mul(value)?))
        }

        fn matmul_constant(&self, rhs: &Tensor) -> Result<Self> {
            let aligned = stacked::align(&self.stack, rhs.rank())?;
            Ok(self.with(matmul(&aligned, rhs)?))
        }

        fn dense(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
            self.dense_chain(&[Dense { weight, bias, activation: None }])
        }

        fn dense_chain(&self, layers: &[Dense<'_>]) -> Result<Self> {
            if let Some(stack) = stacked::dense_chain(&self.stack, &self.kind()?, layers)? {
                return Ok(self.with(stack));
            }
            let mut h = self.clone();
            for layer in layers {
                h = h.with(stacked::dense(&h.stack, layer.weight, layer.bias)?);
                if let Some(function) = layer.activation {
                    h = h.pointwise(function)?;
                }
            }
            Ok(h)
        }

        fn conv1d(
            &self,
            kernel: &Tensor,
            padding: usize,
            stride: usize,
            dilation: usize,
            groups: usize,
        ) -> Result<Self> {
            Ok(self.with(stacked::over_batch(&self.stack, 3, "input of conv1d", |x| {
                conv::<1>(x, kernel, padding, stride, dilation, groups)
            })?))
        }

        fn conv2d(
            &self,
            kernel: &Tensor,
            padding: usize,
            stride: usize,
            dilation: usize,
            groups: usize,
        ) -> Result<Self> {
            Ok(self.with(stacked::over_batch(&self.stack, 4, "input of conv2d", |x| {
                conv::<2>(x, kernel, padding, stride, dilation, groups)
            })?))
        }

        fn sum_keepdim(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.sum_keepdim(dim + 1)?))
        }

        fn sum(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.sum(dim + 1)?))
        }

        fn sum_all(&self) -> Result<Self> {
            let rows = self.stack.dim(0)?;
            Ok(self.with(self.stack.reshape((rows, self.stack.elem_count() / rows))?.sum(1)?))
        }

        fn mean_keepdim(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.mean_keepdim(dim + 1)?))
        }

        fn mean(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.mean(dim + 1)?))
        }

        fn mean_all(&self) -> Result<Self> {
            let rows = self.stack.dim(0)?;
            Ok(self.with(self.stack.reshape((rows, self.stack.elem_count() / rows))?.mean(1)?))
        }

        fn reshape(&self, shape: impl Into<Shape>) -> Result<Self> {
            Ok(self.with(stacked::reshape(&self.stack, &shape.into())?))
        }

        fn broadcast_as(&self, shape: impl Into<Shape>) -> Result<Self> {
            Ok(self.with(stacked::broadcast_as(&self.stack, &shape.into())?))
        }

        fn transpose(&self, a: usize, b: usize) -> Result<Self> {
            Ok(self.with(self.stack.transpose(a + 1, b + 1)?))
        }

        fn narrow(&self, dim: usize, start: usize, length: usize) -> Result<Self> {
            Ok(self.with(self.stack.narrow(dim + 1, start, length)?))
        }

        fn unsqueeze(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.unsqueeze(dim + 1)?))
        }

        fn squeeze(&self, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.squeeze(dim + 1)?))
        }

        fn index_select(&self, indexes: &Tensor, dim: usize) -> Result<Self> {
            Ok(self.with(self.stack.contiguous()?.index_select(indexes, dim + 1)?))
        }

        fn cat(parts: &[&Self], dim: usize) -> Result<Self> {
            let Some(first) = parts.first() else {
                return Err(Error::invalid("parts of cat", "[]", "at least one value"));
            };
            for part in parts {
                first.check_kind(part)?;
            }
            let stacks: Vec<&Tensor> = parts.iter().map(|p| &p.stack).collect();
            Ok(first.with(Tensor::cat(&stacks, dim + 1)?))
        }
    };
}
pub(crate) use stacked_methods;

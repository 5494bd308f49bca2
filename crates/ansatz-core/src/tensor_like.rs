//! Types that a network can be evaluated on: [`TensorLike`].

use ansatz_ops::{Dense, layer_norm, softmax};
use candle_core::{D, DType, Device, Shape, Tensor};

use crate::{Error, Pointwise, Result, conv::conv};

/// Values closed under linear maps, bilinear maps and pointwise functions.
///
/// A model written once over `T: TensorLike` can be evaluated on plain tensors, on truncated
/// Taylor series ([`Jet`](crate::Jet)), on forward Laplacians, on whatever a downstream crate
/// invents. A new type implements six methods; every other operation is provided on top of them.
/// The hot maps ([`dense`](Self::dense), [`dense_chain`](Self::dense_chain), convolutions) can be
/// overridden, so that a type that carries several tensors sends them through one matrix product.
///
/// All methods leave candle's graph intact: `backward` reaches the parameters through any of them.
///
/// Methods named like candle's own behave like them, with broadcasting in `add`, `sub`, `mul` and
/// `div`. On the concrete type [`Tensor`], candle's inherent methods take precedence.
pub trait TensorLike: Clone {
    /// The plain value, without anything that is carried along.
    ///
    /// # Errors
    /// When candle fails.
    fn primal(&self) -> Result<Tensor>;

    /// `value` as a constant of the same kind (same order and directions for a series).
    ///
    /// # Errors
    /// When candle fails.
    fn constant(&self, value: &Tensor) -> Result<Self>;

    /// The sum of two values, broadcast against each other.
    ///
    /// # Errors
    /// When the shapes do not broadcast, or the two values are of different kinds.
    fn add(&self, rhs: &Self) -> Result<Self>;

    /// Applies a map that is **linear** in its argument. The map must treat any tensor of the
    /// shape of the primal value alike.
    ///
    /// # Errors
    /// Whatever `map` returns.
    fn linear<E>(&self, map: impl Fn(&Tensor) -> Result<Tensor, E>) -> Result<Self>
    where
        Error: From<E>;

    /// Applies a map that is linear in each of its two arguments.
    ///
    /// # Errors
    /// Whatever `map` returns; when the two values are of different kinds.
    fn bilinear<E>(
        &self,
        rhs: &Self,
        map: impl Fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    ) -> Result<Self>
    where
        Error: From<E>;

    /// Applies a function to every element.
    ///
    /// # Errors
    /// When candle fails.
    fn pointwise(&self, function: Pointwise) -> Result<Self>;

    // ---- what is known of the value --------------------------------------------------------

    /// The shape of the primal value.
    ///
    /// # Errors
    /// When candle fails.
    fn shape(&self) -> Result<Shape> {
        Ok(self.primal()?.shape().clone())
    }

    /// The dtype of the primal value.
    ///
    /// # Errors
    /// When candle fails.
    fn dtype(&self) -> Result<DType> {
        Ok(self.primal()?.dtype())
    }

    /// The device of the primal value.
    ///
    /// # Errors
    /// When candle fails.
    fn device(&self) -> Result<Device> {
        Ok(self.primal()?.device().clone())
    }

    // ---- arithmetic ------------------------------------------------------------------------

    /// Adds a constant tensor, broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn add_constant(&self, value: &Tensor) -> Result<Self> {
        self.add(&self.constant(value)?)
    }

    /// Adds a number to every element.
    ///
    /// # Errors
    /// When candle fails.
    fn add_scalar(&self, value: f64) -> Result<Self> {
        // Converted before the move: Metal knows no f64.
        let number = Tensor::new(value, &Device::Cpu)?.to_dtype(self.dtype()?)?;
        self.add_constant(&number.to_device(&self.device()?)?)
    }

    /// Multiplies by a number.
    ///
    /// # Errors
    /// When candle fails.
    fn scale(&self, factor: f64) -> Result<Self> {
        self.linear(|x| x.affine(factor, 0.0))
    }

    /// `−self`.
    ///
    /// # Errors
    /// When candle fails.
    fn neg(&self) -> Result<Self> {
        self.linear(Tensor::neg)
    }

    /// `self − rhs`, broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn sub(&self, rhs: &Self) -> Result<Self> {
        self.add(&rhs.neg()?)
    }

    /// Elementwise product, broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn mul(&self, rhs: &Self) -> Result<Self> {
        self.bilinear(rhs, Tensor::broadcast_mul)
    }

    /// Elementwise product with a constant tensor, broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn mul_constant(&self, value: &Tensor) -> Result<Self> {
        self.linear(|x| x.broadcast_mul(value))
    }

    /// Elementwise quotient, broadcast.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn div(&self, rhs: &Self) -> Result<Self> {
        self.mul(&rhs.recip()?)
    }

    /// Matrix product of the last two axes, batch axes broadcast.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn matmul(&self, rhs: &Self) -> Result<Self> {
        self.bilinear(rhs, ansatz_ops::matmul)
    }

    /// Matrix product with a constant matrix on the right, batch axes broadcast.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn matmul_constant(&self, rhs: &Tensor) -> Result<Self> {
        self.linear(|x| ansatz_ops::matmul(x, rhs))
    }

    // ---- the hot maps ----------------------------------------------------------------------

    /// `x Wᵀ + b`: `x` is `[…, in]`, `weight` `[out, in]`, `bias` `[out]`, the result `[…, out]`.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn dense(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        let product = self.linear(|x| {
            let (outputs, features) = weight.dims2()?;
            dense_shape(x.dims(), outputs, features)?;
            Ok::<_, Error>(ansatz_ops::dense(x, weight, None, None)?)
        })?;
        match bias {
            Some(b) => product.add_constant(b),
            None => Ok(product),
        }
    }

    /// Dense layers one after the other, each `activation(x Wᵀ + b)`.
    ///
    /// Networks call this, not [`dense`](Self::dense) and [`pointwise`](Self::pointwise) by turns:
    /// tensors, jets and forward Laplacians override it with one operation for the whole chain,
    /// which has one backward pass. Other types get the layers one by one.
    ///
    /// # Errors
    /// When the shapes do not fit.
    fn dense_chain(&self, layers: &[Dense<'_>]) -> Result<Self> {
        let mut h = self.clone();
        for layer in layers {
            h = h.dense(layer.weight, layer.bias)?;
            if let Some(function) = layer.activation {
                h = h.pointwise(function)?;
            }
        }
        Ok(h)
    }

    /// Convolution of `[batch, channels, x]` with `kernel` `[out, in/groups, width]`.
    ///
    /// Called through this trait (`TensorLike::conv1d(&x, …)` on a [`Tensor`]) it is
    /// [`ansatz_ops::conv`]; the gradient of candle's own `conv1d` is wrong on the CPU for batches
    /// of more than one (0.11.1).
    ///
    /// # Errors
    /// When the shapes do not fit, or stride, dilation or groups are 0.
    fn conv1d(
        &self,
        kernel: &Tensor,
        padding: usize,
        stride: usize,
        dilation: usize,
        groups: usize,
    ) -> Result<Self> {
        self.linear(|x| conv::<1>(x, kernel, padding, stride, dilation, groups))
    }

    /// Convolution of `[batch, channels, x, y]` with `kernel` `[out, in/groups, wx, wy]`.
    ///
    /// Called through this trait it is [`ansatz_ops::conv`]; the backward pass of candle's own
    /// `conv2d` fails with a stride above 1 unless both axes leave the same remainder.
    ///
    /// # Errors
    /// When the shapes do not fit, or stride, dilation or groups are 0.
    fn conv2d(
        &self,
        kernel: &Tensor,
        padding: usize,
        stride: usize,
        dilation: usize,
        groups: usize,
    ) -> Result<Self> {
        self.linear(|x| conv::<2>(x, kernel, padding, stride, dilation, groups))
    }

    // ---- reductions and shapes -------------------------------------------------------------

    /// Sum over one axis, which is kept with length 1.
    ///
    /// # Errors
    /// When there is no such axis.
    fn sum_keepdim(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.sum_keepdim(dim))
    }

    /// Sum over one axis, which disappears.
    ///
    /// # Errors
    /// When there is no such axis.
    fn sum(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.sum(dim))
    }

    /// Sum of all elements, a scalar.
    ///
    /// # Errors
    /// When candle fails.
    fn sum_all(&self) -> Result<Self> {
        self.linear(Tensor::sum_all)
    }

    /// Mean over one axis, which is kept with length 1.
    ///
    /// # Errors
    /// When there is no such axis.
    fn mean_keepdim(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.mean_keepdim(dim))
    }

    /// Mean over one axis, which disappears.
    ///
    /// # Errors
    /// When there is no such axis.
    fn mean(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.mean(dim))
    }

    /// Mean of all elements, a scalar.
    ///
    /// # Errors
    /// When candle fails.
    fn mean_all(&self) -> Result<Self> {
        self.linear(Tensor::mean_all)
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    /// When the number of elements differs.
    fn reshape(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        self.linear(|x| x.reshape(shape.clone()))
    }

    /// Broadcasts to `shape`.
    ///
    /// # Errors
    /// When the shapes do not broadcast.
    fn broadcast_as(&self, shape: impl Into<Shape>) -> Result<Self> {
        let shape = shape.into();
        self.linear(|x| x.broadcast_as(shape.clone()))
    }

    /// Swaps two axes.
    ///
    /// # Errors
    /// When there is no such axis.
    fn transpose(&self, a: usize, b: usize) -> Result<Self> {
        self.linear(|x| x.transpose(a, b))
    }

    /// The part `start..start + length` of one axis.
    ///
    /// # Errors
    /// When the range lies outside.
    fn narrow(&self, dim: usize, start: usize, length: usize) -> Result<Self> {
        self.linear(|x| x.narrow(dim, start, length))
    }

    /// Adds an axis of length 1.
    ///
    /// # Errors
    /// When the position lies outside.
    fn unsqueeze(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.unsqueeze(dim))
    }

    /// Removes an axis of length 1.
    ///
    /// # Errors
    /// When there is no such axis.
    fn squeeze(&self, dim: usize) -> Result<Self> {
        self.linear(|x| x.squeeze(dim))
    }

    /// Rows of one axis by index.
    ///
    /// # Errors
    /// When an index lies outside or `indexes` is not an integer tensor candle takes.
    fn index_select(&self, indexes: &Tensor, dim: usize) -> Result<Self> {
        self.linear(|x| x.contiguous()?.index_select(indexes, dim))
    }

    /// Joins values along one axis.
    ///
    /// # Errors
    /// When `parts` is empty or the other axes differ.
    fn cat(parts: &[&Self], dim: usize) -> Result<Self> {
        // Joining is linear: embed each part between zeros and add.
        let Some(first) = parts.first() else {
            return Err(Error::invalid("parts of cat", "[]", "at least one value"));
        };
        let mut lengths = Vec::with_capacity(parts.len());
        for part in parts {
            let shape = part.shape()?;
            if dim >= shape.rank() {
                return Err(Error::invalid("dim of cat", dim, "a dimension of every part"));
            }
            lengths.push(shape.dims()[dim]);
        }
        let total: usize = lengths.iter().sum();
        let (mut before, mut sum) = (0, None::<Self>);
        for (part, length) in parts.iter().zip(&lengths) {
            let after = total - before - length;
            let embedded = part.linear(|x| x.pad_with_zeros(dim, before, after))?;
            sum = Some(match sum {
                Some(s) => s.add(&embedded)?,
                None => embedded,
            });
            before += length;
        }
        sum.map_or_else(|| Ok((*first).clone()), Ok)
    }

    // ---- pointwise functions by name -------------------------------------------------------

    /// [`Pointwise::Tanh`].
    ///
    /// # Errors
    /// When candle fails.
    fn tanh(&self) -> Result<Self> {
        self.pointwise(Pointwise::Tanh)
    }

    /// [`Pointwise::Sin`].
    ///
    /// # Errors
    /// When candle fails.
    fn sin(&self) -> Result<Self> {
        self.pointwise(Pointwise::Sin)
    }

    /// [`Pointwise::Cos`].
    ///
    /// # Errors
    /// When candle fails.
    fn cos(&self) -> Result<Self> {
        self.pointwise(Pointwise::Cos)
    }

    /// [`Pointwise::Exp`].
    ///
    /// # Errors
    /// When candle fails.
    fn exp(&self) -> Result<Self> {
        self.pointwise(Pointwise::Exp)
    }

    /// [`Pointwise::Ln`].
    ///
    /// # Errors
    /// When candle fails.
    fn ln(&self) -> Result<Self> {
        self.pointwise(Pointwise::Ln)
    }

    /// [`Pointwise::Sqrt`].
    ///
    /// # Errors
    /// When candle fails.
    fn sqrt(&self) -> Result<Self> {
        self.pointwise(Pointwise::Sqrt)
    }

    /// [`Pointwise::Recip`].
    ///
    /// # Errors
    /// When candle fails.
    fn recip(&self) -> Result<Self> {
        self.pointwise(Pointwise::Recip)
    }

    /// [`Pointwise::Powf`].
    ///
    /// # Errors
    /// When candle fails.
    fn powf(&self, exponent: f64) -> Result<Self> {
        self.pointwise(Pointwise::Powf(exponent))
    }

    /// [`Pointwise::Powi`].
    ///
    /// # Errors
    /// When candle fails.
    fn powi(&self, exponent: i32) -> Result<Self> {
        self.pointwise(Pointwise::Powi(exponent))
    }

    /// The square of every element.
    ///
    /// # Errors
    /// When candle fails.
    fn sqr(&self) -> Result<Self> {
        self.mul(self)
    }

    /// [`Pointwise::Sigmoid`].
    ///
    /// # Errors
    /// When candle fails.
    fn sigmoid(&self) -> Result<Self> {
        self.pointwise(Pointwise::Sigmoid)
    }

    /// [`Pointwise::Softplus`].
    ///
    /// # Errors
    /// When candle fails.
    fn softplus(&self) -> Result<Self> {
        self.pointwise(Pointwise::Softplus)
    }

    /// [`Pointwise::Silu`].
    ///
    /// # Errors
    /// When candle fails.
    fn silu(&self) -> Result<Self> {
        self.pointwise(Pointwise::Silu)
    }

    /// [`Pointwise::Gelu`] (exact).
    ///
    /// # Errors
    /// When candle fails.
    fn gelu(&self) -> Result<Self> {
        self.pointwise(Pointwise::Gelu)
    }

    /// [`Pointwise::GeluTanh`] (approximation).
    ///
    /// # Errors
    /// When candle fails.
    fn gelu_tanh(&self) -> Result<Self> {
        self.pointwise(Pointwise::GeluTanh)
    }

    /// [`Pointwise::Erf`].
    ///
    /// # Errors
    /// When candle fails.
    fn erf(&self) -> Result<Self> {
        self.pointwise(Pointwise::Erf)
    }

    /// [`Pointwise::Relu`].
    ///
    /// # Errors
    /// When candle fails.
    fn relu(&self) -> Result<Self> {
        self.pointwise(Pointwise::Relu)
    }

    /// [`Pointwise::Abs`].
    ///
    /// # Errors
    /// When candle fails.
    fn abs(&self) -> Result<Self> {
        self.pointwise(Pointwise::Abs)
    }

    // ---- normalisation ---------------------------------------------------------------------

    /// Softmax along `dim`.
    ///
    /// # Errors
    /// When there is no such axis.
    fn softmax(&self, dim: usize) -> Result<Self> {
        // The shift cancels exactly, so it may be a constant.
        let shift = self.primal()?.max_keepdim(dim)?.detach().neg()?;
        let exp = self.add_constant(&shift)?.exp()?;
        exp.div(&exp.sum_keepdim(dim)?)
    }

    /// Layer normalisation over the last axis; see [`ansatz_ops::layer_norm`].
    ///
    /// # Errors
    /// When the shapes do not fit or `eps` is negative.
    fn layer_norm(&self, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Self> {
        if eps.is_nan() || eps < 0.0 {
            return Err(Error::invalid("layer_norm eps", eps, "a number ≥ 0, usually 1e-5"));
        }
        let shape = self.shape()?;
        let rank = shape.rank();
        if rank == 0 {
            return Err(Error::invalid("layer_norm input", "a scalar", "at least one axis"));
        }
        let features = shape.dims()[rank - 1];
        for (what, parameter) in [("layer_norm weight", weight), ("layer_norm bias", bias)] {
            if let Some(p) = parameter
                && p.dims() != [features]
            {
                return Err(Error::Shape {
                    what,
                    expected: format!("[{features}]"),
                    got: format!("{:?}", p.dims()),
                });
            }
        }
        let centred = self.sub(&self.mean_keepdim(rank - 1)?)?;
        let variance = centred.sqr()?.mean_keepdim(rank - 1)?;
        let mut y = centred.mul(&variance.add_scalar(eps)?.powf(-0.5)?)?;
        if let Some(w) = weight {
            y = y.mul_constant(w)?;
        }
        if let Some(b) = bias {
            y = y.add_constant(b)?;
        }
        Ok(y)
    }
}

/// The shape of `x Wᵀ` for `x` of shape `dims` `[…, in]` and a weight `[out, in]`.
pub(crate) fn dense_shape(dims: &[usize], outputs: usize, features: usize) -> Result<Vec<usize>> {
    let mut result = dims.to_vec();
    match result.last_mut() {
        Some(last) if *last == features => *last = outputs,
        _ => {
            return Err(Error::Shape {
                what: "input of a dense layer",
                expected: format!("[…, {features}]"),
                got: format!("{dims:?}"),
            });
        }
    }
    Ok(result)
}

/// Checks the shapes of a chain of layers, where the input has the shape `dims`.
pub(crate) fn check_chain(dims: &[usize], layers: &[Dense<'_>]) -> Result<()> {
    let mut dims = dims.to_vec();
    for layer in layers {
        let (outputs, features) = layer.weight.dims2()?;
        dims = dense_shape(&dims, outputs, features)?;
        if let Some(bias) = layer.bias
            && bias.dims() != [outputs]
        {
            return Err(Error::Shape {
                what: "bias of a dense layer",
                expected: format!("[{outputs}]"),
                got: format!("{:?}", bias.dims()),
            });
        }
    }
    Ok(())
}

impl TensorLike for Tensor {
    fn primal(&self) -> Result<Tensor> {
        Ok(self.clone())
    }

    fn constant(&self, value: &Tensor) -> Result<Self> {
        Ok(value.clone())
    }

    fn add(&self, rhs: &Self) -> Result<Self> {
        Ok(self.broadcast_add(rhs)?)
    }

    fn linear<E>(&self, map: impl Fn(&Tensor) -> Result<Tensor, E>) -> Result<Self>
    where
        Error: From<E>,
    {
        Ok(map(self)?)
    }

    fn bilinear<E>(
        &self,
        rhs: &Self,
        map: impl Fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    ) -> Result<Self>
    where
        Error: From<E>,
    {
        Ok(map(self, rhs)?)
    }

    fn pointwise(&self, function: Pointwise) -> Result<Self> {
        Ok(function.apply(self)?)
    }

    fn add_scalar(&self, value: f64) -> Result<Self> {
        Ok(self.affine(1.0, value)?)
    }

    fn dense(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        self.dense_chain(&[Dense { weight, bias, activation: None }])
    }

    fn dense_chain(&self, layers: &[Dense<'_>]) -> Result<Self> {
        check_chain(self.dims(), layers)?;
        if layers.is_empty() {
            Ok(self.clone())
        } else {
            Ok(ansatz_ops::dense_chain(self, layers)?)
        }
    }

    fn sub(&self, rhs: &Self) -> Result<Self> {
        Ok(self.broadcast_sub(rhs)?)
    }

    fn div(&self, rhs: &Self) -> Result<Self> {
        Ok(self.broadcast_div(rhs)?)
    }

    fn cat(parts: &[&Self], dim: usize) -> Result<Self> {
        Ok(Tensor::cat(parts, dim)?)
    }

    fn softmax(&self, dim: usize) -> Result<Self> {
        Ok(softmax(self, dim)?)
    }

    fn layer_norm(&self, weight: Option<&Tensor>, bias: Option<&Tensor>, eps: f64) -> Result<Self> {
        // `D::Minus1` of a scalar is candle's error.
        self.dim(D::Minus1)?;
        Ok(layer_norm(self, weight, bias, eps)?)
    }
}

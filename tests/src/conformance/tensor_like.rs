//! The suite for tensor-like types: [`check_tensor_like`].

use ansatz::core::{Pointwise, Result, TensorLike};
use candle_core::{DType, Device, Tensor};

use super::{Verdict, close, run};

/// Checks that the primal value of every method is what plain tensors give, that shape, dtype and
/// device are those of the primal value, and that shapes that do not fit are errors.
///
/// `lift` makes a value of the type from its primal value, with something carried along. `dtype` is
/// f32 or f64.
///
/// # Errors
/// The first violation.
pub fn check_tensor_like<T: TensorLike>(
    dtype: DType,
    lift: impl Fn(&Tensor) -> Result<T>,
) -> Verdict {
    let tolerance = if dtype == DType::F64 { 1e-13 } else { 2e-5 };
    let inputs = run("inputs", Inputs::new(dtype))?;
    let expected = run("plain tensors", everything(&inputs))?;
    let lifted = run("lift", inputs.map(&lift))?;
    check_values(&expected, &run("the type", everything(&lifted))?, tolerance)?;
    // The layout of the memory must not matter.
    let strided = run("lift", inputs.map(|x| lift(&columns_first(x)?)))?;
    check_values(&expected, &run("the type, strided", everything(&strided))?, tolerance)
        .map_err(|e| format!("strided: {e}"))?;
    for (name, wrong) in misfits(&lifted) {
        if wrong.is_ok() {
            return Err(format!("{name}: accepted"));
        }
    }
    Ok(())
}

fn check_values<T: TensorLike>(
    expected: &[(String, Tensor)],
    results: &[(String, T)],
    tolerance: f64,
) -> Verdict {
    for ((name, plain), (_, value)) in expected.iter().zip(results) {
        let primal = run(name, value.primal())?;
        if primal.dims() != plain.dims() || primal.dtype() != plain.dtype() {
            return Err(format!("{name}: {:?}, expected {:?}", primal.dims(), plain.dims()));
        }
        if run(name, value.shape())?.dims() != plain.dims()
            || run(name, value.dtype())? != plain.dtype()
            || !run(name, value.device())?.same_device(plain.device())
        {
            return Err(format!("{name}: shape, dtype or device is not that of the primal value"));
        }
        close(name, &numbers(name, &primal)?, &numbers(name, plain)?, tolerance)?;
    }
    Ok(())
}

/// The same tensor with its first and last axes swapped in memory.
fn columns_first(x: &Tensor) -> Result<Tensor> {
    if x.rank() < 2 {
        return Ok(x.clone());
    }
    let last = x.rank() - 1;
    Ok(x.transpose(0, last)?.contiguous()?.transpose(0, last)?)
}

fn numbers(what: &str, t: &Tensor) -> Result<Vec<f64>, String> {
    let all = || t.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>();
    run(what, all())
}

/// What the methods are applied to.
struct Inputs<T> {
    /// `[2, 3]`, near 0.5: inside the domain of every function.
    a: T,
    /// `[2, 3]`.
    b: T,
    /// `[3]`, for broadcasting.
    row: T,
    /// `[2, 3, 4]`.
    cube: T,
    /// `[1, 2, 4, 4]`.
    image: T,
    dtype: DType,
}

fn wave(dims: &[usize], phase: f64, dtype: DType) -> Result<Tensor> {
    let n: usize = dims.iter().product();
    let values: Vec<f64> = (0..n).map(|i| 0.5 + 0.3 * (phase + 1.1 * i as f64).sin()).collect();
    Ok(Tensor::from_vec(values, dims, &Device::Cpu)?.to_dtype(dtype)?)
}

impl Inputs<Tensor> {
    fn new(dtype: DType) -> Result<Self> {
        Ok(Self {
            a: wave(&[2, 3], 0.0, dtype)?,
            b: wave(&[2, 3], 1.0, dtype)?,
            row: wave(&[3], 2.0, dtype)?,
            cube: wave(&[2, 3, 4], 3.0, dtype)?,
            image: wave(&[1, 2, 4, 4], 4.0, dtype)?,
            dtype,
        })
    }

    fn map<T>(&self, lift: impl Fn(&Tensor) -> Result<T>) -> Result<Inputs<T>> {
        Ok(Inputs {
            a: lift(&self.a)?,
            b: lift(&self.b)?,
            row: lift(&self.row)?,
            cube: lift(&self.cube)?,
            image: lift(&self.image)?,
            dtype: self.dtype,
        })
    }
}

/// Every method of the trait, once.
fn everything<T: TensorLike>(inputs: &Inputs<T>) -> Result<Vec<(String, T)>> {
    use Pointwise::{
        Abs, Cos, Erf, Exp, Gelu, GeluTanh, Powi, Relu, Sigmoid, Silu, Sin, Softplus, Tanh,
    };
    let Inputs { a, b, row, cube, image, dtype } = inputs;
    let constant = |dims: &[usize]| wave(dims, 5.0, *dtype);
    let weight = constant(&[4, 3])?;
    let ids = Tensor::new(&[2u32, 0, 2], &Device::Cpu)?;
    let mut all: Vec<(String, T)> = [
        ("constant", a.constant(&constant(&[2, 2])?)?),
        ("add", a.add(b)?),
        ("add, broadcast", a.add(row)?),
        ("add, broadcast the other way", row.add(&cube.narrow(2, 0, 3)?)?),
        ("linear", a.linear(|x| x.cumsum(1))?),
        ("bilinear", a.bilinear(b, |x, y| (x * y)?.sum_keepdim(0))?),
        ("add_constant", a.add_constant(&constant(&[3])?)?),
        ("add_constant that widens", row.add_constant(&constant(&[2, 3])?)?),
        ("add_scalar", a.add_scalar(-1.5)?),
        ("scale", a.scale(-2.5)?),
        ("neg", a.neg()?),
        ("sub", a.sub(b)?),
        ("sub, broadcast", row.sub(a)?),
        ("mul", a.mul(b)?),
        ("mul, broadcast", a.mul(row)?),
        ("mul_constant", a.mul_constant(&constant(&[3])?)?),
        ("mul_constant that widens", row.mul_constant(&constant(&[2, 3])?)?),
        ("div", a.div(b)?),
        ("matmul", a.matmul(&b.transpose(0, 1)?)?),
        ("matmul of a batch", cube.matmul(&cube.transpose(1, 2)?)?),
        (
            "matmul with an operand that was broadcast",
            cube.matmul(&image.narrow(1, 0, 1)?.squeeze(0)?.broadcast_as((2, 4, 4))?)?,
        ),
        ("matmul_constant", a.matmul_constant(&constant(&[3, 2])?)?),
        ("dense", a.dense(&weight, None)?),
        ("dense with bias", a.dense(&weight, Some(&constant(&[4])?))?),
        ("dense on three axes", cube.dense(&constant(&[2, 4])?, Some(&constant(&[2])?))?),
        ("conv1d", cube.conv1d(&constant(&[2, 3, 3])?, 1, 1, 1, 1)?),
        ("conv2d", image.conv2d(&constant(&[2, 1, 3, 3])?, 1, 1, 1, 2)?),
        ("sum_keepdim", cube.sum_keepdim(1)?),
        ("sum", cube.sum(1)?),
        ("sum_all", cube.sum_all()?),
        ("mean_keepdim", cube.mean_keepdim(2)?),
        ("mean", cube.mean(0)?),
        ("mean_all", cube.mean_all()?),
        ("reshape", cube.reshape((6, 4))?),
        ("broadcast_as", row.broadcast_as((2, 3))?),
        ("transpose", cube.transpose(0, 2)?),
        ("narrow", cube.narrow(1, 1, 2)?),
        ("unsqueeze", a.unsqueeze(1)?),
        ("squeeze", image.squeeze(0)?),
        ("index_select", cube.index_select(&ids, 1)?),
        ("cat", T::cat(&[a, b, &row.unsqueeze(0)?], 0)?),
        ("cat of one", T::cat(&[a], 1)?),
        ("sqr", a.sqr()?),
        ("softmax", a.softmax(1)?),
        ("softmax along the first axis", a.softmax(0)?),
        ("layer_norm", a.layer_norm(None, None, 1e-2)?),
        (
            "layer_norm with parameters",
            a.layer_norm(Some(&constant(&[3])?), Some(&constant(&[3])?), 1e-2)?,
        ),
        // The functions by name.
        ("tanh", a.tanh()?),
        ("sin", a.sin()?),
        ("cos", a.cos()?),
        ("exp", a.exp()?),
        ("ln", a.ln()?),
        ("sqrt", a.sqrt()?),
        ("recip", a.recip()?),
        ("powf", a.powf(1.7)?),
        ("powi", a.powi(3)?),
        ("sigmoid", a.sigmoid()?),
        ("softplus", a.softplus()?),
        ("silu", a.silu()?),
        ("gelu", a.gelu()?),
        ("gelu_tanh", a.gelu_tanh()?),
        ("erf", a.erf()?),
        ("relu", a.relu()?),
        ("abs", a.abs()?),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    // Where the argument has both signs.
    let centred = a.add_scalar(-0.5)?;
    for function in [
        Tanh,
        Sin,
        Cos,
        Exp,
        Powi(0),
        Powi(1),
        Powi(2),
        Sigmoid,
        Softplus,
        Silu,
        Gelu,
        GeluTanh,
        Erf,
        Relu,
        Abs,
    ] {
        all.push((format!("{function:?} on both sides of 0"), centred.pointwise(function)?));
    }
    let negative = a.neg()?;
    for function in [Pointwise::Recip, Powi(-2), Powi(-3)] {
        all.push((format!("{function:?} of negative numbers"), negative.pointwise(function)?));
    }
    Ok(all)
}

/// Calls that must fail.
fn misfits<T: TensorLike>(inputs: &Inputs<T>) -> Vec<(&'static str, Result<T>)> {
    let Inputs { a, cube, .. } = inputs;
    let other = |dims: &[usize]| wave(dims, 0.0, inputs.dtype);
    let with = |f: &dyn Fn(Tensor) -> Result<T>, dims: &[usize]| other(dims).and_then(f);
    vec![
        ("add of shapes that do not broadcast", a.add(cube)),
        ("mul of shapes that do not broadcast", a.mul(cube)),
        ("matmul of shapes that do not fit", a.matmul(a)),
        ("add_constant that does not fit", with(&|t| a.add_constant(&t), &[4])),
        ("mul_constant that does not fit", with(&|t| a.mul_constant(&t), &[4])),
        ("dense with the wrong number of inputs", with(&|t| a.dense(&t, None), &[2, 4])),
        ("dense with a wrong bias", with(&|t| a.dense(&other(&[4, 3])?, Some(&t)), &[3])),
        ("sum over an axis that is not there", a.sum(2)),
        ("narrow beyond the end", a.narrow(1, 2, 2)),
        ("reshape to another size", a.reshape((7, 1))),
        ("broadcast to a shape that does not fit", a.broadcast_as((2, 4))),
        ("transpose of an axis that is not there", a.transpose(0, 2)),
        ("unsqueeze beyond the last axis", a.unsqueeze(3)),
        ("cat of nothing", T::cat(&[], 0)),
        ("cat of shapes that do not fit", T::cat(&[a, cube], 0)),
        ("cat along an axis that is not there", T::cat(&[a, a], 2)),
        ("softmax along an axis that is not there", a.softmax(2)),
        ("layer_norm with a wrong weight", with(&|t| a.layer_norm(Some(&t), None, 1e-5), &[2])),
        ("layer_norm with a negative epsilon", a.layer_norm(None, None, -1.0)),
    ]
}

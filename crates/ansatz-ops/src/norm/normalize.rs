//! The normalisation that layer, RMS, group and instance norm share: [`normalize`].

use candle_core::{D, Device, Tensor};

use super::{geometry::Geometry, rows};
use crate::{
    Result,
    cpu::{Float, attach, by_float, values},
    vjp,
};

/// Normalises the rows of `x` and applies weight and bias, which fit.
pub(super) fn normalize(
    name: &'static str,
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    geometry: Geometry,
) -> Result<Tensor> {
    if x.elem_count() == 0 {
        return composed(x, weight, bias, geometry);
    }
    by_float!(x, T => {
        let input = x.detach().contiguous()?;
        let channels = geometry.all_channels();
        let w = parameter::<T>(weight, 1.0, channels)?;
        let b = parameter::<T>(bias, 0.0, channels)?;
        let (out, statistics) = rows::forward::<T>(&values(&input)?, &w, &b, geometry);
        let inputs: Vec<&Tensor> = [Some(x), weight, bias].into_iter().flatten().collect();
        let (x, weight, bias) = (x.clone(), weight.cloned(), bias.cloned());
        let shape = input.shape().clone();
        let tracked = |p: &Option<Tensor>| p.as_ref().is_some_and(Tensor::track_op);
        let wanted = tracked(&weight) || tracked(&bias);
        attach(name, &inputs, out, shape, move |_, g| {
            let found =
                rows::backward::<T>(&values(&input)?, &values(g)?, &w, &statistics, geometry, wanted);
            let mut gradients = Vec::with_capacity(3);
            let of = [(Some(&x), found.x), (weight.as_ref(), found.weight), (bias.as_ref(), found.bias)];
            for (which, (of, values)) in of.into_iter().enumerate() {
                let Some(of) = of else { continue };
                gradients.push(if values.is_empty() {
                    None
                } else {
                    Some(second_order(which, of, values, &x, g, weight.as_ref(), geometry)?)
                });
            }
            Ok(gradients)
        })
    }, _ => composed(x, weight, bias, geometry))
}

/// The values of a parameter, or of the one that changes nothing.
fn parameter<T: Float>(p: Option<&Tensor>, default: f64, length: usize) -> Result<Vec<T>> {
    Ok(match p {
        Some(p) => values::<T>(&p.detach().contiguous()?)?.to_vec(),
        None => vec![T::from_f64(default); length],
    })
}

/// The gradient `values` of the input `of`, with a gradient of its own: that of the composition.
fn second_order<T: Float>(
    which: usize,
    of: &Tensor,
    values: Vec<T>,
    x: &Tensor,
    g: &Tensor,
    weight: Option<&Tensor>,
    geometry: Geometry,
) -> Result<Tensor> {
    let inputs: Vec<&Tensor> = [Some(x), Some(g), weight].into_iter().flatten().collect();
    if !inputs.iter().any(|t| t.track_op()) {
        return Ok(Tensor::from_vec(values, of.shape(), &Device::Cpu)?);
    }
    let (x, g, weight) = (x.clone(), g.clone(), weight.cloned());
    attach("gradient of a normalisation", &inputs, values, of.shape(), move |_, h| {
        let inputs: Vec<Tensor> =
            [Some(x.clone()), Some(g.clone()), weight.clone()].into_iter().flatten().collect();
        let f = |v: &[Tensor]| {
            let mut all = composed_gradients(&v[0], &v[1], v.get(2), geometry)?;
            Ok(vec![all.swap_remove(which)])
        };
        let gradients = vjp(f, &inputs)?.1.apply(std::slice::from_ref(h))?;
        Ok(gradients.inputs.into_iter().map(Some).collect())
    })
}

/// The rows without their scale, and its inverse: `x − mean`, `√(variance + eps)`.
fn parts(x: &Tensor, geometry: Geometry) -> Result<(Tensor, Tensor)> {
    let x = x.reshape((geometry.rows, geometry.width()))?;
    let rule = geometry.rule;
    let x = if rule.centred { x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)? } else { x };
    let variance = x.sqr()?.mean_keepdim(D::Minus1)?;
    Ok((x, (variance + rule.eps)?.sqrt()?))
}

/// `x` by channels, and a parameter that broadcasts against it.
fn by_channel(x: &Tensor, geometry: Geometry) -> Result<Tensor> {
    let batch = geometry.rows / geometry.groups.max(1);
    Ok(x.reshape((batch, geometry.all_channels(), geometry.inner))?)
}

fn along_channels(p: &Tensor) -> Result<Tensor> {
    Ok(p.reshape((1, p.elem_count(), 1))?)
}

/// [`normalize`] by candle operations.
fn composed(
    x: &Tensor,
    weight: Option<&Tensor>,
    bias: Option<&Tensor>,
    geometry: Geometry,
) -> Result<Tensor> {
    let (centred, scale) = parts(x, geometry)?;
    let mut y = by_channel(&centred.broadcast_div(&scale)?, geometry)?;
    if let Some(w) = weight {
        y = y.broadcast_mul(&along_channels(w)?)?;
    }
    if let Some(b) = bias {
        y = y.broadcast_add(&along_channels(b)?)?;
    }
    Ok(y.reshape(x.shape())?)
}

/// The gradients of input, weight and bias by candle operations.
fn composed_gradients(
    x: &Tensor,
    g: &Tensor,
    weight: Option<&Tensor>,
    geometry: Geometry,
) -> Result<Vec<Tensor>> {
    let (centred, scale) = parts(x, geometry)?;
    let normal = centred.broadcast_div(&scale)?;
    let g = by_channel(g, geometry)?;
    let weighted = match weight {
        Some(w) => g.broadcast_mul(&along_channels(w)?)?,
        None => g.clone(),
    };
    let weighted = weighted.reshape(normal.shape())?;
    let along = (&weighted * &normal)?.mean_keepdim(D::Minus1)?;
    let mut dx = (&weighted - normal.broadcast_mul(&along)?)?;
    if geometry.rule.centred {
        dx = dx.broadcast_sub(&weighted.mean_keepdim(D::Minus1)?)?;
    }
    let dx = dx.broadcast_div(&scale)?.reshape(x.shape())?;
    let dw = (&g * by_channel(&normal, geometry)?)?.sum((0, 2))?;
    Ok(vec![dx, dw, g.sum((0, 2))?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GradCheck, gradcheck, norm::geometry::Rule};

    fn tensor(shape: &[usize], seed: f64) -> Tensor {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n).map(|i| 2.0 * (1.7 * i as f64 + seed).sin() + 0.5).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    }

    fn flat(x: &Tensor) -> Vec<f64> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.shape(), b.shape());
        for (a, b) in flat(a).into_iter().zip(flat(b)) {
            assert!((a - b).abs() < 1e-13 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    fn geometries() -> Vec<Geometry> {
        let mut all = Vec::new();
        for centred in [true, false] {
            let rule = Rule { centred, eps: 1e-3 };
            for (rows, groups, channels, inner) in
                [(3, 1, 5, 1), (2, 1, 37, 1), (4, 2, 3, 5), (6, 3, 1, 33), (1, 1, 2, 1500)]
            {
                all.push(Geometry { rows, groups, channels, inner, rule });
            }
        }
        all
    }

    fn inputs(geometry: Geometry) -> [Tensor; 4] {
        let channels = geometry.all_channels();
        let x = [geometry.rows, geometry.width()];
        [tensor(&x, 0.3), tensor(&[channels], 1.0), tensor(&[channels], 2.0), tensor(&x, 0.7)]
    }

    /// What runs on GPUs, run on the CPU: values and all gradients.
    #[test]
    fn kernels_equal_the_compositions() {
        for geometry in geometries() {
            let [x, w, b, g] = inputs(geometry);
            for (w, b) in [(None, None), (Some(&w), None), (None, Some(&b)), (Some(&w), Some(&b))] {
                let kernel = normalize("norm", &x, w, b, geometry).unwrap();
                close(&kernel, &composed(&x, w, b, geometry).unwrap());
                let leaves: Vec<Tensor> = [Some(&x), w, b].into_iter().flatten().cloned().collect();
                let f = |kernel: bool| {
                    let f = move |v: &[Tensor]| {
                        let w = w.map(|_| &v[1]);
                        let b = b.map(|_| &v[v.len() - 1]);
                        Ok(vec![if kernel {
                            normalize("norm", &v[0], w, b, geometry)?
                        } else {
                            composed(&v[0], w, b, geometry)?
                        }])
                    };
                    vjp(f, &leaves).unwrap().1.apply(std::slice::from_ref(&g)).unwrap().inputs
                };
                let (ours, theirs) = (f(true), f(false));
                assert_eq!(ours.len(), leaves.len());
                for (a, b) in ours.iter().zip(&theirs) {
                    close(a, b);
                }
                let written = composed_gradients(&x, &g, w, geometry).unwrap();
                close(&ours[0], &written[0]);
                if w.is_some() {
                    close(&ours[1], &written[1]);
                }
                if b.is_some() {
                    close(&ours[ours.len() - 1], &written[2]);
                }
            }
        }
    }

    /// The gradients have gradients.
    #[test]
    fn second_order_gradients() {
        for geometry in geometries().into_iter().filter(|g| g.width() * g.rows < 80) {
            let [x, w, _, g] = inputs(geometry);
            for which in 0..3 {
                let f = |v: &[Tensor]| {
                    let (x, g, w) = (&v[0], &v[1], &v[2]);
                    let of = if which == 0 { x } else { w };
                    let values = flat(&composed_gradients(x, g, Some(w), geometry)?[which]);
                    second_order(which, of, values, x, g, Some(w), geometry)
                };
                let inputs = [x.clone(), g.clone(), w.clone()];
                gradcheck(f, &inputs, &GradCheck::default()).unwrap();
            }
        }
    }
}

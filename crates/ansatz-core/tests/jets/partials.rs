//! Derivatives of functions of several variables against closed forms.

use ansatz_core::{
    ForwardLaplacian, Jet, Module, Result, TensorLike,
    candle::{Device, Tensor},
    directional_derivatives, hessian, jvp, laplacian, mixed_partial, mixed_partials,
    value_and_gradient,
};

use crate::{Net, assert_close, generic, values};

const POINTS: [[f64; 3]; 3] = [[0.3, -0.4, 0.8], [-1.1, 0.2, 0.5], [0.0, 1.3, -0.7]];

fn points() -> Tensor {
    Tensor::new(&POINTS, &Device::Cpu).unwrap()
}

fn coordinate<T: TensorLike>(p: &T, i: usize) -> Result<T> {
    p.narrow(1, i, 1)
}

/// All lists of axes of three coordinates with up to four entries.
fn all_partials() -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    let mut last = all.clone();
    for _ in 0..4 {
        last =
            last.iter().flat_map(|axes| (0..3).map(|i| [axes.clone(), vec![i]].concat())).collect();
        all.extend(last.clone());
    }
    all
}

/// Checks a product of functions of one coordinate each; `factor(i, n, x)` is the `n`-th
/// derivative of the `i`-th.
fn check_product<M: Module<Jet>>(model: &M, factor: impl Fn(usize, usize, f64) -> f64) {
    let partials = all_partials();
    assert_eq!(partials.len(), 1 + 3 + 9 + 27 + 81);
    let requests: Vec<&[usize]> = partials.iter().map(Vec::as_slice).collect();
    let together = mixed_partials(model, &points(), &requests).unwrap();
    for (axes, batch) in partials.iter().zip(together) {
        let expected: Vec<f64> = POINTS
            .iter()
            .map(|p| {
                (0..3).map(|i| factor(i, axes.iter().filter(|&&a| a == i).count(), p[i])).product()
            })
            .collect();
        let expected = Tensor::from_vec(expected, (3, 1), &Device::Cpu).unwrap();
        assert_close(&batch, &expected, 1e-12, &format!("{axes:?} together"));
        let alone = mixed_partial(model, &points(), axes).unwrap();
        assert_close(&alone, &expected, 1e-12, &format!("{axes:?} alone"));
    }
}

/// The `n`-th derivative of `xᵖ`.
fn power(p: usize, n: usize, x: f64) -> f64 {
    if n > p {
        return 0.0;
    }
    (p - n + 1..=p).map(|i| i as f64).product::<f64>() * x.powi((p - n) as i32)
}

/// The `n`-th derivative of `sin(a x + b)`.
fn sine(a: f64, b: f64, n: usize, x: f64) -> f64 {
    a.powi(n as i32) * (a * x + b + n as f64 * std::f64::consts::FRAC_PI_2).sin()
}

#[test]
fn every_partial_of_a_monomial() {
    let model = |p: &Jet| {
        let (x, y, z) = (coordinate(p, 0)?, coordinate(p, 1)?, coordinate(p, 2)?);
        x.powi(4)?.mul(&y.powi(3)?)?.mul(&z.sqr()?)
    };
    check_product(&model, |i, n, x| power([4, 3, 2][i], n, x));
}

#[test]
fn every_partial_of_exponential_and_sines() {
    let model = |p: &Jet| {
        let (x, y, z) = (coordinate(p, 0)?, coordinate(p, 1)?, coordinate(p, 2)?);
        let wave = y.scale(1.3)?.sin()?.mul(&z.scale(0.4)?.add_scalar(0.2)?.cos()?)?;
        x.scale(0.7)?.exp()?.mul(&wave)
    };
    check_product(&model, |i, n, x| match i {
        0 => 0.7f64.powi(n as i32) * (0.7 * x).exp(),
        1 => sine(1.3, 0.0, n, x),
        _ => sine(0.4, 0.2 + std::f64::consts::FRAC_PI_2, n, x),
    });
}

#[test]
fn every_partial_of_a_gaussian() {
    let model = |p: &Jet| p.sqr()?.sum_keepdim(1)?.scale(-0.5)?.exp();
    // Derivatives of e^(−x²/2): Hermite polynomials He₀ … He₄ with alternating sign.
    check_product(&model, |_, n, x| {
        let hermite = [1.0, x, x * x - 1.0, x.powi(3) - 3.0 * x, x.powi(4) - 6.0 * x * x + 3.0][n];
        (-1f64).powi(n as i32) * hermite * (-0.5 * x * x).exp()
    });
}

#[test]
fn fourth_partials_are_differences_of_third() {
    let net = Net::new(3, 2);
    let h = 1e-5;
    for axes in [[0, 0, 0], [0, 1, 2], [1, 1, 2], [2, 0, 2]] {
        for extra in 0..3 {
            let mut shift = [0.0; 3];
            shift[extra] = h;
            let shift = Tensor::new(&shift, &Device::Cpu).unwrap();
            let at = |x: Tensor| mixed_partial(&net, &x, &axes).unwrap();
            let plus = at(points().broadcast_add(&shift).unwrap());
            let minus = at(points().broadcast_sub(&shift).unwrap());
            let numeric = ((plus - minus).unwrap() * (0.5 / h)).unwrap();
            let exact =
                mixed_partial(&net, &points(), &[axes.as_slice(), &[extra]].concat()).unwrap();
            assert_close(&exact, &numeric, 1e-7, &format!("{axes:?} {extra}"));
        }
    }
}

#[test]
fn gradients_agree_with_reverse_mode() {
    let net = Net::new(3, 2);
    let (value, jacobian) = value_and_gradient(&net, &points()).unwrap();
    assert_close(&value, &Module::<Tensor>::forward(&net, &points()).unwrap(), 1e-15, "value");
    assert_eq!(jacobian.dims(), [3, 2, 3]);
    let x = ansatz_core::candle::Var::from_tensor(&points()).unwrap();
    for output in 0..2 {
        let y: Tensor = net.forward(x.as_tensor()).unwrap();
        // Outputs of one point depend on that point only.
        let sum = y.narrow(1, output, 1).unwrap().sum_all().unwrap();
        let reverse = sum.backward().unwrap().get(&x).unwrap().clone();
        let forward = jacobian.narrow(1, output, 1).unwrap().squeeze(1).unwrap();
        assert_close(&forward, &reverse, 1e-14, "jacobian");
    }
}

#[test]
fn hessians_and_laplacians() {
    let net = Net::new(3, 2);
    let h = hessian(&net, &points()).unwrap();
    assert_eq!(h.dims(), [3, 2, 3, 3]);
    let transposed = h.transpose(2, 3).unwrap();
    assert_eq!(values(&h), values(&transposed), "symmetric to the bit");
    let mut trace = Tensor::zeros((3, 2), h.dtype(), h.device()).unwrap();
    for i in 0..3 {
        for j in 0..3 {
            let entry =
                h.narrow(2, i, 1).unwrap().narrow(3, j, 1).unwrap().reshape((3, 2)).unwrap();
            let partial = mixed_partial(&net, &points(), &[i, j]).unwrap();
            assert_close(&entry, &partial, 1e-13, "entry");
            if i == j {
                trace = (trace + entry).unwrap();
            }
        }
    }
    assert_close(&laplacian(&net, &points()).unwrap(), &trace, 1e-13, "laplacian");
    // One coordinate, one output.
    let net = Net::new(1, 1);
    let x = generic(&[4, 1], 0.0);
    let second = hessian(&net, &x).unwrap();
    assert_eq!(second.dims(), [4, 1, 1, 1]);
    assert_close(
        &second.reshape((4, 1)).unwrap(),
        &laplacian(&net, &x).unwrap(),
        1e-14,
        "one coordinate",
    );
}

#[test]
fn harmonic_functions_have_no_laplacian() {
    // 1/|x| in three dimensions; e^x cos y and the wave operator on sin(x) cos(t).
    let newton = |p: &ForwardLaplacian| p.sqr()?.sum_keepdim(1)?.powf(-0.5);
    let zero = laplacian(&newton, &points()).unwrap();
    assert_close(&zero, &zero.zeros_like().unwrap(), 1e-14, "1/r");
    let control = |p: &ForwardLaplacian| p.sqr()?.sum_keepdim(1)?.powf(-0.6);
    assert!(values(&laplacian(&control, &points()).unwrap()).iter().all(|v| v.abs() > 0.05));

    let seed = ForwardLaplacian::seed_weighted(&points(), &[-1.0, 1.0, 0.0]).unwrap();
    let wave = coordinate(&seed, 0).unwrap().cos().unwrap();
    let wave = wave.mul(&coordinate(&seed, 1).unwrap().sin().unwrap()).unwrap();
    let residual = wave.laplacian().unwrap();
    assert_close(&residual, &residual.zeros_like().unwrap(), 1e-15, "wave equation");
}

#[test]
fn directional_derivatives_in_closed_form() {
    // u = exp(w·x) has k-th derivative (w·v)ᵏ u.
    let w = Tensor::new(&[[0.4f64, -0.7, 1.1]], &Device::Cpu).unwrap();
    let v = Tensor::new(&[1.0f64, 0.5, -0.2], &Device::Cpu).unwrap();
    let model = |p: &Jet| p.dense(&w, None)?.exp();
    let got = directional_derivatives(&model, &points(), &v, 6).unwrap();
    assert_eq!(got.dims(), [7, 3, 1]);
    let slope: f64 = 0.4 - 0.35 - 0.22;
    for k in 0..=6 {
        let expected: Vec<f64> = POINTS
            .iter()
            .map(|p| slope.powi(k) * (0.4 * p[0] - 0.7 * p[1] + 1.1 * p[2]).exp())
            .collect();
        let expected = Tensor::from_vec(expected, (3, 1), &Device::Cpu).unwrap();
        let got = got.get(k as usize).unwrap();
        for (g, e) in values(&got).iter().zip(values(&expected)) {
            assert!((g - e).abs() <= 1e-12 * e.abs(), "order {k}: {g:e} vs {e:e}");
        }
    }
}

#[test]
fn forward_and_reverse_products_are_adjoint() {
    let net = Net::new(3, 2);
    let (v, w) = (generic(&[3, 3], 0.7), generic(&[3, 2], 0.8));
    let (value, tangent) = jvp(&net, &points(), &v).unwrap();
    let (outputs, pullback) = ansatz_ops::vjp(
        |inputs| Ok(vec![Module::<Tensor>::forward(&net, &inputs[0])?]),
        &[points()],
    )
    .unwrap();
    assert_close(&value, &outputs[0], 1e-15, "value");
    let cotangent = pullback.apply(std::slice::from_ref(&w)).unwrap().inputs.remove(0);
    let dot = |a: &Tensor, b: &Tensor| values(&(a * b).unwrap()).iter().sum::<f64>();
    let (left, right) = (dot(&w, &tangent), dot(&cotangent, &v));
    assert!((left - right).abs() < 1e-13, "{left} vs {right}");
}

//! Every operation of `TensorLike` on jets and forward Laplacians against plain tensors.

use ansatz_core::{
    ForwardLaplacian, Jet, Module, Result, TensorLike,
    candle::{Device, Tensor},
    gradient, hessian, laplacian,
};
use ansatz_ops::{GradCheck, gradcheck};
use proptest::prelude::*;

use crate::{assert_close, generic, values};

/// One operation between curved functions of points `[2, 4]`.
#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    constants: [(&'static [usize], f64); 2],
}

const OPERATIONS: &[(&str, [&[usize]; 2])] = &[
    ("add", [&[], &[]]),
    ("add lower rank", [&[], &[]]),
    ("add higher rank", [&[], &[]]),
    ("sub", [&[], &[]]),
    ("mul", [&[], &[]]),
    ("mul both broadcast", [&[], &[]]),
    ("mul with itself", [&[], &[]]),
    ("div", [&[], &[]]),
    ("neg scale sqr", [&[], &[]]),
    ("add_scalar", [&[], &[]]),
    ("add_constant", [&[3], &[]]),
    ("add_constant of higher rank", [&[4, 1, 2, 1], &[]]),
    ("mul_constant", [&[2, 1], &[]]),
    ("mul_constant of higher rank", [&[4, 1, 1, 3], &[]]),
    ("matmul", [&[], &[]]),
    ("matmul broadcast", [&[], &[]]),
    ("matmul of transposes", [&[], &[]]),
    ("matmul with many batch axes", [&[], &[]]),
    ("matmul_constant", [&[3, 5], &[]]),
    ("matmul_constant of higher rank", [&[3, 1, 3, 2], &[]]),
    ("dense", [&[5, 3], &[5]]),
    ("dense without bias", [&[5, 3], &[]]),
    ("conv1d", [&[4, 1, 2], &[]]),
    ("conv2d", [&[3, 1, 2, 2], &[]]),
    ("sum_keepdim", [&[], &[]]),
    ("sum", [&[], &[]]),
    ("sum_all", [&[], &[]]),
    ("mean_keepdim", [&[], &[]]),
    ("mean", [&[], &[]]),
    ("mean_all", [&[], &[]]),
    ("reshape", [&[], &[]]),
    ("broadcast_as", [&[], &[]]),
    ("transpose", [&[], &[]]),
    ("narrow", [&[], &[]]),
    ("unsqueeze squeeze", [&[], &[]]),
    ("index_select", [&[], &[]]),
    ("cat", [&[], &[]]),
    ("tanh sin cos", [&[], &[]]),
    ("exp ln sqrt", [&[], &[]]),
    ("recip powf powi", [&[], &[]]),
    ("sigmoid softplus silu", [&[], &[]]),
    ("gelu gelu_tanh erf", [&[], &[]]),
    ("relu abs", [&[], &[]]),
    ("softmax last", [&[], &[]]),
    ("softmax first", [&[], &[]]),
    ("layer_norm", [&[3], &[3]]),
    ("layer_norm plain", [&[], &[]]),
    ("general linear map", [&[], &[]]),
    ("general bilinear map", [&[], &[]]),
];

fn operations() -> impl Iterator<Item = Operation> {
    OPERATIONS.iter().map(|&(name, [a, b])| Operation { name, constants: [(a, 0.7), (b, 1.9)] })
}

impl Operation {
    fn constants(&self) -> Vec<Tensor> {
        self.constants.iter().map(|(dims, phase)| generic(dims, *phase)).collect()
    }

    /// The operation on `a(x)` `[2, 2, 3]` and `b(x)` `[2, 3, 2]`.
    fn apply<T: TensorLike>(&self, x: &T, constants: &[Tensor]) -> Result<T> {
        let a = x.dense(&generic(&[6, 4], 0.1), None)?.sin()?.reshape((2, 2, 3))?;
        let b = x.dense(&generic(&[6, 4], 0.5), None)?.exp()?.reshape((2, 3, 2))?;
        let row = a.sum(0)?.sum(0)?; // [3]
        let [c, d] = constants else { unreachable!() };
        match self.name {
            "add" => a.add(&b.transpose(1, 2)?),
            "add lower rank" => row.add(&a),
            "add higher rank" => a.add(&row.reshape((3, 1, 1, 1))?),
            "sub" => row.sub(&a),
            "mul" => a.mul(&b.transpose(1, 2)?),
            "mul both broadcast" => a.mul(&b.narrow(1, 0, 1)?.reshape((2, 1, 2, 1))?),
            "mul with itself" => a.mul(&a),
            "div" => a.div(&b.transpose(1, 2)?),
            "neg scale sqr" => a.neg()?.scale(1.7)?.sqr(),
            "add_scalar" => a.add_scalar(0.3)?.sqr(),
            "add_constant" | "add_constant of higher rank" => a.add_constant(c)?.sqr(),
            "mul_constant" | "mul_constant of higher rank" => a.mul_constant(c),
            "matmul" => a.matmul(&b),
            "matmul broadcast" => a.matmul(&b.narrow(0, 1, 1)?.squeeze(0)?),
            "matmul of transposes" => a.transpose(1, 2)?.matmul(&b.transpose(1, 2)?),
            "matmul with many batch axes" => {
                let left = a.reshape((2, 1, 1, 2, 3))?;
                left.matmul(&b.narrow(0, 0, 1)?.reshape((1, 1, 3, 2))?.cat_twice(0)?)
            }
            "matmul_constant" | "matmul_constant of higher rank" => a.matmul_constant(c),
            "dense" => a.dense(c, Some(d)),
            "dense without bias" => a.dense(c, None),
            "conv1d" => a.conv1d(c, 1, 2, 1, 2),
            "conv2d" => a.unsqueeze(1)?.conv2d(c, 1, 1, 1, 1),
            "sum_keepdim" => a.sum_keepdim(1),
            "sum" => a.sum(2),
            "sum_all" => a.sum_all(),
            "mean_keepdim" => a.mean_keepdim(0),
            "mean" => a.mean(1),
            "mean_all" => a.mean_all(),
            "reshape" => a.reshape((3, 4)),
            "broadcast_as" => row.broadcast_as((2, 4, 3)),
            "transpose" => a.transpose(0, 2),
            "narrow" => a.narrow(2, 1, 2),
            "unsqueeze squeeze" => a.unsqueeze(3)?.narrow(0, 1, 1)?.squeeze(0),
            "index_select" => a.index_select(&Tensor::new(&[2u32, 0, 2], &Device::Cpu)?, 2),
            "cat" => T::cat(&[&a, &b.transpose(1, 2)?, &a.narrow(1, 0, 1)?], 1),
            "tanh sin cos" => a.tanh()?.sin()?.cos(),
            "exp ln sqrt" => a.exp()?.sqrt()?.add_scalar(1.0)?.ln(),
            "recip powf powi" => a.powi(3)?.add_scalar(3.0)?.powf(1.3)?.recip(),
            "sigmoid softplus silu" => a.sigmoid()?.softplus()?.silu(),
            "gelu gelu_tanh erf" => a.gelu()?.gelu_tanh()?.erf(),
            "relu abs" => a.relu()?.add(&a.abs()?.scale(0.3)?)?.mul(&a),
            "softmax last" => a.softmax(2),
            "softmax first" => a.softmax(0),
            "layer_norm" => a.layer_norm(Some(c), Some(d), 1e-3),
            "layer_norm plain" => a.layer_norm(None, None, 1e-3),
            "general linear map" => a.linear(|t| t.cumsum(1)?.contiguous()?.flip(&[2])),
            "general bilinear map" => a.bilinear(&row, |s, t| {
                s.unsqueeze(3)?.broadcast_mul(&t.reshape((1, 1, 1, 3))?)?.sum(2)
            }),
            name => unreachable!("{name}"),
        }
    }
}

trait CatTwice: TensorLike {
    fn cat_twice(&self, dim: usize) -> Result<Self> {
        Self::cat(&[self, self], dim)
    }
}
impl<T: TensorLike> CatTwice for T {}

fn points() -> Tensor {
    (generic(&[2, 4], 0.35) * 0.8).unwrap()
}

#[test]
fn values_agree_with_plain_tensors() {
    for op in operations() {
        let (x, c) = (points(), op.constants());
        let plain = op.apply(&x, &c).unwrap();
        for order in 0..3 {
            let jet = Jet::seed(&x, &generic(&[3, 4], 0.0), order).unwrap();
            let y = op.apply(&jet, &c).unwrap_or_else(|e| panic!("{}: {e}", op.name));
            assert_close(&y.value().unwrap(), &plain, 1e-14, op.name);
            assert_close(&y.primal().unwrap(), &plain, 1e-14, op.name);
            assert_eq!((y.order(), y.directions()), (order, 3));
        }
        let y = op.apply(&ForwardLaplacian::seed(&x).unwrap(), &c).unwrap();
        assert_close(&y.primal().unwrap(), &plain, 1e-14, op.name);
    }
}

#[test]
fn each_order_is_the_derivative_of_the_one_below() {
    let h = 1e-5;
    for op in operations() {
        let (x, c) = (points(), op.constants());
        let directions = generic(&[2, 2, 4], 0.6); // two directions, each point its own
        let at = |s: f64, direction: usize| {
            let v = directions.get(direction).unwrap();
            let shifted = (&x + (v * s).unwrap()).unwrap();
            op.apply(&Jet::seed(&shifted, &directions, 4).unwrap(), &c).unwrap()
        };
        for direction in 0..2 {
            let (minus, centre, plus) = (at(-h, direction), at(0.0, direction), at(h, direction));
            for k in 0..4 {
                let difference = (plus.coefficient(k, direction).unwrap()
                    - minus.coefficient(k, direction).unwrap())
                .unwrap();
                let numeric = (difference * (0.5 / h / (k + 1) as f64)).unwrap();
                let exact = centre.coefficient(k + 1, direction).unwrap();
                assert_close(&exact, &numeric, 2e-8, &format!("{} order {k}", op.name));
            }
        }
    }
}

#[test]
fn forward_laplacians_agree_with_jets() {
    for op in operations() {
        let (x, c) = (points(), op.constants());
        // One point at a time, so that every output depends on four coordinates only.
        let shift = x.get(1).unwrap();
        let jets = |p: &Jet| op.apply(&both(p, &shift)?, &c);
        let forward = |p: &ForwardLaplacian| op.apply(&both(p, &shift)?, &c);
        let point = x.get(0).unwrap();
        let y = forward(&ForwardLaplacian::seed(&point).unwrap()).unwrap();
        let jacobian = gradient(&jets, &point).unwrap();
        let hessians = hessian(&jets, &point).unwrap();
        let rank = hessians.rank();
        let mask = Tensor::eye(4, point.dtype(), point.device()).unwrap();
        let diagonal = hessians.broadcast_mul(&mask).unwrap().sum(rank - 1).unwrap();
        let trace = diagonal.sum(rank - 2).unwrap();
        let rows: Vec<usize> = (1..rank - 1).chain([0]).collect();
        assert_close(
            &y.gradient().unwrap().permute(rows).unwrap(),
            &jacobian,
            1e-12,
            &format!("gradient of {}", op.name),
        );
        assert_close(&y.laplacian().unwrap(), &trace, 1e-11, op.name);
        assert_close(&laplacian(&forward, &point).unwrap(), &trace, 1e-11, op.name);

        let weights = [0.5, -2.0, 0.0, 1.5];
        let seed = ForwardLaplacian::seed_weighted(&point, &weights).unwrap();
        let weighted = forward(&seed).unwrap().laplacian().unwrap();
        let w = Tensor::new(&weights, &Device::Cpu).unwrap();
        let expected = diagonal.broadcast_mul(&w).unwrap().sum(rank - 2).unwrap();
        assert_close(&weighted, &expected, 1e-11, &format!("weighted {}", op.name));
    }
}

/// Points `[2, 4]` of which the second follows the first.
fn both<T: TensorLike>(p: &T, shift: &Tensor) -> Result<T> {
    let p = p.unsqueeze(0)?;
    T::cat(&[&p, &p.mul_constant(shift)?], 0)
}

#[test]
fn reverse_rules() {
    for op in operations() {
        let mut inputs = vec![points(), generic(&[2, 4], 0.9)];
        inputs.extend(op.constants());
        gradcheck(
            |v| {
                let directions = Tensor::stack(&[&v[1], &v[0]], 0)?;
                let jet = Jet::seed(&v[0], &directions, 3)?;
                Ok(op.apply(&jet, &v[2..])?.stack().clone())
            },
            &inputs,
            &GradCheck { relative: 1e-5, ..GradCheck::default() },
        )
        .unwrap_or_else(|e| panic!("{}: {e}", op.name));
    }
}

#[test]
fn reverse_rules_of_forward_laplacians() {
    for op in operations() {
        let mut inputs = vec![points()];
        inputs.extend(op.constants());
        gradcheck(
            |v| {
                let seed = ForwardLaplacian::seed_weighted(&v[0], &[1.0, -0.5, 2.0, 0.3])?;
                let u = op.apply(&seed.mul(&seed)?, &v[1..])?;
                let all = [u.value()?.unsqueeze(0)?, u.gradient()?, u.laplacian()?.unsqueeze(0)?];
                Ok(Tensor::cat(&all, 0)?)
            },
            &inputs,
            &GradCheck { relative: 1e-5, ..GradCheck::default() },
        )
        .unwrap_or_else(|e| panic!("{}: {e}", op.name));
    }
}

#[test]
fn products_of_series_in_closed_form() {
    // (1 + t)³ (1 − t)² along one direction.
    let zero = Tensor::zeros(1, ansatz_core::candle::DType::F64, &Device::Cpu).unwrap();
    let t = Jet::seed(&zero, &zero.ones_like().unwrap().unsqueeze(0).unwrap(), 6).unwrap();
    let one = t.add_scalar(1.0).unwrap();
    let cube = one.mul(&one).unwrap().mul(&one).unwrap();
    let other = t.neg().unwrap().add_scalar(1.0).unwrap();
    let y = cube.mul(&other.sqr().unwrap()).unwrap();
    assert_eq!(values(y.stack()), [1.0, 1.0, -2.0, -2.0, 1.0, 1.0, 0.0]);
    // Softmax of (t, 0) is the logistic function of t.
    let pair = Jet::cat(&[&t, &t.scale(0.0).unwrap()], 0).unwrap();
    let softmax = pair.softmax(0).unwrap().narrow(0, 0, 1).unwrap();
    let expected = t.sigmoid().unwrap();
    assert_close(softmax.stack(), expected.stack(), 1e-15, "softmax");
}

fn model<T: TensorLike>(x: &T, w: &Tensor, b: &Tensor) -> Result<T> {
    let y = x.dense(w, Some(b))?.tanh()?;
    let last = y.shape()?.rank() - 1;
    y.mul(&y.sum_keepdim(last)?)?.add(&y.narrow(last, 0, 1)?)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// A jet along several directions is the jets along each of them; order 0 is the plain tensor.
    #[test]
    fn directions_do_not_interact(
        dims in prop::collection::vec(0usize..4, 0..4),
        features in 1usize..4,
        directions in 0usize..4,
        order in 0usize..4,
    ) {
        let dims = [dims, vec![features]].concat();
        let weight = generic(&[3, features], 0.2);
        let bias = generic(&[3], 0.3);
        let x = generic(&dims, 0.1);
        let v = generic(&[vec![directions], dims.clone()].concat(), 0.5);
        let y = model(&Jet::seed(&x, &v, order).unwrap(), &weight, &bias).unwrap();
        let plain = model(&x, &weight, &bias).unwrap();
        assert_close(&y.value().unwrap(), &plain, 1e-14, "value");
        for d in 0..directions {
            let single = Jet::seed(&x, &v.narrow(0, d, 1).unwrap(), order).unwrap();
            let single = model(&single, &weight, &bias).unwrap();
            for k in 0..=order {
                assert_close(
                    &y.coefficient(k, d).unwrap(),
                    &single.coefficient(k, 0).unwrap(),
                    1e-14,
                    "coefficient",
                );
            }
        }
        if order == 0 {
            prop_assert_eq!(values(&y.value().unwrap()), values(&plain));
        }
    }

    /// Shapes of sums and products follow candle's broadcasting.
    #[test]
    fn shapes_broadcast_like_tensors(
        full in prop::collection::vec(1usize..4, 1..4),
        ones in prop::collection::vec(any::<bool>(), 4),
        dropped in 0usize..3,
        order in 0usize..3,
    ) {
        let small: Vec<usize> = full.iter().zip(&ones).skip(dropped)
            .map(|(&n, &one)| if one { 1 } else { n }).collect();
        let (a, b) = (generic(&full, 0.1), generic(&small, 0.4));
        let jet = |t: &Tensor| {
            Jet::seed(t, &Tensor::full(0.7, 2, &Device::Cpu).unwrap()
                .reshape([vec![2], vec![1; t.rank()]].concat()).unwrap(), order).unwrap()
        };
        for swap in [false, true] {
            let (l, r) = if swap { (&b, &a) } else { (&a, &b) };
            let (jl, jr) = (jet(l), jet(r));
            let sum = jl.add(&jr).unwrap();
            let product = jl.mul(&jr).unwrap();
            let difference = jl.sub(&jr).unwrap();
            assert_close(&sum.value().unwrap(), &l.broadcast_add(r).unwrap(), 1e-15, "sum");
            assert_close(&difference.value().unwrap(), &l.broadcast_sub(r).unwrap(), 1e-15, "difference");
            assert_close(&product.value().unwrap(), &l.broadcast_mul(r).unwrap(), 1e-15, "product");
            if order > 0 {
                let slope = (l.broadcast_add(r).unwrap() * 0.7).unwrap();
                assert_close(&product.coefficient(1, 1).unwrap(), &slope, 1e-15, "slope");
            }
        }
    }
}

#[test]
fn modules_take_jets() {
    let net = crate::Net::new(4, 2);
    let y = net.forward(&Jet::seed(&points(), &generic(&[1, 4], 0.0), 2).unwrap()).unwrap();
    assert_eq!(y.shape().dims(), [2, 2]);
}

//! Fused dense layers: values against plain loops and single operations, gradients, memory plans,
//! threads, stacks against finite differences of the network itself.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_ops::{
    Dense, Error, GradCheck, Pointwise, Stack, dense, dense_chain, dense_stack, gradcheck,
};
use candle_core::{DType, Device, Tensor, Var};

fn wave(dims: &[usize], phase: f64) -> Tensor {
    let n: usize = dims.iter().product();
    let values: Vec<f64> = (0..n).map(|i| 0.6 * (phase + 1.37 * i as f64).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

/// A network `sizes[0]–…–sizes[last]`: `[w0, b0, w1, b1, …]`.
fn network(sizes: &[usize]) -> Vec<Tensor> {
    sizes
        .windows(2)
        .enumerate()
        .flat_map(|(l, s)| [wave(&[s[1], s[0]], 0.3 + l as f64), wave(&[s[1]], 2.0 + l as f64)])
        .collect()
}

/// The layers of [`network`], activated but for the last.
fn layers(parameters: &[Tensor], f: Pointwise) -> Vec<Dense<'_>> {
    let count = parameters.len() / 2;
    let layer = |l: usize| Dense {
        weight: &parameters[2 * l],
        bias: Some(&parameters[2 * l + 1]),
        activation: (l + 1 < count).then_some(f),
    };
    (0..count).map(layer).collect()
}

/// The same by candle's operations.
fn composed(x: &Tensor, layers: &[Dense<'_>]) -> Tensor {
    let mut h = x.clone();
    for layer in layers {
        h = h.broadcast_matmul(&layer.weight.t().unwrap()).unwrap();
        if let Some(b) = layer.bias {
            h = h.broadcast_add(b).unwrap();
        }
        if let Some(f) = layer.activation {
            h = f.apply(&h).unwrap();
        }
    }
    h
}

const SMOOTH: [Pointwise; 4] =
    [Pointwise::Tanh, Pointwise::Sin, Pointwise::Gelu, Pointwise::Softplus];

#[test]
fn one_layer_by_hand() {
    let (x, w, b) = (wave(&[5, 3], 0.1), wave(&[4, 3], 0.7), wave(&[4], 1.1));
    let got = dense(&x, &w, Some(&b), Some(Pointwise::Tanh)).unwrap();
    let (x, w, b) = (x.to_vec2::<f64>().unwrap(), w.to_vec2::<f64>().unwrap(), flat(&b));
    for (i, row) in got.to_vec2::<f64>().unwrap().iter().enumerate() {
        for (o, y) in row.iter().enumerate() {
            let sum: f64 = x[i].iter().zip(&w[o]).map(|(x, w)| x * w).sum();
            assert!((y - (sum + b[o]).tanh()).abs() < 1e-15);
        }
    }
}

#[test]
fn chains_equal_single_operations() {
    for sizes in [&[3usize, 7][..], &[2, 20, 1], &[5, 17, 33, 4], &[20, 3, 2, 40]] {
        let parameters = network(sizes);
        for dims in [vec![sizes[0]], vec![9, sizes[0]], vec![2, 37, sizes[0]]] {
            for f in SMOOTH {
                let x = wave(&dims, 0.4);
                let layers = layers(&parameters, f);
                let got = dense_chain(&x, &layers).unwrap();
                let rows = x.reshape(((), sizes[0])).unwrap();
                let want = composed(&rows, &layers);
                assert_eq!(&got.dims()[..dims.len() - 1], &dims[..dims.len() - 1]);
                assert!(difference(&flat(&got), &flat(&want)) < 1e-13, "{sizes:?} {f:?}");
            }
        }
    }
    // Single precision.
    let parameters: Vec<Tensor> =
        network(&[3, 40, 40, 2]).iter().map(|p| p.to_dtype(DType::F32).unwrap()).collect();
    let x = wave(&[50, 3], 0.2).to_dtype(DType::F32).unwrap();
    let layers = layers(&parameters, Pointwise::Tanh);
    let got = flat(&dense_chain(&x, &layers).unwrap());
    assert!(difference(&got, &flat(&composed(&x, &layers))) < 1e-5);
}

#[test]
fn gradients_of_layers_and_chains() {
    for f in [None, Some(Pointwise::Tanh), Some(Pointwise::Sin), Some(Pointwise::Gelu)] {
        let one = |v: &[Tensor]| dense(&v[0], &v[1], Some(&v[2]), f);
        let inputs = [wave(&[2, 3, 4], 0.1), wave(&[5, 4], 0.7), wave(&[5], 1.1)];
        gradcheck(one, &inputs, &GradCheck::default()).unwrap();
        let without = |v: &[Tensor]| dense(&v[0], &v[1], None, f);
        gradcheck(without, &inputs[..2], &GradCheck::default()).unwrap();
        // The input as a constant, the weight as a constant, strided operands.
        let [x, w, b] = &inputs;
        let constant = |v: &[Tensor]| dense(x, &v[0], Some(&v[1]), f);
        gradcheck(constant, &[w.clone(), b.clone()], &GradCheck::default()).unwrap();
        let constant = |v: &[Tensor]| dense(&v[0], w, Some(&v[1]), f);
        gradcheck(constant, &[x.clone(), b.clone()], &GradCheck::default()).unwrap();
        let strided = |v: &[Tensor]| dense(&v[0].t()?, &v[1].t()?, None, f);
        let inputs = [wave(&[4, 6], 0.1), wave(&[4, 5], 0.7)];
        gradcheck(strided, &inputs, &GradCheck::default()).unwrap();
    }
    for f in SMOOTH {
        let mut inputs = network(&[2, 6, 5, 3]);
        inputs.insert(0, wave(&[7, 2], 0.1));
        let chain = |v: &[Tensor]| {
            let mut layers = layers(&v[1..], f);
            layers[2].activation = Some(f);
            dense_chain(&v[0], &layers)
        };
        gradcheck(chain, &inputs, &GradCheck::default()).unwrap();
    }
}

fn gradient(y: &Tensor, of: &Var) -> Vec<f64> {
    let weights = wave(y.dims(), 0.9).to_dtype(y.dtype()).unwrap();
    let store = (y * weights).unwrap().sum_all().unwrap().backward().unwrap();
    flat(store.get(of).unwrap())
}

/// Batches so large that the tape is not kept, and several tasks of several blocks.
#[test]
fn large_batches_equal_single_operations() {
    let parameters: Vec<Var> =
        network(&[3, 50, 40, 2]).iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let tensors: Vec<Tensor> = parameters.iter().map(|p| p.as_tensor().clone()).collect();
    let x = Var::from_tensor(&wave(&[4321, 3], 0.2)).unwrap();
    for f in [Pointwise::Tanh, Pointwise::Sin] {
        let layers = layers(&tensors, f);
        let (ours, theirs) = (dense_chain(&x, &layers).unwrap(), composed(&x, &layers));
        assert!(difference(&flat(&ours), &flat(&theirs)) < 1e-13);
        for v in parameters.iter().chain([&x]) {
            let (a, b) = (gradient(&ours, v), gradient(&theirs, v));
            assert!(difference(&a, &b) < 1e-10, "{f:?} {:?}", v.dims());
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let parameters: Vec<Var> =
        network(&[3, 60, 60, 2]).iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let tensors: Vec<Tensor> = parameters.iter().map(|p| p.as_tensor().clone()).collect();
    let layers = layers(&tensors, Pointwise::Tanh);
    let run = |x: &Tensor, stack: &Stack| {
        let y = dense_stack(x, stack, &layers).unwrap().unwrap();
        (flat(&y), gradient(&y, &parameters[2]))
    };
    let series = Stack::Series { order: 2, directions: 2 };
    for (x, stack) in [(wave(&[3000, 3], 0.1), Stack::Value), (wave(&[5, 900, 3], 0.1), series)] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&x, &stack))
        };
        let one = on(1);
        assert!(one == on(2) && one == on(3));
    }
}

/// `u(x + t v)` for a small network, in plain f64.
fn along(parameters: &[Tensor], f: Pointwise, x: &[f64], v: &[f64], t: f64) -> Vec<f64> {
    let moved: Vec<f64> = x.iter().zip(v).map(|(x, v)| x + t * v).collect();
    let moved = Tensor::from_vec(moved, (1, x.len()), &Device::Cpu).unwrap();
    flat(&composed(&moved, &layers(parameters, f)))
}

/// The Taylor coefficients 0 … 4 at 0 of a function of one number: those of the polynomial of
/// degree 12 through 13 Chebyshev points.
fn coefficients(u: impl Fn(f64) -> f64) -> [f64; 5] {
    const N: usize = 13;
    let radius = 0.35;
    let nodes: Vec<f64> = (0..N)
        .map(|i| radius * (std::f64::consts::PI * (i as f64 + 0.5) / N as f64).cos())
        .collect();
    // Newton's divided differences, expanded in powers.
    let mut table: Vec<f64> = nodes.iter().map(|t| u(*t)).collect();
    for level in 1..N {
        for i in (level..N).rev() {
            table[i] = (table[i] - table[i - 1]) / (nodes[i] - nodes[i - level]);
        }
    }
    let mut powers = [0.0; N];
    for i in (0..N).rev() {
        for k in (1..N).rev() {
            powers[k] = powers[k - 1] - nodes[i] * powers[k];
        }
        powers[0] = table[i] - nodes[i] * powers[0];
    }
    std::array::from_fn(|k| powers[k])
}

#[test]
fn series_of_networks() {
    let parameters = network(&[2, 6, 5, 2]);
    let (points, directions) = ([[0.2, -0.4], [0.7, 0.1], [-0.3, 0.5]], [[1.0, 0.0], [0.6, -0.8]]);
    for f in SMOOTH {
        for order in 1..=4 {
            // [1 + order · 2, 3, 2]: value, first coefficients, zeros.
            let mut rows = points.concat();
            for v in directions {
                rows.extend(points.iter().flat_map(|_| v));
            }
            rows.resize((1 + order * 2) * 6, 0.0);
            let x = Tensor::from_vec(rows, (1 + order * 2, 3, 2), &Device::Cpu).unwrap();
            let stack = Stack::Series { order, directions: 2 };
            let y = dense_stack(&x, &stack, &layers(&parameters, f)).unwrap().unwrap();
            let y = y.to_vec3::<f64>().unwrap();
            for (p, point) in points.iter().enumerate() {
                for (d, v) in directions.iter().enumerate() {
                    for output in 0..2 {
                        let want = coefficients(|t| along(&parameters, f, point, v, t)[output]);
                        assert!((y[0][p][output] - want[0]).abs() < 1e-10);
                        for k in 1..=order {
                            let got = y[1 + (k - 1) * 2 + d][p][output];
                            assert!(
                                (got - want[k]).abs() < 2e-7,
                                "{f:?} {order} {k}: {got} {want:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn laplacians_of_networks() {
    let parameters = network(&[2, 6, 5, 2]);
    let weights = [1.5, -0.5];
    let point = [0.2, -0.4];
    for f in SMOOTH {
        let x = Tensor::new(&[[point], [[1.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]]], &Device::Cpu)
            .unwrap();
        let stack = Stack::Laplacian { weights: weights.to_vec() };
        let y = dense_stack(&x, &stack, &layers(&parameters, f)).unwrap().unwrap();
        let y = y.to_vec3::<f64>().unwrap();
        for output in 0..2 {
            let mut laplacian = 0.0;
            for (i, w) in weights.iter().enumerate() {
                let mut v = [0.0; 2];
                v[i] = 1.0;
                let c = coefficients(|t| along(&parameters, f, &point, &v, t)[output]);
                assert!((y[1 + i][0][output] - c[1]).abs() < 1e-9);
                laplacian += w * 2.0 * c[2];
            }
            assert!((y[3][0][output] - laplacian).abs() < 1e-7, "{f:?}");
        }
    }
}

#[test]
fn gradients_of_stacks() {
    let stacks = [
        Stack::Series { order: 0, directions: 2 },
        Stack::Series { order: 1, directions: 3 },
        Stack::Series { order: 2, directions: 2 },
        Stack::Series { order: 3, directions: 1 },
        Stack::Series { order: 4, directions: 2 },
        Stack::Laplacian { weights: vec![1.0, 1.0] },
        Stack::Laplacian { weights: vec![0.5, -2.0, 1.0] },
        Stack::Laplacian { weights: vec![] },
    ];
    for stack in stacks {
        for f in SMOOTH {
            let mut inputs = network(&[2, 5, 3]);
            inputs.insert(0, wave(&[stack.rows(), 3, 2], 0.1));
            let run = |v: &[Tensor], last: Option<Pointwise>| {
                let mut layers = layers(&v[1..], f);
                layers[1].activation = last;
                Ok(dense_stack(&v[0], &stack, &layers)?.unwrap())
            };
            gradcheck(|v| run(v, None), &inputs, &GradCheck::default()).unwrap();
            gradcheck(|v| run(v, Some(f)), &inputs, &GradCheck::default()).unwrap();
        }
    }
}

/// Kept tape and recomputed tape, one block and many, give the same gradient.
#[test]
fn large_stacks_equal_small_ones() {
    let parameters: Vec<Var> =
        network(&[2, 30, 30, 1]).iter().map(|p| Var::from_tensor(p).unwrap()).collect();
    let tensors: Vec<Tensor> = parameters.iter().map(|p| p.as_tensor().clone()).collect();
    let layers = layers(&tensors, Pointwise::Tanh);
    for stack in
        [Stack::Series { order: 2, directions: 2 }, Stack::Laplacian { weights: vec![1.0, 2.0] }]
    {
        let x = Var::from_tensor(&wave(&[stack.rows(), 1501, 2], 0.3)).unwrap();
        let whole = dense_stack(&x, &stack, &layers).unwrap().unwrap();
        let parts: Vec<Tensor> = [(0, 7), (7, 500), (507, 994)]
            .iter()
            .map(|&(start, n)| {
                let part = x.narrow(1, start, n).unwrap();
                dense_stack(&part, &stack, &layers).unwrap().unwrap()
            })
            .collect();
        let parts = Tensor::cat(&parts, 1).unwrap();
        assert!(difference(&flat(&whole), &flat(&parts)) < 1e-12);
        for v in parameters.iter().chain([&x]) {
            assert!(difference(&gradient(&whole, v), &gradient(&parts, v)) < 1e-9);
        }
    }
}

#[test]
fn what_has_no_kernel_is_said() {
    let parameters = network(&[2, 3]);
    let layers = layers(&parameters, Pointwise::Tanh);
    let high = Stack::Series { order: 5, directions: 1 };
    assert!(dense_stack(&wave(&[6, 4, 2], 0.1), &high, &layers).unwrap().is_none());
    let empty = Tensor::zeros((0, 2), DType::F64, &Device::Cpu).unwrap();
    assert_eq!(dense_chain(&empty, &layers).unwrap().dims(), [0, 3]);
    // Half precision takes the composition.
    let half: Vec<Tensor> = parameters.iter().map(|p| p.to_dtype(DType::BF16).unwrap()).collect();
    let x = wave(&[4, 2], 0.1);
    let Ok(got) = dense(&x.to_dtype(DType::BF16).unwrap(), &half[0], Some(&half[1]), None) else {
        return; // candle's own product does not take it on every machine
    };
    assert!(difference(&flat(&got), &flat(&dense_chain(&x, &layers).unwrap())) < 2e-2);
}

#[test]
fn bad_input_is_an_error() {
    let (x, w, b) = (wave(&[5, 3], 0.1), wave(&[4, 3], 0.7), wave(&[4], 1.1));
    let shape = |r: ansatz_ops::Result<Tensor>| matches!(r, Err(Error::Shape { .. }));
    assert!(shape(dense(&wave(&[5, 2], 0.1), &w, Some(&b), None)));
    assert!(shape(dense(&x, &b, None, None)));
    assert!(shape(dense(&x, &w, Some(&wave(&[3], 0.0)), None)));
    assert!(shape(dense(&wave(&[], 0.0), &w, None, None)));
    let twice = [Dense { weight: &w, bias: None, activation: None }; 2];
    assert!(shape(dense_chain(&x, &twice)));
    assert!(matches!(dense_chain(&x, &[]), Err(Error::Count { .. })));
    let single = w.to_dtype(DType::F32).unwrap();
    assert!(matches!(dense(&x, &single, None, None), Err(Error::DType { .. })));
    let stack = Stack::Series { order: 1, directions: 2 };
    assert!(matches!(dense_stack(&x, &stack, &twice[..1]), Err(Error::Shape { .. })));
}

//! What is timed on the CPU and on the device: f32, one call of the step with everything it needs
//! on the device already, until the device has finished it.
use ansatz::core::TensorLike;
use ansatz::nn::{Adam, AdamConfig, Optimizer};
use ansatz::ode::{Rk4, solve};
use ansatz::ops::fft::Complex;
use ansatz::ops::scan::{Direction, linear_recurrence};
use ansatz::ops::wavelet::{Boundary, Wavelet, dwt};
use ansatz::ops::{Conv, Edges, Padding, conv, gather_segment_sum, segment_softmax, spectral_conv};
use candle_core::{Device, Tensor, Var};

use super::TimingLine;
use super::suite::burgers;
use crate::AnyError;
use crate::bench::{Rules, bias, inputs, r2, targets, timed, weight};

/// How large the workloads are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// As timed.
    Full,
    /// So small that a test can run them all.
    Quick,
}

impl Size {
    fn of(self, full: usize, quick: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// One call of what is timed; returns the result or the loss, still on the device.
pub type Step = Box<dyn FnMut() -> Result<Tensor, AnyError>>;

/// One workload: how to set it up on a device.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// As the table shows it.
    pub name: &'static str,
    /// Puts data and parameters on the device and returns the step.
    pub set_up: fn(&Device, Size) -> Result<Step, AnyError>,
}

/// Every workload.
pub fn workloads() -> Vec<Workload> {
    vec![
        Workload { name: "matmul 2048 x 2048", set_up: matmul },
        Workload { name: "tanh of 10,000,000", set_up: tanh },
        Workload { name: "MLP 64-512-512-1, batch 4096, Adam step", set_up: training_step },
        Workload { name: "O3 neural ODE, batch 256, gradient", set_up: |d, s| o3(d, s.of(256, 8)) },
        Workload { name: "O3 with batch 16,384", set_up: |d, s| o3(d, s.of(16_384, 16)) },
        Workload { name: "P1 Burgers by jets, 10,000 points, Adam step", set_up: p1 },
        Workload { name: "Fourier layer 16x32x64x64, gradient", set_up: fourier_layer },
        Workload { name: "conv 16x32x64x64, circular, gradient", set_up: convolution },
        Workload { name: "gather + segment sum, 1M edges x 64", set_up: messages },
        Workload { name: "segment softmax, 1M edges x 4, gradient", set_up: attention },
        Workload { name: "linear recurrence 16x4096x64, gradient", set_up: recurrence },
        Workload { name: "dwt, Daubechies 4, 256x16,384", set_up: wavelets },
    ]
}

impl Workload {
    /// Times the workload on the CPU, and on the device unless that is the CPU.
    ///
    /// # Errors
    /// When the CPU cannot do it; a failure of the device is in the line.
    pub fn time(&self, device: &Device, size: Size) -> Result<TimingLine, AnyError> {
        let rules = match size {
            Size::Full => Rules { budget_s: 3.0, ..Rules::default() },
            Size::Quick => Rules { min_runs: 1, budget_s: 0.0, ..Rules::default() },
        };
        let seconds = |device: &Device| -> Result<f64, AnyError> {
            let mut step = (self.set_up)(device, size)?;
            let ((), timing) = timed(&rules, || {
                step()?;
                Ok(device.synchronize()?)
            })?;
            Ok(timing.median_s)
        };
        let cpu = seconds(&Device::Cpu)?;
        let there = (!device.is_cpu()).then(|| seconds(device));
        Ok(TimingLine::new(self.name, cpu, there))
    }
}

fn single(values: Vec<f64>, shape: &[usize], device: &Device) -> Result<Tensor, AnyError> {
    let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
    Ok(Tensor::from_vec(values, shape, device)?)
}

/// `w0, b0, w1, b1, …` by the formulas of the benchmarks.
fn network(sizes: &[usize], device: &Device) -> Result<Vec<Var>, AnyError> {
    let mut vars = Vec::new();
    for (layer, pair) in sizes.windows(2).enumerate() {
        let (fan_in, fan_out) = (pair[0], pair[1]);
        for (values, shape) in [
            (weight(fan_out, fan_in, layer), vec![fan_out, fan_in]),
            (bias(fan_out, layer), vec![fan_out]),
        ] {
            vars.push(Var::from_tensor(&single(values, &shape, device)?)?);
        }
    }
    Ok(vars)
}

fn tensors(vars: &[Var]) -> Vec<Tensor> {
    vars.iter().map(|v| v.as_tensor().clone()).collect()
}

/// Dense layers with tanh between them.
fn perceptron<T: TensorLike>(x: &T, parameters: &[Tensor]) -> ansatz::core::Result<T> {
    let mut h = x.clone();
    for (layer, pair) in parameters.chunks_exact(2).enumerate() {
        if layer > 0 {
            h = h.tanh()?;
        }
        h = h.dense(&pair[0], Some(&pair[1]))?;
    }
    Ok(h)
}

fn matmul(device: &Device, size: Size) -> Result<Step, AnyError> {
    let n = size.of(2048, 32);
    let (a, b) = (single(inputs(n, n), &[n, n], device)?, single(targets(n, n), &[n, n], device)?);
    Ok(Box::new(move || Ok(a.matmul(&b)?)))
}

fn tanh(device: &Device, size: Size) -> Result<Step, AnyError> {
    let x = single(inputs(size.of(10_000, 10), 1000), &[size.of(10_000, 10), 1000], device)?;
    Ok(Box::new(move || Ok(TensorLike::tanh(&x)?)))
}

fn training_step(device: &Device, size: Size) -> Result<Step, AnyError> {
    let (batch, width) = (size.of(4096, 16), size.of(512, 8));
    let vars = network(&[64, width, width, 1], device)?;
    let x = single(inputs(batch, 64), &[batch, 64], device)?;
    let y = single(targets(batch, 1), &[batch, 1], device)?;
    let parameters = tensors(&vars);
    let mut adam = Adam::new(vars, AdamConfig::new(1e-3))?;
    Ok(Box::new(move || {
        let loss = (perceptron(&x, &parameters)? - &y)?.sqr()?.mean_all()?;
        adam.backward_step(&loss)?;
        Ok(loss)
    }))
}

/// The loss of [`o3`] with batch 256, computed in f64.
pub(crate) const O3_LOSS: f64 = 1.5418194886638774;

/// Loss and gradient of the neural ODE of the benchmark O3, with its 20 fixed steps.
pub(crate) fn o3(device: &Device, batch: usize) -> Result<Step, AnyError> {
    let vars = network(&[2, 64, 64, 2], device)?;
    let y0 = single(inputs(batch, 2), &[batch, 2], device)?;
    let target = single(targets(batch, 2), &[batch, 2], device)?;
    Ok(Box::new(move || {
        let parameters = tensors(&vars);
        let field = move |_: f64, y: &Tensor| perceptron(y, &parameters);
        let end = solve(field, y0.clone(), (0.0, 1.0)).with(Rk4).steps(20).run()?.y_end;
        let loss = (end - &target)?.sqr()?.mean_all()?;
        loss.backward()?.get(&vars[0]).ok_or("a weight received no gradient")?;
        Ok(loss)
    }))
}

/// The benchmark P1: mean square residual of Burgers' equation, its gradient and a step of Adam.
fn p1(device: &Device, size: Size) -> Result<Step, AnyError> {
    let n = size.of(10_000, 16);
    let vars = network(&[2, 32, 32, 32, 32, 1], device)?;
    let points: Vec<f64> = r2(n, 0).into_iter().flat_map(|[a, b]| [2.0 * a - 1.0, b]).collect();
    let points = single(points, &[n, 2], device)?;
    let parameters = tensors(&vars);
    let mut adam = Adam::new(vars, AdamConfig::new(1e-3))?;
    Ok(Box::new(move || {
        let residual = burgers(&points, |p| perceptron(p, &parameters))?;
        let loss = residual.sqr()?.mean_all()?;
        adam.backward_step(&loss)?;
        Ok(loss)
    }))
}

/// `step(variable)`, and the gradient of the sum of its squares.
fn with_gradient(
    shape: &[usize],
    device: &Device,
    step: impl Fn(&Tensor) -> Result<Tensor, AnyError> + 'static,
) -> Result<Step, AnyError> {
    let (rows, columns) = (shape[0], shape[1..].iter().product());
    let x = Var::from_tensor(&single(inputs(rows, columns), shape, device)?)?;
    Ok(Box::new(move || {
        let loss = step(x.as_tensor())?.sqr()?.sum_all()?;
        loss.backward()?.get(&x).ok_or("the input received no gradient")?;
        Ok(loss)
    }))
}

/// The layer of a Fourier neural operator, 12 × 12 modes.
fn fourier_layer(device: &Device, size: Size) -> Result<Step, AnyError> {
    let (batch, channels, n, modes) =
        (size.of(16, 2), size.of(32, 3), size.of(64, 8), size.of(12, 3));
    let part = |values| single(values, &[channels, channels, 2 * modes, modes], device);
    let rows = channels * channels;
    let weight = Complex::new(
        part(inputs(rows, 2 * modes * modes))?,
        part(targets(rows, 2 * modes * modes))?,
    )?;
    with_gradient(&[batch, channels, n, n], device, move |x| {
        Ok(spectral_conv(x, &weight, &[n, n])?)
    })
}

fn convolution(device: &Device, size: Size) -> Result<Step, AnyError> {
    let (batch, channels, n) = (size.of(16, 2), size.of(32, 3), size.of(64, 8));
    let kernel = single(targets(channels * channels, 9), &[channels, channels, 3, 3], device)?;
    let ring = Conv::<2>::default().padded(1, Padding::Circular);
    with_gradient(&[batch, channels, n, n], device, move |x| Ok(conv(x, &kernel, None, &ring)?))
}

/// A random graph with ten edges for each node.
fn graph(edges: usize) -> Result<Edges, AnyError> {
    let nodes = edges / 10;
    let pairs = r2(edges, 0);
    let ids = |i: usize| {
        let ids: Vec<u32> = pairs.iter().map(|p| (p[i] * nodes as f64) as u32).collect();
        Tensor::new(ids, &Device::Cpu)
    };
    Ok(Edges::new(&ids(0)?, &ids(1)?, nodes, nodes)?)
}

fn messages(device: &Device, size: Size) -> Result<Step, AnyError> {
    let edges = graph(size.of(1_000_000, 100))?;
    let nodes = edges.by_source().count();
    let x = single(inputs(nodes, 64), &[nodes, 64], device)?;
    Ok(Box::new(move || Ok(gather_segment_sum(&x, None, &edges)?)))
}

fn attention(device: &Device, size: Size) -> Result<Step, AnyError> {
    let edges = graph(size.of(1_000_000, 100))?;
    with_gradient(&[edges.len(), 4], device, move |x| Ok(segment_softmax(x, edges.by_target())?))
}

fn recurrence(device: &Device, size: Size) -> Result<Step, AnyError> {
    let shape = [size.of(16, 2), size.of(4096, 32), size.of(64, 3)];
    let factors = (single(targets(shape[0], shape[1] * shape[2]), &shape, device)? * 0.5)?;
    with_gradient(&shape, device, move |x| {
        Ok(linear_recurrence(&factors, x, None, 1, Direction::Forward)?)
    })
}

fn wavelets(device: &Device, size: Size) -> Result<Step, AnyError> {
    let (rows, n) = (size.of(256, 2), size.of(16_384, 64));
    let x = single(inputs(rows, n), &[rows, n], device)?;
    Ok(Box::new(move || {
        Ok(dwt(&x, 1, Wavelet::Daubechies(4), Boundary::Symmetric, 4)?.approximation)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_runs_and_is_timed_once_where_there_is_one_device() {
        for workload in workloads() {
            let line = workload.time(&Device::Cpu, Size::Quick).unwrap();
            assert!(line.cpu_s > 0.0, "{line:?}");
            assert_eq!((line.device_s, line.ratio, line.error), (None, None, None));
        }
    }

    #[test]
    fn the_neural_ode_is_that_of_the_benchmark() {
        let loss = o3(&Device::Cpu, 256).unwrap()().unwrap().to_scalar::<f32>().unwrap();
        // The reference of O3 with 20 steps of RK4, in f64.
        assert!((f64::from(loss) / O3_LOSS - 1.0).abs() < 1e-6, "{loss}");
    }

    #[test]
    fn training_steps_train() {
        for set_up in [training_step, p1] {
            let mut step = set_up(&Device::Cpu, Size::Quick).unwrap();
            let losses: Vec<f32> = (0..30).map(|_| step().unwrap().to_scalar().unwrap()).collect();
            assert!(losses[29] < 0.9 * losses[0], "{losses:?}");
        }
    }
}

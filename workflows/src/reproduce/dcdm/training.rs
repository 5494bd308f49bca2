//! Training without solutions, on the residual that the best step along a direction leaves.
use ansatz::core::Key;
use ansatz::linalg::faer::Mat;
use ansatz::linalg::{Dense, Edge, LinearOperator as _, Stencil, SymmetricEigen, Vector as _};
use ansatz::nn::{Adam, AdamConfig, Optimizer, Parameters, Schedule};
use ansatz::ops::{Conv, Padding, conv};
use candle_core::{Device, Tensor};

use super::network::Network;
use crate::AnyError;

/// Residuals trained on at once.
const BATCH: usize = 4;
/// Steps after which a residual makes way for a new one.
const LIFE: u64 = 12;

/// Some steps on cubes of one size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub(super) n: usize,
    pub(super) ritz_vectors: usize,
    pub(super) steps: u64,
    pub(super) rate: f64,
}

/// Trains the network and returns the mean loss over the first and over the last tenth of the steps.
///
/// A batch holds right-hand sides and what is left of others after one step and more along the
/// directions of the network: these it will meet when it solves, and what it is bad at stays in
/// them and is met again.
pub(super) fn train(
    network: &Network,
    parameters: &Parameters,
    stage: Stage,
    key: &Key,
) -> Result<[f64; 2], AnyError> {
    let basis = ritz_vectors(stage.n, stage.ritz_vectors, &key.fold_in_str("basis"))?;
    let draws = key.fold_in_str("draws");
    let mut adam = Adam::for_parameters(parameters, AdamConfig::new(stage.rate))?;
    let schedule = Schedule::Cosine {
        peak: stage.rate,
        floor: 0.01 * stage.rate,
        warmup: 0,
        steps: stage.steps,
    };
    let fresh = |step: u64, slot: usize| {
        right_hand_side(&basis, stage.n, &draws.fold_in(step).fold_in(slot as u64))
    };
    let mut residuals =
        (0..BATCH).map(|slot| fresh(0, slot)).collect::<Result<Vec<Tensor>, AnyError>>()?;
    let mut losses = Vec::new();
    for step in 0..stage.steps {
        let batch = Tensor::cat(&residuals, 0)?;
        let (loss, left) = loss(network, &batch)?;
        adam.set_learning_rate(schedule.at(step));
        adam.backward_step(&loss)?;
        losses.push(f64::from(loss.to_scalar::<f32>()?));
        let left = normalised(&left)?;
        for (slot, residual) in residuals.iter_mut().enumerate() {
            // The slots take turns, so that every batch has residuals of all ages.
            let turn = (slot as u64 * LIFE) / BATCH as u64;
            *residual = if (step + 1 + turn).is_multiple_of(LIFE) {
                fresh(step + 1, slot)?
            } else {
                left.narrow(0, slot, 1)?
            };
        }
    }
    let tenth = losses.len().div_ceil(10);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    Ok([mean(&losses[..tenth]), mean(&losses[losses.len() - tenth..])])
}

/// The mean of `‖r − α A f(r)‖² / ‖r‖²` with the α that makes it smallest, and the residuals that
/// are left, cut off from the network.
pub(super) fn loss(network: &Network, r: &Tensor) -> Result<(Tensor, Tensor), AnyError> {
    let image = laplacian(&network.forward(r)?)?;
    let inner = |a: &Tensor, b: &Tensor| -> Result<Tensor, AnyError> {
        Ok((a * b)?.flatten_from(1)?.sum_keepdim(1)?.reshape((a.dims()[0], 1, 1, 1, 1))?)
    };
    let scale = (inner(r, &image)? / inner(&image, &image)?)?;
    let left = (r - image.broadcast_mul(&scale)?)?;
    let loss = (inner(&left, &left)? / inner(r, r)?)?.mean_all()?;
    Ok((loss, left.detach()))
}

/// With a root mean square of one in each of the batch.
pub(super) fn normalised(r: &Tensor) -> Result<Tensor, AnyError> {
    let size = r.sqr()?.flatten_from(1)?.mean_keepdim(1)?.sqrt()?;
    Ok(r.broadcast_div(&size.reshape((r.dims()[0], 1, 1, 1, 1))?)?)
}

/// The matrix of the whole cube, on tensors.
fn laplacian(x: &Tensor) -> Result<Tensor, AnyError> {
    let mut stencil = [0f64; 27];
    stencil[13] = 6.0;
    for neighbour in [4, 10, 12, 14, 16, 22] {
        stencil[neighbour] = -1.0;
    }
    let stencil = Tensor::new(&stencil, x.device())?.reshape((1, 1, 3, 3, 3))?;
    let options = Conv::<3>::default().padded(1, Padding::Zeros);
    Ok(conv(x, &stencil.to_dtype(x.dtype())?, None, &options)?)
}

/// As the paper makes them: a combination of the Ritz vectors with normal coefficients, those of
/// the lower half and a little more nine times as large.
fn right_hand_side(basis: &Tensor, n: usize, key: &Key) -> Result<Tensor, AnyError> {
    let count = basis.dims()[0];
    let low = count / 2 + count / 20;
    let draws = key.normal(count);
    let coefficients: Vec<f32> = draws
        .iter()
        .enumerate()
        .map(|(i, c)| (if i < low { 9.0 * c } else { *c }) as f32)
        .collect();
    let coefficients = Tensor::from_vec(coefficients, (1, count), &Device::Cpu)?;
    normalised(&coefficients.matmul(basis)?.reshape((1, 1, n, n, n))?)
}

/// Approximate eigenvectors of the matrix of the cube `[count, n³]` in f32, those of the smallest
/// eigenvalues first: Lanczos' method with complete reorthogonalisation, from `A` times noise.
fn ritz_vectors(n: usize, count: usize, key: &Key) -> Result<Tensor, AnyError> {
    let a = Stencil::laplacian(&[n; 3], &[1.0; 3], &[Edge::Zero; 3])?;
    let mut projected = Mat::<f64>::zeros(count, count);
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    let mut next = a.apply(&key.normal(n.pow(3)))?;
    for k in 0..count {
        let size = next.norm2()?;
        for x in &mut next {
            *x /= size;
        }
        if k > 0 {
            projected[(k - 1, k)] = size;
            projected[(k, k - 1)] = size;
        }
        let mut image = a.apply(&next)?;
        projected[(k, k)] = next.inner(&image)?;
        vectors.push(std::mem::take(&mut next));
        // Once is not enough: what is taken off is as large as what remains is small.
        for _ in 0..2 {
            for v in &vectors {
                let part = v.inner(&image)?;
                image.axpby(1.0, -part, v)?;
            }
        }
        next = image;
    }
    let eigen = SymmetricEigen::new(&Dense::new(projected)?)?;
    let columns = eigen.vectors();
    let rotation: Vec<f32> =
        (0..count * count).map(|i| columns[(i % count, i / count)] as f32).collect();
    let rotation = Tensor::from_vec(rotation, (count, count), &Device::Cpu)?;
    let lanczos: Vec<f32> = vectors.iter().flatten().map(|x| *x as f32).collect();
    Ok(rotation.matmul(&Tensor::from_vec(lanczos, (count, n.pow(3)), &Device::Cpu)?)?)
}

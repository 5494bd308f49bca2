//! Three methods on the same system: their residuals and their times.
use std::time::Instant;

use ansatz::core::Key;
use ansatz::linalg::{Cg, ConjugateDirections, Ic0, Iterative, Outcome, Solution};
use candle_core::{Device, Tensor};

use super::network::Network;
use super::problem::Domain;
use super::training::normalised;
use crate::AnyError;

/// The reduction of the residual asked for; the paper asks for four orders of magnitude.
pub(super) const TOLERANCE: f64 = 1e-6;

/// What one method did to one system.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) residuals: Vec<f64>,
    pub(super) seconds: f64,
    converged: bool,
}

impl Run {
    fn new(solution: &Solution<Vec<f64>>, started: Instant) -> Self {
        let start = solution.residuals[0];
        Self {
            residuals: solution.residuals.iter().map(|r| r / start).collect(),
            seconds: started.elapsed().as_secs_f64(),
            converged: solution.outcome == Outcome::Converged,
        }
    }

    /// Iterations to a relative residual; infinitely many if it was not reached.
    pub(super) fn iterations(&self, tolerance: f64) -> f64 {
        let at = self.residuals.iter().position(|r| *r <= tolerance);
        at.filter(|_| self.converged).map_or(f64::INFINITY, |at| at as f64)
    }
}

/// CG, IC-PCG and DCDM.
pub(super) type Runs = [Run; 3];
pub(super) const METHODS: [&str; 3] = ["CG", "IC-PCG", "DCDM"];
pub(super) const CG: usize = 0;
pub(super) const IC: usize = 1;
pub(super) const DCDM: usize = 2;

/// The three methods on a domain, for a right-hand side of a fluid solver and for a point source.
pub(super) fn compare(network: &Network, domain: &Domain) -> Result<[Runs; 2], AnyError> {
    let a = domain.matrix()?;
    let solve = |b: &Vec<f64>| -> Result<Runs, AnyError> {
        let plain = Iterative::new(Cg).relative(TOLERANCE);
        let started = Instant::now();
        let cg = Run::new(&plain.run(&a, b, None)?, started);
        // The factorisation counts: it belongs to this matrix. The training does not.
        let started = Instant::now();
        let cholesky = plain.preconditioner(Ic0::new(&a)?);
        let ic = Run::new(&cholesky.run(&a, b, None)?, started);
        let generator = |r: &Vec<f64>| direction(network, domain, r);
        let deep = Iterative::new(ConjugateDirections { generator, memory: 2 });
        let started = Instant::now();
        let deep = deep.relative(TOLERANCE).iterations(200).run(&a, b, None)?;
        Ok([cg, ic, Run::new(&deep, started)])
    };
    Ok([solve(&domain.divergence(&Key::new(7)))?, solve(&domain.point_source())?])
}

/// The network's answer to a residual, in f32: it is a direction only, the solver stays in f64.
pub(super) fn direction(
    network: &Network,
    domain: &Domain,
    residual: &[f64],
) -> ansatz::linalg::Result<Vec<f64>> {
    let n = domain.n;
    // The residual is scaled before it is rounded: late ones are small.
    let size = residual.iter().fold(0f64, |size, r| size.max(r.abs())).max(f64::MIN_POSITIVE);
    let mut cells = vec![0f32; n * n * n];
    for (&cell, r) in domain.fluid.iter().zip(residual) {
        cells[cell] = (r / size) as f32;
    }
    let r = Tensor::from_vec(cells, (1, 1, n, n, n), &Device::Cpu)?;
    let answer = normalised(&r)
        .and_then(|r| Ok(network.forward(&r)?.flatten_all()?.to_vec1::<f32>()?))
        .map_err(ansatz::core::Error::Custom)?;
    Ok(domain.fluid.iter().map(|&cell| f64::from(answer[cell])).collect())
}

//! The systems to solve: pressure on a cube of cells, whole or with a solid sphere inside.
use ansatz::core::Key;
use ansatz::linalg::Sparse;
use ansatz::linalg::nalgebra_sparse::CooMatrix;

use crate::AnyError;

/// A cube of `n³` cells of which some are fluid.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    pub(super) n: usize,
    /// The cells of the fluid, in the order of the unknowns.
    pub(super) fluid: Vec<usize>,
}

impl Domain {
    /// Nothing but fluid: what the network is trained on.
    pub(super) fn cube(n: usize) -> Self {
        Self { n, fluid: (0..n * n * n).collect() }
    }

    /// Fluid around a solid sphere off the centre, of a quarter of the edge across.
    pub(super) fn with_sphere(n: usize) -> Self {
        let outside = |&cell: &usize| {
            let offsets =
                middle(n, cell).into_iter().zip([0.4, 0.55, 0.5]).map(|(x, c)| (x - c).powi(2));
            offsets.sum::<f64>() > 0.125f64.powi(2)
        };
        Self { n, fluid: (0..n * n * n).filter(outside).collect() }
    }

    /// The negative 7-point Laplacian times the squared spacing: zero pressure beyond the cube, no
    /// flow through the surface of the solid.
    pub(super) fn matrix(&self) -> Result<Sparse, AnyError> {
        let mut unknown = vec![None; self.n.pow(3)];
        for (i, &cell) in self.fluid.iter().enumerate() {
            unknown[cell] = Some(i);
        }
        let mut entries = CooMatrix::new(self.fluid.len(), self.fluid.len());
        for (i, &cell) in self.fluid.iter().enumerate() {
            let mut diagonal = 6.0;
            for neighbour in neighbours(self.n, cell).into_iter().flatten() {
                match unknown[neighbour] {
                    Some(j) => entries.push(i, j, -1.0),
                    None => diagonal -= 1.0,
                }
            }
            entries.push(i, i, diagonal);
        }
        Ok(Sparse::from_coo(&entries)?)
    }

    /// The divergence of a smooth random velocity: what a step of a fluid solver asks to be
    /// corrected. A sum of plane waves of at most five periods along an edge.
    pub(super) fn divergence(&self, key: &Key) -> Vec<f64> {
        let draws = key.normal(24 * 7);
        let waves: Vec<_> = draws
            .chunks(7)
            .map(|d| {
                // A normal number times two, cut off at five, makes a wave number.
                let k = [d[0], d[1], d[2]].map(|z| (2.0 * z).round().clamp(-5.0, 5.0));
                let along = k[0] * d[3] + k[1] * d[4] + k[2] * d[5];
                (k, along, 10.0 * d[6])
            })
            .collect();
        let at = |&cell: &usize| {
            let x = middle(self.n, cell);
            let wave = |(k, along, phase): &([f64; 3], f64, f64)| {
                let turns = k[0] * x[0] + k[1] * x[1] + k[2] * x[2];
                along * (std::f64::consts::TAU * turns + phase).cos()
            };
            waves.iter().map(wave).sum()
        };
        self.fluid.iter().map(at).collect()
    }

    /// A source in one cell of the fluid.
    pub(super) fn point_source(&self) -> Vec<f64> {
        let n = self.n;
        let source = (n / 3 * n + n / 2) * n + 2 * n / 3;
        self.fluid.iter().map(|&cell| f64::from(u8::from(cell == source))).collect()
    }
}

/// The middle of a cell of the unit cube.
fn middle(n: usize, cell: usize) -> [f64; 3] {
    [cell / (n * n), cell / n % n, cell % n].map(|i| (i as f64 + 0.5) / n as f64)
}

fn neighbours(n: usize, cell: usize) -> [Option<usize>; 6] {
    let strides = [n * n, n, 1];
    std::array::from_fn(|side| {
        let stride = strides[side / 2];
        let at = cell / stride % n;
        if side % 2 == 0 {
            (at > 0).then(|| cell - stride)
        } else {
            (at + 1 < n).then(|| cell + stride)
        }
    })
}

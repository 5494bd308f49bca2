//! Cycles over the grids.

use super::{
    MultigridConfig,
    config::{Cycle, Smoother},
    hierarchy::Hierarchy,
    level::Level,
};
use crate::Result;

/// The vectors of a grid but the finest.
#[derive(Debug)]
struct Vectors {
    u: Vec<f64>,
    f: Vec<f64>,
}

/// What the polynomial smoothers need besides, as long as the finest grid.
#[derive(Debug)]
struct Scratch {
    correction: Vec<f64>,
    direction: Vec<f64>,
}

/// The memory that cycles need.
#[derive(Debug)]
pub(super) struct Workspace {
    coarse: Vec<Vectors>,
    scratch: Scratch,
}

impl Workspace {
    pub(super) fn new(hierarchy: &Hierarchy, config: &MultigridConfig) -> Self {
        let sizes = hierarchy.levels[1..].iter().map(|level| level.grid.len());
        let coarse = sizes.map(|n| Vectors { u: vec![0.0; n], f: vec![0.0; n] }).collect();
        let n = hierarchy.levels[0].grid.len();
        let with = |needed: bool| if needed { vec![0.0; n] } else { Vec::new() };
        let polynomial = !matches!(config.smoother, Smoother::RedBlack);
        let chebyshev = matches!(config.smoother, Smoother::Chebyshev { .. });
        let scratch = Scratch { correction: with(polynomial), direction: with(chebyshev) };
        Self { coarse, scratch }
    }
}

/// Where a cycle is.
#[derive(Debug, Clone, Copy)]
struct Visit {
    cycle: Cycle,
    depth: usize,
    /// The values are to be taken as zero, whatever they are.
    zero: bool,
}

/// Smoothing before the correction (of values to be taken as zero?) or after it.
#[derive(Debug, Clone, Copy)]
enum Stage {
    Before { zero: bool },
    After,
}

/// One cycle's settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cycles<'a> {
    pub(super) hierarchy: &'a Hierarchy,
    pub(super) config: &'a MultigridConfig,
    /// Whether the smoothing after the correction is the transpose of that before it: needed for a
    /// preconditioner, but Gauss–Seidel in the same order on both sides converges faster.
    pub(super) symmetric: bool,
}

impl Cycles<'_> {
    /// Improves `u`; if `zero`, from zeros, whatever `u` holds.
    pub(super) fn cycle(
        &self,
        u: &mut [f64],
        f: &[f64],
        zero: bool,
        work: &mut Workspace,
    ) -> Result<()> {
        let visit = Visit { cycle: self.config.cycle, depth: 0, zero };
        self.descend(visit, u, f, &mut work.coarse, &mut work.scratch)
    }

    /// Full multigrid: solves on the coarsest grid, and on each finer one makes a cycle from what the
    /// grid before has found (A. Brandt, Math. Comp. 31, 1977; W. Briggs, V. Henson, S. McCormick,
    /// *A Multigrid Tutorial*, 2000, ch. 3).
    pub(super) fn full(&self, u: &mut [f64], f: &[f64], work: &mut Workspace) -> Result<()> {
        self.full_from(0, u, f, &mut work.coarse, &mut work.scratch)
    }

    fn full_from(
        &self,
        depth: usize,
        u: &mut [f64],
        f: &[f64],
        coarse: &mut [Vectors],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Some((next, rest)) = coarse.split_first_mut() else {
            return self.hierarchy.solve_coarsest(u, f);
        };
        let transfer = &self.hierarchy.transfers[depth];
        let size = transfer.fine.plane();
        let plane = |i: usize, out: &mut [f64]| out.copy_from_slice(&f[i * size..(i + 1) * size]);
        transfer.restrict(plane, &mut next.f);
        self.full_from(depth + 1, &mut next.u, &next.f, rest, scratch)?;
        u.fill(0.0);
        transfer.add_prolonged(&next.u, u);
        self.hierarchy.levels[depth].settle_walls(transfer.maps, u, f);
        let visit = Visit { cycle: self.config.cycle, depth, zero: false };
        self.descend(visit, u, f, coarse, scratch)
    }

    fn descend(
        &self,
        visit: Visit,
        u: &mut [f64],
        f: &[f64],
        coarse: &mut [Vectors],
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Visit { cycle, depth, zero } = visit;
        let Some((next, rest)) = coarse.split_first_mut() else {
            return self.hierarchy.solve_coarsest(u, f);
        };
        let (level, transfer) = (&self.hierarchy.levels[depth], &self.hierarchy.transfers[depth]);
        self.smooth(level, Stage::Before { zero }, u, f, scratch);
        transfer.restrict(|i, out| level.residual(i, u, f, out), &mut next.f);
        // On the coarsest grid one solve is exact.
        let second = if rest.is_empty() { None } else { cycle.second() };
        for (k, cycle) in [Some(cycle), second].into_iter().flatten().enumerate() {
            let below = Visit { cycle, depth: depth + 1, zero: k == 0 };
            self.descend(below, &mut next.u, &next.f, rest, scratch)?;
        }
        transfer.add_prolonged(&next.u, u);
        self.smooth(level, Stage::After, u, f, scratch);
        Ok(())
    }

    fn smooth(&self, level: &Level, stage: Stage, u: &mut [f64], f: &[f64], scratch: &mut Scratch) {
        let (count, mut zero, backwards) = match stage {
            Stage::Before { zero } => (self.config.before, zero, false),
            Stage::After => (self.config.after, false, self.symmetric),
        };
        if zero && (count == 0 || self.config.smoother != Smoother::RedBlack) {
            u.fill(0.0);
            zero = false;
        }
        let n = level.grid.len();
        for _ in 0..count {
            match self.config.smoother {
                Smoother::RedBlack => level.sweep(u, f, zero, backwards),
                Smoother::Jacobi { damping } => {
                    let z = &mut scratch.correction[..n];
                    level.correction(u, f, z);
                    add(2.0 * damping / level.largest, z, u);
                }
                Smoother::Chebyshev { degree, lower } => {
                    let Scratch { correction, direction } = scratch;
                    let extra = [&mut correction[..n], &mut direction[..n]];
                    chebyshev(level, degree, lower, u, f, extra);
                }
            }
            zero = false;
        }
    }
}

/// The polynomial in `D⁻¹A` that is smallest between `lower` of its largest eigenvalue and that
/// (Y. Saad, *Iterative Methods for Sparse Linear Systems*, 2003, algorithm 12.1).
fn chebyshev(
    level: &Level,
    degree: usize,
    lower: f64,
    u: &mut [f64],
    f: &[f64],
    extra: [&mut [f64]; 2],
) {
    let [z, d] = extra;
    let (centre, half) = (0.5 * level.largest * (1.0 + lower), 0.5 * level.largest * (1.0 - lower));
    let sigma = centre / half;
    let mut rho = sigma.recip();
    for k in 0..degree {
        level.correction(u, f, z);
        if k == 0 {
            d.fill(0.0);
            add(centre.recip(), z, d);
        } else {
            let next = (2.0 * sigma - rho).recip();
            for d in &mut *d {
                *d *= next * rho;
            }
            add(2.0 * next / half, z, d);
            rho = next;
        }
        add(1.0, d, u);
    }
}

/// `y ← y + a x`.
fn add(a: f64, x: &[f64], y: &mut [f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x);
}

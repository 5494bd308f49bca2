//! All grids of a multigrid method, from the problem's own to the coarsest: [`Hierarchy`].

use faer::Mat;

use super::{
    coarse::coarsen,
    level::{Level, Matrix},
    transfer::{Ends, Transfer},
};
use crate::{Boundary, Cholesky, Dense, Diffusion, Error, Factorised, Result, Wall};

/// Grids of at most so many cells are solved directly: more where coefficients vary, since cells
/// larger than what varies represent it badly.
const DIRECT: usize = 64;
const DIRECT_VARYING: usize = 400;
/// A dense matrix for more would take more than 128 MB.
const MOST: usize = 4096;
/// An axis stays as it is while its coupling is weaker than this part of the strongest.
const WEAK: f64 = 0.5;

#[derive(Debug)]
pub(super) struct Hierarchy {
    pub(super) levels: Vec<Level>,
    /// From each level to the next.
    pub(super) transfers: Vec<Transfer>,
    coarsest: Cholesky,
}

impl Hierarchy {
    pub(super) fn new(problem: &Diffusion) -> Result<Self> {
        let mut level = Level::new(problem.grid(), Matrix::Seven(problem.seven().clone()));
        let (mut levels, mut transfers) = (Vec::new(), Vec::new());
        let ends = ends(problem);
        let direct = if problem.seven().is_separable() { DIRECT } else { DIRECT_VARYING };
        while level.grid.len() > direct {
            let halve = axes_to_halve(&level);
            if halve == [false; 3] {
                break;
            }
            let (transfer, matrix) = coarsen(&level.grid, &level.matrix, halve, ends);
            let coarse = Level::new(transfer.coarse, matrix);
            levels.push(level);
            transfers.push(transfer);
            level = coarse;
        }
        if level.grid.len() > MOST {
            return Err(Error::Factorisation {
                what: "coarsest grid of multigrid",
                reason: format!("{:?} cells cannot be made fewer", level.grid.n),
            });
        }
        let coarsest = factorise(&level, problem.is_singular())?;
        levels.push(level);
        Ok(Self { levels, transfers, coarsest })
    }

    /// `u ← A⁻¹ f` on the coarsest grid; of a singular problem the solution of zero mean.
    pub(super) fn solve_coarsest(&self, u: &mut [f64], f: &[f64]) -> Result<()> {
        u.copy_from_slice(f);
        self.coarsest.solve_in_place(u)
    }
}

/// Where cells are strongly coupled errors become smooth, and every other cell is enough: with
/// unequal spacings only along some axes (semi-coarsening; U. Trottenberg, C. Oosterlee, A. Schüller,
/// *Multigrid*, 2001, §5.2.3).
fn axes_to_halve(level: &Level) -> [bool; 3] {
    let strengths = level.strengths();
    let possible = |axis: usize| level.grid.n[axis] > 1;
    let strongest = (0..3).filter(|a| possible(*a)).map(|a| strengths[a]).fold(0.0, f64::max);
    std::array::from_fn(|axis| possible(axis) && strengths[axis] >= WEAK * strongest)
}

fn ends(problem: &Diffusion) -> [Ends; 3] {
    let mut ends = [None; 3];
    for (place, boundary) in problem.grid().places().zip(problem.boundaries()) {
        ends[place] = match boundary {
            Boundary::Periodic => None,
            Boundary::Walls(lower, upper) => Some([lower, upper].map(|w| *w == Wall::Neumann)),
        };
    }
    ends
}

fn factorise(level: &Level, singular: bool) -> Result<Cholesky> {
    let n = level.grid.len();
    let mut matrix = Mat::zeros(n, n);
    for (i, j, a) in level.entries() {
        matrix[(i, j)] += a;
    }
    if singular {
        // Constants, which the matrix maps to zero, are held by a term that does nothing else.
        let scale = (0..n).map(|i| matrix[(i, i)]).fold(0.0, f64::max);
        let term = if scale > 0.0 { scale / n as f64 } else { 1.0 };
        for i in 0..n {
            for j in 0..n {
                matrix[(i, j)] += term;
            }
        }
    }
    Cholesky::new(&Dense::new(matrix)?)
}

//! Linear systems and roots of tensors: solutions, and gradients through them.
use ansatz::core::{Module, Result as CoreResult, TensorLike};
use ansatz::linalg::{
    BiCgStab, BiCgStabRows, Cg, CgRows, Error, Gmres, Iterative, LinearSolver, Minres, Newton,
    NonlinearStopping, Properties, RootFinder, Stopping, TensorDiagonal, TensorMatrix,
    WithExactJacobian, implicit,
};
use candle_core::{DType, Tensor};

use crate::AnyError;
use crate::device::Check;

/// A matrix and a right-hand side.
const SYSTEM: &[&[usize]] = &[&[24, 24], &[24]];
const ROWS: &[&[usize]] = &[&[24, 24], &[5, 24]];
/// A solution is off by the tolerance of its solver, a gradient by that of its adjoint's.
const LOOSER: f64 = 10.0;

pub(super) fn checks() -> Vec<Check> {
    let value = |name, f| Check::new(name, SYSTEM, f).value_only().looser(LOOSER);
    let rows = |name, f| Check::new(name, ROWS, f).value_only().looser(LOOSER);
    vec![
        value("CG on tensors", |x| solved(&Iterative::new(Cg).relative(small(x)), x)),
        value("MINRES on tensors", |x| solved(&Iterative::new(Minres).relative(small(x)), x)),
        value("GMRES on tensors", |x| {
            solved(&Iterative::new(Gmres::default()).relative(small(x)), x)
        }),
        value("BiCGStab(l) on tensors", |x| {
            solved(&Iterative::new(BiCgStab::default()).relative(small(x)), x)
        }),
        value("preconditioned CG on tensors", |x| {
            let diagonal = (definite(&x[0])? * Tensor::eye(24, x[0].dtype(), x[0].device())?)?;
            let near = TensorDiagonal::new(diagonal.sum(1)?.recip()?);
            solved(&Iterative::new(Cg).preconditioner(near).relative(small(x)), x)
        }),
        rows("CG in rows", |x| {
            let (a, stopping) = (definite(&x[0])?, stopping(x));
            Ok(CgRows { stopping }.solve(|y| Ok(y.matmul(&a)?), &x[1])?.x)
        }),
        rows("BiCGStab in rows", |x| {
            let (a, stopping) = (definite(&x[0])?, stopping(x));
            Ok(BiCgStabRows { stopping }.solve(|y| Ok(y.matmul(&a)?), &x[1])?.x)
        }),
        Check::new("implicit linear solve", SYSTEM, |x| {
            let apply = |y: &Tensor, p: &[Tensor]| Ok(p[0].matmul(&y.unsqueeze(1)?)?.squeeze(1)?);
            let (a, solver) = (definite(&x[0])?, Iterative::new(Cg).relative(small(x)));
            Ok(implicit::linear_solve(apply, &[a], &x[1], Properties::SPD, solver)?)
        })
        .looser(LOOSER),
        Check::new("implicit fixed point", &[&[16, 16], &[4, 16]], |x| {
            // A contraction: an equilibrium layer.
            let parameters = [(&x[0] * 0.05)?, x[1].clone()];
            let detached = parameters.each_ref().map(Tensor::detach);
            let mut y = x[1].zeros_like()?;
            for _ in 0..60 {
                y = equilibrium(&y, &detached)?;
            }
            let solver = Iterative::new(Gmres::default()).relative(small(x));
            Ok(implicit::fixed_point(equilibrium, &y, &parameters, solver)?)
        })
        .looser(LOOSER),
        Check::new("Newton's method, implicit root", &[&[3, 7]], |x| {
            let (relative, krylov) = (small(x), Iterative::new(Gmres::default()));
            let newton = Newton::new(krylov.relative(1e-2));
            let stopping = NonlinearStopping { relative, ..NonlinearStopping::default() };
            let f = WithExactJacobian(Cubic { right: x[0].detach() });
            let y = newton.solve(&f, &x[0].zeros_like()?, &stopping)?.x;
            let condition = |y: &Tensor, p: &[Tensor]| -> Result<Tensor, Error> {
                Ok(Cubic { right: p[0].clone() }.forward(y)?)
            };
            Ok(implicit::root(condition, &y, &x[..1], krylov.relative(relative))?)
        })
        .looser(LOOSER),
        Check::new("projection onto the simplex", &[&[6, 9]], |x| {
            Ok(implicit::project_simplex(&x[0], 1.0)?)
        }),
    ]
}

/// As far as the numbers allow.
fn small(x: &[Tensor]) -> f64 {
    if x[0].dtype() == DType::F64 { 1e-13 } else { 2e-6 }
}

fn stopping(x: &[Tensor]) -> Stopping {
    Stopping { relative: small(x), ..Stopping::default() }
}

/// `I + X Xᵀ / n`.
fn definite(x: &Tensor) -> candle_core::Result<Tensor> {
    let n = x.dim(0)?;
    Tensor::eye(n, x.dtype(), x.device())? + (x.matmul(&x.t()?)? / n as f64)?
}

fn solved(solver: &impl LinearSolver<Tensor>, x: &[Tensor]) -> Result<Tensor, AnyError> {
    let a = TensorMatrix::new(definite(&x[0])?.detach(), Properties::SPD)?;
    Ok(solver.solve(&a, &x[1].detach())?.x)
}

fn equilibrium(y: &Tensor, p: &[Tensor]) -> Result<Tensor, Error> {
    Ok((y.matmul(&p[0])? + &p[1])?.tanh()?)
}

/// `y + y³ / 10 − b`, entry by entry.
struct Cubic {
    right: Tensor,
}

impl<T: TensorLike> Module<T> for Cubic {
    fn forward(&self, y: &T) -> CoreResult<T> {
        y.add(&y.powi(3)?.scale(0.1)?)?.add_constant(&self.right.neg()?)
    }
}

#![doc = include_str!("../README.md")]

mod amg;
mod direct;
mod error;
mod function;
#[cfg(feature = "candle")]
pub mod implicit;
mod iterative;
mod learned;
mod minimise;
mod multigrid;
mod nonlinear;
mod operator;
mod preconditioner;
mod scalar;
mod vector;

pub use amg::{Aggregation, SmoothedAggregation};
pub use ansatz_core as core;
pub use direct::{
    BandedLu, Cholesky, Direct, Eigen, Factorised, GeneralisedEigen, Inverse, LogDeterminant, Lu,
    Prepared, Qr, SparseCholesky, SparseLu, SparseQr, Svd, SymmetricEigen, TridiagonalLu,
    condition_1norm_estimate, eigenvalues,
};
pub use error::{Error, Result};
pub use faer;
pub use function::{Action, ExponentialAction, exponential, logarithm, phi_functions, square_root};
pub use iterative::{
    BiCgStab, Cg, Chebyshev, ConjugateDirections, Fgmres, Gmres, Iterative, IterativeMethod,
    LeastSquares, LinearSolver, Lsmr, Lsqr, Minres, Monitor, Outcome, Pause, Richardson, Solution,
    Stopping, System,
};
#[cfg(feature = "candle")]
pub use iterative::{BiCgStabRows, CgRows, RowSolutions};
pub use learned::{Chooser, ContextualTsallisInf, LearnedRelaxation, Relaxed, TsallisInf};
pub use minimise::{
    DampedLsmr, DampedQr, GaussNewton, Lbfgs, LeastSquaresSolver, LevenbergMarquardt, LinearModel,
    Minimum,
};
pub use multigrid::{Cycle, Multigrid, MultigridConfig, Smoother};
pub use nalgebra_sparse;
#[cfg(feature = "candle")]
pub use nonlinear::WithExactJacobian;
pub use nonlinear::{
    Anderson, Broyden, BroydenStart, Chord, FixedPoint, FixedPointMethod, Forcing, Newton,
    NonlinearStopping, Residual, Root, RootFinder, TrustRegion, WithJacobian,
};
pub use operator::{
    Assumed, Blocks, Boundary, Dense, Diagonal, DifferenceJacobian, Diffusion, Edge, End, Field,
    Identity, KroneckerProduct, KroneckerSum, LinearOperator, LowRank, Product, Properties, Scaled,
    Sparse, Stencil, Sum, Transposed, Tridiagonal, Wall, to_dense,
};
#[cfg(feature = "candle")]
pub use operator::{Jacobian, TensorDiagonal, TensorMatrix, TensorSparse};
pub use preconditioner::{AdditiveSchwarz, BlockJacobi, Ic0, Ilu0, Jacobi, Sor, Ssor};
pub use scalar::{ScalarSolution, bisection, bracket_minimum, bracket_root, brent, brent_minimum};
pub use vector::{Components, Vector};

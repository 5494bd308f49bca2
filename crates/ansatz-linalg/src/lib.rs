#![doc = include_str!("../README.md")]

mod amg;
mod direct;
mod error;
mod function;
#[cfg(feature = "candle")]
pub mod implicit;
mod iterative;
mod learned;
mod multigrid;
mod operator;
mod preconditioner;
mod vector;

pub use amg::{Aggregation, SmoothedAggregation};
pub use ansatz_core as core;
pub use direct::{
    BandedLu, Cholesky, Factorised, Inverse, LogDeterminant, Lu, Prepared, Qr, SparseCholesky,
    SparseLu, SparseQr, Svd, SymmetricEigen, TridiagonalLu, condition_1norm_estimate, eigenvalues,
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
pub use multigrid::{Cycle, Multigrid, MultigridConfig, Smoother};
pub use nalgebra_sparse;
pub use operator::{
    Assumed, Blocks, Boundary, Dense, Diagonal, DifferenceJacobian, Diffusion, Edge, End, Field,
    Identity, KroneckerProduct, KroneckerSum, LinearOperator, LowRank, Product, Properties, Scaled,
    Sparse, Stencil, Sum, Transposed, Tridiagonal, Wall, to_dense,
};
#[cfg(feature = "candle")]
pub use operator::{Jacobian, TensorMatrix, TensorSparse};
pub use preconditioner::{AdditiveSchwarz, BlockJacobi, Ic0, Ilu0, Jacobi, Sor, Ssor};
pub use vector::Vector;

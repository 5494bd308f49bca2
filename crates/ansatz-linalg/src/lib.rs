#![doc = include_str!("../README.md")]

mod direct;
mod error;
mod iterative;
mod multigrid;
mod operator;
mod preconditioner;
mod vector;

pub use ansatz_core as core;
pub use direct::{
    BandedLu, Cholesky, Factorised, Inverse, LogDeterminant, Lu, Qr, SparseCholesky, SparseLu, Svd,
    SymmetricEigen, TridiagonalLu, eigenvalues,
};
pub use error::{Error, Result};
pub use faer;
pub use iterative::{
    BiCgStab, Cg, Chebyshev, ConjugateDirections, Fgmres, Gmres, Iterative, IterativeMethod,
    LeastSquares, LinearSolver, Lsmr, Lsqr, Minres, Monitor, Outcome, Pause, Richardson, Solution,
    Stopping, System,
};
#[cfg(feature = "candle")]
pub use iterative::{BiCgStabRows, CgRows, RowSolutions};
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

#![doc = include_str!("../README.md")]

mod direct;
mod error;
mod function;
mod operator;
mod vector;

pub use ansatz_core as core;
pub use direct::{
    BandedLu, Cholesky, Factorised, Inverse, LogDeterminant, Lu, Qr, SparseCholesky, SparseLu,
    SparseQr, Svd, SymmetricEigen, TridiagonalLu, condition_1norm_estimate, eigenvalues,
};
pub use error::{Error, Result};
pub use faer;
pub use function::{Action, ExponentialAction, exponential, logarithm, phi_functions, square_root};
pub use nalgebra_sparse;
pub use operator::{
    Assumed, Blocks, Dense, Diagonal, DifferenceJacobian, Edge, Identity, KroneckerProduct,
    KroneckerSum, LinearOperator, LowRank, Product, Properties, Scaled, Sparse, Stencil, Sum,
    Transposed, Tridiagonal, to_dense,
};
#[cfg(feature = "candle")]
pub use operator::{Jacobian, TensorMatrix, TensorSparse};
pub use vector::Vector;

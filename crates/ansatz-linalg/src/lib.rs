#![doc = include_str!("../README.md")]

mod direct;
mod error;
mod operator;
mod vector;

pub use ansatz_core as core;
pub use direct::{
    BandedLu, Cholesky, Factorised, Inverse, LogDeterminant, Lu, Qr, SparseCholesky, SparseLu, Svd,
    SymmetricEigen, TridiagonalLu, eigenvalues,
};
pub use error::{Error, Result};
pub use faer;
pub use nalgebra_sparse;
pub use operator::{
    Assumed, Blocks, Boundary, Dense, Diagonal, DifferenceJacobian, Diffusion, Edge, End, Field,
    Identity, KroneckerProduct, KroneckerSum, LinearOperator, LowRank, Product, Properties, Scaled,
    Sparse, Stencil, Sum, Transposed, Tridiagonal, Wall, to_dense,
};
#[cfg(feature = "candle")]
pub use operator::{Jacobian, TensorMatrix, TensorSparse};
pub use vector::Vector;

//! Minima of functions and of sums of squares.

mod fit;
mod gauss_newton;
mod lbfgs;
mod levenberg_marquardt;
mod linear_model;
mod minimum;
mod strong_wolfe;

pub use gauss_newton::GaussNewton;
pub use lbfgs::Lbfgs;
pub use levenberg_marquardt::LevenbergMarquardt;
pub use linear_model::{DampedLsmr, DampedQr, LeastSquaresSolver, LinearModel};
pub use minimum::Minimum;

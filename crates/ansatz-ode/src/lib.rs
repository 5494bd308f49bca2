#![doc = include_str!("../README.md")]
//!
//! # How a solve is put together
//!
//! | part | what it is | where |
//! |---|---|---|
//! | field | the right-hand side, a closure or a type | [`VectorField`], [`InPlace`], [`WithArguments`] |
//! | method | a Butcher tableau with a name | [`ExplicitRungeKutta`], [`Adaptive`] |
//! | controller | which steps are accepted, how long the next one is | [`FixedStep`], [`Pid`], [`Predictive`] |
//! | save | which states are returned | [`Save`], [`Solve::run_dense`] |
//! | adjoint | how gradients are computed | [`NoGradient`], [`RecursiveCheckpoint`], [`Direct`], [`Backsolve`] |
//!
//! The parts are independent values. What does not fit together does not compile: a controller
//! that needs an error estimate only takes methods that have one, gradients only exist for tensors.
//!
//! # Training a neural differential equation
//!
//! Variables that the field captures receive gradients through the solver by candle's ordinary
//! `backward`:
//!
//! ```
//! # #[cfg(feature = "candle")]
//! # fn main() -> ansatz_ode::Result<()> {
//! use ansatz_ode::{Tsit5, solve};
//! use ansatz_ode::core::candle::{Device, Tensor, Var};
//!
//! let weight = Var::new(&[[-0.1f32, 2.0], [-2.0, -0.1]], &Device::Cpu)?;
//! let w = weight.as_tensor().clone();
//! let y0 = Tensor::new(&[[2f32, 0.0], [1.0, 1.0]], &Device::Cpu)?; // [batch, 2]
//! let solution = solve(move |_t: f64, y: &Tensor| y.tanh()?.matmul(&w), y0, (0.0, 1.0))
//!     .with(Tsit5)
//!     .tolerance(1e-4, 1e-6)
//!     .run()?;
//! let gradients = solution.y_end.sqr()?.mean_all()?.backward()?;
//! assert_eq!(gradients.get(&weight).unwrap().dims(), [2, 2]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "candle"))]
//! # fn main() {}
//! ```

mod adjoint;
mod control;
mod dense;
mod error;
mod event;
mod explicit;
#[cfg(feature = "stiff")]
mod exponential;
mod field;
mod first_step;
#[cfg(feature = "stiff")]
mod implicit;
mod integrate;
mod leg;
mod method;
mod norm;
mod save;
mod saver;
mod solution;
mod solve;
mod span;
mod stepper;
mod watch;

pub use adjoint::{Adjoint, DefaultAdjoint, NoGradient};
#[cfg(feature = "candle")]
pub use adjoint::{Backsolve, Direct, RecursiveCheckpoint};
pub use ansatz_core as core;
pub use control::{Controller, ErrorControl, FixedStep, Judgement, Pid, Predictive, Trial};
pub use dense::DenseOutput;
pub use error::{Error, Result};
pub use event::{Crossing, Direction, Event};
pub use explicit::{Explicit, ExplicitRungeKutta, ExtraStage, StageInterpolant, Stages, Tableau};
#[cfg(feature = "stiff")]
pub use exponential::{
    ComplexDiagonal, Exponential, ExponentialInterpolant, ExponentialMethod, ExponentialRosenbrock,
    ExponentialRosenbrockMethod, ExponentialRosenbrockStage, ExponentialRosenbrockStages,
    ExponentialRosenbrockTableau, ExponentialStage, ExponentialStages, ExponentialTableau, Krylov,
    LinearPart, SemiLinear, SemiLinearField,
};
pub use field::{FieldOutput, InPlace, VectorField, WithArguments};
#[cfg(feature = "stiff")]
pub use implicit::{
    Collocation, CollocationInterpolant, CollocationMethod, CollocationStages, CollocationTableau,
    DiagonallyImplicit, Dirk, DirkInterpolant, DirkStages, DirkTableau, GivenJacobian, Imex,
    ImexInterpolant, ImexMethod, ImexStages, ImexTableau, ImplicitField, JacobianMatrix,
    JacobianStorage, Linearisation, Mass, Rosenbrock, RosenbrockInterpolant, RosenbrockMethod,
    RosenbrockStages, RosenbrockTableau, Sparsity, Split, SplitField, WithJacobian, WithMass,
    WithSparsity, consistent_initial,
};
pub use method::{Bosh3, Dopri5, Euler, Heun, Midpoint, Rk4, Tsit5};
#[cfg(feature = "stiff")]
pub use method::{
    EtdRk2, EtdRk4, EtdRk4B, Exprb32, Exprb43, GaussLegendre4, GaussLegendre6, ImplicitEuler,
    ImplicitMidpoint, KenCarp3, KenCarp4, KenCarp5, Kvaerno3, Kvaerno4, Kvaerno5, Pexprb43,
    RadauIia5, Rodas3, Rodas4, Rodas4P, Rodas5P, Ros3, Ros3P, Rosenbrock23, TrBdf2, Trapezoidal,
};
#[cfg(feature = "candle")]
pub use norm::MaxOverRows;
pub use norm::{ErrorNorm, Max, PerComponent, Rms};
pub use save::Save;
pub use solution::{Solution, Statistics, Status};
pub use solve::{Solve, solve};
pub use span::Span;
pub use stepper::{
    Adaptive, AdaptiveFamily, Attempt, Family, Interpolant, Interpolates, Made, Method, Needs,
    Solves, Stepper,
};

//! Ordinary differential equations, differentiable.
//!
// The examples of the README need the feature.
#![cfg_attr(feature = "ensemble", doc = include_str!("../README.md"))]
//!
//! # How a solve is put together
//!
//! | part | what it is | where |
//! |---|---|---|
//! | field | the right-hand side, a closure or a type | [`VectorField`], [`InPlace`], [`WithArguments`], [`SecondOrder`], [`PartitionedField`] |
//! | method | a name for coefficients | [`ExplicitRungeKutta`], [`LowStorageRungeKutta`], [`SymplecticMethod`], [`Adaptive`] |
//! | controller | which steps are accepted, how long the next one is | [`FixedStep`], [`Pid`], [`Predictive`] |
//! | save | which states are returned | [`Save`], [`Solve::run_dense`] |
//! | path | the data that drive a controlled equation | `ControlPath`, `DataPath`, `Controlled` |
//! | ensemble | many trajectories at once | `ensemble` (feature `ensemble`) |
//! | rows | batches of tensors whose rows step independently | `solve_rows` |
//! | adjoint | how gradients are computed | [`NoGradient`], `RecursiveCheckpoint`, `Direct`, `Backsolve` |
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
#[cfg(feature = "candle")]
mod controlled;
mod delay;
mod dense;
#[cfg(feature = "ensemble")]
mod ensemble;
mod error;
mod event;
mod explicit;
#[cfg(feature = "stiff")]
mod exponential;
mod field;
mod first_step;
mod hermite;
#[cfg(feature = "stiff")]
mod implicit;
mod integrate;
#[cfg(feature = "candle")]
mod layer;
mod leg;
mod low_storage;
mod method;
mod multistep;
mod norm;
mod partitioned;
#[cfg(feature = "candle")]
mod path;
mod reversible;
#[cfg(feature = "candle")]
mod rows;
mod save;
mod saver;
mod second_order;
mod sides;
mod solution;
mod solve;
mod span;
mod stepper;
#[cfg(feature = "stiff")]
mod switching;
mod symplectic;
mod watch;

pub use adjoint::{Adjoint, DefaultAdjoint, NoGradient};
#[cfg(feature = "candle")]
pub use adjoint::{Backsolve, Direct, Interpolating, RecursiveCheckpoint};
pub use ansatz_core as core;
pub use control::{
    Controller, ErrorControl, FixedStep, Judgement, Pid, Predictive, Tolerance, Trial,
};
#[cfg(feature = "candle")]
pub use controlled::Controlled;
pub use delay::{Delayed, Lags, MethodOfSteps, solve_delayed};
pub use dense::DenseOutput;
#[cfg(feature = "ensemble")]
pub use ensemble::{Common, Ensemble, EnsembleField, Parametrised, Trajectory, ensemble};
pub use error::{Error, Result};
pub use event::{Crossing, Direction, Event};
pub use explicit::{
    Explicit, ExplicitRungeKutta, ExtraStage, SecondEstimate, StageInterpolant, Stages, Tableau,
};
#[cfg(feature = "stiff")]
pub use exponential::{
    ComplexDiagonal, Exponential, ExponentialMethod, ExponentialRosenbrock,
    ExponentialRosenbrockMethod, ExponentialRosenbrockStage, ExponentialRosenbrockStages,
    ExponentialRosenbrockTableau, ExponentialStage, ExponentialStages, ExponentialTableau, Krylov,
    LinearPart, SemiLinear, SemiLinearField,
};
pub use field::{FieldOutput, InPlace, VectorField, WithArguments};
pub use hermite::HermiteInterpolant;
#[cfg(feature = "stiff")]
pub use implicit::{
    Absent, Collocation, CollocationInterpolant, CollocationMethod, CollocationStages,
    CollocationTableau, DiagonallyImplicit, Dirk, DirkInterpolant, DirkStages, DirkTableau, Given,
    GivenJacobian, Imex, ImexInterpolant, ImexMethod, ImexStages, ImexTableau, ImplicitField,
    JacobianMatrix, JacobianStorage, Linearisation, Mass, MatrixFree, MatrixFreeParts,
    PreconditionerPart, ProductPart, Rosenbrock, RosenbrockInterpolant, RosenbrockMethod,
    RosenbrockStages, RosenbrockTableau, Sparsity, Split, SplitField, WithJacobian, WithMass,
    WithSparsity, consistent_initial,
};
#[cfg(feature = "candle")]
pub use layer::{
    CdeField, Cnf, CnfField, Flowed, LocalEstimates, NeuralCde, NeuralOde, OdeField, Scheme, Trace,
};
pub use low_storage::{
    EmbeddedWeights, LowStorage, LowStorageCoefficients, LowStorageRungeKutta, Recurrence,
    Registers,
};
pub use method::*;
pub use multistep::{AdamsBashforthMoulton, AdamsInterpolant, AdamsSteps};
#[cfg(feature = "stiff")]
pub use multistep::{BackwardDifferentiation, BdfInterpolant, BdfSteps};
#[cfg(feature = "candle")]
pub use norm::MaxOverRows;
pub use norm::{ErrorNorm, Max, PerComponent, Rms};
pub use partitioned::{Newtonian, Partitioned, PartitionedField};
#[cfg(feature = "candle")]
pub use path::{ControlPath, DataPath, Interpolation, forward_fill, with_counts, with_time};
#[cfg(feature = "candle")]
pub use reversible::ReversibleAdjoint;
pub use reversible::{Reversible, ReversibleFamily, ReversibleStages};
#[cfg(feature = "candle")]
pub use rows::{
    Autonomous, RowSpans, RowsAdjoint, RowsField, RowsSolution, SolveRows, WithRowArguments,
    solve_rows,
};
pub use save::Save;
pub use second_order::SecondOrder;
pub use solution::{Solution, Statistics, Status};
pub use solve::{Solve, solve};
pub use span::Span;
pub use stepper::{
    Adaptive, AdaptiveFamily, Attempt, Family, Interpolant, Interpolates, Made, Method, Needs,
    Solves, Stepper,
};
#[cfg(feature = "stiff")]
pub use switching::{JacobianAtHand, Switching, SwitchingInterpolant, SwitchingSteps};
pub use symplectic::{Splitting, Substeps, Symplectic, SymplecticMethod};

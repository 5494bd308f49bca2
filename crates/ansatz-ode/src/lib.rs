//! Ordinary differential equations, differentiable.
#![doc = include_str!("../README.md")]

mod adjoint;
mod controller;
mod dense;
mod error;
mod field;
mod first_step;
mod integrate;
mod method;
mod save;
mod solution;
mod solve;
mod span;
mod tableau;

pub use adjoint::{Adjoint, DefaultAdjoint, NoGradient};
#[cfg(feature = "candle")]
pub use adjoint::{Backsolve, RecursiveCheckpoint};
pub use ansatz_core as core;
pub use controller::{Controller, FixedStep, Judgement, Pid};
pub use dense::DenseOutput;
pub use error::{Error, Result};
pub use field::{FieldOutput, InPlace, VectorField, WithArguments};
pub use method::{Bosh3, Dopri5, Euler, Heun, Midpoint, Rk4, Tsit5};
pub use save::Save;
pub use solution::{Solution, Statistics, Status};
pub use solve::{Solve, solve};
pub use span::Span;
pub use tableau::{Adaptive, ExplicitRungeKutta, Tableau};

//! A small research crate built on ansatz, as somebody outside the project would write it.
//!
//! Everything here goes through public traits: it depends on the facade `ansatz` and on candle, and
//! on nothing that is private to them. If a change upstream breaks this crate, it breaks users.
//!
//! | what | trait it implements |
//! |---|---|
//! | [`ThreeEighths`], [`CashKarp`], [`Ralston3`]: Runge–Kutta methods | [`ExplicitRungeKutta`](ansatz::ode::ExplicitRungeKutta), [`Adaptive`](ansatz::ode::Adaptive) |
//! | [`PowersOfTwo`]: a step size control | [`Controller`](ansatz::ode::Controller) |
//! | [`Phase`]: positions and momenta | [`State`](ansatz::core::State), [`DefaultAdjoint`](ansatz::ode::DefaultAdjoint) |
//! | [`Lifted`]: solves on jets, Laplacians, bounds | the same |
//! | [`Bound`]: guaranteed ranges by affine arithmetic | [`TensorLike`](ansatz::core::TensorLike) |
//! | [`CosineOperator`]: an operator layer | [`Module`](ansatz::core::Module) for every tensor-like type |
//! | [`relative_l2`]: a loss | |
//! | [`History`]: keeps what a run reports | [`Progress`](ansatz::core::Progress) |
//!
//! [`conformance`] holds suites that any implementation of `State` or `TensorLike` must pass. The
//! tests that use all this, and those across crates, are in `tests/suite`.
//!
//! ```
//! use ansatz::{core::{Key, Module, candle::{DType, Device, Tensor}}, nn::{Mlp, MlpConfig, Parameters}};
//! use ansatz_tests::Bound;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = Parameters::new(Key::new(0), DType::F64, &Device::Cpu)?;
//! let model = Mlp::new(&MlpConfig::new([2, 8, 1]), store.builder())?;
//! // Whatever the two inputs within ±0.1 of (0.3, −0.2), the output lies in this interval.
//! let x = Tensor::new(&[[0.3, -0.2]], &Device::Cpu)?;
//! let y = model.forward(&Bound::around(&x, 0.1)?)?;
//! let (lower, upper) = (y.lower()?, y.upper()?);
//! # let inside: Tensor = model.forward(&x)?;
//! # let number = |t: &Tensor| t.to_vec2::<f64>().unwrap()[0][0];
//! # assert!(number(&lower) < number(&inside) && number(&inside) < number(&upper));
//! # Ok(())
//! # }
//! ```

mod bound;
pub mod conformance;
mod controller;
mod cosine_operator;
mod history;
mod lifted;
mod loss;
mod methods;
mod phase;

pub use bound::Bound;
pub use controller::PowersOfTwo;
pub use cosine_operator::CosineOperator;
pub use history::History;
pub use lifted::Lifted;
pub use loss::relative_l2;
pub use methods::{CashKarp, Ralston3, ThreeEighths};
pub use phase::Phase;

//! How parameters start: [`Initializer`].

use candle_core::Shape;
use candle_nn::{Init, init::FanInOut};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The distribution of the initial values of a layer, as a function of its size.
///
/// `n` is the number of inputs of a unit and `m` the number of outputs (for a kernel
/// `[out, in, …]`: `in` and `out` times the size of the window). U(±a) is uniform on `[−a, a)`,
/// N(σ²) normal with mean zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Initializer {
    /// All zero.
    Zeros,
    /// All the same number.
    Constant(f64),
    /// U(±√(6/(n + m))) (X. Glorot, Y. Bengio 2010, eq. 16), also called Xavier; for tanh.
    GlorotUniform,
    /// N(2/(n + m)), of the same variance as [`GlorotUniform`](Self::GlorotUniform).
    GlorotNormal,
    /// U(±√(6/n)) (K. He et al. 2015, eq. 10), also called Kaiming; for ReLU and its relatives.
    HeUniform,
    /// N(2/n), of the same variance as [`HeUniform`](Self::HeUniform).
    HeNormal,
    /// U(±√(3/n)), of the same variance as [`LecunNormal`](Self::LecunNormal).
    LecunUniform,
    /// N(1/n) (Y. LeCun et al. 1998, eq. 16).
    LecunNormal,
    /// U(±1/√n), what PyTorch gives weights and biases of a linear layer.
    #[default]
    Torch,
    /// U(±1/n), the first layer of a sine network (V. Sitzmann et al. 2020, supplement, section 1.5).
    SirenFirst,
    /// U(±√(6/n)/ω), a further layer of a sine network with frequency ω (V. Sitzmann et al. 2020,
    /// section 3.2).
    Siren {
        /// The factor ω inside the sine.
        omega: f64,
    },
}

impl Initializer {
    /// The distribution for a layer whose **weight** has this shape (`[out, in, …]`), as candle's
    /// own type. The bias of the layer takes its size from the weight as well.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the weight has no inputs or outputs, or a parameter of the
    /// initialiser is not finite, or ω is not positive.
    pub fn for_weight(&self, weight: impl Into<Shape>) -> Result<Init> {
        let shape = weight.into();
        if shape.elem_count() == 0 {
            return Err(Error::invalid(
                "shape of a weight",
                format!("{:?}", shape.dims()),
                "at least one input and one output",
            ));
        }
        let n = FanInOut::FanIn.for_shape(&shape) as f64;
        let m = FanInOut::FanOut.for_shape(&shape) as f64;
        let uniform = |bound: f64| Init::Uniform { lo: -bound, up: bound };
        let normal = |variance: f64| Init::Randn { mean: 0.0, stdev: variance.sqrt() };
        Ok(match *self {
            Self::Zeros => Init::Const(0.0),
            Self::Constant(value) if value.is_finite() => Init::Const(value),
            Self::Constant(value) => {
                return Err(Error::invalid("constant initialiser", value, "a finite number"));
            }
            Self::GlorotUniform => uniform((6.0 / (n + m)).sqrt()),
            Self::GlorotNormal => normal(2.0 / (n + m)),
            Self::HeUniform => uniform((6.0 / n).sqrt()),
            Self::HeNormal => normal(2.0 / n),
            Self::LecunUniform => uniform((3.0 / n).sqrt()),
            Self::LecunNormal => normal(1.0 / n),
            Self::Torch => uniform(1.0 / n.sqrt()),
            Self::SirenFirst => uniform(1.0 / n),
            Self::Siren { omega } if omega.is_finite() && omega > 0.0 => {
                uniform((6.0 / n).sqrt() / omega)
            }
            Self::Siren { omega } => {
                return Err(Error::invalid("omega of a sine network", omega, "a positive number"));
            }
        })
    }
}

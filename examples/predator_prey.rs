//! Predator–prey dynamics with known and with learned interaction: [`PredatorPrey`].

use ansatz::core::{Error, Module, Result, candle::Tensor};
use ansatz::nn::{Init, Mlp, MlpConfig, Parameters};
use ansatz::ode::{NoGradient, Tsit5, VectorField, WithArguments, solve};

/// The rates of the Lotka–Volterra equations `u′ = αu − βuv`, `v′ = δuv − γv` for prey `u` and
/// predators `v`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Growth of the prey, per unit of time.
    pub alpha: f64,
    /// Prey lost per encounter.
    pub beta: f64,
    /// Death of the predators, per unit of time.
    pub gamma: f64,
    /// Predators gained per encounter.
    pub delta: f64,
}

impl Rates {
    /// In the order α, β, γ, δ.
    pub fn to_array(self) -> [f64; 4] {
        [self.alpha, self.beta, self.gamma, self.delta]
    }

    /// The start of a fit when nothing is known but the mean populations: growth and death at one
    /// per unit of time, and an equilibrium `(γ/δ, α/β)` at the means.
    pub fn guess(mean_prey: f64, mean_predators: f64) -> Self {
        Self { alpha: 1.0, beta: 1.0 / mean_predators, gamma: 1.0, delta: 1.0 / mean_prey }
    }
}

/// Prey and predators with trainable rates and, if wanted, a learned interaction.
///
/// The state is the logarithm of the two populations, `[batch, 2]`, so that they stay positive:
///
/// ```text
/// (log u)′ =  α − exp(log v + log β + N₁(log u, log v))
/// (log v)′ = −γ + exp(log u + log δ + N₂(log u, log v))
/// ```
///
/// With `N = 0` these are the Lotka–Volterra equations. With a network `N` they are a universal
/// differential equation (C. Rackauckas et al. 2020, arXiv:2001.04385): growth and death are
/// known up to their rates, what the species do to each other is learned. The network multiplies
/// the bilinear term instead of replacing it, because three things are known of an interaction:
/// it vanishes without either species, it harms the prey, it feeds the predators.
#[derive(Debug, Clone)]
pub struct PredatorPrey {
    /// `(log α, log γ)`.
    log_linear: Tensor,
    /// `(log δ, log β)`: the factors of `u` and of `v`.
    log_bilinear: Tensor,
    network: Option<Mlp>,
}

impl PredatorPrey {
    /// The Lotka–Volterra equations, from these rates on. The parameters are `linear` and
    /// `bilinear` in the store.
    ///
    /// # Errors
    /// When the store has other parameters of these names, or a rate is not positive.
    pub fn lotka_volterra(parameters: &Parameters, start: Rates) -> Result<Self> {
        let Rates { alpha, beta, gamma, delta } = start;
        Ok(Self {
            log_linear: logarithms(parameters, "linear", [alpha, gamma])?,
            log_bilinear: logarithms(parameters, "bilinear", [delta, beta])?,
            network: None,
        })
    }

    /// The universal differential equation, with hidden layers of these widths. The parameters of
    /// the network are `network.0.weight` and so on.
    ///
    /// # Errors
    /// As [`lotka_volterra`](Self::lotka_volterra), or when a width is zero.
    pub fn universal(parameters: &Parameters, start: Rates, hidden: &[usize]) -> Result<Self> {
        let sizes = [&[2], hidden, &[2]].concat();
        let network = Mlp::new(&MlpConfig::new(sizes), parameters.builder().pp("network"))?;
        Ok(Self { network: Some(network), ..Self::lotka_volterra(parameters, start)? })
    }

    /// The present rates; of a universal differential equation where the network is 0.
    ///
    /// # Errors
    /// When candle fails.
    pub fn rates(&self) -> Result<Rates> {
        let linear = self.log_linear.exp()?.to_vec1::<f64>()?;
        let bilinear = self.log_bilinear.exp()?.to_vec1::<f64>()?;
        Ok(Rates { alpha: linear[0], gamma: linear[1], delta: bilinear[0], beta: bilinear[1] })
    }

    /// The right-hand side, as a function of `[batch, 2]`.
    ///
    /// Growth and death are results of earlier operations on the variables (an exponential, a
    /// sign), so they are explicit arguments; everything else is captured.
    ///
    /// # Errors
    /// When candle fails.
    pub fn field(
        &self,
    ) -> Result<impl VectorField<Tensor> + Clone + Send + Sync + use<> + 'static> {
        let device = self.log_linear.device();
        let signs = Tensor::new(&[-1.0, 1.0], device)?.to_dtype(self.log_linear.dtype())?;
        let exchange = Tensor::new(&[1u32, 0], device)?;
        let linear = self.log_linear.exp()?;
        let model = self.clone();
        let field = move |_t: f64, y: &Tensor, arguments: &[Tensor]| -> Result<Tensor> {
            let mut log_effect = y.broadcast_add(&model.log_bilinear)?;
            if let Some(correction) = model.correction(y)? {
                log_effect = (log_effect + correction)?;
            }
            let effect = log_effect.exp()?.index_select(&exchange, 1)?; // of the other species
            Ok(effect.broadcast_sub(&arguments[0])?.broadcast_mul(&signs)?)
        };
        Ok(WithArguments::new(field, vec![linear]))
    }

    /// The logarithms of the populations `[times.len(), 2]` at increasing times from the first one,
    /// which `start` `[2]` belongs to.
    ///
    /// # Errors
    /// When there are no times, or the solve fails.
    pub fn predict(&self, start: &Tensor, times: &[f64]) -> Result<Tensor> {
        let &[first, .., last] = times else {
            return Err(Error::invalid("times of a prediction", "fewer", "at least two"));
        };
        let solution = solve(self.field()?, start.detach().unsqueeze(0)?, (first, last))
            .with(Tsit5)
            .tolerance(1e-7, 1e-7)
            .save_at(times)
            .adjoint(NoGradient)
            .run()?;
        Ok(solution.stacked()?.squeeze(1)?)
    }

    /// The mean square of what the network adds to the logarithms at states `y` `[batch, 2]`: a
    /// preference for the Lotka–Volterra equations. 0 without a network.
    ///
    /// # Errors
    /// When `y` is not `[batch, 2]`.
    pub fn departure(&self, y: &Tensor) -> Result<Tensor> {
        match self.correction(y)? {
            Some(correction) => Ok(correction.sqr()?.mean_all()?),
            None => Ok(Tensor::zeros((), y.dtype(), y.device())?),
        }
    }

    /// What the network adds to the logarithm of the interaction, `[batch, 2]`: for the
    /// predators' gain, then for the prey's loss. `None` without a network.
    ///
    /// # Errors
    /// When `y` is not `[batch, 2]`.
    pub fn correction(&self, y: &Tensor) -> Result<Option<Tensor>> {
        // Populations are in thousands and of the order of e³ = 20: centre the inputs.
        self.network.as_ref().map(|n| n.forward(&y.affine(1.0, -3.0)?)).transpose()
    }

    /// The interaction `(δ(u, v) u v, β(u, v) u v)`, predators gained and prey lost per unit of
    /// time, at states `y` `[batch, 2]`.
    ///
    /// # Errors
    /// When `y` is not `[batch, 2]`.
    pub fn interaction(&self, y: &Tensor) -> Result<Tensor> {
        let mut log = y.sum_keepdim(1)?.broadcast_add(&self.log_bilinear)?;
        if let Some(correction) = self.correction(y)? {
            log = (log + correction)?;
        }
        Ok(log.exp()?)
    }
}

/// The parameter at `path`, started at the logarithms of `values`.
fn logarithms(parameters: &Parameters, path: &str, values: [f64; 2]) -> Result<Tensor> {
    let tensor = parameters.builder().get_with_hints(2, path, Init::Const(0.0))?;
    if let Some(var) = parameters.get(path) {
        var.set(&Tensor::new(&values.map(f64::ln), var.device())?.to_dtype(var.dtype())?)?;
    }
    Ok(tensor)
}

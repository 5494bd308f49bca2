//! Adam and AdamW: [`Adam`].

use std::collections::{BTreeMap, HashSet};

use ansatz_ops::{AdamRule, AdamSlot, adam_step};
use candle_core::{DType, Device, Tensor, Var, backprop::GradStore};
use candle_nn::Optimizer;
use serde::{Deserialize, Serialize};

use crate::{
    Clip, Error, Parameters, Result,
    clip::Checked,
    resume::{Resume, pair},
};

/// How parameters are drawn towards zero.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WeightDecay {
    /// Not at all.
    #[default]
    None,
    /// `λθ` is added to the gradient, after clipping: the gradient of `λ‖θ‖²/2`, which Adam then
    /// rescales.
    L2(f64),
    /// `θ` is multiplied by `1 − ηλ` in each step with rate η: AdamW (I. Loshchilov, F. Hutter
    /// 2019, algorithm 2).
    Decoupled(f64),
}

/// The settings of [`Adam`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// The step size η.
    pub learning_rate: f64,
    /// The memory β₁ of the mean of the gradient.
    pub beta1: f64,
    /// The memory β₂ of the mean of its square.
    pub beta2: f64,
    /// The term ε in the denominator, outside the root.
    pub epsilon: f64,
    /// Decay of the parameters.
    pub weight_decay: WeightDecay,
    /// Bounds on the gradient.
    pub clip: Clip,
}

/// The values of Kingma and Ba: η = 1e-3, β₁ = 0.9, β₂ = 0.999, ε = 1e-8; no decay, no clipping.
impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: WeightDecay::None,
            clip: Clip::None,
        }
    }
}

impl AdamConfig {
    /// The default with this learning rate.
    pub fn new(learning_rate: f64) -> Self {
        Self { learning_rate, ..Self::default() }
    }

    /// AdamW: decoupled decay by λ, for example 0.01.
    #[must_use]
    pub fn decoupled_decay(self, lambda: f64) -> Self {
        Self { weight_decay: WeightDecay::Decoupled(lambda), ..self }
    }

    /// Chooses the bounds on the gradient.
    #[must_use]
    pub fn clip(self, clip: Clip) -> Self {
        Self { clip, ..self }
    }

    /// Checks the ranges of all fields.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] names the field.
    pub fn validate(&self) -> Result<()> {
        let decay = match self.weight_decay {
            WeightDecay::None => 0.0,
            WeightDecay::L2(lambda) | WeightDecay::Decoupled(lambda) => lambda,
        };
        for (what, value) in [
            ("learning rate of Adam", self.learning_rate),
            ("epsilon of Adam", self.epsilon),
            ("weight decay of Adam", decay),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::invalid(what, value, "a finite number ≥ 0"));
            }
        }
        for (what, beta) in [("beta1 of Adam", self.beta1), ("beta2 of Adam", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(Error::invalid(what, beta, "a number in [0, 1)"));
            }
        }
        self.clip.validate()
    }
}

/// Adam (D. P. Kingma, J. Ba 2015, algorithm 1) and, with [`WeightDecay::Decoupled`], AdamW.
///
/// With gradient g and step t = 1, 2, … of the parameter:
/// `m ← β₁m + (1−β₁)g`, `v ← β₂v + (1−β₂)g²`,
/// `θ ← θ − η m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)`, the placement of ε as in the paper and in PyTorch.
///
/// A parameter without a gradient is passed over, and its t does not advance. A gradient with a
/// NaN or an infinity is an error, found before anything is changed, and so is a loss that depends
/// on none of the parameters. On the CPU in f32 and f64, parameters and moments are updated in
/// place, all in one pass ([`ansatz_ops::adam_step`]).
///
/// As a [`candle_nn::Optimizer`], errors come as candle's; converted with `?` to the [`Error`] of
/// this crate they are themselves again.
///
/// # Example
/// ```
/// use ansatz_core::candle::{Device, Var};
/// use ansatz_nn::{Adam, AdamConfig, Optimizer};
///
/// # fn main() -> ansatz_nn::Result<()> {
/// let x = Var::new(&[3f64, -2.0], &Device::Cpu)?;
/// let mut adam = Adam::new(vec![x.clone()], AdamConfig::new(0.1).decoupled_decay(0.01))?;
/// for _ in 0..300 {
///     adam.backward_step(&x.sqr()?.sum_all()?)?;
/// }
/// assert!(x.to_vec1::<f64>()?.iter().all(|x| x.abs() < 1e-3));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    slots: Vec<Slot>,
}

/// One parameter and what is remembered of its gradients.
#[derive(Debug)]
struct Slot {
    name: String,
    var: Var,
    first: Var,
    second: Var,
    steps: u64,
}

impl Adam {
    /// An optimiser for all parameters that the store holds by now: build the model first. Its
    /// saved state names them by path.
    ///
    /// # Errors
    /// When the configuration is invalid, or candle fails.
    pub fn for_parameters(parameters: &Parameters, config: AdamConfig) -> Result<Self> {
        let named = parameters.read().iter().map(|(n, v)| (n.clone(), v.clone())).collect();
        Self::named(named, config)
    }

    fn named(vars: Vec<(String, Var)>, config: AdamConfig) -> Result<Self> {
        config.validate()?;
        let mut seen = HashSet::new();
        let mut slots: Vec<Slot> = Vec::with_capacity(vars.len());
        for (name, var) in vars {
            if !var.dtype().is_float() {
                let got = format!("{} (parameter {name})", var.dtype().as_str());
                return Err(Error::invalid("dtype of a parameter", got, "a floating-point type"));
            }
            if !seen.insert(var.id()) {
                return Err(Error::invalid("parameter", name, "each parameter once"));
            }
            if let Some(first) = slots.first()
                && !first.var.device().same_device(var.device())
            {
                let got = format!("{:?} (parameter {name})", var.device().location());
                return Err(Error::invalid("device of a parameter", got, "one device for all"));
            }
            let zeros = || Var::zeros(var.shape(), var.dtype(), var.device());
            let (first, second) = (zeros()?, zeros()?);
            slots.push(Slot { name, var, first, second, steps: 0 });
        }
        Ok(Self { config, slots })
    }

    /// The settings, with the current learning rate.
    pub fn config(&self) -> &AdamConfig {
        &self.config
    }

    fn update(&mut self, store: &GradStore) -> Result<()> {
        // `set_learning_rate` cannot refuse a bad rate.
        self.config.validate()?;
        let gradients = Checked::new(self.slots.iter().map(|s| (&s.var, s.name.as_str())), store)?;
        if !self.slots.is_empty() && gradients.tensors.iter().all(Option::is_none) {
            return Err(Error::NoGradient);
        }
        let AdamConfig { learning_rate, beta1, beta2, epsilon, weight_decay, clip } = self.config;
        let (factor, limit) = clip.factor_and_limit(&gradients)?;
        let (l2, decoupled) = match weight_decay {
            WeightDecay::None => (0.0, 0.0),
            WeightDecay::L2(lambda) => (lambda, 0.0),
            WeightDecay::Decoupled(lambda) => (0.0, lambda),
        };
        let rule = AdamRule { learning_rate, beta1, beta2, epsilon, factor, limit, l2, decoupled };
        let step: Vec<AdamSlot<'_>> = self
            .slots
            .iter()
            .zip(&gradients.tensors)
            .filter_map(|(slot, gradient)| {
                Some(AdamSlot {
                    parameter: &slot.var,
                    gradient: gradient.as_ref()?,
                    first: &slot.first,
                    second: &slot.second,
                    step: slot.steps + 1,
                })
            })
            .collect();
        adam_step(&step, &rule)?;
        for (slot, gradient) in self.slots.iter_mut().zip(&gradients.tensors) {
            slot.steps += u64::from(gradient.is_some());
        }
        Ok(())
    }

    /// The tensors of the state by name, apart from the step counts.
    fn moments(&self) -> BTreeMap<String, Var> {
        self.slots
            .iter()
            .flat_map(|slot| {
                [
                    (format!("adam.first_moment.{}", slot.name), slot.first.clone()),
                    (format!("adam.second_moment.{}", slot.name), slot.second.clone()),
                ]
            })
            .collect()
    }
}

/// Name of the step counts in the state, i64 `[parameters]`.
const STEPS: &str = "adam.steps";

impl Optimizer for Adam {
    type Config = AdamConfig;

    /// An optimiser for these parameters, named by their positions.
    fn new(vars: Vec<Var>, config: AdamConfig) -> candle_core::Result<Self> {
        let named = vars.into_iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect();
        Ok(Self::named(named, config)?)
    }

    fn step(&mut self, grads: &GradStore) -> candle_core::Result<()> {
        Ok(self.update(grads)?)
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.config.learning_rate = lr;
    }
}

impl Resume for Adam {
    fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        let mut state = BTreeMap::new();
        for (name, var) in self.moments() {
            state.insert(name, var.as_tensor().detach().copy()?);
        }
        let steps: Vec<i64> = self.slots.iter().map(|s| s.steps.cast_signed()).collect();
        state.insert(STEPS.to_owned(), Tensor::from_vec(steps, self.slots.len(), &Device::Cpu)?);
        Ok(state)
    }

    fn load_state(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let mut targets = self.moments();
        let counts = Var::zeros(self.slots.len(), DType::I64, &Device::Cpu)?;
        targets.insert(STEPS.to_owned(), counts.clone());
        let pairs = pair("optimiser state", &targets, state)?;
        let steps = match pairs.get(STEPS) {
            Some((_, steps)) => steps.to_vec1::<i64>()?,
            None => Vec::new(),
        };
        let steps = steps
            .into_iter()
            .map(|n| {
                u64::try_from(n).map_err(|_| Error::invalid("step count of Adam", n, "at least 0"))
            })
            .collect::<Result<Vec<_>>>()?;
        for (var, tensor) in pairs.values() {
            var.set(tensor)?;
        }
        for (slot, n) in self.slots.iter_mut().zip(steps) {
            slot.steps = n;
        }
        Ok(())
    }
}

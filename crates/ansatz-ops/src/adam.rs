//! One step of Adam for all parameters: [`adam_step`].

mod composed;
mod kernel;

use candle_core::{DType, Tensor, Var};
use rayon::prelude::*;

use crate::{Error, Result, check_like, cpu::kernels_take};

/// What a step does, for every parameter alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRule {
    /// The step size η.
    pub learning_rate: f64,
    /// The memory β₁ of the mean of the gradient.
    pub beta1: f64,
    /// The memory β₂ of the mean of its square.
    pub beta2: f64,
    /// The term ε in the denominator, outside the root.
    pub epsilon: f64,
    /// Multiplies the gradient first: 1, or less to clip a norm.
    pub factor: f64,
    /// Bounds the absolute value of each element then; infinite for none.
    pub limit: f64,
    /// `l2·θ` is added to the gradient then.
    pub l2: f64,
    /// `θ` is multiplied by `1 − η·decoupled`: the decay of AdamW.
    pub decoupled: f64,
}

/// The values of Kingma and Ba: η = 1e-3, β₁ = 0.9, β₂ = 0.999, ε = 1e-8; no decay, no clipping.
impl Default for AdamRule {
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            factor: 1.0,
            limit: f64::INFINITY,
            l2: 0.0,
            decoupled: 0.0,
        }
    }
}

/// One parameter in a step: its gradient and what is remembered of the earlier ones.
#[derive(Debug, Clone)]
pub struct AdamSlot<'a> {
    /// θ.
    pub parameter: &'a Var,
    /// The gradient g. May be strided, or a view of a parameter.
    pub gradient: &'a Tensor,
    /// The mean m of the gradients; zeros at first.
    pub first: &'a Var,
    /// The mean v of their squares; zeros at first.
    pub second: &'a Var,
    /// The number t of this step for this parameter: 1, 2, …
    pub step: u64,
}

/// Elements of one parameter from which it is spread over threads, and of all smaller ones together
/// from which they are.
const PARALLEL_FROM: usize = 1 << 16;

/// One step of Adam (D. P. Kingma, J. Ba 2015, algorithm 1) or AdamW (I. Loshchilov, F. Hutter
/// 2019, algorithm 2) for a whole set of parameters, in place.
///
/// With `g ← clamp(factor·g, ±limit) + l2·θ`: `m ← m + (1−β₁)(g − m)`, `v ← β₂v + (1−β₂)g²`,
/// `θ ← (1 − η·decoupled)θ − η m/(1−β₁ᵗ) / (√(v/(1−β₂ᵗ)) + ε)`, as in PyTorch.
///
/// On the CPU in f32 and f64, one pass reads and writes each number once, in its own precision, on
/// several threads where that pays; the bits do not depend on their number. Elsewhere a composition
/// of candle operations. Nothing is checked for NaN.
///
/// # Errors
/// [`Error::Shape`], [`Error::DType`] or [`Error::Device`] when the tensors of a slot differ,
/// [`Error::InvalidArgument`] when a variable occurs twice or a step is 0; then nothing has
/// changed. When candle fails.
///
/// # Example
/// ```
/// use ansatz_ops::{AdamRule, AdamSlot, adam_step};
/// use candle_core::{DType, Device, Tensor, Var};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Var::new(&[3f64, -2.0], &Device::Cpu)?;
/// let (first, second) = (Var::zeros(2, DType::F64, &Device::Cpu)?, Var::zeros(2, DType::F64, &Device::Cpu)?);
/// let rule = AdamRule { learning_rate: 0.1, ..AdamRule::default() };
/// for step in 1..=300 {
///     let gradient = x.as_detached_tensor().affine(2.0, 0.0)?; // of x²
///     let slot =
///         AdamSlot { parameter: &x, gradient: &gradient, first: &first, second: &second, step };
///     adam_step(&[slot], &rule)?;
/// }
/// assert!(x.to_vec1::<f64>()?.iter().all(|x| x.abs() < 1e-3));
/// # Ok(())
/// # }
/// ```
pub fn adam_step(slots: &[AdamSlot<'_>], rule: &AdamRule) -> Result<()> {
    let mut written = Vec::with_capacity(3 * slots.len());
    for slot in slots {
        check_like("gradient of a step of Adam", slot.parameter, slot.gradient)?;
        check_like("first moment of a step of Adam", slot.parameter, slot.first)?;
        check_like("second moment of a step of Adam", slot.parameter, slot.second)?;
        if slot.step == 0 {
            return Err(Error::InvalidArgument {
                what: "number of a step of Adam",
                value: "0".to_owned(),
                expected: "1 for the first",
            });
        }
        written.extend([slot.parameter, slot.first, slot.second].map(|v| storage(v)));
    }
    written.sort_unstable();
    if written.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::InvalidArgument {
            what: "variables of a step of Adam",
            value: "one variable twice".to_owned(),
            expected: "each variable once, moments of its own for each",
        });
    }
    // A gradient that lives in what the step overwrites is read before; usually there is none.
    let gradients = slots
        .iter()
        .map(|slot| {
            let g = slot.gradient.detach().contiguous()?;
            if written.binary_search(&storage(&g)).is_ok() { g.copy() } else { Ok(g) }
        })
        .collect::<candle_core::Result<Vec<_>>>()?;

    let (mut large, mut small, mut elements) = (Vec::new(), Vec::new(), 0);
    for (slot, gradient) in slots.iter().zip(&gradients) {
        let one = kernel::One { slot, gradient, coefficients: Coefficients::new(rule, slot.step) };
        if !in_place(slot) {
            composed::step(&one)?;
        } else if gradient.elem_count() < PARALLEL_FROM {
            elements += gradient.elem_count();
            small.push(one);
        } else {
            large.push(one);
        }
    }
    // Either the parameters or the pieces of one are spread over threads, never both: a thread
    // that waits for pieces holds the locks of its parameter and must not take others.
    for one in &large {
        kernel::step(one)?;
    }
    if elements < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        small.iter().try_for_each(kernel::step)
    } else {
        small.par_iter().try_for_each(kernel::step)
    }
}

/// Whether the kernel takes this parameter.
fn in_place(slot: &AdamSlot<'_>) -> bool {
    kernels_take(slot.parameter)
        && matches!(slot.parameter.dtype(), DType::F32 | DType::F64)
        && [slot.parameter, slot.first, slot.second].iter().all(|v| v.is_contiguous())
}

/// Where the storage of a tensor is: equal for tensors that share it.
fn storage(x: &Tensor) -> usize {
    let (storage, _) = x.storage_and_layout();
    std::ptr::from_ref(&*storage).addr()
}

/// The numbers in the loop.
#[derive(Debug, Clone, Copy)]
struct Coefficients {
    factor: f64,
    limit: f64,
    l2: f64,
    /// `1 − β₁`.
    first: f64,
    beta2: f64,
    /// `1 − β₂`.
    second: f64,
    /// `1 − η·decoupled`.
    keep: f64,
    /// `η/(1 − β₁ᵗ)`.
    rate: f64,
    /// `1/√(1 − β₂ᵗ)`.
    root: f64,
    epsilon: f64,
}

impl Coefficients {
    fn new(rule: &AdamRule, step: u64) -> Self {
        let t = step as f64;
        Self {
            factor: rule.factor,
            limit: rule.limit,
            l2: rule.l2,
            first: 1.0 - rule.beta1,
            beta2: rule.beta2,
            second: 1.0 - rule.beta2,
            keep: 1.0 - rule.learning_rate * rule.decoupled,
            rate: rule.learning_rate / (1.0 - rule.beta1.powf(t)),
            root: 1.0 / (1.0 - rule.beta2.powf(t)).sqrt(),
            epsilon: rule.epsilon,
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    /// What runs on GPUs is what runs on the CPU, for every part of the rule at once.
    #[test]
    fn both_paths_agree() {
        let var = |values: [f64; 4]| Var::new(&values, &Device::Cpu).unwrap();
        let gradient = Tensor::new(&[0.3, -4.0, 0.0, 7.5], &Device::Cpu).unwrap();
        let plain = AdamRule { beta2: 0.99, epsilon: 1e-3, ..AdamRule::default() };
        for rule in [plain, AdamRule { factor: 0.4, limit: 1.1, l2: 0.2, decoupled: 30.0, ..plain }]
        {
            let run = |composed: bool| {
                let (x, m, v) = (
                    var([1.0, -2.0, 0.5, 3.0]),
                    var([0.1, 0.2, -0.3, 0.4]),
                    var([0.01, 0.5, 0.3, 0.2]),
                );
                let slot =
                    AdamSlot { parameter: &x, gradient: &gradient, first: &m, second: &v, step: 3 };
                if composed {
                    let coefficients = Coefficients::new(&rule, 3);
                    let one = kernel::One { slot: &slot, gradient: &gradient, coefficients };
                    composed::step(&one).unwrap();
                } else {
                    adam_step(&[slot], &rule).unwrap();
                }
                [x, m, v].map(|v| v.to_vec1::<f64>().unwrap()).concat()
            };
            for (x, y) in run(false).into_iter().zip(run(true)) {
                assert!((x - y).abs() < 1e-14, "{x} is not {y}");
            }
            assert_ne!(run(false)[..4], [1.0, -2.0, 0.5, 3.0]);
        }
    }
}

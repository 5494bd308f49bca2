//! One check: a function of tensors, on a device and on the CPU in f64.
use std::panic::{AssertUnwindSafe, catch_unwind};

use ansatz::core::Key;
use candle_core::{DType, Device, Tensor, Var};

use super::compare::{difference, on_cpu};
use super::{CheckLine, Part, Way};
use crate::AnyError;

/// What is checked: must compute in the dtype and on the device of its inputs.
type Function = fn(&[Tensor]) -> Result<Tensor, AnyError>;

/// A value that must be the same on every device, to the last bit: the largest difference from the
/// CPU.
type Identity = fn(&Device, DType) -> Result<f64, AnyError>;

/// One line of the suite.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// As the table shows it.
    pub name: &'static str,
    kind: Kind,
    /// Multiplies the tolerance of the dtype.
    looser: f64,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Function { shapes: &'static [&'static [usize]], f: Function, positive: bool, gradient: bool },
    Identity(Identity),
}

impl Check {
    /// Value and gradient of `f` at standard normal inputs of these shapes.
    pub fn new(name: &'static str, shapes: &'static [&'static [usize]], f: Function) -> Self {
        let kind = Kind::Function { shapes, f, positive: false, gradient: true };
        Self { name, kind, looser: 1.0 }
    }

    /// A value that must be the same to the last bit on every device: `difference` computes it
    /// there and on the CPU, in one dtype, and returns the largest difference.
    pub fn identical(name: &'static str, difference: Identity) -> Self {
        Self { name, kind: Kind::Identity(difference), looser: 0.0 }
    }

    /// Inputs `0.5 + |x|` instead of `x`.
    #[must_use]
    pub fn positive(mut self) -> Self {
        if let Kind::Function { positive, .. } = &mut self.kind {
            *positive = true;
        }
        self
    }

    /// For operations whose result is detached from the graph.
    #[must_use]
    pub fn value_only(mut self) -> Self {
        if let Kind::Function { gradient, .. } = &mut self.kind {
            *gradient = false;
        }
        self
    }

    /// For long computations, in which rounding errors add up.
    #[must_use]
    pub fn looser(mut self, factor: f64) -> Self {
        self.looser = factor;
        self
    }

    /// Runs the check; one line for the value and, where there is one, one for the gradient.
    ///
    /// `way` chooses what computes on the CPU; other devices have compositions alone.
    ///
    /// What goes wrong on the device, a panic included, becomes a line with the verdict
    /// [`Failed`](super::Verdict::Failed): the suite goes on.
    ///
    /// # Errors
    /// When the reference on the CPU cannot be computed, or has no gradient to compare with: that
    /// is a fault of the check.
    pub fn run(&self, device: &Device, dtype: DType, way: Way) -> Result<Vec<CheckLine>, AnyError> {
        let limit = tolerance(dtype) * self.looser;
        let line = |part, result| CheckLine::new(self.name, dtype, way, part, result, limit);
        let Kind::Function { shapes, f, gradient, .. } = self.kind else {
            return Ok(vec![line(
                Part::Value,
                guarded(|| way.of(|| self.identity(device, dtype))),
            )]);
        };
        let inputs = self.inputs(shapes, dtype)?;
        let reference = evaluate(f, &inputs, DType::F64, &Device::Cpu, gradient)?;
        if gradient && reference.gradients.iter().all(Option::is_none) {
            return Err(format!("{}: the reference has no gradient", self.name).into());
        }
        let there = guarded(|| way.of(|| evaluate(f, &inputs, dtype, device, gradient)));
        let (value, slope) = match there {
            Ok(there) => {
                let slopes = there.gradients.iter().zip(&reference.gradients);
                (
                    difference(&there.value, &reference.value),
                    worst(slopes.map(|(g, r)| gradient_difference(g.as_ref(), r.as_ref()))),
                )
            }
            Err(error) => (Err(error.to_string().into()), Err(error)),
        };
        let mut lines = vec![line(Part::Value, value)];
        if gradient {
            lines.push(line(Part::Gradient, slope));
        }
        Ok(lines)
    }

    fn identity(&self, device: &Device, dtype: DType) -> Result<f64, AnyError> {
        match self.kind {
            Kind::Identity(difference) => difference(device, dtype),
            Kind::Function { .. } => Err("not an identity".into()),
        }
    }

    /// The inputs in f64 on the CPU, rounded to `dtype`, so that both sides start from the same.
    fn inputs(&self, shapes: &[&[usize]], dtype: DType) -> Result<Vec<Tensor>, AnyError> {
        let Kind::Function { positive, .. } = self.kind else { return Ok(vec![]) };
        let key = Key::new(0).fold_in_str(self.name);
        let draw = |(i, shape): (usize, &&[usize])| {
            let x =
                key.fold_in(i as u64).normal_tensor(*shape, 0., 1., DType::F64, &Device::Cpu)?;
            let x = if positive { (x.abs()? + 0.5)? } else { x };
            Ok(x.to_dtype(dtype)?.to_dtype(DType::F64)?)
        };
        shapes.iter().enumerate().map(draw).collect()
    }
}

/// Allowed difference, relative to the largest element of the reference (at least 1), of an
/// operation that adds up at most a few hundred terms: some ten times what the CPU needs.
pub fn tolerance(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-13,
        DType::F32 => 5e-6,
        DType::F16 => 2e-2,
        _ => 1e-1,
    }
}

/// Value and gradients in f64 on the CPU.
struct Evaluated {
    value: Tensor,
    gradients: Vec<Option<Tensor>>,
}

fn evaluate(
    f: Function,
    inputs: &[Tensor],
    dtype: DType,
    device: &Device,
    gradient: bool,
) -> Result<Evaluated, AnyError> {
    let there = |x: &Tensor| Var::from_tensor(&x.to_dtype(dtype)?.to_device(device)?);
    let leaves: Vec<Var> = inputs.iter().map(there).collect::<Result<_, _>>()?;
    let tensors: Vec<Tensor> = leaves.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&tensors)?;
    let mut gradients = Vec::new();
    if gradient {
        // Generic weights, so that every element of the output counts.
        let n = y.elem_count();
        let weights: Vec<f64> = (0..n).map(|i| (1.0 + 0.7 * i as f64).sin() + 0.1).collect();
        let weights = Tensor::from_vec(weights, y.shape(), &Device::Cpu)?;
        let weights = weights.to_dtype(y.dtype())?.to_device(device)?;
        let store = (&y * weights)?.sum_all()?.backward()?;
        gradients = leaves
            .iter()
            .map(|v| store.get(v).map(on_cpu).transpose())
            .collect::<Result<_, _>>()?;
    }
    device.synchronize()?;
    Ok(Evaluated { value: on_cpu(&y)?, gradients })
}

/// A gradient that is absent on one side counts as zero.
fn gradient_difference(
    there: Option<&Tensor>,
    reference: Option<&Tensor>,
) -> Result<f64, AnyError> {
    match (there, reference) {
        (Some(g), Some(r)) => difference(g, r),
        (Some(g), None) => difference(g, &g.zeros_like()?),
        (None, Some(r)) => difference(&r.zeros_like()?, r),
        (None, None) => Ok(0.0),
    }
}

/// The largest; NaN if there is one.
fn worst(values: impl Iterator<Item = Result<f64, AnyError>>) -> Result<f64, AnyError> {
    let mut largest = 0.0_f64;
    for value in values {
        let value = value?;
        largest = if value.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(value) };
    }
    Ok(largest)
}

/// candle panics in places where a kernel is absent: that too is a result.
fn guarded<T>(work: impl FnOnce() -> Result<T, AnyError>) -> Result<T, AnyError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_else(|| "without a message".into())).into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Verdict;

    fn run(check: Check) -> Vec<CheckLine> {
        check.run(&Device::Cpu, DType::F32, Way::Usual).unwrap()
    }

    #[test]
    fn a_right_function_agrees_in_value_and_gradient() {
        let lines = run(Check::new("sin", &[&[3, 5]], |x| Ok(x[0].sin()?)));
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(CheckLine::agrees), "{lines:?}");
        // f32 is not f64: a check that compared nothing would report 0.
        assert!(lines[0].max_difference.unwrap() > 0.0);
    }

    #[test]
    fn the_composition_is_not_the_kernel() {
        // A sum that the two ways round differently.
        let check = Check::new("softmax", &[&[200]], |x| Ok(ansatz::ops::softmax(&x[0], 0)?));
        let found = |way| check.run(&Device::Cpu, DType::F64, way).unwrap();
        let largest = |lines: &[CheckLine]| lines[0].max_difference.unwrap();
        let (kernel, composed) = (found(Way::Usual), found(Way::Composed));
        assert!(composed.iter().all(|l| l.agrees() && l.composed), "{composed:?}");
        assert!(largest(&kernel) == 0.0 && largest(&composed) > 0.0);
    }

    #[test]
    fn a_wrong_value_is_found() {
        // Right in f64 alone, as if the device computed it wrongly.
        let lines = run(Check::new("wrong", &[&[9]], |x| {
            let factor = if x[0].dtype() == DType::F64 { 2.0 } else { 2.001 };
            Ok((&x[0] * factor)?)
        }));
        assert!(lines.iter().all(|l| l.verdict == Verdict::Differs), "{lines:?}");
    }

    #[test]
    fn a_missing_gradient_is_found() {
        let lines = run(Check::new("detached", &[&[4]], |x| {
            let x = &x[0];
            Ok(if x.dtype() == DType::F64 { x.sqr()? } else { x.detach().sqr()? })
        }));
        assert!(lines[0].agrees());
        assert_eq!(lines[1].verdict, Verdict::Differs, "{lines:?}");
    }

    #[test]
    fn a_gradient_that_is_nowhere_is_a_fault_of_the_check() {
        let check = Check::new("detached", &[&[4]], |x| Ok(x[0].detach().sqr()?));
        assert!(check.run(&Device::Cpu, DType::F32, Way::Usual).is_err());
        assert_eq!(run(check.value_only()).len(), 1);
    }

    #[test]
    fn nan_and_infinity_never_agree() {
        let lines = run(Check::new("nan", &[&[4]], |x| {
            let factor = if x[0].dtype() == DType::F64 { 1.0 } else { f64::NAN };
            Ok((&x[0] * factor)?)
        }));
        assert!(lines.iter().all(|l| l.verdict == Verdict::Differs), "{lines:?}");
    }

    #[test]
    fn errors_and_panics_of_the_device_are_lines() {
        let refuses: Function = |x| {
            if x[0].dtype() == DType::F64 { Ok(x[0].clone()) } else { Err("no kernel".into()) }
        };
        let panics: Function =
            |x| if x[0].dtype() == DType::F64 { Ok(x[0].clone()) } else { panic!("no kernel") };
        for f in [refuses, panics] {
            let lines = run(Check::new("absent", &[&[2]], f));
            assert!(lines.iter().all(|l| l.verdict == Verdict::Failed), "{lines:?}");
            assert!(lines[1].error.as_ref().unwrap().contains("no kernel"), "{lines:?}");
        }
    }

    #[test]
    fn identical_means_to_the_last_bit() {
        assert!(run(Check::identical("same", |_, _| Ok(0.0)))[0].agrees());
        assert!(!run(Check::identical("nearly", |_, _| Ok(1e-300)))[0].agrees());
    }

    #[test]
    fn positive_inputs_are_positive() {
        let lines = run(Check::new("ln", &[&[50]], |x| Ok(x[0].log()?)).positive());
        assert!(lines.iter().all(CheckLine::agrees), "{lines:?}");
    }
}

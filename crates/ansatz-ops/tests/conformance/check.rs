//! One operation through all layouts, dtypes and devices.

use ansatz_ops::{GradCheck, Result, available_devices, backward_from, float_types, gradcheck};
use candle_core::{DType, Device, Tensor, Var};

use crate::{array::Array, layout::Layout};

/// One line of a table.
pub(crate) struct Op {
    pub(crate) name: &'static str,
    /// Shapes of the operands.
    pub(crate) shapes: &'static [&'static [usize]],
    /// Added to operands that lie in (−1, 1).
    pub(crate) shift: f64,
    pub(crate) candle: fn(&[Tensor]) -> Result<Tensor>,
    pub(crate) reference: fn(&[Array]) -> Array,
    /// What it can do.
    pub(crate) traits: Traits,
}

/// What an operation can do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Traits {
    /// Everything.
    All,
    /// No gradient, or one that is pinned as wrong.
    ValuesOnly,
    /// Refuses operands that are not contiguous, or is pinned as wrong for them.
    ContiguousOnly,
    /// Both.
    ContiguousValuesOnly,
}

impl Op {
    pub(crate) fn new(
        name: &'static str,
        shapes: &'static [&'static [usize]],
        shift: f64,
        candle: fn(&[Tensor]) -> Result<Tensor>,
        reference: fn(&[Array]) -> Array,
    ) -> Self {
        Self { name, shapes, shift, candle, reference, traits: Traits::All }
    }

    pub(crate) fn but(self, traits: Traits) -> Self {
        Self { traits, ..self }
    }

    fn layouts(&self) -> Vec<Vec<Layout>> {
        let plain = vec![Layout::Contiguous; self.shapes.len()];
        if matches!(self.traits, Traits::ContiguousOnly | Traits::ContiguousValuesOnly) {
            return vec![plain];
        }
        // Each operand in each layout, and all together in each.
        let mut all: Vec<Vec<Layout>> =
            Layout::ALL.iter().map(|&l| vec![l; self.shapes.len()]).collect();
        for operand in 0..self.shapes.len() {
            for layout in Layout::ALL {
                let mut one = plain.clone();
                one[operand] = layout;
                all.push(one);
            }
        }
        all.dedup();
        all
    }

    fn operand(&self, k: usize) -> Array {
        let seed = 0.3 + 1.9 * k as f64;
        let count: usize = self.shapes[k].iter().product();
        // Different elements, so that a wrong index shows, and no two near each other.
        let data = (0..count)
            .map(|i| (1.7 * i as f64 + seed).sin() * (0.95 - 0.1 * (i as f64 * 0.61 + seed).cos()))
            .map(|x| x + self.shift)
            .collect();
        Array { shape: self.shapes[k].to_vec(), data }
    }

    pub(crate) fn check(&self) {
        for layouts in self.layouts() {
            let held: Vec<(Array, Array)> =
                layouts.iter().enumerate().map(|(k, l)| l.stored(&self.operand(k))).collect();
            let values: Vec<Array> = held.iter().map(|(values, _)| values.clone()).collect();
            let want = (self.reference)(&values);
            let f = |stored: &[Tensor]| -> Result<Tensor> {
                let operands = stored
                    .iter()
                    .zip(&layouts)
                    .zip(self.shapes)
                    .map(|((s, l), shape)| Ok(l.view(s, shape)?))
                    .collect::<Result<Vec<_>>>()?;
                (self.candle)(&operands)
            };
            let at = |what: &str| format!("{} of {layouts:?}: {what}", self.name);
            let mut gradients: Vec<Vec<f64>> = Vec::new();
            for device in available_devices() {
                for &dtype in float_types(&device) {
                    let stored: Vec<Tensor> =
                        held.iter().map(|(_, s)| s.tensor(dtype, &device)).collect();
                    let got = f(&stored).unwrap_or_else(|e| panic!("{}", at(&format!("{e}"))));
                    assert_eq!(got.dims(), want.shape, "{}", at("shape"));
                    close(&got, &want.data, dtype, &at("value"));
                    if self.differentiable() && !(device.is_cpu() && dtype == DType::F64) {
                        gradients.push(gradient(&f, &stored));
                    }
                }
            }
            if self.differentiable() {
                let stored: Vec<Tensor> =
                    held.iter().map(|(_, s)| s.tensor(DType::F64, &Device::Cpu)).collect();
                if let Err(error) = gradcheck(f, &stored, &GradCheck::default()) {
                    panic!("{}", at(&format!("{error}")));
                }
                let right = gradient(&f, &stored);
                for got in gradients {
                    for (a, b) in got.iter().zip(&right) {
                        assert!((a - b).abs() < 2e-4 * (1.0 + b.abs()), "{}", at("gradient"));
                    }
                }
            }
        }
    }

    fn differentiable(&self) -> bool {
        matches!(self.traits, Traits::All | Traits::ContiguousOnly)
    }
}

/// All gradients of a fixed functional of the output, one after the other.
fn gradient(f: &impl Fn(&[Tensor]) -> Result<Tensor>, stored: &[Tensor]) -> Vec<f64> {
    let leaves: Vec<Tensor> =
        stored.iter().map(|s| Var::from_tensor(s).unwrap().into_inner()).collect();
    let y = f(&leaves).unwrap();
    let weights: Vec<f64> = (0..y.elem_count()).map(|i| (1.0 + 0.7 * i as f64).sin()).collect();
    let weights = Array { shape: y.dims().to_vec(), data: weights }.tensor(y.dtype(), y.device());
    let found = backward_from(&[y], &[weights]).unwrap();
    let of = |leaf: &Tensor| found.get(leaf).cloned().unwrap_or_else(|| leaf.zeros_like().unwrap());
    leaves.iter().flat_map(|leaf| numbers(&of(leaf))).collect()
}

fn numbers(x: &Tensor) -> Vec<f64> {
    let cpu = x.to_device(&Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    cpu.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(got: &Tensor, want: &[f64], dtype: DType, at: &str) {
    let tolerance = if dtype == DType::F64 { 1e-12 } else { 2e-5 };
    for (i, (a, b)) in numbers(got).iter().zip(want).enumerate() {
        let apart = (a - b).abs();
        assert!(apart <= tolerance * (1.0 + b.abs()), "{at} at {i}, {dtype:?}: {a}, not {b}");
    }
}

/// The values of an index tensor.
pub(crate) fn ids(values: &[u32], like: &Tensor) -> Result<Tensor> {
    Ok(Tensor::new(values, like.device())?)
}

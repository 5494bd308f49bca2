//! The arithmetic of Adam: in place on the CPU, as candle operations elsewhere.

use candle_core::{CpuStorage, DType, InplaceOp3, Layout, Result, Tensor, Var, bail};

/// How the raw gradient g becomes the one that is used:
/// `clamp(factor·g, −limit, limit) + decay·θ`.
pub(super) struct Gradient {
    pub(super) factor: f64,
    pub(super) limit: f64,
    pub(super) decay: f64,
}

/// `θ ← keep·θ − rate·m/(√v/root_correction + epsilon)`.
pub(super) struct Update {
    pub(super) keep: f64,
    pub(super) rate: f64,
    pub(super) root_correction: f64,
    pub(super) epsilon: f64,
}

/// `m ← m + (1−β₁)(g − m)` and `v ← β₂v + (1−β₂)g²` with the used gradient.
pub(super) fn moments(
    first: &Var,
    second: &Var,
    gradient: &Tensor,
    var: &Var,
    used: &Gradient,
    beta1: f64,
    beta2: f64,
) -> Result<()> {
    if !in_place(var) {
        return composed_moments(first, second, gradient, var, used, beta1, beta2);
    }
    first.inplace_op3(gradient, var, &FirstMoment { used, beta: beta1 })?;
    second.inplace_op3(gradient, var, &SecondMoment { used, beta: beta2 })
}

/// Moves the parameter.
pub(super) fn step(var: &Var, first: &Var, second: &Var, update: &Update) -> Result<()> {
    if !in_place(var) {
        return composed_step(var, first, second, update);
    }
    var.inplace_op3(first, second, update)
}

/// [`moments`] as candle operations.
fn composed_moments(
    first: &Var,
    second: &Var,
    gradient: &Tensor,
    var: &Var,
    used: &Gradient,
    beta1: f64,
    beta2: f64,
) -> Result<()> {
    let mut g = gradient.affine(used.factor, 0.0)?;
    if used.limit.is_finite() {
        g = g.clamp(-used.limit, used.limit)?;
    }
    if used.decay != 0.0 {
        g = (g + var.as_tensor().detach().affine(used.decay, 0.0)?)?;
    }
    first.set(&(first.as_tensor().detach() * beta1)?.add(&(&g * (1.0 - beta1))?)?)?;
    second.set(&(second.as_tensor().detach() * beta2)?.add(&(g.sqr()? * (1.0 - beta2))?)?)
}

/// [`step`] as candle operations.
fn composed_step(var: &Var, first: &Var, second: &Var, update: &Update) -> Result<()> {
    let root = second.as_tensor().detach().sqrt()?;
    let denominator = root.affine(1.0 / update.root_correction, update.epsilon)?;
    let change = (first.as_tensor().detach().affine(update.rate, 0.0)? / denominator)?;
    var.set(&(var.as_tensor().detach().affine(update.keep, 0.0)? - change)?)
}

/// Whether the kernels below apply.
fn in_place(var: &Var) -> bool {
    var.device().is_cpu() && matches!(var.dtype(), DType::F32 | DType::F64) && var.is_contiguous()
}

struct FirstMoment<'a> {
    used: &'a Gradient,
    beta: f64,
}

struct SecondMoment<'a> {
    used: &'a Gradient,
    beta: f64,
}

impl Gradient {
    fn of(&self, g: f64, theta: f64) -> f64 {
        (self.factor * g).clamp(-self.limit, self.limit) + self.decay * theta
    }
}

impl InplaceOp3 for FirstMoment<'_> {
    fn name(&self) -> &'static str {
        "adam-first-moment"
    }

    fn cpu_fwd(
        &self,
        m: &mut CpuStorage,
        lm: &Layout,
        g: &CpuStorage,
        lg: &Layout,
        theta: &CpuStorage,
        lt: &Layout,
    ) -> Result<()> {
        let weight = 1.0 - self.beta;
        each((m, lm), (g, lg), (theta, lt), |m, g, theta| m + weight * (self.used.of(g, theta) - m))
    }
}

impl InplaceOp3 for SecondMoment<'_> {
    fn name(&self) -> &'static str {
        "adam-second-moment"
    }

    fn cpu_fwd(
        &self,
        v: &mut CpuStorage,
        lv: &Layout,
        g: &CpuStorage,
        lg: &Layout,
        theta: &CpuStorage,
        lt: &Layout,
    ) -> Result<()> {
        let beta = self.beta;
        each((v, lv), (g, lg), (theta, lt), |v, g, theta| {
            let g = self.used.of(g, theta);
            beta * v + (1.0 - beta) * g * g
        })
    }
}

impl InplaceOp3 for Update {
    fn name(&self) -> &'static str {
        "adam-update"
    }

    fn cpu_fwd(
        &self,
        theta: &mut CpuStorage,
        lt: &Layout,
        m: &CpuStorage,
        lm: &Layout,
        v: &CpuStorage,
        lv: &Layout,
    ) -> Result<()> {
        each((theta, lt), (m, lm), (v, lv), |theta, m, v| {
            self.keep * theta - self.rate * m / (v.sqrt() / self.root_correction + self.epsilon)
        })
    }
}

/// `x ← f(x, a, b)` for every element, computed in f64 whatever the dtype.
fn each(
    (x, lx): (&mut CpuStorage, &Layout),
    (a, la): (&CpuStorage, &Layout),
    (b, lb): (&CpuStorage, &Layout),
    f: impl Fn(f64, f64, f64) -> f64,
) -> Result<()> {
    let (Some((x0, x1)), Some((a0, a1)), Some((b0, b1))) =
        (lx.contiguous_offsets(), la.contiguous_offsets(), lb.contiguous_offsets())
    else {
        bail!("an update of Adam needs contiguous tensors")
    };
    match (x, a, b) {
        (CpuStorage::F64(x), CpuStorage::F64(a), CpuStorage::F64(b)) => {
            for ((x, &a), &b) in x[x0..x1].iter_mut().zip(&a[a0..a1]).zip(&b[b0..b1]) {
                *x = f(*x, a, b);
            }
        }
        (CpuStorage::F32(x), CpuStorage::F32(a), CpuStorage::F32(b)) => {
            for ((x, &a), &b) in x[x0..x1].iter_mut().zip(&a[a0..a1]).zip(&b[b0..b1]) {
                *x = f(f64::from(*x), f64::from(a), f64::from(b)) as f32;
            }
        }
        _ => bail!("an update of Adam needs tensors of one dtype, f32 or f64"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    fn var(values: [f64; 4]) -> Var {
        Var::new(&values, &Device::Cpu).unwrap()
    }

    fn values(var: &Var) -> Vec<f64> {
        var.to_vec1().unwrap()
    }

    /// What runs on GPUs is what runs on the CPU, for every rule at once.
    #[test]
    fn both_paths_agree() {
        let gradient = Tensor::new(&[0.3, -4.0, 0.0, 7.5], &Device::Cpu).unwrap();
        for used in [
            Gradient { factor: 1.0, limit: f64::INFINITY, decay: 0.0 },
            Gradient { factor: 0.4, limit: 1.1, decay: 0.2 },
        ] {
            let fresh = || {
                (var([1.0, -2.0, 0.5, 3.0]), var([0.1, 0.2, -0.3, 0.4]), var([0.01, 0.5, 0.3, 0.2]))
            };
            let (a, ma, va) = fresh();
            let (b, mb, vb) = fresh();
            let update = Update { keep: 0.9, rate: 0.3, root_correction: 0.7, epsilon: 1e-3 };
            moments(&ma, &va, &gradient, &a, &used, 0.9, 0.99).unwrap();
            step(&a, &ma, &va, &update).unwrap();
            composed_moments(&mb, &vb, &gradient, &b, &used, 0.9, 0.99).unwrap();
            composed_step(&b, &mb, &vb, &update).unwrap();
            for (x, y) in [(&a, &b), (&ma, &mb), (&va, &vb)] {
                for (x, y) in values(x).into_iter().zip(values(y)) {
                    assert!((x - y).abs() < 1e-14, "{x} is not {y}");
                }
            }
            assert_ne!(values(&a), [1.0, -2.0, 0.5, 3.0]);
        }
    }
}

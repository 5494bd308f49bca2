//! How near Jacobians are to the true one before the solver has converged (figure 3 of the paper).
use ansatz::core::{Jet, TensorLike};
use ansatz::linalg::implicit::{self, Parametric};
use ansatz::linalg::{Cg, Iterative};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};
use candle_core::{Device, Tensor};

use super::{Digits, norm};
use crate::AnyError;
use crate::reproduce::{Claim, Context, Verdict};

/// The gradient of `½ |X w − y|² / n + ½ e^θ |w|²`, with `w` as a row.
struct Gradient {
    /// `Xᵀ X / n` and `yᵀ X / n`.
    gram: Tensor,
    right: Tensor,
}

impl Parametric for Gradient {
    fn evaluate<T: TensorLike>(&self, w: &T, p: &[T]) -> ansatz::linalg::Result<T> {
        let data = w.matmul_constant(&self.gram)?.add_constant(&self.right.neg()?)?;
        Ok(data.add(&w.mul(&p[0].exp()?)?)?)
    }
}

/// 442 rows as the data set of the paper, here of digits; the label is regressed on the pixels.
const ROWS: usize = 442;

pub(super) fn claim(context: &Context, digits: &Digits) -> Result<Claim, AnyError> {
    let images = digits.images.narrow(0, 0, ROWS)?;
    let labels: Vec<f64> = digits.labels[..ROWS].iter().map(|y| f64::from(*y) - 4.5).collect();
    let labels = Tensor::from_vec(labels, (1, ROWS), &Device::Cpu)?;
    let gram = (images.t()?.matmul(&images)? / ROWS as f64)?;
    let right = (labels.matmul(&images)? / ROWS as f64)?;
    let gradient = Gradient { gram: gram.clone(), right };
    let theta = Tensor::new(&[[-4f64]], &Device::Cpu)?;
    let theta = Jet::seed(&theta, &theta.ones_like()?.unsqueeze(0)?, 1)?;
    let solver = Iterative::new(Cg).relative(1e-12);
    let implicit = |w: &Tensor| -> Result<Tensor, AnyError> {
        Ok(implicit::series(&gradient, w, std::slice::from_ref(&theta), solver)?
            .coefficient(1, 0)?)
    };
    // Newton's method ends in one step: the problem is quadratic.
    let start = gradient.right.zeros_like()?;
    let shift = Jacobian { gradient: &gradient, theta: &theta };
    let solution = shift.newton(&start)?;
    let exact = implicit(&solution)?;
    // The trace bounds the largest eigenvalue.
    let rate = 1.0
        / (gram
            .broadcast_mul(&Tensor::eye(64, gram.dtype(), gram.device())?)?
            .sum_all()?
            .to_scalar::<f64>()?
            + 1.0);
    let zero = start.zeros_like()?.unsqueeze(0)?;
    let mut w = Jet::from_coefficients(&start, &[zero])?;
    let (mut steps, mut errors) = (0, Vec::new());
    for checkpoint in [100, 300, 1000, 3000, 10_000] {
        while steps < checkpoint {
            let slope = gradient.evaluate(&w, std::slice::from_ref(&theta))?;
            w = w.sub(&slope.scale(rate)?)?;
            steps += 1;
        }
        let point = w.value()?;
        let of = |jacobian: &Tensor| -> Result<f64, AnyError> { norm(&(jacobian - &exact)?) };
        let iterate = norm(&(&point - &solution)?)?;
        errors.push((iterate, of(&implicit(&point)?)?, of(&w.coefficient(1, 0)?)?));
    }
    plot(context, &errors)?;
    let show = |(x, implicit, unrolled): &(f64, f64, f64)| {
        format!("{x:.1e}: {implicit:.1e}, {unrolled:.1e}")
    };
    Ok(Claim {
        claim:
            "at the same iterate, the implicit Jacobian is nearer to the true one than that of the \
                unrolled iterations"
                .into(),
        published: "curves: implicit below unrolled at every error of the iterate".into(),
        source: "figure 3 (ridge regression, gradient descent); data here: digits".into(),
        measured: format!(
            "error of the iterate: of the implicit, of the unrolled Jacobian — {}",
            errors.iter().map(show).collect::<Vec<_>>().join("; ")
        ),
        verdict: Verdict::holds_if(
            errors.iter().all(|(_, implicit, unrolled)| implicit < unrolled),
        ),
    })
}

struct Jacobian<'a> {
    gradient: &'a Gradient,
    theta: &'a Jet,
}

impl Jacobian<'_> {
    /// The exact minimum: `w` for which the gradient vanishes.
    fn newton(&self, start: &Tensor) -> Result<Tensor, AnyError> {
        let weight = self.theta.value()?.flatten_all()?.to_vec1::<f64>()?[0].exp();
        let gram = self.gradient.gram.clone();
        let map = move |w: &Tensor, _: &[Tensor]| Ok((w.matmul(&gram)? + (w * weight)?)?);
        let solver = Iterative::new(Cg).relative(1e-13);
        let right = (&self.gradient.right - start)?;
        let properties = ansatz::linalg::Properties::SPD;
        Ok(implicit::linear_solve(map, &[], &right, properties, solver)?)
    }
}

fn plot(context: &Context, errors: &[(f64, f64, f64)]) -> Result<(), AnyError> {
    let all = errors.iter().flat_map(|(_, a, b)| [*a, *b]);
    let top = all.clone().fold(0.0f64, f64::max);
    let bottom = all.fold(f64::INFINITY, f64::min);
    let (right, left) = (errors[0].0, errors[errors.len() - 1].0);
    let line = |pick: fn(&(f64, f64, f64)) -> f64| {
        errors.iter().map(|e| [e.0.log10(), pick(e).log10()]).collect::<Vec<_>>()
    };
    let panel = Panel::new(
        "Jacobians of a ridge regression",
        Axis::linear("error of the iterate, log₁₀", [left.log10() - 0.2, right.log10() + 0.2]),
        Axis::linear("error of the Jacobian, log₁₀", [bottom.log10() - 0.2, top.log10() + 0.2]),
    )
    .with(Layer::line(line(|e| e.1), OKABE_ITO[0]).label("implicit"))
    .with(Layer::line(line(|e| e.2), OKABE_ITO[1]).label("unrolled"));
    let svg = context.plot("implicit-diff.svg");
    context.plot("implicit-diff.png");
    let folder = svg.parent().ok_or("the plot has no folder")?;
    Figure::new(560, 480).panel([0.0, 0.0, 1.0, 1.0], panel).save(folder, "implicit-diff")?;
    Ok(())
}

//! A weight for every feature, learnt through the fit: the gradient of a minimum.
//!
//! ```text
//! cargo run --release --example bilevel [-- FOLDER]
//! ```
//!
//! Logistic regression with a quadratic penalty, `Σ ½ exp(θⱼ) wⱼ²`, has one setting for each feature:
//! how much it is held back. Here 8 of 40 features matter; the data are drawn from a key, so that
//! this is known, and the method is not told. The settings θ are chosen so that the regression, fitted
//! to 100 samples, predicts 400 others well; 4000 more are kept for the end. That is an optimisation
//! within an optimisation: the inner one, for the coefficients w, by Newton's method with conjugate
//! gradients; the outer one by Adam, whose gradient goes through the inner minimum by the implicit
//! function theorem (`implicit::minimise`), with no tape of the inner iterations.
//!
//! What to expect: the gradient agrees with central differences to many digits. The loss on the 400
//! samples falls well below what the best single setting for all features reaches, and that on the
//! samples that were kept comes out as if one had known which features matter. These end with small
//! penalties, most of the others with large ones; a few happen to help on the 400 samples and go free,
//! since forty settings can be fitted too well as well. A figure goes to the folder (target/examples).
//! It is an error when any of this fails.
#![allow(clippy::print_stdout)]

use std::{error::Error, path::PathBuf};

use ansatz::core::{
    Key, TensorLike,
    candle::{DType, Device, Tensor, Var},
};
use ansatz::linalg::{
    Cg, Iterative, LinearOperator, LinearSolver, Properties,
    implicit::{self, Parametric},
};
use ansatz::nn::{Adam, AdamConfig, Optimizer};
use ansatz_examples::plot::{Axis, Figure, GREY, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const FEATURES: usize = 40;
/// The first features matter.
const RELEVANT: usize = 8;
const STEPS: usize = 150;
/// θ where the search begins: a penalty of e⁻³ for all.
const START: f64 = -3.0;

/// Samples and their classes.
#[derive(Clone)]
struct Samples {
    /// `[samples, features]`, each row times its class, 1 or −1.
    signed: Tensor,
}

impl Samples {
    /// Classes 1 with probability `σ(x·w)` for features from the normal distribution.
    fn draw(key: &Key, count: usize, truth: &Tensor) -> Result<Self> {
        let [features, classes] = key.split();
        let x = features.normal_tensor((count, FEATURES), 0.0, 1.0, DType::F64, &Device::Cpu)?;
        let odds = x.matmul(&truth.unsqueeze(1)?)?.squeeze(1)?.to_vec1::<f64>()?;
        let draws = classes.uniform(count);
        let class = odds
            .iter()
            .zip(&draws)
            .map(|(z, u)| if *u < 1.0 / (1.0 + (-z).exp()) { 1.0 } else { -1.0 });
        let class = Tensor::from_vec(class.collect::<Vec<f64>>(), (count, 1), &Device::Cpu)?;
        Ok(Self { signed: x.broadcast_mul(&class)? })
    }

    /// The mean of `ln(1 + exp(−y x·w))`: the negative logarithm of the likelihood.
    fn loss<T: TensorLike>(&self, w: &T) -> ansatz::core::Result<T> {
        w.dense(&self.signed, None)?.neg()?.softplus()?.mean_all()
    }

    /// The part that is put into the right class.
    fn accuracy(&self, w: &Tensor) -> Result<f64> {
        let margins = self.signed.matmul(&w.unsqueeze(1)?)?;
        Ok(margins.gt(0.0)?.to_dtype(DType::F64)?.mean_all()?.to_scalar()?)
    }
}

/// What the inner optimisation makes small: the loss and the penalty. Once for tensors and for Taylor
/// series, of which the Hessian is made.
#[derive(Clone)]
struct Penalised(Samples);

impl Parametric for Penalised {
    fn evaluate<T: TensorLike>(&self, w: &T, theta: &[T]) -> ansatz::linalg::Result<T> {
        let penalty = theta[0].exp()?.mul(&w.sqr()?)?.sum_all()?.scale(0.5)?;
        Ok(self.0.loss(w)?.add(&penalty)?)
    }
}

/// `v ↦ Xᵀ D X v + exp(θ) v`: the Hessian at one point.
struct Hessian<'a> {
    samples: &'a Samples,
    /// `σ(m) σ(−m) / samples` for the margins m, `[samples, 1]`.
    weights: Tensor,
    penalty: Tensor,
}

impl LinearOperator<Tensor> for Hessian<'_> {
    fn shape(&self) -> [usize; 2] {
        [FEATURES, FEATURES]
    }

    fn apply_into(&self, v: &Tensor, y: &mut Tensor) -> ansatz::linalg::Result<()> {
        let rows = &self.samples.signed;
        let weighted = rows.matmul(&v.unsqueeze(1)?)?.mul(&self.weights)?;
        *y = (rows.t()?.matmul(&weighted)?.squeeze(1)? + (v * &self.penalty)?)?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties { symmetric: true, positive_definite: true, ..Properties::NONE }
    }
}

/// The inner minimum, by Newton's method with conjugate gradients and step halving.
fn fitted(samples: &Samples, theta: &Tensor, start: &Tensor) -> Result<Tensor> {
    let objective = Penalised(samples.clone());
    let theta = theta.detach();
    let count = samples.signed.dim(0)? as f64;
    let mut w = Var::from_tensor(start)?;
    for _ in 0..50 {
        let value = objective.evaluate(w.as_tensor(), std::slice::from_ref(&theta))?;
        let gradients = value.backward()?;
        let gradient = gradients.get(&w).ok_or("no gradient")?.clone();
        if gradient.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt() < 1e-13 {
            return Ok(w.as_tensor().detach());
        }
        let margins = samples.signed.matmul(&w.unsqueeze(1)?.detach())?;
        let right = ansatz::core::TensorLike::sigmoid(&margins)?;
        let weights = ((&right * right.affine(-1.0, 1.0)?)? / count)?;
        let hessian = Hessian { samples, weights, penalty: theta.exp()? };
        let step = Iterative::new(Cg).relative(1e-6).solve(&hessian, &gradient)?.x;
        let before = value.to_scalar::<f64>()?;
        let mut factor = 1.0;
        // A full step but for the first ones; rounding hides the fall near the end.
        let next = loop {
            let next = (w.as_tensor().detach() - (&step * factor)?)?;
            let value = objective.evaluate(&next, std::slice::from_ref(&theta))?;
            if value.to_scalar::<f64>()? <= before + 1e-14 || factor < 1e-6 {
                break next;
            }
            factor *= 0.5;
        };
        w = Var::from_tensor(&next)?;
    }
    Err("the inner optimisation takes more than 50 steps".into())
}

/// The samples to fit to, to choose settings by, and to judge by.
struct Problem {
    training: Samples,
    validation: Samples,
    test: Samples,
}

impl Problem {
    fn draw() -> Result<Self> {
        let [sizes, a, b, c] = Key::new(3).split();
        // From 0.6 to 1.4 in size, of either sign.
        let (signs, sizes) = (sizes.rademacher(RELEVANT), sizes.uniform(RELEVANT));
        let mut truth: Vec<f64> =
            signs.iter().zip(&sizes).map(|(sign, u)| sign * (0.6 + 0.8 * u)).collect();
        truth.resize(FEATURES, 0.0);
        let truth = Tensor::new(truth, &Device::Cpu)?;
        Ok(Self {
            training: Samples::draw(&a, 100, &truth)?,
            validation: Samples::draw(&b, 400, &truth)?,
            test: Samples::draw(&c, 4000, &truth)?,
        })
    }

    /// The coefficients for θ, and the validation loss at them, with its graph.
    fn outer(&self, theta: &Tensor, start: &Tensor) -> Result<(Tensor, Tensor)> {
        let w = fitted(&self.training, theta, start)?;
        let objective = Penalised(self.training.clone());
        let solver = Iterative::new(Cg).relative(1e-10);
        let w = implicit::minimise(objective, &w, std::slice::from_ref(theta), solver)?;
        let loss = self.validation.loss(&w)?;
        Ok((w.detach(), loss))
    }

    /// The best of 81 settings on the validation samples: its loss, itself, the coefficients.
    fn best(
        &self,
        start: &Tensor,
        penalties: impl Fn(f64) -> ansatz::core::candle::Result<Tensor>,
    ) -> Result<(f64, f64, Tensor)> {
        let mut best = (f64::INFINITY, START, start.clone());
        for i in 0..81 {
            let setting = -8.0 + 0.1 * f64::from(i);
            let w = fitted(&self.training, &penalties(setting)?, start)?;
            let loss = self.validation.loss(&w)?.to_scalar::<f64>()?;
            if loss < best.0 {
                best = (loss, setting, w);
            }
        }
        Ok(best)
    }

    /// The largest difference between the gradient at θ and central differences, over the size of the
    /// gradient.
    fn gradient_error(&self, theta: &Var, start: &Tensor) -> Result<f64> {
        let (w, loss) = self.outer(theta, start)?;
        let gradients = loss.backward()?;
        let gradient = gradients.get(theta).ok_or("no gradient")?.to_vec1::<f64>()?;
        let at = theta.to_vec1::<f64>()?;
        let (mut worst, mut size) = (0f64, 0f64);
        for j in 0..FEATURES {
            let moved = |step: f64| -> Result<f64> {
                let mut theta = at.clone();
                theta[j] += step;
                let theta = Tensor::new(theta, &Device::Cpu)?;
                Ok(self.validation.loss(&fitted(&self.training, &theta, &w)?)?.to_scalar()?)
            };
            let difference = (moved(1e-4)? - moved(-1e-4)?) / 2e-4;
            worst = worst.max((gradient[j] - difference).abs());
            size = size.max(gradient[j].abs());
        }
        Ok(worst / size)
    }
}

/// A line of the table; the loss on the test samples.
fn report(name: &str, problem: &Problem, w: &Tensor) -> Result<f64> {
    let loss = |samples: &Samples| -> Result<f64> { Ok(samples.loss(w)?.to_scalar()?) };
    let [a, b, c] = [&problem.training, &problem.validation, &problem.test].map(loss);
    let (a, b, c) = (a?, b?, c?);
    let right = 100.0 * problem.test.accuracy(w)?;
    println!("{name:<26} {a:>9.4} {b:>11.4} {c:>9.4} {right:>9.1} %");
    Ok(c)
}

/// Fails unless `right`.
fn require(right: bool, what: &str) -> Result<()> {
    if right { Ok(()) } else { Err(what.into()) }
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| "target/examples".into(), PathBuf::from);
    let problem = Problem::draw()?;
    let same = |value: f64| Tensor::full(value, FEATURES, &Device::Cpu);
    let zero = same(0.0)?;

    println!("{:<26} {:>9} {:>11} {:>9} {:>11}", "loss", "training", "validation", "test", "right");
    let start = fitted(&problem.training, &same(START)?, &zero)?;
    report(&format!("all penalties e^{START}"), &problem, &start)?;
    // The best single setting, by trying them.
    let single = problem.best(&zero, same)?;
    let alike = report(&format!("best for all: e^{:.1}", single.1), &problem, &single.2)?;

    let theta = Var::from_tensor(&same(START)?)?;
    let check = problem.gradient_error(&theta, &start)?;
    let mut adam = Adam::new(vec![theta.clone()], AdamConfig::new(0.1))?;
    let mut w = start;
    let (mut validation, mut test) = (Vec::new(), Vec::new());
    for step in 0..=STEPS {
        let (next, loss) = problem.outer(&theta, &w)?;
        w = next;
        validation.push([step as f64, loss.to_scalar::<f64>()?]);
        test.push([step as f64, problem.test.loss(&w)?.to_scalar::<f64>()?]);
        if step < STEPS {
            adam.backward_step(&loss)?;
        }
    }
    let learnt = report("one for each, learnt", &problem, &w)?;
    // What one would do who knew: the best setting where it matters, none of the others.
    let known = |setting: f64| {
        let all = (0..FEATURES).map(|j| if j < RELEVANT { setting } else { 12.0 });
        Tensor::from_iter(all, &Device::Cpu)
    };
    let best = problem.best(&zero, known)?.2;
    let knowing = report("who knows which matter", &problem, &best)?;

    let last = problem.gradient_error(&theta, &w)?;
    println!(
        "\ngradient against central differences: {check:.1e} at the start, {last:.1e} at the end"
    );
    let settings = theta.to_vec1::<f64>()?;
    let (relevant, others) = settings.split_at(RELEVANT);
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    // Of all pairs of a feature that matters and one that does not, how many are in order.
    let pairs =
        relevant.iter().flat_map(|a| others.iter().map(move |b| f64::from(u8::from(a < b))));
    let order = mean(&pairs.collect::<Vec<_>>());
    println!(
        "learnt ln penalty, mean: {:.2} where it matters, {:.2} elsewhere; {:.1} % of pairs in order",
        mean(relevant),
        mean(others),
        100.0 * order
    );
    let end = validation[STEPS][1];
    require(check < 1e-6 && last < 1e-5, "the gradient is not that of the loss")?;
    require(end < single.0, "the validation loss did not fall below that of a single setting")?;
    require(learnt < alike, "other samples are predicted no better")?;
    require(learnt < 1.05 * knowing, "other samples show that the settings are fitted too well")?;
    require(order > 0.85, "penalties do not tell the features that matter")?;

    let ends = [0.0, STEPS as f64];
    let top = test.iter().chain(&validation).map(|[_, y]| *y).fold(0.0, f64::max);
    let level = |y: f64| ends.map(|x| [x, y]).to_vec();
    let curves = Panel::new(
        "Loss by step of the outer optimisation",
        Axis::linear("step", ends),
        Axis::linear("loss", [0.9 * end, 1.05 * top]),
    )
    .with(Layer::line(level(single.0), OKABE_ITO[0]).dashed(4.0))
    .with(Layer::line(level(alike), OKABE_ITO[1]).dashed(4.0))
    .with(Layer::line(validation, OKABE_ITO[0]).label("validation"))
    .with(Layer::line(test, OKABE_ITO[1]).label("test"))
    .with(Layer::line(Vec::new(), GREY).dashed(4.0).label("best single setting"));
    let dots =
        |range: std::ops::Range<usize>| range.map(|j| [j as f64 + 1.0, settings[j]]).collect();
    let range = settings.iter().fold([START; 2], |[a, b], t| [a.min(*t), b.max(*t)]);
    let weights = Panel::new(
        "Learnt ln penalty",
        Axis::linear("feature", [0.0, FEATURES as f64 + 1.0]),
        Axis::linear("θ", [range[0] - 0.5, range[1] + 1.5]),
    )
    .with(Layer::line(vec![[0.0, START], [FEATURES as f64 + 1.0, START]], GREY).dashed(4.0))
    .with(Layer::points(dots(0..RELEVANT), OKABE_ITO[2]).label("matter"))
    .with(Layer::points(dots(RELEVANT..FEATURES), OKABE_ITO[3]).label("do not"));
    let figure = Figure::new(1100, 460)
        .panel([0.0, 0.0, 0.5, 1.0], curves)
        .panel([0.5, 0.0, 1.0, 1.0], weights);
    for path in figure.save(&folder, "bilevel")? {
        println!("{}", path.display());
    }
    Ok(())
}

//! A. Pal, A. Edelman, C. Rackauckas, *Locally Regularized Neural Differential Equations: Some Black
//! Boxes Were Meant to Remain Closed!* (ICML 2023, arXiv:2303.02262).
//!
//! The error estimate of one step at a random place of the solution, in place of the sum over all
//! steps. Measured on the task of `blackbox-reg`: evaluations, accuracy, the price of a training step,
//! and whether the gradient is the same by a discrete and by a continuous adjoint.
use std::time::Instant;

use ansatz::core::Key;
use ansatz::ode::{Backsolve, Direct, RecursiveCheckpoint};
use candle_core::{DType, Tensor};

use super::neural_de::flat_gradient;
use super::regularised::{Comparison, Contender, Figures, Images, Regulariser, WEIGHT, plot};
use super::{Claim, Context, Entry, Verdict};
use crate::AnyError;

/// The entry `local-reg`.
#[derive(Debug)]
pub(super) struct LocalReg;

const CONTENDERS: [Contender; 4] = [
    ("plain", Regulariser::None),
    ("global", Regulariser::Error(WEIGHT)),
    ("local, unbiased", Regulariser::LocalUnbiased(WEIGHT)),
    ("local, biased", Regulariser::LocalBiased(WEIGHT)),
];

impl Entry for LocalReg {
    fn slug(&self) -> &'static str {
        "local-reg"
    }

    fn title(&self) -> &'static str {
        "Locally Regularized Neural Differential Equations"
    }

    fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
        let images = Images::mnist(DType::F64)?;
        let comparison = Comparison::new(context);
        let all = comparison.run(&images, &CONTENDERS, &Key::new(12))?;
        plot(context, "local-reg", &all)?;
        let [plain, global, local @ ..] = &all[..] else {
            return Err("four contenders were to be trained".into());
        };
        Ok(vec![
            fewer(&comparison, plain, global, local),
            accuracy(plain, local),
            price(&comparison, &images, 30)?,
            adjoints(&comparison, &images)?,
        ])
    }
}

fn fewer(comparison: &Comparison, plain: &Figures, global: &Figures, local: &[Figures]) -> Claim {
    let ratio = |f: &Figures| f.mean_evaluations() / plain.mean_evaluations();
    let listed: Vec<String> = local
        .iter()
        .map(|f| format!("{} ({:.3}×)", f.listed(&f.evaluations, 1), ratio(f)))
        .collect();
    Claim {
        claim: "one random step as a regulariser, drawn in either way, lowers the number of \
                evaluations at prediction"
            .into(),
        published: "to 0.556×–0.733×; bar: 0.733× for both ways".into(),
        source: "abstract; on other networks".into(),
        measured: format!(
            "{}, {} ({:.3}×), {} ({})",
            plain.listed(&plain.evaluations, 1),
            global.listed(&global.evaluations, 1),
            ratio(global),
            listed.join(", "),
            comparison.described()
        ),
        verdict: Verdict::holds_if(local.iter().all(|f| ratio(f) <= 0.733)),
    }
}

fn accuracy(plain: &Figures, local: &[Figures]) -> Claim {
    let listed: Vec<String> = local.iter().map(|f| f.listed(&f.accuracy, 1)).collect();
    let floor = plain.mean_accuracy() - 1.0;
    Claim {
        claim: "the accuracy on test images does not suffer".into(),
        published: "no figure compared; bar set here: at most 1 point lower".into(),
        source: "abstract: similar performance to global regularisation".into(),
        measured: format!("{} %, {} %", plain.listed(&plain.accuracy, 1), listed.join(" %, ")),
        verdict: Verdict::holds_if(local.iter().all(|f| f.mean_accuracy() >= floor)),
    }
}

/// The time of a training step at the same weights (those at the start), taking turns: medians of
/// the ratios to the plain step beside it.
fn price(comparison: &Comparison, images: &Images, rounds: u64) -> Result<Claim, AnyError> {
    let key = Key::new(3);
    let pixels = images.pixels.dim(1)?;
    let trainee = comparison.trainee(pixels, Regulariser::None, &key)?;
    let batch = images.batch(comparison.batch, &key)?;
    let mut times = [(); 3].map(|()| Vec::new());
    for round in 0..rounds {
        for ((_, regulariser), times) in CONTENDERS.iter().zip(&mut times) {
            let started = Instant::now();
            let loss = trainee.model.loss(&batch, *regulariser, Direct, &key.fold_in(round))?;
            loss.value.backward()?;
            times.push(started.elapsed().as_secs_f64());
        }
    }
    let [plain, global, local] = times;
    let ratio = |other: &[f64]| median(other.iter().zip(&plain).map(|(o, p)| o / p).collect());
    let (global, local) = (ratio(&global), ratio(&local));
    Ok(Claim {
        claim: "a training step with one random step costs little more than a plain one, and less \
                than with all steps"
            .into(),
        published: "no figure compared; bar set here: 1.2 times a plain step".into(),
        source: "abstract: without compromising on training time".into(),
        measured: format!(
            "plain {:.1} ms; local {local:.2} times that, global {global:.2} times (loss and \
             gradient at the same weights)",
            1e3 * median(plain.clone())
        ),
        verdict: Verdict::holds_if(local <= 1.2 && local < global),
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The gradient of the locally regularised loss by three adjoints.
fn adjoints(comparison: &Comparison, images: &Images) -> Result<Claim, AnyError> {
    let key = Key::new(4);
    let regulariser = Regulariser::LocalUnbiased(WEIGHT);
    let trainee = comparison.trainee(images.pixels.dim(1)?, regulariser, &key)?;
    let batch = images.batch(comparison.batch, &key)?;
    let flat = |loss: &Tensor| flat_gradient(&trainee.parameters, loss);
    let model = &trainee.model;
    let taped = flat(&model.loss(&batch, regulariser, Direct, &key)?.value)?;
    let replayed = RecursiveCheckpoint::default();
    let replayed = flat(&model.loss(&batch, regulariser, replayed, &key)?.value)?;
    let continuous = flat(&model.loss(&batch, regulariser, Backsolve, &key)?.value)?;
    let (discrete, gap) = (distance(&taped, &replayed), distance(&taped, &continuous));
    let bar = 100.0 * comparison.tolerance;
    Ok(Claim {
        claim: "the regulariser works with any adjoint: its gradient is the same".into(),
        published: format!(
            "any sensitivity method; no figure compared, bar set here: {bar:.0e} for the \
             continuous adjoint (100 × tolerance), 1e-10 between the discrete ones"
        ),
        source: "abstract".into(),
        measured: format!(
            "relative to the taped steps: replayed from checkpoints {discrete:.0e}, solved \
             backwards {gap:.0e}"
        ),
        verdict: Verdict::holds_if(discrete < 1e-10 && gap < bar),
    })
}

/// `‖a − b‖ / ‖a‖`.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let gap = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    (gap / a.iter().map(|a| a * a).sum::<f64>()).sqrt()
}

//! A. Pal, Y. Ma, V. Shah, C. Rackauckas, *Opening the Blackbox: Accelerating Neural Differential
//! Equations by Regularizing Internal Solver Heuristics* (ICML 2021, arXiv:2105.03918).
//!
//! The sum over the steps of length times error estimate (eq. 9 of the paper), or of the stiffness
//! estimates (eq. 11), is added to the loss of a neural ODE that classifies digits. Measured is how
//! many evaluations, and how much time, predictions and training then take. The network is a small
//! one on 5,000 images and not the paper's; weights of the regularisers were chosen on other seeds.
use ansatz::core::Key;
use candle_core::DType;

use super::regularised::{Comparison, Contender, Figures, Images, Regulariser, WEIGHT, plot};
use super::{Claim, Context, Entry, Verdict};
use crate::AnyError;

/// The entry `blackbox-reg`.
#[derive(Debug)]
pub(super) struct BlackboxReg;

/// How many times fewer evaluations are asked for, and how many times less time at prediction.
const FACTOR: f64 = 1.4;

const CONTENDERS: [Contender; 4] = [
    ("plain", Regulariser::None),
    ("error", Regulariser::Error(WEIGHT)),
    ("stiffness", Regulariser::Stiffness(1.0)),
    ("local", Regulariser::LocalUnbiased(WEIGHT)),
];

impl Entry for BlackboxReg {
    fn slug(&self) -> &'static str {
        "blackbox-reg"
    }

    fn title(&self) -> &'static str {
        "Opening the Blackbox"
    }

    fn run(&self, context: &Context) -> Result<Vec<Claim>, AnyError> {
        let comparison = Comparison::new(context);
        let all = comparison.run(&Images::mnist(DType::F64)?, &CONTENDERS, &Key::new(11))?;
        plot(context, "blackbox-reg", &all)?;
        let [plain, error, stiffness, _] = &all[..] else {
            return Err("four contenders were to be trained".into());
        };
        Ok(vec![
            fewer(&comparison, plain, error, "error"),
            fewer(&comparison, plain, stiffness, "stiffness"),
            accuracy(plain, error, "error"),
            accuracy(plain, stiffness, "stiffness"),
            prediction(plain, &[error, stiffness]),
            training(plain, &[error, stiffness]),
        ])
    }
}

fn fewer(comparison: &Comparison, plain: &Figures, other: &Figures, estimate: &str) -> Claim {
    let factor = plain.mean_evaluations() / other.mean_evaluations();
    Claim {
        claim: format!(
            "regularised by the solver's {estimate} estimates, a neural ODE is predicted with \
             fewer evaluations at the same tolerance"
        ),
        published: format!("can halve the prediction time; bar set here: {FACTOR} times fewer"),
        source: "abstract; the figure there is of time, on other networks".into(),
        measured: format!(
            "{}, {}: {factor:.2} times fewer ({})",
            plain.listed(&plain.evaluations, 1),
            other.listed(&other.evaluations, 1),
            comparison.described()
        ),
        verdict: Verdict::holds_if(factor >= FACTOR),
    }
}

fn accuracy(plain: &Figures, other: &Figures, estimate: &str) -> Claim {
    let floor = plain.mean_accuracy() - 1.0;
    Claim {
        claim: format!("with {estimate} estimates the accuracy on test images does not suffer"),
        published: "no figure compared; bar set here: at most 1 point lower".into(),
        source: "title and abstract: accelerating, not a trade against accuracy".into(),
        measured: format!(
            "{} %, {} %",
            plain.listed(&plain.accuracy, 1),
            other.listed(&other.accuracy, 1)
        ),
        verdict: Verdict::holds_if(other.mean_accuracy() >= floor),
    }
}

/// Times with the factors against the plain model, seed by seed the mean of the ratios.
fn times(plain: &[f64], other: &[f64], name: &str) -> (f64, String) {
    let ratios: Vec<f64> = plain.iter().zip(other).map(|(p, o)| p / o).collect();
    let factor = ratios.iter().sum::<f64>() / ratios.len() as f64;
    let mean = other.iter().sum::<f64>() / other.len() as f64;
    (factor, format!("{name} {mean:.3} s ({factor:.2} times faster)"))
}

fn prediction(plain: &Figures, others: &[&Figures]) -> Claim {
    let found: Vec<(f64, String)> =
        others.iter().map(|f| times(&plain.prediction, &f.prediction, f.name)).collect();
    let best = found.iter().map(|(factor, _)| *factor).fold(0f64, f64::max);
    let listed: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    Claim {
        claim: "prediction takes less time with the better of the two".into(),
        published: format!("can halve the prediction time; bar set here: {FACTOR} times faster"),
        source: "abstract".into(),
        measured: format!(
            "1000 images: {} s, {}",
            plain.listed(&plain.prediction, 3),
            listed.join(", ")
        ),
        verdict: Verdict::holds_if(best >= FACTOR),
    }
}

fn training(plain: &Figures, others: &[&Figures]) -> Claim {
    let found: Vec<(f64, String)> =
        others.iter().map(|f| times(&plain.training, &f.training, f.name)).collect();
    let best = found.iter().map(|(factor, _)| *factor).fold(0f64, f64::max);
    let listed: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
    Claim {
        claim: "training takes less time too, with the better of the two".into(),
        published: "a similar reduction in training times; bar set here: any".into(),
        source: "abstract; here the estimates are computed once more for their gradient, which \
                 the authors' solver takes from its own steps"
            .into(),
        measured: format!("{} s, {}", plain.listed(&plain.training, 1), listed.join(", ")),
        verdict: Verdict::holds_if(best > 1.0),
    }
}

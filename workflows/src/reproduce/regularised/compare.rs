//! Training with several regularisers side by side, over several seeds.
use std::time::{Duration, Instant};

use ansatz::core::Key;
use ansatz::nn::{Adam, AdamConfig, Optimizer, Parameters, Schedule};
use ansatz::ode::Direct;
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};
use candle_core::{DType, Device};

use super::{Classifier, Images, Regulariser};
use crate::AnyError;
use crate::reproduce::Context;

/// A regulariser with the name it has in texts and plots.
pub(in crate::reproduce) type Contender = (&'static str, Regulariser);

/// What is compared.
#[derive(Debug, Clone)]
pub(in crate::reproduce) struct Comparison {
    pub(in crate::reproduce) seeds: u64,
    pub(in crate::reproduce) steps: u64,
    pub(in crate::reproduce) batch: usize,
    pub(in crate::reproduce) test: usize,
    pub(in crate::reproduce) features: usize,
    pub(in crate::reproduce) hidden: usize,
    pub(in crate::reproduce) rate: f64,
    pub(in crate::reproduce) tolerance: f64,
}

/// What came out for one contender, one number a seed.
#[derive(Debug, Clone)]
pub(in crate::reproduce) struct Figures {
    pub(in crate::reproduce) name: &'static str,
    /// Evaluations to predict the test images.
    pub(in crate::reproduce) evaluations: Vec<f64>,
    /// Accuracy on the test images, in per cent.
    pub(in crate::reproduce) accuracy: Vec<f64>,
    /// Time to predict the test images, in seconds.
    pub(in crate::reproduce) prediction: Vec<f64>,
    /// Time of the whole training, in seconds.
    pub(in crate::reproduce) training: Vec<f64>,
    /// Evaluations of the forward solve in each training step, mean over the seeds.
    pub(in crate::reproduce) course: Vec<f64>,
}

/// Mean and sample standard deviation.
pub(in crate::reproduce) fn mean_and_spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}

impl Figures {
    fn new(name: &'static str, steps: usize) -> Self {
        let [evaluations, accuracy, prediction, training] = std::array::from_fn(|_| Vec::new());
        Self { name, evaluations, accuracy, prediction, training, course: vec![0.0; steps] }
    }

    /// Mean evaluations at prediction.
    pub(in crate::reproduce) fn mean_evaluations(&self) -> f64 {
        mean_and_spread(&self.evaluations).0
    }

    /// Mean accuracy in per cent.
    pub(in crate::reproduce) fn mean_accuracy(&self) -> f64 {
        mean_and_spread(&self.accuracy).0
    }

    /// `name mean ± spread`.
    pub(in crate::reproduce) fn listed(&self, values: &[f64], digits: usize) -> String {
        let (mean, spread) = mean_and_spread(values);
        format!("{} {mean:.digits$} ± {spread:.digits$}", self.name)
    }
}

/// One contender in training.
pub(in crate::reproduce) struct Trainee {
    pub(in crate::reproduce) model: Classifier,
    pub(in crate::reproduce) parameters: Parameters,
    pub(in crate::reproduce) regulariser: Regulariser,
    adam: Adam,
    spent: Duration,
}

impl Trainee {
    /// One step of Adam on one batch; the evaluations of its forward solve.
    pub(in crate::reproduce) fn step(
        &mut self,
        images: &Images,
        rate: f64,
        key: &Key,
    ) -> Result<usize, AnyError> {
        let started = Instant::now();
        self.adam.set_learning_rate(rate);
        let loss = self.model.loss(images, self.regulariser, Direct, key)?;
        self.adam.backward_step(&loss.value)?;
        self.spent += started.elapsed();
        Ok(loss.evaluations)
    }
}

impl Comparison {
    /// At the size for this machine, or with more seeds and steps.
    pub(in crate::reproduce) fn new(context: &Context) -> Self {
        let (seeds, steps) = if context.full() { (5, 2_000) } else { (3, 200) };
        Self {
            seeds,
            steps,
            batch: 128,
            test: 1_000,
            features: 64,
            hidden: 100,
            rate: 1e-2,
            tolerance: 1e-8,
        }
    }

    /// A model and its optimiser; the same `key` gives the same weights.
    pub(in crate::reproduce) fn trainee(
        &self,
        pixels: usize,
        regulariser: Regulariser,
        key: &Key,
    ) -> Result<Trainee, AnyError> {
        let parameters = Parameters::new(*key, DType::F64, &Device::Cpu)?;
        let sizes = [pixels, self.features, self.hidden];
        let model = Classifier::new(sizes, self.tolerance, &parameters)?;
        let adam = Adam::for_parameters(&parameters, AdamConfig::new(self.rate))?;
        Ok(Trainee { model, parameters, regulariser, adam, spent: Duration::ZERO })
    }

    /// Trains all contenders with the same splits, first weights and batches, their steps taking
    /// turns, so that their times are comparable on a machine that does other things as well.
    pub(in crate::reproduce) fn run(
        &self,
        images: &Images,
        contenders: &[Contender],
        key: &Key,
    ) -> Result<Vec<Figures>, AnyError> {
        let steps = usize::try_from(self.steps)?;
        let mut all: Vec<Figures> =
            contenders.iter().map(|(name, _)| Figures::new(name, steps)).collect();
        let (peak, floor) = (self.rate, 0.01 * self.rate);
        let schedule = Schedule::Cosine { peak, floor, warmup: 0, steps: self.steps };
        for seed in 0..self.seeds {
            let [splits, weights, batches, places] = key.fold_in(seed).split();
            let [train, test] = images.split(self.test, &splits)?;
            let pixels = images.pixels.dim(1)?;
            let mut trainees = contenders
                .iter()
                .map(|(_, regulariser)| self.trainee(pixels, *regulariser, &weights))
                .collect::<Result<Vec<_>, _>>()?;
            for step in 0..self.steps {
                let batch = train.batch(self.batch, &batches.fold_in(step))?;
                for (trainee, figures) in trainees.iter_mut().zip(&mut all) {
                    let place = places.fold_in(step);
                    let count = trainee.step(&batch, schedule.at(step), &place)?;
                    figures.course[usize::try_from(step)?] += count as f64 / self.seeds as f64;
                }
            }
            for (trainee, figures) in trainees.iter().zip(&mut all) {
                let prediction = trainee.model.predict(&test, 5)?;
                figures.evaluations.push(prediction.evaluations as f64);
                figures.accuracy.push(100.0 * prediction.accuracy);
                figures.prediction.push(prediction.time.as_secs_f64());
                figures.training.push(trainee.spent.as_secs_f64());
            }
        }
        Ok(all)
    }

    /// The size, in words.
    pub(in crate::reproduce) fn described(&self) -> String {
        format!(
            "mnist5k, 784-{f}, neural ODE {f}+1-{h}-{f} over [0, 1], {f}-10, batch {}, {} steps of \
             Adam, Tsit5 at {:.0e}, {} seeds",
            self.batch,
            self.steps,
            self.tolerance,
            self.seeds,
            f = self.features,
            h = self.hidden,
        )
    }
}

/// Evaluations over training.
pub(in crate::reproduce) fn plot(
    context: &Context,
    name: &str,
    all: &[Figures],
) -> Result<(), AnyError> {
    let steps = all.iter().map(|f| f.course.len()).max().unwrap_or(1);
    let top = all.iter().flat_map(|f| &f.course).fold(0f64, |top, count| top.max(*count));
    let panel = Panel::new(
        "Evaluations of a neural ODE while it learns digits",
        Axis::linear("training step", [0.0, steps as f64]),
        Axis::linear("evaluations, forward solve", [0.0, 1.1 * top]),
    );
    let panel = all.iter().zip(OKABE_ITO).fold(panel, |panel, (figures, colour)| {
        let points = figures.course.iter().enumerate().map(|(i, n)| [i as f64, *n]).collect();
        panel.with(Layer::line(points, colour).label(figures.name))
    });
    let svg = context.plot(&format!("{name}.svg"));
    context.plot(&format!("{name}.png"));
    let folder = svg.parent().ok_or("the plot has no folder")?;
    Figure::new(640, 440).panel([0.0, 0.0, 1.0, 1.0], panel).save(folder, name)?;
    Ok(())
}

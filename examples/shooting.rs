//! Fitting dynamics to a series through the solver, by multiple shooting: [`Shooting`].

use ansatz::core::{
    Error, Progress, ProgressEvent, Result,
    candle::{Tensor, Var},
};
use ansatz::nn::{Adam, AdamConfig, Optimizer, Parameters, Schedule, fit};
use ansatz::ode::{Tsit5, VectorField, solve};

/// A series cut into windows of equal length, each with an initial state of its own.
///
/// Over one long window the loss of an oscillator is full of local minima: a phase that is wrong
/// by half a period is best fitted by not oscillating at all. Over short windows nothing can go
/// out of phase, and the initial states, which start at the data, keep every window in place
/// (H. G. Bock 1983, Recent advances in parameter identification techniques for ODE). With one
/// window it is the plain least-squares fit.
#[derive(Debug, Clone)]
pub struct Shooting {
    /// The observed states at times 0, 1, 2, …: `[times, species]`.
    data: Tensor,
    /// Initial states `[windows, species]`.
    starts: Var,
    /// Units of time a window is long.
    length: usize,
}

impl Shooting {
    /// Windows of `length` steps over a series `[times, species]`; the states start at the data.
    ///
    /// # Errors
    /// When the windows do not fill the series.
    pub fn new(data: &Tensor, length: usize) -> Result<Self> {
        let (rows, species) = data.dims2()?;
        if length == 0 || rows < 2 || !(rows - 1).is_multiple_of(length) {
            return Err(Error::invalid("window length", length, "a divisor of the series' length"));
        }
        let windows = (rows - 1) / length;
        let starts = data.narrow(0, 0, windows * length)?.reshape((windows, length, species))?;
        let starts = Var::from_tensor(&starts.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?)?;
        Ok(Self { data: data.clone(), starts, length })
    }

    /// The same with longer windows, which start in the states that `self` has come to.
    ///
    /// # Errors
    /// When `length` is not a multiple of the present one.
    pub fn lengthened(&self, length: usize) -> Result<Self> {
        let longer = Self::new(&self.data, length)?;
        if !length.is_multiple_of(self.length) {
            return Err(Error::invalid("window length", length, "a multiple of the one before"));
        }
        let every = length / self.length;
        let kept = (0..longer.starts.dim(0)?).map(|i| self.starts.get(i * every));
        longer.starts.set(&Tensor::stack(&kept.collect::<Result<Vec<_>, _>>()?, 0)?)?;
        Ok(longer)
    }

    /// The initial states of the windows.
    pub fn starts(&self) -> &Var {
        &self.starts
    }

    /// The mean square of what separates the solution from the data. The gaps between the end of
    /// a window and the start of the next count as if the start were data; one window has none.
    ///
    /// Gradients flow to the initial states and to what `field` depends on, by the discrete
    /// adjoint of the solve.
    ///
    /// # Errors
    /// When the solve fails.
    pub fn loss<F>(&self, field: F) -> Result<Tensor>
    where
        F: VectorField<Tensor> + Send + Sync + 'static,
    {
        // The equations are autonomous, so that all windows may have the same clock and are the
        // batch of one solve.
        let times: Vec<f64> = (1..=self.length).map(|t| t as f64).collect();
        let starts = self.starts.as_tensor();
        let path = solve(field, starts.clone(), (0.0, self.length as f64))
            .with(Tsit5)
            .tolerance(1e-6, 1e-6)
            .save_at(times)
            .run()?
            .stacked()?; // [length, windows, species]

        let (windows, species) = starts.dims2()?;
        let rows = self.data.dim(0)?;
        let later = self.data.narrow(0, 1, rows - 1)?.reshape((windows, self.length, species))?;
        let residuals = (&path - later.transpose(0, 1)?)?.sqr()?.sum_all()?;
        let first = (starts.get(0)? - self.data.get(0)?)?.sqr()?.sum_all()?;
        let ends = path.get(self.length - 1)?.narrow(0, 0, windows - 1)?;
        let gaps = (ends - starts.narrow(0, 1, windows - 1)?)?.sqr()?.sum_all()?;
        Ok((((residuals + first)? + gaps)? / (rows * species) as f64)?)
    }
}

/// One stage of a fit: how long the windows are, and for how many steps of Adam from which rate
/// on, which falls along a cosine.
#[derive(Debug, Clone, Copy)]
pub struct Stage {
    /// Units of time a window is long.
    pub length: usize,
    /// Steps of the optimiser.
    pub steps: u64,
    /// Largest learning rate.
    pub rate: f64,
}

/// Fits `parameters` and the initial states to `data` `[times, species]` in stages of longer and
/// longer windows, and returns the windows of the last one.
///
/// `progress` hears of all stages as of one run under `label`.
///
/// # Errors
/// When there is no stage, the windows of one do not fit, or `loss` fails.
pub fn fit_in_stages(
    parameters: &Parameters,
    data: &Tensor,
    stages: &[Stage],
    loss: impl Fn(&Shooting) -> Result<Tensor>,
    label: &str,
    progress: &dyn Progress,
) -> Result<Shooting> {
    let Some(first) = stages.first() else {
        return Err(Error::invalid("stages of a fit", "[]", "at least one"));
    };
    let mut shooting = Shooting::new(data, first.length)?;
    let (mut done, total) = (0, stages.iter().map(|s| s.steps).sum());
    for &Stage { length, steps, rate } in stages {
        shooting = shooting.lengthened(length)?;
        let variables = [parameters.vars(), vec![shooting.starts.clone()]].concat();
        let mut adam = Adam::new(variables, AdamConfig::new(rate))?;
        let schedule = Schedule::Cosine { peak: rate, floor: 0.0, warmup: 10, steps };
        let relay = |event: &ProgressEvent| {
            let whole = ProgressEvent::new(label, done + event.step).of(total);
            progress.report(&event.loss.map_or(whole, |loss| whole.with_loss(loss)));
        };
        fit(&mut adam, &schedule, 0..steps, |_| loss(&shooting), &relay)?;
        done += steps;
    }
    Ok(shooting)
}

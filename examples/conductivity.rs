//! What a plate is made of, from measured temperatures: −∇·(k ∇u) = f, solved for k.
//!
//! ```text
//! cargo run --release --example conductivity [-- FOLDER]
//! ```
//!
//! A square plate of 32 × 32 cells, held at u = 0 around, is heated by ten small sources, one after the
//! other. At every second cell along both sides the temperature is measured, with noise of 1 % of the
//! largest one of the experiment. Unknown is the conductivity k in all 1024 cells.
//!
//! Finite volumes: between two cells flows what their harmonic mean lets through. The matrix is an
//! `ops::Csr` whose values are a differentiable function of ln k; `implicit::sparse_solve` factorises
//! it by Cholesky, solves for all experiments, and uses the same factors again in `backward`. So the
//! gradient for 1024 unknowns costs about as much as the objective itself; 1024 differences would cost
//! a thousand times that. Adam makes `½ χ² + ½ α |differences of neighbours in ln k|²` small, for
//! weights α from large to small, until χ² is the number of measurements: what noise alone would leave
//! (the discrepancy principle of V. A. Morozov, 1966). Nothing of the true k is used.
//!
//! What to expect: χ² per measurement falls from thirty to one, and k comes out with an error of a
//! twentieth; the best constant is off by more than a third. A figure goes to the folder
//! (target/examples). It is an error when the gradient disagrees with central differences or the search
//! does not arrive.
#![allow(clippy::print_stdout)]

use std::{error::Error, path::PathBuf, time::Instant};

use ansatz::core::{
    Key,
    candle::{DType, Device, Tensor, Var},
};
use ansatz::linalg::{SparseCholesky, implicit};
use ansatz::nn::{Adam, AdamConfig, Optimizer, Schedule, fit};
use ansatz::ops::Csr;
use ansatz_examples::{
    plot::{Axis, ColourMap, Figure, GREY, Layer, OKABE_ITO, Panel},
    progress::Bar,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Cells along a side.
const SIDE: usize = 32;
const CELLS: usize = SIDE * SIDE;
/// Standard deviation of the noise, of the largest temperature of an experiment.
const NOISE: f64 = 0.01;
/// The weights of smoothness that are tried, each from the result of the one before.
const WEIGHTS: [f64; 9] = [1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1];
const STEPS: u64 = 150;
/// Where the sources are.
const SOURCES: [[f64; 2]; 10] = [
    [0.5, 0.5],
    [0.2, 0.2],
    [0.2, 0.5],
    [0.2, 0.8],
    [0.5, 0.2],
    [0.5, 0.8],
    [0.8, 0.2],
    [0.8, 0.5],
    [0.8, 0.8],
    [0.35, 0.65],
];

/// The middle of a cell.
fn middle(cell: usize) -> [f64; 2] {
    [(cell % SIDE) as f64, (cell / SIDE) as f64].map(|i| (i + 0.5) / SIDE as f64)
}

/// exp of minus the squared distance over the squared width.
fn bump(at: [f64; 2], centre: [f64; 2], width: f64) -> f64 {
    let squares = (0..2).map(|i| ((at[i] - centre[i]) / width).powi(2));
    (-squares.sum::<f64>()).exp()
}

fn ids(ids: &[u32]) -> Result<Tensor> {
    Ok(Tensor::new(ids, &Device::Cpu)?)
}

/// The plate: how cells hang together, where heat comes in, where it is measured.
struct Plate {
    /// The cells on both sides of each inner face.
    one: Tensor,
    other: Tensor,
    /// The cell of each face on the edge of the plate.
    edge: Tensor,
    /// Where the entries of the matrix are, in the order of [`Plate::matrix`].
    rows: Tensor,
    columns: Tensor,
    /// `[cells, experiments]`, integrated over each cell.
    heat: Tensor,
    /// The cells that are measured.
    sensors: Tensor,
}

impl Plate {
    fn new() -> Result<Self> {
        let (mut one, mut other, mut edge) = (Vec::new(), Vec::new(), Vec::new());
        for cell in 0..CELLS {
            let (row, column) = (cell / SIDE, cell % SIDE);
            for (inside, next) in [(column + 1 < SIDE, cell + 1), (row + 1 < SIDE, cell + SIDE)] {
                if inside {
                    one.push(cell as u32);
                    other.push(next as u32);
                }
            }
            let sides = [row == 0, row + 1 == SIDE, column == 0, column + 1 == SIDE];
            edge.extend(sides.iter().filter(|at| **at).map(|_| cell as u32));
        }
        let area = 1.0 / CELLS as f64;
        let heat = (0..CELLS).flat_map(|cell| {
            SOURCES.iter().map(move |source| 100.0 * area * bump(middle(cell), *source, 0.1))
        });
        let heat: Vec<f64> = heat.collect();
        let measured =
            |cell: &usize| (cell / SIDE).is_multiple_of(2) && (cell % SIDE).is_multiple_of(2);
        let sensors: Vec<u32> = (0..CELLS).filter(measured).map(|cell| cell as u32).collect();
        Ok(Self {
            rows: ids(&[&one[..], &other, &one, &other, &edge].concat())?,
            columns: ids(&[&one[..], &other, &other, &one, &edge].concat())?,
            one: ids(&one)?,
            other: ids(&other)?,
            edge: ids(&edge)?,
            heat: Tensor::from_vec(heat, (CELLS, SOURCES.len()), &Device::Cpu)?,
            sensors: ids(&sensors)?,
        })
    }

    /// What flows out of each cell for given temperatures. On a square cell the length of a face over
    /// the distance of the middles is 1, and 2 on the edge.
    fn matrix(&self, log_k: &Tensor) -> ansatz::linalg::Result<Csr> {
        // 2 / (1/k + 1/l)
        let resistance = log_k.neg()?.exp()?;
        let both =
            (resistance.index_select(&self.one, 0)? + resistance.index_select(&self.other, 0)?)?;
        let face = (both.recip()? * 2.0)?;
        let out = (log_k.exp()?.index_select(&self.edge, 0)? * 2.0)?;
        let back = face.neg()?;
        // Those at the same place are added.
        let values = Tensor::cat(&[&face, &face, &back, &back, &out], 0)?;
        Ok(Csr::from_triplets(&self.rows, &self.columns, &values, (CELLS, CELLS))?)
    }

    /// The temperatures, `[cells, experiments]`.
    fn temperatures(&self, log_k: &Tensor) -> ansatz::linalg::Result<Tensor> {
        implicit::sparse_solve(&self.matrix(log_k)?, &self.heat, SparseCholesky::new)
    }

    /// What the sensors would read, `[sensors, experiments]`.
    fn readings(&self, log_k: &Tensor) -> ansatz::linalg::Result<Tensor> {
        Ok(self.temperatures(log_k)?.index_select(&self.sensors, 0)?)
    }

    /// The sum of the squared differences of neighbours.
    fn roughness(&self, log_k: &Tensor) -> ansatz::linalg::Result<Tensor> {
        let steps = (log_k.index_select(&self.one, 0)? - log_k.index_select(&self.other, 0)?)?;
        Ok(steps.sqr()?.sum_all()?)
    }
}

/// The true ln k: better on one side, worse on the other, better again in a strip.
fn truth() -> Result<Tensor> {
    let log_k = |cell: usize| {
        let at = middle(cell);
        let strip = (-((at[0] + at[1] - 1.0) / 0.15).powi(2)).exp();
        1.2 * bump(at, [0.3, 0.3], 0.18) - 1.2 * bump(at, [0.7, 0.65], 0.2) + 0.4 * strip
    };
    Ok(Tensor::from_iter((0..CELLS).map(log_k), &Device::Cpu)?)
}

/// Measurements with noise, `[sensors, experiments]`, and the deviations of the noise,
/// `[1, experiments]`.
struct Measured {
    readings: Tensor,
    deviations: Tensor,
}

impl Measured {
    fn draw(plate: &Plate, log_k: &Tensor, key: &Key) -> Result<Self> {
        let readings = plate.readings(log_k)?;
        let deviations = (readings.max_keepdim(0)? * NOISE)?;
        let noise = key.normal_tensor(readings.shape(), 0.0, 1.0, DType::F64, &Device::Cpu)?;
        let readings = (readings + noise.broadcast_mul(&deviations)?)?;
        Ok(Self { readings, deviations })
    }

    /// χ²: squared differences in units of the noise.
    fn misfit(&self, readings: &Tensor) -> ansatz::linalg::Result<Tensor> {
        Ok((readings - &self.readings)?.broadcast_div(&self.deviations)?.sqr()?.sum_all()?)
    }

    fn count(&self) -> f64 {
        self.readings.elem_count() as f64
    }
}

/// `½ χ² + ½ α roughness`, over the number of measurements.
fn objective(
    plate: &Plate,
    measured: &Measured,
    log_k: &Tensor,
    weight: f64,
) -> ansatz::linalg::Result<Tensor> {
    let misfit = measured.misfit(&plate.readings(log_k)?)?;
    let total = (misfit + (plate.roughness(log_k)? * weight)?)?;
    Ok((total * (0.5 / measured.count()))?)
}

/// The largest difference of the gradient from central differences in some cells, over the largest
/// entry of the gradient.
fn gradient_error(plate: &Plate, measured: &Measured, log_k: &Tensor) -> Result<f64> {
    const WEIGHT: f64 = 1.0;
    let variable = Var::from_tensor(log_k)?;
    let loss = objective(plate, measured, &variable, WEIGHT)?;
    let gradients = loss.backward()?;
    let gradient = gradients.get(&variable).ok_or("no gradient")?.to_vec1::<f64>()?;
    let at = log_k.to_vec1::<f64>()?;
    let mut worst = 0f64;
    for cell in [0, SIDE + 5, CELLS / 3, CELLS / 2 + 7, CELLS - 2] {
        let moved = |step: f64| -> Result<f64> {
            let mut log_k = at.clone();
            log_k[cell] += step;
            let log_k = Tensor::new(log_k, &Device::Cpu)?;
            Ok(objective(plate, measured, &log_k, WEIGHT)?.to_scalar()?)
        };
        let difference = (moved(1e-4)? - moved(-1e-4)?) / 2e-4;
        worst = worst.max((gradient[cell] - difference).abs());
    }
    Ok(worst / gradient.iter().fold(0.0, |a: f64, g| a.max(g.abs())))
}

/// The median seconds of an objective alone, and of one with its gradient.
fn cost(plate: &Plate, measured: &Measured, log_k: &Tensor) -> Result<[f64; 2]> {
    let variable = Var::from_tensor(log_k)?;
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..21 {
        let clock = Instant::now();
        let loss = objective(plate, measured, &variable, 1.0)?;
        seconds[0].push(clock.elapsed().as_secs_f64());
        loss.backward()?;
        seconds[1].push(clock.elapsed().as_secs_f64());
    }
    Ok(seconds.map(|mut all| {
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    }))
}

/// `|k − true k| / |true k|`.
fn error(log_k: &Tensor, truth: &Tensor) -> Result<f64> {
    let (k, truth) = (log_k.detach().exp()?, truth.exp()?);
    let norm = |x: &Tensor| -> Result<f64> { Ok(x.sqr()?.sum_all()?.to_scalar::<f64>()?.sqrt()) };
    Ok(norm(&k.broadcast_sub(&truth)?)? / norm(&truth)?)
}

/// Fails unless `right`.
fn require(right: bool, what: &str) -> Result<()> {
    if right { Ok(()) } else { Err(what.into()) }
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).map_or_else(|| "target/examples".into(), PathBuf::from);
    let clock = Instant::now();
    let (plate, truth) = (Plate::new()?, truth()?);
    let measured = Measured::draw(&plate, &truth, &Key::new(5))?;
    let count = measured.count();
    let log_k = Var::zeros(CELLS, DType::F64, &Device::Cpu)?;

    let check = gradient_error(&plate, &measured, &log_k)?;
    println!("gradient against central differences in 5 cells: {check:.1e}");
    require(check < 1e-5, "the gradient is not that of the objective")?;
    let [alone, both] = cost(&plate, &measured, &log_k)?;
    println!(
        "objective {:.1} ms; with the gradient for {CELLS} unknowns {:.1} ms: {:.2} times as long",
        1e3 * alone,
        1e3 * both,
        both / alone
    );
    let constant = error(&truth.exp()?.mean_keepdim(0)?.log()?, &truth)?;
    println!("\n{:>9} {:>14} {:>14}", "α", "χ² / readings", "error of k");
    let mut misfits = Vec::new();
    let mut chosen = None;
    for weight in WEIGHTS {
        // A new memory for each weight: gradients change by orders.
        let mut adam = Adam::new(vec![log_k.clone()], AdamConfig::new(0.05))?;
        let schedule = Schedule::Cosine { peak: 0.05, floor: 1e-3, warmup: 5, steps: STEPS };
        let loss = |_| {
            let misfit = measured.misfit(&plate.readings(&log_k)?)?;
            misfits.push(misfit.to_scalar::<f64>()? / count);
            Ok(((misfit + (plate.roughness(&log_k)? * weight)?)? * (0.5 / count))?)
        };
        fit(&mut adam, &schedule, 0..STEPS, loss, &Bar::new())?;
        let misfit = measured.misfit(&plate.readings(&log_k)?)?.to_scalar::<f64>()? / count;
        println!("{weight:>9} {misfit:>14.3} {:>14.4}", error(&log_k, &truth)?);
        if misfit <= 1.0 {
            chosen = Some(misfit);
            break;
        }
    }
    let misfit = chosen.ok_or("noise does not explain what is left at any weight")?;
    let off = error(&log_k, &truth)?;
    println!("\nfor comparison, the best constant k: error {constant:.4}");
    require(misfit > 0.8, "the noise is fitted")?;
    require(off < 0.2 * constant, "k is not what it should be")?;

    let axis: Vec<f64> = (0..SIDE).map(|i| middle(i)[0]).collect();
    let levels: Vec<f64> = (0..=15).map(|i| 0.2 + 0.22 * f64::from(i)).collect();
    let range = [axis[0], axis[SIDE - 1]];
    let map = |title: &str, log_k: &Tensor| -> Result<Panel> {
        let k = log_k.detach().exp()?.to_vec1()?;
        let surface =
            Layer::surface(axis.clone(), axis.clone(), k, levels.clone(), ColourMap::Viridis);
        let panel = Panel::new(title, Axis::linear("x", range), Axis::linear("y", range));
        Ok(panel.with(surface))
    };
    let sources = SOURCES.to_vec();
    let steps = misfits.len() as f64;
    let curve = misfits.iter().enumerate().map(|(i, m)| [i as f64, *m]).collect();
    let top = 2.0 * misfits.iter().fold(1.0, |a: f64, m| a.max(*m));
    let fall = Panel::new(
        "Misfit by step, with less smoothness from piece to piece",
        Axis::linear("step", [0.0, steps]),
        Axis::log("χ² / readings", [0.5, top]),
    )
    .with(Layer::line(vec![[0.0, 1.0], [steps, 1.0]], GREY).dashed(4.0).label("noise"))
    .with(Layer::line(curve, OKABE_ITO[0]));
    let identified = format!("identified, {:.1} % off", 100.0 * off);
    let figure = Figure::new(1380, 460)
        .panel(
            [0.0, 0.0, 0.34, 1.0],
            map("true k, and where the sources are", &truth)?
                .with(Layer::points(sources, OKABE_ITO[1]).size(3.0)),
        )
        .panel([0.34, 0.0, 0.68, 1.0], map(&identified, &log_k)?)
        .panel([0.68, 0.0, 1.0, 1.0], fall);
    for path in figure.save(&folder, "conductivity")? {
        println!("{}", path.display());
    }
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

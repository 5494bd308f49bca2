//! Two solitons of the Korteweg–de Vries equation, by Fourier modes and by differences.
//!
//! ```text
//! cargo run --release --example spectral [-- FOLDER]
//! ```
//!
//! `u_t + 6 u u_x + u_xxx = 0` on a ring. A tall soliton overtakes a low one; both leave the
//! collision as they entered it, only shifted (N. J. Zabusky, M. D. Kruskal 1965). The exact solution
//! is R. Hirota's (1971). In space the modes of `ops::fft`: the third derivative is a rotation of
//! each mode, which an integrating factor takes out of the equation exactly, so that only the
//! nonlinear term is left to the solver (L. N. Trefethen 2000, *Spectral Methods in MATLAB*,
//! program 27). Beside it central differences of order 2, as convolutions with circular padding. In
//! time Tsit5 with a tolerance that leaves the error of the grid.
//!
//! What to expect: the differences gain a factor of 4 each time the spacing is halved and are off by
//! 6e-2 with 512 points; the modes are off by 4e-3 with 128 and by 3e-8 with 256. Beyond 350 points
//! the time steps, which do not resolve the rotation of the highest modes, leave errors between
//! 1e-11 and 1e-9; f32 stops at some 1e-5. A figure goes to the folder (target/examples).
#![allow(clippy::print_stdout)]

use std::{error::Error, f64::consts::TAU, path::PathBuf, time::Instant};

use ansatz::core::candle::{DType, Device, Tensor};
use ansatz::ode::{NoGradient, Solution, Tsit5, solve};
use ansatz::ops::{
    Conv, Padding, conv,
    fft::{Complex, Norm, irfft, rfft},
};
use ansatz_examples::plot::{Axis, ColourMap, Figure, GREY, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The ring is [−32, 32), the collision at time 0.
const LENGTH: f64 = 64.0;
const START: f64 = -3.0;
const END: f64 = 3.0;
/// Wave numbers of the solitons: k²/2 high, at speed k².
const K: [f64; 2] = [2.0, 1.2];

/// The exact solution `2 ∂ₓ² ln τ`, `τ = 1 + e^η₁ + e^η₂ + e^{η₁+η₂+a}`, `η = kx − k³t − a/2`: twice
/// the variance of the rates 0, k₁, k₂ and k₁ + k₂ with the terms of τ as weights, which loses no
/// digits and overflows nowhere.
fn exact(x: f64, t: f64) -> f64 {
    let a = 2.0 * ((K[0] - K[1]) / (K[0] + K[1])).ln();
    let [one, two] = K.map(|k| k * x - k.powi(3) * t - 0.5 * a);
    let rates = [0.0, K[0], K[1], K[0] + K[1]];
    let powers = [0.0, one, two, one + two + a];
    let largest = powers.into_iter().fold(0.0, f64::max);
    let terms = powers.map(|p| (p - largest).exp());
    let tau: f64 = terms.iter().sum();
    let mut pairs = 0.0;
    for i in 0..4 {
        for j in 0..i {
            pairs += terms[i] * terms[j] * (rates[i] - rates[j]).powi(2);
        }
    }
    2.0 * pairs / (tau * tau)
}

fn points(n: usize) -> Vec<f64> {
    (0..n).map(|j| LENGTH * (j as f64 / n as f64 - 0.5)).collect()
}

fn start(n: usize, dtype: DType) -> Outcome<Tensor> {
    let values: Vec<f64> = points(n).iter().map(|x| exact(*x, START)).collect();
    Ok(Tensor::from_vec(values, n, &Device::Cpu)?.to_dtype(dtype)?)
}

/// Relative and absolute tolerance of the time steps.
fn tolerances(dtype: DType) -> (f64, f64) {
    if dtype == DType::F64 { (1e-10, 1e-13) } else { (1e-5, 1e-8) }
}

/// The equation in the modes of a grid, turned back by the third derivative:
/// `v = exp(−iκ³t) û`, `v′ = −3iκ exp(−iκ³t) F(u²)`.
#[derive(Clone)]
struct Modes {
    n: usize,
    /// Wave numbers of the halved axis. The highest has no odd derivative.
    kappa: Vec<f64>,
    dtype: DType,
}

impl Modes {
    fn new(n: usize, dtype: DType) -> Self {
        let number = |k: usize| if 2 * k == n { 0.0 } else { TAU * k as f64 / LENGTH };
        Self { n, kappa: (0..=n / 2).map(number).collect(), dtype }
    }

    /// `f(κ) exp(iκ³t)`, for the `[re, im]` that `f` makes of κ, cos and sin. Angles are f64 in any
    /// case: κ³t has many turns.
    fn factor(
        &self,
        t: f64,
        f: impl Fn(f64, f64, f64) -> [f64; 2],
    ) -> ansatz::ops::Result<Complex> {
        let values = self.kappa.iter().map(|k| {
            let (sin, cos) = (k.powi(3) * t).sin_cos();
            f(*k, cos, sin)
        });
        let (re, im): (Vec<f64>, Vec<f64>) = values.map(|[re, im]| (re, im)).unzip();
        let tensor = |v: Vec<f64>| Tensor::new(v, &Device::Cpu)?.to_dtype(self.dtype);
        Complex::new(tensor(re)?, tensor(im)?)
    }

    /// `[2, modes]` of values on the grid, at time t.
    fn forward(&self, u: &Tensor, t: f64) -> ansatz::ops::Result<Tensor> {
        let v = rfft(u, 0, Norm::Forward)?.mul(&self.factor(t, |_, cos, sin| [cos, -sin])?)?;
        Ok(Tensor::stack(&[v.re, v.im], 0)?)
    }

    fn backward(&self, v: &Tensor, t: f64) -> ansatz::ops::Result<Tensor> {
        let modes = Complex::new(v.get(0)?, v.get(1)?)?;
        let modes = modes.mul(&self.factor(t, |_, cos, sin| [cos, sin])?)?;
        irfft(&modes, self.n, 0, Norm::Forward)
    }

    fn field(&self, t: f64, v: &Tensor) -> ansatz::ops::Result<Tensor> {
        let squares = rfft(&self.backward(v, t)?.sqr()?, 0, Norm::Forward)?;
        let slope = self.factor(t, |k, cos, sin| [-3.0 * k * sin, -3.0 * k * cos])?;
        let slope = squares.mul(&slope)?;
        Ok(Tensor::stack(&[slope.re, slope.im], 0)?)
    }

    /// The solution at these times, and what it cost. States are still modes.
    fn solve(&self, times: Vec<f64>) -> Outcome<Solution<Tensor>> {
        let (relative, absolute) = tolerances(self.dtype);
        let modes = self.clone();
        let v = self.forward(&start(self.n, self.dtype)?, START)?;
        let solution = solve(move |t: f64, v: &Tensor| modes.field(t, v), v, (START, END))
            .with(Tsit5)
            .adjoint(NoGradient)
            .tolerance(relative, absolute)
            .save_at(times)
            .run()?;
        Ok(solution)
    }
}

/// `−3 D₁(u²) − D₃ u` with central differences of order 2, at the end; and the number of steps.
fn by_differences(n: usize) -> Outcome<(Tensor, usize)> {
    let h = LENGTH / n as f64;
    let (a, b) = (1.5 / h, 0.5 / h.powi(3));
    let first = Tensor::new(&[[[a, 0.0, -a]]], &Device::Cpu)?;
    let third = Tensor::new(&[[[b, -2.0 * b, 0.0, 2.0 * b, -b]]], &Device::Cpu)?;
    let ring = |amount| Conv::<1>::default().padded(amount, Padding::Circular);
    let field = move |_t: f64, u: &Tensor| -> ansatz::ops::Result<Tensor> {
        let slope = conv(&u.sqr()?, &first, None, &ring(1))?;
        Ok((slope + conv(u, &third, None, &ring(2))?)?)
    };
    let (relative, absolute) = (1e-7, 1e-9);
    let u = start(n, DType::F64)?.reshape((1, 1, n))?;
    let solution = solve(field, u, (START, END))
        .with(Tsit5)
        .adjoint(NoGradient)
        .tolerance(relative, absolute)
        .run()?;
    Ok((solution.y_end.flatten_all()?, solution.statistics.accepted))
}

/// The largest difference from the exact solution at the end.
fn error(u: &Tensor) -> Outcome<f64> {
    let values = u.to_dtype(DType::F64)?.to_vec1::<f64>()?;
    let exact = points(values.len()).into_iter().map(|x| exact(x, END));
    Ok(exact.zip(values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max))
}

fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).map_or_else(|| "target/examples".into(), PathBuf::from);
    let clock = Instant::now();
    let mut curves: [Vec<[f64; 2]>; 3] = Default::default();
    println!("largest error at t = {END} (accepted steps)");
    println!("{:>6} {:>20} {:>20} {:>20}", "points", "modes, f64", "modes, f32", "differences");
    for n in [96, 128, 192, 256, 384, 512] {
        print!("{n:>6}");
        for method in 0..3 {
            let (u, steps) = if method == 2 {
                by_differences(n)?
            } else {
                let modes = Modes::new(n, [DType::F64, DType::F32][method]);
                let solution = modes.solve(Vec::new())?;
                (modes.backward(&solution.y_end, END)?, solution.statistics.accepted)
            };
            let error = error(&u)?;
            print!(" {error:>12.1e} {:>7}", format!("({steps})"));
            curves[method].push([n as f64, error]);
        }
        println!();
    }

    let figure = Figure::new(1100, 460)
        .panel([0.0, 0.0, 0.55, 1.0], collision()?)
        .panel([0.55, 0.0, 1.0, 1.0], convergence(curves));
    for path in figure.save(&folder, "spectral")? {
        println!("{}", path.display());
    }
    println!("took {:.1} s", clock.elapsed().as_secs_f64());
    Ok(())
}

/// u over space and time, from a grid of 256 points; and how well ∫ u² dx is kept.
fn collision() -> Outcome<Panel> {
    let modes = Modes::new(256, DType::F64);
    let times: Vec<f64> = (0..=60).map(|i| START + (END - START) * f64::from(i) / 60.0).collect();
    let solution = modes.solve(times)?;
    // The middle of the ring: from −18 to 18.
    let first = 56;
    let shown = points(256)[first..=256 - first].to_vec();
    let mut values = Vec::new();
    let (mut energy, mut drift) = (None, 0f64);
    for (t, v) in solution.ts.iter().zip(&solution.ys) {
        let u = modes.backward(v, *t)?;
        let now = u.sqr()?.mean_all()?.to_scalar::<f64>()?;
        drift = drift.max((now / *energy.get_or_insert(now) - 1.0).abs());
        values.extend(u.narrow(0, first, shown.len())?.to_vec1::<f64>()?);
    }
    println!("\n∫ u² dx, which the equation keeps, drifts by {drift:.0e} (256 points)");
    let levels = (0..=11).map(|i| 0.2 * f64::from(i) - 0.1).collect();
    let x = Axis::linear("x", [-18.0, 18.0]);
    let surface = Layer::surface(shown, solution.ts, values, levels, ColourMap::Viridis);
    Ok(Panel::new("u(x, t), 256 points", x, Axis::linear("t", [START, END])).with(surface))
}

fn convergence(curves: [Vec<[f64; 2]>; 3]) -> Panel {
    let (x, y) = (Axis::log("points", [80.0, 600.0]), Axis::log("error", [1e-12, 10.0]));
    let mut panel = Panel::new("Largest error at the end", x, y);
    let colours = [OKABE_ITO[0], OKABE_ITO[1], GREY];
    let names = ["modes, f64", "modes, f32", "differences of order 2"];
    for ((curve, colour), name) in curves.into_iter().zip(colours).zip(names) {
        panel = panel
            .with(Layer::line(curve.clone(), colour).label(name))
            .with(Layer::points(curve, colour));
    }
    panel
}

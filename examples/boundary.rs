//! One stencil, four boundary conditions: the heat equation by explicit steps of a convolution.
//!
//! ```text
//! cargo run --release --example boundary [-- FOLDER]
//! ```
//!
//! `u_t = u_xx` on [0, 1] to t = 0.05, central differences and explicit Euler steps of a quarter of
//! the squared spacing, so that the error falls with the square of the spacing. A step is a
//! convolution with (¼, ½, ¼); only the padding differs: zeros, where u vanishes at the ends;
//! circular, for a ring; reflecting, for insulated ends that carry a point; replicating, for
//! insulated ends half-way between points (finite volumes).
//!
//! What to expect: order 2 for all four. A figure goes to the folder (target/examples).
#![allow(clippy::print_stdout)]

use std::{error::Error, f64::consts::PI, path::PathBuf};

use ansatz::core::candle::{Device, Tensor};
use ansatz::ops::{Conv, Padding, conv};
use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const END: f64 = 0.05;

/// A boundary condition with a grid that suits it and an exact solution.
struct Case {
    name: &'static str,
    mode: Padding,
    /// Spacing and first point of a grid of n points.
    grid: fn(f64) -> (f64, f64),
    /// At a point and a time.
    exact: fn(f64, f64) -> f64,
}

const CASES: [Case; 4] = [
    Case {
        name: "zeros: Dirichlet",
        mode: Padding::Zeros,
        grid: |n| (1.0 / (n + 1.0), 1.0 / (n + 1.0)),
        exact: |x, t| (-PI * PI * t).exp() * (PI * x).sin(),
    },
    Case {
        name: "circular: periodic",
        mode: Padding::Circular,
        grid: |n| (1.0 / n, 0.0),
        exact: |x, t| (-4.0 * PI * PI * t).exp() * (2.0 * PI * x + 1.0).sin(),
    },
    Case {
        name: "reflect: Neumann, points at the ends",
        mode: Padding::Reflect,
        grid: |n| (1.0 / (n - 1.0), 0.0),
        exact: |x, t| (-PI * PI * t).exp() * (PI * x).cos(),
    },
    Case {
        name: "replicate: Neumann, cells",
        mode: Padding::Replicate,
        grid: |n| (1.0 / n, 0.5 / n),
        exact: |x, t| (-PI * PI * t).exp() * (PI * x).cos(),
    },
];

impl Case {
    /// Points and values at the end.
    fn solve(&self, n: usize) -> ansatz::ops::Result<(Vec<f64>, Vec<f64>)> {
        let (h, first) = (self.grid)(n as f64);
        let points: Vec<f64> = (0..n).map(|i| first + i as f64 * h).collect();
        let start: Vec<f64> = points.iter().map(|x| (self.exact)(*x, 0.0)).collect();
        let steps = (END / (0.25 * h * h)).ceil();
        let r = END / steps / (h * h);
        let stencil = Tensor::new(&[[[r, 1.0 - 2.0 * r, r]]], &Device::Cpu)?;
        let options = Conv::<1>::default().padded(1, self.mode);
        let mut u = Tensor::from_vec(start, (1, 1, n), &Device::Cpu)?;
        for _ in 0..steps as usize {
            u = conv(&u, &stencil, None, &options)?;
        }
        Ok((points, u.flatten_all()?.to_vec1()?))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(|| "target/examples".into(), PathBuf::from);
    let mut shapes = Panel::new(
        format!("u at t = {END}, 16 points; exact in grey"),
        Axis::linear("x", [0.0, 1.0]),
        Axis::linear("u", [-1.0, 1.0]),
    );
    let mut errors = Panel::new(
        "Largest error",
        Axis::log("points", [12.0, 180.0]),
        Axis::log("error", [1e-6, 3e-3]),
    );
    println!("{:<38} {:>6} {:>11} {:>6}", "padding", "points", "max error", "order");
    for (case, colour) in CASES.iter().zip(OKABE_ITO) {
        let mut curve: Vec<[f64; 2]> = Vec::new();
        for n in [16, 32, 64, 128] {
            let (points, values) = case.solve(n)?;
            let at_end = points.iter().map(|x| (case.exact)(*x, END));
            let error = at_end.zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            // The spacing is not exactly halved where the ends are, or are not, points.
            let ratio = |m: f64| ((case.grid)(m).0 / (case.grid)(n as f64).0).ln();
            let order = curve.last().map(|[m, before]| (before / error).ln() / ratio(*m));
            let order = order.map_or_else(String::new, |o| format!("{o:.2}"));
            println!("{:<38} {n:>6} {error:>11.2e} {order:>6}", case.name);
            curve.push([n as f64, error]);
            if n == 16 {
                let fine = (0..=200).map(|i| f64::from(i) / 200.0);
                let exact = fine.map(|x| [x, (case.exact)(x, END)]).collect();
                let dots = points.iter().zip(&values).map(|(x, u)| [*x, *u]).collect();
                shapes = shapes
                    .with(Layer::line(exact, ansatz_examples::plot::GREY).size(1.0))
                    .with(Layer::points(dots, colour).label(case.name));
            }
        }
        errors = errors
            .with(Layer::line(curve.clone(), colour).label(case.name))
            .with(Layer::points(curve, colour));
    }
    let figure = Figure::new(1100, 460)
        .panel([0.0, 0.0, 0.5, 1.0], shapes)
        .panel([0.5, 0.0, 1.0, 1.0], errors);
    for path in figure.save(&folder, "boundary")? {
        println!("{}", path.display());
    }
    Ok(())
}

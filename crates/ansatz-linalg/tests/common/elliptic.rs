//! A problem with a known solution, on the unit box.

use std::f64::consts::PI;

use ansatz_linalg::{Boundary, Diffusion, End, Field, Result, Wall};

pub(crate) const DN: Boundary = Boundary::Walls(Wall::Dirichlet, Wall::Neumann);
pub(crate) const ND: Boundary = Boundary::Walls(Wall::Neumann, Wall::Dirichlet);

/// A factor of the solution, its first and its second derivative.
fn factor(x: f64) -> [f64; 3] {
    let (angle, w) = (2.0 * PI * x + 0.3, 2.0 * PI);
    [1.0 + 0.5 * angle.sin(), 0.5 * w * angle.cos(), -0.5 * w * w * angle.sin()]
}

pub(crate) fn solution(x: &[f64]) -> f64 {
    x.iter().map(|x| factor(*x)[0]).product()
}

/// The derivative along an axis.
fn slope(x: &[f64], axis: usize) -> f64 {
    solution(x) / factor(x[axis])[0] * factor(x[axis])[1]
}

/// `exp(swing Σ sin 2π xₐ)`.
fn conductivity(x: &[f64], swing: f64) -> f64 {
    x.iter().map(|x| swing * (2.0 * PI * x).sin()).sum::<f64>().exp()
}

/// The operator with `k = exp(swing Σ sin 2π xₐ)` and a constant `c`, and the right-hand side that
/// belongs to [`solution`].
pub(crate) fn problem(
    points: &[usize],
    boundaries: &[Boundary],
    swing: f64,
    reaction: f64,
) -> Result<(Diffusion, Vec<f64>)> {
    let spacing: Vec<f64> = points.iter().map(|n| 1.0 / *n as f64).collect();
    let constant = Diffusion::laplacian(points, &spacing, boundaries)?;
    let k = if swing == 0.0 {
        Field::Constant(1.0)
    } else {
        Field::Cells(constant.cells(|x| conductivity(x, swing)))
    };
    let a = Diffusion::new(points, &spacing, boundaries, k, Field::Constant(reaction))?;
    let mut f = a.cells(|x| {
        let k = conductivity(x, swing);
        let along = |axis: usize| {
            let [g, _, second] = factor(x[axis]);
            let change = swing * 2.0 * PI * (2.0 * PI * x[axis]).cos() * k;
            -(change * slope(x, axis) + k * solution(x) / g * second)
        };
        (0..x.len()).map(along).sum::<f64>() + reaction * solution(x)
    });
    for (axis, boundary) in boundaries.iter().enumerate() {
        for (end, outwards) in [(End::Lower, -1.0), (End::Upper, 1.0)] {
            match boundary.wall(end) {
                Some(Wall::Dirichlet) => a.add_wall(&mut f, axis, end, solution)?,
                Some(Wall::Neumann) => a.add_wall(&mut f, axis, end, |x| {
                    outwards * conductivity(x, swing) * slope(x, axis)
                })?,
                None => {}
            }
        }
    }
    Ok((a, f))
}

/// `k` = `high` or 1 on the squares of a chess board.
pub(crate) fn chessboard(n: usize, squares: usize, high: f64) -> Vec<f64> {
    let square = |i: usize| i * squares / n;
    (0..n * n).map(|i| if (square(i / n) + square(i % n)) % 2 == 0 { 1.0 } else { high }).collect()
}

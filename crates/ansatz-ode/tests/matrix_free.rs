//! Systems without a matrix: the same solutions as with one, preconditioners, what is refused.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::cell::Cell;

use ansatz_ode::{
    Bdf, Error, Exprb43, InPlace, KenCarp4, Kvaerno5, MatrixFree, RadauIia5, Rodas5P, Sparsity,
    Split, WithMass, WithSparsity, solve,
};

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

fn largest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// The Brusselator with diffusion on a periodic square (E. Hairer, G. Wanner, *Solving ODEs II*,
/// section IV.10), `n × n` points with two components each.
fn brusselator(n: usize) -> impl Fn(f64, &Vec<f64>, &mut Vec<f64>) + Copy {
    let scale = 0.1 * (n * n) as f64;
    move |_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        for i in 0..n {
            for j in 0..n {
                let at = |i: usize, j: usize| 2 * ((i % n) * n + j % n);
                let here = at(i, j);
                let sides = [at(i + 1, j), at(i + n - 1, j), at(i, j + 1), at(i, j + n - 1)];
                let spread = |k: usize| {
                    scale * (sides.iter().map(|s| y[s + k]).sum::<f64>() - 4.0 * y[here + k])
                };
                let (u, v) = (y[here], y[here + 1]);
                dy[here] = 1.0 + u * u * v - 4.4 * u + spread(0);
                dy[here + 1] = 3.4 * u - u * u * v + spread(1);
            }
        }
    }
}

fn brusselator_start(n: usize) -> Vec<f64> {
    let of = |x: f64| x * (1.0 - x).powf(1.5);
    let point =
        |k: usize| [22.0 * of((k % n) as f64 / n as f64), 27.0 * of((k / n) as f64 / n as f64)];
    (0..n * n).flat_map(point).collect()
}

fn brusselator_sparsity(n: usize) -> Sparsity {
    let at = move |i: usize, j: usize| 2 * ((i % n) * n + j % n);
    let places = (0..n * n).flat_map(move |k| {
        let (i, j) = (k / n, k % n);
        let sides = [at(i + 1, j), at(i + n - 1, j), at(i, j + 1), at(i, j + n - 1)];
        (0..2).flat_map(move |c| {
            let own = [(at(i, j) + c, at(i, j)), (at(i, j) + c, at(i, j) + 1)];
            own.into_iter().chain(sides.into_iter().map(move |s| (at(i, j) + c, s + c)))
        })
    });
    Sparsity::new(2 * n * n, places).unwrap()
}

#[test]
fn brusselator_on_a_square() {
    for (n, tolerance) in [(32, 1e-4), (32, 1e-6), (64, 1e-5)] {
        let (f, y0) = (InPlace(brusselator(n)), brusselator_start(n));
        let sparse = WithSparsity::new(f, brusselator_sparsity(n));
        let t0 = std::time::Instant::now();
        let sparse = solve(sparse, y0.clone(), (0.0, 1.0)).with(Kvaerno5);
        let sparse = sparse.tolerance(tolerance, tolerance).run().unwrap();
        println!("{n} {tolerance} sparse {:?} {:?}", t0.elapsed(), sparse.statistics);
        macro_rules! check_all { ($($method:expr),*) => {$(
            let t0 = std::time::Instant::now();
            let free = solve(MatrixFree::new(f), y0.clone(), (0.0, 1.0)).with($method);
            let free = free.tolerance(tolerance, tolerance).run().unwrap();
            println!("  {} {:?} {:?} {:.1e}", stringify!($method), t0.elapsed(), free.statistics, largest(&free.y_end, &sparse.y_end));
        )*}}
        check_all!(Kvaerno5, Bdf::default(), Exprb43);
    }
}

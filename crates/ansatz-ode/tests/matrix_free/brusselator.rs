//! A large system of reaction and diffusion, against sparse factorisations.

use ansatz_ode::{Bdf, Exprb43, InPlace, Kvaerno5, MatrixFree, Sparsity, WithSparsity, solve};

use super::largest;

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

/// The same steps as with factorisations, and no Jacobian.
#[test]
fn brusselator_on_a_square() {
    for (n, end, tolerance) in [(32, 1.0, 1e-4), (32, 0.5, 1e-6), (64, 0.1, 1e-5)] {
        let (f, y0) = (InPlace(brusselator(n)), brusselator_start(n));
        let sparse = WithSparsity::new(f, brusselator_sparsity(n));
        let sparse = solve(sparse, y0.clone(), (0.0, end)).with(Kvaerno5);
        let sparse = sparse.tolerance(tolerance, tolerance).run().unwrap();
        let free = solve(MatrixFree::new(f), y0.clone(), (0.0, end)).with(Kvaerno5);
        let free = free.tolerance(tolerance, tolerance).run().unwrap();
        let off = largest(&free.y_end, &sparse.y_end);
        assert!(off < 3.0 * tolerance, "{n} {tolerance} {off}");
        let (a, b) = (free.statistics, sparse.statistics);
        assert!(
            a.accepted.abs_diff(b.accepted) <= 1 && a.rejected <= b.rejected + 1,
            "{a:?} {b:?}"
        );
        assert_eq!((a.jacobians, a.factorisations, a.not_converged), (0, 0, 0));
        // Newton's method has the Jacobian of the present state.
        assert!(a.linear_solves < b.linear_solves, "{a:?} {b:?}");
        // The default of the literature for systems like these: few iterations for each solve.
        assert!(a.linear_iterations < 15 * a.linear_solves, "{a:?}");
        // A product costs an evaluation, and each solve one more for its residual.
        let products = a.linear_iterations + a.linear_solves;
        assert!(a.evaluations >= a.linear_iterations, "{a:?}");
        assert!(a.evaluations <= products + a.linear_solves + 3 * a.attempted() + 3, "{a:?}");
    }
}

#[test]
fn other_families() {
    let (f, y0) = (InPlace(brusselator(24)), brusselator_start(24));
    let sparse = WithSparsity::new(f, brusselator_sparsity(24));
    let sparse = solve(sparse, y0.clone(), (0.0, 0.5)).with(Kvaerno5).tolerance(1e-8, 1e-8);
    let want = sparse.run().unwrap().y_end;
    let s = solve(MatrixFree::new(f), y0.clone(), (0.0, 0.5)).with(Bdf::default());
    let s = s.tolerance(1e-6, 1e-6).run().unwrap();
    assert!(largest(&s.y_end, &want) < 1e-4, "{}", largest(&s.y_end, &want));
    assert!(s.statistics.linear_iterations > 0 && s.statistics.jacobians == 0);
    let s = solve(MatrixFree::new(f), y0, (0.0, 0.5)).with(Exprb43).tolerance(1e-6, 1e-6);
    let s = s.run().unwrap();
    assert!(largest(&s.y_end, &want) < 1e-4, "{}", largest(&s.y_end, &want));
    assert_eq!(s.statistics.jacobians, 0);
}

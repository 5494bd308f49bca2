//! Iterative methods against matrices whose solutions are known, counts of SciPy, and input that
//! must be refused.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use std::cell::Cell;

use ansatz_linalg::{
    BiCgStab, Cg, Chebyshev, ConjugateDirections, Dense, Diagonal, Edge, Error, Fgmres, Gmres, Ic0,
    Identity, Ilu0, Iterative, IterativeMethod, Jacobi, LinearOperator, LinearSolver, Lsqr, Minres,
    Outcome, Properties, Richardson, Solution, Sor, Sparse, Ssor, Stencil, Stopping, Vector,
};
use common::{definite, dense, poisson, residual, wave};

type Plain = Vec<f64>;

/// With an unsymmetric part: transport along the last axis.
fn transport(n: usize, speed: f64) -> Sparse {
    common::grid(n, |i, j, push| {
        push(i, j, 4.0);
        for (k, l, a) in [(-1, 0, -1.0), (1, 0, -1.0), (0, -1, -1.0 - speed), (0, 1, -1.0 + speed)]
        {
            push(i + k, j + l, a);
        }
    })
}

/// The right-hand side of the counts.
fn right(n: usize) -> Plain {
    (0..n).map(|i| (0.37 * i as f64).cos() + 0.2).collect()
}

/// What is reported is what is.
fn check(name: &str, a: &dyn LinearOperator<Plain>, b: &Plain, solution: &Solution<Plain>) {
    let measured = residual(a, b, &solution.x);
    let believed = solution.residual();
    assert!((measured - believed).abs() <= 1e-12 * b.norm2().unwrap(), "{name}: {believed:e}");
    assert_eq!(solution.outcome, Outcome::Converged, "{name}");
    assert!(measured <= solution.target, "{name}: {measured:e}");
    assert_eq!(solution.residuals.len(), solution.iterations() + 1);
}

fn solve(
    name: &str,
    method: impl IterativeMethod<Plain>,
    a: &dyn LinearOperator<Plain>,
    b: &Plain,
) -> Solution<Plain> {
    let solution = Iterative::new(method).relative(1e-10).solve(a, b).unwrap();
    check(name, a, b, &solution);
    solution
}

/// SciPy 1.17 on the same systems to the same tolerance: cg 103 iterations, minres 96 (its criterion
/// is another), gmres 156 with restarts after 40 and 86 without, bicgstab 52, cg with SSOR 28.
#[test]
fn as_many_iterations_as_scipy() {
    let (a, b) = (poisson(30), right(900));
    let near = |got: usize, want: usize| got.abs_diff(want) <= 1;
    let cg = solve("CG", Cg, &a, &b).iterations();
    assert!(near(cg, 103), "{cg}");
    let minres = solve("MINRES", Minres, &a, &b).iterations();
    assert!((90..=103).contains(&minres), "{minres}");
    let ssor = Ssor::new(&a, 1.5).unwrap();
    let solver = Iterative::new(Cg).preconditioner(&ssor).relative(1e-10);
    let solution = solver.solve(&a, &b).unwrap();
    check("CG with SSOR", &a, &b, &solution);
    assert!(near(solution.iterations(), 28), "{}", solution.iterations());

    let a = transport(30, 0.4);
    let gmres = solve("GMRES(40)", Gmres { restart: 40 }, &a, &b).iterations();
    assert!(near(gmres, 156), "{gmres}");
    let gmres = solve("GMRES", Gmres { restart: 200 }, &a, &b).iterations();
    assert!(near(gmres, 86), "{gmres}");
    let first = solve("BiCGStab", BiCgStab { degree: 1 }, &a, &b).iterations();
    assert!((45..60).contains(&first), "{first}");
    let second = solve("BiCGStab(2)", BiCgStab { degree: 2 }, &a, &b).iterations();
    assert!(second <= first.div_ceil(2) + 3, "{second} {first}");
    solve("BiCGStab(4)", BiCgStab { degree: 4 }, &a, &b);
}

#[test]
fn few_eigenvalues_take_few_iterations() {
    let entries = (0..60).map(|i| f64::from(1 + i % 5)).collect();
    let a = Diagonal::new(entries).unwrap();
    let b = wave(60, 0.4);
    assert_eq!(solve("CG", Cg, &a, &b).iterations(), 5);
    assert_eq!(solve("MINRES", Minres, &a, &b).iterations(), 5);
    assert_eq!(solve("GMRES", Gmres::default(), &a, &b).iterations(), 5);
    assert!(solve("BiCGStab", BiCgStab { degree: 1 }, &a, &b).iterations() <= 6);
    let generator = |r: &Plain| Ok(r.clone());
    let directions = ConjugateDirections { generator, memory: 1 };
    assert_eq!(solve("directions", directions, &a, &b).iterations(), 5);
}

#[test]
fn dense_systems() {
    for n in [1, 2, 5, 40] {
        let (a, b) = (dense(n, n, 0.3), wave(n, 0.8));
        solve("GMRES", Gmres { restart: n }, &a, &b);
        solve("FGMRES", Fgmres { restart: n }, &a, &b);
        let s = definite(n, 0.7);
        solve("CG", Cg, &s, &b);
        solve("MINRES", Minres, &s, &b);
        solve("BiCGStab", BiCgStab::default(), &s, &b);
    }
}

#[test]
fn methods_take_preconditioners_and_guesses() {
    let (a, b) = (poisson(24), right(576));
    let ic = Ic0::new(&a).unwrap();
    let jacobi = Jacobi::new(&a).unwrap();
    let exact = solve("CG", Cg, &a, &b).x;
    let methods: [(&str, Box<dyn IterativeMethod<Plain>>); 7] = [
        ("CG", Box::new(Cg)),
        ("MINRES", Box::new(Minres)),
        ("GMRES", Box::new(Gmres::default())),
        ("FGMRES", Box::new(Fgmres::default())),
        ("BiCGStab", Box::new(BiCgStab::default())),
        ("Chebyshev", Box::new(Chebyshev::estimated(&a, Some(&ic), &b, 30).unwrap())),
        ("Richardson", Box::new(Richardson::default())),
    ];
    for (name, method) in &methods {
        let plain = Iterative::new(method).relative(1e-9).preconditioner(&ic);
        let solution = plain.solve(&a, &b).unwrap();
        check(name, &a, &b, &solution);
        // From close by it takes fewer.
        let mut guess = exact.clone();
        guess.axpby(1.0, 1e-5, &wave(576, 0.0)).unwrap();
        let again = plain.run(&a, &b, Some(&guess)).unwrap();
        check(name, &a, &b, &again);
        assert!(again.iterations() < solution.iterations(), "{name}");
        // From the solution, none.
        assert_eq!(plain.run(&a, &b, Some(&solution.x)).unwrap().iterations(), 0, "{name}");
    }
    for (name, method) in &methods[..5] {
        let steps = |preconditioner: Option<&dyn LinearOperator<Plain>>| {
            let solver = Iterative::new(method).relative(1e-9).iterations(2000);
            match preconditioner {
                Some(p) => solver.preconditioner(p).solve(&a, &b).unwrap().iterations(),
                None => solver.solve(&a, &b).unwrap().iterations(),
            }
        };
        assert!(2 * steps(Some(&ic)) < steps(None) + 1, "{name}");
        // A constant diagonal changes nothing.
        assert!(steps(Some(&jacobi)).abs_diff(steps(None)) <= 1, "{name}");
    }
}

#[test]
fn indefinite_and_singular_systems() {
    // −Δ − 30: some eigenvalues below zero.
    let shift = Dense::new(ansatz_linalg::faer::Mat::from_fn(40, 40, |i, j| match i.abs_diff(j) {
        0 => 2.0 - 0.3,
        1 => -1.0,
        _ => 0.0,
    }))
    .unwrap();
    let b = wave(40, 0.5);
    solve("MINRES", Minres, &shift, &b);
    let jacobi = Diagonal::new((0..40).map(|i| 1.0 + 0.1 * f64::from(i)).collect()).unwrap();
    let solution =
        Iterative::new(Minres).preconditioner(&jacobi).relative(1e-10).solve(&shift, &b).unwrap();
    check("MINRES", &shift, &b, &solution);
    let failed = Iterative::new(Cg).run(&shift, &b, None).unwrap();
    assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{:?}", failed.outcome);
    let failed = Iterative::new(Cg).solve(&shift, &b);
    assert!(matches!(failed, Err(Error::NotConverged { outcome: Outcome::Breakdown(_), .. })));
    // A preconditioner that is not definite.
    let bad = Diagonal::new((0..40).map(|i| if i == 20 { -1.0 } else { 1.0 }).collect()).unwrap();
    let spike: Plain = (0..40).map(|i| f64::from(i == 20)).collect();
    let a = definite(40, 0.1);
    for failed in [
        Iterative::new(Cg).preconditioner(&bad).run(&a, &spike, None).unwrap(),
        Iterative::new(Minres).preconditioner(&bad).run(&a, &spike, None).unwrap(),
    ] {
        assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{:?}", failed.outcome);
    }

    // Insulated on all sides: constants are mapped to zero.
    let edges = [Edge::Mirror, Edge::Mirror];
    let neumann = Stencil::laplacian(&[12, 12], &[1.0, 1.0], &edges).unwrap();
    let mut b = wave(144, 0.3);
    let inconsistent = b.clone();
    let mean = b.iter().sum::<f64>() / 144.0;
    for b in &mut b {
        *b -= mean;
    }
    let methods: [Box<dyn IterativeMethod<Plain>>; 3] =
        [Box::new(Minres), Box::new(Cg), Box::new(Gmres { restart: 150 })];
    for method in &methods {
        let name = method.name();
        check(
            name,
            &neumann,
            &b,
            &Iterative::new(method).relative(1e-9).solve(&neumann, &b).unwrap(),
        );
        let failed = Iterative::new(method).run(&neumann, &inconsistent, None).unwrap();
        assert_ne!(failed.outcome, Outcome::Converged, "{name}");
        let least = mean.abs() * 12.0;
        assert!(failed.residual() >= least * (1.0 - 1e-10), "{name}");
        if name == "MINRES" {
            assert!(failed.residual() < least * 1.001, "{:e} {least:e}", failed.residual());
        }
    }
    // No entry at all.
    let nothing = Diagonal::new(vec![0.0; 3]).unwrap();
    for method in &methods {
        let failed = Iterative::new(method).run(&nothing, &vec![1.0; 3], None).unwrap();
        assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{:?}", failed.outcome);
        assert!(failed.x.iter().all(|x| x.is_finite()));
    }
}

/// Moves every component on by one: GMRES makes no progress at all until its space is the whole one
/// (N. Nachtigal, S. Reddy, L. Trefethen, SIAM J. Matrix Anal. Appl. 13, 1992).
struct Shift(usize);

impl LinearOperator<Plain> for Shift {
    fn shape(&self) -> [usize; 2] {
        [self.0; 2]
    }

    fn apply_into(&self, x: &Plain, y: &mut Plain) -> ansatz_linalg::Result<()> {
        y.clone_from(x);
        y.rotate_right(1);
        Ok(())
    }
}

#[test]
fn failures_are_told_apart() {
    let b: Plain = (0..20).map(|i| f64::from(i == 0)).collect();
    let short = Iterative::new(Gmres { restart: 10 }).run(&Shift(20), &b, None).unwrap();
    assert_eq!(short.outcome, Outcome::Stagnation);
    let long = solve("GMRES", Gmres { restart: 20 }, &Shift(20), &b);
    assert_eq!(long.iterations(), 20);
    // Eigenvalues near the imaginary axis: polynomials of degree one make hardly any progress there.
    let turns = Dense::new(ansatz_linalg::faer::Mat::from_fn(60, 60, |i, j| {
        let speed = 1.0 + (i / 2) as f64 / 10.0;
        match (i % 2, j) {
            _ if i == j => 0.01,
            (0, j) if j == i + 1 => speed,
            (1, j) if j + 1 == i => -speed,
            _ => 0.0,
        }
    }))
    .unwrap();
    let b = wave(60, 0.1);
    let first = Iterative::new(BiCgStab { degree: 1 }).iterations(200).run(&turns, &b, None);
    assert_ne!(first.unwrap().outcome, Outcome::Converged);
    let second = solve("BiCGStab(2)", BiCgStab { degree: 2 }, &turns, &b);
    assert!(second.iterations() < 100, "{}", second.iterations());

    let (a, b) = (poisson(20), right(400));
    let budget = Iterative::new(Cg).iterations(7).run(&a, &b, None).unwrap();
    assert_eq!((budget.outcome, budget.iterations()), (Outcome::Budget, 7));
    assert!((budget.residual() - residual(&a, &b, &budget.x)).abs() < 1e-12);
    let none = Iterative::new(Cg).iterations(0).run(&a, &b, None).unwrap();
    assert_eq!((none.outcome, none.iterations()), (Outcome::Budget, 0));
    // More than rounding allows: none of them says that it converged.
    let methods: [Box<dyn IterativeMethod<Plain>>; 4] = [
        Box::new(Cg),
        Box::new(Minres),
        Box::new(Gmres { restart: 80 }),
        Box::new(BiCgStab::default()),
    ];
    for method in &methods {
        let failed = Iterative::new(method).relative(1e-19).run(&a, &b, None).unwrap();
        assert_eq!(failed.outcome, Outcome::Stagnation, "{}", method.name());
        assert!(failed.residual() < 1e-11 * b.norm2().unwrap(), "{}", method.name());
        assert!(failed.iterations() < 900, "{}", method.name());
    }
    // Richardson's iteration diverges where the matrix has eigenvalues above 2.
    let failed = Iterative::new(Richardson::default()).iterations(3000).run(&a, &b, None).unwrap();
    assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{:?}", failed.outcome);
    // What a function says is checked, whatever it says.
    let lies = ConjugateDirections { generator: |r: &Plain| Ok(vec![0.0; r.len()]), memory: 2 };
    let failed = Iterative::new(lies).run(&a, &b, None).unwrap();
    assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{:?}", failed.outcome);
}

/// Spectral radii for the grid: Jacobi cos πh, optimal SOR ω − 1 (D. Young).
#[test]
fn stationary_iterations_converge_as_theory_says() {
    let n = 20;
    let (a, b) = (poisson(n), right(n * n));
    let angle = std::f64::consts::PI / (n + 1) as f64;
    let rate = |solution: &Solution<Plain>| {
        let r = &solution.residuals;
        let (first, last) = (r.len() / 2, r.len() - 1);
        (r[last] / r[first]).powf(1.0 / (last - first) as f64)
    };
    let solver = Iterative::new(Richardson::default()).iterations(5000).relative(1e-10);
    let jacobi = solver.preconditioner(Jacobi::new(&a).unwrap()).solve(&a, &b).unwrap();
    assert!((rate(&jacobi) - angle.cos()).abs() < 1e-4, "{}", rate(&jacobi));
    let gauss_seidel = Sor::gauss_seidel(&a).unwrap();
    let solution = solver.preconditioner(gauss_seidel).solve(&a, &b).unwrap();
    assert!((rate(&solution) - angle.cos().powi(2)).abs() < 1e-4, "{}", rate(&solution));
    let best = 2.0 / (1.0 + angle.sin());
    let solution = solver.preconditioner(Sor::new(&a, best).unwrap()).solve(&a, &b).unwrap();
    assert!((rate(&solution) - (best - 1.0)).abs() < 0.04, "{}", rate(&solution));
    assert!(solution.iterations() < 100);
}

/// Another iteration inside, to a tolerance of its own: not the same map twice.
struct Inner<'a>(&'a Sparse, Cell<usize>);
impl LinearOperator<Plain> for Inner<'_> {
    fn shape(&self) -> [usize; 2] {
        LinearOperator::<Plain>::shape(self.0)
    }

    fn apply_into(&self, x: &Plain, y: &mut Plain) -> ansatz_linalg::Result<()> {
        let solver = Iterative::new(Gmres { restart: 8 }).relative(1e-9).iterations(8);
        self.1.set(self.1.get() + 1);
        *y = solver.run(self.0, x, None)?.x;
        Ok(())
    }
}

#[test]
fn preconditioners_that_change_and_transposes() {
    let (a, b) = (transport(16, 0.4), right(256));
    let inner = Inner(&a, Cell::new(0));
    let solver = Iterative::new(Fgmres::default()).preconditioner(&inner).relative(1e-10);
    let solution = solver.solve(&a, &b).unwrap();
    check("FGMRES", &a, &b, &solution);
    assert!(solution.iterations() < 15, "{}", solution.iterations());
    assert_eq!(inner.1.get(), solution.iterations());

    let ilu = Ilu0::new(&a).unwrap();
    let solver = Iterative::new(Gmres::default()).preconditioner(&ilu).relative(1e-11);
    let transposed = solver.solve_transposed(&a, &b).unwrap();
    let mut r = a.apply_transposed(&transposed.x).unwrap();
    r.axpby(-1.0, 1.0, &b).unwrap();
    assert!(r.norm2().unwrap() <= transposed.target);
    assert!(transposed.iterations() < 25, "{}", transposed.iterations());
    // ⟨A⁻¹ b, c⟩ = ⟨b, A⁻ᵀ c⟩.
    let c = wave(256, 0.9);
    let left = solver.solve(&a, &b).unwrap().x.inner(&c).unwrap();
    let right = b.inner(&solver.solve_transposed(&a, &c).unwrap().x).unwrap();
    assert!((left - right).abs() < 1e-8 * left.abs().max(1.0), "{left} {right}");
    let none = Iterative::new(Gmres::default()).solve_transposed(&Shift(4), &vec![1.0; 4]);
    assert!(matches!(none, Err(Error::NoTranspose { .. })));
}

#[test]
fn chebyshev_knows_its_spectrum() {
    let n = 20;
    let (a, b) = (poisson(n), right(n * n));
    let angle = std::f64::consts::PI / (n + 1) as f64;
    let (smallest, largest) = (4.0 - 4.0 * angle.cos(), 4.0 + 4.0 * angle.cos());
    let exact = Chebyshev { smallest, largest };
    let solution = solve("Chebyshev", exact, &a, &b);
    // |r| ≤ 2 ((√κ − 1)/(√κ + 1))ᵏ |r₀|
    let root = (largest / smallest).sqrt();
    let bound = (0.5e-10f64).ln() / ((root - 1.0) / (root + 1.0)).ln();
    assert!((solution.iterations() as f64) < bound + 1.0, "{} {bound}", solution.iterations());
    let estimate = Chebyshev::estimated(&a, None, &b, 60).unwrap();
    assert!((estimate.largest / largest - 1.05).abs() < 0.01, "{estimate:?}");
    assert!((estimate.smallest / smallest - 1.0 / 1.05).abs() < 0.01, "{estimate:?}");
    let one = Chebyshev { smallest: 2.0, largest: 2.0 };
    let twice = Diagonal::new(vec![2.0; 5]).unwrap();
    assert_eq!(solve("Chebyshev", one, &twice, &wave(5, 0.0)).iterations(), 1);
    for (smallest, largest) in [(0.0, 1.0), (2.0, 1.0), (1.0, f64::NAN), (1.0, f64::INFINITY)] {
        let bad = Iterative::new(Chebyshev { smallest, largest }).run(&a, &b, None);
        assert!(matches!(bad, Err(Error::InvalidArgument { .. })), "{smallest} {largest}");
    }
    assert!(Chebyshev::estimated(&a, None, &b, 0).is_err());
    assert!(Chebyshev::estimated(&a, None, &vec![0.0; n * n], 5).is_err());
    let negative = Diagonal::new(vec![1.0, -1.0]).unwrap();
    assert!(Chebyshev::estimated(&negative, None, &vec![0.1, 1.0], 5).is_err());
}

#[test]
fn several_right_hand_sides() {
    let a = poisson(18);
    let all: Vec<Plain> = (0..5).map(|k| wave(324, f64::from(k))).collect();
    let ic = Ic0::new(&a).unwrap();
    let solver = Iterative::new(Cg).preconditioner(&ic).relative(1e-10);
    let solutions = solver.solve_all(&a, &all).unwrap();
    for (b, solution) in all.iter().zip(&solutions) {
        check("CG", &a, b, solution);
        assert_eq!(solution, &solver.solve(&a, b).unwrap());
    }
    assert!(solver.solve_all(&a, &[]).unwrap().is_empty());
    let bad = [all[0].clone(), vec![f64::NAN; 324]];
    assert!(solver.solve_all(&a, &bad).is_err());
}

struct Turn;
impl LinearOperator<[f64; 2]> for Turn {
    fn shape(&self) -> [usize; 2] {
        [2, 2]
    }

    fn apply_into(&self, x: &[f64; 2], y: &mut [f64; 2]) -> ansatz_linalg::Result<()> {
        *y = [3.0 * x[0] - x[1], x[0] + x[1]];
        Ok(())
    }
}

#[test]
fn other_vectors() {
    let solution = Iterative::new(Gmres::default()).solve(&Turn, &[1.0, 3.0]).unwrap();
    assert!((solution.x[0] - 1.0).abs() < 1e-8 && (solution.x[1] - 2.0).abs() < 1e-8);
}

/// An operator that makes NaN.
struct Broken;
impl LinearOperator<Plain> for Broken {
    fn shape(&self) -> [usize; 2] {
        [3, 3]
    }

    fn apply_into(&self, _: &Plain, y: &mut Plain) -> ansatz_linalg::Result<()> {
        *y = vec![f64::NAN; 3];
        Ok(())
    }

    fn properties(&self) -> Properties {
        Properties::SPD
    }
}

#[test]
fn input_that_makes_no_sense() {
    let (a, b) = (poisson(5), right(25));
    let zero = Iterative::new(Cg).run(&a, &vec![0.0; 25], Some(&b)).unwrap();
    assert_eq!((zero.outcome, zero.iterations()), (Outcome::Converged, 0));
    assert_eq!(zero.x, vec![0.0; 25]);
    let size = |result: Result<Solution<Plain>, Error>| matches!(result, Err(Error::Size { .. }));
    let invalid = |result: Result<Solution<Plain>, Error>| {
        matches!(result, Err(Error::InvalidArgument { .. }))
    };
    let solver = Iterative::new(Cg);
    assert!(size(solver.run(&a, &vec![1.0; 24], None)));
    assert!(size(solver.run(&a, &b, Some(&vec![1.0; 26]))));
    assert!(size(solver.run(&dense(3, 4, 0.0), &vec![1.0; 3], None)));
    assert!(size(solver.preconditioner(Identity(24)).run(&a, &b, None)));
    let mut nan = b.clone();
    nan[3] = f64::NAN;
    assert!(invalid(solver.run(&a, &nan, None)));
    assert!(invalid(solver.run(&a, &b, Some(&nan))));
    for tolerance in [-1.0, f64::NAN, f64::INFINITY, 0.0] {
        assert!(invalid(solver.relative(tolerance).run(&a, &b, None)), "{tolerance}");
    }
    assert!(invalid(solver.absolute(-1.0).run(&a, &b, None)));
    assert!(invalid(Iterative::new(Gmres { restart: 0 }).run(&a, &b, None)));
    assert!(invalid(Iterative::new(Fgmres { restart: 0 }).run(&a, &b, None)));
    assert!(invalid(Iterative::new(BiCgStab { degree: 0 }).run(&a, &b, None)));
    assert!(invalid(Iterative::new(Richardson { damping: 0.0 }).run(&a, &b, None)));
    let none = ConjugateDirections { generator: |r: &Plain| Ok(r.clone()), memory: 0 };
    assert!(invalid(Iterative::new(none).run(&a, &b, None)));
    // Sizes whose squares are no numbers: neither converged at once nor taken for zero.
    for size in [1e200, 1e-300] {
        let a = Diagonal::new(vec![size; 3]).unwrap();
        assert!(invalid(solver.run(&a, &vec![size; 3], None)), "{size:e}");
        let fit = Lsqr::default().solve(&a, &vec![size; 3], &Stopping::default());
        assert!(matches!(fit, Err(Error::InvalidArgument { .. })), "{size:e}");
    }
    // Too small for plain squares, but not for a number.
    let tiny = solver.run(&Diagonal::new(vec![2.0; 3]).unwrap(), &vec![1e-310; 3], None);
    assert!(invalid(tiny));
    // An absolute tolerance alone.
    let only = Stopping { relative: 0.0, absolute: 1e-3, iterations: 100 };
    let solution = solver.stopping(only).run(&a, &b, None).unwrap();
    assert_eq!(solution.target, 1e-3);
    check("CG", &a, &b, &solution);
    let methods: [Box<dyn IterativeMethod<Plain>>; 5] = [
        Box::new(Cg),
        Box::new(Minres),
        Box::new(Gmres::default()),
        Box::new(BiCgStab::default()),
        Box::new(Richardson::default()),
    ];
    for method in &methods {
        let failed = Iterative::new(method).run(&Broken, &vec![1.0; 3], None).unwrap();
        assert!(matches!(failed.outcome, Outcome::Breakdown(_)), "{}", method.name());
    }
}

/// The norms on the way are what a method believes; ended there, the measured one is the same.
#[test]
fn what_a_method_believes_on_the_way_is_true() {
    let (a, b) = (poisson(24), right(576));
    let ic = Ic0::new(&a).unwrap();
    let generator = |r: &Plain| Ok(r.clone());
    let methods: [Box<dyn IterativeMethod<Plain>>; 8] = [
        Box::new(Cg),
        Box::new(Minres),
        Box::new(Gmres { restart: 7 }),
        Box::new(Fgmres { restart: 7 }),
        Box::new(BiCgStab { degree: 2 }),
        Box::new(Chebyshev::estimated(&a, Some(&ic), &b, 30).unwrap()),
        Box::new(Richardson { damping: 0.8 }),
        Box::new(ConjugateDirections { generator, memory: 2 }),
    ];
    for method in &methods {
        let solver = Iterative::new(method).relative(1e-10).preconditioner(&ic);
        let long = solver.iterations(16).run(&a, &b, None).unwrap().residuals;
        for k in 1..long.len().min(15) {
            let short = solver.iterations(k).run(&a, &b, None).unwrap().residual();
            assert!(
                (short - long[k]).abs() < 1e-9 * long[0],
                "{} {k}: {short} {}",
                method.name(),
                long[k]
            );
        }
    }
}

/// Keeps what it is applied to.
struct Recording<'a>(&'a Sparse, std::cell::RefCell<Vec<Plain>>);

impl LinearOperator<Plain> for Recording<'_> {
    fn shape(&self) -> [usize; 2] {
        LinearOperator::<Plain>::shape(self.0)
    }

    fn apply_into(&self, x: &Plain, y: &mut Plain) -> ansatz_linalg::Result<()> {
        self.1.borrow_mut().push(x.clone());
        self.0.apply_into(x, y)
    }
}

#[test]
fn directions_are_conjugate_to_those_remembered() {
    let (a, b) = (poisson(12), right(144));
    // Not a linear map of the residual, so that no direction is conjugate by itself.
    let generator = |r: &Plain| Ok(r.iter().map(|r| r + 0.5 * r.abs()).collect::<Plain>());
    for memory in [1, 2, 4] {
        let recording = Recording(&a, std::cell::RefCell::default());
        let solver = Iterative::new(ConjugateDirections { generator, memory }).iterations(12);
        solver.run(&recording, &b, None).unwrap();
        // The last application measures the residual.
        let directions = recording.1.into_inner();
        let directions = &directions[..directions.len() - 1];
        let cosine = |p: &Plain, q: &Plain| {
            let energy = |p: &Plain, q: &Plain| p.inner(&a.apply(q).unwrap()).unwrap();
            energy(p, q).abs() / (energy(p, p) * energy(q, q)).sqrt()
        };
        let mut beyond = 0.0f64;
        for (k, p) in directions.iter().enumerate() {
            for (j, q) in directions[..k].iter().enumerate() {
                if k - j <= memory {
                    assert!(cosine(p, q) < 1e-10, "{memory}: {k} {j}");
                } else {
                    beyond = beyond.max(cosine(p, q));
                }
            }
        }
        assert!(beyond > 1e-3, "{memory}: nothing is forgotten");
    }
}

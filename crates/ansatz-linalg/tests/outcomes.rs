//! Why iterative methods end, and what they leave behind.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use std::cell::Cell;

use ansatz_linalg::{
    BiCgStab, Cg, Chebyshev, ConjugateDirections, Dense, Diagonal, Edge, Error, Gmres, Ic0,
    Identity, Iterative, IterativeMethod, LinearOperator, LinearSolver, Minres, Monitor, Outcome,
    Pause, Properties, Result, Richardson, Stencil, System, Vector,
};
use common::{definite, poisson, residual, wave};

type Plain = Vec<f64>;

fn neumann(n: usize) -> Stencil {
    Stencil::laplacian(&[n, n], &[1.0, 1.0], &[Edge::Mirror, Edge::Mirror]).unwrap()
}

#[test]
fn minres_finds_least_squares_of_singular_systems() {
    for n in [6, 12, 20] {
        let a = neumann(n);
        for phase in [0.1, 0.5, 2.0, 2.7] {
            let b = wave(n * n, phase);
            let mean = b.iter().sum::<f64>() / (n * n) as f64;
            let least = mean.abs() * n as f64;
            let found = Iterative::new(Minres).run(&a, &b, None).unwrap();
            // A second pass says that there is no solution, or makes no progress.
            let ends = matches!(found.outcome, Outcome::Breakdown(_) | Outcome::Stagnation);
            assert!(ends && found.iterations() < 5 * n * n, "{n} {phase} {:?}", found.outcome);
            assert!(found.residual() < 1.001 * least + 1e-12, "{n} {phase} {:e}", found.residual());
            assert!(found.x.norm2().unwrap() < 1e4, "{n} {phase}");
        }
    }
    // Far apart is not singular.
    let a = Diagonal::new(vec![1.0, 5e-10]).unwrap();
    let found = Iterative::new(Minres).relative(1e-6).solve(&a, &vec![1.0; 2]).unwrap();
    assert!(found.iterations() < 10);
}

#[test]
fn no_solution_is_worse_than_the_start() {
    let methods: [Box<dyn IterativeMethod<Plain>>; 5] = [
        Box::new(Cg),
        Box::new(Minres),
        Box::new(Gmres { restart: 5 }),
        Box::new(BiCgStab { degree: 1 }),
        Box::new(Richardson { damping: 1.0 }),
    ];
    for method in &methods {
        for iterations in [1, 3, 20, 400] {
            for a in [&neumann(6) as &dyn LinearOperator<Plain>, &poisson(6)] {
                let b = wave(36, 0.1);
                let solver = Iterative::new(method).iterations(iterations);
                let found = solver.run(a, &b, None).unwrap();
                let measured = residual(a, &b, &found.x);
                assert!(measured <= b.norm2().unwrap(), "{} {iterations}", method.name());
                assert!((found.residual() - measured).abs() < 1e-12, "{}", method.name());
            }
        }
    }
}

#[test]
fn what_diverges_is_stopped() {
    let found = Iterative::new(Richardson { damping: 2.0 }).iterations(100_000);
    let found = found.run(&poisson(8), &wave(64, 0.2), None).unwrap();
    assert!(matches!(found.outcome, Outcome::Breakdown(reason) if reason.contains("diverges")));
    assert!(found.iterations() < 40, "{}", found.iterations());
}

#[test]
fn bicgstab_of_any_degree() {
    let (a, b) = (poisson(30), wave(900, 0.4));
    let first = Iterative::new(BiCgStab { degree: 4 }).solve(&a, &b).unwrap().iterations() * 4;
    for degree in [8, 11, 12, 14, 16, 24] {
        let found = Iterative::new(BiCgStab { degree }).solve(&a, &b).unwrap();
        assert!(residual(&a, &b, &found.x) <= found.target, "{degree}");
        let steps = found.iterations() * degree;
        assert!(steps < 3 * first, "{degree}: {steps} {first}");
    }
}

/// `x ← x + r / 2` without a word to the monitor.
struct Silent;

impl IterativeMethod<Plain> for Silent {
    fn name(&self) -> &'static str {
        "silence"
    }

    fn improve(
        &self,
        _: &System<'_, Plain>,
        x: &mut Plain,
        residual: Plain,
        _: &mut Monitor,
    ) -> Result<Pause> {
        x.axpby(1.0, 0.5, &residual)?;
        Ok(Pause::Restart)
    }
}

#[test]
fn passes_that_record_nothing_are_counted() {
    let a = Diagonal::new(vec![1.0; 2]).unwrap();
    let found = Iterative::new(Silent).iterations(5).run(&a, &vec![3.0, 4.0], None).unwrap();
    assert_eq!(found.outcome, Outcome::Budget);
    assert_eq!(found.residuals, [5.0, 2.5, 1.25, 0.625, 0.3125, 0.15625]);
}

/// Has a transpose only where it is needed: nowhere.
struct OneWay(Ic0, Cell<usize>);

impl LinearOperator<Plain> for OneWay {
    fn shape(&self) -> [usize; 2] {
        self.0.shape()
    }

    fn apply_into(&self, x: &Plain, y: &mut Plain) -> Result<()> {
        self.1.set(self.1.get() + 1);
        self.0.apply_into(x, y)
    }
}

#[test]
fn transposes_of_symmetric_operators_need_no_other_preconditioner() {
    let (a, b) = (poisson(10), wave(100, 0.4));
    assert_eq!(LinearOperator::<Plain>::properties(&a).symmetric, a.properties().symmetric);
    let a = Dense::new(ansatz_linalg::to_dense(&a).unwrap()).unwrap();
    let a = ansatz_linalg::Assumed { operator: a, properties: Properties::SPD };
    let one_way = OneWay(Ic0::new(&poisson(10)).unwrap(), Cell::new(0));
    let found = Iterative::new(Cg).preconditioner(&one_way).solve_transposed(&a, &b).unwrap();
    assert!(residual(&a, &b, &found.x) <= found.target && one_way.1.get() > 0);
}

#[test]
fn the_first_error_is_the_one_reported() {
    let a = definite(8, 0.3);
    let mut all: Vec<Plain> = (0..40).map(|k| wave(8, f64::from(k))).collect();
    all[17] = vec![1.0; 7];
    all[23] = vec![f64::NAN; 8];
    for _ in 0..5 {
        let failed = Iterative::new(Cg).solve_all(&a, &all);
        assert!(matches!(failed, Err(Error::Size { .. })), "{failed:?}");
    }
}

/// Columns that differ much in size and are nearly dependent: one pass of Gram–Schmidt alone loses
/// orthogonality, and what GMRES believes is no longer so.
#[test]
fn gmres_keeps_its_vectors_orthogonal() {
    let entries: Vec<f64> = (0..40).map(|i| 10f64.powf(-0.3 * f64::from(i))).collect();
    let a = Diagonal::new(entries).unwrap();
    let b = a.apply(&wave(40, 0.3)).unwrap();
    let solver = Iterative::new(Gmres { restart: 40 }).relative(1e-14);
    for iterations in [10, 20, 30, 38] {
        let long = solver.iterations(iterations + 1).run(&a, &b, None).unwrap().residuals;
        let found = solver.iterations(iterations).run(&a, &b, None).unwrap();
        if let Some(believed) = long.get(iterations).filter(|_| long.len() > iterations + 1) {
            let measured = residual(&a, &b, &found.x);
            assert!((believed - measured).abs() < 1e-3 * measured, "{believed:e} {measured:e}");
        }
    }
}

#[test]
fn spectra_need_definite_preconditioners() {
    let turned = Diagonal::new(vec![1.0, -1.0]).unwrap();
    let failed = Chebyshev::estimated(&Identity(2), Some(&turned), &vec![1.0, 0.5], 5);
    assert!(matches!(failed, Err(Error::InvalidArgument { what: "preconditioner", .. })));
    let failed = Chebyshev::estimated(&Identity(2), None, &vec![1.0, 0.5], 0);
    let what = "steps of Lanczos' process";
    assert!(matches!(failed, Err(Error::InvalidArgument { what: w, .. }) if w == what));
}

#[test]
fn whose_fault_a_direction_is() {
    let (a, b) = (poisson(4), wave(16, 0.3));
    // The same direction again and again.
    let generator = |_: &Plain| Ok(wave(16, 1.0));
    let same = ConjugateDirections { generator, memory: 2 };
    let found = Iterative::new(same).run(&a, &b, None).unwrap();
    assert!(matches!(found.outcome, Outcome::Breakdown(why) if why.contains("generator")));
    let generator = |r: &Plain| Ok(r.clone());
    let plain = ConjugateDirections { generator, memory: 2 };
    let negative = Diagonal::new(vec![-1.0; 16]).unwrap();
    let found = Iterative::new(plain).run(&negative, &b, None).unwrap();
    assert!(matches!(found.outcome, Outcome::Breakdown(why) if why.contains("operator")));
}

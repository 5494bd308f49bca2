//! Preconditioners against the matrices that define them.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use ansatz_linalg::{
    AdditiveSchwarz, BlockJacobi, Cg, Dense, Error, Factorised, Gmres, Ic0, Ilu0, Inverse,
    Iterative, Jacobi, LinearOperator, LinearSolver, Lu, Sor, Sparse, Ssor, Vector, faer::Mat,
    nalgebra_sparse::CooMatrix, to_dense,
};
use common::{distance, grid, poisson, wave};

fn sparse(rows: &[&[f64]]) -> Sparse {
    let mut entries = CooMatrix::new(rows.len(), rows.len());
    for (i, row) in rows.iter().enumerate() {
        for (j, a) in row.iter().enumerate().filter(|(_, a)| **a != 0.0) {
            entries.push(i, j, *a);
        }
    }
    Sparse::from_coo(&entries).unwrap()
}

/// Not symmetric, with a dominant diagonal that varies.
fn sample(n: usize) -> Sparse {
    grid(n, |i, j, push| {
        push(i, j, 4.5 + 0.1 * ((3 * i + j) % 7) as f64);
        push(i + 1, j, -1.0 - 0.05 * (j % 3) as f64);
        push(i - 1, j, -0.7);
        push(i, j - 1, -1.2);
        push(i, j + 1, 0.4 + 0.1 * (i % 2) as f64);
    })
}

fn all(a: &Sparse) -> Vec<(&'static str, Box<dyn LinearOperator<Vec<f64>>>)> {
    vec![
        ("Jacobi", Box::new(Jacobi::new(a).unwrap())),
        ("Gauss–Seidel", Box::new(Sor::gauss_seidel(a).unwrap())),
        ("SOR", Box::new(Sor::new(a, 1.3).unwrap())),
        ("SSOR", Box::new(Ssor::new(a, 1.3).unwrap())),
        ("ILU(0)", Box::new(Ilu0::new(a).unwrap())),
        ("block Jacobi", Box::new(BlockJacobi::new(a, 7).unwrap())),
        ("Schwarz", Box::new(AdditiveSchwarz::new(a, 5, 1).unwrap())),
    ]
}

#[test]
fn transposes_and_symmetry() {
    for a in [sample(9), poisson(9)] {
        let (x, z) = (wave(81, 0.2), wave(81, 0.9));
        let mut operators = all(&a);
        if a.properties().symmetric {
            operators.push(("IC(0)", Box::new(Ic0::new(&a).unwrap())));
        }
        for (name, m) in &operators {
            let image = m.apply(&x).unwrap();
            let left = image.inner(&z).unwrap();
            let right = x.inner(&m.apply_transposed(&z).unwrap()).unwrap();
            assert!((left - right).abs() < 1e-12, "{name}: {left} {right}");
            if m.properties().symmetric {
                let right = x.inner(&m.apply(&z).unwrap()).unwrap();
                assert!((left - right).abs() < 1e-12, "{name} is not symmetric");
                assert!(image.inner(&x).unwrap() > 0.0, "{name}");
            }
            assert_eq!(m.apply(&vec![0.0; 81]).unwrap(), vec![0.0; 81], "{name}");
            assert!(matches!(m.apply(&vec![1.0; 80]), Err(Error::Size { .. })), "{name}");
            assert!(
                matches!(m.apply_transposed(&vec![1.0; 82]), Err(Error::Size { .. })),
                "{name}"
            );
        }
        let symmetric = operators.iter().filter(|(_, m)| m.properties().symmetric).count();
        assert_eq!(symmetric, if a.properties().symmetric { 5 } else { 1 });
    }
}

/// The matrices of which they are the inverses.
#[test]
fn definitions() {
    let a = sample(5);
    let dense = to_dense(&a).unwrap();
    let n = dense.nrows();
    let omega = 1.3;
    let part = |keep: fn(usize, usize) -> bool, diagonal: f64| {
        Mat::from_fn(n, n, |i, j| {
            if i == j { diagonal * dense[(i, i)] } else { f64::from(keep(i, j)) * dense[(i, j)] }
        })
    };
    let lower = part(|i, j| i > j, 1.0 / omega);
    let upper = part(|i, j| i < j, 1.0 / omega);
    let factor = omega / (2.0 - omega);
    let inverse = Mat::from_fn(n, n, |i, j| f64::from(i == j) * factor / dense[(i, i)]);
    let ssor = &lower * inverse * &upper;
    let blocks = Mat::from_fn(n, n, |i, j| f64::from(i / 7 == j / 7) * dense[(i, j)]);
    let cases: [(&str, Box<dyn LinearOperator<Vec<f64>>>, Mat<f64>); 4] = [
        ("Jacobi", Box::new(Jacobi::new(&a).unwrap()), part(|_, _| false, 1.0)),
        ("SOR", Box::new(Sor::new(&a, omega).unwrap()), lower.clone()),
        ("SSOR", Box::new(Ssor::new(&a, omega).unwrap()), ssor),
        ("block Jacobi", Box::new(BlockJacobi::new(&a, 7).unwrap()), blocks),
    ];
    let x = wave(n, 0.4);
    for (name, operator, matrix) in cases {
        let want = Lu::new(&Dense::new(matrix).unwrap()).unwrap().solve(&x).unwrap();
        assert!(distance(&operator.apply(&x).unwrap(), &want) < 1e-13, "{name}");
    }
    // One part is the whole; parts without overlap are blocks.
    let one = AdditiveSchwarz::new(&a, 1, 0).unwrap().apply(&x).unwrap();
    let exact = Lu::new(&Dense::new(dense.clone()).unwrap()).unwrap().solve(&x).unwrap();
    assert!(distance(&one, &exact) < 1e-12);
    let five = AdditiveSchwarz::new(&a, 5, 0).unwrap().apply(&x).unwrap();
    let blocks = BlockJacobi::new(&a, 5).unwrap().apply(&x).unwrap();
    assert!(distance(&five, &blocks) < 1e-13);
    // A layer of overlap: rows 0 to 9 for the first part, whose rows are 0 to 4; all for the second.
    let both =
        AdditiveSchwarz::with_parts(&a, vec![(0..5).collect(), (5..n).collect()], 1).unwrap();
    let local = Dense::new(Mat::from_fn(10, 10, |i, j| dense[(i, j)])).unwrap();
    let mut want = exact.clone();
    let local = Lu::new(&local).unwrap().solve(&x[..10]).unwrap();
    want.iter_mut().zip(&local).for_each(|(sum, x)| *sum += x);
    assert!(distance(&both.apply(&x).unwrap(), &want) < 1e-13);
}

/// L U agrees with A where A has entries, and only there need it.
#[test]
fn incomplete_factors_reproduce_the_entries() {
    let a = sample(6);
    let product = inverse_of(&Ilu0::new(&a).unwrap());
    let mut elsewhere = 0.0f64;
    let known: std::collections::HashMap<_, _> =
        a.as_csr().triplet_iter().map(|(i, j, a)| ((i, j), *a)).collect();
    for i in 0..36 {
        for j in 0..36 {
            match known.get(&(i, j)) {
                Some(a) => assert!((product[(i, j)] - a).abs() < 1e-12, "{i} {j}"),
                None => elsewhere = elsewhere.max(product[(i, j)].abs()),
            }
        }
    }
    assert!(elsewhere > 0.01, "there is fill-in that was dropped");
    let s = poisson(6);
    let product = inverse_of(&Ic0::new(&s).unwrap());
    for (i, j, a) in s.as_csr().triplet_iter() {
        assert!((product[(i, j)] - a).abs() < 1e-12, "{i} {j}");
    }
    // Without fill-in the factorisation is complete.
    let rows: [&[f64]; 4] = [
        &[4.0, -1.0, 0.0, 0.0],
        &[-1.0, 4.0, -2.0, 0.0],
        &[0.0, -2.0, 5.0, 1.0],
        &[0.0, 0.0, 1.0, 3.0],
    ];
    let t = sparse(&rows);
    let b = wave(4, 0.1);
    for m in [
        Box::new(Ilu0::new(&t).unwrap()) as Box<dyn LinearOperator<Vec<f64>>>,
        Box::new(Ic0::new(&t).unwrap()),
    ] {
        let x = m.apply(&b).unwrap();
        assert!(distance(&t.apply(&x).unwrap(), &b) < 1e-14);
    }
    let ssor = Iterative::new(Cg).preconditioner(Ilu0::new(&t).unwrap()).solve(&t, &b).unwrap();
    assert_eq!(ssor.iterations(), 1);
}

fn inverse_of(m: &dyn LinearOperator<Vec<f64>>) -> Mat<f64> {
    let dense = Dense::new(to_dense(m).unwrap()).unwrap();
    to_dense(&Inverse(Lu::new(&dense).unwrap())).unwrap()
}

#[test]
fn they_save_iterations() {
    let (a, b) = (sample(30), wave(900, 0.3));
    let solver = Iterative::new(Gmres::default()).relative(1e-10);
    let plain = solver.solve(&a, &b).unwrap().iterations();
    let mut last = plain;
    for (name, m) in [
        ("Gauss–Seidel", Box::new(Sor::gauss_seidel(&a).unwrap()) as Box<dyn LinearOperator<_>>),
        ("ILU(0)", Box::new(Ilu0::new(&a).unwrap())),
    ] {
        let steps = solver.preconditioner(m).solve(&a, &b).unwrap().iterations();
        assert!(steps < last, "{name}: {steps} {last}");
        last = steps;
    }
    // Overlap saves some.
    let steps = |overlap| {
        let schwarz = AdditiveSchwarz::new(&a, 6, overlap).unwrap();
        solver.preconditioner(schwarz).solve(&a, &b).unwrap().iterations()
    };
    assert!(steps(1) < steps(0) && steps(0) < plain, "{} {} {plain}", steps(1), steps(0));
}

#[test]
fn input_that_makes_no_sense() {
    let hollow = sparse(&[&[1.0, 2.0], &[3.0, 0.0]]);
    let singular =
        |result: Result<(), Error>| matches!(result, Err(Error::Singular { pivot: 1, .. }));
    assert!(singular(Jacobi::new(&hollow).map(drop)));
    assert!(singular(Sor::new(&hollow, 1.0).map(drop)));
    assert!(singular(Ssor::new(&hollow, 1.0).map(drop)));
    let dependent = sparse(&[&[1.0, 2.0], &[2.0, 4.0]]);
    assert!(singular(Ilu0::new(&dependent).map(drop)));
    assert!(singular(BlockJacobi::new(&dependent, 2).map(drop)));
    assert!(AdditiveSchwarz::new(&dependent, 1, 0).is_err());
    let indefinite = sparse(&[&[1.0, 2.0], &[2.0, 1.0]]);
    assert!(matches!(Ic0::new(&indefinite), Err(Error::NotPositiveDefinite { pivot: 1, .. })));
    assert!(Ic0::shifted(&indefinite, 3.0).is_ok());
    for bad in [-0.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(Ic0::shifted(&indefinite, bad), Err(Error::InvalidArgument { .. })));
    }
    let a = poisson(3);
    for bad in [0.0, 2.0, -1.0, f64::NAN] {
        assert!(matches!(Sor::new(&a, bad), Err(Error::InvalidArgument { .. })));
        assert!(matches!(Ssor::new(&a, bad), Err(Error::InvalidArgument { .. })));
    }
    let invalid = |result: Result<(), Error>| matches!(result, Err(Error::InvalidArgument { .. }));
    assert!(invalid(BlockJacobi::new(&a, 0).map(drop)));
    assert!(invalid(AdditiveSchwarz::new(&a, 0, 1).map(drop)));
    assert!(invalid(AdditiveSchwarz::new(&a, 10, 1).map(drop)));
    assert!(invalid(AdditiveSchwarz::with_parts(&a, vec![(0..10).collect()], 1).map(drop)));
    assert!(invalid(AdditiveSchwarz::with_parts(&a, vec![(0..8).collect()], 1).map(drop)));
    let wide = Sparse::from_coo(&CooMatrix::new(2, 3)).unwrap();
    for result in [
        Jacobi::new(&wide).map(drop),
        Sor::new(&wide, 1.0).map(drop),
        Ilu0::new(&wide).map(drop),
        Ic0::new(&wide).map(drop),
        BlockJacobi::new(&wide, 1).map(drop),
        AdditiveSchwarz::new(&wide, 1, 0).map(drop),
    ] {
        assert!(matches!(result, Err(Error::Size { .. })));
    }
}

#[test]
fn singular_parts_are_named_in_the_numbers_of_the_matrix() {
    let a = sparse(&[
        &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0],
        &[0.0, 0.0, 1.0, 2.0, 0.0, 0.0],
        &[0.0, 0.0, 2.0, 4.0, 0.0, 0.0],
        &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
        &[0.0, 0.0, 0.0, 0.0, 1.0, 1.0],
    ]);
    let pivot = |error: Option<Error>| match error {
        Some(Error::Singular { pivot, .. }) => pivot,
        other => panic!("{other:?}"),
    };
    assert_eq!(pivot(BlockJacobi::new(&a, 2).err()), 3);
    let parts = vec![vec![0, 1], vec![2, 3], vec![4, 5]];
    let found = pivot(AdditiveSchwarz::with_parts(&a, parts, 0).err());
    assert!([2, 3].contains(&found), "{found}");
}

#[test]
fn restricted_schwarz() {
    let (a, b) = (poisson(16), wave(256, 0.3));
    let whole = AdditiveSchwarz::new(&a, 8, 2).unwrap();
    let restricted = whole.clone().restricted();
    assert!(whole.properties().symmetric && !restricted.properties().symmetric);
    let steps = |m: &AdditiveSchwarz| {
        let solver = Iterative::new(Gmres::default()).preconditioner(m);
        solver.solve(&a, &b).unwrap().iterations()
    };
    assert!(steps(&restricted) < steps(&whole), "{} {}", steps(&restricted), steps(&whole));
    let (matrix, x) = (to_dense(&restricted).unwrap(), wave(256, 0.9));
    let transposed = Dense::new(matrix.transpose().to_owned()).unwrap();
    let got = restricted.apply_transposed(&x).unwrap();
    assert!(distance(&got, &transposed.apply(&x).unwrap()) < 1e-13);
    // Without overlap they are the same.
    let (plain, own) = (AdditiveSchwarz::new(&a, 8, 0), AdditiveSchwarz::new(&a, 8, 0));
    let own = own.unwrap().restricted();
    assert_eq!(plain.unwrap().apply(&x).unwrap(), own.apply(&x).unwrap());
}

#[test]
fn overlap_ends_where_there_are_no_neighbours() {
    let a = poisson(6);
    let all = AdditiveSchwarz::new(&a, 2, usize::MAX).unwrap();
    let x = wave(36, 0.3);
    // Each of the two parts is the whole.
    let twice: Vec<f64> = all.apply(&a.apply(&x).unwrap()).unwrap();
    let want: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    assert!(distance(&twice, &want) < 1e-12);
    // Layers one by one.
    for layers in 0..4 {
        let some = AdditiveSchwarz::new(&a, 2, layers).unwrap();
        let same = (0..2).map(|k| (k * (18 - 6 * layers)..(18 + 6 * layers + k * 36)).collect());
        let same = same.map(|run: Vec<usize>| run.into_iter().filter(|i| *i < 36).collect());
        let same = AdditiveSchwarz::with_parts(&a, same.collect(), 0).unwrap();
        assert!(distance(&some.apply(&x).unwrap(), &same.apply(&x).unwrap()) < 1e-14, "{layers}");
    }
}

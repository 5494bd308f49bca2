//! Every operator equals its matrix, its transpose is that of the matrix, and what it says of
//! itself is true.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use std::sync::Arc;

use ansatz_linalg::{
    Assumed, Blocks, Dense, Diagonal, DifferenceJacobian, Edge, Error, Identity, KroneckerProduct,
    KroneckerSum, LinearOperator, LowRank, Product, Properties, Result, Scaled, Sparse, Stencil,
    Sum, Transposed, Tridiagonal, Vector, faer::Mat, nalgebra_sparse::CooMatrix, to_dense,
};
use common::{definite, dense, distance, wave};
use proptest::prelude::*;

type V = Vec<f64>;

fn sparse(rows: usize, columns: usize) -> Sparse {
    let mut entries = CooMatrix::new(rows, columns);
    for (k, a) in wave(3 * rows, 0.4).into_iter().enumerate() {
        entries.push(k % rows, (k * k + 2 * k) % columns, a);
    }
    Sparse::from_coo(&entries).unwrap()
}

/// `M x`, term by term.
fn times(matrix: &Mat<f64>, x: &[f64]) -> V {
    let row = |i| (0..matrix.ncols()).map(|j| matrix[(i, j)] * x[j]).sum();
    (0..matrix.nrows()).map(row).collect()
}

/// `operator` against `matrix`: result, transpose, shape, properties.
fn check(name: &str, operator: &dyn LinearOperator<V>, matrix: &Mat<f64>) {
    let [rows, columns] = operator.shape();
    assert_eq!([rows, columns], [matrix.nrows(), matrix.ncols()], "{name}");
    let (x, z) = (wave(columns, 0.2), wave(rows, 0.9));
    // What the vector held before does not matter.
    let mut y = vec![f64::NAN; 3];
    operator.apply_into(&x, &mut y).unwrap();
    assert!(distance(&y, &times(matrix, &x)) < 1e-12, "{name}");
    y = vec![f64::NAN; 3];
    operator.apply_transposed_into(&z, &mut y).unwrap();
    let transposed = matrix.transpose().to_owned();
    assert!(distance(&y, &times(&transposed, &z)) < 1e-12, "{name}, transposed");

    let wrong = vec![0.0; columns + 1];
    assert!(matches!(operator.apply(&wrong), Err(Error::Size { .. })), "{name}");
    let wrong = vec![0.0; rows + 1];
    assert!(matches!(operator.apply_transposed(&wrong), Err(Error::Size { .. })), "{name}");
    claims_hold(name, operator.properties(), matrix);
}

fn claims_hold(name: &str, claimed: Properties, matrix: &Mat<f64>) {
    let zero = |outside: &dyn Fn(usize, usize) -> bool| {
        let all = |j| (0..matrix.nrows()).all(|i| !outside(i, j) || matrix[(i, j)].abs() < 1e-13);
        (0..matrix.ncols()).all(all)
    };
    let symmetric = matrix.nrows() == matrix.ncols()
        && (0..matrix.nrows())
            .all(|i| (0..i).all(|j| (matrix[(i, j)] - matrix[(j, i)]).abs() < 1e-13));
    assert!(!claimed.symmetric || symmetric, "{name}: symmetric");
    assert!(!claimed.diagonal || zero(&|i, j| i != j), "{name}: diagonal");
    assert!(!claimed.tridiagonal || zero(&|i, j| i.abs_diff(j) > 1), "{name}: tridiagonal");
    assert!(!claimed.lower_triangular || zero(&|i, j| i < j), "{name}: lower");
    assert!(!claimed.upper_triangular || zero(&|i, j| i > j), "{name}: upper");
    if claimed.positive_definite {
        // Of the symmetric part; all eigenvalues.
        let part = Mat::from_fn(matrix.nrows(), matrix.ncols(), |i, j| {
            0.5 * (matrix[(i, j)] + matrix[(j, i)])
        });
        let least = part.self_adjoint_eigenvalues(ansatz_linalg::faer::Side::Lower).unwrap()[0];
        assert!(least > 0.0, "{name}: positive definite, least eigenvalue {least}");
    }
}

fn kron(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    let (rows, columns) = (b.nrows(), b.ncols());
    Mat::from_fn(a.nrows() * rows, a.ncols() * columns, |i, j| {
        a[(i / rows, j / columns)] * b[(i % rows, j % columns)]
    })
}

fn identity(n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| f64::from(i == j))
}

#[test]
fn matrices() {
    for (rows, columns) in [(1, 1), (3, 5), (7, 4), (6, 6), (40, 33)] {
        let a = dense(rows, columns, 0.3);
        check("dense", &a, a.as_faer());
        let s = sparse(rows, columns);
        let mut want = Mat::zeros(rows, columns);
        for (i, j, a) in s.as_csr().triplet_iter() {
            want[(i, j)] += a;
        }
        check("sparse", &s, &want);
        check("transposed", &Transposed(&s), &want.transpose().to_owned());
        // There and back through faer.
        let again = Sparse::from_faer(&s.to_faer()).unwrap();
        assert_eq!(again.as_csr(), s.as_csr());
    }
    let rows = Dense::from_rows(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
    assert_eq!(rows.apply(&vec![1.0, 10.0]).unwrap(), [21.0, 43.0, 65.0]);
}

#[test]
fn what_matrices_say_of_themselves() {
    let rows = [[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 4.0]];
    let p = Dense::from_rows(&rows).unwrap().properties();
    assert!(p.symmetric && p.tridiagonal && !p.lower_triangular && !p.diagonal);
    let lower = Dense::from_rows(&[[1.0, 0.0], [5.0, 2.0]]).unwrap().properties();
    assert!(lower.lower_triangular && !lower.upper_triangular && !lower.symmetric);
    assert!(lower.transposed().upper_triangular);
    let wide = dense(2, 3, 0.0).properties();
    assert!(!wide.symmetric);
}

#[test]
fn diagonals() {
    let d = Diagonal::new(vec![2.0, 0.5, 3.0]).unwrap();
    let want = Mat::from_fn(3, 3, |i, j| if i == j { d.entries()[i] } else { 0.0 });
    check("diagonal", &d, &want);
    assert!(LinearOperator::<V>::properties(&d).positive_definite);
    let negative = Diagonal::new(vec![1.0, -1.0]).unwrap();
    assert!(!LinearOperator::<V>::properties(&negative).positive_definite);
    check("identity", &Identity(4), &identity(4));

    let (b, d, a) = (vec![1.0, -2.0, 0.5], vec![4.0, 5.0, 6.0, 7.0], vec![0.3, 2.0, -1.0]);
    let t = Tridiagonal::new(b.clone(), d.clone(), a.clone()).unwrap();
    let want = Mat::from_fn(4, 4, |i, j| match (i, j) {
        _ if i == j => d[i],
        _ if i == j + 1 => b[j],
        _ if j == i + 1 => a[i],
        _ => 0.0,
    });
    check("tridiagonal", &t, &want);
    check("one entry", &Tridiagonal::new(vec![], vec![2.0], vec![]).unwrap(), &{
        Mat::from_fn(1, 1, |_, _| 2.0)
    });
    // −1, 2, −1 is definite, −1, 1.9, −1 is not for many points.
    let model = |d| Tridiagonal::new(vec![-1.0; 49], vec![d; 50], vec![-1.0; 49]).unwrap();
    assert!(model(2.0).properties().positive_definite);
    check("model", &model(2.0), &to_dense(&model(2.0)).unwrap());
    assert!(!model(1.9).properties().positive_definite);
}

#[test]
fn low_rank() {
    let (u, v) = (wave(10, 0.1), wave(10, 0.7));
    let d = vec![1.0, 2.0, 3.0, 4.0, 5.0];
    let of = |u: &[f64], v: &[f64]| {
        Mat::from_fn(5, 5, |i, j| {
            let inner: f64 = (0..2).map(|r| u[2 * i + r] * v[2 * j + r]).sum();
            inner + if i == j { d[i] } else { 0.0 }
        })
    };
    let a = LowRank::new(d.clone(), u.clone(), v.clone(), 2).unwrap();
    check("low rank", &a, &of(&u, &v));
    assert!(!a.properties().symmetric);
    let a = LowRank::new(d.clone(), u.clone(), u.clone(), 2).unwrap();
    check("symmetric low rank", &a, &of(&u, &u));
    assert_eq!(a.properties(), Properties::SPD);
    assert!(matches!(LowRank::new(d, vec![], vec![], 0), Err(Error::InvalidArgument { .. })));
}

#[test]
fn kronecker() {
    let (a, b) = (dense(3, 4, 0.1), dense(5, 2, 0.8));
    let product = KroneckerProduct { a: &a, b: &b };
    check("product", &product, &kron(a.as_faer(), b.as_faer()));

    let (a, b) = (definite(3, 0.1), definite(4, 0.5));
    let spd = |operator| Assumed { operator, properties: Properties::SPD };
    let product = KroneckerProduct { a: spd(&a), b: spd(&b) };
    assert_eq!(product.properties(), Properties::SPD);
    check("definite product", &product, &kron(a.as_faer(), b.as_faer()));
    let want = kron(a.as_faer(), &identity(4)) + kron(&identity(3), b.as_faer());
    check("sum", &KroneckerSum::new(spd(&a), spd(&b)).unwrap(), &want);
    let (a, b) = (dense(3, 3, 0.2), dense(4, 4, 0.9));
    let want = kron(a.as_faer(), &identity(4)) + kron(&identity(3), b.as_faer());
    check("sum without symmetry", &KroneckerSum::new(&a, &b).unwrap(), &want);
    assert!(KroneckerSum::new(dense(3, 4, 0.0), dense(2, 2, 0.0)).is_err());

    // Triangular and tridiagonal factors.
    let t = Tridiagonal::new(vec![0.0, 0.0], vec![1.0, 2.0, 3.0], vec![1.0, 1.0]).unwrap();
    let d = Diagonal::new(vec![2.0, 5.0]).unwrap();
    for (name, product) in [
        ("d t", Box::new(KroneckerProduct { a: &d, b: &t }) as Box<dyn LinearOperator<V>>),
        ("t d", Box::new(KroneckerProduct { a: &t, b: &d })),
        ("d + t", Box::new(KroneckerSum::new(&d, &t).unwrap())),
        ("t + d", Box::new(KroneckerSum::new(&t, &d).unwrap())),
    ] {
        check(name, &product, &to_dense(&product).unwrap());
        assert!(product.properties().upper_triangular, "{name}");
    }
}

#[test]
fn combinations() {
    let (a, b) = (dense(4, 3, 0.1), dense(4, 3, 0.6));
    check("sum", &Sum::new::<V>(&a, &b).unwrap(), &(a.as_faer() + b.as_faer()));
    let c = dense(3, 5, 0.3);
    check("product", &Product::new::<V>(&a, &c).unwrap(), &(a.as_faer() * c.as_faer()));
    let scaled = Scaled { factor: -2.5, operator: &a };
    check("multiple", &scaled, &Mat::from_fn(4, 3, |i, j| -2.5 * a.as_faer()[(i, j)]));
    assert!(matches!(Sum::new::<V>(&a, &c), Err(Error::Size { .. })));
    assert!(matches!(Product::new::<V>(&a, &b), Err(Error::Size { .. })));

    let spd = Assumed { operator: definite(3, 0.2), properties: Properties::SPD };
    let half = Scaled { factor: 0.5, operator: &spd };
    let sum = Sum::new::<V>(&half, Identity(3)).unwrap();
    assert!(LinearOperator::<V>::properties(&sum).positive_definite);
    check("definite sum", &sum, &to_dense(&sum).unwrap());
    let negative = Scaled { factor: -0.5, operator: &spd };
    assert!(!LinearOperator::<V>::properties(&negative).positive_definite);
    // Two symmetric matrices that do not commute.
    let product = Product::new::<V>(&spd, definite(3, 1.7)).unwrap();
    check("product of symmetric ones", &product, &to_dense(&product).unwrap());
    assert!(!LinearOperator::<V>::properties(&product).symmetric);
}

#[test]
fn blocks() {
    type Block = Option<Arc<dyn LinearOperator<V> + Send + Sync>>;
    let block = |operator: Dense| -> Block { Some(Arc::new(operator)) };
    let (a, b, c) = (dense(3, 2, 0.1), dense(3, 4, 0.5), dense(1, 4, 0.9));
    let all =
        Blocks::new(vec![vec![block(a.clone()), block(b.clone())], vec![None, block(c.clone())]]);
    let want = Mat::from_fn(4, 6, |i, j| match (i < 3, j < 2) {
        (true, true) => a.as_faer()[(i, j)],
        (true, false) => b.as_faer()[(i, j - 2)],
        (false, true) => 0.0,
        (false, false) => c.as_faer()[(i - 3, j - 2)],
    });
    check("blocks", &all.unwrap(), &want);

    let spd = |n| Arc::new(Assumed { operator: definite(n, 0.3), properties: Properties::SPD });
    let diagonal = Blocks::diagonal(vec![spd(2), spd(3)]).unwrap();
    assert_eq!(diagonal.properties(), Properties::SPD);
    check("diagonal blocks", &diagonal, &to_dense(&diagonal).unwrap());

    let wrong = Blocks::new(vec![vec![block(a.clone()), block(c)]]);
    assert!(matches!(wrong, Err(Error::Size { .. })));
    let unknown = Blocks::new(vec![vec![block(a.clone()), None]]);
    assert!(matches!(unknown, Err(Error::InvalidArgument { .. })));
    let ragged = Blocks::new(vec![vec![block(a)], vec![]]);
    assert!(matches!(ragged, Err(Error::Size { .. })));
}

/// The entry of a stencil's matrix, from its definition point by point.
fn by_points(points: &[usize], edges: &[Edge], entries: &[(&[isize], f64)]) -> Mat<f64> {
    let total: usize = points.iter().product();
    let mut matrix = Mat::zeros(total, total);
    for row in 0..total {
        let mut rest = row;
        let mut index = vec![0; points.len()];
        for axis in (0..points.len()).rev() {
            index[axis] = rest % points[axis];
            rest /= points[axis];
        }
        'entries: for (offset, c) in entries {
            let mut column = 0;
            for axis in 0..points.len() {
                let n = points[axis] as isize;
                let mut j = index[axis] as isize + offset[axis];
                while !(0..n).contains(&j) {
                    match edges[axis] {
                        Edge::Zero => continue 'entries,
                        Edge::Periodic => j += if j < 0 { n } else { -n },
                        Edge::Mirror => j = if j < 0 { -1 - j } else { 2 * n - 1 - j },
                    }
                }
                column = column * points[axis] + j as usize;
            }
            matrix[(row, column)] += c;
        }
    }
    matrix
}

#[test]
fn stencils() {
    use Edge::{Mirror, Periodic, Zero};
    let one: &[(&[isize], f64)] = &[(&[-2], 0.3), (&[0], 2.0), (&[1], -0.7), (&[1], 0.2)];
    let two: &[(&[isize], f64)] =
        &[(&[0, 0], 4.0), (&[1, 0], -1.0), (&[0, -1], 0.5), (&[-1, 2], 0.25), (&[1, 1], -0.1)];
    let diagonal: &[(&[isize], f64)] = &[(&[0, 0], 3.0), (&[1, 1], 1.0), (&[-1, -1], 1.0)];
    let three: &[(&[isize], f64)] = &[(&[0, 0, 0], 6.0), (&[1, 0, -1], -1.0), (&[0, 1, 0], 0.5)];
    for edge in [Zero, Periodic, Mirror] {
        for n in [3, 4, 9] {
            let s = Stencil::new(&[n], &[edge], one).unwrap();
            check("1-D", &s, &by_points(&[n], &[edge], one));
        }
        for other in [Zero, Periodic, Mirror] {
            let (points, edges) = ([4, 5], [edge, other]);
            for entries in [two, diagonal] {
                let s = Stencil::new(&points, &edges, entries).unwrap();
                check("2-D", &s, &by_points(&points, &edges, entries));
            }
            let (points, edges) = ([2, 3, 4], [edge, other, Periodic]);
            let s = Stencil::new(&points, &edges, three).unwrap();
            check("3-D", &s, &by_points(&points, &edges, three));
        }
    }
    // More neighbours than are added in one pass; lines shorter than some shifts.
    let offsets: Vec<Vec<isize>> =
        (0..27).map(|k| vec![k / 9 - 1, k / 3 % 3 - 1, k % 3 - 1]).collect();
    let factors = wave(27, 0.3);
    let all: Vec<(&[isize], f64)> =
        offsets.iter().zip(&factors).map(|(o, c)| (&o[..], *c)).collect();
    for points in [[3, 4, 5], [2, 2, 2], [4, 3, 1]] {
        // An axis of one point has no neighbours but itself.
        let all: Vec<_> = all.iter().copied().filter(|(o, _)| points[2] > 1 || o[2] == 0).collect();
        for edges in [[Zero, Mirror, Periodic], [Periodic, Zero, Mirror], [Mirror, Periodic, Zero]]
        {
            let s = Stencil::new(&points, &edges, &all).unwrap();
            check("27 neighbours", &s, &by_points(&points, &edges, &all));
        }
    }
    // A grid that is cut among threads.
    let (points, edges) = ([300, 200], [Zero, Mirror]);
    let s = Stencil::new(&points, &edges, two).unwrap();
    let x = wave(60_000, 0.1);
    let inner = |i: usize, j: usize| {
        let at = |i, j| x[i * 200 + j];
        4.0 * at(i, j) - at(i + 1, j) + 0.5 * at(i, j - 1) + 0.25 * at(i - 1, j + 2)
            - 0.1 * at(i + 1, j + 1)
    };
    let y = s.apply(&x).unwrap();
    for (i, j) in [(1, 1), (150, 100), (298, 197)] {
        assert!((y[i * 200 + j] - inner(i, j)).abs() < 1e-13);
    }
    let z = wave(60_000, 0.5);
    let (left, right) = (y.inner(&z).unwrap(), x.inner(&s.apply_transposed(&z).unwrap()).unwrap());
    assert!((left - right).abs() < 1e-9 * y.norm2().unwrap() * z.norm2().unwrap());
}

#[test]
fn laplacians() {
    use Edge::{Mirror, Periodic, Zero};
    // Eigenvectors of each edge with their eigenvalues, in closed form.
    let (n, h) = (12, 0.5);
    let of = |edge| Stencil::laplacian(&[n], &[h], &[edge]).unwrap();
    let tau = std::f64::consts::TAU;
    let cases: [(Edge, f64, Box<dyn Fn(f64) -> f64>); 3] = [
        (Zero, tau / 2.0 * 3.0 / 13.0, Box::new(|i| (tau / 2.0 * 3.0 * (i + 1.0) / 13.0).sin())),
        (Periodic, tau * 2.0 / 12.0, Box::new(|i| (tau * 2.0 * i / 12.0).cos())),
        (Mirror, tau / 2.0 * 3.0 / 12.0, Box::new(|i| (tau / 2.0 * 3.0 * (i + 0.5) / 12.0).cos())),
    ];
    for (edge, angle, mode) in cases {
        let x: V = (0..n).map(|i| mode(i as f64)).collect();
        let eigenvalue = (2.0 - 2.0 * angle.cos()) / (h * h);
        let y = of(edge).apply(&x).unwrap();
        let want: V = x.iter().map(|x| eigenvalue * x).collect();
        assert!(distance(&y, &want) < 1e-12, "{edge:?}");
    }
    let definite = Stencil::laplacian(&[4, 3], &[0.2, 0.5], &[Mirror, Zero]).unwrap();
    assert!(definite.properties().positive_definite && definite.properties().symmetric);
    check("laplacian", &definite, &to_dense(&definite).unwrap());
    let singular = Stencil::laplacian(&[4, 3], &[0.2, 0.5], &[Mirror, Periodic]).unwrap();
    assert!(!singular.properties().positive_definite);
    assert!(distance(&singular.apply(&vec![1.0; 12]).unwrap(), &[0.0; 12]) < 1e-12);
}

#[test]
fn jacobians_by_differences() {
    let f = |x: &V| -> Result<V> { Ok(vec![x[0] * x[1], x[1].sin(), x[0].exp()]) };
    let (x, v): (V, V) = (vec![0.4, -1.2], vec![300.0, 0.7]);
    let j = DifferenceJacobian::new(f, x.clone()).unwrap();
    assert_eq!(j.shape(), [3, 2]);
    assert_eq!(*j.value(), f(&x).unwrap());
    let want = [x[1] * v[0] + x[0] * v[1], x[1].cos() * v[1], x[0].exp() * v[0]];
    assert!(distance(&j.apply(&v).unwrap(), &want) < 1e-5);
    assert_eq!(j.apply(&vec![0.0; 2]).unwrap(), [0.0; 3]);
    assert!(matches!(j.apply_transposed(&vec![0.0; 3]), Err(Error::NoTranspose { .. })));
}

#[test]
fn bad_input() {
    let nan = f64::NAN;
    let not_finite = |r: Result<()>| assert!(matches!(r, Err(Error::NotFinite { .. })));
    not_finite(Diagonal::new(vec![1.0, nan]).map(|_| ()));
    not_finite(Dense::from_rows(&[[1.0], [f64::INFINITY]]).map(|_| ()));
    not_finite(Tridiagonal::new(vec![nan], vec![1.0; 2], vec![0.0]).map(|_| ()));
    not_finite(LowRank::new(vec![1.0], vec![nan], vec![1.0], 1).map(|_| ()));
    not_finite(sparse(2, 2).with_values(vec![nan; sparse(2, 2).as_csr().nnz()]).map(|_| ()));
    assert!(matches!(sparse(2, 2).with_values(vec![]), Err(Error::Size { .. })));
    assert!(Tridiagonal::new(vec![], vec![1.0; 2], vec![0.0]).is_err());
    assert!(Dense::from_rows(&[vec![1.0], vec![]]).is_err());
    let stencil = |points: &[usize], edges: &[Edge], offset: &[isize], c: f64| {
        Stencil::new(points, edges, &[(offset, c)]).map(|_| ())
    };
    let (zero, invalid) = (Edge::Zero, |r: Result<()>| {
        assert!(matches!(r, Err(Error::InvalidArgument { .. })));
    });
    invalid(stencil(&[], &[], &[], 1.0));
    invalid(stencil(&[3, 0], &[zero; 2], &[0, 0], 1.0));
    invalid(stencil(&[3], &[zero], &[3], 1.0));
    invalid(stencil(&[3], &[zero], &[1], nan));
    assert!(matches!(stencil(&[3], &[], &[0], 1.0), Err(Error::Size { .. })));
    assert!(matches!(stencil(&[3], &[zero], &[0, 0], 1.0), Err(Error::Size { .. })));
    invalid(Stencil::laplacian(&[3], &[0.0], &[zero]).map(|_| ()));
}

#[test]
fn empty_matrices_do_nothing() {
    let empty = Diagonal::new(vec![]).unwrap();
    assert!(empty.apply(&vec![]).unwrap().is_empty());
    let none = Tridiagonal::new(vec![], vec![], vec![]).unwrap();
    assert!(none.apply(&vec![]).unwrap().is_empty());
    let flat = Sparse::from_coo(&CooMatrix::new(0, 3)).unwrap();
    assert!(flat.apply(&vec![1.0; 3]).unwrap().is_empty());
    assert_eq!(flat.apply_transposed(&vec![]).unwrap(), [0.0; 3]);
}

proptest! {
    /// (A ⊗ B)(x ⊗ y) = A x ⊗ B y, for factors of any shape.
    #[test]
    fn kronecker_products_of_products(
        (a, b, c, d) in (1usize..6, 1usize..6, 1usize..6, 1usize..6), phase in 0.0..6.0f64
    ) {
        let (left, right) = (dense(a, b, phase), dense(c, d, phase + 1.0));
        let (x, y) = (wave(b, phase), wave(d, 2.0 * phase));
        let outer = |x: &[f64], y: &[f64]| -> V {
            x.iter().flat_map(|x| y.iter().map(move |y| x * y)).collect()
        };
        let product = KroneckerProduct { a: &left, b: &right };
        let want = outer(&left.apply(&x).unwrap(), &right.apply(&y).unwrap());
        prop_assert!(distance(&product.apply(&outer(&x, &y)).unwrap(), &want) < 1e-12);
    }
}

#[test]
fn differences_along_short_vectors() {
    let f = |x: &Vec<f64>| Ok(vec![3.0 * x[0]]);
    let j = DifferenceJacobian::new(f, vec![1.0]).unwrap();
    let got = j.apply(&vec![1e-170]).unwrap();
    assert!((got[0] / 3e-170 - 1.0).abs() < 1e-6, "{:e}", got[0]);
}

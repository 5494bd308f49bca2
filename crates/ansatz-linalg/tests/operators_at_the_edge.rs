//! Operators with axes shorter than their stencils, without columns, of numbers close to the ends of
//! the range, and of sizes that no memory holds.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use ansatz_linalg::{
    Boundary, Dense, Diffusion, Edge, Error, Field, Identity, KroneckerProduct, KroneckerSum,
    LinearOperator, LowRank, Product, Properties, Result, Stencil, Tridiagonal, faer::Mat,
    to_dense,
};
use common::{distance, wave};

fn invalid<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::InvalidArgument { .. }))
}

#[test]
fn stencils_longer_than_the_axis() {
    let point = Stencil::laplacian(&[1], &[0.5], &[Edge::Zero]).unwrap();
    assert_eq!(point.apply(&vec![1.0]).unwrap(), [8.0]);
    let column = Stencil::laplacian(&[5, 1], &[1.0, 1.0], &[Edge::Zero; 2]).unwrap();
    let line = Stencil::laplacian(&[5], &[1.0], &[Edge::Zero]).unwrap();
    let x = wave(5, 0.3);
    let want: Vec<f64> = line.apply(&x).unwrap().iter().zip(&x).map(|(y, x)| y + 2.0 * x).collect();
    assert!(distance(&column.apply(&x).unwrap(), &want) < 1e-15);
    let far = Stencil::new(&[3], &[Edge::Zero], &[(&[-2], 1.0), (&[2], 10.0)]).unwrap();
    assert_eq!(far.apply(&vec![1.0, 2.0, 3.0]).unwrap(), [30.0, 0.0, 1.0]);
    assert_eq!(far.apply_transposed(&vec![1.0, 2.0, 3.0]).unwrap(), [3.0, 0.0, 10.0]);
}

fn zeros(rows: usize, columns: usize) -> Dense {
    Dense::new(Mat::zeros(rows, columns)).unwrap()
}

#[test]
fn kronecker_products_without_columns_or_rows() {
    for (a, b) in [([2, 2], [3, 0]), ([2, 0], [3, 3]), ([2, 2], [0, 3]), ([0, 2], [3, 3])] {
        let (a, b) = (zeros(a[0], a[1]), zeros(b[0], b[1]));
        let both = KroneckerProduct { a, b };
        let [rows, columns] = both.shape();
        assert_eq!(both.apply(&vec![0.0; columns]).unwrap(), vec![0.0; rows]);
        assert_eq!(both.apply_transposed(&vec![0.0; rows]).unwrap(), vec![0.0; columns]);
    }
}

#[test]
fn what_products_of_rectangular_matrices_say_of_themselves() {
    let row = Dense::from_rows(&[[1.0, 0.0, 0.0]]).unwrap();
    let product = KroneckerProduct { a: Identity(2), b: &row };
    // Its second row has an entry in the fourth column.
    assert_eq!(LinearOperator::<Vec<f64>>::properties(&product), Properties::NONE);
    let found = KroneckerProduct { a: &row, b: Identity(2) }.properties();
    assert!(found.diagonal && !found.symmetric);

    let diagonal = |m, n| Dense::new(Mat::from_fn(m, n, |i, j| f64::from(i == j))).unwrap();
    let found = Product::new(diagonal(2, 3), diagonal(3, 4)).unwrap().properties();
    assert!(found.diagonal && !found.symmetric && !found.positive_definite);
    let found = Product::new(diagonal(2, 3), diagonal(3, 2)).unwrap().properties();
    assert!(found.diagonal && found.symmetric);
}

#[test]
fn definiteness_of_small_numbers() {
    for size in [1e-200, 1.0, 1e200] {
        let of = |beside: f64| {
            let beside = vec![beside * size];
            Tridiagonal::new(beside.clone(), vec![size; 2], beside).unwrap()
        };
        assert!(!of(2.0).properties().positive_definite, "{size:e}");
        assert!(of(0.5).properties().positive_definite, "{size:e}");
    }
}

#[test]
fn coefficients_outside_of_the_range() {
    for h in [1e160, 1e-160] {
        assert!(invalid(Stencil::laplacian(&[3], &[h], &[Edge::Zero])), "{h:e}");
    }
    let twice: [(&[isize], f64); 2] = [(&[0], 1e308), (&[0], 1e308)];
    assert!(invalid(Stencil::new(&[3], &[Edge::Zero], &twice)));

    let faces = |k: f64| Field::Faces(vec![vec![k; 3]]);
    for (h, k) in [(1e-100, 1e200), (1e150, 1e-10), (1.0, 1e308)] {
        for k in [Field::Constant(k), Field::Cells(vec![k; 2]), faces(k)] {
            for end in [Boundary::NEUMANN, Boundary::DIRICHLET] {
                let got = Diffusion::new(&[2], &[h], &[end], k.clone(), Field::Constant(0.0));
                assert!(invalid(got), "{h:e} {k:?}");
            }
        }
    }
    for c in [Field::Constant(1e308), Field::Cells(vec![1e308; 2])] {
        let one = Field::Constant(1.0);
        assert!(invalid(Diffusion::new(&[2], &[1.0], &[Boundary::NEUMANN], one, c)));
    }
    // Large and small, but all entries can be written down.
    for (h, k) in [(1e-100, 1e100), (1e100, 1e-100), (1e100, 1e200)] {
        for k in [Field::Constant(k), Field::Cells(vec![k; 2]), faces(k)] {
            let c = Field::Constant(0.0);
            let a = Diffusion::new(&[2], &[h], &[Boundary::DIRICHLET], k, c).unwrap();
            let a = to_dense(&a).unwrap();
            assert!((0..2).all(|i| a[(i, i)].is_normal() && a[(i, 1 - i)].is_normal()));
        }
    }
}

/// Gives results of another length than it says.
struct Wrong(usize);

impl LinearOperator<Vec<f64>> for Wrong {
    fn shape(&self) -> [usize; 2] {
        [2, 2]
    }

    fn apply_into(&self, _: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        *y = vec![1.0; self.0];
        Ok(())
    }
}

#[test]
fn results_of_a_wrong_length() {
    assert!(to_dense(&Wrong(2)).is_ok());
    for length in [1, 3] {
        assert!(matches!(to_dense(&Wrong(length)), Err(Error::Size { .. })));
    }
}

#[test]
fn sizes_that_overflow() {
    let half = 1 << 40;
    assert!(invalid(Stencil::new(&[half, half], &[Edge::Zero; 2], &[])));
    let points = [half, half];
    assert!(invalid(Diffusion::laplacian(&points, &[1.0; 2], &[Boundary::NEUMANN; 2])));
    assert!(invalid(KroneckerSum::new(Identity(half), Identity(half))));
    let product = KroneckerProduct { a: Identity(half), b: Identity(half) };
    assert_eq!(LinearOperator::<Vec<f64>>::shape(&product), [usize::MAX; 2]);
    assert!(matches!(product.apply(&vec![1.0]), Err(Error::Size { .. })));
    assert!(LowRank::new(vec![1.0; 2], vec![], vec![], 1 << 63).is_err());
    let none = LowRank::new(vec![], vec![], vec![], 1 << 63).unwrap();
    assert!(none.apply(&vec![]).unwrap().is_empty());
}

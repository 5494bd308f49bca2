//! Exponentials of operators that there is nothing to do for, or that cannot be had.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{definite, dense, wave};

use ansatz_linalg::{
    Dense, Edge, Error, ExponentialAction, Identity, LinearOperator, Result, Scaled, Stencil,
};

fn with(tolerance: f64) -> ExponentialAction {
    ExponentialAction { tolerance, ..ExponentialAction::default() }
}

/// Δ on 30 × 30 points inside of the unit square.
fn grid() -> Scaled<Stencil> {
    let minus = Stencil::laplacian(&[30, 30], &[1.0 / 31.0, 1.0 / 31.0], &[Edge::Zero, Edge::Zero]);
    Scaled { factor: -1.0, operator: minus.unwrap() }
}

/// A diagonal of anything.
struct Broken(Vec<f64>);

impl LinearOperator<Vec<f64>> for Broken {
    fn shape(&self) -> [usize; 2] {
        [self.0.len(); 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        y.clear();
        y.extend(x.iter().zip(&self.0).map(|(x, a)| a * x));
        Ok(())
    }
}

#[test]
fn bad_input() {
    let a = dense(5, 5, 0.3);
    let v = wave(5, 0.1);
    let plain = ExponentialAction::default();
    // Nothing to do.
    let same = plain.exponential(&a, 0.0, &v).unwrap();
    assert_eq!((same.value, same.applications), (v.clone(), 0));
    let zero = plain.exponential(&a, 1.0, &vec![0.0; 5]).unwrap();
    assert_eq!((zero.value, zero.applications), (vec![0.0; 5], 0));
    let zero = plain.phi_combination(&a, 1.0, &[vec![0.0; 5], vec![0.0; 5]]).unwrap();
    assert_eq!(zero.value, vec![0.0; 5]);
    let none = Dense::new(ansatz_linalg::faer::Mat::zeros(0, 0)).unwrap();
    assert!(plain.exponential(&none, 1.0, &vec![]).unwrap().value.is_empty());

    for bad in [f64::NAN, f64::INFINITY] {
        let vector = vec![1.0, bad, 0.0, 0.0, 0.0];
        let got = plain.exponential(&a, 1.0, &vector);
        assert!(matches!(got, Err(Error::NotFinite { .. })), "{got:?}");
        let got = plain.phi_combination(&a, 1.0, &[v.clone(), vector.clone()]);
        assert!(matches!(got, Err(Error::NotFinite { .. })), "{got:?}");
        assert!(matches!(plain.exponential(&a, bad, &v), Err(Error::InvalidArgument { .. })));
        let broken = Broken(vector);
        let got = plain.exponential(&broken, 1.0, &v);
        assert!(matches!(got, Err(Error::NotFinite { .. })), "{got:?}");
    }
    assert!(matches!(plain.exponential(&a, 1.0, &wave(6, 0.1)), Err(Error::Size { .. })));
    let short = plain.phi_combination(&a, 1.0, &[v.clone(), wave(6, 0.1)]);
    assert!(matches!(short, Err(Error::Size { .. })));
    assert!(matches!(plain.exponential(&dense(5, 4, 0.3), 1.0, &v), Err(Error::Size { .. })));
    let nothing: &[Vec<f64>] = &[];
    assert!(matches!(plain.phi_combination(&a, 1.0, nothing), Err(Error::Size { .. })));
    for tolerance in [0.0, -1.0, 1.0, f64::NAN] {
        let got = with(tolerance).exponential(&a, 1.0, &v);
        assert!(matches!(got, Err(Error::InvalidArgument { .. })));
    }
    for max_dimension in [3, 1001, usize::MAX] {
        let got = ExponentialAction { max_dimension, ..plain }.exponential(&a, 1.0, &v);
        assert!(matches!(got, Err(Error::InvalidArgument { .. })));
    }
    // Vectors of zeros add nothing, whatever the size of the others.
    let tiny: Vec<f64> = v.iter().map(|x| 1e-100 * x).collect();
    let alone = plain.exponential(&a, 1.0, &tiny).unwrap().value;
    let padded = plain.phi_combination(&a, 1.0, &[tiny, vec![0.0; 5], vec![0.0; 5]]).unwrap();
    assert_eq!(padded.value, alone);
    // e^1000 v overflows.
    let got = plain.exponential(&Identity(5), 1000.0, &v);
    assert!(matches!(got, Err(Error::NotFinite { .. })), "{got:?}");
    let got = plain.exponential(&Scaled { factor: 1000.0, operator: definite(5, 0.7) }, 1.0, &v);
    assert!(matches!(got, Err(Error::NotFinite { .. })), "{got:?}");
    // Too few applications: the error says how far they led.
    let grid = grid();
    let few = ExponentialAction { max_applications: 60, max_dimension: 20, ..plain };
    match few.exponential(&grid, 0.1, &wave(900, 0.2)) {
        Err(Error::Exhausted { applications, progress, .. }) => {
            assert!(applications <= 60 && progress > 0.0 && progress < 1.0);
        }
        other => panic!("{other:?}"),
    }
}

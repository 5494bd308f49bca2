//! Runge–Kutta methods that ansatz does not have.

use ansatz::ode::{Adaptive, Explicit, ExplicitRungeKutta, Method, Tableau};

/// Kutta's 3/8 rule (W. Kutta 1901): four stages, order 4.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreeEighths;

impl Method for ThreeEighths {
    type Family = Explicit;
}

impl ExplicitRungeKutta for ThreeEighths {
    const TABLEAU: Tableau = Tableau {
        order: 4,
        embedded_order: 0,
        c: &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
        a: &[&[], &[1.0 / 3.0], &[-1.0 / 3.0, 1.0], &[1.0, -1.0, 1.0]],
        b: &[0.125, 0.375, 0.375, 0.125],
        error: &[],
        extra: &[],
        dense: &[],
    };
}

/// The third-order method with the smallest error bound (A. Ralston, Math. Comput. 16, 1962,
/// 431–437), with quadratic dense output of its own: order 2 is all that three stages give without
/// the derivative at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ralston3;

impl Method for Ralston3 {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Ralston3 {
    const TABLEAU: Tableau = Tableau {
        order: 3,
        embedded_order: 0,
        c: &[0.0, 0.5, 0.75],
        a: &[&[], &[0.5], &[0.0, 0.75]],
        b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
        error: &[],
        extra: &[],
        dense: &[],
    };

    // w(θ) = b θ² + (1, 0, 0)(θ − θ²): Σ wᵢ = θ and Σ wᵢ cᵢ = θ²/2.
    fn dense_weights(theta: f64, weights: &mut [f64]) {
        let square = theta * theta;
        for (w, b) in weights.iter_mut().zip(Self::TABLEAU.b) {
            *w = b * square;
        }
        weights[0] += theta - square;
        weights[3] = 0.0;
    }
}

/// The 5(4) pair of J. R. Cash and A. H. Karp (ACM Trans. Math. Softw. 16, 1990, 201–222): six
/// stages, not first same as last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CashKarp;

impl Method for CashKarp {
    type Family = Explicit;
}

impl ExplicitRungeKutta for CashKarp {
    const TABLEAU: Tableau = Tableau {
        order: 5,
        embedded_order: 4,
        c: &[0.0, 0.2, 0.3, 0.6, 1.0, 0.875],
        a: &[
            &[],
            &[0.2],
            &[3.0 / 40.0, 9.0 / 40.0],
            &[0.3, -0.9, 1.2],
            &[-11.0 / 54.0, 2.5, -70.0 / 27.0, 35.0 / 27.0],
            &[1631.0 / 55296.0, 175.0 / 512.0, 575.0 / 13824.0, 44275.0 / 110592.0, 253.0 / 4096.0],
        ],
        b: &[37.0 / 378.0, 0.0, 250.0 / 621.0, 125.0 / 594.0, 0.0, 512.0 / 1771.0],
        error: &[
            37.0 / 378.0 - 2825.0 / 27648.0,
            0.0,
            250.0 / 621.0 - 18575.0 / 48384.0,
            125.0 / 594.0 - 13525.0 / 55296.0,
            -277.0 / 14336.0,
            512.0 / 1771.0 - 0.25,
        ],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for CashKarp {}

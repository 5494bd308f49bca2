//! Multistep methods: reference values, counts of work, orders, events, differential-algebraic
//! equations, bad input.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod input;
mod inside;
#[cfg(feature = "stiff")]
mod mass;
mod order;
mod reference;
#[cfg(feature = "stiff")]
mod stiff;
#[cfg(feature = "candle")]
mod tensors;

use ansatz_ode::Adams;
#[cfg(feature = "stiff")]
use ansatz_ode::{Bdf, Solution};

#[cfg(feature = "stiff")]
const BDF: Bdf = Bdf { max_order: 5 };
const ADAMS: Adams = Adams { max_order: 12 };

#[cfg(feature = "stiff")]
const ROBERTSON: [(f64, [f64; 3]); 3] = [
    (1e-2, [9.996006826883e-1, 3.645047887845e-5, 3.628668328284e-4]),
    (1.0, [9.664597373330e-1, 3.074626578579e-5, 3.350951640121e-2]),
    (100.0, [6.172348823961e-1, 6.153591274640e-6, 3.827589640126e-1]),
];

#[cfg(feature = "stiff")]
fn robertson(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
    [-slow + back, slow - back - fast, fast]
}

fn relative(y: &[f64], want: &[f64]) -> f64 {
    y.iter().zip(want).map(|(y, want)| (y / want - 1.0).abs()).fold(0.0, f64::max)
}

/// The saved states are those of the reference.
#[cfg(feature = "stiff")]
fn check_robertson(s: &Solution<[f64; 3]>, tolerance: f64) {
    for (y, (t, want)) in s.ys.iter().zip(ROBERTSON) {
        assert!(relative(y, &want) < tolerance, "{t}: {y:?} {:?}", s.statistics);
    }
}

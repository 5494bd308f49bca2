//! O4: stiff problems on plain arrays, rtol 1e-6, atol 1e-10, Jacobians given.
//!
//! `O4.robertson`: H. H. Robertson's three reactions (1966) from (1, 0, 0) to t = 4e10.
//! `O4.vdp1000`: van der Pol's oscillator, μ = 1000, from (2, 0) to t = 3000. The error is the
//! largest relative one of the components at the end.
use std::hint::black_box;

use ansatz::ode::{
    Adaptive, AdaptiveFamily, Bdf, Controller, ErrorNorm, ImplicitField, Kvaerno5, RadauIia5,
    Rodas5P, Rosenbrock23, Solves, WithJacobian, solve,
};

use super::{Measured, Rules, Variant, Work, timed};
use crate::AnyError;

const RTOL: f64 = 1e-6;
const ATOL: f64 = 1e-10;
const MU: f64 = 1000.0;

/// Radau IIA in 30 digits; 9 digits trusted.
const ROBERTSON: [f64; 3] = [5.208345176853003e-8, 2.0833381779469946e-13, 0.99999994791634];
const VAN_DER_POL: [f64; 2] = [-1.5106069367441892, 0.001178380000752371];

/// The two problems with methods of each kind.
pub(super) fn variants() -> Vec<Variant> {
    macro_rules! with {
        ($($name:literal: $method:expr),*) => {
            vec![$(
                Variant {
                    workload: "O4.robertson",
                    library: "ansatz",
                    method: $name,
                    run: |r| measure(r, robertson(), [1.0, 0.0, 0.0], 4e10, $method, &ROBERTSON),
                },
                Variant {
                    workload: "O4.vdp1000",
                    library: "ansatz",
                    method: $name,
                    run: |r| measure(r, van_der_pol(), [2.0, 0.0], 3000.0, $method, &VAN_DER_POL),
                },
            )*]
        };
    }
    with!(
        "Rodas5P": Rodas5P,
        "Rosenbrock23": Rosenbrock23,
        "Kvaerno5": Kvaerno5,
        "RadauIia5": RadauIia5,
        "Bdf": Bdf::default()
    )
}

fn robertson() -> impl ImplicitField<[f64; 3]> + Copy {
    WithJacobian::new(
        |_: f64, y: &[f64; 3]| {
            let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
            [-slow + back, slow - back - fast, fast]
        },
        |_: f64, y: &[f64; 3]| {
            let (a, b, c) = (1e4 * y[2], 1e4 * y[1], 6e7 * y[1]);
            [[-0.04, a, b], [0.04, -a - c, -b], [0.0, c, 0.0]]
        },
    )
}

fn van_der_pol() -> impl ImplicitField<[f64; 2]> + Copy {
    WithJacobian::new(
        |_: f64, y: &[f64; 2]| [y[1], MU * (1.0 - y[0] * y[0]) * y[1] - y[0]],
        |_: f64, y: &[f64; 2]| {
            [[0.0, 1.0], [-2.0 * MU * y[0] * y[1] - 1.0, MU * (1.0 - y[0] * y[0])]]
        },
    )
}

fn measure<F, M, const N: usize>(
    rules: &Rules,
    field: F,
    y0: [f64; N],
    end: f64,
    method: M,
    exact: &[f64; N],
) -> Result<Measured, AnyError>
where
    F: Copy,
    [f64; N]: ansatz::ode::DefaultAdjoint<Adjoint = ansatz::ode::NoGradient>,
    M: Adaptive + Solves<F, [f64; N]>,
    <M::Family as AdaptiveFamily>::Controller: Controller<M>,
    <<M::Family as AdaptiveFamily>::Controller as Controller<M>>::Norm: ErrorNorm<[f64; N]>,
{
    let (solution, timing) = timed(rules, || {
        let setup = solve(field, black_box(y0), (0.0, end)).with(method.clone());
        Ok(setup.tolerance(RTOL, ATOL).run()?)
    })?;
    let pairs = solution.y_end.iter().zip(exact);
    let error = pairs.map(|(y, exact)| ((y - exact) / exact).abs()).fold(0.0, f64::max);
    let counts = &solution.statistics;
    Ok(Measured::new(timing, Work::Nfev(counts.evaluations), error)
        .with("accepted", counts.accepted)
        .with("rejected", counts.rejected)
        .with("jacobians", counts.jacobians)
        .with("factorisations", counts.factorisations)
        .with("linear_solves", counts.linear_solves))
}

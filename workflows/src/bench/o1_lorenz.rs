//! O1: one Lorenz-63 trajectory on plain arrays.
//!
//! `x' = 10 (y − x)`, `y' = x (28 − z) − y`, `z' = x y − (8/3) z` from (1, 1, 1), t in [0, 20],
//! tolerance 1e-8, automatic first step. The system amplifies errors about 1e8 times by t = 20:
//! the errors at 5 and 10 judge a solver, that at 20 hardly does.
use std::hint::black_box;

use ansatz::ode::{Adaptive, Dopri5, ExplicitRungeKutta, Solution, Tsit5, solve};

use super::{Measured, Rules, Variant, Work, timed};
use crate::AnyError;

/// Taylor series in 60 digits; E. N. Lorenz' system at t = 5, 10 and 20.
const Y5: [f64; 3] = [-6.512113699419599, -6.974042788417076, 23.92412957210337];
const Y10: [f64; 3] = [-4.902687541134646, -3.7438729218029196, 24.690858102790555];
const Y20: [f64; 3] = [13.793199595128619, 12.951803936189899, 34.90160868113514];

/// End point only, and 1000 outputs at `t = 0.02 k`, with two methods.
pub(super) fn variants() -> Vec<Variant> {
    vec![
        Variant {
            workload: "O1.end",
            library: "ansatz",
            method: "Tsit5",
            run: |r| measure(r, Tsit5, false),
        },
        Variant {
            workload: "O1.end",
            library: "ansatz",
            method: "Dopri5",
            run: |r| measure(r, Dopri5, false),
        },
        Variant {
            workload: "O1.save1000",
            library: "ansatz",
            method: "Tsit5",
            run: |r| measure(r, Tsit5, true),
        },
        Variant {
            workload: "O1.save1000",
            library: "ansatz",
            method: "Dopri5",
            run: |r| measure(r, Dopri5, true),
        },
    ]
}

fn lorenz(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let [a, b, c] = *y;
    [10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c]
}

fn measure<M>(rules: &Rules, method: M, save: bool) -> Result<Measured, AnyError>
where
    M: Adaptive + ExplicitRungeKutta,
{
    let times: Vec<f64> = (1..=1000).map(|k| 20.0 * f64::from(k) / 1000.0).collect();
    let (solution, timing) = timed(rules, || {
        let setup =
            solve(lorenz, black_box([1.0; 3]), (0.0, 20.0)).with(method).tolerance(1e-8, 1e-8);
        let setup = if save { setup.save_at(times.as_slice()) } else { setup };
        Ok(setup.run()?)
    })?;
    let Solution { statistics, y_end, ys, .. } = &solution;
    let mut measured =
        Measured::new(timing, Work::Nfev(statistics.evaluations), distance(y_end, &Y20))
            .with("steps", statistics.accepted + statistics.rejected)
            .with("accepted", statistics.accepted);
    if save {
        measured = measured
            .with("error_t5", distance(&ys[249], &Y5))
            .with("error_t10", distance(&ys[499], &Y10));
    }
    Ok(measured)
}

fn distance(a: &[f64; 3], b: &[f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

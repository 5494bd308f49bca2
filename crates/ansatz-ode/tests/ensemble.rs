//! Ensembles: the same trajectories as ordinary solves, whatever runs beside them.
#![cfg(feature = "ensemble")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::sync::atomic::{AtomicU64, Ordering};

use ansatz_ode::{
    Adaptive, Bosh3, Controller, Dopri5, Euler, Explicit, ExplicitRungeKutta, ExtraStage,
    FixedStep, Heun, Method, Midpoint, Pid, Rk4, Rms, Solution, Status, Tableau, Trajectory, Tsit5,
    ensemble, solve,
};

fn lorenz(_: f64, y: &[f64; 3]) -> [f64; 3] {
    let [a, b, c] = *y;
    [10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c]
}

/// The initial states of the workload O2.
fn starts(count: usize) -> Vec<[f64; 3]> {
    let start = |k: f64| {
        [1.0 + 0.5 * (0.37 * k).sin(), 1.0 + 0.5 * (0.73 * k).cos(), 20.0 + 5.0 * (1.1 * k).sin()]
    };
    (0..count).map(|k| start(k as f64)).collect()
}

/// A rotation that grows with time: non-autonomous, with a closed-form solution.
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

/// To the last bit.
#[track_caller]
fn assert_same<const N: usize>(own: &Trajectory<N>, alone: &Solution<[f64; N]>, saved: bool) {
    assert_eq!(own.y_end.map(f64::to_bits), alone.y_end.map(f64::to_bits));
    assert_eq!(own.t_end.to_bits(), alone.t_end.to_bits());
    assert_eq!((own.status, own.statistics), (alone.status, alone.statistics));
    if saved {
        assert_eq!(own.ys, alone.ys);
    } else {
        assert!(own.ys.is_empty());
    }
}

fn agrees<M, C>(method: M, controller: C)
where
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    for span in [(0.3, 2.1), (2.1, 0.3)] {
        let direction = span.1 - span.0;
        let mut times: Vec<f64> =
            [0.0, 0.1, 0.11, 0.5, 0.999].map(|x| span.0 + x * direction).into();
        times.push(span.1);
        let y0s: Vec<[f64; 2]> = (0..150).map(|k| [1.0, 0.03 * f64::from(k)]).collect();
        let setup =
            ensemble(rotation, y0s.clone(), span).with(method).controller(controller.clone());
        let plain = setup.clone().run().unwrap();
        let saved = setup.save_at(times.clone()).run().unwrap();
        for ((y0, plain), saved) in y0s.iter().zip(&plain).zip(&saved) {
            let alone = solve(rotation, *y0, span).with(method).controller(controller.clone());
            assert_same(plain, &alone.clone().run().unwrap(), false);
            assert_same(saved, &alone.save_at(times.clone()).run().unwrap(), true);
            assert_eq!(saved.ys.len(), times.len());
            assert_eq!((saved.ys[0], saved.ys[5]), (*y0, saved.y_end));
        }
    }
}

#[test]
fn trajectories_are_those_of_ordinary_solves() {
    for tol in [1e-3, 1e-8] {
        agrees(Tsit5, Pid::i(tol, tol));
        agrees(Tsit5, Pid::pi(tol, tol));
        agrees(Tsit5, Pid::h312(tol, tol));
        agrees(Dopri5, Pid::i(tol, tol));
        agrees(Bosh3, Pid::i(tol, 1e-2 * tol));
        // Not first same as last.
        agrees(Heun, Pid::i(1e2 * tol, tol));
        agrees(Midpoint, Pid::pi(1e2 * tol, tol));
    }
    agrees(Tsit5, Pid { first_step: Some(0.4), ..Pid::i(1e-6, 1e-6) });
    agrees(Tsit5, Pid { max_step: 0.05, ..Pid::i(1e-3, 1e-3) });
    agrees(Tsit5, Pid { integral: 0.7, factor_max: 2.0, ..Pid::i(1e-6, 1e-6) });
    agrees(Rk4, FixedStep { step: 0.17 });
    agrees(Euler, FixedStep { step: 0.013 });
    agrees(Tsit5, FixedStep { step: 0.3 });
    agrees(Tenths, Pid::i(1e-3, 1e-3));
    agrees(WithExtra, FixedStep { step: 0.17 });
}

/// Ten steps of Euler's method as one: more terms than are added up at once.
#[derive(Debug, Clone, Copy)]
struct Tenths;

const TENTHS: [f64; 10] = [0.1; 10];

const fn tenths(count: usize) -> &'static [f64] {
    TENTHS.split_at(count).0
}

impl Method for Tenths {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Tenths {
    const TABLEAU: Tableau = Tableau {
        order: 1,
        embedded_order: 1,
        c: &[0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9],
        a: &[
            tenths(0),
            tenths(1),
            tenths(2),
            tenths(3),
            tenths(4),
            tenths(5),
            tenths(6),
            tenths(7),
            tenths(8),
            tenths(9),
        ],
        b: &TENTHS,
        error: &[-0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
        extra: &[],
        dense: &[],
    };
}

impl Adaptive for Tenths {}

/// Dense output through a stage of its own: the slope in the middle of the step.
#[derive(Debug, Clone, Copy)]
struct WithExtra;

impl Method for WithExtra {
    type Family = Explicit;
}

impl ExplicitRungeKutta for WithExtra {
    const TABLEAU: Tableau = Tableau {
        extra: &[ExtraStage { c: 0.5, a: &[0.25, 0.0, 0.5, -0.25, 0.0] }],
        dense: &[
            &[0.5, 1.0 / 6.0],
            &[0.0, 1.0 / 3.0],
            &[0.0, 1.0 / 3.0],
            &[0.0, 1.0 / 6.0],
            &[0.25, 0.0],
            &[-0.25, 0.0],
        ],
        ..Rk4::TABLEAU
    };
}

/// Long states: the error norm adds up in eight parts; from 64 components on ordinary solves add up
/// in another order.
#[test]
fn long_states_too() {
    fn check<const N: usize>() {
        let chain = |t: f64, y: &[f64; N]| {
            let mut dy = [0.0; N];
            for i in 0..N {
                dy[i] = y[(i + 1) % N] - 1.5 * y[i] + (t + i as f64).cos();
            }
            dy
        };
        let y0s: Vec<[f64; N]> = (0..3).map(|k| [0.1 * f64::from(k); N]).collect();
        let ends = ensemble(chain, y0s.clone(), (0.0, 3.0)).with(Tsit5).tolerance(1e-6, 1e-8).run();
        for (end, y0) in ends.unwrap().iter().zip(y0s) {
            let alone = solve(chain, y0, (0.0, 3.0)).with(Tsit5).tolerance(1e-6, 1e-8).run();
            let alone = alone.unwrap();
            if N < 64 {
                assert_same(end, &alone, false);
            } else {
                assert_eq!(end.statistics, alone.statistics);
                assert!(end.y_end.iter().zip(alone.y_end).all(|(a, b)| (a - b).abs() < 1e-12));
            }
        }
    }
    check::<1>();
    check::<9>();
    check::<63>();
    check::<64>();
    check::<256>();
}

/// End points of trajectories 0, 100, …, 900 of O2 at t = 2 (Taylor series in 80 bits; DOP853 at
/// 1e-13 agrees to 1e-10).
const LORENZ: [[f64; 3]; 10] = [
    [15.161114895827595, 16.46270054748287, 34.778324834133635],
    [-15.113951114165388, -13.590576469268285, 37.43910457355611],
    [-9.963961320418674, -17.672789439097713, 15.41982677359012],
    [-2.8684188989091415, -5.672241536941319, 6.426280080740683],
    [-15.10225645910337, -17.77220245499601, 33.219660572391085],
    [15.482835813843517, 18.539794331372423, 33.414540195936446],
    [12.956754173307532, 19.93016557398183, 23.693821041822545],
    [-6.345807728953611, -12.226382642244484, 9.090096887840536],
    [13.665289693463851, 15.058124167611046, 32.40229621865225],
    [-13.277042640465703, -6.871627781338154, 39.01492558375109],
];

#[test]
fn lorenz_reaches_its_reference_values() {
    let setup = ensemble(lorenz, starts(1000), (0.0, 2.0));
    for (tol, most) in [(1e-6, 4e-3), (1e-12, 1e-8)] {
        let ends = setup.clone().with(Tsit5).tolerance(tol, tol).run().unwrap();
        let errors = ends.iter().step_by(100).zip(LORENZ).flat_map(|(end, expected)| {
            end.y_end.into_iter().zip(expected).map(|(a, b)| (a - b).abs())
        });
        let error = errors.fold(0.0, f64::max);
        assert!(error < most, "{tol}: {error}");
    }
}

#[test]
fn neighbours_and_threads_make_no_difference() {
    let run = |y0s: Vec<[f64; 3]>| {
        let setup = ensemble(lorenz, y0s, (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6);
        setup.save_at([0.25, 1.0]).run().unwrap()
    };
    let y0s = starts(301);
    let together = run(y0s.clone());
    // Alone, and in every place of a shorter ensemble among others.
    for k in [0, 7, 63, 64, 65, 300] {
        assert_eq!(run(vec![y0s[k]])[0], together[k]);
    }
    let reversed = run(y0s.iter().rev().copied().collect());
    assert!(reversed.iter().rev().eq(&together));
    for threads in [1, 2, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(y0s.clone())), together, "{threads} threads");
    }
}

#[test]
fn each_trajectory_has_its_own_interval_tolerance_parameters_and_times() {
    let field = |t: f64, y: &[f64; 2], p: &[f64; 3]| {
        [p[0] * y[1] + t.sin() - p[2] * y[0], -p[0] * y[0] + p[1] * t]
    };
    let count = 100;
    let spans: Vec<(f64, f64)> = (0..count)
        .map(|k| {
            let (start, length) = (0.1 * k as f64 - 3.0, 0.5 + 0.05 * (k % 7) as f64);
            if k % 3 == 0 { (start, start - length) } else { (start, start + length) }
        })
        .collect();
    let tolerances: Vec<(f64, f64)> =
        (0..count).map(|k| (10f64.powi(-3 - k % 6), 10f64.powi(-4 - k % 5))).collect();
    let parameters: Vec<[f64; 3]> = (0..count).map(|k| [0.1 * k as f64, 1.0, 0.3]).collect();
    let times: Vec<Vec<f64>> = spans
        .iter()
        .enumerate()
        .map(|(k, (t0, t1))| (0..k % 4).map(|i| t0 + (t1 - t0) * 0.3 * i as f64).collect())
        .collect();
    let y0s: Vec<[f64; 2]> = (0..count).map(|k| [1.0, 0.01 * k as f64]).collect();
    let ends = ensemble(field, y0s.clone(), (0.0, 1.0))
        .parameters(parameters.clone())
        .spans(spans.clone())
        .save_each_at(times.clone())
        .with(Tsit5)
        .tolerance(1.0, 1.0)
        .tolerances(tolerances.clone())
        .run()
        .unwrap();
    for (k, end) in ends.iter().enumerate() {
        let alone = |t: f64, y: &[f64; 2]| field(t, y, &parameters[k]);
        let (rtol, atol) = tolerances[k];
        let setup = solve(alone, y0s[k], spans[k]).with(Tsit5).tolerance(rtol, atol);
        assert_same(end, &setup.save_at(times[k].clone()).run().unwrap(), true);
        assert_eq!(end.t_end, spans[k].1);
    }
}

/// y' = y² blows up at t = 1/y0 for a positive start; a negative one is harmless.
#[test]
fn one_bad_trajectory_does_not_spoil_the_others() {
    let field = |_: f64, y: &[f64; 1], p: &[f64; 1]| [p[0] * y[0] * y[0]];
    let mut y0s = vec![[-1.0]; 40];
    let mut rates = vec![[1.0]; 40];
    let harmless = y0s.clone();
    y0s[3] = [2.0]; // blows up at t = 0.5
    rates[17] = [f64::NAN];
    y0s[20] = [1e200]; // the field overflows at the start
    let run = |y0s: &[[f64; 1]], rates: &[[f64; 1]]| {
        let setup = ensemble(field, y0s.to_vec(), (0.0, 1.0)).parameters(rates.to_vec());
        setup.with(Tsit5).tolerance(1e-8, 1e-8).max_steps(500).save_at([0.25, 0.75]).run().unwrap()
    };
    let ends = run(&y0s, &rates);
    let clean = run(&harmless, &[[1.0]; 40]);
    for (k, (end, clean)) in ends.iter().zip(&clean).enumerate() {
        if ![3, 17, 20].contains(&k) {
            assert_eq!(end, clean);
            assert!(end.error().is_none());
        }
    }
    let lost = &ends[3];
    assert!(lost.t_end > 0.49 && lost.t_end < 0.5 + 1e-7, "{lost:?}");
    assert!(lost.y_end[0] > 100.0 && lost.ys.len() == 1, "{lost:?}");
    let alone = |_: f64, y: &[f64; 1]| [y[0] * y[0]];
    let alone = solve(alone, [2.0], (0.0, 1.0)).with(Tsit5).tolerance(1e-8, 1e-8).max_steps(500);
    assert_same(lost, &alone.save_at([0.25, 0.75]).run_partial().unwrap(), true);
    assert!(lost.clone().finished().is_err());
    for k in [17, 20] {
        assert_eq!(ends[k].status, Status::NotFinite { what: "the vector field" });
        assert_eq!((ends[k].t_end, ends[k].y_end), (0.0, y0s[k]));
        assert!(matches!(ends[k].error(), Some(ansatz_ode::Error::NotFinite { .. })));
    }
}

#[test]
fn what_stops_a_trajectory_is_what_stops_a_solve() {
    /// A field that is NaN, or jumps without end, or grows, beyond t = 0.5.
    fn wall(t: f64, y: &[f64; 1]) -> [f64; 1] {
        [if t > 0.5 { f64::NAN } else { y[0] }]
    }
    fn check<C>(field: fn(f64, &[f64; 1]) -> [f64; 1], controller: C, max_steps: usize) -> Status
    where
        C: Controller<Tsit5, Norm = Rms>,
    {
        let own = ensemble(field, vec![[1.0]; 2], (0.0, 1.0)).with(Tsit5);
        let own = own.controller(controller.clone()).max_steps(max_steps).run().unwrap();
        let alone = solve(field, [1.0], (0.0, 1.0)).with(Tsit5).controller(controller);
        let alone = alone.max_steps(max_steps).run_partial().unwrap();
        assert_same(&own[1], &alone, false);
        own[0].status
    }
    let pid = Pid::i(1e-6, 1e-6);
    let growth = |_: f64, y: &[f64; 1]| [y[0]];
    let singular = |t: f64, y: &[f64; 1]| [y[0] / (0.7 - t).powi(2)];
    assert!(matches!(check(wall, pid, 10_000), Status::NotFinite { .. }));
    assert!(matches!(check(wall, FixedStep { step: 0.1 }, 10_000), Status::NotFinite { .. }));
    assert_eq!(check(growth, pid, 2), Status::StepBudgetExhausted);
    assert_eq!(check(growth, pid, 0), Status::StepBudgetExhausted);
    assert_eq!(check(growth, FixedStep { step: 0.1 }, 9), Status::StepBudgetExhausted);
    assert_eq!(check(growth, FixedStep { step: 0.1 }, 10), Status::Finished);
    let coarse = Pid { min_step: 0.2, ..pid };
    assert!(matches!(check(growth, coarse, 100), Status::StepTooSmall { .. }));
    let later = Pid { min_step: 0.01, first_step: Some(0.02), ..pid };
    assert!(matches!(check(singular, later, 10_000), Status::StepTooSmall { .. }));
    let square = |_: f64, y: &[f64; 1]| [2.0 * y[0] * y[0]];
    assert!(matches!(check(square, pid, 10_000), Status::StepTooSmall { .. }));
}

#[test]
fn an_empty_interval_takes_no_step() {
    let spans = vec![(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)];
    let setup = ensemble(lorenz, starts(3), (0.0, 1.0)).spans(spans);
    let setup = setup.save_each_at(vec![vec![0.0], vec![0.0, 1.0], vec![]]);
    let ends = setup.with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap();
    let start = starts(3)[0];
    assert_eq!((ends[0].y_end, ends[0].ys.as_slice()), (start, &[start][..]));
    assert_eq!((ends[0].statistics.attempted(), ends[0].statistics.evaluations), (0, 0));
    assert_eq!((ends[2].t_end, ends[2].status), (1.0, Status::Finished));
    assert!(ends[1].statistics.accepted > 10 && ends[1].ys.len() == 2);
}

/// Lanes without work repeat themselves, but not at places that no trajectory asked for.
#[test]
fn the_field_is_never_evaluated_outside_the_interval() {
    let (earliest, latest) = (AtomicU64::new(2f64.to_bits()), AtomicU64::new(0));
    let field = |t: f64, y: &[f64; 1]| {
        // The order of positive numbers is that of their bits.
        assert!(t >= 0.0 && y[0] != 0.0);
        earliest.fetch_min(t.to_bits(), Ordering::Relaxed);
        latest.fetch_max(t.to_bits(), Ordering::Relaxed);
        [-y[0] * t]
    };
    for (count, span) in [(1, (1.0, 1.5)), (33, (1.5, 1.0))] {
        let y0s = (0..count).map(|k| [1.0 + f64::from(k)]).collect();
        ensemble(field, y0s, span).with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap();
    }
    let bounds = [earliest, latest].map(|bits| f64::from_bits(bits.into_inner()));
    assert_eq!(bounds, [1.0, 1.5]);
}

/// Slope of log error against log step over three halvings.
fn order<M: ExplicitRungeKutta>(method: M, span: (f64, f64), steps: usize) -> f64 {
    let errors: Vec<f64> = (0..3)
        .map(|level| {
            let step = (span.1 - span.0).abs() / (steps << level) as f64;
            let ends = ensemble(rotation, vec![rotated(span.0); 9], span).with(method).step(step);
            let end = ends.run().unwrap()[8].y_end;
            end.iter().zip(rotated(span.1)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        })
        .collect();
    (errors[0] / errors[2]).log2() / 2.0
}

#[test]
fn methods_have_their_order_forwards_and_backwards() {
    fn check<M: ExplicitRungeKutta>(method: M, steps: usize) {
        for span in [(0.3, 2.1), (2.1, 0.3)] {
            let (measured, expected) = (order(method, span, steps), f64::from(M::TABLEAU.order));
            assert!((measured - expected).abs() < 0.2, "{span:?}: {measured}, not {expected}");
        }
    }
    check(Euler, 1600);
    check(Heun, 240);
    check(Midpoint, 240);
    check(Bosh3, 160);
    check(Rk4, 80);
    check(Dopri5, 48);
    check(Tsit5, 48);
}

/// Number of the trajectory, and what is wrong with it.
fn inner(error: ansatz_ode::Error) -> (usize, ansatz_ode::Error) {
    match error {
        ansatz_ode::Error::Trajectory { index, source } => (index, *source),
        other => panic!("{other}"),
    }
}

#[test]
fn bad_input_is_refused_and_the_trajectory_named() {
    use ansatz_ode::Error::{
        EmptyState, EnsembleCount, InvalidArgument, NonMonotone, NotFinite, OutsideInterval,
    };
    let setup = |y0s: Vec<[f64; 3]>| ensemble(lorenz, y0s, (0.0, 1.0));
    let good = || setup(starts(5)).with(Tsit5).tolerance(1e-6, 1e-6);
    let mut y0s = starts(5);
    y0s[3][1] = f64::NAN;
    let error = setup(y0s).with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap_err();
    assert!(error.to_string().starts_with("trajectory 3: the initial state is not finite"));
    assert!(matches!(inner(error), (3, NotFinite { .. })));

    let error = setup(Vec::new()).with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap_err();
    assert!(matches!(error, InvalidArgument { .. }));
    let none = ensemble(|_: f64, y: &[f64; 0]| *y, vec![[]], (0.0, 1.0));
    assert!(matches!(none.with(Tsit5).tolerance(1e-6, 1e-6).run(), Err(EmptyState)));

    let negative = setup(starts(5)).with(Tsit5).tolerance(-1e-6, 1e-6).run();
    assert!(matches!(negative, Err(InvalidArgument { what: "rtol", .. })));
    let zero = setup(starts(5)).with(Tsit5).tolerance(0.0, 0.0).run();
    assert!(matches!(zero, Err(InvalidArgument { .. })));
    let step = setup(starts(5)).with(Tsit5).step(-0.1).run();
    assert!(matches!(step, Err(InvalidArgument { what: "step", .. })));

    let mut tolerances = vec![(1e-6, 1e-6); 5];
    tolerances[2] = (1e-6, f64::NAN);
    let error = good().tolerances(tolerances).run().unwrap_err();
    assert!(matches!(inner(error), (2, InvalidArgument { what: "atol", .. })));
    let counts = [
        good().tolerances(vec![(1e-6, 1e-6); 4]).run(),
        good().spans(vec![(0.0, 1.0); 6]).run(),
        good().save_each_at(vec![vec![0.5]]).run(),
    ];
    for error in counts {
        assert!(matches!(error, Err(EnsembleCount { trajectories: 5, .. })));
    }
    let parametrised =
        ensemble(|_: f64, _: &[f64; 1], p: &[f64; 1]| *p, vec![[1.0]; 2], (0.0, 1.0));
    let error = parametrised.parameters(vec![[1.0]; 3]).with(Rk4).step(0.1).run().unwrap_err();
    assert_eq!(error.to_string(), "3 parameters for 2 initial states: give one for each");

    // What all share is nobody's fault in particular.
    assert!(matches!(good().save_at([0.5, 0.4]).run(), Err(NonMonotone { index: 1, .. })));
    assert!(matches!(good().save_at([1.5]).run(), Err(OutsideInterval { .. })));
    let endless = ensemble(lorenz, starts(5), (0.0, f64::INFINITY)).with(Tsit5);
    assert!(matches!(endless.tolerance(1e-6, 1e-6).run(), Err(InvalidArgument { what: "t1", .. })));
    let mut spans = vec![(0.0, 1.0); 5];
    spans[4] = (1.0, 0.0);
    let error = good().spans(spans.clone()).save_at([0.2, 0.5]).run().unwrap_err();
    assert!(matches!(inner(error), (4, NonMonotone { .. })));
    spans[1] = (f64::NAN, 0.0);
    assert!(matches!(inner(good().spans(spans).run().unwrap_err()), (1, InvalidArgument { .. })));
}

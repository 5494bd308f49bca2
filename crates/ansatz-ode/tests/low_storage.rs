//! Low-storage methods: what they hold, what they evaluate, the same numbers as their tableaux.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::cell::Cell;

use ansatz_ode::core::{Result, State};
use ansatz_ode::{
    Adaptive, CarpenterKennedy54, DefaultAdjoint, EmbeddedWeights, Explicit, ExplicitRungeKutta,
    Heun, LowStorage, LowStorageCoefficients, LowStorageRungeKutta, Method, NoGradient, Pid,
    RDPK3SpFSAL35, RDPK3SpFSAL49, Recurrence, Save, SspRk104, Tableau, VectorField, Williamson33,
    solve,
};

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// A number that counts how many of its kind there are.
#[derive(Debug)]
struct Counted(f64);

impl Counted {
    fn new(value: f64) -> Self {
        HELD.set(HELD.get() + 1);
        MOST.set(MOST.get().max(HELD.get()));
        Self(value)
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Self::new(self.0)
    }

    fn clone_from(&mut self, other: &Self) {
        self.0 = other.0;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
    }
}

impl DefaultAdjoint for Counted {
    type Adjoint = NoGradient;
}

impl State for Counted {
    fn combine_iter<'a>(
        &mut self,
        base: Option<&Self>,
        h: f64,
        c: &[f64],
        terms: impl Iterator<Item = &'a Self> + Clone,
    ) -> Result<()> {
        let sum: f64 = c.iter().zip(terms).filter(|(c, _)| **c != 0.0).map(|(c, x)| c * x.0).sum();
        self.0 = base.map_or(0.0, |b| b.0) + h * sum;
        Ok(())
    }

    fn accumulate(&mut self, factor: f64, terms: &[(f64, &Self)]) -> Result<()> {
        let terms: Vec<(f64, &f64)> = terms.iter().map(|(c, x)| (*c, &x.0)).collect();
        self.0.accumulate(factor, &terms)
    }

    fn weighted_rms(&self, a: &Self, b: &Self, rtol: f64, atol: f64) -> Result<f64> {
        self.0.weighted_rms(&a.0, &b.0, rtol, atol)
    }

    fn all_finite(&self) -> Result<bool> {
        Ok(self.0.is_finite())
    }

    fn dimension(&self) -> usize {
        1
    }

    fn check_like(&self, _: &'static str, _: &Self) -> Result<()> {
        Ok(())
    }
}

struct Swing;

impl VectorField<Counted> for Swing {
    fn eval_into(&self, t: f64, y: &Counted, dy: &mut Counted) -> Result<()> {
        dy.0 = y.0 * t.cos();
        Ok(())
    }
}

/// The most states at once during a solve, less the one that the caller gave and the two of any
/// solve: before and after a step.
fn registers(run: impl FnOnce(Counted)) -> usize {
    let y0 = Counted::new(1.0);
    MOST.set(HELD.get());
    run(y0);
    MOST.get() - 3
}

#[test]
fn few_states_are_held() {
    let fixed = |y0| drop(solve(Swing, y0, (0.0, 3.0)).with(CarpenterKennedy54).steps(20).run());
    assert_eq!(registers(fixed), 2);
    let adaptive = |y0| {
        let s = solve(Swing, y0, (0.0, 3.0)).with(RDPK3SpFSAL49).tolerance(1e-8, 1e-8).run();
        assert!(s.unwrap().statistics.accepted > 10);
    };
    assert_eq!(registers(adaptive), 3);
    // Saving makes one more at a time, beside what is saved; looking inside needs two slopes.
    let inside = |y0| {
        let setup = solve(Swing, y0, (0.0, 3.0)).with(CarpenterKennedy54).steps(20);
        let s = setup.save_at(vec![1.0, 1.04]).run().unwrap();
        assert_eq!(s.ys.len(), 2);
    };
    assert!(registers(inside) <= 2 + 2 + 2 + 1, "{}", registers(inside));
    // Negative control: a stage, a register; the derivative at the end; where stages are evaluated.
    let tableau = |y0| drop(solve(Swing, y0, (0.0, 3.0)).with(SspRk104).steps(20).run());
    assert_eq!(registers(tableau), 12);
}

/// y' = cos t (1 + y²) / 2 with tan((sin t) / 2).
fn field(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [0.5 * t.cos() * (1.0 + y[0] * y[0]), t.cos() * y[1] - 0.1 * y[0]]
}

/// Carpenter and Kennedy's method as a tableau.
#[derive(Clone, Copy)]
struct Written;

impl Method for Written {
    type Family = Explicit;
}

impl ExplicitRungeKutta for Written {
    const TABLEAU: Tableau = Tableau {
        order: 4,
        embedded_order: 0,
        c: CarpenterKennedy54::COEFFICIENTS.c,
        a: &[
            &[],
            &[0.14965902199922912],
            &[-0.008809355635422508, 0.37921031299962726],
            &[0.4011776536462384, -0.601876919898777, 0.8229550293869817],
            &[-0.19042969985249633, 0.8138226224437329, -0.3645612478656685, 0.6994504559491221],
        ],
        b: &[
            0.005594188455006987,
            0.3447430423405671,
            0.02891181618408978,
            0.46769370505218416,
            0.15305724796815198,
        ],
        error: &[],
        extra: &[],
        dense: &[],
    };
}

#[test]
fn the_same_numbers_as_the_tableau() {
    for span in [(0.3, 4.3), (4.3, 0.3)] {
        // Some inside steps, some at their ends.
        let times: Vec<f64> = (0..50)
            .map(|i| span.0 + 0.02 * f64::from(i) * (span.1 - span.0))
            .chain([span.1])
            .collect();
        let run = |low: bool| {
            let setup = solve(field, [0.1, 1.0], span).save_at(times.clone());
            let s = if low {
                setup.with(CarpenterKennedy54).steps(30).run()
            } else {
                setup.with(Written).steps(30).run()
            };
            s.unwrap().ys
        };
        for (a, b) in run(true).iter().zip(run(false)) {
            for i in 0..2 {
                assert!((a[i] - b[i]).abs() < 1e-14 * b[i].abs().max(1.0), "{a:?} {b:?}");
            }
        }
    }
}

#[test]
fn evaluations_are_those_of_the_stages() {
    let steps = |s: ansatz_ode::Result<ansatz_ode::Solution<[f64; 2]>>| {
        let s = s.unwrap().statistics;
        (s.accepted, s.rejected, s.evaluations)
    };
    let start = || solve(field, [0.1, 1.0], (0.3, 9.3));
    assert_eq!(steps(start().with(Williamson33).steps(40).run()), (40, 0, 120));
    assert_eq!(steps(start().with(RDPK3SpFSAL35).steps(40).run()), (40, 0, 200));
    // The probe for the first step; the start; the stages, first same as last; after a rejected step
    // the slope before it again.
    let pid = Pid { first_step: Some(2.0), ..Pid::i(1e-8, 1e-8) };
    let (accepted, rejected, evaluations) =
        steps(start().with(RDPK3SpFSAL49).controller(pid).run());
    assert!(accepted > 20 && rejected > 0, "{accepted} {rejected}");
    assert_eq!(evaluations, 1 + 9 * (accepted + rejected) + rejected);
    let (accepted, rejected, evaluations) =
        steps(start().with(RDPK3SpFSAL35).tolerance(1e-6, 1e-6).run());
    assert_eq!(evaluations, 2 + 5 * (accepted + rejected) + rejected);
}

/// The authors' gains, at a tolerance where stability limits the step: u' = −λ (u − cos t).
#[test]
fn gains_for_limited_stability() {
    let stiff = |t: f64, y: &f64| -300.0 * (y - t.cos()) - t.sin();
    let run = |pid: Pid| {
        let s = solve(stiff, 1.0, (0.0, 10.0)).with(RDPK3SpFSAL49).controller(pid).run().unwrap();
        assert!((s.y_end - 10f64.cos()).abs() < 1e-4, "{}", s.y_end);
        s.statistics
    };
    let usual = run(Pid::i(1e-5, 1e-5));
    let gains = Pid { proportional: 0.16, integral: 0.21, derivative: 0.01, ..Pid::i(1e-5, 1e-5) };
    let smooth = run(gains);
    assert!(smooth.rejected * 4 < usual.rejected, "{smooth:?} {usual:?}");
}

/// States of any kind: a vector, and one that knows nothing of doing it in place.
#[test]
fn vectors_and_numbers_agree() {
    let field = |t: f64, y: &f64| y * t.cos();
    let number = solve(field, 1.0, (0.0, 2.0)).with(RDPK3SpFSAL35).steps(15).save(Save::Steps);
    let vector = solve(
        move |t: f64, y: &Vec<f64>| y.iter().map(|y| y * t.cos()).collect::<Vec<f64>>(),
        vec![1.0; 1000],
        (0.0, 2.0),
    )
    .with(RDPK3SpFSAL35)
    .steps(15)
    .save(Save::Steps);
    for (a, b) in number.run().unwrap().ys.iter().zip(vector.run().unwrap().ys) {
        assert!(b.len() == 1000 && b.iter().all(|b| (b - a).abs() < 1e-15), "{a}");
    }
}

/// A method of one's own, whose second register begins as nothing: Heun's.
#[test]
fn registers_are_cleared_before_a_step() {
    #[derive(Clone, Copy)]
    struct Own;
    impl Method for Own {
        type Family = LowStorage;
    }
    impl LowStorageRungeKutta for Own {
        const COEFFICIENTS: LowStorageCoefficients = LowStorageCoefficients {
            order: 2,
            c: &[0.0, 1.0],
            recurrence: Recurrence::ThreeS {
                gamma: &[[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]],
                delta: &[0.0, 1.0],
                beta: &[1.0, 0.5],
            },
            embedded: None,
        };
    }
    let own = solve(field, [0.1, 1.0], (0.0, 3.0)).with(Own).steps(20).run().unwrap().y_end;
    let heun = solve(field, [0.1, 1.0], (0.0, 3.0)).with(Heun).steps(20).run().unwrap().y_end;
    assert!(own.iter().zip(heun).all(|(a, b)| (a - b).abs() < 1e-14), "{own:?} {heun:?}");
}

/// A method of one's own that says it is adaptive but has no weights.
#[test]
fn an_estimate_that_is_not_there_is_refused() {
    #[derive(Clone, Copy)]
    struct Forgetful;
    impl Method for Forgetful {
        type Family = LowStorage;
    }
    impl LowStorageRungeKutta for Forgetful {
        const COEFFICIENTS: LowStorageCoefficients =
            LowStorageCoefficients { embedded: None, ..RDPK3SpFSAL35::COEFFICIENTS };
    }
    impl Adaptive for Forgetful {}
    let result = solve(field, [0.1, 1.0], (0.0, 1.0)).with(Forgetful).tolerance(1e-3, 1e-3).run();
    assert!(matches!(result, Err(ansatz_ode::Error::InvalidArgument { .. })), "{result:?}");
}

#[test]
fn coefficients_that_do_not_fit_are_seen() {
    let good = RDPK3SpFSAL35::COEFFICIENTS;
    assert!(good.is_well_formed() && Williamson33::COEFFICIENTS.is_well_formed());
    let short = EmbeddedWeights { order: 2, error: &[0.0; 5] };
    let lists = Recurrence::TwoN { a: &[0.0, 1.0], b: &[1.0; 3] };
    let late = Recurrence::TwoN { a: &[0.5, 1.0, 1.0], b: &[1.0; 3] };
    for bad in [
        LowStorageCoefficients { embedded: Some(short), ..good },
        LowStorageCoefficients { c: &[0.0; 4], ..good },
        LowStorageCoefficients { recurrence: lists, ..Williamson33::COEFFICIENTS },
        LowStorageCoefficients { recurrence: late, ..Williamson33::COEFFICIENTS },
        LowStorageCoefficients { c: &[0.1, 0.2, 0.3], ..Williamson33::COEFFICIENTS },
    ] {
        assert!(!bad.is_well_formed(), "{bad:?}");
    }
}

/// Tensors, in single precision, without gradients.
#[cfg(feature = "candle")]
#[test]
fn tensors_agree_with_numbers() {
    use ansatz_ode::core::candle::{Device, Tensor};
    let y0 = Tensor::new(&[[1f32, 0.5], [-0.2, 2.0]], &Device::Cpu).unwrap();
    let times = vec![0.3, 1.0, 1.01, 2.0];
    let tensor = solve(|t: f64, y: &Tensor| y * t.cos(), y0, (0.0, 2.0))
        .with(CarpenterKennedy54)
        .steps(30)
        .save_at(times.clone())
        .adjoint(NoGradient)
        .run()
        .unwrap();
    for (t, y) in times.iter().zip(&tensor.ys) {
        let y: Vec<f32> = y.flatten_all().unwrap().to_vec1().unwrap();
        for (y, y0) in y.iter().zip([1.0, 0.5, -0.2, 2.0]) {
            assert!((f64::from(*y) - y0 * t.sin().exp()).abs() < 1e-5, "{t}: {y}");
        }
    }
}

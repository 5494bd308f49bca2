//! Every row comes out as from a solve of its own.

use ansatz_ode::core::candle::{DType, Tensor};
use ansatz_ode::{
    Adaptive, AdaptiveFamily, Bosh3, Bs5, Controller, Dop853, Dopri5, Euler, ExplicitRungeKutta,
    FixedStep, Heun, Method, NoGradient, Pid, Rk4, Rms, Tsit5, Vern7, solve, solve_rows,
};

use crate::common::{flat, noise, states, swing, swing_alone};

const ROWS: usize = 23;

/// Different intervals, a third of them backwards.
fn spans() -> Vec<(f64, f64)> {
    let span = |i: usize| {
        let t0 = noise(i, 0.3);
        let length = 2.5 * (1.2 + noise(i, 0.7));
        (t0, if i % 3 == 1 { t0 - length } else { t0 + length })
    };
    (0..ROWS).map(span).collect()
}

/// Save times of each row, the first or the last of them at the ends for some.
fn times(spans: &[(f64, f64)], count: usize) -> Vec<Vec<f64>> {
    let of = |(i, (t0, t1)): (usize, &(f64, f64))| {
        let fraction = |k: usize| match (i % 4, k) {
            (0 | 1, 0) => 0.0,
            (0 | 2, k) if k + 1 == count => 1.0,
            (_, k) => (k as f64 + 0.5) / count as f64,
        };
        (0..count)
            .map(|k| if fraction(k) == 1.0 { *t1 } else { t0 + fraction(k) * (t1 - t0) })
            .collect()
    };
    spans.iter().enumerate().map(of).collect()
}

fn compare<M, C>(method: M, controllers: &[C], dtype: DType, tolerance: f64)
where
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
    C: Tolerances,
{
    let spans = spans();
    let saves = times(&spans, 5);
    let y0 = states(ROWS, 2, 0.1).to_dtype(dtype).unwrap();
    for controller in controllers {
        let each: Vec<(f64, f64)> = (0..ROWS)
            .map(|i| (10f64.powi(-3 - (i % 6) as i32), 10f64.powi(-9 + (i % 4) as i32)))
            .collect();
        let setup = solve_rows(swing, y0.clone(), spans.clone())
            .with(method)
            .controller(controller.clone())
            .save_each_at(saves.clone());
        let solution = C::each(setup, &each).run().unwrap();
        let mut steps = std::collections::BTreeSet::new();
        for row in 0..ROWS {
            let alone = solve(swing_alone, y0.narrow(0, row, 1).unwrap(), spans[row])
                .with(method)
                .controller(controller.of(each[row]))
                .save_at(saves[row].clone())
                .adjoint(NoGradient)
                .run()
                .unwrap();
            assert_eq!(solution.statistics[row], alone.statistics, "row {row}");
            assert_eq!((solution.t_end[row], solution.status[row]), (alone.t_end, alone.status));
            close(&solution.y_end.get(row).unwrap(), &alone.y_end, tolerance);
            close(&solution.y.get(row).unwrap(), &Tensor::stack(&alone.ys, 0).unwrap(), tolerance);
            steps.insert(alone.statistics.accepted);
        }
        assert!(steps.len() > 3, "{steps:?}");
    }
}

#[track_caller]
fn close(a: &Tensor, b: &Tensor, tolerance: f64) {
    let (a, b) = (flat(a), flat(b));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} {b}");
    }
}

/// Controllers with and without tolerances of each row.
trait Tolerances: Sized {
    fn of(&self, tolerances: (f64, f64)) -> Self;
    fn each<F, M>(
        setup: ansatz_ode::SolveRows<F, M, Self>,
        each: &[(f64, f64)],
    ) -> ansatz_ode::SolveRows<F, M, Self>;
}

impl Tolerances for Pid {
    fn of(&self, (rtol, atol): (f64, f64)) -> Self {
        Pid { norm: Rms { rtol, atol }, ..*self }
    }
    fn each<F, M>(
        setup: ansatz_ode::SolveRows<F, M, Self>,
        each: &[(f64, f64)],
    ) -> ansatz_ode::SolveRows<F, M, Self> {
        setup.tolerances(each)
    }
}

impl Tolerances for FixedStep {
    fn of(&self, _: (f64, f64)) -> Self {
        *self
    }
    fn each<F, M>(
        setup: ansatz_ode::SolveRows<F, M, Self>,
        _: &[(f64, f64)],
    ) -> ansatz_ode::SolveRows<F, M, Self> {
        setup
    }
}

fn adaptive<M>(method: M)
where
    M: ExplicitRungeKutta + Adaptive + Method,
    M::Family: AdaptiveFamily<Controller = Pid>,
{
    let short = Pid { max_step: 0.1, first_step: Some(0.01), ..Pid::i(1e-4, 1e-4) };
    let controllers = [Pid::i(1e-4, 1e-4), Pid::pi(1e-4, 1e-4), Pid::h312(1e-4, 1e-4), short];
    compare(method, &controllers, DType::F64, 1e-13);
    compare(method, &controllers[..2], DType::F32, 1e-5);
}

macro_rules! adaptive {
    ($($name:ident $method:expr;)*) => {$(
        #[test]
        fn $name() {
            adaptive($method);
        }
    )*};
}

adaptive! {
    bosh3 Bosh3;
    bs5 Bs5;
    dopri5 Dopri5;
    dop853 Dop853;
    tsit5 Tsit5;
    vern7 Vern7;
}

#[test]
fn fixed_steps() {
    let controllers = [FixedStep { step: 0.07 }, FixedStep { step: 10.0 }];
    compare(Rk4, &controllers[..1], DType::F64, 1e-13);
    compare(Euler, &controllers[..1], DType::F64, 1e-13);
    compare(Heun, &controllers[..1], DType::F32, 1e-5);
    compare(Tsit5, &controllers[..1], DType::F64, 1e-13);
}

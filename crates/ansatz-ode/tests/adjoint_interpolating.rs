//! The continuous adjoint along the interpolated solution.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::{
    Adjoint, Error, Event, ExplicitRungeKutta, Interpolating, Method, Pid, RecursiveCheckpoint,
    Solution, Span, Tsit5, Vern7, WithArguments, solve,
};

type Field = WithArguments<fn(f64, &Tensor, &[Tensor]) -> candle_core::Result<Tensor>, Tensor>;

/// y' = (A(p) y) cos t + tanh(q y), and a jump at 1; p `[2, 2]`, q `[2]`.
fn slope(t: f64, y: &Tensor, a: &[Tensor]) -> candle_core::Result<Tensor> {
    let linear = y.matmul(&a[0].t()?)?;
    let smooth = ((linear * t.cos())? + y.broadcast_mul(&a[1])?.tanh()?)?;
    if t < 1.0 { Ok(smooth) } else { smooth + 0.5 }
}

fn inputs(dtype: DType) -> [Var; 3] {
    let cpu = &Device::Cpu;
    [
        Tensor::new(&[[0.7f64, -0.3], [0.2, 0.9], [-0.5, 0.1]], cpu).unwrap(),
        Tensor::new(&[[-0.4f64, 0.8], [-0.6, 0.1]], cpu).unwrap(),
        Tensor::new(&[0.5f64, -0.9], cpu).unwrap(),
    ]
    .map(|x| Var::from_tensor(&x.to_dtype(dtype).unwrap()).unwrap())
}

fn values(t: &Tensor) -> Vec<f64> {
    t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

fn run<M, A>(
    [y0, p, q]: &[Var; 3],
    method: M,
    adjoint: A,
    span: impl Into<Span>,
    times: &[f64],
    tolerance: f64,
) -> Solution<Tensor>
where
    M: ExplicitRungeKutta + ansatz_ode::Adaptive + Method,
    A: Adjoint<Field, Tensor, M, Pid>,
{
    let arguments = vec![p.as_tensor().clone(), q.as_tensor().clone()];
    let field: Field = WithArguments::new(slope as fn(_, &Tensor, &[Tensor]) -> _, arguments);
    solve(field, y0.as_tensor().clone(), span)
        .with(method)
        .controller(Pid::i(tolerance, tolerance))
        .jumps([1.0])
        .save_at(times)
        .adjoint(adjoint)
        .run()
        .unwrap()
}

/// Gradients of a loss of all that was saved, and of the end.
fn gradients(s: &Solution<Tensor>, of: &[Var; 3], scale: f64) -> Vec<f64> {
    let mut loss = (s.y_end.sqr().unwrap().sum_all().unwrap() * scale).unwrap();
    for (i, y) in s.ys.iter().enumerate() {
        let term =
            (y.sin().unwrap().sum_all().unwrap() * (scale * (1.0 + 0.3 * i as f64))).unwrap();
        loss = (loss + term).unwrap();
    }
    let store = loss.backward().unwrap();
    of.iter().flat_map(|v| values(store.get(v).unwrap())).collect()
}

fn off(a: &[f64], b: &[f64]) -> f64 {
    let largest = b.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max)
}

#[test]
fn agrees_with_the_discrete_adjoint() {
    let of = inputs(DType::F64);
    for (span, times) in
        [((0.2, 1.9), [0.2, 0.5, 0.6, 1.0, 1.3, 1.9]), ((1.9, 0.2), [1.9, 1.3, 1.0, 0.6, 0.5, 0.2])]
    {
        for tolerance in [1e-6, 1e-9] {
            let exact = run(&of, Tsit5, RecursiveCheckpoint::default(), span, &times, 1e-11);
            let exact = gradients(&exact, &of, 1.0);
            for checkpoints in [1, 2, 5, 1000] {
                let adjoint = Interpolating::new(checkpoints);
                let s = run(&of, Tsit5, adjoint, span, &times, tolerance);
                let error = off(&gradients(&s, &of, 1.0), &exact);
                assert!(error < 30.0 * tolerance, "Tsit5 {span:?} {checkpoints}: {error:e}");
                let s = run(&of, Vern7, adjoint, span, &times, tolerance);
                let error = off(&gradients(&s, &of, 1.0), &exact);
                assert!(error < 30.0 * tolerance, "Vern7 {span:?} {checkpoints}: {error:e}");
            }
        }
    }
}

/// A small loss has small gradients, but not less exact ones.
#[test]
fn whatever_the_size_of_the_loss() {
    let of = inputs(DType::F64);
    let times = [0.5, 1.9];
    let gradient = |scale: f64| {
        let s = run(&of, Tsit5, Interpolating::default(), (0.2, 1.9), &times, 1e-7);
        gradients(&s, &of, scale).iter().map(|g| g / scale).collect::<Vec<_>>()
    };
    assert!(off(&gradient(1e-12), &gradient(1.0)) < 1e-12);
}

#[test]
fn single_precision() {
    let times = [0.5, 1.9];
    let all = [DType::F64, DType::F32].map(|dtype| {
        let of = inputs(dtype);
        let s = run(&of, Tsit5, Interpolating::default(), (0.2, 1.9), &times, 1e-5);
        gradients(&s, &of, 1.0)
    });
    assert!(off(&all[1], &all[0]) < 1e-4);
}

#[test]
fn end_times() {
    let of = inputs(DType::F64);
    let ends = [0.2, 1.9].map(|t| Var::new(t, &Device::Cpu).unwrap());
    let both = |of: &[Var; 3], exact: bool| {
        let span = Span::from_tensors(ends[0].as_tensor(), ends[1].as_tensor()).unwrap();
        let end = if exact {
            run(of, Tsit5, RecursiveCheckpoint::default(), span, &[], 1e-9).y_end
        } else {
            run(of, Tsit5, Interpolating::default(), span, &[], 1e-9).y_end
        };
        let store = end.sum_all().unwrap().backward().unwrap();
        ends.iter().flat_map(|v| values(store.get(v).unwrap())).collect::<Vec<f64>>()
    };
    assert!(off(&both(&of, false), &both(&of, true)) < 1e-7);
}

/// y' = −50 y + sin y + p: back in time errors would grow by e⁵⁰ a unit.
#[test]
fn dissipative_problems() {
    let p = Var::new(&[3f64], &Device::Cpu).unwrap();
    let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let q = p.as_tensor().clone();
    let field = move |_: f64, y: &Tensor| ((y * -50.0)? + y.sin()?)? + &q;
    let s = solve(field, y0, (0.0, 3.0)).with(Tsit5).tolerance(1e-9, 1e-9);
    let end = s.adjoint(Interpolating::default()).run().unwrap().y_end;
    let gradient = values(end.sum_all().unwrap().backward().unwrap().get(&p).unwrap())[0];
    // At the steady state 50 y = sin y + p.
    let want = 1.0 / (50.0 - values(&end)[0].cos());
    assert!((gradient / want - 1.0).abs() < 1e-7, "{gradient} {want}");
}

#[test]
fn what_is_refused() {
    let y0 = Var::new(&[1f64], &Device::Cpu).unwrap();
    let setup = || {
        let s = solve(|_: f64, y: &Tensor| y.neg(), y0.as_tensor().clone(), (0.0, 1.0));
        s.with(Tsit5).steps(4)
    };
    let none = setup().adjoint(Interpolating::new(0)).run();
    assert!(matches!(none, Err(Error::InvalidArgument { .. })), "{none:?}");
    let event = Event::of_tensor(|_, y: &Tensor| Ok((y - 0.5)?.squeeze(0)?));
    let events = setup().event(event).adjoint(Interpolating::default()).run();
    assert!(matches!(events, Err(Error::EventsNotDifferentiated { .. })), "{events:?}");
}

//! Gradients through a solve: against finite differences, closed forms and each other.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{DType, Device, Tensor, Var};
use ansatz_ode::{
    Adaptive, Adjoint, Backsolve, Bosh3, Bs5, Direct, Dop853, Dopri5, Euler, ExplicitRungeKutta,
    FixedStep, Heun, Midpoint, NoGradient, Pid, RecursiveCheckpoint, Rk4, Save, Solution, Span,
    SspRk43, Tsit5, Vern6, Vern7, Vern9, WithArguments, solve,
};
use ansatz_ops::{GradCheck, gradcheck};

/// y' = (A(p) y) cos t + tanh(q y) elementwise, non-autonomous and nonlinear; p `[2, 2]`, q `[2]`.
fn field(t: f64, y: &Tensor, a: &[Tensor]) -> candle_core::Result<Tensor> {
    let linear = y.matmul(&a[0].t()?)?;
    (linear * t.cos())? + y.broadcast_mul(&a[1])?.tanh()?
}

fn inputs() -> Vec<Tensor> {
    let cpu = &Device::Cpu;
    vec![
        Tensor::new(&[[0.7f64, -0.3], [0.2, 0.9], [-0.5, 0.1]], cpu).unwrap(),
        Tensor::new(&[[-0.4f64, 0.8], [-0.6, 0.1]], cpu).unwrap(),
        Tensor::new(&[0.5f64, -0.9], cpu).unwrap(),
    ]
}

/// Sum of what is saved, weighted by position, so that every output counts.
fn contract(s: &Solution<Tensor>) -> ansatz_ops::Result<Tensor> {
    let mut total = s.y_end.zeros_like()?;
    for (i, y) in s.ys.iter().enumerate() {
        total = (total + (y * (1.0 + 0.3 * i as f64))?)?;
    }
    Ok((total + (s.y_end.sqr()? * 0.1)?)?)
}

/// `slots` checkpoints, or with 0 the direct adjoint.
fn check_discrete<M: ExplicitRungeKutta>(method: M, span: (f64, f64), save: Save, slots: usize) {
    let run = |x: &[Tensor]| -> ansatz_ops::Result<Tensor> {
        let field = WithArguments::new(field, vec![x[1].clone(), x[2].clone()]);
        let setup = solve(field, x[0].clone(), span).with(method).steps(7).save(save.clone());
        let s = match slots {
            0 => setup.adjoint(Direct).run()?,
            _ => setup.adjoint(RecursiveCheckpoint::new(slots)).run()?,
        };
        contract(&s)
    };
    gradcheck(run, &inputs(), &GradCheck::default()).unwrap();
}

#[test]
fn the_discrete_adjoint_is_exact_for_every_method() {
    fn all(span: (f64, f64), save: &Save, slots: usize) {
        check_discrete(Euler, span, save.clone(), slots);
        check_discrete(Heun, span, save.clone(), slots);
        check_discrete(Midpoint, span, save.clone(), slots);
        check_discrete(Bosh3, span, save.clone(), slots);
        check_discrete(Rk4, span, save.clone(), slots);
        check_discrete(Dopri5, span, save.clone(), slots);
        check_discrete(Tsit5, span, save.clone(), slots);
        check_discrete(SspRk43, span, save.clone(), slots);
    }
    for slots in [0, 1, 2, 3, 100] {
        all((0.2, 1.9), &Save::End, slots);
    }
    for slots in [0, 3] {
        // Interpolated outputs, two in one step, and both ends.
        all((0.2, 1.9), &Save::Times(vec![0.2, 0.5, 0.6, 0.65, 1.3, 1.9]), slots);
        all((1.9, 0.2), &Save::Times(vec![1.9, 1.3, 0.65, 0.6, 0.5]), slots);
        all((1.9, 0.2), &Save::Steps, slots);
    }
}

/// States inside a step hang on the extra stages of dense output, too.
#[test]
fn the_discrete_adjoint_goes_through_extra_stages() {
    fn check<M: ExplicitRungeKutta>(method: M) {
        assert!(!M::TABLEAU.extra.is_empty());
        for slots in [0, 3] {
            check_discrete(method, (0.2, 1.9), Save::End, slots);
            // Three in one step, none in the next ones, one in the last one.
            let times = vec![0.2, 0.5, 0.6, 0.65, 1.3, 1.8, 1.9];
            check_discrete(method, (0.2, 1.9), Save::Times(times), slots);
            check_discrete(method, (1.9, 0.2), Save::Times(vec![1.3, 0.65, 0.6, 0.3]), slots);
        }
    }
    check(Bs5);
    check(Vern6);
    check(Vern7);
    check(Vern9);
    check(Dop853);
}

/// The same with steps chosen by the error, where stages left over from rejected steps and from
/// steps that were not looked into lie about.
#[test]
fn adaptive_solves_with_extra_stages_agree_between_adjoints() {
    let gradient = |direct: bool| {
        let k = Var::new(3f64, &Device::Cpu).unwrap();
        let kt = k.as_tensor().clone();
        let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
        let pid = Pid { first_step: Some(0.9), ..Pid::i(1e-9, 1e-9) };
        let s = solve(
            move |t: f64, y: &Tensor| y.broadcast_mul(&kt)? * (8.0 * t).cos(),
            y0,
            (0.0, 2.0),
        )
        .with(Vern7)
        .controller(pid)
        .save_at(vec![0.1, 0.11, 0.9, 1.7]);
        let s = if direct { s.adjoint(Direct).run() } else { s.run() }.unwrap();
        assert!(s.statistics.rejected > 0 && s.statistics.accepted > 8, "{:?}", s.statistics);
        let total = contract(&s).unwrap().sum_all().unwrap();
        let exact: f64 =
            s.ts.iter()
                .enumerate()
                .map(|(i, t)| {
                    let factor = (8.0 * t).sin() / 8.0;
                    (1.0 + 0.3 * i as f64) * factor * (3.0 * factor).exp()
                })
                .sum();
        let end = 16f64.sin() / 8.0;
        let exact = exact + 0.2 * end * (6.0 * end).exp();
        let g = values(total.backward().unwrap().get(&k).unwrap())[0];
        assert!((g - exact).abs() < 1e-7, "{g} against {exact}");
        g
    };
    let (checkpointed, direct) = (gradient(false), gradient(true));
    assert!((checkpointed - direct).abs() < 1e-13, "{checkpointed} {direct}");
}

/// Captured variables receive the same gradients as explicit arguments.
#[test]
fn captured_variables_receive_gradients() {
    let x = inputs();
    let vars: Vec<Var> = x.iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let explicit = WithArguments::new(field, tensors[1..].to_vec());
    let (p, q) = (tensors[1].clone(), tensors[2].clone());
    let captured = move |t: f64, y: &Tensor| field(t, y, &[p.clone(), q.clone()]);
    let a = solve(explicit, tensors[0].clone(), (0.0, 1.0)).with(Rk4).steps(5).run().unwrap();
    let b = solve(captured, tensors[0].clone(), (0.0, 1.0)).with(Rk4).steps(5).run().unwrap();
    let (ga, gb) =
        (a.y_end.sqr().unwrap().backward().unwrap(), b.y_end.sqr().unwrap().backward().unwrap());
    for v in &vars {
        assert_eq!(values(ga.get(v).unwrap()), values(gb.get(v).unwrap()));
    }
}

fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Gradients of (y0, p, q, t0, t1) of one adaptive solve.
fn gradients<A>(adjoint: A, span: (f64, f64), times: &Save, tol: f64) -> Vec<f64>
where
    A: Adjoint<
            WithArguments<fn(f64, &Tensor, &[Tensor]) -> candle_core::Result<Tensor>, Tensor>,
            Tensor,
            Tsit5,
            Pid,
        >,
{
    let vars: Vec<Var> = inputs().iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let ends: Vec<Var> =
        [span.0, span.1].iter().map(|t| Var::new(*t, &Device::Cpu).unwrap()).collect();
    let f: fn(f64, &Tensor, &[Tensor]) -> candle_core::Result<Tensor> = field;
    let field = WithArguments::new(f, vars[1..].iter().map(|v| v.as_tensor().clone()).collect());
    let s =
        solve(field, vars[0].as_tensor().clone(), Span::from_tensors(&ends[0], &ends[1]).unwrap())
            .with(Tsit5)
            .tolerance(tol, tol)
            .save(times.clone())
            .adjoint(adjoint)
            .run()
            .unwrap();
    let store = contract(&s).unwrap().backward().unwrap();
    vars.iter().chain(&ends).flat_map(|v| values(store.get(v).unwrap())).collect()
}

#[test]
fn adjoints_agree_to_solver_tolerance() {
    for (span, times) in [
        ((0.2, 1.9), Save::End),
        ((1.9, 0.2), Save::End),
        ((0.2, 1.9), Save::Times(vec![0.2, 0.55, 1.3, 1.9])),
        ((1.9, 0.2), Save::Times(vec![1.9, 1.3, 0.55])),
    ] {
        for (tol, allowed) in [(1e-5, 3e-3), (1e-9, 1e-6)] {
            let discrete = gradients(RecursiveCheckpoint::default(), span, &times, tol);
            // The same stages and the same sums, though not in the same order.
            let direct = gradients(Direct, span, &times, tol);
            for (a, b) in discrete.iter().zip(&direct) {
                assert!((a - b).abs() < 1e-12 * a.abs().max(1.0), "{span:?} {tol} {a} {b}");
            }
            let continuous = gradients(Backsolve, span, &times, tol);
            for (i, (a, b)) in discrete.iter().zip(&continuous).enumerate() {
                assert!((a - b).abs() < allowed * a.abs().max(1.0), "{span:?} {tol} [{i}] {a} {b}");
            }
        }
    }
}

/// End times against central differences of whole solves.
#[test]
fn end_times_receive_gradients() {
    let x = inputs();
    for span in [(0.2, 1.9), (1.9, 0.2)] {
        let loss = |t0: f64, t1: f64| -> f64 {
            let f = WithArguments::new(field, x[1..].to_vec());
            let s = solve(f, x[0].clone(), (t0, t1))
                .with(Dopri5)
                .tolerance(1e-12, 1e-12)
                .adjoint(NoGradient)
                .run()
                .unwrap();
            values(&s.y_end.sqr().unwrap()).iter().sum()
        };
        let ends: Vec<Var> =
            [span.0, span.1].iter().map(|t| Var::new(*t, &Device::Cpu).unwrap()).collect();
        for adjoint in 0..3 {
            let f = WithArguments::new(field, x[1..].to_vec());
            let setup = solve(f, x[0].clone(), Span::from_tensors(&ends[0], &ends[1]).unwrap())
                .with(Dopri5)
                .tolerance(1e-10, 1e-10);
            let s = match adjoint {
                0 => setup.run(),
                1 => setup.adjoint(Direct).run(),
                _ => setup.adjoint(Backsolve).run(),
            };
            let s = s.unwrap();
            let store = s.y_end.sqr().unwrap().backward().unwrap();
            let h = 1e-5;
            let expected = [
                (loss(span.0 + h, span.1) - loss(span.0 - h, span.1)) / (2.0 * h),
                (loss(span.0, span.1 + h) - loss(span.0, span.1 - h)) / (2.0 * h),
            ];
            for (v, e) in ends.iter().zip(expected) {
                let g = values(store.get(v).unwrap())[0];
                assert!((g - e).abs() < 1e-6 * e.abs().max(1.0), "{span:?}: {g} against {e}");
            }
        }
    }
}

/// y' = k y: dy(T)/dk = T y(T), dy(T)/dy0 = e^{kT}; in f32 as well.
#[test]
fn closed_form() {
    for dtype in [DType::F64, DType::F32] {
        let k =
            Var::from_tensor(&Tensor::new(-0.7f64, &Device::Cpu).unwrap().to_dtype(dtype).unwrap())
                .unwrap();
        let y0 = Var::from_tensor(
            &Tensor::new(&[1.3f64], &Device::Cpu).unwrap().to_dtype(dtype).unwrap(),
        )
        .unwrap();
        let tol = if dtype == DType::F64 { 1e-10 } else { 1e-6 };
        let kt = k.as_tensor().clone();
        let s = solve(
            move |_: f64, y: &Tensor| y.broadcast_mul(&kt),
            y0.as_tensor().clone(),
            (0.0, 2.0),
        )
        .with(Tsit5)
        .tolerance(tol, tol)
        .run()
        .unwrap();
        let store = s.y_end.backward().unwrap();
        let growth = (-1.4f64).exp();
        let close = |a: f64, b: f64| (a - b).abs() < 20.0 * tol;
        assert!(close(values(store.get(&y0).unwrap())[0], growth));
        assert!(close(values(store.get(&k).unwrap())[0], 2.0 * 1.3 * growth));
    }
}

/// The gradient passes through whatever comes before and after the solve, twice if asked twice.
#[test]
fn composes_with_the_surrounding_graph() {
    let w = Var::new(&[0.3f64, -0.2], &Device::Cpu).unwrap();
    let loss = |w: &Tensor| -> Tensor {
        let rate = w.exp().unwrap();
        let y0 = w.sin().unwrap();
        let field =
            WithArguments::new(|t: f64, y: &Tensor, a: &[Tensor]| (y * &a[0])? * t, vec![rate]);
        let s = solve(field, y0, (0.0, 1.0)).with(Rk4).steps(10).run().unwrap();
        s.y_end.cos().unwrap().sum_all().unwrap()
    };
    gradcheck(|x| Ok(loss(&x[0])), &[w.as_tensor().clone()], &GradCheck::default()).unwrap();
    let l = loss(&w);
    let first = values(l.backward().unwrap().get(&w).unwrap());
    let second = values(l.backward().unwrap().get(&w).unwrap());
    assert_eq!(first, second);
}

/// Without anything tracked, or with `NoGradient`, the solution is detached.
#[test]
fn nothing_tracked_nothing_attached() {
    let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let s = solve(|_: f64, y: &Tensor| y.neg(), y0.clone(), (0.0, 1.0))
        .with(Rk4)
        .steps(3)
        .run()
        .unwrap();
    assert!(!s.y_end.track_op());
    let s = solve(|_: f64, y: &Tensor| y.neg(), y0, (0.0, 1.0)).with(Rk4).steps(3);
    assert!(!s.adjoint(Direct).run().unwrap().y_end.track_op());
    let v = Var::new(&[1f64], &Device::Cpu).unwrap();
    let s = solve(|_: f64, y: &Tensor| y.neg(), v.as_tensor().clone(), (0.0, 1.0))
        .with(Rk4)
        .steps(3)
        .save(Save::Steps)
        .adjoint(NoGradient)
        .run()
        .unwrap();
    assert!(s.ys.iter().chain([&s.y_end]).all(|y| !y.track_op()));
}

/// A long solve on the stack of a test thread.
#[test]
fn twenty_thousand_steps() {
    let k = Var::new(-0.1f64, &Device::Cpu).unwrap();
    let kt = k.as_tensor().clone();
    let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let s = solve(move |_: f64, y: &Tensor| y.broadcast_mul(&kt), y0, (0.0, 5.0))
        .with(Euler)
        .steps(20_000)
        .adjoint(RecursiveCheckpoint::new(16))
        .run()
        .unwrap();
    let g = values(s.y_end.backward().unwrap().get(&k).unwrap())[0];
    assert!((g - 5.0 * (-0.5f64).exp()).abs() < 1e-3, "{g}");
}

/// An adaptive step that is rejected must not leave a trace in the gradient.
#[test]
fn rejected_steps_do_not_matter() {
    fn run<M: Adaptive + ExplicitRungeKutta>(method: M, direct: bool) {
        let k = Var::new(3f64, &Device::Cpu).unwrap();
        let kt = k.as_tensor().clone();
        let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
        // The first step is far too long on purpose.
        let pid = Pid { first_step: Some(0.9), ..Pid::i(1e-9, 1e-9) };
        let s = solve(
            move |t: f64, y: &Tensor| y.broadcast_mul(&kt)? * (8.0 * t).cos(),
            y0,
            (0.0, 1.0),
        )
        .with(method)
        .controller(pid);
        let s = if direct { s.adjoint(Direct).run() } else { s.run() }.unwrap();
        assert!(s.statistics.rejected > 0);
        let factor = 8f64.sin() / 8.0;
        let g = values(s.y_end.backward().unwrap().get(&k).unwrap())[0];
        assert!((g - factor * (3.0 * factor).exp()).abs() < 1e-7, "{g}");
    }
    for direct in [false, true] {
        run(Tsit5, direct);
        run(Dopri5, direct);
        run(Bosh3, direct);
    }
    let _ = FixedStep { step: 1.0 };
}

/// A variable that the field reads only later would lose its gradient: that is an error.
#[test]
fn late_variables_are_refused() {
    let early = Var::new(&[0.5f64], &Device::Cpu).unwrap();
    let late = Var::new(&[0.7f64], &Device::Cpu).unwrap();
    for backsolve in [false, true] {
        let (a, b) = (early.as_tensor().clone(), late.as_tensor().clone());
        let switch = move |t: f64, y: &Tensor| if t < 0.5 { y * &a } else { y * &b };
        let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
        let setup = solve(switch, y0, (0.0, 1.0)).with(Rk4).steps(10);
        let s = if backsolve { setup.adjoint(Backsolve).run() } else { setup.run() }.unwrap();
        let result = s.y_end.backward().map(|_| ()).map_err(ansatz_ode::Error::from);
        let found = match &result {
            Err(ansatz_ode::Error::LateVariable { t }) => *t >= 0.5,
            Err(ansatz_ode::Error::Field { source, .. }) => {
                matches!(source, ansatz_ode::core::Error::Custom(_))
            }
            _ => false,
        };
        assert!(found, "{result:?}");
    }
    // Tapes that were kept show every variable.
    let (a, b) = (early.as_tensor().clone(), late.as_tensor().clone());
    let switch = move |t: f64, y: &Tensor| if t < 0.5 { y * &a } else { y * &b };
    let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let s = solve(switch, y0, (0.0, 1.0)).with(Rk4).steps(10).adjoint(Direct).run().unwrap();
    let store = s.y_end.backward().unwrap();
    for v in [&early, &late] {
        let g = values(store.get(v).unwrap())[0];
        assert!((g - 0.5 * 0.6f64.exp()).abs() < 5e-2, "{g}");
    }
    // As arguments both receive theirs.
    let arguments = vec![early.as_tensor().clone(), late.as_tensor().clone()];
    let switch = WithArguments::new(
        |t: f64, y: &Tensor, p: &[Tensor]| if t < 0.5 { y * &p[0] } else { y * &p[1] },
        arguments,
    );
    let y0 = Tensor::new(&[1f64], &Device::Cpu).unwrap();
    let s = solve(switch, y0, (0.0, 1.0)).with(Rk4).steps(10).run().unwrap();
    let store = s.y_end.backward().unwrap();
    for v in [&early, &late] {
        let g = values(store.get(v).unwrap())[0];
        assert!((g - 0.5 * 0.6f64.exp()).abs() < 5e-2, "{g}");
    }
}

//! Reversible methods: order, tolerance, jumps; gradients by undoing steps.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Bosh3, Dop853, Error, ExplicitRungeKutta, Heun, Midpoint, Reversible, Rk4, Tsit5, solve,
};

/// y' = y cos t and the circle, with the end both have.
fn error_at_end<M: ExplicitRungeKutta>(
    method: M,
    coupling: f64,
    steps: usize,
    span: (f64, f64),
) -> f64 {
    let field = |t: f64, y: &[f64; 3]| [y[0] * t.cos(), -t * y[2], t * y[1]];
    let exact = |t: f64| {
        let angle = t * t / 2.0;
        [t.sin().exp(), angle.cos(), angle.sin()]
    };
    let s = solve(field, exact(span.0), span).with(Reversible { method, coupling });
    let end = s.steps(steps).run().unwrap().y_end;
    end.iter().zip(exact(span.1)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// With couplings just below 1 the two states forget their difference over many steps, and the order shows
/// only where steps are shorter still.
fn assert_order<M: ExplicitRungeKutta>(method: M, steps: usize, couplings: &[f64]) {
    let wanted = f64::from(M::TABLEAU.order);
    for &coupling in couplings {
        for span in [(0.2, 2.6), (2.6, 0.2)] {
            let coarse = error_at_end(method, coupling, steps, span);
            let fine = error_at_end(method, coupling, 4 * steps, span);
            let order = (coarse / fine).log(4.0);
            assert!(
                (order - wanted).abs() < 0.2,
                "{coupling} {span:?}: {order} {coarse:e} {fine:e}"
            );
        }
    }
}

#[test]
fn the_order_is_that_of_the_method() {
    assert_order(Midpoint, 100, &[0.5, 1.0]);
    assert_order(Heun, 100, &[0.5, 1.0]);
    assert_order(Bosh3, 800, &[0.5, 1.0]);
    assert_order(Rk4, 60, &[0.5, 1.0]);
    assert_order(Tsit5, 40, &[0.5]);
}

#[test]
fn errors_follow_the_tolerance() {
    let field = |t: f64, y: &f64| y * t.cos();
    for span in [(0.0f64, 10.0f64), (10.0, 0.0)] {
        let y0 = f64::exp(span.0.sin());
        let exact = f64::exp(span.1.sin());
        for tolerance in [1e-5, 1e-8, 1e-11] {
            let s = solve(field, y0, span).with(Reversible::new(Tsit5));
            let s = s.tolerance(tolerance, tolerance).run().unwrap();
            assert!((s.y_end - exact).abs() < 100.0 * tolerance, "{tolerance} {}", s.y_end - exact);
            let s = solve(field, y0, span).with(Reversible::new(Dop853));
            let s = s.tolerance(tolerance, tolerance).run().unwrap();
            assert!((s.y_end - exact).abs() < 100.0 * tolerance, "{tolerance} {}", s.y_end - exact);
        }
    }
}

#[test]
fn states_inside_steps() {
    let field = |t: f64, y: &f64| y * t.cos();
    let largest = |steps: usize| {
        let times: Vec<f64> = (1..100).map(|k| 0.02 * f64::from(k)).collect();
        let s = solve(field, 1.0, (0.0, 2.0)).with(Reversible::new(Rk4)).steps(steps);
        let s = s.save_at(times).run().unwrap();
        let errors = s.ts.iter().zip(&s.ys).map(|(t, y)| (y - t.sin().exp()).abs());
        errors.fold(0.0, f64::max)
    };
    let order = (largest(9) / largest(36)).log(4.0);
    assert!((order - 4.0).abs() < 0.3, "{order}");
}

#[test]
fn couplings_that_make_no_sense() {
    for coupling in [0.0, -1.0, 1.5, f64::NAN] {
        let method = Reversible { method: Tsit5, coupling };
        let s = solve(|_: f64, y: &f64| -y, 1.0, (0.0, 1.0)).with(method).steps(3).run();
        assert!(matches!(s, Err(Error::InvalidArgument { what: "coupling", .. })), "{s:?}");
    }
}

#[cfg(feature = "candle")]
mod gradients {
    use ansatz_ode::{
        Dopri5, Error, Event, ExplicitRungeKutta, Heun, Reversible, ReversibleAdjoint, Solution,
        Span, Tsit5, core::Result, solve,
    };
    use candle_core::{Device, Tensor, Var};

    fn entries(x: &Tensor) -> Vec<f64> {
        x.flatten_all().unwrap().to_vec1().unwrap()
    }

    fn slope(w: &Tensor, t: f64, y: &Tensor) -> Result<Tensor> {
        let jump = if t < 0.55 { 0.0 } else { 0.8 };
        Ok(((y.matmul(w)?.tanh()? - (y * 0.3)?)? + (t.sin() + jump))?)
    }

    fn weight() -> Var {
        let w = [[0.3f64, -1.2, 0.4], [0.8, 0.1, -0.5], [-0.7, 0.9, 0.2]];
        Var::new(&w, &Device::Cpu).unwrap()
    }

    fn start() -> Var {
        Var::new(&[[0.5f64, -0.3, 0.8], [1.1, 0.2, -0.6]], &Device::Cpu).unwrap()
    }

    /// Saved at the start, inside steps, at the ends of some and at the end; with a jump.
    fn run<M: ExplicitRungeKutta>(
        method: M,
        coupling: f64,
        w: &Tensor,
        y0: &Tensor,
        steps: usize,
        span: impl Into<Span>,
    ) -> Solution<Tensor> {
        let w = w.clone();
        let field = move |t: f64, y: &Tensor| slope(&w, t, y);
        solve(field, y0.clone(), span)
            .with(Reversible { method, coupling })
            .steps(steps)
            .jumps([0.55])
            .save_at([0.2, 0.4, 0.5, 0.73, 1.27])
            .adjoint(ReversibleAdjoint)
            .run()
            .unwrap()
    }

    fn loss(s: &Solution<Tensor>) -> Tensor {
        let mut sum = s.y_end.sqr().unwrap().sum_all().unwrap();
        for (k, y) in s.ys.iter().enumerate() {
            let term = (y * (0.7 + k as f64)).unwrap().sin().unwrap().sum_all().unwrap();
            sum = (sum + term).unwrap();
        }
        sum
    }

    fn differences(x: &Tensor, f: impl Fn(&Tensor) -> f64) -> Vec<f64> {
        let (at, shape) = (entries(x), x.shape().clone());
        let moved = |i: usize, by: f64| {
            let mut all = at.clone();
            all[i] += by;
            f(&Tensor::from_vec(all, shape.clone(), &Device::Cpu).unwrap())
        };
        let h = 1e-5;
        (0..at.len()).map(|i| (moved(i, h) - moved(i, -h)) / (2.0 * h)).collect()
    }

    fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
        let scale = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() <= tolerance * scale, "{what}: {got} {want}");
        }
    }

    fn agrees_with_differences<M: ExplicitRungeKutta>(method: M) {
        let (w, y0) = (weight(), start());
        // With the least coupling states are kept every third step.
        for coupling in [0.1, 0.9, 0.999, 1.0] {
            let value = |w: &Tensor, y0: &Tensor| {
                let s = run(method, coupling, &w.detach(), &y0.detach(), 10, (0.2, 1.4));
                loss(&s).to_scalar::<f64>().unwrap()
            };
            let s = run(method, coupling, &w, &y0, 10, (0.2, 1.4));
            let gradients = loss(&s).backward().unwrap();
            let of_w = differences(&w, |w| value(w, &y0));
            assert_close(&entries(gradients.get(&w).unwrap()), &of_w, 1e-8, "w");
            let of_y0 = differences(&y0, |y0| value(&w, y0));
            assert_close(&entries(gradients.get(&y0).unwrap()), &of_y0, 1e-8, "y0");
        }
    }

    #[test]
    fn differences_agree() {
        agrees_with_differences(Heun);
        agrees_with_differences(Tsit5);
        agrees_with_differences(Dopri5);
    }

    /// Thousands of steps, among them rejected ones, undone.
    #[test]
    fn long_solves() {
        let w = Var::new(&[[0.0f64, 1.0], [-1.0, 0.0]], &Device::Cpu).unwrap();
        let y0 = Tensor::new(&[[1f64, 0.0]], &Device::Cpu).unwrap();
        let v = w.as_tensor().clone();
        let s = solve(
            move |_: f64, y: &Tensor| -> Result<Tensor> { Ok(y.matmul(&v)?) },
            y0,
            (0.0, 100.0),
        );
        let method = Reversible { method: Tsit5, coupling: 0.99 };
        let s = s.with(method).tolerance(1e-9, 1e-9).adjoint(ReversibleAdjoint).run().unwrap();
        assert!(s.statistics.accepted > 1000, "{:?}", s.statistics);
        let loss = s.y_end.get(0).unwrap().get(0).unwrap();
        let gradients = loss.backward().unwrap();
        // y₁ = cos(t s) cosh(t d) and so on: dy₁/dw = t/2 · (… ) for rotations, from the series of the
        // matrix exponential: ∂ exp(tA)₁₁ in the direction E is ∫ exp((t−s)A) E exp(sA) ds.
        let t = 100.0f64;
        let want = [
            0.5 * (t * t.cos() + t.sin()),
            -0.5 * t * t.sin(),
            0.5 * t * t.sin(),
            0.5 * (t * t.cos() - t.sin()),
        ];
        assert_close(&entries(gradients.get(&w).unwrap()), &want, 1e-6, "rotation");
    }

    #[test]
    fn end_times() {
        let (w, y0) = (weight().as_tensor().detach(), start().as_tensor().detach());
        let ends = [0.2, 1.4].map(|t| Var::new(t, &Device::Cpu).unwrap());
        let [a, b] = ends.each_ref().map(|v| v.as_tensor().clone());
        let field = move |t: f64, y: &Tensor| slope(&w, t, y);
        let value = |span: Span| {
            let s = solve(field.clone(), y0.clone(), span).with(Reversible::new(Tsit5)).steps(100);
            s.jumps([0.55]).adjoint(ReversibleAdjoint).run().unwrap()
        };
        let s = value(Span::from_tensors(&a, &b).unwrap());
        let gradients = s.y_end.sum_all().unwrap().backward().unwrap();
        let at = |t0: f64, t1: f64| {
            let s = value((t0, t1).into());
            s.y_end.sum_all().unwrap().to_scalar::<f64>().unwrap()
        };
        let h = 1e-4;
        let want = [
            (at(0.2 + h, 1.4) - at(0.2 - h, 1.4)) / (2.0 * h),
            (at(0.2, 1.4 + h) - at(0.2, 1.4 - h)) / (2.0 * h),
        ];
        for (v, want) in ends.iter().zip(want) {
            let got = gradients.get(v).unwrap().to_scalar::<f64>().unwrap();
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn events_are_refused() {
        let y0 = Var::new(&[1f64], &Device::Cpu).unwrap();
        let s = solve(|_: f64, y: &Tensor| y.neg(), y0.as_tensor().clone(), (0.0, 1.0))
            .with(Reversible::new(Tsit5))
            .steps(4)
            .event(Event::of_tensor(|_, y: &Tensor| Ok((y - 0.5)?.squeeze(0)?)))
            .adjoint(ReversibleAdjoint)
            .run();
        assert!(matches!(s, Err(Error::EventsNotDifferentiated { .. })), "{s:?}");
    }
}

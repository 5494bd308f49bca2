//! Gradients through events: against closed forms and finite differences.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::candle::{Device, Tensor, Var};
use ansatz_ode::{
    Backsolve, Crossing, Direct, Dopri5, Error, Event, NoGradient, RecursiveCheckpoint, Rk4, Save,
    Solution, Tsit5, solve,
};
use ansatz_ops::{GradCheck, gradcheck};

type Checked<T> = Result<T, ansatz_ops::Error>;

/// Height, speed, gravity, restitution, height of the floor.
fn inputs() -> Vec<Tensor> {
    let values = [1.3f64, 0.4, 9.81, 0.7, 0.1];
    values.iter().map(|v| Tensor::new(&[*v], &Device::Cpu).unwrap()).collect()
}

/// A ball that bounces on a floor that also heaves, `x = floor + 0.05 sin 3t`, and loses energy by
/// a change that depends on time.
fn events(x: &[Tensor]) -> Event<Tensor> {
    let (floor, e) = (x[4].clone(), x[3].clone());
    let floor2 = floor.clone();
    Event::of_tensor(move |t, y: &Tensor| {
        Ok(((y.narrow(0, 0, 1)? - &floor)? - 0.05 * (3.0 * t).sin())?)
    })
    .falling()
    .change(move |t, y: &Tensor| {
        let ground = (&floor2 + 0.05 * (3.0 * t).sin())?;
        let speed = (y.narrow(0, 1, 1)?.mul(&e)?.neg()? * (1.0 - 0.1 * t))?;
        Ok(Tensor::cat(&[&ground, &speed], 0)?)
    })
}

#[derive(Clone, Copy, Debug)]
enum How {
    Checkpoint(usize),
    Direct,
}

fn bounce(x: &[Tensor], save: Save, how: How) -> Checked<Solution<Tensor>> {
    let g = x[2].clone();
    // Drag makes it nonlinear; the phase of the year makes it depend on time.
    let field = move |t: f64, y: &Tensor| {
        let v = y.narrow(0, 1, 1)?;
        let drag = (&v * &v.abs()?)? * (-0.1 - 0.03 * t.sin());
        Tensor::cat(&[&v, &(drag? - &g)?], 0)
    };
    let y0 = Tensor::cat(&[&x[0], &x[1]], 0)?;
    let setup = solve(field, y0, (0.0, 1.6))
        .with(Dopri5)
        .tolerance(1e-12, 1e-12)
        .event(events(x))
        .save(save);
    Ok(match how {
        How::Checkpoint(n) => setup.adjoint(RecursiveCheckpoint::new(n)).run()?,
        How::Direct => setup.adjoint(Direct).run()?,
    })
}

/// The time of a crossing as a tensor, with a gradient if the solve has one.
fn time_of(crossing: &Crossing<Tensor>) -> Tensor {
    let plain = || Tensor::new(crossing.t, &Device::Cpu).unwrap();
    crossing.time.clone().unwrap_or_else(plain)
}

const HOWS: [How; 3] = [How::Checkpoint(2), How::Checkpoint(64), How::Direct];

fn check(f: impl Fn(&[Tensor]) -> Checked<Vec<Tensor>>) {
    let check = GradCheck { relative: 2e-6, absolute: 1e-7, ..GradCheck::default() };
    let together = |x: &[Tensor]| -> Checked<Tensor> {
        let all = f(x)?.iter().map(Tensor::flatten_all).collect::<Result<Vec<_>, _>>()?;
        Ok(Tensor::cat(&all, 0)?)
    };
    gradcheck(together, &inputs(), &check).unwrap();
}

#[test]
fn state_after_bounces() {
    for how in HOWS {
        let s = bounce(&inputs(), Save::End, how).unwrap();
        assert_eq!(s.crossings.len(), 3, "{how:?}");
        check(|x| Ok(vec![bounce(x, Save::End, how)?.y_end]));
    }
}

#[test]
fn saved_states_before_and_after_bounces() {
    let times = vec![0.0, 0.3, 0.61, 0.9, 1.2, 1.6];
    for how in HOWS {
        check(|x| {
            let s = bounce(x, Save::Times(times.clone()), how)?;
            // Each with a weight of its own.
            let rows = s.ys.iter().zip(1u32..).map(|(y, k)| Ok((y * f64::from(k).sqrt())?));
            rows.collect()
        });
    }
}

#[test]
fn times_and_states_of_crossings() {
    for how in HOWS {
        check(|x| {
            let s = bounce(x, Save::End, how)?;
            let mut all = vec![s.y_end.clone()];
            for crossing in &s.crossings {
                all.push(time_of(crossing));
                all.push(crossing.y.clone());
            }
            Ok(all)
        });
    }
}

/// The states around an event, saved with every step, move with it.
#[test]
fn states_saved_at_the_event() {
    for how in HOWS {
        let s = bounce(&inputs(), Save::Steps, how).unwrap();
        let first = s.crossings[0].t;
        let at = s.ts.iter().position(|t| *t == first).unwrap();
        assert_eq!(s.ts[at + 1], first);
        check(|x| {
            // Differences change the number of steps: find the two states by their time.
            let s = bounce(x, Save::Steps, how)?;
            let at = s.ts.iter().position(|t| *t == s.crossings[0].t).unwrap();
            Ok(vec![s.ys[at].clone(), s.ys[at + 1].clone()])
        });
    }
}

/// A solve that ends at an event: its end, with and without a change there.
#[test]
fn ends_at_events() {
    for changes in [false, true] {
        for how in HOWS {
            check(|x| {
                let (g, floor) = (x[2].clone(), x[4].clone());
                let field = move |_: f64, y: &Tensor| {
                    let v = y.narrow(0, 1, 1)?;
                    Tensor::cat(&[&v, &(v.zeros_like()? - &g)?], 0)
                };
                let y0 = Tensor::cat(&[&x[0], &x[1]], 0)?;
                let mut event =
                    Event::of_tensor(move |_, y: &Tensor| Ok((y.narrow(0, 0, 1)? - &floor)?))
                        .falling()
                        .stop();
                if changes {
                    let e = x[3].clone();
                    event = event.change(move |t, y: &Tensor| {
                        let v = y.narrow(0, 1, 1)?.mul(&e)?.neg()?;
                        Ok(Tensor::cat(&[&(y.narrow(0, 0, 1)? * t)?, &v], 0)?)
                    });
                }
                let setup = solve(field, y0, (0.0, 9.0)).with(Rk4).steps(90).event(event);
                let s = match how {
                    How::Checkpoint(n) => setup.adjoint(RecursiveCheckpoint::new(n)).run()?,
                    How::Direct => setup.adjoint(Direct).run()?,
                };
                let time = time_of(&s.crossings[0]);
                Ok(vec![s.y_end, time])
            });
        }
    }
}

/// The time of a fall in f32, where the closed form says what its gradient is.
#[test]
fn single_precision() {
    let y0 = Var::new(&[2f32, 0.0], &Device::Cpu).unwrap();
    let field = |_: f64, y: &Tensor| {
        let v = y.narrow(0, 1, 1)?;
        Tensor::cat(&[&v, &(v.zeros_like()? - 9.81)?], 0)
    };
    let floor = Event::of_tensor(|_, y: &Tensor| Ok(y.get(0)?)).falling().stop();
    let s = solve(field, y0.as_tensor().clone(), (0.0, 10.0))
        .with(Tsit5)
        .tolerance(1e-5, 1e-5)
        .event(floor)
        .run()
        .unwrap();
    let time = s.crossings[0].time.as_ref().unwrap();
    let g = time.backward().unwrap().get(&y0).unwrap().to_vec1::<f32>().unwrap();
    assert!((g[0] - 1.0 / (4.0f32 * 9.81).sqrt()).abs() < 1e-5, "{g:?}");
}

#[test]
fn what_cannot_be_differentiated() {
    let y0 = Var::new(&[1f64], &Device::Cpu).unwrap();
    let fall = |_: f64, y: &Tensor| y.zeros_like()? - 1.0;
    let plain = || Event::new(|_, y: &Tensor| Ok(y.get(0)?.to_scalar::<f64>()?)).stop();
    let setup = |y0: Tensor| solve(fall, y0, (0.0, 3.0)).with(Tsit5).tolerance(1e-6, 1e-6);
    let result = setup(y0.as_tensor().clone()).event(plain()).run();
    assert!(matches!(result, Err(Error::EventsNotDifferentiated { .. })));
    let result = setup(y0.as_tensor().clone())
        .event(Event::of_tensor(|_, y: &Tensor| Ok(y.clone())))
        .adjoint(Backsolve)
        .run();
    assert!(matches!(result, Err(Error::EventsNotDifferentiated { .. })));
    // Where nothing wants a gradient, conditions may be plain numbers.
    for untracked in [
        setup(y0.as_tensor().detach()).event(plain()).run(),
        setup(y0.as_tensor().clone()).event(plain()).adjoint(NoGradient).run(),
    ] {
        assert!((untracked.unwrap().t_end - 1.0).abs() < 1e-12);
    }
}

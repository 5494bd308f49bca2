//! Gradients: against differences, and against solves of each row with its own adjoint.

use ansatz_ode::core::candle::{Tensor, Var};
use ansatz_ode::{
    Bosh3, Bs5, Controller, Dop853, Error, ExplicitRungeKutta, NoGradient, Pid,
    RecursiveCheckpoint, Rk4, Rms, RowSpans, Span, Tsit5, WithArguments, WithRowArguments, solve,
    solve_rows,
};
use ansatz_ops::{GradCheck, gradcheck};

use crate::common::{CPU, flat, noise, states};

type Value = ansatz_ode::core::candle::Result<Tensor>;

const ROWS: usize = 5;

/// `y' = tanh(y W) · cos(2 t) − p y`: W is shared, p is each row's own.
fn field(t: &Tensor, y: &Tensor, w: &Tensor, p: &Tensor) -> Value {
    let drive = y.matmul(w)?.tanh()?.broadcast_mul(&(t * 2.0)?.cos()?.unsqueeze(1)?)?;
    drive - y.broadcast_mul(&p.unsqueeze(1)?)?
}

fn weights() -> Tensor {
    Tensor::new(&[[0.3f64, 1.7], [-1.9, 0.4]], CPU).unwrap()
}

fn rates() -> Tensor {
    Tensor::new((0..ROWS).map(|i| 0.6 * noise(i, 0.8)).collect::<Vec<_>>(), CPU).unwrap()
}

fn spans() -> Vec<(f64, f64)> {
    vec![(0.0, 1.0), (0.5, -0.7), (0.2, 1.9), (0.1, 0.15), (-1.0, 0.4)]
}

fn column(values: impl Iterator<Item = f64>) -> Tensor {
    Tensor::new(values.collect::<Vec<_>>(), CPU).unwrap()
}

/// Three times in each row, the first at the start and the last at the end for some.
fn saves(spans: &[(f64, f64)]) -> Vec<Vec<f64>> {
    let of = |(i, (a, b)): (usize, &(f64, f64))| match i % 3 {
        0 => vec![*a, 0.5 * (a + b), *b],
        1 => vec![a + 0.1 * (b - a), a + 0.11 * (b - a), a + 0.9 * (b - a)],
        _ => vec![a + 0.4 * (b - a), a + 0.6 * (b - a), *b],
    };
    spans.iter().enumerate().map(of).collect()
}

/// A loss of everything that comes out, with other weights for every number.
fn loss(y: &Tensor, y_end: &Tensor, seed: f64) -> Tensor {
    let part = |x: &Tensor, seed: f64| {
        let weights: Vec<f64> = (0..x.elem_count()).map(|i| noise(i, seed)).collect();
        let weights = Tensor::from_vec(weights, x.shape(), CPU).unwrap();
        (x.sin().unwrap() * weights).unwrap().sum_all().unwrap()
    };
    (part(y, seed) + part(y_end, seed + 0.1)).unwrap()
}

/// W, p, y0, t0, t1.
fn inputs() -> Vec<Tensor> {
    let (t0, t1) = (spans().into_iter().map(|s| s.0), spans().into_iter().map(|s| s.1));
    vec![weights(), rates(), states(ROWS, 2, 0.3), column(t0), column(t1)]
}

fn run<M, C>(x: &[Tensor], method: M, controller: C, checkpoints: usize) -> Tensor
where
    M: ExplicitRungeKutta,
    C: Controller<M, Norm = Rms>,
{
    let w = x[0].clone();
    let field = WithRowArguments::new(
        move |t: &Tensor, y: &Tensor, p: &[Tensor]| field(t, y, &w, &p[0]),
        vec![x[1].clone()],
    );
    // Inside of every interval that differences reach.
    let times =
        |(a, b): &(f64, f64)| vec![a + 0.1 * (b - a), a + 0.11 * (b - a), a + 0.9 * (b - a)];
    let solution = solve_rows(field, x[2].clone(), RowSpans::from_tensors(&x[3], &x[4]).unwrap())
        .with(method)
        .controller(controller)
        .save_each_at(spans().iter().map(times).collect::<Vec<_>>())
        .adjoint(RecursiveCheckpoint::new(checkpoints))
        .run()
        .unwrap();
    loss(&solution.y, &solution.y_end, 0.9)
}

/// Adaptive steps change with the inputs; at a tight tolerance the solution does not notice.
#[test]
fn gradients_equal_differences() {
    let check = GradCheck { relative: 2e-6, absolute: 2e-7, ..GradCheck::default() };
    gradcheck(|x| Ok(run(x, Tsit5, Pid::i(1e-11, 1e-11), 64)), &inputs(), &check).unwrap();
    gradcheck(|x| Ok(run(x, Dop853, Pid::i(1e-11, 1e-11), 3)), &inputs(), &check).unwrap();
}

/// Gradients of W, p, y0, t0, t1 by solves of all rows together.
fn together<M: ExplicitRungeKutta, C: Controller<M, Norm = Rms>>(
    method: M,
    controller: C,
    checkpoints: usize,
) -> Vec<Vec<f64>> {
    let x: Vec<Var> = inputs().iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let w = x[0].as_tensor().clone();
    let field = WithRowArguments::new(
        move |t: &Tensor, y: &Tensor, p: &[Tensor]| field(t, y, &w, &p[0]),
        vec![(x[1].as_tensor() * 1.0).unwrap()],
    );
    let y0 = (x[2].as_tensor() * 1.0).unwrap();
    let solution = solve_rows(field, y0, RowSpans::from_tensors(&x[3], &x[4]).unwrap())
        .with(method)
        .controller(controller)
        .save_each_at(saves(&spans()))
        .adjoint(RecursiveCheckpoint::new(checkpoints))
        .run()
        .unwrap();
    let mut total = Tensor::new(0f64, CPU).unwrap();
    for i in 0..ROWS {
        let (y, end) = (solution.y.get(i).unwrap(), solution.y_end.get(i).unwrap());
        total = (total + loss(&y, &end, i as f64)).unwrap();
    }
    let gradients = total.backward().unwrap();
    x.iter().map(|x| flat(gradients.get(x).unwrap())).collect()
}

/// The same by a solve of each row, with the adjoint of single solves.
fn apart<M: ExplicitRungeKutta, C: Controller<M, Norm = Rms>>(
    method: M,
    controller: C,
) -> Vec<Vec<f64>> {
    let x: Vec<Var> = inputs().iter().map(|x| Var::from_tensor(x).unwrap()).collect();
    let mut total = Tensor::new(0f64, CPU).unwrap();
    for i in 0..ROWS {
        let w = x[0].as_tensor().clone();
        let one = |k: usize| x[k].narrow(0, i, 1).unwrap();
        let field = WithArguments::new(
            move |t: f64, y: &Tensor, p: &[Tensor]| field(&Tensor::new(&[t], CPU)?, y, &w, &p[0]),
            vec![one(1)],
        );
        let end = |k: usize| one(k).squeeze(0).unwrap();
        let span = Span::from_tensors(&end(3), &end(4)).unwrap();
        let solution = solve(field, one(2), span)
            .with(method)
            .controller(controller.clone())
            .save_at(saves(&spans())[i].clone())
            .adjoint(RecursiveCheckpoint::new(1000))
            .run()
            .unwrap();
        let y = Tensor::cat(&solution.ys, 0).unwrap();
        total = (total + loss(&y, &solution.y_end.get(0).unwrap(), i as f64)).unwrap();
    }
    let gradients = total.backward().unwrap();
    x.iter().map(|x| flat(gradients.get(x).unwrap())).collect()
}

#[track_caller]
fn same(a: &[Vec<f64>], b: &[Vec<f64>]) {
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12 * (1.0 + b.abs()), "input {k}: {a} {b}");
        }
    }
}

#[test]
fn gradients_equal_those_of_solves_of_each_row() {
    fn check<M: ExplicitRungeKutta, C: Controller<M, Norm = Rms>>(method: M, controller: C) {
        let apart = apart(method, controller.clone());
        for checkpoints in [1, 2, 5, 1000] {
            same(&together(method, controller.clone(), checkpoints), &apart);
        }
    }
    // Loose tolerances with rejected steps.
    check(Tsit5, Pid { first_step: Some(1.0), ..Pid::pi(1e-3, 1e-3) });
    check(Bosh3, Pid::i(1e-4, 1e-4));
    check(Bs5, Pid::i(1e-4, 1e-4));
    check(Dop853, Pid { first_step: Some(1.0), ..Pid::i(1e-6, 1e-6) });
    check(Rk4, ansatz_ode::FixedStep { step: 0.11 });
}

#[test]
fn parts_of_a_large_batch_share_their_parameters() {
    let rows = 2500;
    let w = Var::from_tensor(&weights()).unwrap();
    let y0 = Var::from_tensor(&states(rows, 2, 0.2)).unwrap();
    let gradients = |from: usize, count: usize| {
        let (captured, y0) = (w.as_tensor().clone(), y0.narrow(0, from, count).unwrap());
        let zero = Tensor::zeros(count, w.dtype(), CPU).unwrap();
        let field = WithRowArguments::new(
            move |t: &Tensor, y: &Tensor, p: &[Tensor]| field(t, y, &captured, &p[0]),
            vec![zero],
        );
        let setup = solve_rows(field, y0, (0.0, 0.3)).with(Tsit5).tolerance(1e-4, 1e-4);
        setup.run().unwrap().y_end.sqr().unwrap().sum_all().unwrap()
    };
    let whole = gradients(0, rows).backward().unwrap();
    let halves = (gradients(0, 1000) + gradients(1000, 1500)).unwrap().backward().unwrap();
    for v in [&w, &y0] {
        let (a, b) = (flat(whole.get(v).unwrap()), flat(halves.get(v).unwrap()));
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-10 * (1.0 + b.abs())));
    }
}

#[test]
fn gradients_of_what_was_reached_pass_a_row_that_failed() {
    // y' = w y²: row 1 leaves the numbers at t = 1.
    let w = Var::new(1f64, CPU).unwrap();
    let captured = w.as_tensor().clone();
    let square = move |_: &Tensor, y: &Tensor| y.sqr()?.broadcast_mul(&captured);
    let y0 = Var::new(&[[0.3f64], [1.0]], CPU).unwrap();
    let solution = solve_rows(square, y0.as_tensor().clone(), (0.0, 2.0))
        .with(Tsit5)
        .tolerance(1e-9, 1e-9)
        .save_at(vec![0.5, 1.5])
        .run_partial()
        .unwrap();
    assert!(solution.error(0).is_none() && solution.error(1).is_some());
    // y = y0 / (1 − w y0 t): dy/dw = y² t, dy/dy0 = (y / y0)².
    let y = solution.y.get(0).unwrap().sum_all().unwrap();
    let gradients = y.backward().unwrap();
    let y = |y0: f64, t: f64| y0 / (1.0 - y0 * t);
    let want = 0.5 * y(0.3, 0.5).powi(2) + 1.5 * y(0.3, 1.5).powi(2);
    assert!((flat(gradients.get(&w).unwrap())[0] - want).abs() < 1e-7);
    let early = solution.y.get(1).unwrap().get(0).unwrap().sum_all().unwrap();
    let gradients = early.backward().unwrap();
    assert!((flat(gradients.get(&w).unwrap())[0] - 0.5 * y(1.0, 0.5).powi(2)).abs() < 1e-6);
    let of_start = flat(gradients.get(&y0).unwrap());
    assert!(of_start[0] == 0.0 && (of_start[1] - 4.0).abs() < 1e-6, "{of_start:?}");
}

#[test]
fn values_alone_where_nothing_is_tracked_or_no_gradient_is_wanted() {
    let w = Var::from_tensor(&weights()).unwrap();
    let captured = w.as_tensor().clone();
    let linear = move |_: &Tensor, y: &Tensor| y.matmul(&captured);
    let setup = solve_rows(linear, states(3, 2, 0.1), (0.0, 1.0)).with(Tsit5).tolerance(1e-5, 1e-5);
    assert!(setup.clone().run().unwrap().y_end.track_op());
    assert!(!setup.adjoint(NoGradient).run().unwrap().y_end.track_op());
    let fixed = |_: &Tensor, y: &Tensor| y.neg();
    let setup = solve_rows(fixed, states(3, 2, 0.1), (0.0, 1.0)).with(Tsit5).tolerance(1e-5, 1e-5);
    assert!(!setup.run().unwrap().y_end.track_op());
}

#[test]
fn a_variable_that_is_read_late_is_not_lost() {
    let w = Var::new(2f64, CPU).unwrap();
    let late = w.as_tensor().clone();
    let switching = move |t: &Tensor, y: &Tensor| -> Value {
        if t.to_vec1::<f64>()?[0] > 0.5 { y.broadcast_mul(&late) } else { y.neg() }
    };
    let y0 = Var::from_tensor(&states(2, 1, 0.4)).unwrap();
    let setup = solve_rows(switching, y0.as_tensor().clone(), (0.0, 1.0)).with(Rk4).step(0.1);
    let end = setup.run().unwrap().y_end.sum_all().unwrap();
    let error = Error::from(end.backward().unwrap_err());
    assert!(matches!(error, Error::LateVariable { .. }), "{error}");
}

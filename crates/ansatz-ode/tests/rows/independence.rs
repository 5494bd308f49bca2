//! What happens in one row does not reach the others, and rows that have ended are not evaluated.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use ansatz_ode::core::candle::{DType, Tensor};
use ansatz_ode::{
    Autonomous, Bosh3, Dop853, Error, NoGradient, Pid, Rk4, RowsSolution, Status, Tsit5,
    WithRowArguments, solve_rows,
};

use crate::common::{CPU, flat, noise, states, swing};

/// `y' = −rate · (y − cos t)` with a rate of each row.
fn relax(t: &Tensor, y: &Tensor, rates: &[Tensor]) -> ansatz_ode::core::candle::Result<Tensor> {
    y.broadcast_sub(&t.cos()?.unsqueeze(1)?)?.broadcast_mul(&rates[0].neg()?.unsqueeze(1)?)
}

fn row(solution: &RowsSolution, i: usize) -> (Vec<f64>, Vec<f64>, String) {
    let text = format!("{:?} {:?}", solution.status[i], solution.statistics[i]);
    let of = |x: &Tensor| flat(&x.get(i).unwrap());
    (of(&solution.y_end), of(&solution.y), text)
}

#[test]
fn a_fast_row_changes_no_other() {
    let y0 = states(5, 1, 0.2);
    let solve = |rates: [f64; 5]| {
        let rates = Tensor::new(&rates, CPU).unwrap();
        solve_rows(WithRowArguments::new(relax, vec![rates]), y0.clone(), (0.0, 3.0))
            .with(Tsit5)
            .tolerance(1e-7, 1e-9)
            .save_at(vec![1.0, 2.0])
            .run()
            .unwrap()
    };
    let (slow, fast) = (solve([1.0, 2.0, 3.0, 1.5, 0.1]), solve([1.0, 2.0, 3e4, 1.5, 0.1]));
    assert!(fast.statistics[2].accepted > 100 * slow.statistics[2].accepted);
    for i in [0, 1, 3, 4] {
        assert_eq!(row(&slow, i), row(&fast, i));
    }
    // Right, not only the same: y → (r² cos t + r sin t) / (1 + r²) for a rate r.
    let r = 3e4f64;
    let exact = (r * r * 3f64.cos() + r * 3f64.sin()) / (1.0 + r * r);
    assert!((flat(&fast.y_end)[2] - exact).abs() < 1e-6);
}

#[test]
fn a_permutation_of_the_rows_permutes_the_solution() {
    let rows = 17;
    let spans: Vec<(f64, f64)> =
        (0..rows).map(|i| (noise(i, 0.1), noise(i, 0.1) + 3.0 * noise(i, 0.9))).collect();
    let saves: Vec<Vec<f64>> =
        spans.iter().map(|(a, b)| vec![a + 0.3 * (b - a), a + 0.8 * (b - a)]).collect();
    let y0 = states(rows, 2, 0.4);
    let order: Vec<usize> = (0..rows).map(|i| (i * 5 + 3) % rows).collect();
    let index: Vec<u32> = order.iter().map(|i| *i as u32).collect();
    let index = Tensor::new(index, CPU).unwrap();
    let solve = |y0: Tensor, spans: Vec<(f64, f64)>, saves: Vec<Vec<f64>>| {
        let setup = solve_rows(swing, y0, spans).with(Bosh3).tolerance(1e-6, 1e-8);
        setup.save_each_at(saves).run().unwrap()
    };
    let plain = solve(y0.clone(), spans.clone(), saves.clone());
    let other = solve(
        y0.index_select(&index, 0).unwrap(),
        order.iter().map(|i| spans[*i]).collect(),
        order.iter().map(|i| saves[*i].clone()).collect(),
    );
    for (new, old) in order.iter().enumerate() {
        assert_eq!(row(&other, new), row(&plain, *old));
    }
}

#[test]
fn a_row_that_blows_up_spoils_no_other() {
    // y' = y², which reaches infinity at t = 1 / y0; row 3 is not even defined at its start.
    let square = |t: &Tensor, y: &Tensor| {
        let pole = t.affine(1.0, -7.0)?.recip()?.unsqueeze(1)?.affine(0.0, 0.0)?;
        y.sqr()?.broadcast_add(&pole)
    };
    let y0 = Tensor::new(&[[0.3f64], [1.0], [0.2], [0.1]], CPU).unwrap();
    let spans = vec![(0.0, 2.0), (0.0, 2.0), (0.0, 2.0), (7.0, 9.0)];
    let saves: Vec<Vec<f64>> = spans.iter().map(|(a, _)| vec![*a, a + 0.5, a + 1.5]).collect();
    let setup = solve_rows(square, y0, spans).save_each_at(saves);
    let adaptive = setup.clone().with(Tsit5).tolerance(1e-8, 1e-8);
    let solution = adaptive.clone().run_partial().unwrap();
    let ends = flat(&solution.y_end);
    for (i, y0) in [(0, 0.3), (2, 0.2)] {
        assert_eq!((solution.status[i], solution.t_end[i]), (Status::Finished, 2.0));
        assert!((ends[i] - y0 / (1.0 - 2.0 * y0)).abs() < 1e-6);
    }
    assert!(matches!(solution.status[1], Status::StepTooSmall { .. } | Status::NotFinite { .. }));
    assert!(ends[1].is_finite() && ends[1] > 1e6 && (solution.t_end[1] - 1.0).abs() < 1e-6);
    assert_eq!(solution.status[3], Status::NotFinite { what: "the vector field" });
    assert_eq!((solution.t_end[3], ends[3]), (7.0, 0.1));
    // What was reached is there, and the rest is NaN.
    let saved = solution.y.flatten_from(1).unwrap().to_vec2::<f64>().unwrap();
    assert!((saved[1][1] - 2.0).abs() < 1e-6 && saved[1][2].is_nan());
    assert!(saved[3][0] == 0.1 && saved[3][1].is_nan());
    assert!(saved[0].iter().all(|y| y.is_finite()));
    // A whole solve was wanted: the first row that failed, and why.
    let error = adaptive.run().unwrap_err();
    assert!(matches!(&error, Error::Row { row: 1, .. }), "{error}");
    assert!(error.to_string().starts_with("row 1: "), "{error}");

    // Steps of one length run into infinity.
    let fixed = setup.with(Rk4).step(0.01).run_partial().unwrap();
    assert_eq!(fixed.status[1], Status::NotFinite { what: "the state after a step" });
    assert!(flat(&fixed.y_end).iter().all(|y| y.is_finite()));
    assert_eq!(fixed.status[0], Status::Finished);
}

#[test]
fn a_budget_of_steps_ends_the_rows_that_need_more() {
    let y0 = states(3, 2, 0.5);
    let spans = vec![(0.0, 0.1), (0.0, 30.0), (0.0, 0.2)];
    let setup = solve_rows(swing, y0, spans).with(Tsit5).tolerance(1e-6, 1e-6);
    let solution = setup.clone().max_steps(20).run_partial().unwrap();
    let expected = [Status::Finished, Status::StepBudgetExhausted, Status::Finished];
    assert_eq!(solution.status, expected);
    assert_eq!(solution.statistics[1].attempted(), 20);
    let error = solution.finished().unwrap_err().to_string();
    assert!(error.starts_with("row 1: 20 steps led only to t ="), "{error}");
    let none = setup.max_steps(0).run_partial().unwrap();
    assert_eq!(none.status, [Status::StepBudgetExhausted; 3]);
    assert_eq!(none.t_end, [0.0; 3]);
}

#[test]
fn rows_with_nowhere_to_go_stay() {
    let y0 = states(3, 2, 0.5);
    let spans = vec![(1.0, 1.0), (0.0, 1.0), (-2.0, -2.0)];
    let saves = vec![vec![1.0], vec![0.0], vec![-2.0]];
    let setup = solve_rows(swing, y0.clone(), spans).with(Tsit5).tolerance(1e-6, 1e-6);
    let solution = setup.save_each_at(saves).run().unwrap();
    for i in [0, 2] {
        let (end, saved, _) = row(&solution, i);
        assert_eq!((&end, &saved), (&flat(&y0.get(i).unwrap()), &flat(&y0.get(i).unwrap())));
        assert_eq!(solution.statistics[i].evaluations, 0);
    }
    assert!(solution.statistics[1].accepted > 1);
    // None of them goes anywhere: nothing is evaluated at all.
    let never = |_: &Tensor, _: &Tensor| -> ansatz_ode::core::candle::Result<Tensor> {
        ansatz_ode::core::candle::bail!("evaluated")
    };
    let resting = solve_rows(never, y0.clone(), (1.0, 1.0)).with(Rk4).step(0.1).run().unwrap();
    assert_eq!(flat(&resting.y_end), flat(&y0));
    assert_eq!(resting.y.dims(), [3, 0, 2]);
}

/// Rows that the field sees in all, and those that the statistics say it needs.
fn evaluated(solve: impl FnOnce(Arc<AtomicUsize>) -> RowsSolution) -> (usize, usize) {
    let seen = Arc::new(AtomicUsize::new(0));
    let solution = solve(seen.clone());
    let needed = solution.statistics.iter().map(|s| s.evaluations).sum();
    (seen.load(Relaxed), needed)
}

#[test]
fn rows_that_have_ended_are_not_evaluated() {
    let rows = 40;
    let spans: Vec<(f64, f64)> = (0..rows).map(|i| (0.0, 0.2 * i as f64)).collect();
    let count = |seen: Arc<AtomicUsize>| {
        move |t: &Tensor, y: &Tensor| {
            assert_eq!(t.dims()[0], y.dims()[0]);
            seen.fetch_add(y.dims()[0], Relaxed);
            swing(t, y)
        }
    };
    let y0 = states(rows, 2, 0.6);
    let (seen, needed) = evaluated(|seen| {
        let setup = solve_rows(count(seen), y0.clone(), spans.clone());
        setup.with(Tsit5).tolerance(1e-6, 1e-6).run().unwrap()
    });
    assert_eq!(seen, needed);
    let (seen, needed) = evaluated(|seen| {
        let saves: Vec<Vec<f64>> = spans.iter().map(|(_, t)| vec![0.77 * t]).collect();
        let saves = [saves[1..].to_vec(), vec![vec![0.1]]].concat();
        let spans = [spans[1..].to_vec(), vec![(0.0, 0.3)]].concat();
        let setup = solve_rows(count(seen), y0.clone(), spans).with(Dop853);
        setup.controller(Pid::pi(1e-6, 1e-6)).save_each_at(saves).run().unwrap()
    });
    assert_eq!(seen, needed);
    let (seen, needed) = evaluated(|seen| {
        solve_rows(count(seen), y0.clone(), spans.clone()).with(Rk4).step(0.1).run().unwrap()
    });
    assert_eq!(seen, needed);
}

#[test]
fn large_batches_in_parts_and_other_devices_ways() {
    // More rows than one part holds: the parts and one long batch of the same rows agree.
    let rows = 3000;
    let y0 = states(rows, 2, 0.7);
    let spans: Vec<(f64, f64)> = (0..rows).map(|i| (0.0, 0.3 + 0.1 * noise(i, 0.2))).collect();
    let solve = |from: usize, count: usize| {
        let y0 = y0.narrow(0, from, count).unwrap();
        let spans = spans[from..from + count].to_vec();
        let setup = solve_rows(swing, y0, spans).with(Tsit5).tolerance(1e-5, 1e-7);
        setup.save_at(vec![0.05, 0.1]).adjoint(NoGradient).run().unwrap()
    };
    let whole = solve(0, rows);
    for from in [0, 900, 2990] {
        let some = solve(from, 10);
        for i in 0..10 {
            assert_eq!(row(&whole, from + i), row(&some, i));
        }
    }
    // What a device without kernels computes.
    let composed = ansatz_ops::without_kernels(|| solve(900, 10));
    for i in 0..10 {
        assert_eq!(composed.statistics[i], whole.statistics[900 + i]);
        for (a, b) in row(&composed, i).0.iter().zip(row(&whole, 900 + i).0) {
            assert!((a - b).abs() < 1e-12);
        }
    }
}

#[test]
fn other_ranks_dtypes_and_fields() {
    // y' = −y for rows of any shape, by an ordinary field without time.
    let decay = Autonomous(|_: f64, y: &Tensor| y.neg());
    for (shape, dtype) in
        [(vec![4], DType::F64), (vec![4, 2, 3], DType::F32), (vec![4, 1], DType::BF16)]
    {
        let y0 = Tensor::ones(shape.clone(), dtype, CPU).unwrap();
        let solution = solve_rows(decay, y0, (0.0, 1.0))
            .with(Tsit5)
            .tolerance(1e-4, 1e-5)
            .save_at(vec![0.5])
            .run()
            .unwrap();
        let tolerance = if dtype == DType::BF16 { 0.02 } else { 1e-3 };
        for (y, t) in [(&solution.y_end, 1.0f64), (&solution.y, 0.5)] {
            assert_eq!(y.dtype(), dtype);
            assert!(flat(y).iter().all(|y| (y - (-t).exp()).abs() < tolerance), "{dtype:?}");
        }
        assert_eq!(solution.y_end.dims(), shape);
        assert_eq!(solution.y.dims(), [&shape[..1], &[1], &shape[1..]].concat());
        assert_eq!(solution.t.to_vec2::<f64>().unwrap(), vec![vec![0.5]; 4]);
    }
    // One that does depend on time is found out.
    let timely = Autonomous(|t: f64, y: &Tensor| y.affine(t, 0.0));
    let bad = solve_rows(timely, states(2, 1, 0.1), (0.0, 1.0)).with(Rk4).step(0.1).run();
    assert!(matches!(bad, Err(Error::Row { row: 0, .. })), "{bad:?}");
}

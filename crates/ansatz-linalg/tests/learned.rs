//! Bandits against their theory, and solvers that learn.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

mod common;

use ansatz_linalg::{
    Chooser, ContextualTsallisInf, Error, LearnedRelaxation, Outcome, Relaxed, Sparse, Stopping,
    TsallisInf, core::Key, nalgebra_sparse::CooMatrix,
};
use common::{poisson, residual};

fn actions(n: usize) -> Vec<f64> {
    (0..n).map(|i| i as f64 / (n - 1) as f64).collect()
}

#[test]
fn probabilities_follow_the_formula() {
    let mut bandit = TsallisInf::new(actions(5), Key::new(0)).unwrap();
    assert!(bandit.probabilities().iter().all(|p| (p - 0.2).abs() < 1e-12));
    for t in 1..400usize {
        let action = bandit.choose().unwrap();
        // Losses of very different sizes, so that estimates are far apart.
        bandit.learn(if t % 7 == 0 { 30.0 * action } else { action }).unwrap();
        let p = bandit.probabilities();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{t}");
        assert!(p.iter().all(|p| *p > 0.0 && *p <= 1.0), "{t}");
    }
    // By hand: one round, the first action chosen with probability ½ and lost 1, so L = (2, 0), η = √2;
    // x from 4/(2 (2 − x)²) + 4/(2 x²) = 1 by bisection.
    let mut two = TsallisInf::new(vec![0.0, 1.0], Key::new(0)).unwrap();
    let first = two.choose().unwrap();
    two.learn(1.0).unwrap();
    let sum = |x: f64| 2.0 / (2.0 - x).powi(2) + 2.0 / (x * x);
    let (mut low, mut high) = (-10.0, -1e-9);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if sum(middle) < 1.0 { low = middle } else { high = middle }
    }
    let p = two.probabilities();
    let lost = usize::from(first == 1.0);
    assert!((p[lost] - 2.0 / (2.0 - low).powi(2)).abs() < 1e-12, "{p:?}");
    assert!((p[1 - lost] - 2.0 / (low * low)).abs() < 1e-12, "{p:?}");
}

#[test]
fn the_regret_stays_small() {
    // Bernoulli losses, 0.3 for the best of five actions and 0.5 for the others.
    let play = |rounds: u64, key: u64| {
        let mut bandit = TsallisInf::new(actions(5), Key::new(key)).unwrap();
        let mut regret = 0.0;
        for t in 0..rounds {
            let noise = Key::new(99).fold_in(t).uniform(5);
            let loss =
                |action: usize| f64::from(noise[action] < if action == 3 { 0.3 } else { 0.5 });
            let chosen = (bandit.choose().unwrap() * 4.0).round() as usize;
            bandit.learn(loss(chosen)).unwrap();
            regret += if chosen == 3 { 0.0 } else { 0.2 };
        }
        regret
    };
    let mean = |rounds| (0..8).map(|key| play(rounds, key)).sum::<f64>() / 8.0;
    let (short, long) = (mean(1000), mean(8000));
    // Choosing blindly costs 0.16 a round: 1280. The theorem allows 4 √(5 · 8000) + 1 = 801.
    assert!(long < 200.0, "{long}");
    // It grows far slower than the rounds.
    assert!(long < 3.0 * short, "{short} {long}");
    // Losses that change sides half-way: nothing is trusted for ever.
    let mut bandit = TsallisInf::new(actions(2), Key::new(4)).unwrap();
    let mut late = 0.0;
    for t in 0..6000 {
        let action = bandit.choose().unwrap();
        let loss = if t < 1000 { action } else { 1.0 - action };
        bandit.learn(loss).unwrap();
        if t >= 5000 {
            late += loss;
        }
    }
    assert!(late < 150.0, "{late}");
    // The same key, the same choices.
    let choices = |key| -> Vec<f64> {
        let mut bandit = TsallisInf::new(actions(5), Key::new(key)).unwrap();
        let round = |_| {
            let action = bandit.choose().unwrap();
            bandit.learn(action).unwrap();
            action
        };
        (0..50).map(round).collect()
    };
    assert_eq!(choices(7), choices(7));
    assert_ne!(choices(7), choices(8));
}

#[test]
fn a_context_pays() {
    // The best action is the context itself.
    let key = Key::new(5);
    let mut plain = TsallisInf::new(actions(6), key).unwrap();
    let mut contextual = ContextualTsallisInf::new(&actions(6), [0.0, 1.0], 6, key).unwrap();
    let (mut without, mut with) = (0.0, 0.0);
    for context in Key::new(6).uniform(6000) {
        let loss = (plain.choose().unwrap() - context).abs();
        plain.learn(loss).unwrap();
        without += loss;
        let loss = (contextual.choose(context).unwrap() - context).abs();
        contextual.learn(loss).unwrap();
        with += loss;
    }
    // The best fixed action costs a quarter a round, the best function of the bins a twelfth at most.
    assert!(without / 6000.0 > 0.24 && with / 6000.0 < 0.16, "{without} {with}");
    // Outside of the range is its end.
    contextual.choose(17.0).unwrap();
    contextual.learn(0.1).unwrap();
    contextual.choose(-3.0).unwrap();
}

#[test]
fn solvers_learn_their_factor() {
    let shifted = |c: f64| {
        let base = poisson(10);
        let mut entries = CooMatrix::from(base.as_csr());
        (0..100).for_each(|i| entries.push(i, i, c));
        Sparse::from_coo(&entries).unwrap()
    };
    let stopping = Stopping { relative: 1e-8, absolute: 0.0, iterations: 10_000 };
    let contexts: Vec<f64> = Key::new(1).uniform(300).iter().map(|u| -0.15 + 0.6 * u * u).collect();
    let run = |solver: Relaxed, chooser: Chooser| -> usize {
        let scale = if solver == Relaxed::Sor { 100.0 } else { 10.0 };
        let mut solver = LearnedRelaxation { solver, chooser, stopping, scale };
        let mut total = 0;
        for (t, c) in contexts.iter().enumerate() {
            let a = shifted(*c);
            let b = Key::new(2).fold_in(t as u64).normal(100);
            let solution = solver.solve(&a, &b, None, *c).unwrap();
            assert!(residual(&a, &b, &solution.x) <= solution.target);
            total += solution.iterations();
        }
        total
    };
    let omegas: Vec<f64> = (0..5).map(|i| 1.0 + 0.2 * f64::from(i)).collect();
    for solver in [Relaxed::Sor, Relaxed::SsorCg] {
        let fixed: Vec<usize> = omegas.iter().map(|w| run(solver, Chooser::Fixed(*w))).collect();
        let best = *fixed.iter().min().unwrap();
        let mean = fixed.iter().sum::<usize>() / fixed.len();
        let bandit = TsallisInf::new(omegas.clone(), Key::new(3)).unwrap();
        let learnt = run(solver, Chooser::Bandit(bandit));
        // A third of what blind choice loses is saved at least, so soon.
        assert!(3 * (learnt - best) < 2 * (mean - best), "{solver:?} {learnt} {best} {mean}");
    }

    // What cannot converge is an error, and learnt from.
    let a = shifted(0.0);
    let b = vec![1.0; 100];
    let bandit = TsallisInf::new(vec![1.0, 1.5], Key::new(3)).unwrap();
    let mut solver = LearnedRelaxation {
        solver: Relaxed::Sor,
        chooser: Chooser::Bandit(bandit),
        stopping: Stopping { iterations: 2, ..stopping },
        scale: 100.0,
    };
    for _ in 0..3 {
        let failed = solver.solve(&a, &b, None, 0.0);
        assert!(matches!(failed, Err(Error::NotConverged { outcome: Outcome::Budget, .. })));
    }
    solver.scale = 0.0;
    let failed = solver.solve(&a, &b, None, 0.0);
    assert!(matches!(failed, Err(Error::InvalidArgument { what: "scale", .. })));
    solver.scale = 1.0;
    solver.chooser = Chooser::Fixed(2.5);
    assert!(matches!(solver.solve(&a, &b, None, 0.0), Err(Error::InvalidArgument { .. })));
}

/// Divergence ends a solve early; that makes it no cheap one.
#[test]
fn factors_that_diverge_are_not_preferred() {
    let mut entries = CooMatrix::new(2, 2);
    for (i, j, a) in [(0, 0, 1.0), (0, 1, 0.94), (1, 0, -1.0), (1, 1, 1.0)] {
        entries.push(i, j, a);
    }
    let a = Sparse::from_coo(&entries).unwrap();
    let bandit = TsallisInf::new(vec![1.0, 1.9], Key::new(1)).unwrap();
    let mut solver = LearnedRelaxation {
        solver: Relaxed::Sor,
        chooser: Chooser::Bandit(bandit),
        stopping: Stopping { iterations: 10_000, ..Stopping::default() },
        scale: 400.0,
    };
    let solved = (0..200).filter(|_| solver.solve(&a, &vec![1.0, 2.0], None, 0.0).is_ok());
    let solved = solved.count();
    assert!(solved > 150, "{solved}");
    // What is no system is nothing to learn from.
    let before = solver.clone();
    assert!(solver.solve(&a, &vec![1.0; 3], None, 0.0).is_err());
    assert!(solver.solve(&a, &vec![1.0, f64::NAN], None, 0.0).is_err());
    let (Chooser::Bandit(one), Chooser::Bandit(other)) = (&before.chooser, &solver.chooser) else {
        panic!("another chooser");
    };
    assert_eq!(one.probabilities(), other.probabilities());
    let zero = Sparse::from_coo(&CooMatrix::new(2, 2)).unwrap();
    let failed = solver.solve(&zero, &vec![1.0; 2], None, 0.0);
    assert!(matches!(failed, Err(Error::Singular { .. })));
}

#[test]
fn large_losses_are_losses() {
    let mut bandit = TsallisInf::new(actions(2), Key::new(0)).unwrap();
    for _ in 0..6 {
        bandit.choose().unwrap();
        bandit.learn(1e17).unwrap();
        let p = bandit.probabilities();
        assert!(
            (p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && p.iter().all(|p| *p >= 0.0),
            "{p:?}"
        );
    }
    let mut bandit = TsallisInf::new(actions(3), Key::new(0)).unwrap();
    bandit.choose().unwrap();
    assert!(matches!(bandit.learn(f64::MAX), Err(Error::InvalidArgument { .. })));
    bandit.learn(1.0).unwrap();
    assert!(bandit.probabilities().iter().all(|p| *p > 0.0));
}

#[test]
fn input_that_makes_no_sense() {
    let key = Key::new(0);
    assert!(TsallisInf::new(vec![], key).is_err());
    assert!(TsallisInf::new(vec![1.0, f64::NAN], key).is_err());
    let mut bandit = TsallisInf::new(vec![1.0, 2.0], key).unwrap();
    assert!(bandit.learn(0.5).is_err());
    bandit.choose().unwrap();
    assert!(bandit.choose().is_err());
    assert!(bandit.learn(-1.0).is_err() && bandit.learn(f64::NAN).is_err());
    bandit.learn(0.5).unwrap();
    for (range, bins) in [([1.0, 0.0], 3), ([0.0, f64::INFINITY], 3), ([0.0, 1.0], 0)] {
        assert!(ContextualTsallisInf::new(&[1.0], range, bins, key).is_err(), "{range:?} {bins}");
    }
    let mut bandit = ContextualTsallisInf::new(&[1.0], [0.0, 1.0], 2, key).unwrap();
    assert!(bandit.choose(f64::NAN).is_err() && bandit.learn(0.1).is_err());
    bandit.choose(0.3).unwrap();
    assert!(bandit.choose(0.3).is_err());
    assert!(bandit.learn(-1.0).is_err());
    bandit.learn(1.0).unwrap();
}

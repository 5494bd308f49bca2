//! States from outside: phase space, jets, bounds.

use ansatz::{
    core::{Jet, Key, Module},
    ode::{ExplicitRungeKutta, Tsit5, solve},
    ops::vjp,
};
use ansatz_tests::{Bound, CashKarp, Lifted, Phase, ThreeEighths};
use candle_core::{DType, Device, Tensor};

use crate::{Checked, assert_close, flat, mlp, normal, through};

fn kepler(_t: f64, s: &Phase) -> Phase {
    let r = s.q[0].hypot(s.q[1]);
    Phase { q: s.p.clone(), p: s.q.iter().map(|q| -q / r.powi(3)).collect() }
}

/// A Kepler orbit of eccentricity 0.5 closes after 2π.
#[test]
fn an_orbit_closes() -> Checked {
    let start = Phase { q: vec![0.5, 0.0], p: vec![0.0, 3f64.sqrt()] };
    for direction in [1.0, -1.0] {
        let period = direction * std::f64::consts::TAU;
        let run = solve(kepler, start.clone(), (0.0, period))
            .with(CashKarp)
            .tolerance(1e-10, 1e-10)
            .save_at([0.5 * period, period])
            .run()?;
        assert_close(&run.y_end.q, &start.q, 1e-7);
        assert_close(&run.y_end.p, &start.p, 1e-7);
        // Half way it stands at the far end; saved by interpolation of order 3.
        assert_close(&run.ys[0].q, &[-1.5, 0.0], 1e-5);
    }
    Ok(())
}

/// Jets pushed through every step and the adjoint of the same steps are two ways to compute one
/// Jacobian: `⟨w, J v⟩ = ⟨Jᵀ w, v⟩` to rounding.
#[test]
fn sensitivities_forwards_equal_the_adjoint() -> Checked {
    fn check<M: ExplicitRungeKutta>(method: M) -> Checked {
        let (model, _) = mlp(3, &[3, 8, 3]);
        let y0 = normal(1, &[2, 3], DType::F64);
        let (v, w) = (normal(2, &[2, 3], DType::F64), normal(3, &[2, 3], DType::F64));

        let net = model.clone();
        let plain = move |_t: f64, y: &Tensor| net.forward(y);
        let (end, pullback) = vjp(
            |x| {
                let run = solve(plain, x[0].clone(), (0.0, 1.0)).with(method).steps(7).run();
                Ok(vec![run.map_err(through)?.y_end])
            },
            std::slice::from_ref(&y0),
        )?;
        let transposed = pullback.apply(std::slice::from_ref(&w))?;

        let lifted = |_t: f64, y: &Lifted<Jet>| model.forward(&y.0).map(Lifted);
        let seed = Jet::seed(&y0, &v.unsqueeze(0)?, 2)?;
        let run = solve(lifted, Lifted(seed), (0.0, 1.0)).with(method).steps(7).run()?;
        let jet = run.y_end.0;
        assert_close(&flat(&jet.value()?), &flat(&end[0]), 1e-14);
        let forwards = flat(&(jet.derivative(1, 0)? * &w)?.sum_all()?);
        let backwards = flat(&(&transposed.inputs[0] * &v)?.sum_all()?);
        assert!(forwards[0].abs() > 0.1);
        assert_close(&forwards, &backwards, 1e-13);

        // The second derivative along v against differences of the first.
        let first = |h: f64| -> Checked<Vec<f64>> {
            let x = (&y0 + v.affine(h, 0.0)?)?;
            let lifted = |_t: f64, y: &Lifted<Jet>| model.forward(&y.0).map(Lifted);
            let seed = Lifted(Jet::seed(&x, &v.unsqueeze(0)?, 1)?);
            let run = solve(lifted, seed, (0.0, 1.0)).with(method).steps(7).run()?;
            Ok(flat(&run.y_end.0.derivative(1, 0)?))
        };
        let h = 1e-5;
        let difference: Vec<f64> =
            first(h)?.iter().zip(first(-h)?).map(|(p, m)| (p - m) / (2.0 * h)).collect();
        assert_close(&flat(&jet.derivative(2, 0)?), &difference, 1e-7);
        Ok(())
    }
    check(ThreeEighths)?;
    check(CashKarp)?;
    check(Tsit5)
}

/// Every trajectory from a box ends in the bound of the discrete flow.
#[test]
fn reachable_sets_contain_all_trajectories() -> Checked {
    let (model, _) = mlp(4, &[2, 6, 2]);
    let centre = Tensor::new(&[[0.5f64, -0.4]], &Device::Cpu)?;
    let radius = 0.05;
    let lifted = |_t: f64, y: &Lifted<Bound>| model.forward(&y.0).map(Lifted);
    let start = Lifted(Bound::around(&centre, radius)?);
    let reach = solve(lifted, start, (0.0, 1.0)).with(ThreeEighths).steps(4).run()?.y_end.0;
    let (lower, upper) = (flat(&reach.lower()?), flat(&reach.upper()?));

    let n = 500;
    let key = Key::new(5);
    let offsets = key.uniform_tensor((n, 2), -radius, radius, DType::F64, &Device::Cpu)?;
    let starts = centre.broadcast_add(&offsets)?;
    let plain = |_t: f64, y: &Tensor| model.forward(y);
    let description = solve(plain, starts, (0.0, 1.0)).with(ThreeEighths).steps(4);
    let ends = flat(&description.adjoint(ansatz::ode::NoGradient).run()?.y_end);
    for i in 0..2 {
        let of = |pick: fn(f64, f64) -> f64, start: f64| {
            ends.iter().skip(i).step_by(2).copied().fold(start, pick)
        };
        let (least, most) = (of(f64::min, f64::INFINITY), of(f64::max, f64::NEG_INFINITY));
        assert!(lower[i] <= least && most <= upper[i], "trajectories leave the set");
        // Nor is the set much too large.
        assert!(most - least > 0.5 * (upper[i] - lower[i]), "{least}..{most} in {lower:?}");
    }
    Ok(())
}

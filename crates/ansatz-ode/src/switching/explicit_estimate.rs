//! What an explicit Runge–Kutta step tells of stiffness: [`ExplicitEstimate`].

use ansatz_core::State;

use crate::{ErrorNorm, ExplicitRungeKutta, Result, Stages, Tableau};

/// Two stages at the end of the step, whose states and slopes differ.
///
/// The slopes of two states near each other differ by `λ` times the difference of the states, where
/// `λ` is an eigenvalue of the Jacobian of large modulus, since it is its eigenvectors that the stages
/// of a step amplify (L. F. Shampine 1977; E. Hairer, G. Wanner, *Solving ODEs II*, section IV.2).
#[derive(Debug, Clone)]
pub(super) struct ExplicitEstimate {
    /// Weights of the stages for the difference of the slopes, and of the states over the step.
    slopes: Vec<f64>,
    states: Vec<f64>,
    /// Where the stability of the method ends on the negative real axis.
    boundary: f64,
}

impl ExplicitEstimate {
    /// Whether a method has two such stages.
    pub(super) const fn is_possible(tableau: &Tableau) -> bool {
        let n = tableau.stages();
        n > 1 && tableau.c[n - 1] == 1.0 && tableau.c[n - 2] == 1.0
    }

    pub(super) fn new(tableau: &Tableau) -> Self {
        let n = tableau.stages();
        let (last, before) = (n - 1, n - 2);
        let mut slopes = vec![0.0; n];
        (slopes[last], slopes[before]) = (1.0, -1.0);
        let mut states = vec![0.0; n];
        states[..last].copy_from_slice(tableau.a[last]);
        for (state, a) in states.iter_mut().zip(tableau.a[before]) {
            *state -= a;
        }
        Self { slopes, states, boundary: boundary(tableau) }
    }

    /// What part of the boundary of stability a step with this `h λ` is at.
    pub(super) fn part(&self, h_lambda: f64) -> f64 {
        h_lambda.abs() / self.boundary
    }

    /// `|h λ|` of the step that was just attempted, over the boundary of stability.
    pub(super) fn of<Y, M, N>(
        &self,
        stages: &mut Stages<Y, M>,
        h: f64,
        (y, y_new): (&Y, &Y),
        norm: &N,
    ) -> Result<f64>
    where
        Y: State,
        M: ExplicitRungeKutta,
        N: ErrorNorm<Y>,
    {
        let Stages { slopes, scratch, .. } = stages;
        let slopes = &slopes[..self.slopes.len()];
        scratch.combine(None, h, &self.slopes, slopes)?;
        let change = norm.norm(scratch, y, y_new)?;
        scratch.combine(None, h, &self.states, slopes)?;
        let apart = norm.norm(scratch, y, y_new)?;
        // Where the states are the same there is nothing to be seen.
        Ok(if change == 0.0 { 0.0 } else { self.part(change / apart) })
    }
}

/// The growth of a step on `y′ = λ y` with `z = h λ`, a polynomial of `z`.
fn growth(tableau: &Tableau, z: f64) -> f64 {
    let mut slopes = Vec::with_capacity(tableau.stages());
    for a in tableau.a {
        let state: f64 = a.iter().zip(&slopes).map(|(a, k)| a * k).sum();
        slopes.push(z * (1.0 + state));
    }
    1.0 + tableau.b.iter().zip(&slopes).map(|(b, k)| b * k).sum::<f64>()
}

/// The end of the interval of stability on the negative real axis, as a positive number.
fn boundary(tableau: &Tableau) -> f64 {
    const STEP: f64 = 0.01;
    let is_stable = |x: f64| growth(tableau, -x).abs() <= 1.0;
    // No consistent method of `s` explicit stages is stable beyond 2 s².
    let most = (2.0 * (tableau.stages() as f64).powi(2) / STEP) as u32 + 1;
    let outside = (1..=most).map(|i| f64::from(i) * STEP).find(|&x| !is_stable(x));
    let mut high = outside.unwrap_or(STEP);
    let mut low = high - STEP;
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if is_stable(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dopri5, Dopri8, Rk4, Tsit5, Vern7};

    /// Known intervals: E. Hairer, G. Wanner, *Solving ODEs II*, section IV.2 for Dormand and Prince
    /// (3.3); the classical method 2.7853.
    #[test]
    fn intervals_of_stability() {
        assert!((boundary(&Rk4::TABLEAU) - 2.785_293_563).abs() < 1e-7);
        assert!((boundary(&Dopri5::TABLEAU) - 3.3066).abs() < 1e-3);
        assert!((boundary(&Tsit5::TABLEAU) - 3.5068).abs() < 1e-3);
        assert!(!ExplicitEstimate::is_possible(&Rk4::TABLEAU));
        assert!(ExplicitEstimate::is_possible(&Vern7::TABLEAU));
        assert!(ExplicitEstimate::is_possible(&Dopri8::TABLEAU));
    }

    /// On `y′ = λ y` the estimate is `|h λ|` itself, and a part that depends on time does not matter.
    #[test]
    fn linear_equations_are_seen_exactly() {
        use crate::{Explicit, Family, Rms, Statistics, Stepper};
        let field = |t: f64, y: &f64| -40.0 * y + t.sin();
        let norm = Rms { rtol: 1e-6, atol: 1e-6 };
        let mut statistics = Statistics::default();
        for h in [0.05, -0.02] {
            let mut stages =
                <Explicit as Family<Tsit5, _, f64>>::stepper(&Tsit5, &field, &1.0).unwrap();
            stages.restart(&field, 0.3, &1.0, &mut statistics).unwrap();
            let mut y = 0.0;
            stages.attempt(&field, 0.3, h, &1.0, &mut y, Some(&norm), &mut statistics).unwrap();
            let estimate = ExplicitEstimate::new(&Tsit5::TABLEAU);
            let found = estimate.of(&mut stages, h, (&1.0, &y), &norm).unwrap();
            let want = 40.0 * h.abs() / boundary(&Tsit5::TABLEAU);
            assert!((found / want - 1.0).abs() < 1e-9, "{h}: {found} {want}");
        }
    }
}

//! [`Lbfgs`].

use std::collections::VecDeque;

use super::{
    Minimum,
    strong_wolfe::{Sample, StrongWolfe},
};
use crate::{
    Error, NonlinearStopping, Outcome, Result, Vector,
    iterative::{finite, measurable_norm},
    nonlinear::scaled,
    operator::check_length,
};

/// The method of Broyden, Fletcher, Goldfarb and Shanno with limited memory, for smooth functions of
/// many variables (J. Nocedal, Math. Comp. 35, 1980; D. Liu, J. Nocedal, Math. Program. 45, 1989),
/// with a line search for the strong Wolfe conditions (c₁ = 10⁻⁴, c₂ = 0.9). Keeps `2 memory`
/// vectors.
///
/// ```
/// use ansatz_linalg::{Lbfgs, NonlinearStopping};
///
/// # fn main() -> ansatz_linalg::Result<()> {
/// // Rosenbrock's function and its gradient.
/// let objective = |x: &[f64; 2]| {
///     let [a, b] = [x[1] - x[0] * x[0], 1.0 - x[0]];
///     Ok((100.0 * a * a + b * b, [-400.0 * a * x[0] - 2.0 * b, 200.0 * a]))
/// };
/// let minimum = Lbfgs::default().solve(&objective, &[-1.2, 1.0], &NonlinearStopping::default())?;
/// assert!((minimum.x[0] - 1.0).abs() < 1e-6);
/// assert!(minimum.evaluations < 60);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lbfgs {
    /// Steps remembered; 10 by default.
    pub memory: usize,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { memory: 10 }
    }
}

/// Differences of the value of an objective below this many rounding units are taken for rounding.
const NOISE: f64 = 10.0;

impl Lbfgs {
    /// What is found of the minimum of `objective`, which gives its value and its gradient, when the
    /// iteration ends, for whatever reason it ends: as soon as the norm of the gradient is within
    /// the tolerance.
    ///
    /// # Errors
    /// [`Error::Size`] when the gradient has another size than the point,
    /// [`Error::InvalidArgument`] for settings that make no sense and when the first guess, or
    /// value or gradient there, is not finite, and those of the objective.
    pub fn run<V: Vector>(
        &self,
        objective: &dyn Fn(&V) -> Result<(f64, V)>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>> {
        stopping.validate()?;
        if self.memory == 0 {
            return Err(Error::invalid("memory", 0, "at least one step"));
        }
        finite("first guess", guess)?;
        let mut x = guess.clone().detached();
        let (mut value, gradient) = objective(&x)?;
        let mut gradient = gradient.detached();
        check_length("gradient of an objective", x.dimension(), gradient.dimension())?;
        finite("gradient at the first guess", &gradient)?;
        if !value.is_finite() {
            return Err(Error::invalid("objective at the first guess", value, "a finite number"));
        }
        let (mut evaluations, mut norm) =
            (1, measurable_norm("gradient at the first guess", &gradient)?);
        let target = stopping.target(norm);
        let (mut objectives, mut gradients) = (vec![value], vec![norm]);
        let mut memory = Memory { most: self.memory, pairs: VecDeque::new() };
        let mut small = false;
        let outcome = loop {
            if norm <= target || small {
                break Outcome::Converged;
            }
            if gradients.len() > stopping.iterations {
                break Outcome::Budget;
            }
            let mut direction = memory.direction(&gradient)?;
            let mut slope = direction.inner(&gradient)?;
            // Only rounding can make it point upwards.
            if !(slope < 0.0 && slope.is_finite()) {
                memory.pairs.clear();
                direction = scaled(&gradient, -1.0)?;
                slope = -norm * norm;
            }
            // Nothing is known of the length of the first.
            let first = if memory.pairs.is_empty() { norm.recip() } else { 1.0 };
            let noise = NOISE * x.epsilon() * value.abs();
            let search = StrongWolfe { value, slope, noise };
            let found = search.search((x.clone(), gradient.clone()), first, |length| {
                let mut there = x.clone();
                there.axpby(1.0, length, &direction)?;
                let (value, gradient) = objective(&there)?;
                evaluations += 1;
                let gradient = gradient.detached();
                let slope = gradient.inner(&direction)?;
                Ok(Sample { length, value, slope, point: (there, gradient) })
            })?;
            let Some((found, wolfe)) = found else {
                if memory.pairs.is_empty() {
                    if !stopping.allows_rounding(x.epsilon()) {
                        break Outcome::Stagnation;
                    }
                    evaluations += 1;
                    let rounding = is_rounding(objective, &x, &gradient, norm)?;
                    break if rounding { Outcome::Converged } else { Outcome::Stagnation };
                }
                memory.pairs.clear();
                continue;
            };
            let (there, slope_there) = found.point;
            let step = scaled(&direction, found.length)?;
            let mut change = slope_there.clone();
            change.axpby(1.0, -1.0, &gradient)?;
            let length = step.norm2()?;
            memory.add(step, change)?;
            (x, gradient, value) = (there, slope_there, found.value);
            norm = gradient.norm2()?;
            // A step that a wall has cut short says nothing.
            small = wolfe && stopping.is_small(length, x.norm2()?);
            objectives.push(value);
            gradients.push(norm);
        };
        Ok(Minimum { x, outcome, objectives, gradients, target, evaluations, jacobians: 0 })
    }

    /// The minimum.
    ///
    /// # Errors
    /// As [`Lbfgs::run`], and [`Error::NotConverged`].
    pub fn solve<V: Vector>(
        &self,
        objective: &dyn Fn(&V) -> Result<(f64, V)>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Minimum<V>> {
        self.run(objective, guess, stopping)?.into_converged("L-BFGS")
    }
}

/// Whether a gradient that no step makes smaller is rounding, as at a minimum that is the first guess:
/// rounding of `x` moves it by `ε ‖H‖ ‖x‖`. The Hessian has at least the norm that a difference of
/// gradients shows.
fn is_rounding<V: Vector>(
    objective: &dyn Fn(&V) -> Result<(f64, V)>,
    x: &V,
    gradient: &V,
    norm: f64,
) -> Result<bool> {
    let size = x.norm2()?;
    let length = x.epsilon().sqrt() * size;
    let mut there = x.clone();
    there.axpby(1.0, -length / norm, gradient)?;
    let mut change = objective(&there)?.1.detached();
    change.axpby(1.0, -1.0, gradient)?;
    Ok(norm <= NOISE * x.epsilon() * size * (change.norm2()? / length))
}

/// A step, the change of the gradient along it, and their inner product.
struct Pair<V> {
    s: V,
    y: V,
    curvature: f64,
}

struct Memory<V> {
    most: usize,
    /// The oldest first.
    pairs: VecDeque<Pair<V>>,
}

impl<V: Vector> Memory<V> {
    /// A pair whose curvature is not clearly positive would spoil the definiteness of what is kept;
    /// with the Wolfe conditions it is but for rounding.
    fn add(&mut self, s: V, y: V) -> Result<()> {
        let curvature = s.inner(&y)?;
        if curvature > s.epsilon() * s.norm2()? * y.norm2()? {
            if self.pairs.len() == self.most {
                self.pairs.pop_front();
            }
            self.pairs.push_back(Pair { s, y, curvature });
        }
        Ok(())
    }

    /// `−H g` by two loops (J. Nocedal, S. Wright, *Numerical Optimization*, 2nd ed., 2006,
    /// algorithm 7.4), beginning with the multiple of the identity of their eq. 7.20.
    fn direction(&self, gradient: &V) -> Result<V> {
        let mut q = scaled(gradient, -1.0)?;
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let alpha = pair.s.inner(&q)? / pair.curvature;
            q.axpby(1.0, -alpha, &pair.y)?;
            alphas.push(alpha);
        }
        if let Some(last) = self.pairs.back() {
            q = scaled(&q, last.curvature / last.y.inner(&last.y)?)?;
        }
        for (pair, alpha) in self.pairs.iter().zip(alphas.iter().rev()) {
            let beta = pair.y.inner(&q)? / pair.curvature;
            q.axpby(1.0, alpha - beta, &pair.s)?;
        }
        Ok(q)
    }
}

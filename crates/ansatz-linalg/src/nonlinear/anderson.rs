//! [`Anderson`].

use super::{
    FixedPointMethod, NonlinearStopping, Root,
    fixed_point::{NOT_FINITE, defect},
    iterate::Iterate,
    scaled,
};
use crate::{Dense, Error, Outcome, Result, Svd, Vector, faer::Mat};

/// Anderson's acceleration of `x ← g(x)`: the next iterate is made of the last ones, weighted so that
/// their residuals cancel as well as they can (D. G. Anderson, J. ACM 12, 1965; H. Walker, P. Ni,
/// SIAM J. Numer. Anal. 49, 2011, eq. 2.2–2.3).
///
/// The least-squares problem is solved by a QR factorisation that columns are added to and taken
/// from, and keeps well conditioned by leaving out the oldest (Walker & Ni, §4). For an affine map
/// and a memory that is never full it is GMRES (theorem 2.2). Keeps `2 memory` vectors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Anderson {
    /// Former iterates used; 5 by default.
    pub memory: usize,
    /// `β`: how far along the residual that is left; 1 by default.
    pub mixing: f64,
    /// The largest condition number of the least-squares problem; 10⁸ by default, and less where
    /// the vectors are of low precision.
    pub condition: f64,
}

impl Default for Anderson {
    fn default() -> Self {
        Self { memory: 5, mixing: 1.0, condition: 1e8 }
    }
}

impl Anderson {
    fn validate(&self) -> Result<()> {
        if self.memory == 0 {
            return Err(Error::invalid("memory", 0, "at least one former iterate"));
        }
        if self.mixing == 0.0 || !self.mixing.is_finite() {
            return Err(Error::invalid("mixing", self.mixing, "a number other than 0"));
        }
        if self.condition >= 1.0 {
            return Ok(());
        }
        Err(Error::invalid("condition", self.condition, "a number of at least 1"))
    }
}

impl<V: Vector> FixedPointMethod<V> for Anderson {
    fn name(&self) -> &'static str {
        "Anderson acceleration"
    }

    fn run(
        &self,
        map: &dyn Fn(&V) -> Result<V>,
        guess: &V,
        stopping: &NonlinearStopping,
    ) -> Result<Root<V>> {
        self.validate()?;
        let residual = |x: &V| defect(map, x);
        let mut iterate = Iterate::new(&residual, guess, stopping)?;
        let condition = self.condition.min(0.1 / guess.epsilon());
        let mut former = Differences { q: Vec::new(), r: Vec::new(), steps: Vec::new() };
        let outcome = loop {
            if let Some(outcome) = iterate.end() {
                break outcome;
            }
            let mut step = former.step(&iterate.at.value, self.mixing)?;
            let mut point = iterate.trial(1.0, &step)?;
            if !point.norm.is_finite() && !former.steps.is_empty() {
                // A step of the plain iteration may still be possible.
                former.clear();
                step = former.step(&iterate.at.value, self.mixing)?;
                point = iterate.trial(1.0, &step)?;
            }
            if !point.norm.is_finite() {
                break NOT_FINITE;
            }
            let mut change = point.value.clone();
            change.axpby(1.0, -1.0, &iterate.at.value)?;
            let length = step.norm2()?;
            iterate.accept(point, Some(length))?;
            if former.steps.len() == self.memory {
                former.remove_oldest()?;
            }
            if !former.add(step, change)? {
                // The map did not notice the step.
                if let Some(Outcome::Converged) = iterate.end() {
                    break Outcome::Converged;
                }
                break Outcome::Stagnation;
            }
            while former.steps.len() > 1 && former.condition()? > condition {
                former.remove_oldest()?;
            }
        };
        Ok(iterate.finish(outcome))
    }
}

/// Differences of successive residuals as `Q R`, and of the iterates they belong to; the oldest
/// first.
struct Differences<V> {
    q: Vec<V>,
    /// Columns of the triangle.
    r: Vec<Vec<f64>>,
    steps: Vec<V>,
}

impl<V: Vector> Differences<V> {
    fn clear(&mut self) {
        (self.q, self.r, self.steps) = (Vec::new(), Vec::new(), Vec::new());
    }

    /// Takes the newest; whether it is not zero. One that depends on the others, but for rounding,
    /// is taken in their place.
    fn add(&mut self, step: V, mut change: V) -> Result<bool> {
        let before = change.norm2()?;
        if before == 0.0 {
            return Ok(false);
        }
        let original = change.clone();
        let mut column = vec![0.0; self.q.len()];
        // Gram and Schmidt, twice.
        for _ in 0..2 {
            for (q, r) in self.q.iter().zip(&mut column) {
                let inner = q.inner(&change)?;
                change.axpby(1.0, -inner, q)?;
                *r += inner;
            }
        }
        let mut norm = change.norm2()?;
        if norm <= 10.0 * change.epsilon() * before {
            self.clear();
            (change, norm) = (original, before);
            column.clear();
        }
        column.push(norm);
        self.q.push(scaled(&change, norm.recip())?);
        self.r.push(column);
        self.steps.push(step);
        Ok(true)
    }

    /// Drops the first column and makes what is left triangular by rotations.
    fn remove_oldest(&mut self) -> Result<()> {
        self.steps.remove(0);
        self.r.remove(0);
        for i in 0..self.r.len() {
            let (a, b) = (self.r[i][i], self.r[i][i + 1]);
            let length = a.hypot(b);
            let (c, s) = if length > 0.0 { (a / length, b / length) } else { (1.0, 0.0) };
            for column in &mut self.r[i..] {
                let (a, b) = (column[i], column[i + 1]);
                (column[i], column[i + 1]) = (c * a + s * b, c * b - s * a);
            }
            self.r[i].truncate(i + 1);
            let first = self.q[i].clone();
            let second = self.q[i + 1].clone();
            self.q[i].axpby(c, s, &second)?;
            self.q[i + 1].axpby(c, -s, &first)?;
        }
        self.q.truncate(self.r.len());
        Ok(())
    }

    fn condition(&self) -> Result<f64> {
        let n = self.r.len();
        let entry = |i: usize, j: usize| if i <= j { self.r[j][i] } else { 0.0 };
        let values = Svd::new(&Dense::new(Mat::from_fn(n, n, entry))?)?;
        let (largest, least) =
            values.values().iter().fold((0.0, f64::INFINITY), |(most, least), s| {
                (f64::max(most, *s), f64::min(least, *s))
            });
        Ok(largest / least)
    }

    /// `β f − (ΔX + β ΔF) γ`, where `γ` minimises `|f − ΔF γ|`.
    fn step(&self, value: &V, mixing: f64) -> Result<V> {
        let n = self.q.len();
        let mut gamma = Vec::with_capacity(n);
        let mut left = value.clone();
        for q in &self.q {
            let inner = q.inner(&left)?;
            left.axpby(1.0, -inner, q)?;
            gamma.push(inner);
        }
        for j in (0..n).rev() {
            gamma[j] /= self.r[j][j];
            for i in 0..j {
                gamma[i] -= self.r[j][i] * gamma[j];
            }
        }
        // The residual that is left is f − ΔF γ.
        let mut step = left.clone();
        step.combine(None, -1.0, &gamma, &self.steps)?;
        step.axpby(1.0, mixing, &left)?;
        Ok(step)
    }
}

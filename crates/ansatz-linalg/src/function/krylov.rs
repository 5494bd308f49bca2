//! The Krylov space of an operator with a polynomial right-hand side: [`Basis`].

use faer::Mat;

use crate::{Error, LinearOperator, Result, Vector};

/// Vectors `(x, y)` that span `(w, u), Ã (w, u), Ã² (w, u), …` of
///
/// ```text
///     Ã = | tA  B |      B = (b_p … b₁),  K y = (y₂, …, y_p, 0),
///         |  0  K |
/// ```
///
/// which has `φ₀(tA) w + φ₁(tA) b₁ + … + φ_p(tA) b_p` above in `e^Ã (w, e_p)` (R. Sidje, *Expokit*,
/// 1998; A. Al-Mohy, N. Higham, *Computing the action of the matrix exponential*, 2011, Theorem 2.1),
/// and the matrix of `Ã` in that space, `factor · h`.
pub(super) struct Basis<'a, V, A: ?Sized> {
    operator: &'a A,
    t: f64,
    /// Those of `B`, and a place for `A x`.
    columns: Vec<V>,
    /// Vectors that a new one is made orthogonal to.
    window: usize,
    /// Made once, kept from one start to the next; the first `len` belong to the space.
    above: Vec<V>,
    below: Vec<Vec<f64>>,
    len: usize,
    buffers: [V; 2],
    pub(super) h: Mat<f64>,
    /// Without columns `t` waits until here, which spares a pass over each vector.
    pub(super) factor: f64,
    /// Of the vector that it started with.
    pub(super) beta: f64,
    pub(super) applications: usize,
}

/// What remains of a new vector that lies in the space, relative to it.
const NOTHING: f64 = 32.0 * f64::EPSILON;

impl<'a, V: Vector, A: LinearOperator<V> + ?Sized> Basis<'a, V, A> {
    /// Of up to `largest` vectors; `columns` are `b_p, …, b₁`.
    pub(super) fn new(
        operator: &'a A,
        t: f64,
        like: &V,
        mut columns: Vec<V>,
        largest: usize,
    ) -> Self {
        let factor = if columns.is_empty() { t } else { 1.0 };
        columns.push(like.clone());
        // Of a symmetric operator two vectors suffice: without columns that is Lanczos' method, with
        // them the incomplete orthogonalisation of S. Gaudreault, G. Rainwater, M. Tokman, *KIOPS*,
        // 2018, whose relation Ã V = V H + … holds all the same.
        let window = if operator.properties().symmetric { 2 } else { usize::MAX };
        Self {
            operator,
            t,
            columns,
            window,
            above: Vec::new(),
            below: Vec::new(),
            len: 0,
            buffers: [like.clone(), like.clone()],
            h: Mat::zeros(largest + 1, largest),
            factor,
            beta: 0.0,
            applications: 0,
        }
    }

    /// The dimension of the space: one less than there are vectors.
    pub(super) fn dimension(&self) -> usize {
        self.len.saturating_sub(1)
    }

    /// Begins anew.
    pub(super) fn start(&mut self, w: &V, tail: &[f64]) -> Result<()> {
        self.beta = w.norm2()?.hypot(norm(tail));
        self.h.fill(0.0);
        self.len = 0;
        self.buffers[0].clone_from(w);
        self.push(tail.to_vec(), self.beta)
    }

    /// The first buffer and the tail, divided by their norm, as a further vector.
    fn push(&mut self, mut tail: Vec<f64>, norm: f64) -> Result<()> {
        if !(norm.is_finite() && norm > 0.0) {
            return Err(Error::NotFinite { what: "vector of a Krylov space", index: self.len });
        }
        for y in &mut tail {
            *y /= norm;
        }
        if self.above.len() == self.len {
            self.above.push(self.buffers[0].clone());
            self.below.push(Vec::new());
        }
        self.above[self.len].combine(None, 1.0 / norm, &[1.0], &self.buffers[..1])?;
        self.below[self.len] = tail;
        self.len += 1;
        Ok(())
    }

    /// One more dimension; false when the operator does not lead out of the space.
    pub(super) fn extend(&mut self) -> Result<bool> {
        let j = self.len - 1;
        let [w, other] = &mut self.buffers;
        self.operator.apply_into(&self.above[j], w)?;
        self.applications += 1;
        let y = &self.below[j];
        if !y.is_empty() {
            std::mem::swap(w, &mut self.columns[y.len()]);
            let coefficients: Vec<f64> = y.iter().copied().chain([self.t]).collect();
            w.combine(None, 1.0, &coefficients, &self.columns)?;
        }
        let next = |k: usize| y.get(k + 1).copied().unwrap_or(0.0);
        let mut tail: Vec<f64> = (0..y.len()).map(next).collect();

        let first = (j + 1).saturating_sub(self.window);
        let before = w.norm2()?.hypot(norm(&tail));
        let mut length = before;
        // Once more where much has cancelled: "twice is enough" (W. Kahan, in B. Parlett, *The
        // Symmetric Eigenvalue Problem*, §6.9).
        for _ in 0..2 {
            let mut parts = Vec::with_capacity(j + 1 - first);
            for i in first..=j {
                parts.push(self.above[i].inner(w)? + dot(&self.below[i], &tail));
            }
            other.combine(Some(w), -1.0, &parts, &self.above[first..=j])?;
            std::mem::swap(w, other);
            for (i, part) in (first..).zip(&parts) {
                self.h[(i, j)] += part;
                tail.iter_mut().zip(&self.below[i]).for_each(|(y, b)| *y -= part * b);
            }
            let rest = w.norm2()?.hypot(norm(&tail));
            let cancelled = rest < 0.7 * length;
            length = rest;
            if !cancelled || self.window == 2 {
                break;
            }
        }
        // A space of all dimensions has nothing outside.
        let whole = self.window > 2 && self.len >= self.above[0].dimension() + tail.len();
        if length <= NOTHING * before || whole {
            // So that the dimension counts this one.
            self.len += 1;
            return Ok(false);
        }
        self.h[(j + 1, j)] = length;
        self.push(tail, length)?;
        Ok(true)
    }

    /// `Σ cᵢ xᵢ`.
    pub(super) fn combine(&self, coefficients: &[f64], w: &mut V) -> Result<()> {
        Ok(w.combine(None, 1.0, coefficients, &self.above[..coefficients.len()])?)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |sum, x| x.hypot(sum))
}

//! The complex Schur form of a dense matrix, which faer computes but does not hand out: [`Schur`].

use faer::{Mat, c64};

use crate::{Dense, Error, Result};

/// `A = Q T Qᴴ` with `Q` unitary and `T` upper triangular: functions of `T` are found entry by entry
/// without dividing by what may be close to zero.
pub(super) struct Schur {
    pub(super) q: Mat<c64>,
    pub(super) t: Mat<c64>,
}

/// Steps of the QR iteration for an eigenvalue; two to three are usual.
const STEPS: usize = 60;

impl Schur {
    /// By Householder's reflections and the explicitly shifted QR iteration (G. Golub, C. Van Loan,
    /// *Matrix Computations*, §7.4 and §7.5).
    pub(super) fn new(a: &Mat<f64>) -> Result<Self> {
        let n = a.nrows();
        // Squares of the entries neither overflow nor underflow; a power of two rounds nothing.
        let scale = 2f64.powi(a.norm_max().log2().floor().clamp(-1020.0, 1020.0) as i32);
        let t = Mat::from_fn(n, n, |i, j| c64::new(a[(i, j)] / scale, 0.0));
        let q = Mat::from_fn(n, n, |i, j| c64::new(f64::from(i == j), 0.0));
        let mut schur = Self { q, t };
        schur.reduce();
        let mut high = n;
        let mut steps = 0;
        while high > 1 {
            let low = schur.split(high);
            if low + 1 == high {
                high -= 1;
                steps = 0;
                continue;
            }
            steps += 1;
            if steps > STEPS {
                let reason = format!("eigenvalue {high} did not converge in {STEPS} steps");
                return Err(Error::Factorisation { what: "Schur form", reason });
            }
            let shift = schur.shift(high, steps);
            schur.step(low, high, shift);
        }
        schur.t = Mat::from_fn(n, n, |i, j| schur.t[(i, j)] * scale);
        Ok(schur)
    }

    /// To zeros below the first diagonal below the main one.
    fn reduce(&mut self) {
        let n = self.t.nrows();
        for k in 0..n.saturating_sub(2) {
            let norm = (k + 1..n).map(|i| self.t[(i, k)].norm()).fold(0.0, f64::hypot);
            if norm == 0.0 {
                continue;
            }
            // The reflection 1 − 2 v vᴴ that leaves one entry of the column.
            let mut v: Vec<c64> = (k + 1..n).map(|i| self.t[(i, k)]).collect();
            let phase = if v[0].norm() == 0.0 { c64::new(1.0, 0.0) } else { v[0] / v[0].norm() };
            v[0] += phase * norm;
            let length = v.iter().map(|x| x.norm()).fold(0.0, f64::hypot);
            for x in &mut v {
                *x /= length;
            }
            for j in 0..n {
                let along: c64 =
                    v.iter().zip(k + 1..).map(|(v, i)| v.conj() * self.t[(i, j)]).sum();
                v.iter().zip(k + 1..).for_each(|(v, i)| self.t[(i, j)] -= 2.0 * along * v);
            }
            for m in [&mut self.t, &mut self.q] {
                for i in 0..n {
                    let along: c64 = v.iter().zip(k + 1..).map(|(v, j)| m[(i, j)] * v).sum();
                    v.iter().zip(k + 1..).for_each(|(v, j)| m[(i, j)] -= 2.0 * along * v.conj());
                }
            }
        }
    }

    /// Where the block that ends before `high` begins; the entry left of its beginning becomes zero.
    fn split(&mut self, high: usize) -> usize {
        for k in (1..high).rev() {
            let size = self.t[(k, k)].norm() + self.t[(k - 1, k - 1)].norm();
            if self.t[(k, k - 1)].norm() <= f64::EPSILON * size {
                self.t[(k, k - 1)] = c64::new(0.0, 0.0);
                return k;
            }
        }
        0
    }

    /// The eigenvalue of the last two rows that is closer to the last entry; every tenth time another
    /// number, for the cycles of unitary matrices.
    fn shift(&self, high: usize, steps: usize) -> c64 {
        let t = |i: usize, j: usize| self.t[(high - i, high - j)];
        if steps.is_multiple_of(10) {
            return t(1, 1) + t(1, 2).norm();
        }
        let half = 0.5 * (t(2, 2) - t(1, 1));
        let root = (half * half + t(2, 1) * t(1, 2)).sqrt();
        let denominator =
            if (half + root).norm() > (half - root).norm() { half + root } else { half - root };
        if denominator.norm() == 0.0 { t(1, 1) } else { t(1, 1) - t(2, 1) * t(1, 2) / denominator }
    }

    fn step(&mut self, low: usize, high: usize, shift: c64) {
        let n = self.t.nrows();
        (low..high).for_each(|k| self.t[(k, k)] -= shift);
        let mut rotations = Vec::with_capacity(high - low);
        for k in low..high - 1 {
            let (a, b) = (self.t[(k, k)], self.t[(k + 1, k)]);
            let norm = a.norm().hypot(b.norm());
            let (c, s) = if norm == 0.0 {
                (c64::new(1.0, 0.0), c64::new(0.0, 0.0))
            } else {
                (a / norm, b / norm)
            };
            for j in k..n {
                let (x, y) = (self.t[(k, j)], self.t[(k + 1, j)]);
                self.t[(k, j)] = c.conj() * x + s.conj() * y;
                self.t[(k + 1, j)] = c * y - s * x;
            }
            rotations.push((c, s));
        }
        for (k, (c, s)) in (low..).zip(rotations) {
            let right = |m: &mut Mat<c64>, rows: usize| {
                for i in 0..rows {
                    let (x, y) = (m[(i, k)], m[(i, k + 1)]);
                    m[(i, k)] = x * c + y * s;
                    m[(i, k + 1)] = y * c.conj() - x * s.conj();
                }
            };
            right(&mut self.t, high.min(k + 3));
            right(&mut self.q, n);
        }
        (low..high).for_each(|k| self.t[(k, k)] += shift);
    }

    /// Errors at an eigenvalue that is zero or negative but for rounding: roots and logarithms jump
    /// there.
    pub(super) fn check(&self, function: &'static str, matrix: &Dense) -> Result<()> {
        let n = self.t.nrows();
        let least = n as f64 * f64::EPSILON * matrix.norm_1();
        let bad = |z: &c64| z.re <= least && z.im.abs() <= least;
        match (0..n).map(|k| self.t[(k, k)]).find(bad) {
            Some(z) => Err(Error::NotPrincipal { function, re: z.re, im: z.im }),
            None => Ok(()),
        }
    }

    /// The real part of `Q f Qᴴ`; of a real matrix and a principal function there is no other.
    pub(super) fn back(&self, f: &Mat<c64>) -> Mat<f64> {
        let product = &self.q * f * self.q.adjoint();
        Mat::from_fn(f.nrows(), f.ncols(), |i, j| product[(i, j)].re)
    }
}

/// The principal square root of an upper triangular matrix (Å. Björck, S. Hammarling, *A Schur method
/// for the square root of a matrix*, 1983).
pub(super) fn root_of_triangular(t: &Mat<c64>) -> Mat<c64> {
    let n = t.nrows();
    let mut x = Mat::<c64>::zeros(n, n);
    for j in 0..n {
        x[(j, j)] = t[(j, j)].sqrt();
        for i in (0..j).rev() {
            let inner: c64 = (i + 1..j).map(|k| x[(i, k)] * x[(k, j)]).sum();
            // A quotient would multiply first, and so overflow early.
            x[(i, j)] = (t[(i, j)] - inner) * (x[(i, i)] + x[(j, j)]).inv();
        }
    }
    x
}

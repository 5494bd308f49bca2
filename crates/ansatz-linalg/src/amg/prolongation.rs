//! From the coarse space to the fine one.

use nalgebra_sparse::{CsrMatrix, pattern::SparsityPattern};

use super::aggregate::{NONE, is_strong};
use crate::{Diagonal, Error, Result, Sparse, System, iterative::ritz_values};

/// What the coarse space must represent: `count` numbers per unknown, side by side.
#[derive(Debug)]
pub(super) struct Candidates {
    values: Vec<f64>,
    count: usize,
}

impl Candidates {
    pub(super) fn new(n: usize, vectors: &[Vec<f64>]) -> Result<Self> {
        if vectors.is_empty() {
            return Ok(Self { values: vec![1.0; n], count: 1 });
        }
        for vector in vectors {
            if vector.len() != n {
                return Err(Error::size("candidate", format!("{n} components"), vector.len()));
            }
            if vector.iter().any(|v| !v.is_finite()) || vector.iter().all(|v| *v == 0.0) {
                return Err(Error::invalid("candidate", "zero or not finite", "a finite vector"));
            }
        }
        let values = (0..n).flat_map(|i| vectors.iter().map(move |v| v[i])).collect();
        Ok(Self { values, count: vectors.len() })
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.count..(i + 1) * self.count]
    }
}

/// `(I − ω D⁻¹ Ã) T` with the tentative prolongation `T`, and the candidates on the coarse level.
///
/// `Ã` is the matrix with its weak entries added to the diagonal, ω is 4/3 over a bound of the
/// spectral radius of `D⁻¹ Ã`.
pub(super) fn prolongation(
    a: &CsrMatrix<f64>,
    diagonal: &[f64],
    strength: f64,
    groups: &[u32],
    count: usize,
    candidates: &Candidates,
) -> Result<(CsrMatrix<f64>, Candidates)> {
    let (tentative, coarse) = tentative(groups, count, candidates)?;
    let (offsets, columns, values) = a.csr_data();
    let mut filtered = CsrParts::default();
    let mut lumped = Vec::with_capacity(a.nrows());
    // Gershgorin's, of the spectral radius.
    let mut bound = 0.0f64;
    for i in 0..a.nrows() {
        let row = offsets[i]..offsets[i + 1];
        let (mut own, mut others) = (diagonal[i], 0.0);
        let start = filtered.columns.len();
        let mut place = start;
        for (j, a) in columns[row.clone()].iter().zip(&values[row]) {
            if *j == i {
                place = filtered.columns.len();
                filtered.push(i, 0.0);
            } else if is_strong(*a, diagonal[i], diagonal[*j], strength) {
                filtered.push(*j, *a);
                others += a.abs();
            } else {
                own += a;
            }
        }
        // Lumping may take the diagonal away.
        if own <= 0.0 {
            own = diagonal[i];
        }
        filtered.values[place] = own;
        filtered.offsets.push(filtered.columns.len());
        lumped.push(own);
        bound = bound.max(1.0 + others / own);
    }
    let filtered = Sparse::new(filtered.into_matrix(a.ncols())?)?;
    let omega = 4.0 / 3.0 / spectral_radius(&filtered, lumped.clone(), bound)?;
    let mut smoothing = filtered.as_csr().clone();
    for (i, mut row) in smoothing.row_iter_mut().enumerate() {
        let (columns, values) = row.cols_and_values_mut();
        for (j, a) in columns.iter().zip(values) {
            *a = f64::from(*j == i) - omega / lumped[i] * *a;
        }
    }
    Ok((&smoothing * &tentative, coarse))
}

/// Of `D⁻¹ A`, by ten steps of Lanczos' process, which come near from below; at most `bound`.
fn spectral_radius(a: &Sparse, diagonal: Vec<f64>, bound: f64) -> Result<f64> {
    // Where that is near already, as for Laplacians, it is good enough.
    if bound <= 2.05 {
        return Ok(bound);
    }
    let inverse = Diagonal::new(diagonal.into_iter().map(f64::recip).collect())?;
    let n = a.as_csr().nrows();
    // No pattern that an eigenvector without weight in the largest ones might have.
    let start: Vec<f64> = (0..n).map(|i| (1.3 * i as f64 + 0.1 * (i * i) as f64).sin()).collect();
    let system = System { operator: a, preconditioner: Some(&inverse) };
    match ritz_values(&system, &start, 10) {
        Ok(values) => Ok(values.last().map_or(bound, |largest| bound.min(1.05 * largest))),
        // Not positive definite as far as that can see.
        Err(_) => Ok(bound),
    }
}

/// The candidates cut into aggregates and made orthonormal there.
fn tentative(
    groups: &[u32],
    count: usize,
    candidates: &Candidates,
) -> Result<(CsrMatrix<f64>, Candidates)> {
    let k = candidates.count;
    let mut members = vec![Vec::new(); count];
    for (i, group) in groups.iter().enumerate().filter(|(_, group)| **group != NONE) {
        members[*group as usize].push(i);
    }
    let mut values = vec![0.0; groups.len() * k];
    let mut coarse = vec![0.0; count * k * k];
    for (group, members) in members.iter().enumerate() {
        let triangle = &mut coarse[group * k * k..(group + 1) * k * k];
        for i in members {
            values[i * k..(i + 1) * k].copy_from_slice(candidates.row(*i));
        }
        let product = |values: &[f64], c: usize, d: usize| -> f64 {
            members.iter().map(|i| values[i * k + c] * values[i * k + d]).sum()
        };
        for c in 0..k {
            let before = product(&values, c, c).sqrt();
            for d in 0..c {
                let along = product(&values, d, c);
                triangle[d * k + c] = along;
                for i in members {
                    values[i * k + c] -= along * values[i * k + d];
                }
            }
            let norm = product(&values, c, c).sqrt();
            // Dependent on the others here: this aggregate has too few members for it.
            let kept = norm > 1e-10 * before;
            triangle[c * k + c] = if kept { norm } else { 0.0 };
            for i in members {
                values[i * k + c] = if kept { values[i * k + c] / norm } else { 0.0 };
            }
        }
    }
    let mut parts = CsrParts::default();
    for (i, group) in groups.iter().enumerate() {
        if *group != NONE {
            (0..k).for_each(|c| parts.push(*group as usize * k + c, values[i * k + c]));
        }
        parts.offsets.push(parts.columns.len());
    }
    // Row r of the triangle belongs to coarse unknown group · k + r.
    Ok((parts.into_matrix(count * k)?, Candidates { values: coarse, count: k }))
}

/// A matrix in the making.
struct CsrParts {
    offsets: Vec<usize>,
    columns: Vec<usize>,
    values: Vec<f64>,
}

impl Default for CsrParts {
    fn default() -> Self {
        Self { offsets: vec![0], columns: Vec::new(), values: Vec::new() }
    }
}

impl CsrParts {
    fn push(&mut self, column: usize, value: f64) {
        self.columns.push(column);
        self.values.push(value);
    }

    fn into_matrix(self, width: usize) -> Result<CsrMatrix<f64>> {
        let rows = self.offsets.len() - 1;
        let failed = |error: String| Error::Factorisation { what: "aggregation", reason: error };
        let pattern =
            SparsityPattern::try_from_offsets_and_indices(rows, width, self.offsets, self.columns)
                .map_err(|error| failed(error.to_string()))?;
        CsrMatrix::try_from_pattern_and_values(pattern, self.values)
            .map_err(|error| failed(error.to_string()))
    }
}

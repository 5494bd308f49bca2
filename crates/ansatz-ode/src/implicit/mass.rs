//! Mass matrices: [`Mass`] and [`WithMass`].

use ansatz_linalg::{Dense, LinearOperator as _, Sparse};

use super::{ImplicitField, Linearisation};
use crate::{Error, Result};

/// The constant matrix `M` of `M y′ = f(t, y)`.
///
/// Rows that are zero are algebraic equations `0 = fᵢ(t, y)`; they must determine the components
/// whose columns are zero (a semi-explicit system of index 1).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Mass {
    /// Only a diagonal.
    Diagonal(Vec<f64>),
    /// All entries.
    Dense(Dense),
    /// Few entries.
    Sparse(Sparse),
}

impl Mass {
    /// Rows and columns.
    pub(crate) fn dimension(&self) -> usize {
        match self {
            Self::Diagonal(d) => d.len(),
            Self::Dense(m) => m.shape()[0],
            Self::Sparse(m) => m.shape()[0],
        }
    }

    /// The entries that are not zero.
    pub(crate) fn entries(&self) -> Vec<(usize, usize, f64)> {
        let all: Vec<(usize, usize, f64)> = match self {
            Self::Diagonal(d) => d.iter().enumerate().map(|(i, v)| (i, i, *v)).collect(),
            Self::Dense(m) => {
                let m = m.as_faer();
                let entry = |j: usize| (0..m.nrows()).map(move |i| (i, j, m[(i, j)]));
                (0..m.ncols()).flat_map(entry).collect()
            }
            Self::Sparse(m) => m.as_csr().triplet_iter().map(|(i, j, v)| (i, j, *v)).collect(),
        };
        all.into_iter().filter(|(_, _, v)| *v != 0.0).collect()
    }

    /// `out ← M x`.
    pub(crate) fn multiply(&self, x: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        match self {
            Self::Diagonal(d) => {
                for ((out, d), x) in out.iter_mut().zip(d).zip(x) {
                    *out = d * x;
                }
            }
            Self::Dense(m) => {
                let m = m.as_faer();
                for (j, x) in x.iter().enumerate() {
                    for (out, m) in out.iter_mut().zip(m.col(j).iter()) {
                        *out += m * x;
                    }
                }
            }
            Self::Sparse(m) => {
                for (i, j, value) in m.as_csr().triplet_iter() {
                    out[i] += value * x[j];
                }
            }
        }
    }

    /// Which rows are zero.
    pub(crate) fn algebraic_rows(&self) -> Vec<bool> {
        let mut zero = vec![true; self.dimension()];
        for (i, _, _) in self.entries() {
            zero[i] = false;
        }
        zero
    }

    /// Which columns are zero.
    pub(crate) fn algebraic_columns(&self) -> Vec<bool> {
        let mut zero = vec![true; self.dimension()];
        for (_, j, _) in self.entries() {
            zero[j] = false;
        }
        zero
    }

    /// Errors unless it is `n × n`, finite, and has as many zero rows as columns.
    pub(crate) fn validate(&self, n: usize) -> Result<()> {
        let shape = match self {
            Self::Diagonal(d) => [d.len(), d.len()],
            Self::Dense(m) => m.shape(),
            Self::Sparse(m) => m.shape(),
        };
        if shape != [n, n] {
            return Err(Error::Core(ansatz_core::Error::Shape {
                what: "mass matrix",
                expected: format!("[{n}, {n}]"),
                got: format!("{shape:?}"),
            }));
        }
        if let Some((i, j, value)) = self.entries().into_iter().find(|(.., v)| !v.is_finite()) {
            let expected = "finite entries";
            return Err(Error::invalid("mass matrix", format!("{value} at ({i}, {j})"), expected));
        }
        let count = |zero: Vec<bool>| zero.into_iter().filter(|z| *z).count();
        let (rows, columns) = (count(self.algebraic_rows()), count(self.algebraic_columns()));
        if rows != columns {
            return Err(Error::NotSemiExplicit { rows, columns });
        }
        Ok(())
    }
}

impl From<Vec<f64>> for Mass {
    fn from(diagonal: Vec<f64>) -> Self {
        Self::Diagonal(diagonal)
    }
}

impl<const N: usize> From<[f64; N]> for Mass {
    fn from(diagonal: [f64; N]) -> Self {
        Self::Diagonal(diagonal.to_vec())
    }
}

impl From<Dense> for Mass {
    fn from(matrix: Dense) -> Self {
        Self::Dense(matrix)
    }
}

impl From<Sparse> for Mass {
    fn from(matrix: Sparse) -> Self {
        Self::Sparse(matrix)
    }
}

/// The problem `M y′ = f(t, y)`: a field with a mass matrix. Implicit methods solve it.
///
/// ```
/// use ansatz_ode::{Kvaerno5, WithMass, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Robertson's reaction as a differential-algebraic equation: the third equation is the
/// // conservation of mass.
/// let robertson = WithMass::new(
///     |_t: f64, y: &[f64; 3]| {
///         let fast = 3e7 * y[1] * y[1];
///         let back = 1e4 * y[1] * y[2];
///         [-0.04 * y[0] + back, 0.04 * y[0] - back - fast, y[0] + y[1] + y[2] - 1.0]
///     },
///     [1.0, 1.0, 0.0],
/// );
/// let solution = solve(robertson, [1.0, 0.0, 0.0], (0.0, 100.0))
///     .with(Kvaerno5)
///     .tolerance(1e-8, 1e-12)
///     .run()?;
/// assert!((solution.y_end[0] - 6.172348823961e-1).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WithMass<F> {
    field: F,
    mass: Mass,
}

impl<F> WithMass<F> {
    /// `field` with the mass matrix `mass`: a diagonal, or a dense or sparse matrix.
    pub fn new(field: F, mass: impl Into<Mass>) -> Self {
        Self { field, mass: mass.into() }
    }
}

impl<F, Y> ImplicitField<Y> for WithMass<F>
where
    F: ImplicitField<Y>,
{
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.field.value_into(t, y, out)
    }

    fn linearisation(&self) -> Linearisation<'_, Y> {
        self.field.linearisation()
    }

    fn mass(&self) -> Option<&Mass> {
        Some(&self.mass)
    }
}

//! The linear systems of an implicit method: [`Linear`].

use ansatz_linalg::Components;

use super::{
    ImplicitField, JacobianStorage, Linearisation, Mass,
    factor::Factor,
    joined::Joined,
    krylov::{self, Place},
};
use crate::{Error, ErrorNorm, Result, Statistics};

/// Systems with `W = M − γh J`: the Jacobian, the matrix and its factorisation, each kept as long
/// as it serves.
pub(crate) struct Linear<Y> {
    pub(super) n: usize,
    mass: Option<Mass>,
    /// The entries of the mass matrix; none for the identity.
    mass_entries: Vec<(usize, usize, f64)>,
    pub(super) jacobian: JacobianStorage,
    matrix: Matrix,
    factor: Option<Factor>,
    /// The `γh` of the factorisation.
    pub(crate) gamma_h: f64,
    /// Systems are solved by products alone, with the Jacobian of where they are to be solved.
    pub(crate) matrix_free: bool,
    pub(super) probe: Y,
    pub(super) value: Y,
    pub(super) components: Vec<f64>,
    pub(super) base: Vec<f64>,
    pub(super) column: Vec<f64>,
}

/// Room for `W`.
enum Matrix {
    Dense(Vec<f64>),
    Sparse(Box<Joined>),
}

impl<Y: Components> Linear<Y> {
    pub(crate) fn new<F: ImplicitField<Y>>(field: &F, y0: &Y) -> Result<Self> {
        let n = y0.dimension();
        if let Some(mass) = field.mass() {
            mass.validate(n)?;
        }
        Ok(Self {
            n,
            mass: field.mass().cloned(),
            mass_entries: field.mass().map_or_else(Vec::new, Mass::entries),
            jacobian: JacobianStorage::Dense(Vec::new()),
            matrix: Matrix::Dense(Vec::new()),
            factor: None,
            gamma_h: f64::NAN,
            matrix_free: matches!(field.linearisation(), Linearisation::MatrixFree(_)),
            probe: y0.clone(),
            value: y0.clone(),
            components: vec![0.0; n],
            base: vec![0.0; n],
            column: vec![0.0; n],
        })
    }

    /// Number of components.
    pub(crate) fn dimension(&self) -> usize {
        self.n
    }

    /// The mass matrix; `None` for the identity.
    pub(crate) fn mass(&self) -> Option<&Mass> {
        self.mass.as_ref()
    }

    /// The Jacobian last found.
    pub(crate) fn jacobian(&self) -> &JacobianStorage {
        &self.jacobian
    }

    /// Finds the Jacobian at `(t, y)`, where the field is `f`.
    pub(crate) fn linearise<F: ImplicitField<Y>>(
        &mut self,
        field: &F,
        t: f64,
        y: &Y,
        f: &Y,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if self.matrix_free {
            let expected = "a Jacobian, which this method or problem needs: solve with a diagonally \
                            implicit method or `Bdf`, without algebraic equations, or give one";
            return Err(Error::invalid("linearisation", "matrix-free", expected));
        }
        statistics.jacobians += 1;
        match field.linearisation() {
            Linearisation::MatrixFree(_) => {}
            Linearisation::Given(given) => {
                given.jacobian_into(t, y, self.n, &mut self.jacobian)?;
            }
            Linearisation::Differences => self.differences(field, t, y, f, statistics)?,
            Linearisation::SparseDifferences(sparsity) => {
                self.sparse_differences(field, sparsity, t, y, f, statistics)?;
            }
        }
        self.gamma_h = f64::NAN;
        Ok(())
    }

    /// Factorises `W` for this `γh`; `false` if it is singular.
    pub(crate) fn factorise(&mut self, gamma_h: f64, statistics: &mut Statistics) -> Result<bool> {
        statistics.factorisations += 1;
        self.gamma_h = f64::NAN;
        match &self.jacobian {
            JacobianStorage::Dense(jacobian) => {
                if !matches!(&self.matrix, Matrix::Dense(w) if w.len() == jacobian.len()) {
                    self.matrix = Matrix::Dense(vec![0.0; jacobian.len()]);
                }
                let Matrix::Dense(w) = &mut self.matrix else { return Ok(false) };
                for (w, j) in w.iter_mut().zip(jacobian) {
                    *w = -gamma_h * j;
                }
                match &self.mass {
                    None => w.iter_mut().step_by(self.n + 1).for_each(|w| *w += 1.0),
                    Some(_) => {
                        for &(i, j, value) in &self.mass_entries {
                            w[i + j * self.n] += value;
                        }
                    }
                }
                self.factor = Factor::dense(self.n, w);
            }
            JacobianStorage::Sparse(jacobian) => {
                let known =
                    matches!(&self.matrix, Matrix::Sparse(joined) if joined.is_of(jacobian));
                if !known {
                    let joined = Joined::new(jacobian, self.mass.as_ref(), self.n)?;
                    self.matrix = Matrix::Sparse(Box::new(joined));
                    self.factor = None;
                }
                let Matrix::Sparse(joined) = &mut self.matrix else { return Ok(false) };
                let Some(matrix) = joined.assemble(gamma_h, jacobian)? else {
                    self.factor = None;
                    return Ok(false);
                };
                self.factor = Factor::sparse(self.factor.take(), matrix)?;
            }
        }
        if self.factor.is_some() {
            self.gamma_h = gamma_h;
        }
        Ok(self.factor.is_some())
    }

    /// `x ← W⁻¹ x` with the last factorisation.
    pub(crate) fn solve(&mut self, x: &mut Y, statistics: &mut Statistics) -> Result<()> {
        let mut column = std::mem::take(&mut self.column);
        x.read_into(&mut column)?;
        self.solve_components(&mut column, statistics)?;
        x.write_from(&column)?;
        self.column = column;
        Ok(())
    }

    /// `x ← W⁻¹ x`; without a matrix with the Jacobian at `place`, and but for a residual `reduction`
    /// times as large as `x` was. How large it is in fact; `None` if that does not converge.
    pub(crate) fn solve_at<F: ImplicitField<Y>, N: ErrorNorm<Y>>(
        &mut self,
        place: &Place<'_, F, Y, N>,
        reduction: f64,
        x: &mut Y,
        statistics: &mut Statistics,
    ) -> Result<Option<f64>> {
        if let Linearisation::MatrixFree(parts) = place.field.linearisation() {
            let matrix = (self.mass.as_ref(), self.gamma_h);
            return krylov::solve(place, parts, matrix, reduction, x, statistics);
        }
        self.solve(x, statistics)?;
        Ok(Some(0.0))
    }

    /// The same for the components of a vector.
    pub(crate) fn solve_components(
        &self,
        x: &mut [f64],
        statistics: &mut Statistics,
    ) -> Result<()> {
        statistics.linear_solves += 1;
        let Some(factor) = &self.factor else {
            let expected = "a matrix that was factorised";
            return Err(Error::invalid("iteration matrix", "singular", expected));
        };
        factor.solve(x)
    }

    /// `x ← W⁻ᵀ x` with the last factorisation.
    #[cfg(feature = "candle")]
    pub(crate) fn solve_transposed(&mut self, x: &mut Y) -> Result<()> {
        let Some(factor) = &self.factor else {
            let expected = "a matrix that was factorised";
            return Err(Error::invalid("iteration matrix", "singular", expected));
        };
        x.read_into(&mut self.column)?;
        factor.solve_transposed(&mut self.column)?;
        Ok(x.write_from(&self.column)?)
    }

    /// `out ← M x`; both are the same for the identity.
    pub(crate) fn mass_times(&mut self, x: &Y, out: &mut Y) -> Result<()> {
        match &self.mass {
            None => out.clone_from(x),
            Some(mass) => {
                x.read_into(&mut self.components)?;
                mass.multiply(&self.components, &mut self.column);
                out.write_from(&self.column)?;
            }
        }
        Ok(())
    }

    /// The same for the components of a vector.
    pub(crate) fn mass_components(&self, x: &[f64], out: &mut [f64]) {
        match &self.mass {
            None => out.copy_from_slice(x),
            Some(mass) => mass.multiply(x, out),
        }
    }
}

/// Evaluates a field, counts it, and says when and where it failed.
#[inline]
pub(crate) fn value<F, Y>(
    field: &F,
    t: f64,
    y: &Y,
    out: &mut Y,
    statistics: &mut Statistics,
) -> Result<()>
where
    F: ImplicitField<Y>,
{
    statistics.evaluations += 1;
    let step = statistics.attempted();
    field.value_into(t, y, out).map_err(|source| Error::Field { t, step, source })
}

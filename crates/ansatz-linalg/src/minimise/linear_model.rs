//! What solves the linear least-squares problems of a nonlinear one: [`LeastSquaresSolver`].

use crate::{
    Components, Dense, LinearOperator, Lsmr, Qr, Result, Stopping, Vector, faer::Mat,
    nonlinear::scaled, operator::matrix_of,
};

/// Whatever makes steps for residuals `r` with a Jacobian `J`.
pub trait LeastSquaresSolver<V: Vector> {
    /// The linear model of the residuals at `x`, where they are `residual`.
    ///
    /// `scale` says how large the components of a step are, which damping is relative to; it is
    /// empty at first, and a solver keeps there what it wants to know at the next point.
    ///
    /// # Errors
    /// Those of the Jacobian.
    fn linearise<'a>(
        &'a self,
        jacobian: Box<dyn LinearOperator<V> + 'a>,
        x: &V,
        residual: &V,
        scale: &mut Vec<f64>,
    ) -> Result<Box<dyn LinearModel<V> + 'a>>
    where
        V: 'a;
}

/// Residuals `r + J s` as functions of the step.
pub trait LinearModel<V: Vector> {
    /// `Jᵀ r`.
    fn gradient(&self) -> &V;

    /// The step `s` with the least `|r + J s|² + damping |D s|²`, where `D` makes the damping a
    /// number without a unit.
    ///
    /// # Errors
    /// [`Error::Singular`](crate::Error::Singular) when there is none.
    fn step(&self, damping: f64) -> Result<V>;

    /// `J s`.
    ///
    /// # Errors
    /// Those of the Jacobian.
    fn image(&self, step: &V) -> Result<V>;
}

/// Steps by a QR factorisation of the dense Jacobian, damped relative to the largest that each of its
/// columns has been: whatever units the unknowns have, the steps are the same (J. Moré, *The
/// Levenberg–Marquardt algorithm*, Lecture Notes in Mathematics 630, 1978, §6). Needs no transpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DampedQr;

struct DenseModel<V> {
    /// `J D⁻¹`.
    matrix: Dense,
    scale: Vec<f64>,
    residual: V,
    gradient: V,
}

impl<V: Components> LeastSquaresSolver<V> for DampedQr {
    fn linearise<'a>(
        &'a self,
        jacobian: Box<dyn LinearOperator<V> + 'a>,
        x: &V,
        residual: &V,
        scale: &mut Vec<f64>,
    ) -> Result<Box<dyn LinearModel<V> + 'a>>
    where
        V: 'a,
    {
        let matrix = Dense::new(matrix_of(&*jacobian, x)?)?;
        let gradient = matrix.apply_transposed(&residual.components()?)?;
        let gradient = x.with_components(gradient)?;
        let matrix = matrix.as_faer();
        scale.resize(matrix.ncols(), 0.0);
        for (scale, column) in scale.iter_mut().zip(matrix.col_iter()) {
            *scale = scale.max(column.norm_l2());
        }
        // An unknown that nothing depends on (yet).
        let own: Vec<f64> = scale.iter().map(|d| if *d > 0.0 { *d } else { 1.0 }).collect();
        let relative = |i, j: usize| matrix[(i, j)] / own[j];
        let matrix = Dense::new(Mat::from_fn(matrix.nrows(), matrix.ncols(), relative))?;
        Ok(Box::new(DenseModel { matrix, scale: own, residual: residual.clone(), gradient }))
    }
}

impl<V: Components> LinearModel<V> for DenseModel<V> {
    fn gradient(&self) -> &V {
        &self.gradient
    }

    fn step(&self, damping: f64) -> Result<V> {
        let [m, n] = self.matrix.shape();
        let mut right: Vec<f64> = self.residual.components()?.iter().map(|r| -r).collect();
        let factors = if damping > 0.0 {
            let (matrix, root) = (self.matrix.as_faer(), damping.sqrt());
            let entry = |i: usize, j| match i.checked_sub(m) {
                Some(i) if i == j => root,
                Some(_) => 0.0,
                None => matrix[(i, j)],
            };
            right.resize(m + n, 0.0);
            Qr::new(&Dense::new(Mat::from_fn(m + n, n, entry))?)?
        } else {
            Qr::new(&self.matrix)?
        };
        let mut step = factors.solve_least_squares(&right)?;
        step.iter_mut().zip(&self.scale).for_each(|(s, d)| *s /= d);
        self.gradient.with_components(step)
    }

    fn image(&self, step: &V) -> Result<V> {
        let mut step = step.components()?;
        step.iter_mut().zip(&self.scale).for_each(|(s, d)| *s *= d);
        self.residual.with_components(self.matrix.apply(&step)?)
    }
}

/// Steps by [`Lsmr`], which needs the Jacobian and its transpose only as an operator; damped relative
/// to the largest that `‖J g‖ / ‖g‖` has been for a gradient `g`.
///
/// A step that is not within the tolerance is used all the same: it goes down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DampedLsmr {
    /// When an inner iteration stops: at 10⁻⁶, after 500 steps by default.
    pub stopping: Stopping,
}

impl Default for DampedLsmr {
    fn default() -> Self {
        Self { stopping: Stopping { relative: 1e-6, absolute: 0.0, iterations: 500 } }
    }
}

struct OperatorModel<'a, V> {
    jacobian: Box<dyn LinearOperator<V> + 'a>,
    stopping: Stopping,
    scale: f64,
    /// `−r`.
    right: V,
    gradient: V,
}

impl<V: Vector> LeastSquaresSolver<V> for DampedLsmr {
    fn linearise<'a>(
        &'a self,
        jacobian: Box<dyn LinearOperator<V> + 'a>,
        _: &V,
        residual: &V,
        scale: &mut Vec<f64>,
    ) -> Result<Box<dyn LinearModel<V> + 'a>>
    where
        V: 'a,
    {
        let gradient = jacobian.apply_transposed(residual)?;
        let (length, image) = (gradient.norm2()?, jacobian.apply(&gradient)?.norm2()?);
        let own = if length > 0.0 { image / length } else { 0.0 };
        let largest = scale.first().copied().unwrap_or(0.0).max(own);
        *scale = vec![largest];
        let (right, stopping) = (scaled(residual, -1.0)?, self.stopping);
        Ok(Box::new(OperatorModel { jacobian, stopping, scale: largest, right, gradient }))
    }
}

impl<V: Vector> LinearModel<V> for OperatorModel<'_, V> {
    fn gradient(&self) -> &V {
        &self.gradient
    }

    fn step(&self, damping: f64) -> Result<V> {
        let lsmr = Lsmr { damping: damping.sqrt() * self.scale };
        Ok(lsmr.run(&*self.jacobian, &self.right, None, &self.stopping)?.x)
    }

    fn image(&self, step: &V) -> Result<V> {
        self.jacobian.apply(step)
    }
}

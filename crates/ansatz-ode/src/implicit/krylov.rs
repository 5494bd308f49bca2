//! Linear systems without a matrix: [`solve`].

use std::cell::{Cell, RefCell};

use ansatz_linalg::{
    Components, Gmres, Iterative, LinearOperator, Outcome, Result as LinearResult, Stopping,
};

use super::{ImplicitField, Mass, MatrixFreeParts};
use crate::{Error, ErrorNorm, Result, Rms, Statistics};

/// Where a field is linearised: its value there is `f`.
pub(crate) struct Place<'a, F, Y, N> {
    pub(crate) field: &'a F,
    pub(crate) t: f64,
    pub(crate) y: &'a Y,
    pub(crate) f: &'a Y,
    /// That of the tolerances, if there are any.
    pub(crate) norm: Option<&'a N>,
}

/// Vectors kept, and iterations of one solve.
const RESTART: usize = 40;
const ITERATIONS: usize = 200;

/// A solve that got this far is of use, whatever stopped it: Newton's method measures what its
/// corrections are worth.
const USEFUL: f64 = 0.1;

/// `W = M − γh J`.
struct Operator<'a, F, Y, N> {
    place: &'a Place<'a, F, Y, N>,
    parts: &'a dyn MatrixFreeParts<Y>,
    mass: Option<&'a Mass>,
    gamma_h: f64,
    /// The state beside `y`, and the field there or the product.
    room: RefCell<(Y, Y)>,
    evaluations: Cell<usize>,
    /// Number of the step, for errors.
    step: usize,
    /// What a closure of the caller failed with.
    failure: RefCell<Option<Error>>,
}

impl<F, Y, N> Operator<'_, F, Y, N>
where
    F: ImplicitField<Y>,
    Y: Components,
    N: ErrorNorm<Y>,
{
    /// By how much of `v` the state is moved for a difference: by as much as the tolerance allows for an error (P. Brown,
    /// A. Hindmarsh 1986), or by half of the digits where there is none.
    fn increment(&self, v: &Y) -> Result<f64> {
        let y = self.place.y;
        let size = if let Some(norm) = self.place.norm {
            norm.norm(v, y, y)?
        } else {
            let half = y.epsilon().sqrt();
            let typical = y.norm2()? / (y.dimension() as f64).sqrt();
            let typical = if typical > 0.0 { typical } else { 1.0 };
            Rms { rtol: half, atol: half * typical }.norm(v, y, y)?
        };
        Ok(size.recip())
    }

    /// `product ← J v`.
    fn product(&self, v: &Y, moved: &mut Y, product: &mut Y) -> Result<()> {
        let Place { field, t, y, f, .. } = *self.place;
        let failed = |source| Error::Field { t, step: self.step, source };
        if self.parts.product_into(t, y, v, product).map_err(failed)? {
            return Ok(());
        }
        let epsilon = self.increment(v)?;
        if !epsilon.is_finite() {
            // Of nothing.
            return Ok(product.combine(None, 1.0, &[], &[])?);
        }
        moved.combine(Some(y), epsilon, &[1.0], std::slice::from_ref(v))?;
        self.evaluations.set(self.evaluations.get() + 1);
        field.value_into(t, moved, product).map_err(failed)?;
        std::mem::swap(moved, product);
        Ok(product.combine_iter(None, epsilon.recip(), &[1.0, -1.0], [&*moved, f].into_iter())?)
    }

    fn apply(&self, v: &Y, out: &mut Y) -> Result<()> {
        let (moved, product) = &mut *self.room.borrow_mut();
        self.product(v, moved, product)?;
        let Some(mass) = self.mass else {
            return Ok(out.combine(
                Some(v),
                -self.gamma_h,
                &[1.0],
                std::slice::from_ref(product),
            )?);
        };
        let all = v.components()?;
        let mut image = vec![0.0; all.len()];
        mass.multiply(&all, &mut image);
        moved.write_from(&image)?;
        Ok(out.combine(Some(moved), -self.gamma_h, &[1.0], std::slice::from_ref(product))?)
    }
}

/// Keeps the error of a closure, which comes out as it went in.
fn kept(failure: &RefCell<Option<Error>>, result: Result<()>) -> LinearResult<()> {
    result.map_err(|error| {
        failure.replace(Some(error));
        ansatz_core::Error::custom(Stopped).into()
    })
}

/// Says that the error was kept elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("a closure of the field failed")]
struct Stopped;

impl<F, Y, N> LinearOperator<Y> for Operator<'_, F, Y, N>
where
    F: ImplicitField<Y>,
    Y: Components,
    N: ErrorNorm<Y>,
{
    fn shape(&self) -> [usize; 2] {
        [self.place.y.dimension(); 2]
    }

    fn apply_into(&self, v: &Y, out: &mut Y) -> LinearResult<()> {
        kept(&self.failure, self.apply(v, out))
    }
}

/// The caller's preconditioner.
struct Preconditioner<'a, 'b, F, Y, N>(&'a Operator<'b, F, Y, N>);

impl<F, Y: Components, N> LinearOperator<Y> for Preconditioner<'_, '_, F, Y, N> {
    fn shape(&self) -> [usize; 2] {
        [self.0.place.y.dimension(); 2]
    }

    fn apply_into(&self, r: &Y, z: &mut Y) -> LinearResult<()> {
        let Operator { parts, gamma_h, step, failure, .. } = self.0;
        let failed = |source| Error::Field { t: self.0.place.t, step: *step, source };
        kept(failure, parts.precondition_into(*gamma_h, r, z).map_err(failed))
    }
}

/// `x ← W⁻¹ x`, but for a residual `reduction` times as large as `x` was. How large it is in fact;
/// `None` if the iteration gets nowhere.
pub(crate) fn solve<F, Y, N>(
    place: &Place<'_, F, Y, N>,
    parts: &dyn MatrixFreeParts<Y>,
    (mass, gamma_h): (Option<&Mass>, f64),
    reduction: f64,
    x: &mut Y,
    statistics: &mut Statistics,
) -> Result<Option<f64>>
where
    F: ImplicitField<Y>,
    Y: Components,
    N: ErrorNorm<Y>,
{
    statistics.linear_solves += 1;
    if !x.all_finite()? {
        return Ok(None);
    }
    let operator = Operator {
        place,
        parts,
        mass,
        gamma_h,
        room: RefCell::new((x.clone(), x.clone())),
        evaluations: Cell::new(0),
        step: statistics.attempted(),
        failure: RefCell::new(None),
    };
    // In units of its size, whose squares cannot be too small.
    let inverse = operator.increment(x)?;
    if !inverse.is_finite() {
        *x = x.zero_like()?;
        return Ok(Some(0.0));
    }
    x.scale_in_place(inverse)?;
    // Differences have about half of the digits.
    let relative = reduction.max(4.0 * x.epsilon().sqrt());
    let stopping = Stopping { relative, absolute: 0.0, iterations: ITERATIONS };
    let method = Iterative::new(Gmres { restart: RESTART }).stopping(stopping);
    let found = if parts.has_preconditioner() {
        method.preconditioner(Preconditioner(&operator)).run(&operator, x, None)
    } else {
        method.run(&operator, x, None)
    };
    statistics.evaluations += operator.evaluations.get();
    if let Some(error) = operator.failure.take() {
        return Err(error);
    }
    let found = found?;
    statistics.linear_iterations += found.iterations();
    let reached = if found.target > 0.0 { found.residual() / found.residuals[0] } else { 0.0 };
    if found.outcome != Outcome::Converged && (reached > USEFUL || reached.is_nan()) {
        return Ok(None);
    }
    x.combine(None, inverse.recip(), &[1.0], std::slice::from_ref(&found.x))?;
    Ok(Some(reached))
}

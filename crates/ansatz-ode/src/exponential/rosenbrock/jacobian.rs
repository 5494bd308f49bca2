//! The φ-functions of a Jacobian, times vectors: [`JacobianPart`].

use std::cell::Cell;

use ansatz_linalg::{
    Components, Dense, DifferenceJacobian, LinearOperator, Result as LinearResult, Sparse,
    faer::Mat,
};

use crate::{
    Error, ImplicitField, JacobianStorage, Krylov, LinearPart, Linearisation, MatrixFreeParts,
    Result, Statistics, implicit::Linear,
};

/// Up to this size all entries of φ-functions are found; above it, products with vectors.
const DENSE: usize = 64;

/// The Jacobian at the start of a step, in the form that suits it.
pub(super) enum JacobianPart {
    Dense(Dense),
    /// Too large for its φ-functions.
    Large(Krylov<Dense>),
    Sparse(Krylov<Sparse>),
    /// Not found at all: products with it are differences of the field.
    Products,
}

/// A field whose Jacobian is applied at a point.
pub(super) struct Place<'a, F, Y> {
    pub(super) field: &'a F,
    pub(super) t: f64,
    pub(super) y: &'a Y,
    pub(super) f: &'a Y,
}

impl JacobianPart {
    pub(super) fn new<F: ImplicitField<Y>, Y: Components>(
        place: &Place<'_, F, Y>,
        linear: &mut Linear<Y>,
        statistics: &mut Statistics,
    ) -> Result<Self> {
        let &Place { field, t, y, f } = place;
        let n = y.dimension();
        match field.linearisation() {
            Linearisation::Differences if n > DENSE => return Ok(Self::Products),
            Linearisation::MatrixFree(_) => return Ok(Self::Products),
            _ => {}
        }
        linear.linearise(field, t, y, f, statistics)?;
        Ok(match linear.jacobian() {
            JacobianStorage::Dense(columns) => {
                let dense = Dense::new(Mat::from_fn(n, n, |i, j| columns[i + j * n]))?;
                if n <= DENSE { Self::Dense(dense) } else { Self::Large(Krylov::new(dense)) }
            }
            JacobianStorage::Sparse(sparse) => Self::Sparse(Krylov::new(sparse.clone())),
        })
    }

    /// `outₘ ← Σ φₖ(tJ) termsₘₖ` for several sums of the same functions, those from `φ₁`: the first
    /// term of each is zero.
    pub(super) fn combine<F: ImplicitField<Y>, Y: Components>(
        &self,
        place: &Place<'_, F, Y>,
        t: f64,
        sums: &[&[Vec<f64>]],
        out: &mut [Vec<f64>],
        statistics: &mut Statistics,
    ) -> Result<()> {
        let run = |part: &dyn Fn(&[Vec<f64>], &mut Vec<f64>) -> Result<()>,
                   out: &mut [Vec<f64>]| {
            sums.iter().zip(out).try_for_each(|(terms, out)| part(terms, out))
        };
        match self {
            Self::Dense(dense) => {
                let most = sums.iter().map(|terms| terms.len()).max().unwrap_or(1);
                let functions = dense.functions(t, most - 1)?;
                run(&|terms, out| dense.combine(&functions, terms, out), out)
            }
            Self::Large(large) => run(&|terms, out| large.combine(&t, terms, out), out),
            Self::Sparse(sparse) => run(&|terms, out| sparse.combine(&t, terms, out), out),
            Self::Products => {
                let count = Cell::new(0);
                let products = Krylov::new(Self::products(place, &count)?);
                let done = run(&|terms, out| products.combine(&t, terms, out), out);
                statistics.evaluations += count.get();
                done
            }
        }
    }

    /// `out ← J x`.
    pub(super) fn apply<F: ImplicitField<Y>, Y: Components>(
        &self,
        place: &Place<'_, F, Y>,
        x: &Vec<f64>,
        out: &mut Vec<f64>,
        statistics: &mut Statistics,
    ) -> Result<()> {
        match self {
            Self::Dense(dense) => LinearPart::apply(dense, x, out),
            Self::Large(large) => large.apply(x, out),
            Self::Sparse(sparse) => sparse.apply(x, out),
            Self::Products => {
                let count = Cell::new(0);
                let done = Krylov::new(Self::products(place, &count)?).apply(x, out);
                statistics.evaluations += count.get();
                done
            }
        }
    }

    /// Products that were given, or by differences, whose evaluations are counted.
    fn products<'a, F: ImplicitField<Y>, Y: Components>(
        place: &'a Place<'a, F, Y>,
        count: &'a Cell<usize>,
    ) -> Result<Products<'a, Y, impl Fn(&Vec<f64>) -> LinearResult<Vec<f64>>>> {
        let &Place { field, t, y, f } = place;
        let at = move |x: &Vec<f64>| {
            count.set(count.get() + 1);
            let mut state = y.with_components(x.clone())?;
            let mut value = state.clone();
            field.value_into(t, &state, &mut value)?;
            std::mem::swap(&mut state, &mut value);
            state.components()
        };
        let given = match field.linearisation() {
            Linearisation::MatrixFree(parts) => Some(parts),
            _ => None,
        };
        let components = |y: &Y| y.components().map_err(Error::from);
        let differences = DifferenceJacobian::with_value(at, components(y)?, components(f)?);
        Ok(Products { t, y, given, differences })
    }
}

/// Products with a Jacobian that is not found itself.
struct Products<'a, Y, A> {
    t: f64,
    y: &'a Y,
    given: Option<&'a dyn MatrixFreeParts<Y>>,
    differences: DifferenceJacobian<A, Vec<f64>>,
}

impl<Y, A> LinearOperator<Vec<f64>> for Products<'_, Y, A>
where
    Y: Components,
    A: Fn(&Vec<f64>) -> LinearResult<Vec<f64>>,
{
    fn shape(&self) -> [usize; 2] {
        self.differences.shape()
    }

    fn apply_into(&self, x: &Vec<f64>, out: &mut Vec<f64>) -> LinearResult<()> {
        if let Some(parts) = self.given {
            let v = self.y.with_components(x.clone())?;
            let mut product = v.clone();
            if parts.product_into(self.t, self.y, &v, &mut product)? {
                *out = product.components()?;
                return Ok(());
            }
        }
        self.differences.apply_into(x, out)
    }
}

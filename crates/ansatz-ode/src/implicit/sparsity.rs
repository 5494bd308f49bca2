//! Where a Jacobian has entries: [`Sparsity`].

use ansatz_linalg::{
    Components, Sparse,
    nalgebra_sparse::{CooMatrix, CsrMatrix},
};

use super::{ImplicitField, Linearisation};
use crate::{Error, Result, VectorField};

/// The places where a Jacobian may have entries, and groups of columns that share no row, so that
/// one evaluation of the field serves a whole group (A. R. Curtis, M. J. D. Powell, J. K. Reid,
/// J. Inst. Math. Appl. 13, 1974, 117–119).
#[derive(Debug, Clone)]
pub struct Sparsity {
    pattern: Sparse,
    /// For each column the rows with an entry, and where in the values of the pattern it is.
    columns: Vec<Vec<(usize, usize)>>,
    groups: Vec<Vec<usize>>,
}

impl Sparsity {
    /// From the places `(row, column)` of the entries of an `n × n` matrix.
    ///
    /// # Errors
    /// When a place lies outside.
    pub fn new(n: usize, places: impl IntoIterator<Item = (usize, usize)>) -> Result<Self> {
        let mut coo = CooMatrix::new(n, n);
        for (i, j) in places {
            if i >= n || j >= n {
                let expected = "a place inside the matrix";
                return Err(Error::invalid("sparsity", format!("({i}, {j})"), expected));
            }
            coo.push(i, j, 1.0);
        }
        let csr = CsrMatrix::from(&coo);
        let mut columns = vec![Vec::new(); n];
        for (place, (i, j, _)) in csr.triplet_iter().enumerate() {
            columns[j].push((i, place));
        }
        let groups = colour(&csr, &columns);
        Ok(Self { pattern: Sparse::new(csr)?, columns, groups })
    }

    /// Bands: entries at most `lower` below and `upper` above the diagonal.
    ///
    /// # Errors
    /// Never for sensible sizes.
    pub fn banded(n: usize, lower: usize, upper: usize) -> Result<Self> {
        let row = |i: usize| {
            let (from, to) = (i.saturating_sub(lower), (i + upper + 1).min(n));
            (from..to).map(move |j| (i, j))
        };
        Self::new(n, (0..n).flat_map(row))
    }

    /// Detected by setting one component after the other to NaN: where the field's value becomes
    /// NaN it depends on that component. Costs as many evaluations as there are components.
    ///
    /// A dependence that a branch hides at `y` is not found, nor one through an operation that
    /// swallows NaN (`max`, `min`).
    ///
    /// # Errors
    /// When the field fails, or is not finite at `y`.
    pub fn detect<F, Y>(field: &F, t: f64, y: &Y) -> Result<Self>
    where
        F: VectorField<Y>,
        Y: Components,
    {
        let failed = |source| Error::Field { t, step: 0, source };
        let mut dy = y.clone();
        field.eval_into(t, y, &mut dy).map_err(failed)?;
        if !dy.all_finite()? {
            return Err(Error::NotFinite { what: "the vector field", t, step: 0 });
        }
        let n = y.dimension();
        let (mut components, mut values) = (vec![0.0; n], vec![0.0; n]);
        y.read_into(&mut components)?;
        let mut probe = y.clone();
        let mut places = Vec::new();
        for j in 0..n {
            let kept = std::mem::replace(&mut components[j], f64::NAN);
            probe.write_from(&components)?;
            components[j] = kept;
            field.eval_into(t, &probe, &mut dy).map_err(failed)?;
            dy.read_into(&mut values)?;
            places.extend((0..n).filter(|&i| values[i].is_nan()).map(|i| (i, j)));
        }
        Self::new(n, places)
    }

    /// Number of groups of columns: evaluations that a Jacobian costs.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Number of entries.
    pub fn entries(&self) -> usize {
        self.pattern.as_csr().nnz()
    }

    /// A matrix with entries at these places.
    pub(crate) fn pattern(&self) -> &Sparse {
        &self.pattern
    }

    pub(crate) fn column_groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// Rows with an entry in column `j`, and the places of these entries among the values.
    pub(crate) fn column(&self, j: usize) -> &[(usize, usize)] {
        &self.columns[j]
    }
}

/// Puts each column into the first group in which it shares no row with another one; columns with
/// many entries first.
fn colour(csr: &CsrMatrix<f64>, columns: &[Vec<(usize, usize)>]) -> Vec<Vec<usize>> {
    let n = columns.len();
    let mut order: Vec<usize> = (0..n).filter(|&j| !columns[j].is_empty()).collect();
    order.sort_by_key(|&j| std::cmp::Reverse(columns[j].len()));
    let mut group_of = vec![usize::MAX; n];
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // Groups that the column at hand meets in one of its rows, marked by the column.
    let mut met: Vec<usize> = Vec::new();
    for j in order {
        for &(i, _) in &columns[j] {
            for &k in csr.row(i).col_indices() {
                if group_of[k] != usize::MAX {
                    met[group_of[k]] = j;
                }
            }
        }
        let free = met.iter().position(|&m| m != j).unwrap_or(groups.len());
        if free == groups.len() {
            groups.push(Vec::new());
            met.push(usize::MAX);
        }
        group_of[j] = free;
        groups[free].push(j);
    }
    groups
}

/// A field whose Jacobian is known to have entries only at some places: it is found by few
/// evaluations and factorised as a sparse matrix.
///
/// ```
/// use ansatz_ode::{InPlace, Kvaerno5, Sparsity, WithSparsity, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // Diffusion on a line of 200 points.
/// let n = 200;
/// let heat = InPlace(move |_t: f64, u: &Vec<f64>, du: &mut Vec<f64>| {
///     for i in 0..u.len() {
///         let (left, right) = (u[i.saturating_sub(1)], u[(i + 1).min(n - 1)]);
///         du[i] = 1e4 * (left - 2.0 * u[i] + right);
///     }
/// });
/// let u0: Vec<f64> = (0..n).map(|i| if i < n / 2 { 1.0 } else { 0.0 }).collect();
/// let field = WithSparsity::new(heat, Sparsity::banded(n, 1, 1)?);
/// let solution = solve(field, u0, (0.0, 1.0)).with(Kvaerno5).tolerance(1e-6, 1e-6).run()?;
/// assert!(solution.statistics.evaluations < 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct WithSparsity<F> {
    field: F,
    sparsity: Sparsity,
}

impl<F> WithSparsity<F> {
    /// `field` with the places of its Jacobian's entries.
    pub fn new(field: F, sparsity: Sparsity) -> Self {
        Self { field, sparsity }
    }
}

impl<F, Y> VectorField<Y> for WithSparsity<F>
where
    F: VectorField<Y>,
{
    fn eval_into(&self, t: f64, y: &Y, dy: &mut Y) -> ansatz_core::Result<()> {
        self.field.eval_into(t, y, dy)
    }

    fn arguments(&self) -> &[Y] {
        self.field.arguments()
    }

    fn eval_with(&self, t: f64, y: &Y, arguments: &[Y], dy: &mut Y) -> ansatz_core::Result<()> {
        self.field.eval_with(t, y, arguments, dy)
    }
}

impl<F, Y> ImplicitField<Y> for WithSparsity<F>
where
    F: VectorField<Y>,
{
    #[inline]
    fn value_into(&self, t: f64, y: &Y, out: &mut Y) -> ansatz_core::Result<()> {
        self.eval_into(t, y, out)
    }

    fn linearisation(&self) -> Linearisation<'_, Y> {
        Linearisation::SparseDifferences(&self.sparsity)
    }
}

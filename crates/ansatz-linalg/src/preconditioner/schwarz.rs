//! [`AdditiveSchwarz`].

use std::collections::HashSet;

use nalgebra_sparse::{CooMatrix, csr::CsrRow};
use rayon::prelude::*;

use super::{WHAT, check_square, of_whole};
use crate::{Error, Factorised, LinearOperator, Properties, Result, Sparse, SparseLu};

/// The sum of solves on overlapping parts of the unknowns, `Σᵢ Rᵢᵀ (Rᵢ A Rᵢᵀ)⁻¹ Rᵢ` (M. Dryja,
/// O. Widlund, 1987; Y. Saad, *Iterative Methods for Sparse Linear Systems*, 2003, §14.3.3), the
/// parts side by side on all threads.
///
/// Without a coarse space: iterations grow with the number of parts.
#[derive(Debug, Clone)]
pub struct AdditiveSchwarz {
    parts: Vec<Part>,
    dimension: usize,
    symmetric: bool,
    restricted: bool,
}

#[derive(Debug, Clone)]
struct Part {
    unknowns: Vec<usize>,
    /// Which of them are its own: they were given to no part before.
    own: Vec<bool>,
    factors: SparseLu,
}

impl AdditiveSchwarz {
    /// Of `matrix`, with `parts` runs of consecutive unknowns, each extended by `overlap` layers of
    /// neighbours in the graph of the matrix.
    ///
    /// # Errors
    /// As [`AdditiveSchwarz::with_parts`], and [`Error::InvalidArgument`] when there are more parts
    /// than unknowns, or none.
    pub fn new(matrix: &Sparse, parts: usize, overlap: usize) -> Result<Self> {
        let n = check_square(matrix)?;
        if parts == 0 || parts > n.max(1) {
            return Err(Error::invalid("number of parts", parts, "from 1 to the unknowns"));
        }
        let runs = (0..parts).map(|k| (k * n / parts..(k + 1) * n / parts).collect()).collect();
        Self::with_parts(matrix, runs, overlap)
    }

    /// Of `matrix`, with given parts, each extended by `overlap` layers of neighbours.
    ///
    /// # Errors
    /// [`Error::Size`] when the matrix is not square, [`Error::InvalidArgument`] when a part has an
    /// unknown that the matrix has not or an unknown is in no part, [`Error::Singular`] when a part
    /// of the matrix is.
    pub fn with_parts(matrix: &Sparse, parts: Vec<Vec<usize>>, overlap: usize) -> Result<Self> {
        let dimension = check_square(matrix)?;
        let mut owners = vec![None; dimension];
        for (k, unknown) in
            parts.iter().enumerate().flat_map(|(k, p)| p.iter().map(move |i| (k, i)))
        {
            match owners.get_mut(*unknown) {
                Some(owner) => *owner = owner.or(Some(k)),
                None => return Err(Error::invalid("unknown of a part", unknown, "a row's number")),
            }
        }
        if let Some(left_out) = owners.iter().position(Option::is_none) {
            return Err(Error::invalid("unknown in no part", left_out, "each in at least one"));
        }
        let part = |(k, unknowns): (usize, Vec<usize>)| -> Result<Part> {
            let unknowns = extended(matrix, unknowns, overlap);
            let number = |pivot: usize| unknowns.get(pivot).copied().unwrap_or(pivot);
            let factors = SparseLu::new(&restricted(matrix, &unknowns)?);
            let factors = factors.map_err(|error| of_whole(error, number))?;
            let own = unknowns.iter().map(|i| owners[*i] == Some(k)).collect();
            Ok(Part { unknowns, own, factors })
        };
        let parts: Vec<Result<_>> = parts.into_par_iter().enumerate().map(part).collect();
        // In order: the first error is the one reported.
        let parts = parts.into_iter().collect::<Result<_>>()?;
        let symmetric = matrix.properties().symmetric;
        Ok(Self { parts, dimension, symmetric, restricted: false })
    }

    /// The restricted method: of each solve only the part without its overlap is taken, which usually
    /// needs fewer iterations, but is not symmetric: for `Gmres` and `BiCgStab`, not for `Cg`
    /// (X.-C. Cai, M. Sarkis, SIAM J. Sci. Comput. 21, 1999).
    #[must_use]
    pub fn restricted(self) -> Self {
        Self { restricted: true, symmetric: false, ..self }
    }

    fn sum(&self, x: &[f64], y: &mut Vec<f64>, transposed: bool) -> Result<()> {
        let mask = |part: &Part, values: &mut [f64]| {
            let all = values.iter_mut().zip(&part.own);
            all.filter(|(_, own)| self.restricted && !**own).for_each(|(value, _)| *value = 0.0);
        };
        let local = |part: &Part| {
            let mut values: Vec<f64> = part.unknowns.iter().map(|i| x[*i]).collect();
            if transposed {
                mask(part, &mut values);
                part.factors.solve_transposed_in_place(&mut values)?;
            } else {
                part.factors.solve_in_place(&mut values)?;
                mask(part, &mut values);
            }
            Ok(values)
        };
        let all: Vec<Vec<f64>> = self.parts.par_iter().map(local).collect::<Result<_>>()?;
        y.clear();
        y.resize(self.dimension, 0.0);
        // In the order of the parts: the same bits for any number of threads.
        for (part, values) in self.parts.iter().zip(all) {
            part.unknowns.iter().zip(values).for_each(|(i, value)| y[*i] += value);
        }
        Ok(())
    }
}

/// The unknowns and `layers` of neighbours, rising, each once.
fn extended(matrix: &Sparse, mut unknowns: Vec<usize>, layers: usize) -> Vec<usize> {
    unknowns.sort_unstable();
    unknowns.dedup();
    let mut taken: HashSet<usize> = unknowns.iter().copied().collect();
    let mut newest = 0;
    for _ in 0..layers {
        let end = unknowns.len();
        for k in newest..end {
            let row = matrix.as_csr().get_row(unknowns[k]);
            let columns = row.iter().flat_map(CsrRow::col_indices);
            unknowns.extend(columns.filter(|j| taken.insert(**j)));
        }
        if unknowns.len() == end {
            break;
        }
        newest = end;
    }
    unknowns.sort_unstable();
    unknowns
}

/// The rows and columns of these numbers, which rise.
fn restricted(matrix: &Sparse, unknowns: &[usize]) -> Result<Sparse> {
    let mut entries = CooMatrix::new(unknowns.len(), unknowns.len());
    for (local, i) in unknowns.iter().enumerate() {
        let row = matrix.as_csr().get_row(*i).ok_or_else(|| Error::size(WHAT, "a row", i))?;
        for (j, a) in row.col_indices().iter().zip(row.values()) {
            if let Ok(column) = unknowns.binary_search(j) {
                entries.push(local, column, *a);
            }
        }
    }
    Sparse::from_coo(&entries)
}

impl LinearOperator<Vec<f64>> for AdditiveSchwarz {
    fn shape(&self) -> [usize; 2] {
        [self.dimension; 2]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        self.sum(x, y, false)
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        self.sum(x, y, true)
    }

    /// Symmetric where the matrix is, unless restricted.
    fn properties(&self) -> Properties {
        if self.symmetric { Properties::SYMMETRIC } else { Properties::NONE }
    }
}

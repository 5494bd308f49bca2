//! The numbers of a sparse LU factorisation.

use faer::{
    Conj, MatMut, Spec,
    dyn_stack::{MemStack, StackReq},
    perm::PermRef,
    sparse::{
        FaerError, SparseColMat,
        linalg::{
            LuError,
            lu::{simplicial, supernodal},
        },
    },
};

use super::{analysis::Analysis, memory};

/// `L`, `U` and the order of the rows, both ways.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    forward: Vec<usize>,
    backward: Vec<usize>,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Entries(simplicial::SimplicialLu<usize, f64>),
    Blocks(supernodal::SupernodalLu<usize, f64>),
}

impl Factors {
    pub(super) fn new(
        analysis: &Analysis,
        matrix: &SparseColMat<usize, f64>,
    ) -> Result<Self, LuError> {
        let Some(blocks) = &analysis.blocks else { return Self::by_entries(analysis, matrix) };
        let n = matrix.ncols();
        let (mut forward, mut backward) = (vec![0; n], vec![0; n]);
        let mut lu = supernodal::SupernodalLu::new();
        let transpose = matrix.transpose().to_col_major()?;
        let params = Spec::default();
        let scratch =
            supernodal::factorize_supernodal_numeric_lu_scratch::<usize, f64>(blocks, params);
        supernodal::factorize_supernodal_numeric_lu(
            &mut forward,
            &mut backward,
            &mut lu,
            matrix.as_ref(),
            transpose.as_ref(),
            analysis.columns(),
            blocks,
            analysis.parallel,
            MemStack::new(&mut memory(scratch)?),
            params,
        )?;
        Ok(Self { forward, backward, kind: Kind::Blocks(lu) })
    }

    fn by_entries(analysis: &Analysis, matrix: &SparseColMat<usize, f64>) -> Result<Self, LuError> {
        let n = matrix.ncols();
        let (mut forward, mut backward) = (vec![0; n], vec![0; n]);
        let mut lu = simplicial::SimplicialLu::new();
        let scratch = simplicial::factorize_simplicial_numeric_lu_scratch::<usize, f64>(n, n);
        simplicial::factorize_simplicial_numeric_lu(
            &mut forward,
            &mut backward,
            &mut lu,
            matrix.as_ref(),
            analysis.columns(),
            MemStack::new(&mut memory(scratch)?),
        )?;
        Ok(Self { forward, backward, kind: Kind::Entries(lu) })
    }

    /// The pivots, in the order of elimination, and the rows in it. The library does not show the
    /// pivots of a factorisation in blocks, so that such a one is made again entry by entry.
    pub(super) fn pivots(
        &self,
        analysis: &Analysis,
        matrix: &SparseColMat<usize, f64>,
    ) -> Result<(Vec<f64>, Vec<usize>), LuError> {
        let Kind::Entries(lu) = &self.kind else {
            return Self::by_entries(analysis, matrix)?.pivots(analysis, matrix);
        };
        let u = lu.u_factor_unsorted();
        // The pivot is the last that is stored of a column.
        let pivots = (0..u.ncols()).filter_map(|j| u.val_of_col(j).last().copied());
        Ok((pivots.collect(), self.forward.clone()))
    }

    pub(super) fn solve(
        &self,
        analysis: &Analysis,
        x: MatMut<'_, f64>,
        transposed: bool,
    ) -> Result<(), FaerError> {
        let (n, count) = x.shape();
        let rows = PermRef::new_checked(&self.forward, &self.backward, n);
        let (columns, conj, parallel) = (analysis.columns(), Conj::No, analysis.parallel);
        let mut memory = memory(StackReq::any_of(&[
            simplicial::solve_in_place_scratch::<usize, f64>(n, count, parallel),
            supernodal::solve_in_place_scratch::<usize, f64>(n, count, parallel),
        ]))?;
        let stack = MemStack::new(&mut memory);
        match (&self.kind, transposed) {
            (Kind::Entries(lu), false) => {
                lu.solve_in_place_with_conj(rows, columns, conj, x, parallel, stack);
            }
            (Kind::Entries(lu), true) => {
                lu.solve_transpose_in_place_with_conj(rows, columns, conj, x, parallel, stack);
            }
            (Kind::Blocks(lu), false) => {
                lu.solve_in_place_with_conj(rows, columns, conj, x, parallel, stack);
            }
            (Kind::Blocks(lu), true) => {
                lu.solve_transpose_in_place_with_conj(rows, columns, conj, x, parallel, stack);
            }
        }
        Ok(())
    }
}

//! What a sparse LU factorisation finds from the places of the entries alone: an order of the columns
//! and, where it pays, columns to eliminate together.

use faer::{
    Par,
    dyn_stack::{MemStack, StackReq},
    perm::PermRef,
    sparse::{
        FaerError, SparseColMatRef, SymbolicSparseColMatRef, SymbolicSparseRowMat,
        linalg::{SymbolicSupernodalParams, amd, colamd, lu::supernodal, qr},
    },
};

use super::memory;

/// The order of the columns, both ways, and blocks of them.
#[derive(Debug)]
pub(super) struct Analysis {
    forward: Vec<usize>,
    backward: Vec<usize>,
    /// `None` where so few operations meet each number of the factors that blocks do not pay.
    pub(super) blocks: Option<supernodal::SymbolicSupernodalLu<usize>>,
    pub(super) parallel: Par,
    /// Rows were taken as never exchanged.
    pub(super) dominant: bool,
}

/// Operations for each number of the factors from which on blocks are faster: both took as long on
/// −Δ with 32 × 32 points, with ten.
const BLOCKS_FROM: f64 = 10.0;
/// Operations for each column from which on the threads share them: with fewer, on grids in the plane
/// and small ones in space, a second thread costs more than it does.
const PARALLEL_FROM: f64 = 1e6;
/// Blocks of up to this many columns may hold this share of zeros (C. Ashcraft, R. Grimes, *The
/// influence of relaxed supernode partitions on the multifrontal method*, 1989).
const RELAXED: &[(usize, f64)] = &[(8, 1.0), (32, 0.8), (64, 0.3), (usize::MAX, 0.1)];

impl Analysis {
    /// Rows that are exchanged may put every row of a column at the place of every other, so that the
    /// columns are ordered for `AᵀA` (COLAMD: T. Davis et al., *A column approximate minimum degree
    /// ordering algorithm*, 2004). When each number of the diagonal is as large as the others of its
    /// column together, the pivots are those of the diagonal (N. Higham, *Accuracy and Stability of
    /// Numerical Algorithms*, 2nd ed. 2002, Theorem 9.9): then the order is one for `A + Aᵀ`, which
    /// fills in less (AMD: P. Amestoy et al., *An approximate minimum degree ordering algorithm*, 1996).
    pub(super) fn new(matrix: SparseColMatRef<'_, usize, f64>) -> Result<Self, FaerError> {
        let dominant = is_dominant(matrix);
        let places = matrix.symbolic();
        let (n, entries) = (places.ncols(), places.compute_nnz());
        let (mut forward, mut backward) = (vec![0; n], vec![0; n]);
        if dominant {
            let mut memory = memory(amd::order_maybe_unsorted_scratch::<usize>(n, entries))?;
            let (stack, control) = (MemStack::new(&mut memory), amd::Control::default());
            amd::order_maybe_unsorted(&mut forward, &mut backward, places, control, stack)?;
            let links = links(places).to_col_major()?;
            Self::of_normal_equations(links.as_ref(), forward, backward, dominant)
        } else {
            let mut memory = memory(colamd::order_scratch::<usize>(n, n, entries))?;
            let (stack, control) = (MemStack::new(&mut memory), colamd::Control::default());
            colamd::order(&mut forward, &mut backward, places, control, stack)?;
            Self::of_normal_equations(places, forward, backward, dominant)
        }
    }

    /// With the fill-in of a Cholesky factor of `MᵀM`.
    fn of_normal_equations(
        m: SymbolicSparseColMatRef<'_, usize>,
        mut forward: Vec<usize>,
        mut backward: Vec<usize>,
        dominant: bool,
    ) -> Result<Self, FaerError> {
        let (rows, n) = (m.nrows(), m.ncols());
        let mut memory = memory(StackReq::any_of(&[
            qr::col_etree_scratch::<usize>(rows, n),
            qr::postorder_scratch::<usize>(n),
            qr::column_counts_aat_scratch::<usize>(n, rows),
            supernodal::factorize_supernodal_symbolic_lu_scratch::<usize>(rows, n),
        ]))?;
        let stack = MemStack::new(&mut memory);
        let (mut tree, mut postorder, mut counts) = (vec![0; n], vec![0; n], vec![0; n]);
        let mut first_columns = vec![0; rows];
        let transpose = m.transpose().to_col_major()?;

        // Children right before their parents, so that blocks are of neighbours.
        let order = PermRef::new_checked(&forward, &backward, n);
        let found = qr::col_etree(m, Some(order), &mut tree, stack);
        qr::postorder(&mut postorder, found, stack);
        forward = postorder.iter().map(|k| forward[*k]).collect();
        forward.iter().enumerate().for_each(|(k, column)| backward[*column] = k);

        let order = PermRef::new_checked(&forward, &backward, n);
        let found = qr::col_etree(m, Some(order), &mut tree, stack);
        qr::postorder(&mut postorder, found, stack);
        qr::column_counts_ata(
            &mut counts,
            &mut first_columns,
            transpose.as_ref(),
            Some(order),
            found,
            &postorder,
            stack,
        );
        let numbers: f64 = counts.iter().map(|c| *c as f64).sum();
        let operations: f64 = counts.iter().map(|c| (*c as f64).powi(2)).sum();
        let blocks = if operations > BLOCKS_FROM * 2.0 * numbers {
            Some(supernodal::factorize_supernodal_symbolic_lu(
                m,
                Some(order),
                &first_columns,
                found,
                &counts,
                stack,
                SymbolicSupernodalParams { relax: Some(RELAXED) },
            )?)
        } else {
            None
        };
        let shared = operations > PARALLEL_FROM * n as f64;
        let parallel = if shared { faer::get_global_parallelism() } else { Par::Seq };
        Ok(Self { forward, backward, blocks, parallel, dominant })
    }

    pub(super) fn columns(&self) -> PermRef<'_, usize> {
        PermRef::new_checked(&self.forward, &self.backward, self.forward.len())
    }
}

/// Whether each number of the diagonal is as large as the others of its column together.
pub(super) fn is_dominant(matrix: SparseColMatRef<'_, usize, f64>) -> bool {
    (0..matrix.ncols()).all(|j| {
        let (mut diagonal, mut others) = (0.0, 0.0);
        for (i, a) in matrix.row_idx_of_col(j).zip(matrix.val_of_col(j)) {
            *if i == j { &mut diagonal } else { &mut others } += a.abs();
        }
        diagonal >= others && diagonal > 0.0
    })
}

/// A matrix whose normal equations have entries where `A + Aᵀ` and the diagonal have them: a row for
/// each unknown, and one for each entry that links two.
fn links(a: SymbolicSparseColMatRef<'_, usize>) -> SymbolicSparseRowMat<usize> {
    let n = a.ncols();
    let mut columns: Vec<usize> = (0..n).collect();
    let mut starts: Vec<usize> = (0..=n).collect();
    for j in 0..n {
        for i in a.row_idx_of_col(j).filter(|i| *i != j) {
            columns.extend([i.min(j), i.max(j)]);
            starts.push(columns.len());
        }
    }
    SymbolicSparseRowMat::new_checked(starts.len() - 1, n, starts, None, columns)
}

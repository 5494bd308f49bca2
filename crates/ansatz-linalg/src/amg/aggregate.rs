//! Which unknowns belong together.

use nalgebra_sparse::CsrMatrix;

/// No aggregate: an unknown without strong neighbours, which needs no coarse space.
pub(super) const NONE: u32 = u32::MAX;

/// The aggregate of each unknown, and how many there are (P. Vaněk, J. Mandel, M. Brezina 1996,
/// algorithm 5.1).
pub(super) fn aggregates(a: &CsrMatrix<f64>, diagonal: &[f64], strength: f64) -> (Vec<u32>, usize) {
    let n = a.nrows();
    let (offsets, columns, values) = a.csr_data();
    let neighbours = |i: usize| {
        let row = offsets[i]..offsets[i + 1];
        let entries = columns[row.clone()].iter().copied().zip(values[row].iter().copied());
        entries.filter(move |(j, a)| *j != i && is_strong(*a, diagonal[i], diagonal[*j], strength))
    };
    let mut group = vec![NONE; n];
    let mut count = 0u32;
    // Unknowns with their neighbours, where none of them is taken.
    for i in 0..n {
        if group[i] != NONE {
            continue;
        }
        let mut free = neighbours(i).map(|(j, _)| group[j] == NONE).peekable();
        if free.peek().is_none() || !free.all(|free| free) {
            continue;
        }
        group[i] = count;
        neighbours(i).for_each(|(j, _)| group[j] = count);
        count += 1;
    }
    // The others with neighbours have one of these: they go to their strongest.
    let first = group.clone();
    for i in 0..n {
        if group[i] != NONE {
            continue;
        }
        let taken = neighbours(i).filter(|(j, _)| first[*j] != NONE);
        let size = |j: usize, a: f64| a.abs() / diagonal[j].sqrt();
        if let Some((j, _)) =
            taken.reduce(|x, y| if size(y.0, y.1) > size(x.0, x.1) { y } else { x })
        {
            group[i] = first[j];
        }
    }
    (group, count as usize)
}

/// Whether an entry couples two unknowns strongly.
pub(super) fn is_strong(a: f64, di: f64, dj: f64, strength: f64) -> bool {
    a != 0.0 && a * a > strength * strength * di * dj
}

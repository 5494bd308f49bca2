//! The matrix `PᵀAP` of a coarse grid.

use rayon::prelude::*;

use super::{
    super::{
        full::{Full, STEPS, offsets},
        transfer::Transfer,
    },
    Entries,
};
use crate::operator::diffusion::grid::Grid;

/// One way to go from a coarse cell to another along an axis: down by a weight, across by an entry of
/// the fine matrix, and up by a weight.
struct Path {
    /// To the other coarse cell.
    target: isize,
    /// From the coarse cell to the fine one.
    row: isize,
    entry: isize,
    /// From the other coarse cell to where the entry leads.
    column: isize,
    /// For each coarse cell the fine one and the other coarse one, where the path exists.
    cells: Vec<Option<[usize; 2]>>,
}

fn paths(transfer: &Transfer, axis: usize) -> Vec<Path> {
    let (fine, coarse) = (&transfer.fine, &transfer.coarse);
    let (n, count) = (fine.n[axis], coarse.n[axis]);
    let halved = transfer.maps[axis].is_halved();
    let entries = if n > 1 { &STEPS[..] } else { &STEPS[1..2] };
    let between = if halved { &STEPS[..] } else { &STEPS[1..2] };
    let mut all = Vec::new();
    for &target in entries {
        for &row in between {
            for &entry in entries {
                for &column in between {
                    let cell = |i: usize| {
                        let apart = target * transfer.apart(axis, i, target);
                        let other = coarse.reach(axis, i, target)?;
                        let at = transfer.fine(axis, i, row)?;
                        (row + entry == apart + column).then_some([at, other])
                    };
                    let cells: Vec<_> = (0..count).map(cell).collect();
                    if cells.iter().any(Option::is_some) {
                        all.push(Path { target, row, entry, column, cells });
                    }
                }
            }
        }
    }
    all
}

/// `PᵀAP`, where `weights` are those of `P`.
pub(super) fn product(transfer: &Transfer, entries: &Entries, weights: &Entries) -> Full {
    let (fine, coarse) = (&transfer.fine, &transfer.coarse);
    let lists: [Vec<Path>; 3] = std::array::from_fn(|axis| paths(transfer, axis));
    let find = |list: &Entries, offset: [isize; 3]| list.iter().position(|(o, _)| *o == offset);
    let mut all: Entries = Vec::new();
    for target in offsets(fine.n.map(|n| n > 1)) {
        let towards = |axis: usize| lists[axis].iter().filter(move |p| p.target == target[axis]);
        let mut combined = Vec::new();
        for a in towards(0) {
            for b in towards(1) {
                for c in towards(2) {
                    let row = find(weights, [a.row, b.row, c.row]);
                    let entry = find(entries, [a.entry, b.entry, c.entry]);
                    let column = find(weights, [a.column, b.column, c.column]);
                    if let (Some(row), Some(entry), Some(column)) = (row, entry, column) {
                        let [left, a_fine, right] =
                            [&weights[row].1, &entries[entry].1, &weights[column].1];
                        combined.push(([a, b, c], left, a_fine, right));
                    }
                }
            }
        }
        let mut values = vec![0.0; coarse.len()];
        let line = |(number, out): (usize, &mut [f64])| {
            let (i, l) = (number / coarse.n[1], number % coarse.n[1]);
            for ([a, b, c], left, a_fine, right) in &combined {
                let (Some([p, other]), Some([q, beside])) = (a.cells[i], b.cells[l]) else {
                    continue;
                };
                let left = coarse.line(left, i, l);
                let a_fine = fine.line(a_fine, p, q);
                let right = coarse.line(right, other, beside);
                for ((out, cell), left) in out.iter_mut().zip(&c.cells).zip(left) {
                    if let Some([r, k]) = cell {
                        *out += left * a_fine[*r] * right[*k];
                    }
                }
            }
        };
        values.par_chunks_mut(coarse.n[2]).enumerate().for_each(line);
        all.push((target, values));
    }
    Full::new(fold(coarse, all))
}

/// Along an axis with one cell, neighbours are the cell itself.
fn fold(grid: &Grid, entries: Entries) -> Entries {
    let mut all: Entries = Vec::new();
    for (offset, values) in entries {
        let at: [isize; 3] = std::array::from_fn(|a| if grid.n[a] == 1 { 0 } else { offset[a] });
        match all.iter_mut().find(|(o, _)| *o == at) {
            Some((_, sum)) => sum.iter_mut().zip(values).for_each(|(s, v)| *s += v),
            None => all.push((at, values)),
        }
    }
    all
}

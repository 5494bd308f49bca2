//! The next coarser matrix: interpolation weights, and the matrix between.

use rayon::prelude::*;

use super::{
    full::{Full, STEPS, offsets},
    level::Matrix,
    transfer::{Map, Transfer, Weights},
};
use crate::operator::diffusion::{
    grid::Grid,
    seven::{Axis, Seven},
};

/// The transfer to the grid with every other cell of some axes, and the matrix there.
pub(super) fn coarsen(grid: &Grid, matrix: &Matrix, halve: [bool; 3]) -> (Transfer, Matrix) {
    let mut coarse = *grid;
    let mut maps = [Map::Same; 3];
    for axis in (0..3).filter(|axis| halve[*axis]) {
        (maps[axis], coarse.n[axis]) = Map::halved(grid.n[axis], grid.periodic[axis]);
    }
    if let Matrix::Seven(seven) = matrix
        && let Seven::Separable { axes, reaction } = &**seven
    {
        let weights =
            Weights::Separable(std::array::from_fn(|a| along(&axes[a], maps[a], &coarse, a)));
        let axes = std::array::from_fn(|a| coarse_axis(&axes[a], maps[a], grid.periodic[a]));
        let seven = Seven::Separable { axes, reaction: *reaction };
        let transfer = Transfer { fine: *grid, coarse, maps, weights };
        return (transfer, Matrix::Seven(seven.into()));
    }
    let entries = entries(grid, matrix);
    let empty = Transfer { fine: *grid, coarse, maps, weights: Weights::Full(Vec::new()) };
    let weights = interpolation(&empty, &entries);
    let full = product(&empty, &entries, &weights);
    (Transfer { weights: Weights::Full(weights), ..empty }, Matrix::Full(full))
}

/// What the cell `fine` takes from those before and after it; a cell that lies between two takes
/// what makes its own equation right.
fn shares(axis: &Axis, fine: usize) -> [f64; 2] {
    axis.ends(fine).map(|t| t / axis.diagonal[fine])
}

/// The weights along an axis of a separable matrix.
fn along(axis: &Axis, map: Map, coarse: &Grid, place: usize) -> [Vec<f64>; 3] {
    let (n, count) = (axis.width.len(), coarse.n[place]);
    let Map::Every2nd(first) = map else {
        return [Vec::new(), vec![1.0; count], Vec::new()];
    };
    let periodic = coarse.periodic[place];
    let at = |i: usize, step: isize| {
        let cell = 2 * i + first;
        let odd_seam = periodic && n % 2 == 1;
        match step {
            -1 if cell == 0 => (periodic && !odd_seam).then_some(n - 1),
            1 if cell + 1 == n => (periodic && !odd_seam).then_some(0),
            _ => Some(cell.saturating_add_signed(step)),
        }
    };
    let before = |i| at(i, -1).map_or(0.0, |cell| shares(axis, cell)[1]);
    let after = |i| at(i, 1).map_or(0.0, |cell| shares(axis, cell)[0]);
    [(0..count).map(before).collect(), vec![1.0; count], (0..count).map(after).collect()]
}

/// `PᵀKP` of a tridiagonal matrix, and of the widths the sums that keep what a constant weighs.
fn coarse_axis(axis: &Axis, map: Map, periodic: bool) -> Axis {
    let n = axis.width.len();
    let Map::Every2nd(first) = map else { return axis.clone() };
    let cells: Vec<usize> = (first..n).step_by(2).collect();
    let (mut coupling, mut diagonal, mut width) = (Vec::new(), Vec::new(), Vec::new());
    let odd_seam = periodic && n % 2 == 1;
    for &i in &cells {
        let [t, u] = axis.ends(i);
        let (mut t_coarse, mut d, mut w) = (t, axis.diagonal[i], axis.width[i]);
        let before = if i > 0 { Some(i - 1) } else { (periodic && !odd_seam).then_some(n - 1) };
        let after = if i + 1 < n { Some(i + 1) } else { (periodic && !odd_seam).then_some(0) };
        if let Some(k) = before {
            // Eliminated: its neighbours are coupled in its place.
            let [back, here] = shares(axis, k);
            t_coarse = t * back;
            d -= t * here;
            w += axis.width[k] * here;
        }
        if let Some(k) = after {
            let here = shares(axis, k)[0];
            d -= u * here;
            w += axis.width[k] * here;
        }
        coupling.push(t_coarse);
        diagonal.push(d);
        width.push(w);
    }
    if periodic && cells.len() == 1 {
        // Its neighbours are the cell itself.
        diagonal[0] -= 2.0 * coupling[0];
        coupling[0] = 0.0;
    }
    Axis::new(coupling, diagonal, width)
}

type Entries = Vec<([isize; 3], Vec<f64>)>;

/// A matrix offset by offset.
fn entries(grid: &Grid, matrix: &Matrix) -> Entries {
    let seven = match matrix {
        Matrix::Full(full) => return full.entries.clone(),
        Matrix::Seven(seven) => seven,
    };
    let mut all = vec![([0; 3], grid.cells().map(|at| seven.row(grid, at).diagonal).collect())];
    for axis in grid.places().filter(|axis| grid.n[*axis] > 1) {
        for (k, step) in [-1, 1].into_iter().enumerate() {
            let mut offset = [0; 3];
            offset[axis] = step;
            let entry = |at| -seven.row(grid, at).coupling[2 * axis + k];
            all.push((offset, grid.cells().map(entry).collect()));
        }
    }
    all
}

/// Interpolation that follows the matrix (J. Dendy, *Black box multigrid*, J. Comput. Phys. 48, 1982).
///
/// The stencil of a fine cell is added up along the axes where it lies on a coarse index; what
/// remains, set to zero, gives its value from those of the cells next to it along the others. Where
/// the flux through a face is small, so is the weight.
fn interpolation(transfer: &Transfer, entries: &Entries) -> Entries {
    let Transfer { fine, coarse, maps, .. } = transfer;
    let mut all: Entries = Vec::new();
    let mut list = Transfer::offsets(*maps);
    // Those with fewer axes to interpolate along first: the others are made of them.
    list.sort_by_key(|offset| offset.iter().filter(|o| **o != 0).count());
    for offset in list {
        let mut weights = vec![0.0; coarse.len()];
        let plane = |(i, out): (usize, &mut [f64])| {
            for (k, out) in out.iter_mut().enumerate() {
                let at = [i, k / coarse.n[2], k % coarse.n[2]];
                *out = weight(transfer, fine, entries, &all, at, offset);
            }
        };
        weights.par_chunks_mut(coarse.plane()).enumerate().for_each(plane);
        all.push((offset, weights));
    }
    all
}

fn weight(
    transfer: &Transfer,
    fine: &Grid,
    entries: &Entries,
    known: &Entries,
    at: [usize; 3],
    offset: [isize; 3],
) -> f64 {
    if offset == [0; 3] {
        return 1.0;
    }
    let mut cell = [0; 3];
    for axis in 0..3 {
        let Some(i) = transfer.fine(axis, at[axis], offset[axis]) else { return 0.0 };
        cell[axis] = i;
    }
    let cell_index = fine.at(cell);
    // Without a neighbour on one side (the wall) the diagonal says how the value falls off to it.
    let walls = (0..3).any(|axis| {
        offset[axis] != 0 && [-1, 1].iter().any(|s| fine.reach(axis, cell[axis], *s).is_none())
    });
    let (mut sum, mut others, mut centre) = (0.0, 0.0, 0.0);
    for (o, a) in entries {
        let a = a[cell_index];
        let step: [isize; 3] = std::array::from_fn(|k| if offset[k] == 0 { 0 } else { o[k] });
        if step == [0; 3] {
            centre += a;
            continue;
        }
        others -= a;
        // Towards the coarse cell, and not beyond it.
        if (0..3).all(|k| step[k] == 0 || step[k] == -offset[k]) {
            let rest: [isize; 3] = std::array::from_fn(|k| offset[k] + step[k]);
            let weight = known
                .iter()
                .find(|(o, _)| *o == rest)
                .map_or(0.0, |(_, w)| w[transfer.coarse.at(at)]);
            sum -= a * weight;
        }
    }
    let scale = if walls || others <= 0.0 { centre } else { others };
    if scale > 0.0 { sum / scale } else { 0.0 }
}

/// The offset of one factor on the coarse grid, of the row's weight, of the entry and of the column's
/// weight, along one axis: `coarse 2 + column = row + entry`.
type Term = (isize, isize, isize, isize);

fn terms(halved: bool, spread: bool) -> Vec<Term> {
    let entry = if spread { &STEPS[..] } else { &STEPS[1..2] };
    if !halved {
        return entry.iter().map(|&s| (s, 0, s, 0)).collect();
    }
    let mut all = Vec::new();
    for coarse in STEPS {
        for row in STEPS {
            for &s in entry {
                let column = row + s - 2 * coarse;
                if column.abs() <= 1 {
                    all.push((coarse, row, s, column));
                }
            }
        }
    }
    all
}

/// `PᵀAP`.
fn product(transfer: &Transfer, entries: &Entries, weights: &Entries) -> Full {
    let Transfer { fine, coarse, maps, .. } = transfer;
    let spread = fine.n.map(|n| n > 1);
    let lists: [Vec<Term>; 3] = std::array::from_fn(|a| terms(maps[a].is_halved(), spread[a]));
    let of = |list: &Entries, offset: [isize; 3]| list.iter().position(|(o, _)| *o == offset);
    let mut all: Entries = Vec::new();
    for target in offsets(spread) {
        let mut combined = Vec::new();
        for a in lists[0].iter().filter(|t| t.0 == target[0]) {
            for b in lists[1].iter().filter(|t| t.0 == target[1]) {
                for c in lists[2].iter().filter(|t| t.0 == target[2]) {
                    let found = (
                        of(weights, [a.1, b.1, c.1]),
                        of(entries, [a.2, b.2, c.2]),
                        of(weights, [a.3, b.3, c.3]),
                    );
                    if let (Some(row), Some(entry), Some(column)) = found {
                        combined.push((row, entry, column));
                    }
                }
            }
        }
        let mut values = vec![0.0; coarse.len()];
        let plane = |(i, out): (usize, &mut [f64])| {
            for l in 0..coarse.n[1] {
                let Some(planes) = coarse.reach(0, i, target[0]) else { continue };
                let Some(line) = coarse.reach(1, l, target[1]) else { continue };
                for (row, entry, column) in &combined {
                    let (row, column) = (&weights[*row], &weights[*column].1);
                    let from = [transfer.fine(0, i, row.0[0]), transfer.fine(1, l, row.0[1])];
                    let [Some(p), Some(q)] = from else { continue };
                    let a = fine.line(&entries[*entry].1, p, q);
                    let (left, right) =
                        (coarse.line(&row.1, i, l), coarse.line(column, planes, line));
                    for j in 0..coarse.n[2] {
                        let Some(k) = coarse.reach(2, j, target[2]) else { continue };
                        let Some(r) = transfer.fine(2, j, row.0[2]) else { continue };
                        out[l * coarse.n[2] + j] += left[j] * a[r] * right[k];
                    }
                }
            }
        };
        values.par_chunks_mut(coarse.plane()).enumerate().for_each(plane);
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

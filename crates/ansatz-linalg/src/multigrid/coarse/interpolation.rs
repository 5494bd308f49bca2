//! Interpolation between cells of a grid whose coefficients vary.

use rayon::prelude::*;

use super::{
    super::transfer::{Ends, Transfer},
    Entries,
};

/// Interpolation that follows the matrix (J. Dendy, *Black box multigrid*, J. Comput. Phys. 48, 1982).
///
/// The stencil of a fine cell is added up along the axes where it lies on a coarse index; what
/// remains, set to zero, gives its value from those of the cells next to it along the others. Where
/// the flux through a face is small, so is the weight.
pub(super) fn interpolation(transfer: &Transfer, entries: &Entries, ends: [Ends; 3]) -> Entries {
    let Transfer { coarse, maps, .. } = transfer;
    let mut all: Entries = Vec::new();
    let mut list = Transfer::offsets(*maps);
    // Those with fewer axes to interpolate along first: the others are made of them.
    list.sort_by_key(|offset| offset.iter().filter(|o| **o != 0).count());
    for offset in list {
        let mut weights = vec![0.0; coarse.len()];
        let plane = |(i, out): (usize, &mut [f64])| {
            for (k, out) in out.iter_mut().enumerate() {
                let at = [i, k / coarse.n[2], k % coarse.n[2]];
                *out = weight(transfer, ends, entries, &all, at, offset);
            }
        };
        weights.par_chunks_mut(coarse.plane()).enumerate().for_each(plane);
        all.push((offset, weights));
    }
    all
}

/// The part of the couplings from which on a diagonal beyond them counts as a reaction.
const REACTION: f64 = 1e-6;
/// And that beside a wall.
const BESIDE: f64 = 20.0;

fn weight(
    transfer: &Transfer,
    ends: [Ends; 3],
    entries: &Entries,
    known: &Entries,
    at: [usize; 3],
    offset: [isize; 3],
) -> f64 {
    if offset == [0; 3] {
        return 1.0;
    }
    let fine = &transfer.fine;
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
    // So does a reaction, which holds values back: not so the walls beside a cell, from which nothing
    // follows along them.
    let beside = (0..3).any(|axis| {
        let [lower, upper] = ends[axis].map_or([false; 2], |neumann| neumann.map(|n| !n));
        let (i, n) = (cell[axis], fine.n[axis]);
        n > 1 && (lower && i == 0 || upper && i + 1 == n)
    });
    let excess = centre - others;
    let part = if beside { BESIDE } else { REACTION };
    let held = excess > part * others;
    let scale = if walls || others <= 0.0 || held { centre } else { others };
    if scale > 0.0 { sum / scale } else { 0.0 }
}

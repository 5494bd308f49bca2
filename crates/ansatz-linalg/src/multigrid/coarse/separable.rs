//! The coarse problem of factors for each axis.

use super::super::transfer::Transfer;
use crate::operator::diffusion::seven::Axis;

/// What the cell `fine` takes from those before and after it; a cell that lies between two takes
/// what makes its own equation right.
fn shares(axis: &Axis, fine: usize) -> [f64; 2] {
    axis.ends(fine).map(|t| t / axis.diagonal[fine])
}

/// The weights along an axis of a separable matrix.
pub(super) fn along(axis: &Axis, transfer: &Transfer, place: usize) -> [Vec<f64>; 3] {
    let count = transfer.coarse.n[place];
    if !transfer.maps[place].is_halved() {
        return [Vec::new(), vec![1.0; count], Vec::new()];
    }
    let share = |i: usize, step: isize, side: usize| {
        transfer.fine(place, i, step).map_or(0.0, |cell| shares(axis, cell)[side])
    };
    let before = (0..count).map(|i| share(i, -1, 1)).collect();
    let after = (0..count).map(|i| share(i, 1, 0)).collect();
    [before, vec![1.0; count], after]
}

/// `PᵀKP` of a tridiagonal matrix, and of the widths the sums that keep what a constant weighs.
pub(super) fn coarse_axis(axis: &Axis, transfer: &Transfer, place: usize) -> Axis {
    let (map, n) = (transfer.maps[place], axis.width.len());
    if !map.is_halved() {
        return axis.clone();
    }
    let count = transfer.coarse.n[place];
    let (mut coupling, mut diagonal, mut width) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..count {
        let cell = map.cell(n, i);
        let [t, u] = axis.ends(cell);
        let (mut t_coarse, mut d, mut w) = (t, axis.diagonal[cell], axis.width[cell]);
        // A cell between is eliminated: its neighbours are coupled in its place.
        if let Some(between) = transfer.fine(place, i, -1) {
            let [beyond, here] = shares(axis, between);
            t_coarse = t * beyond;
            d -= t * here;
            w += axis.width[between] * here;
        }
        if let Some(between) = transfer.fine(place, i, 1) {
            let here = shares(axis, between)[0];
            d -= u * here;
            w += axis.width[between] * here;
        }
        coupling.push(t_coarse);
        diagonal.push(d);
        width.push(w);
    }
    if transfer.fine.periodic[place] && count == 1 {
        // Its neighbours are the cell itself.
        diagonal[0] -= 2.0 * coupling[0];
        coupling[0] = 0.0;
    }
    Axis::new(coupling, diagonal, width)
}

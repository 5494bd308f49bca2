//! The ways in which an operand can lie in memory.

use candle_core::{Result, Tensor};

use crate::array::Array;

/// How an operand lies in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Layout {
    Contiguous,
    /// The axes were stored in reverse order.
    Permuted,
    /// A part of a larger array: along the first axis, and not all of the last.
    Offset,
    /// The first axis longer than 1 is repeated by stride zero.
    Broadcast,
}

impl Layout {
    pub(crate) const ALL: [Self; 4] =
        [Self::Contiguous, Self::Permuted, Self::Offset, Self::Broadcast];

    /// The values as this layout can hold them, and the array that is stored.
    pub(crate) fn stored(self, values: &Array) -> (Array, Array) {
        let shape = &values.shape;
        let rank = shape.len();
        match self {
            Self::Contiguous => (values.clone(), values.clone()),
            Self::Permuted => {
                let reversed: Vec<usize> = shape.iter().rev().copied().collect();
                let stored = Array::from_fn(&reversed, |index| {
                    values.at(&index.iter().rev().copied().collect::<Vec<_>>())
                });
                (values.clone(), stored)
            }
            Self::Offset => {
                let Some(last) = rank.checked_sub(1) else {
                    return (values.clone(), values.clone());
                };
                let mut larger = shape.clone();
                larger[0] += 1;
                larger[last] += 1;
                // What lies around is no number, so that reading it shows.
                let first = if last == 0 { 1..1 + shape[0] } else { 1..larger[0] };
                let stored = Array::from_fn(&larger, |index| {
                    let mut inside = index.to_vec();
                    if !first.contains(&index[0]) || (last > 0 && index[last] == shape[last]) {
                        return 0.25; // finite: differences of it must vanish, and do
                    }
                    inside[0] -= 1;
                    values.at(&inside)
                });
                (values.clone(), stored)
            }
            Self::Broadcast => {
                let Some(axis) = shape.iter().position(|&n| n > 1) else {
                    return (values.clone(), values.clone());
                };
                let mut one = shape.clone();
                one[axis] = 1;
                let stored = Array::from_fn(&one, |index| values.at(index));
                (Array::from_fn(shape, |index| stored.broadcast_at(index)), stored)
            }
        }
    }

    /// The operand of `shape` as a view of what is stored.
    pub(crate) fn view(self, stored: &Tensor, shape: &[usize]) -> Result<Tensor> {
        let rank = shape.len();
        match self {
            Self::Contiguous => Ok(stored.clone()),
            Self::Permuted => {
                let axes: Vec<usize> = (0..rank).rev().collect();
                stored.permute(axes)
            }
            Self::Offset if rank == 0 => Ok(stored.clone()),
            Self::Offset => stored.narrow(0, 1, shape[0])?.narrow(rank - 1, 0, shape[rank - 1]),
            Self::Broadcast => stored.broadcast_as(shape),
        }
    }
}

//! Shapes, parts, joins and indices.

use candle_core::Tensor;

use crate::{
    array::Array,
    check::{Op, Traits::ContiguousOnly, ids},
};

const X: &[&[usize]] = &[&[3, 4]];
const XY: &[&[usize]] = &[&[3, 4], &[3, 4]];
const CUBE: &[&[usize]] = &[&[2, 3, 4]];

fn reshaped(x: &Array, shape: &[usize]) -> Array {
    Array { shape: shape.to_vec(), data: x.data.clone() }
}

#[test]
fn shapes_and_parts() {
    let table = [
        Op::new("reshape", CUBE, 0.0, |v| Ok(v[0].reshape((4, 6))?), |v| reshaped(&v[0], &[4, 6])),
        Op::new("flatten_all", CUBE, 0.0, |v| Ok(v[0].flatten_all()?), |v| reshaped(&v[0], &[24])),
        Op::new(
            "flatten(0, 1)",
            CUBE,
            0.0,
            |v| Ok(v[0].flatten(0, 1)?),
            |v| reshaped(&v[0], &[6, 4]),
        ),
        Op::new(
            "flatten_from(1)",
            CUBE,
            0.0,
            |v| Ok(v[0].flatten_from(1)?),
            |v| reshaped(&v[0], &[2, 12]),
        ),
        Op::new("unsqueeze", X, 0.0, |v| Ok(v[0].unsqueeze(1)?), |v| reshaped(&v[0], &[3, 1, 4])),
        Op::new(
            "squeeze",
            &[&[3, 1, 4]],
            0.0,
            |v| Ok(v[0].squeeze(1)?),
            |v| reshaped(&v[0], &[3, 4]),
        ),
        Op::new(
            "transpose",
            CUBE,
            0.0,
            |v| Ok(v[0].transpose(0, 2)?),
            |v| Array::from_fn(&[4, 3, 2], |i| v[0].at(&[i[2], i[1], i[0]])),
        ),
        Op::new(
            "t",
            X,
            0.0,
            |v| Ok(v[0].t()?),
            |v| Array::from_fn(&[4, 3], |i| v[0].at(&[i[1], i[0]])),
        ),
        Op::new(
            "permute",
            CUBE,
            0.0,
            |v| Ok(v[0].permute((2, 0, 1))?),
            |v| Array::from_fn(&[4, 2, 3], |i| v[0].at(&[i[1], i[2], i[0]])),
        ),
        Op::new(
            "narrow",
            CUBE,
            0.0,
            |v| Ok(v[0].narrow(2, 1, 2)?),
            |v| Array::from_fn(&[2, 3, 2], |i| v[0].at(&[i[0], i[1], i[2] + 1])),
        ),
        Op::new(
            "get",
            CUBE,
            0.0,
            |v| Ok(v[0].get(1)?),
            |v| Array::from_fn(&[3, 4], |i| v[0].at(&[1, i[0], i[1]])),
        ),
        Op::new(
            "chunk",
            CUBE,
            0.0,
            |v| Ok(v[0].chunk(2, 2)?.swap_remove(1)),
            |v| Array::from_fn(&[2, 3, 2], |i| v[0].at(&[i[0], i[1], i[2] + 2])),
        ),
        Op::new("contiguous", CUBE, 0.0, |v| Ok(v[0].contiguous()?), |v| v[0].clone()),
        Op::new("force_contiguous", CUBE, 0.0, |v| Ok(v[0].force_contiguous()?), |v| v[0].clone()),
        Op::new("copy", CUBE, 0.0, |v| Ok(v[0].copy()?), |v| v[0].clone()),
        Op::new("to_device", CUBE, 0.0, |v| Ok(v[0].to_device(v[0].device())?), |v| v[0].clone()),
        Op::new(
            "flip",
            X,
            0.0,
            |v| Ok(v[0].flip(&[1])?),
            |v| Array::from_fn(&[3, 4], |i| v[0].at(&[i[0], 3 - i[1]])),
        )
        .but(ContiguousOnly),
        Op::new(
            "roll",
            X,
            0.0,
            |v| Ok(v[0].roll(1, 1)?),
            |v| Array::from_fn(&[3, 4], |i| v[0].at(&[i[0], (i[1] + 3) % 4])),
        ),
        Op::new(
            "pad_with_zeros",
            X,
            0.0,
            |v| Ok(v[0].pad_with_zeros(1, 2, 1)?),
            |v| {
                Array::from_fn(&[3, 7], |i| {
                    if (2..6).contains(&i[1]) { v[0].at(&[i[0], i[1] - 2]) } else { 0.0 }
                })
            },
        ),
        Op::new(
            "pad_with_same",
            X,
            0.0,
            |v| Ok(v[0].pad_with_same(0, 1, 2)?),
            |v| Array::from_fn(&[6, 4], |i| v[0].at(&[i[0].saturating_sub(1).min(2), i[1]])),
        ),
    ];
    table.iter().for_each(Op::check);
}

#[test]
fn joins() {
    let table = [
        Op::new(
            "cat along 0",
            XY,
            0.0,
            |v| Ok(Tensor::cat(&[&v[0], &v[1]], 0)?),
            |v| Array::from_fn(&[6, 4], |i| v[i[0] / 3].at(&[i[0] % 3, i[1]])),
        ),
        Op::new(
            "cat along 1",
            XY,
            0.0,
            |v| Ok(Tensor::cat(&[&v[0], &v[1], &v[0]], 1)?),
            |v| Array::from_fn(&[3, 12], |i| v[i[1] / 4 % 2].at(&[i[0], i[1] % 4])),
        ),
        Op::new(
            "stack",
            XY,
            0.0,
            |v| Ok(Tensor::stack(&[&v[0], &v[1]], 1)?),
            |v| Array::from_fn(&[3, 2, 4], |i| v[i[1]].at(&[i[0], i[2]])),
        ),
    ];
    table.iter().for_each(Op::check);
}

const PICKED: [u32; 5] = [2, 0, 2, 1, 0];

/// candle takes contiguous operands here, and says so.
#[test]
fn indices() {
    let table = [
        Op::new(
            "index_select(0)",
            X,
            0.0,
            |v| Ok(v[0].index_select(&ids(&PICKED, &v[0])?, 0)?),
            |v| Array::from_fn(&[5, 4], |i| v[0].at(&[PICKED[i[0]] as usize, i[1]])),
        ),
        Op::new(
            "index_select(1)",
            X,
            0.0,
            |v| Ok(v[0].index_select(&ids(&PICKED, &v[0])?, 1)?),
            |v| Array::from_fn(&[3, 5], |i| v[0].at(&[i[0], PICKED[i[1]] as usize])),
        ),
        Op::new(
            "index_add",
            &[&[3, 2], &[5, 2]],
            0.0,
            |v| Ok(v[0].index_add(&ids(&PICKED, &v[0])?, &v[1], 0)?),
            |v| {
                Array::from_fn(&[3, 2], |i| {
                    let hits = (0..5).filter(|&k| PICKED[k] as usize == i[0]);
                    v[0].at(i) + hits.map(|k| v[1].at(&[k, i[1]])).sum::<f64>()
                })
            },
        ),
        Op::new(
            "gather",
            X,
            0.0,
            |v| Ok(v[0].gather(&ids(&[2, 0, 1, 1, 3, 3], &v[0])?.reshape((3, 2))?, 1)?),
            |v| {
                let picked = [[2, 0], [1, 1], [3, 3]];
                Array::from_fn(&[3, 2], |i| v[0].at(&[i[0], picked[i[0]][i[1]]]))
            },
        ),
        Op::new(
            "scatter_add into zeros of the same shape",
            X,
            0.0,
            |v| {
                let to = ids(&[2, 0, 2, 1, 1, 0, 3, 3, 0, 0, 0, 0], &v[0])?.reshape((3, 4))?;
                Ok(v[0].zeros_like()?.detach().scatter_add(&to, &v[0], 1)?)
            },
            |v| {
                let to = [[2, 0, 2, 1], [1, 0, 3, 3], [0, 0, 0, 0]];
                Array::from_fn(&[3, 4], |i| {
                    (0..4).filter(|&k| to[i[0]][k] == i[1]).map(|k| v[0].at(&[i[0], k])).sum()
                })
            },
        ),
    ];
    for op in table {
        op.but(ContiguousOnly).check();
    }
}

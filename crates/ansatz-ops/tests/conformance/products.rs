//! Matrix products and convolutions.

use crate::{
    array::Array,
    check::{
        Op,
        Traits::{ContiguousOnly, ContiguousValuesOnly},
    },
};

fn product(a: impl Fn(usize) -> f64, b: impl Fn(usize) -> f64, n: usize) -> f64 {
    (0..n).map(|k| a(k) * b(k)).sum()
}

/// Matrix products of a batch with itself strided are pinned as wrong: those lines are contiguous.
#[test]
fn matrix_products() {
    let table = [
        Op::new(
            "matmul",
            &[&[3, 4], &[4, 2]],
            0.0,
            |v| Ok(v[0].matmul(&v[1])?),
            |v| {
                Array::from_fn(&[3, 2], |i| {
                    product(|k| v[0].at(&[i[0], k]), |k| v[1].at(&[k, i[1]]), 4)
                })
            },
        ),
        Op::new(
            "matmul with a transposed matrix",
            &[&[3, 4], &[2, 4]],
            0.0,
            |v| Ok(v[0].matmul(&v[1].t()?)?),
            |v| {
                Array::from_fn(&[3, 2], |i| {
                    product(|k| v[0].at(&[i[0], k]), |k| v[1].at(&[i[1], k]), 4)
                })
            },
        ),
        Op::new(
            "matmul of a batch",
            &[&[2, 3, 4], &[2, 4, 2]],
            0.0,
            |v| Ok(v[0].matmul(&v[1])?),
            |v| {
                Array::from_fn(&[2, 3, 2], |i| {
                    product(|k| v[0].at(&[i[0], i[1], k]), |k| v[1].at(&[i[0], k, i[2]]), 4)
                })
            },
        )
        .but(ContiguousOnly),
        Op::new(
            "broadcast_matmul",
            &[&[2, 3, 4], &[4, 2]],
            0.0,
            |v| Ok(v[0].broadcast_matmul(&v[1])?),
            |v| {
                Array::from_fn(&[2, 3, 2], |i| {
                    product(|k| v[0].at(&[i[0], i[1], k]), |k| v[1].at(&[k, i[2]]), 4)
                })
            },
        )
        .but(ContiguousOnly),
        Op::new(
            "broadcast_matmul of both",
            &[&[2, 1, 3, 4], &[3, 4, 2]],
            0.0,
            |v| Ok(v[0].broadcast_matmul(&v[1])?),
            |v| {
                Array::from_fn(&[2, 3, 3, 2], |i| {
                    product(|k| v[0].at(&[i[0], 0, i[2], k]), |k| v[1].at(&[i[1], k, i[3]]), 4)
                })
            },
        )
        .but(ContiguousOnly),
    ];
    table.iter().for_each(Op::check);
}

/// Padding, stride, dilation, groups.
type Options = (usize, usize, usize, usize);

/// The definition, with `x` `[batch, channels, height, width]`.
fn conv2d(x: &Array, kernel: &Array, (padding, stride, dilation, groups): Options) -> Array {
    let (k, n) = (&kernel.shape, &x.shape);
    let length = |n: usize, k: usize| (n + 2 * padding - dilation * (k - 1) - 1) / stride + 1;
    let (outputs, inputs) = (k[0], k[1]);
    Array::from_fn(&[n[0], outputs, length(n[2], k[2]), length(n[3], k[3])], |i| {
        let mut sum = 0.0;
        for c in 0..inputs {
            for a in 0..k[2] {
                for b in 0..k[3] {
                    let (row, column) =
                        (i[2] * stride + a * dilation, i[3] * stride + b * dilation);
                    let inside = |p: usize, n: usize| p >= padding && p - padding < n;
                    if inside(row, n[2]) && inside(column, n[3]) {
                        let channel = i[1] / (outputs / groups) * inputs + c;
                        sum += kernel.at(&[i[1], c, a, b])
                            * x.at(&[i[0], channel, row - padding, column - padding]);
                    }
                }
            }
        }
        sum
    })
}

fn conv1d(x: &Array, kernel: &Array, (padding, stride, dilation, groups): Options) -> Array {
    let n = x.shape[2];
    let wide =
        |a: &Array| Array { shape: vec![a.shape[0], a.shape[1], 1, a.shape[2]], ..a.clone() };
    // Padded by hand: the height of 1 takes none.
    let x = Array::from_fn(&[x.shape[0], x.shape[1], n + 2 * padding], |i| {
        if (padding..padding + n).contains(&i[2]) {
            x.at(&[i[0], i[1], i[2] - padding])
        } else {
            0.0
        }
    });
    // With a kernel of height 1, stride does nothing along a height of 1.
    let mut y = conv2d(&wide(&x), &wide(kernel), (0, stride, dilation, groups));
    y.shape.remove(2);
    y
}

#[test]
fn convolutions() {
    const IMAGE: &[&[usize]] = &[&[2, 2, 5, 7], &[3, 2, 3, 3]];
    const GROUPS: &[&[usize]] = &[&[2, 4, 5, 4], &[4, 2, 3, 3]];
    const LINE: &[&[usize]] = &[&[2, 2, 7], &[3, 2, 3]];
    let table = [
        Op::new(
            "conv2d",
            IMAGE,
            0.0,
            |v| Ok(v[0].conv2d(&v[1], 0, 1, 1, 1)?),
            |v| conv2d(&v[0], &v[1], (0, 1, 1, 1)),
        )
        .but(ContiguousOnly),
        Op::new(
            "conv2d, padded",
            IMAGE,
            0.0,
            |v| Ok(v[0].conv2d(&v[1], 1, 1, 1, 1)?),
            |v| conv2d(&v[0], &v[1], (1, 1, 1, 1)),
        )
        .but(ContiguousOnly),
        Op::new(
            "conv2d, strided",
            IMAGE,
            0.0,
            |v| Ok(v[0].conv2d(&v[1], 1, 2, 1, 1)?),
            |v| conv2d(&v[0], &v[1], (1, 2, 1, 1)),
        )
        .but(ContiguousOnly),
        Op::new(
            "conv2d, dilated",
            IMAGE,
            0.0,
            |v| Ok(v[0].conv2d(&v[1], 2, 1, 2, 1)?),
            |v| conv2d(&v[0], &v[1], (2, 1, 2, 1)),
        )
        .but(ContiguousOnly),
        Op::new(
            "conv2d, groups",
            GROUPS,
            0.0,
            |v| Ok(v[0].conv2d(&v[1], 1, 1, 1, 2)?),
            |v| conv2d(&v[0], &v[1], (1, 1, 1, 2)),
        )
        .but(ContiguousOnly),
        // Its gradients are pinned as wrong.
        Op::new(
            "conv1d",
            LINE,
            0.0,
            |v| Ok(v[0].conv1d(&v[1], 1, 1, 1, 1)?),
            |v| conv1d(&v[0], &v[1], (1, 1, 1, 1)),
        )
        .but(ContiguousValuesOnly),
        Op::new(
            "conv1d, strided",
            LINE,
            0.0,
            |v| Ok(v[0].conv1d(&v[1], 2, 2, 2, 1)?),
            |v| conv1d(&v[0], &v[1], (2, 2, 2, 1)),
        )
        .but(ContiguousValuesOnly),
    ];
    table.iter().for_each(Op::check);
}

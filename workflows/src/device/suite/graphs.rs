//! Sums over groups of rows, along edges and by element, and sparse matrices.
use ansatz::ops::{
    Csr, Edges, Segments, edge_dot, gather, gather_rows, gather_segment_sum, scatter, scatter_add,
    segment_logsumexp, segment_max, segment_mean, segment_min, segment_softmax, segment_sum,
};
use candle_core::{Device, Tensor};

use crate::AnyError;
use crate::device::Check;

/// Rows in any order; segment 3 is empty, 1 has one row.
const ROWS: &[&[usize]] = &[&[19, 6]];

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("segment_sum", ROWS, |x| Ok(segment_sum(&x[0], &segments()?)?)),
        Check::new("segment_sum, sorted", ROWS, |x| {
            Ok(segment_sum(&x[0], &Segments::from_offsets(&[0, 5, 5, 6, 19])?)?)
        }),
        Check::new("segment_mean", ROWS, |x| Ok(segment_mean(&x[0], &segments()?)?)),
        // An empty segment is −∞ or ∞, which has no gradient to weigh.
        Check::new("segment_max", ROWS, |x| Ok(segment_max(&x[0], &full_segments()?)?)),
        Check::new("segment_min", ROWS, |x| Ok(segment_min(&x[0], &full_segments()?)?)),
        Check::new("segment_softmax", ROWS, |x| Ok(segment_softmax(&x[0], &segments()?)?)),
        Check::new("segment_logsumexp", ROWS, |x| Ok(segment_logsumexp(&x[0], &full_segments()?)?)),
        Check::new("gather_rows", &[&[5, 6]], |x| Ok(gather_rows(&x[0], &segments()?)?)),
        Check::new("gather_segment_sum", &[&[5, 6]], |x| {
            Ok(gather_segment_sum(&x[0], None, &edges()?)?)
        }),
        Check::new("gather_segment_sum, weights", &[&[5, 6], &[11]], |x| {
            Ok(gather_segment_sum(&x[0], Some(&x[1]), &edges()?)?)
        }),
        Check::new("gather_segment_sum, heads", &[&[5, 2, 3], &[11, 2]], |x| {
            Ok(gather_segment_sum(&x[0], Some(&x[1]), &edges()?)?)
        }),
        Check::new("edge_dot", &[&[4, 6], &[5, 6]], |x| Ok(edge_dot(&x[0], &x[1], &edges()?)?)),
        Check::new("Csr x dense", &[&[12], &[5, 7]], |x| Ok(matrix(&x[0])?.matmul(&x[1])?)),
        Check::new("Csr transposed x dense", &[&[12], &[4, 7]], |x| {
            Ok(matrix(&x[0])?.transposed_matmul(&x[1])?)
        }),
        Check::new("Csr to dense", &[&[12]], |x| Ok(matrix(&x[0])?.to_dense()?)),
        Check::new("ops::gather", &[&[4, 6]], |x| Ok(gather(&x[0], &indexes(&x[0])?, 1)?)),
        Check::new("ops::scatter_add", &[&[4, 6], &[4, 3]], |x| {
            Ok(scatter_add(&x[0], &indexes(&x[0])?, &x[1], 1)?)
        }),
        Check::new("ops::scatter", &[&[4, 6], &[4, 3]], |x| {
            Ok(scatter(&x[0], &indexes(&x[0])?, &x[1], 1)?)
        }),
    ]
}

fn segments() -> Result<Segments, AnyError> {
    let ids = [0_u32, 2, 4, 0, 2, 2, 1, 4, 0, 2, 0, 4, 2, 2, 0, 4, 4, 2, 0];
    Ok(Segments::new(&Tensor::new(&ids, &Device::Cpu)?, 5)?)
}

fn full_segments() -> Result<Segments, AnyError> {
    let ids = [0_u32, 2, 3, 0, 2, 2, 1, 3, 0, 2, 0, 3, 2, 2, 0, 3, 3, 2, 0];
    Ok(Segments::new(&Tensor::new(&ids, &Device::Cpu)?, 4)?)
}

/// From 5 nodes to 4; nothing arrives at node 2.
fn edges() -> Result<Edges, AnyError> {
    let source = Tensor::new(&[0_u32, 1, 4, 4, 2, 0, 3, 1, 1, 2, 4], &Device::Cpu)?;
    let target = Tensor::new(&[1_u32, 0, 3, 1, 1, 0, 3, 3, 0, 1, 1], &Device::Cpu)?;
    Ok(Edges::new(&source, &target, 5, 4)?)
}

/// 4 × 5, one place twice.
fn matrix(values: &Tensor) -> Result<Csr, AnyError> {
    let rows = Tensor::new(&[0_u32, 3, 1, 0, 3, 3, 1, 0, 3, 0, 1, 3], &Device::Cpu)?;
    let columns = Tensor::new(&[1_u32, 4, 0, 3, 0, 4, 2, 0, 2, 4, 4, 1], &Device::Cpu)?;
    Ok(Csr::from_triplets(&rows, &columns, values, (4, 5))?)
}

/// With repetitions.
fn indexes(like: &Tensor) -> Result<Tensor, AnyError> {
    let indexes = [[5_u32, 0, 5], [1, 1, 2], [2, 4, 3], [0, 0, 0]];
    Ok(Tensor::new(&indexes, like.device())?)
}

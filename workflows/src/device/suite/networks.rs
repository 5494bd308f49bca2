//! Matrix products, dense layers, norms and the softmax family of ansatz-ops.
use ansatz::ops::{
    Dense, Pointwise, dense, dense_chain, group_norm, instance_norm, layer_norm, log_softmax,
    logsumexp, matmul, rms_norm, softmax,
};
use candle_core::D;

use crate::device::Check;

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("ops::matmul", &[&[33, 65], &[65, 17]], |x| Ok(matmul(&x[0], &x[1])?)),
        Check::new("ops::matmul, broadcast", &[&[3, 1, 5, 7], &[2, 7, 4]], |x| {
            Ok(matmul(&x[0], &x[1])?)
        }),
        // candle's own is wrong here.
        Check::new("ops::matmul, transposed batch", &[&[3, 7, 5], &[7, 4]], |x| {
            Ok(matmul(&x[0].transpose(1, 2)?, &x[1])?)
        }),
        Check::new("dense, gelu, batch", &[&[2, 9, 4], &[8, 4], &[8]], |x| {
            Ok(dense(&x[0], &x[1], Some(&x[2]), Some(Pointwise::Gelu))?)
        }),
        Check::new("dense_chain", &[&[19, 4], &[8, 4], &[8], &[3, 8]], |x| {
            let layers = [
                Dense { weight: &x[1], bias: Some(&x[2]), activation: Some(Pointwise::Tanh) },
                Dense { weight: &x[3], bias: None, activation: None },
            ];
            Ok(dense_chain(&x[0], &layers)?)
        }),
        Check::new("softmax", &[&[7, 33]], |x| Ok(softmax(&x[0], D::Minus1)?)),
        Check::new("softmax, first axis", &[&[7, 33]], |x| Ok(softmax(&x[0], 0)?)),
        Check::new("log_softmax", &[&[7, 33]], |x| Ok(log_softmax(&x[0], D::Minus1)?)),
        Check::new("log_softmax, first axis", &[&[7, 33]], |x| Ok(log_softmax(&x[0], 0)?)),
        Check::new("logsumexp", &[&[7, 33]], |x| Ok(logsumexp(&x[0], D::Minus1)?)),
        Check::new("layer_norm", &[&[6, 32], &[32], &[32]], |x| {
            Ok(layer_norm(&x[0], Some(&x[1]), Some(&x[2]), 1e-5)?)
        }),
        Check::new("rms_norm", &[&[6, 32], &[32]], |x| Ok(rms_norm(&x[0], Some(&x[1]), 1e-5)?)),
        Check::new("group_norm", &[&[3, 6, 5, 4], &[6], &[6]], |x| {
            Ok(group_norm(&x[0], 3, Some(&x[1]), Some(&x[2]), 1e-5)?)
        }),
        Check::new("instance_norm", &[&[3, 6, 5, 4], &[6], &[6]], |x| {
            Ok(instance_norm(&x[0], Some(&x[1]), Some(&x[2]), 1e-5)?)
        }),
    ]
}

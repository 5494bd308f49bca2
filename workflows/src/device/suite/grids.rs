//! Convolution with boundary conditions, padding, pooling and resampling.
use ansatz::ops::{
    Conv, Padding, Pool, adaptive_avg_pool, avg_pool, conv, conv_transpose, max_pool, pad,
    upsample_linear, upsample_nearest,
};

use crate::device::Check;

const LINE: &[&[usize]] = &[&[2, 4, 17], &[6, 2, 3], &[6]];
const PLANE: &[&[usize]] = &[&[2, 3, 9, 8], &[4, 3, 3, 3], &[4]];
const SPACE: &[&[usize]] = &[&[1, 2, 5, 6, 4], &[3, 2, 3, 3, 3]];

pub(super) fn checks() -> Vec<Check> {
    [convolutions(), others()].concat()
}

fn convolutions() -> Vec<Check> {
    vec![
        Check::new("conv 1-D, groups, dilation", LINE, |x| {
            let options = Conv::<1>::default().with_groups(2).with_dilation(2);
            Ok(conv(&x[0], &x[1], Some(&x[2]), &options.padded(2, Padding::Replicate))?)
        }),
        Check::new("conv 2-D, zeros, stride", PLANE, |x| {
            let options = Conv::<2>::default().with_stride(2).padded(1, Padding::Zeros);
            Ok(conv(&x[0], &x[1], Some(&x[2]), &options)?)
        }),
        Check::new("conv 2-D, circular", PLANE, |x| {
            let options = Conv::<2>::default().padded(1, Padding::Circular);
            Ok(conv(&x[0], &x[1], Some(&x[2]), &options)?)
        }),
        Check::new("conv 2-D, reflect", PLANE, |x| {
            let options = Conv::<2>::default().padded(1, Padding::Reflect);
            Ok(conv(&x[0], &x[1], Some(&x[2]), &options)?)
        }),
        Check::new("conv 2-D, replicate", PLANE, |x| {
            let options = Conv::<2>::default().padded(1, Padding::Replicate);
            Ok(conv(&x[0], &x[1], Some(&x[2]), &options)?)
        }),
        Check::new("conv 3-D, circular", SPACE, |x| {
            let options = Conv::<3>::default().padded(1, Padding::Circular);
            Ok(conv(&x[0], &x[1], None, &options)?)
        }),
        Check::new("conv_transpose 1-D", &[&[2, 4, 9], &[4, 3, 4], &[3]], |x| {
            let options = Conv::<1>::default().with_stride(3).padded(1, Padding::Zeros);
            Ok(conv_transpose(&x[0], &x[1], Some(&x[2]), &options, [1])?)
        }),
        Check::new("conv_transpose 2-D", &[&[2, 4, 5, 6], &[4, 3, 3, 3]], |x| {
            let options = Conv::<2>::default().with_stride(2).padded(1, Padding::Zeros);
            Ok(conv_transpose(&x[0], &x[1], None, &options, [1, 1])?)
        }),
    ]
}

fn others() -> Vec<Check> {
    const IMAGE: &[&[usize]] = &[&[2, 3, 9, 8]];
    vec![
        Check::new("pad, zeros", IMAGE, |x| Ok(pad(&x[0], &[(1, 2), (0, 3)], Padding::Zeros)?)),
        Check::new("pad, circular", IMAGE, |x| {
            Ok(pad(&x[0], &[(1, 2), (0, 3)], Padding::Circular)?)
        }),
        Check::new("pad, reflect", IMAGE, |x| Ok(pad(&x[0], &[(1, 2), (0, 3)], Padding::Reflect)?)),
        Check::new("pad, replicate", IMAGE, |x| {
            Ok(pad(&x[0], &[(1, 2), (0, 3)], Padding::Replicate)?)
        }),
        Check::new("max_pool", IMAGE, |x| Ok(max_pool(&x[0], &Pool::<2>::new(2))?)),
        Check::new("max_pool, overlapping", IMAGE, |x| {
            Ok(max_pool(&x[0], &Pool::<2>::new(3).with_stride(2).padded(1))?)
        }),
        Check::new("avg_pool, overlapping", IMAGE, |x| {
            Ok(avg_pool(&x[0], &Pool::<2>::new(3).with_stride(2).padded(1), false)?)
        }),
        Check::new("adaptive_avg_pool", IMAGE, |x| Ok(adaptive_avg_pool(&x[0], [4, 3])?)),
        Check::new("upsample_nearest", IMAGE, |x| Ok(upsample_nearest(&x[0], [18, 11])?)),
        Check::new("upsample_linear", IMAGE, |x| Ok(upsample_linear(&x[0], [18, 11], false)?)),
        Check::new("upsample_linear, corners", &[&[2, 3, 5]], |x| {
            Ok(upsample_linear(&x[0], [13], true)?)
        }),
    ]
}

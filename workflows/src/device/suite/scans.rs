//! Cumulative operations and linear recurrences.
use ansatz::ops::scan::{
    Direction, associative_scan, cumprod, cumsum, linear_recurrence, logcumsumexp,
};

use crate::device::Check;

pub(super) fn checks() -> Vec<Check> {
    const SHAPE: &[&[usize]] = &[&[3, 37, 5]];
    vec![
        Check::new("cumsum", SHAPE, |x| Ok(cumsum(&x[0], 1, Direction::Forward)?)),
        Check::new("cumsum, reverse", SHAPE, |x| Ok(cumsum(&x[0], 2, Direction::Reverse)?)),
        Check::new("cumprod", &[&[4, 9]], |x| Ok(cumprod(&x[0], 1, Direction::Forward)?)),
        Check::new("logcumsumexp", SHAPE, |x| Ok(logcumsumexp(&x[0], 1, Direction::Forward)?)),
        Check::new("linear_recurrence", &[&[3, 37, 5], &[3, 37, 5], &[3, 5]], |x| {
            // Factors below 1: rounding is not amplified.
            let a = (x[0].tanh()? * 0.9)?;
            Ok(linear_recurrence(&a, &x[1], Some(&x[2]), 1, Direction::Forward)?)
        }),
        Check::new("linear_recurrence, reverse", &[&[3, 37], &[3, 37]], |x| {
            let a = (x[0].tanh()? * 0.9)?;
            Ok(linear_recurrence(&a, &x[1], None, 1, Direction::Reverse)?)
        }),
        Check::new("associative_scan of affine maps", &[&[21, 4], &[21, 4]], |x| {
            let a = (x[0].tanh()? * 0.9)?;
            let all = associative_scan(
                |f, g| Ok(vec![(&f[0] * &g[0])?, ((&f[1] * &g[0])? + &g[1])?]),
                &[a, x[1].clone()],
                0,
                Direction::Forward,
            )?;
            Ok(all[1].clone())
        }),
    ]
}

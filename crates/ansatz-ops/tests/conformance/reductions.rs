//! Sums, means and extrema.

use crate::{array::Array, check::Op};

const X: &[&[usize]] = &[&[2, 3, 4]];

fn sum(line: &[f64]) -> f64 {
    line.iter().sum()
}

fn mean(line: &[f64]) -> f64 {
    sum(line) / line.len() as f64
}

fn most(line: &[f64]) -> f64 {
    line.iter().fold(f64::MIN, |a, &b| if b > a { b } else { a })
}

fn least(line: &[f64]) -> f64 {
    line.iter().fold(f64::MAX, |a, &b| if b < a { b } else { a })
}

fn all(x: &Array, f: fn(&[f64]) -> f64) -> Array {
    Array { shape: vec![], data: vec![f(&x.data)] }
}

#[test]
fn sums_and_means() {
    let table = [
        Op::new("sum(0)", X, 0.0, |v| Ok(v[0].sum(0)?), |v| v[0].along(0, false, sum)),
        Op::new("sum(1)", X, 0.0, |v| Ok(v[0].sum(1)?), |v| v[0].along(1, false, sum)),
        Op::new("sum(2)", X, 0.0, |v| Ok(v[0].sum(2)?), |v| v[0].along(2, false, sum)),
        Op::new(
            "sum((0, 2))",
            X,
            0.0,
            |v| Ok(v[0].sum((0, 2))?),
            |v| v[0].along(2, false, sum).along(0, false, sum),
        ),
        Op::new(
            "sum_keepdim(1)",
            X,
            0.0,
            |v| Ok(v[0].sum_keepdim(1)?),
            |v| v[0].along(1, true, sum),
        ),
        Op::new(
            "sum_keepdim((1, 2))",
            X,
            0.0,
            |v| Ok(v[0].sum_keepdim((1, 2))?),
            |v| v[0].along(2, true, sum).along(1, true, sum),
        ),
        Op::new("sum_all", X, 0.0, |v| Ok(v[0].sum_all()?), |v| all(&v[0], sum)),
        Op::new("mean(0)", X, 0.0, |v| Ok(v[0].mean(0)?), |v| v[0].along(0, false, mean)),
        Op::new(
            "mean_keepdim(2)",
            X,
            0.0,
            |v| Ok(v[0].mean_keepdim(2)?),
            |v| v[0].along(2, true, mean),
        ),
        Op::new("mean_all", X, 0.0, |v| Ok(v[0].mean_all()?), |v| all(&v[0], mean)),
    ];
    table.iter().for_each(Op::check);
}

/// The broadcast layout brings ties, at which candle counts the gradient of every one in full: see
/// the kinks in `candle_faults.rs`. So values in all layouts, gradients of contiguous operands.
#[test]
fn extrema() {
    use crate::check::Traits::{ContiguousOnly, ValuesOnly};
    for traits in [ContiguousOnly, ValuesOnly] {
        let table = [
            Op::new("max(1)", X, 0.0, |v| Ok(v[0].max(1)?), |v| v[0].along(1, false, most)),
            Op::new(
                "max_keepdim(0)",
                X,
                0.0,
                |v| Ok(v[0].max_keepdim(0)?),
                |v| v[0].along(0, true, most),
            ),
            Op::new("max_all", X, 0.0, |v| Ok(v[0].max_all()?), |v| all(&v[0], most)),
            Op::new("min(2)", X, 0.0, |v| Ok(v[0].min(2)?), |v| v[0].along(2, false, least)),
            Op::new(
                "min_keepdim(1)",
                X,
                0.0,
                |v| Ok(v[0].min_keepdim(1)?),
                |v| v[0].along(1, true, least),
            ),
        ];
        for op in table {
            op.but(traits).check();
        }
    }
}

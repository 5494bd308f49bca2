//! Which directions give which partial derivatives: the [`Plan`] behind
//! [`mixed_partials`](super::mixed_partials).

use std::collections::BTreeMap;

use crate::{Error, Result, jet::factorial};

/// Directions to propagate, and how their coefficients combine into the requested derivatives.
pub(super) struct Plan {
    order: usize,
    directions: Vec<Vec<i64>>,
    /// For each request its order and the factor of each direction's coefficient of that order.
    requests: Vec<(usize, BTreeMap<usize, f64>)>,
}

impl Plan {
    pub(super) fn new(partials: &[&[usize]], coordinates: usize) -> Result<Self> {
        let mut plan = Self { order: 0, directions: Vec::new(), requests: Vec::new() };
        let mut index = BTreeMap::new();
        for axes in partials {
            let mut alpha = vec![0i64; coordinates];
            for &axis in *axes {
                let Some(multiplicity) = alpha.get_mut(axis) else {
                    return Err(Error::invalid(
                        "axis of a partial derivative",
                        axis,
                        "an index below the number of coordinates, the last axis of the points",
                    ));
                };
                *multiplicity += 1;
            }
            plan.order = plan.order.max(axes.len());
            let mut factors = BTreeMap::new();
            for (direction, factor) in polarise(&alpha) {
                let n = *index.entry(direction.clone()).or_insert_with(|| {
                    plan.directions.push(direction);
                    plan.directions.len() - 1
                });
                factors.insert(n, factor);
            }
            plan.requests.push((axes.len(), factors));
        }
        Ok(plan)
    }

    /// The highest order among the requests.
    pub(super) fn order(&self) -> usize {
        self.order
    }

    /// The number of directions.
    pub(super) fn len(&self) -> usize {
        self.directions.len()
    }

    /// The directions, row by row.
    pub(super) fn directions(&self) -> Vec<f64> {
        self.directions.iter().flatten().map(|&v| v as f64).collect()
    }

    /// The matrix that maps the rows of the stack of a jet to the requests, row by row.
    pub(super) fn combination(&self) -> Vec<f64> {
        let rows = 1 + self.order * self.len();
        let mut matrix = vec![0.0; self.requests.len() * rows];
        for ((order, factors), row) in self.requests.iter().zip(matrix.chunks_mut(rows)) {
            if *order == 0 {
                row[0] = 1.0;
            }
            for (direction, factor) in factors {
                row[1 + (order - 1) * self.len() + direction] = *factor;
            }
        }
        matrix
    }
}

/// The directions with coprime entries, first non-zero entry positive, and the factors of their
/// coefficients of order `|α|` whose sum is `∂^α u`.
fn polarise(alpha: &[i64]) -> BTreeMap<Vec<i64>, f64> {
    let order: i64 = alpha.iter().sum();
    let mut factors = BTreeMap::new();
    let mut beta = vec![0i64; alpha.len()];
    loop {
        let direction: Vec<i64> = alpha.iter().zip(&beta).map(|(a, b)| a - 2 * b).collect();
        if let Some((primitive, scale)) = primitive(&direction) {
            let sign = if beta.iter().sum::<i64>() % 2 == 0 { 1.0 } else { -1.0 };
            let choices: f64 = alpha.iter().zip(&beta).map(|(&a, &b)| binomial(a, b)).product();
            // u_K(s v) = s^K u_K(v)
            let scale = (scale as f64 / 2.0).powi(order as i32);
            *factors.entry(primitive).or_insert(0.0) += sign * choices * scale;
        }
        // The next β ≤ α, like an odometer.
        let Some(i) = (0..alpha.len()).find(|&i| beta[i] < alpha[i]) else { break };
        beta[i] += 1;
        beta[..i].fill(0);
    }
    factors.retain(|_, factor| *factor != 0.0);
    factors
}

/// `direction = scale · primitive`; none for the zero direction.
fn primitive(direction: &[i64]) -> Option<(Vec<i64>, i64)> {
    let divisor = direction.iter().fold(0, |a, &b| gcd(a, b.abs()));
    let first = direction.iter().find(|&&v| v != 0)?;
    let scale = divisor * first.signum();
    Some((direction.iter().map(|v| v / scale).collect(), scale))
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn binomial(n: i64, k: i64) -> f64 {
    factorial(n as usize) / (factorial(k as usize) * factorial((n - k) as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_directions() {
        // Pure derivatives take one direction, ½ Π (αᵢ + 1) suffice otherwise.
        for (alpha, expected) in [
            (vec![1], 1),
            (vec![4], 1),
            (vec![1, 1], 2),
            (vec![2, 1], 3),
            (vec![2, 2], 4),
            (vec![3, 1], 4),
            (vec![1, 1, 1], 4),
            (vec![2, 1, 1], 6),
            (vec![1, 1, 1, 1], 8),
        ] {
            assert_eq!(polarise(&alpha).len(), expected, "{alpha:?}");
        }
    }

    #[test]
    fn shared_directions_are_propagated_once() {
        let plan = Plan::new(&[&[0], &[0, 0], &[1, 1, 1], &[], &[0, 1]], 2).unwrap();
        assert_eq!((plan.len(), plan.order()), (4, 3));
    }
}

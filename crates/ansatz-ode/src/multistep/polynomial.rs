//! Polynomials through values at given places, as weights of these values.

/// Most places that a polynomial goes through.
pub(super) const MOST: usize = 16;

/// One number for each place.
pub(super) type Weights = [f64; MOST];

/// The value at `x` of the polynomial through values at `places` (J.-L. Lagrange).
pub(super) fn value_at(places: &[f64], x: f64) -> Weights {
    let mut weights = [0.0; MOST];
    for (i, (weight, at)) in weights.iter_mut().zip(places).enumerate() {
        *weight = 1.0;
        for (j, other) in places.iter().enumerate() {
            if i != j {
                *weight *= (x - other) / (at - other);
            }
        }
    }
    weights
}

/// The derivative at 0, which is none of the places, from the weights of the value there.
#[cfg(feature = "stiff")]
pub(super) fn slope_at_zero(places: &[f64], values: &Weights) -> Weights {
    let sum: f64 = places.iter().map(|s| -1.0 / s).sum();
    let mut weights = [0.0; MOST];
    for ((weight, value), s) in weights.iter_mut().zip(values).zip(places) {
        *weight = value * (sum + 1.0 / s);
    }
    weights
}

/// The nodes of Gauß and Legendre on [−1, 1] that are not negative, with their weights: exact for
/// polynomials of degree 13, as many as the methods here need.
const GAUSS: [(f64, f64); 4] = [
    (0.0, 0.417_959_183_673_469_4),
    (0.405_845_151_377_397_2, 0.381_830_050_505_118_94),
    (0.741_531_185_599_394_4, 0.279_705_391_489_276_64),
    (0.949_107_912_342_758_5, 0.129_484_966_168_869_7),
];

/// The nodes and weights for an integral from `a` to `b`.
fn gauss(a: f64, b: f64) -> impl Iterator<Item = (f64, f64)> {
    let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
    let left = GAUSS.into_iter().skip(1).map(|(x, w)| (-x, w));
    left.chain(GAUSS).map(move |(x, w)| (middle + half * x, half * w))
}

/// The integral from `a` to `b` of the polynomial through values at `places`, at most 14 of them.
pub(super) fn integral(places: &[f64], a: f64, b: f64) -> Weights {
    let n = places.len();
    let mut weights = [0.0; MOST];
    for (x, w) in gauss(a, b) {
        // Products of the distances before and after each place.
        let mut after = [1.0; MOST];
        for i in (1..n).rev() {
            after[i - 1] = after[i] * (x - places[i]);
        }
        let mut before = w;
        for i in 0..n {
            weights[i] += before * after[i];
            before *= x - places[i];
        }
    }
    for i in 0..n {
        for j in 0..n {
            if i != j {
                weights[i] /= places[i] - places[j];
            }
        }
    }
    weights
}

/// `gⱼ`, the integrals from −1 to 0 of `∏_{i<j} (s − sᵢ)/(−sᵢ)` over the first `j` places
/// (E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, section III.5).
pub(super) fn newton_integrals(places: &[f64]) -> Weights {
    let mut sums = [0.0; MOST];
    for (x, w) in gauss(-1.0, 0.0) {
        let mut product = w;
        sums[0] += product;
        for (sum, s) in sums[1..].iter_mut().zip(places) {
            product *= (x - s) / -s;
            *sum += product;
        }
    }
    sums
}

//! The natural cubic spline of one series, as a linear map and its transpose: [`NaturalSpline`].

/// The spline through some of the values at given times, and its values and slopes at all of them.
///
/// In the form of second derivatives `Mₖ` at the knots (C. de Boor, *A Practical Guide to Splines*,
/// chapter IV): `hₖ₋₁ Mₖ₋₁ + 2 (hₖ₋₁ + hₖ) Mₖ + hₖ Mₖ₊₁ = 6 (sₖ − sₖ₋₁)` with the lengths `hₖ` and
/// the slopes `sₖ` of the lines between knots, `M = 0` at both ends.
#[derive(Debug, Clone)]
pub(crate) struct NaturalSpline {
    /// Lengths between the knots.
    lengths: Vec<f64>,
    /// For each knot the position of the value it takes.
    sources: Vec<usize>,
    places: Vec<Place>,
}

/// A time within the piece that follows knot `knot`.
#[derive(Debug, Clone)]
struct Place {
    knot: usize,
    /// Weights of the values and of the second derivatives at the ends of the piece.
    value: [f64; 4],
    slope: [f64; 4],
}

impl NaturalSpline {
    /// The spline through the values at positions `observed` of `times` (increasing, at least one),
    /// held on to the first and the last time.
    pub(crate) fn new(times: &[f64], observed: &[usize]) -> Self {
        let mut knots: Vec<usize> = observed.to_vec();
        let mut sources = knots.clone();
        if let Some(&first) = observed.first()
            && first != 0
        {
            knots.insert(0, 0);
            sources.insert(0, first);
        }
        if let Some(&last) = observed.last()
            && last != times.len() - 1
        {
            knots.push(times.len() - 1);
            sources.push(last);
        }
        let lengths: Vec<f64> = knots.windows(2).map(|k| times[k[1]] - times[k[0]]).collect();
        let places = (0..times.len())
            .map(|i| {
                let knot = knots[1..lengths.len()].partition_point(|k| *k <= i);
                Place::new(knot, times[i] - times[knots[knot]], times[knots[knot + 1]] - times[i])
            })
            .collect();
        Self { lengths, sources, places }
    }

    /// Values and slopes at all times, from the data.
    pub(crate) fn apply(
        &self,
        data: impl Fn(usize) -> f64,
        values: &mut [f64],
        slopes: &mut [f64],
    ) {
        let at: Vec<f64> = self.sources.iter().map(|i| data(*i)).collect();
        let mut bends = vec![0.0; at.len()];
        for k in 1..at.len() - 1 {
            let right = (at[k + 1] - at[k]) / self.lengths[k];
            let left = (at[k] - at[k - 1]) / self.lengths[k - 1];
            bends[k] = 6.0 * (right - left);
        }
        self.solve(&mut bends);
        for (i, place) in self.places.iter().enumerate() {
            let k = place.knot;
            let ends = [at[k], at[k + 1], bends[k], bends[k + 1]];
            let dot = |w: &[f64; 4]| w.iter().zip(&ends).map(|(w, e)| w * e).sum::<f64>();
            values[i] = dot(&place.value);
            slopes[i] = dot(&place.slope);
        }
    }

    /// Cotangents of values and slopes to those of the data, which `add` receives piece by piece.
    pub(crate) fn apply_transposed(
        &self,
        value: impl Fn(usize) -> f64,
        slope: impl Fn(usize) -> f64,
        mut add: impl FnMut(usize, f64),
    ) {
        let knots = self.sources.len();
        let (mut at, mut bends) = (vec![0.0; knots], vec![0.0; knots]);
        for (i, place) in self.places.iter().enumerate() {
            let (v, s, k) = (value(i), slope(i), place.knot);
            let weight = |j: usize| v * place.value[j] + s * place.slope[j];
            at[k] += weight(0);
            at[k + 1] += weight(1);
            bends[k] += weight(2);
            bends[k + 1] += weight(3);
        }
        // The matrix is symmetric.
        self.solve(&mut bends);
        for k in 1..knots - 1 {
            let (left, right) = (6.0 / self.lengths[k - 1], 6.0 / self.lengths[k]);
            at[k - 1] += left * bends[k];
            at[k] -= (left + right) * bends[k];
            at[k + 1] += right * bends[k];
        }
        for (source, g) in self.sources.iter().zip(at) {
            add(*source, g);
        }
    }

    /// Replaces the right-hand sides at the inner knots by the second derivatives there and those at
    /// the ends by zero, by elimination: the matrix is diagonally dominant.
    fn solve(&self, rhs: &mut [f64]) {
        let (h, last) = (&self.lengths, rhs.len() - 1);
        rhs[0] = 0.0;
        rhs[last] = 0.0;
        let mut upper = vec![0.0; rhs.len()];
        for k in 1..last {
            let pivot = 2.0 * (h[k - 1] + h[k]) - h[k - 1] * upper[k - 1];
            upper[k] = h[k] / pivot;
            rhs[k] = (rhs[k] - h[k - 1] * rhs[k - 1]) / pivot;
        }
        for k in (1..last).rev() {
            rhs[k] -= upper[k] * rhs[k + 1];
        }
    }
}

impl Place {
    /// `since` the knot before and `until` the one after.
    fn new(knot: usize, since: f64, until: f64) -> Self {
        let h = since + until;
        let (a, b) = (until / h, since / h);
        let cubic = |x: f64| (x * x * x - x) * h * h / 6.0;
        let bend = |x: f64| (3.0 * x * x - 1.0) * h / 6.0;
        Self {
            knot,
            value: [a, b, cubic(a), cubic(b)],
            slope: [-1.0 / h, 1.0 / h, -bend(a), bend(b)],
        }
    }
}

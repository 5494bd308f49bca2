//! Weights, inputs and points that every peer computes by the same formulas, in f64.
//!
//! Indices count from 0. The matrices are of full rank thanks to the term in `i j`.

/// Row-major `[out, in]`: `w[i,j] = sin(1 + 0.37 i + 0.73 j + 0.29 i j + 1.7 layer) sqrt(2 / in)`.
pub fn weight(outputs: usize, inputs: usize, layer: usize) -> Vec<f64> {
    let scale = (2.0 / inputs as f64).sqrt();
    grid(outputs, inputs, |i, j| {
        (1.0 + 0.37 * i + 0.73 * j + 0.29 * i * j + 1.7 * layer as f64).sin() * scale
    })
}

/// `[out]`: `b[j] = 0.1 cos(0.9 j + layer)`.
pub fn bias(outputs: usize, layer: usize) -> Vec<f64> {
    (0..outputs).map(|j| 0.1 * (0.9 * j as f64 + layer as f64).cos()).collect()
}

/// Row-major `[n, d]`: `x[n,d] = sin(0.1 + 0.05 n + 1.3 d)`.
pub fn inputs(rows: usize, columns: usize) -> Vec<f64> {
    grid(rows, columns, |n, d| (0.1 + 0.05 * n + 1.3 * d).sin())
}

/// Row-major `[n, d]`: `y[n,d] = cos(0.2 + 0.03 n + 0.7 d)`.
pub fn targets(rows: usize, columns: usize) -> Vec<f64> {
    grid(rows, columns, |n, d| (0.2 + 0.03 * n + 0.7 * d).cos())
}

/// `n` points of the R2 sequence in the unit square (M. Roberts, 2018): fractional part of
/// `0.5 + k a`, `k = 1 + offset, 2 + offset, …`
pub fn r2(n: usize, offset: usize) -> Vec<[f64; 2]> {
    const A: [f64; 2] = [0.7548776662466927, 0.5698402909980532];
    (1 + offset..=n + offset).map(|k| A.map(|a| (0.5 + k as f64 * a).fract())).collect()
}

fn grid(rows: usize, columns: usize, f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let cells = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    cells.map(|(i, j)| f(i as f64, j as f64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const W00: f64 = 0.30220321145603557;
    const W23: f64 = 0.6258950448478445;
    const B1: f64 = -0.09709581651495906;
    const X31: f64 = 0.999783764189357;
    const Y41: f64 = 0.5233659512516495;
    const R10: f64 = 0.27438833123346384;
    const R11: f64 = 0.3492014549902662;

    /// The constants above were computed in Python from the formulas of the peers' README.
    #[test]
    fn the_formulas_are_those_of_the_peers() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a} is not {b}");
        let w = weight(3, 4, 1);
        close(w[0], W00);
        close(w[2 * 4 + 3], W23);
        close(bias(3, 2)[1], B1);
        close(inputs(5, 2)[3 * 2 + 1], X31);
        close(targets(5, 2)[4 * 2 + 1], Y41);
        let points = r2(2, 3);
        close(points[1][0], R10);
        close(points[1][1], R11);
        assert_eq!((w.len(), points.len()), (12, 2));
    }
}

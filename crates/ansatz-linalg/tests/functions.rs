//! Functions of dense matrices against closed forms and against mpmath 1.3 in 40 digits.
#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::dense;

use ansatz_linalg::{Dense, Error, exponential, faer::Mat, logarithm, phi_functions, square_root};

fn rows<const N: usize>(entries: [[f64; N]; N]) -> Dense {
    Dense::from_rows(&entries).unwrap()
}

fn norm(a: &Mat<f64>) -> f64 {
    Dense::new(a.clone()).unwrap().norm_1()
}

/// Relative to the reference, in the 1-norm.
fn error(got: &Dense, want: &Dense) -> f64 {
    norm(&(got.as_faer() - want.as_faer())) / want.norm_1().max(f64::MIN_POSITIVE)
}

fn close(name: &str, got: &Dense, want: &Dense, tolerance: f64) {
    let error = error(got, want);
    assert!(error <= tolerance, "{name}: {error:e}");
}

fn times(factor: f64, a: &Dense) -> Dense {
    Dense::new(Mat::from_fn(a.as_faer().nrows(), a.as_faer().ncols(), |i, j| {
        factor * a.as_faer()[(i, j)]
    }))
    .unwrap()
}

fn from_fn(n: usize, f: impl Fn(usize, usize) -> f64) -> Dense {
    Dense::new(Mat::from_fn(n, n, f)).unwrap()
}

/// λ on the diagonal, 1 above.
fn jordan(n: usize, lambda: f64) -> Dense {
    from_fn(n, |i, j| if i == j { lambda } else { f64::from(j == i + 1) })
}

/// `f(λ + N)` by the Taylor series of `f`: `derivative(k)/k!` on the k-th diagonal.
fn of_jordan(n: usize, derivative: impl Fn(usize) -> f64) -> Dense {
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    from_fn(n, |i, j| if j >= i { derivative(j - i) / factorial(j - i) } else { 0.0 })
}

/// `V diag(d) V⁻¹` for the integer matrix V = [[1, 2, 0], [0, 1, 3], [1, 0, 1]], of determinant 7.
fn diagonalised(d: [f64; 3]) -> Dense {
    let v = [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]];
    let inverse = [[1.0, -2.0, 6.0], [3.0, 1.0, -3.0], [-1.0, 2.0, 1.0]];
    from_fn(3, |i, j| (0..3).map(|k| v[i][k] * d[k] * inverse[k][j]).sum::<f64>() / 7.0)
}

const A: [[f64; 3]; 3] = [[0.5, -1.25, 3.0], [2.0, 0.125, -0.75], [-1.5, 0.5, 1.0]];

#[test]
fn exponentials() {
    for n in 1..7 {
        for lambda in [0.0, -2.5, 1.0, 30.0, -300.0] {
            let want = of_jordan(n, |_| f64::exp(lambda));
            close("Jordan", &exponential(&jordan(n, lambda)).unwrap(), &want, 2e-13);
        }
    }
    // All degrees of the approximant and many squarings.
    for angle in [1e-9, 1e-3, 0.1, 0.5, 1.5, 3.0, 30.0, 1000.0] {
        let (sin, cos) = f64::sin_cos(angle);
        let got = exponential(&rows([[0.0, -angle], [angle, 0.0]])).unwrap();
        close("rotation", &got, &rows([[cos, -sin], [sin, cos]]), 1e-15 * angle.max(2.0));
    }
    for angle in (0..60).map(|k| 1e-3 * 1.2f64.powi(k)) {
        let (sin, cos) = angle.sin_cos();
        let got = exponential(&rows([[0.0, -angle], [angle, 0.0]])).unwrap();
        close("rotation", &got, &rows([[cos, -sin], [sin, cos]]), 1e-15 * angle.max(2.0));
    }
    // The powers of A are small, those of |A| are not. Rounding of A alone changes the result so much.
    for (k, lambda) in [(16.0, 0.015625), (64.0, 0.25), (512.0, 1.0), (1024.0, 2.0)] {
        let n = rows([[k, -k], [k, -k]]);
        let a = from_fn(2, |i, j| n.as_faer()[(i, j)] + lambda * f64::from(i == j));
        let want = from_fn(2, |i, j| lambda.exp() * (n.as_faer()[(i, j)] + f64::from(i == j)));
        close("cancelling", &exponential(&a).unwrap(), &want, 3e-15 * k * k);
    }
    // Nilpotent, however large: 1 + A.
    for a in [1e-3, 1.0, 1e20] {
        let got = exponential(&rows([[0.0, a], [0.0, 0.0]])).unwrap();
        close("nilpotent", &got, &rows([[1.0, a], [0.0, 1.0]]), 1e-15);
    }
    // Halving [[1, 10⁶], [0, −1]] for its norm would cost six digits.
    let (a, sinh) = (1e6, 1f64.sinh());
    let want = rows([[1f64.exp(), a * sinh], [0.0, (-1f64).exp()]]);
    let got = exponential(&rows([[1.0, a], [0.0, -1.0]])).unwrap();
    close("not normal", &got, &want, 1e-15);
    assert!((got.as_faer()[(0, 0)] / want.as_faer()[(0, 0)] - 1.0).abs() < 1e-14);
    for d in [[0.0, 1.0, -1.0], [-1000.0, -1.0, 0.5], [3.0, 3.0, -40.0]] {
        let got = exponential(&diagonalised(d)).unwrap();
        close("diagonalised", &got, &diagonalised(d.map(f64::exp)), 1e-12);
    }
    let want = rows([
        [-1.3573220776705071, 0.55459105897109245, 1.9799899822641882],
        [0.74215588280181306, 0.50789730982129906, 2.5169801536975564],
        [-0.31103600065061036, 1.0378491927942307, -0.1172297813286004],
    ]);
    close("mpmath", &exponential(&rows(A)).unwrap(), &want, 1e-14);
    let got = exponential(&rows([[-1e3, 900.0, 0.0], [0.0, -2.0, 300.0], [1.0, 0.0, -1.0]]));
    let want = rows([
        [21735.410931899853, 1163086.8035653011, 22057506.35860611],
        [24508.340398451233, 1311469.4442187559, 24871527.659241216],
        [1374.0131386229497, 73525.0211953537, 1394374.5364162266],
    ]);
    close("mpmath, norm 1000", &got.unwrap(), &want, 1e-13);
    // e^A e^−A = 1, e^2A = (e^A)².
    let a = dense(40, 40, 0.3);
    let (plus, minus) = (exponential(&a).unwrap(), exponential(&times(-1.0, &a)).unwrap());
    let product = Dense::new(plus.as_faer() * minus.as_faer()).unwrap();
    let size = plus.norm_1() * minus.norm_1();
    let unit = from_fn(40, |i, j| f64::from(i == j));
    assert!(error(&product, &unit) < 1e-15 * size, "{:e} {size:e}", error(&product, &unit));
    assert_eq!(exponential(&Dense::new(Mat::zeros(0, 0)).unwrap()).unwrap().as_faer().nrows(), 0);
    assert_eq!(exponential(&rows([[0.0; 3]; 3])).unwrap().as_faer()[(1, 1)], 1.0);
}

#[test]
fn exponentials_of_bad_matrices() {
    assert!(matches!(exponential(&dense(2, 3, 0.1)), Err(Error::Size { .. })));
    assert!(matches!(exponential(&rows([[800.0]])), Err(Error::NotFinite { .. })));
    assert!(matches!(exponential(&rows([[0.0, 1e4], [1e4, 0.0]])), Err(Error::NotFinite { .. })));
    assert!(matches!(exponential(&rows([[1e40]])), Err(Error::InvalidArgument { .. })));
    assert_eq!(exponential(&rows([[-800.0]])).unwrap().as_faer()[(0, 0)], 0.0);
    assert!(matches!(phi_functions(&dense(2, 3, 0.1), 1), Err(Error::Size { .. })));
    assert!(matches!(phi_functions(&rows(A), 101), Err(Error::InvalidArgument { .. })));
    assert!(matches!(phi_functions(&rows([[1e40]]), 1), Err(Error::InvalidArgument { .. })));
    assert!(matches!(phi_functions(&rows([[800.0]]), 1), Err(Error::NotFinite { .. })));
}

/// `φₖ(x)` of a number, by its series or by its definition, whichever cancels nothing.
fn phi(k: usize, x: f64) -> f64 {
    let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
    if x.abs() < 1.0 {
        return (0..30).rev().map(|j| x.powi(j as i32) / factorial(j + k)).sum();
    }
    (0..k).fold(x.exp(), |above, j| (above - 1.0 / factorial(j)) / x)
}

#[test]
fn phi_functions_of_matrices() {
    for d in [[0.0, 0.3, -0.7], [-20.0, -1.5, 2.0], [-1000.0, 5.0, 0.0]] {
        let got = phi_functions(&diagonalised(d), 4).unwrap();
        assert_eq!(got.len(), 5);
        for (k, got) in got.iter().enumerate() {
            close("diagonalised", got, &diagonalised(d.map(|x| phi(k, x))), 3e-13);
        }
    }
    let got = phi_functions(&rows(A), 4).unwrap();
    close("φ₀", &got[0], &exponential(&rows(A)).unwrap(), 1e-14);
    let want = rows([
        [0.14008863969503471, -0.10032034599931242, 1.4844838036795998],
        [0.77260264516139985, 0.74812901433274095, 0.76026897896291252],
        [-0.48720436368875823, 0.51330416662889162, 0.72936143470934299],
    ]);
    close("φ₁ by mpmath", &got[1], &want, 1e-14);
    let want = rows([
        [0.035697493437149926, -0.0072609407263029407, 0.02845716650734979],
        [0.017046329370655055, 0.03917904922393877, 0.0029203701416635982],
        [-0.011966573166770583, 0.0071011269198415177, 0.043472410595643792],
    ]);
    close("φ₄ by mpmath", &got[4], &want, 1e-14);
    // Of zero: 1/k!. A singular matrix is none for which it is not defined.
    for (k, got) in phi_functions(&jordan(4, 0.0), 3).unwrap().iter().enumerate() {
        let factorial = |k: usize| (1..=k).map(|k| k as f64).product::<f64>();
        let want = from_fn(4, |i, j| if j >= i { 1.0 / factorial(j - i + k) } else { 0.0 });
        close("nilpotent", got, &want, 1e-15);
    }
    assert_eq!(phi_functions(&rows(A), 0).unwrap().len(), 1);
}

const B: [[f64; 3]; 3] = [[4.0, 1.0, -2.0], [0.5, 3.0, 1.25], [-1.0, 2.0, 5.0]];

#[test]
fn square_roots() {
    let want = rows([
        [1.9505528155681048, 0.35558289238650623, -0.51661299504678287],
        [0.1642179957472371, 1.6583126919296733, 0.34946446236102066],
        [-0.26509322274639944, 0.54828437942082024, 2.1613522365304402],
    ]);
    close("mpmath", &square_root(&rows(B)).unwrap(), &want, 1e-14);
    for angle in [1e-3f64, 0.5, 2.0, 3.0, -3.0, 3.125] {
        let turn = |t: f64| rows([[t.cos(), -t.sin()], [t.sin(), t.cos()]]);
        let got = square_root(&turn(angle)).unwrap();
        // The root jumps at half a turn.
        let tolerance = 1e-15 / (std::f64::consts::PI - angle.abs());
        close("rotation", &got, &turn(0.5 * angle), 4.0 * tolerance.max(1e-15));
    }
    for n in 1..5 {
        for lambda in [1.0f64, 0.5, 4.0, 100.0] {
            let power = |k: usize| (0..k).map(|j| 0.5 - j as f64).product::<f64>();
            let want = of_jordan(n, |k| power(k) * lambda.powf(0.5 - k as f64));
            close("Jordan", &square_root(&jordan(n, lambda)).unwrap(), &want, 1e-13);
        }
    }
    for d in [[1.0, 4.0, 9.0], [1e-6, 1.0, 1e6]] {
        let got = square_root(&diagonalised(d)).unwrap();
        let square = Dense::new(got.as_faer() * got.as_faer()).unwrap();
        close("squared", &square, &diagonalised(d), 1e-12);
        close("diagonalised", &got, &diagonalised(d.map(f64::sqrt)), 1e-9);
    }
    // The spectrum is a circle around 0, which stalls unshifted iterations, or around 7.
    let cycle = |n: usize| from_fn(n, |i, j| f64::from((i + 1) % n == j));
    let large = dense(60, 60, 0.3);
    let far = from_fn(60, |i, j| large.as_faer()[(i, j)] + 9.0 * f64::from(i == j));
    for a in [cycle(3), cycle(5), cycle(31), far] {
        let (root, log) = (square_root(&a).unwrap(), logarithm(&a).unwrap());
        let square = Dense::new(root.as_faer() * root.as_faer()).unwrap();
        close("squared", &square, &a, 1e-13);
        close("undone", &exponential(&log).unwrap(), &a, 1e-12);
        close("half of it", &exponential(&times(0.5, &log)).unwrap(), &root, 1e-12);
    }
    // Scale does not matter; symmetric matrices go by their eigenvectors.
    for factor in [1e-100, 1e100] {
        let got = square_root(&times(factor, &rows(B))).unwrap();
        close("scaled", &got, &times(factor.sqrt(), &want), 1e-13);
    }
    let symmetric = rows([[2.0, 1.0], [1.0, 2.0]]);
    let (a, b) = (0.5 * (3f64.sqrt() + 1.0), 0.5 * (3f64.sqrt() - 1.0));
    close("symmetric", &square_root(&symmetric).unwrap(), &rows([[a, b], [b, a]]), 1e-15);
    assert_eq!(square_root(&Dense::new(Mat::zeros(0, 0)).unwrap()).unwrap().as_faer().nrows(), 0);
}

#[test]
fn logarithms() {
    let want = rows([
        [1.2744809758446367, 0.49342440227512799, -0.55852253831477238],
        [0.21682897326066979, 0.92051163699501499, 0.40759790770565055],
        [-0.29420288309583329, 0.62825007002752552, 1.4491509474328932],
    ]);
    close("mpmath", &logarithm(&rows(B)).unwrap(), &want, 1e-13);
    for angle in [1e-3f64, 0.5, 2.0, -3.0] {
        let turn = rows([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]]);
        let want = rows([[0.0, -angle], [angle, 0.0]]);
        close("rotation", &logarithm(&turn).unwrap(), &want, 1e-13);
    }
    for n in 1..5 {
        for lambda in [1.0f64, 0.5, 20.0] {
            // ln and its derivatives: (−1)^(k+1) (k − 1)!/λᵏ.
            let want = of_jordan(n, |k| match k {
                0 => lambda.ln(),
                k => -(1..k).map(|j| j as f64).product::<f64>() / (-lambda).powi(k as i32),
            });
            close("Jordan", &logarithm(&jordan(n, lambda)).unwrap(), &want, 1e-12);
        }
    }
    for scale in [0.1, 1.0] {
        let a = times(scale, &rows(A));
        close("undone", &logarithm(&exponential(&a).unwrap()).unwrap(), &a, 1e-13);
    }
    let symmetric = rows([[2.0, 1.0], [1.0, 2.0]]);
    let l = 0.5 * 3f64.ln();
    close("symmetric", &logarithm(&symmetric).unwrap(), &rows([[l, l], [l, l]]), 1e-15);
    assert_eq!(logarithm(&rows([[1.0, 0.0], [0.0, 1.0]])).unwrap().norm_1(), 0.0);
}

#[test]
fn roots_and_logarithms_that_are_not_there() {
    for a in [
        rows([[-1.0, 0.0], [0.0, -1.0]]),
        rows([[-1.0, 1.0], [0.0, -1.0]]),
        rows([[0.0, 1.0], [0.0, 0.0]]),
        rows([[1.0, 2.0], [2.0, 1.0]]),
        rows([[1.0, 2.0], [3.0, 1.0]]),
        // Singular but for rounding.
        rows([[0.1, 0.3, 0.4], [0.7, 0.2, 0.9], [0.2, 0.6, 0.8]]),
    ] {
        assert!(matches!(square_root(&a), Err(Error::NotPrincipal { .. })), "{a:?}");
        assert!(matches!(logarithm(&a), Err(Error::NotPrincipal { .. })), "{a:?}");
    }
    let semidefinite = rows([[1.0, 2.0], [2.0, 4.0]]);
    assert!(matches!(logarithm(&semidefinite), Err(Error::NotPrincipal { .. })));
    // Of −1 three times without eigenvectors rounding makes a complex pair, and no root that is one.
    let block = diagonalised([-1.0, -1.0, -1.0]);
    assert!(square_root(&block).is_err());
    assert!(matches!(square_root(&dense(2, 3, 0.1)), Err(Error::Size { .. })));
    assert!(matches!(logarithm(&dense(2, 3, 0.1)), Err(Error::Size { .. })));
}

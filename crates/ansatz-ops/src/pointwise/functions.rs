//! Each function of one number: value, derivative, Taylor coefficients.
//!
//! Everything is branchless and inlined, so that a loop over it becomes vector instructions. Some
//! have a faster form `NEAR` for arguments up to [`bound_of_near`].

use super::{Pointwise, Real, real::Scaled};

/// `√(2/π)`, the constant of the tanh approximation of GELU.
pub(super) const SQRT_2_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// The cubic coefficient of the tanh approximation of GELU.
pub(super) const GELU_CUBIC: f64 = 0.044715;
/// `1/√(2π)`, the normal density at 0.
const DENSITY: f64 = 0.398_942_280_401_432_7;
/// `2/√π`, the derivative of the error function at 0.
const ERF_SLOPE: f64 = std::f64::consts::FRAC_2_SQRT_PI;

/// A function of one number.
pub(super) trait Function<T: Real>: Copy {
    /// `f(x)`.
    fn value(self, x: T) -> T;

    /// `f′`, from `x` or from `y = f(x)` as [`needs_input`](super::needs_input) says.
    fn slope(self, source: T) -> T;

    /// `f⁽ᵏ⁾(x)/k!`.
    fn series<const N: usize>(self, x: T) -> [T; N];
}

/// The largest absolute value of an argument (or value, where [`needs_input`](super::needs_input)
/// says so) for which the form `NEAR` of the function holds, if there is one.
pub(super) fn bound_of_near<T: Real>(function: Pointwise) -> Option<T> {
    match function {
        Pointwise::Sin | Pointwise::Cos => Some(T::FAR),
        Pointwise::Exp | Pointwise::Sigmoid | Pointwise::Softplus | Pointwise::Silu => {
            Some(T::EXP_FAR)
        }
        Pointwise::Gelu => Some(T::NORMAL_FAR),
        Pointwise::Erf => Some(T::NORMAL_FAR * T::c(std::f64::consts::FRAC_1_SQRT_2)),
        _ => None,
    }
}

/// `[first, 0, …]`.
#[inline(always)]
fn starting_with<T: Real, const N: usize>(first: T) -> [T; N] {
    let mut c = [T::c(0.0); N];
    c[0] = first;
    c
}

/// The series of `∫ d`, with `first` in front.
#[inline(always)]
fn integral<T: Real, const N: usize>(first: T, d: [T; N]) -> [T; N] {
    let mut c = starting_with::<T, N>(first);
    for k in 1..N {
        c[k] = d[k - 1] * T::c(1.0 / k as f64);
    }
    c
}

/// The series of `x f(x)`, with `first` as its value.
#[inline(always)]
fn times_argument<T: Real, const N: usize>(x: T, first: T, f: [T; N]) -> [T; N] {
    let mut c = starting_with::<T, N>(first);
    for k in 1..N {
        c[k] = x.fma(f[k], f[k - 1]);
    }
    c
}

#[derive(Clone, Copy)]
pub(super) struct Tanh;

impl<T: Real> Function<T> for Tanh {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.tanh()
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        (-y).fma(y, T::c(1.0))
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        // With e = e^(2|x|) − 1 the value is e/(e + 2) and the slope 4 (e + 1)/(e + 2)², which
        // stays right where the value rounds to ±1.
        let half = T::EXP_FAR * T::c(0.5);
        let e = (if x.abs() > half { half } else { x }).exp_m1_of_double();
        let recip = T::c(1.0) / (e + T::c(2.0));
        let y = (e * recip).copysign(x);
        let mut c = starting_with::<T, N>(y);
        if N > 1 {
            let ratio = (e + T::c(1.0)) * recip;
            c[1] = T::c(4.0) * ratio * recip;
        }
        for k in 1..N.saturating_sub(1) {
            let mut sum = T::c(2.0) * c[0] * c[k];
            for j in 1..k {
                sum = c[j].fma(c[k - j], sum);
            }
            c[k + 1] = sum * T::c(-1.0 / (k + 1) as f64);
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sin<const NEAR: bool>;

#[derive(Clone, Copy)]
pub(super) struct Cos<const NEAR: bool>;

#[inline(always)]
fn sin_cos<T: Real, const NEAR: bool>(x: T) -> (T, T) {
    if NEAR { x.sin_cos_near() } else { x.sin_cos_far() }
}

/// The Taylor coefficients of a function whose derivatives are `y`, `g`, `−y`, `−g`, `y`, …
#[inline(always)]
fn rotating<T: Real, const N: usize>(y: T, g: T) -> [T; N] {
    let mut c = starting_with::<T, N>(y);
    let mut factorial = 1.0;
    for k in 1..N {
        factorial *= k as f64;
        let sign = if k % 4 < 2 { 1.0 } else { -1.0 };
        c[k] = (if k % 2 == 0 { y } else { g }) * T::c(sign / factorial);
    }
    c
}

impl<T: Real, const NEAR: bool> Function<T> for Sin<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        sin_cos::<T, NEAR>(x).0
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        sin_cos::<T, NEAR>(x).1
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let (s, c) = sin_cos::<T, NEAR>(x);
        rotating(s, c)
    }
}

impl<T: Real, const NEAR: bool> Function<T> for Cos<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        sin_cos::<T, NEAR>(x).1
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        -sin_cos::<T, NEAR>(x).0
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let (s, c) = sin_cos::<T, NEAR>(x);
        rotating(c, -s)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Exp<const NEAR: bool>;

impl<T: Real, const NEAR: bool> Function<T> for Exp<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.exp_parts::<NEAR>(T::c(0.0)).times(T::c(1.0))
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        y
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(x.exp());
        let mut factorial = 1.0;
        for k in 1..N {
            factorial *= k as f64;
            c[k] = c[0] * T::c(1.0 / factorial);
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Ln;

impl<T: Real> Function<T> for Ln {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.ln()
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        T::c(1.0) / x
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(x.ln());
        let recip = T::c(1.0) / x;
        let mut power = T::c(-1.0);
        for k in 1..N {
            power *= -recip;
            c[k] = power * T::c(1.0 / k as f64);
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sqrt;

impl<T: Real> Function<T> for Sqrt {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.sqrt()
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        T::c(0.5) / y
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(x.sqrt());
        let recip = T::c(1.0) / x;
        if N > 1 {
            c[1] = T::c(0.5) / c[0];
        }
        for k in 2..N {
            c[k] = c[k - 1] * recip * T::c((1.5 - k as f64) / k as f64);
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Recip;

impl<T: Real> Function<T> for Recip {
    #[inline(always)]
    fn value(self, x: T) -> T {
        T::c(1.0) / x
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        -(y * y)
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(T::c(1.0) / x);
        for k in 1..N {
            c[k] = -(c[k - 1] * c[0]);
        }
        c
    }
}

/// A real power: one call of the system's `pow` for each coefficient.
#[derive(Clone, Copy)]
pub(super) struct Powf(pub(super) f64);

impl<T: Real> Function<T> for Powf {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.powf(T::c(self.0))
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        // A constant has derivative 0 at 0 too, where x^(−1) is infinite.
        if self.0 == 0.0 { T::c(0.0) } else { T::c(self.0) * x.powf(T::c(self.0 - 1.0)) }
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(self.value(x));
        let mut binomial = 1.0;
        for k in 1..N {
            binomial *= (self.0 - k as f64 + 1.0) / k as f64;
            if binomial != 0.0 {
                c[k] = x.powf(T::c(self.0 - k as f64)) * T::c(binomial);
            }
        }
        c
    }
}

/// An integer power by repeated squaring.
#[derive(Clone, Copy)]
pub(super) struct Powi(pub(super) i32);

impl Powi {
    #[inline(always)]
    fn power<T: Real>(x: T, n: i64) -> T {
        let mut base = if n < 0 { T::c(1.0) / x } else { x };
        let mut exponent = n.unsigned_abs();
        let mut power = T::c(1.0);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power *= base;
            }
            base *= base;
            exponent >>= 1;
        }
        power
    }
}

impl<T: Real> Function<T> for Powi {
    #[inline(always)]
    fn value(self, x: T) -> T {
        Self::power(x, i64::from(self.0))
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let n = i64::from(self.0);
        if n == 0 { T::c(0.0) } else { T::c(n as f64) * Self::power(x, n - 1) }
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let n = i64::from(self.0);
        let mut c = starting_with::<T, N>(self.value(x));
        let mut binomial = 1.0;
        for k in 1..N {
            binomial *= (n - k as i64 + 1) as f64 / k as f64;
            if binomial != 0.0 {
                c[k] = Self::power(x, n - k as i64) * T::c(binomial);
            }
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Sigmoid<const NEAR: bool>;

/// `(σ(x), σ(−x))`, each with full relative accuracy.
#[inline(always)]
fn sigmoid_both<T: Real, const NEAR: bool>(x: T) -> (T, T) {
    let e = (-x.abs()).exp_parts::<NEAR>(T::c(0.0)).times(T::c(1.0));
    let large = T::c(1.0) / (T::c(1.0) + e);
    let small = e * large;
    if x < T::c(0.0) { (small, large) } else { (large, small) }
}

/// The series of σ at `x`.
#[inline(always)]
fn sigmoid_series<T: Real, const N: usize>(x: T) -> [T; N] {
    let (y, complement) = sigmoid_both::<T, false>(x);
    let mut c = starting_with::<T, N>(y);
    if N > 1 {
        c[1] = y * complement;
    }
    // y′ = y (1 − y)
    for k in 1..N.saturating_sub(1) {
        let mut sum = (complement - y) * c[k];
        for j in 1..k {
            sum = (-c[j]).fma(c[k - j], sum);
        }
        c[k + 1] = sum * T::c(1.0 / (k + 1) as f64);
    }
    c
}

impl<T: Real, const NEAR: bool> Function<T> for Sigmoid<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        sigmoid_both::<T, NEAR>(x).0
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        y * (T::c(1.0) - y)
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        sigmoid_series(x)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Softplus<const NEAR: bool>;

impl<T: Real, const NEAR: bool> Function<T> for Softplus<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        let e = (-x.abs()).exp_parts::<NEAR>(T::c(0.0));
        let tail = e.times(T::c(1.0)).ln_1p_unit();
        if x > T::c(0.0) { x + tail } else { tail }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        sigmoid_both::<T, NEAR>(x).0
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        integral(self.value(x), sigmoid_series(x))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Silu<const NEAR: bool>;

impl<T: Real, const NEAR: bool> Function<T> for Silu<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        // For x < 0 scaled last: e^x may be subnormal where x e^x is not.
        let x = if !NEAR && x < T::EXP_LOW { T::EXP_LOW } else { x };
        let e = (-x.abs()).exp_parts::<NEAR>(T::c(0.0));
        let large = x / (T::c(1.0) + e.times(T::c(1.0)));
        if x < T::c(0.0) { e.times(large) } else { large }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let x = if !NEAR && x.abs() > -T::EXP_LOW { T::EXP_LOW.copysign(x) } else { x };
        let (y, complement) = sigmoid_both::<T, NEAR>(x);
        (x * complement).fma(y, y)
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        times_argument(x, self.value(x), sigmoid_series(x))
    }
}

#[derive(Clone, Copy)]
pub(super) struct Gelu<const NEAR: bool>;

/// `x`, or where `φ(x)` is 0 a number closer to 0 that has the same derivatives.
#[inline(always)]
fn bounded<T: Real>(x: T) -> T {
    if x.abs() > T::NORMAL_END { T::NORMAL_END.copysign(x) } else { x }
}

/// `t = |x|` where `t Φ(−t)` is not 0, else where it becomes 0; `e = e^(−t²/2)`; `tail` with
/// `Φ(−t) = e · tail`, and most of its rounding error.
#[inline(always)]
fn normal_tail<T: Real, const NEAR: bool>(x: T) -> (T, Scaled<T>, (T, T)) {
    let t = if NEAR { x.abs() } else { bounded(x).abs() };
    // The rounding error of t² is a relative error of the exponential: kept apart.
    let square = t * t;
    let rounding = t.fma(t, -square);
    let e = (T::c(-0.5) * square).exp_parts::<NEAR>(T::c(-0.5) * rounding);
    (t, e, t.normal_tail())
}

/// `(Φ(x), e^(−x²/2))`
#[inline(always)]
fn normal<T: Real>(x: T) -> (T, T) {
    let (_, e, (tail, _)) = normal_tail::<T, false>(x);
    let small = e.times(tail);
    let phi = if x < T::c(0.0) { small } else { T::c(1.0) - small };
    (phi, e.times(T::c(1.0)))
}

impl<T: Real, const NEAR: bool> Function<T> for Gelu<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        let (t, e, tail) = normal_tail::<T, NEAR>(x);
        // Scaled last: Φ may be subnormal where x Φ is not.
        let scaled = e.times_product(t, tail);
        if x < T::c(0.0) { -scaled } else { x - scaled }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let (t, e, (tail, _)) = normal_tail::<T, NEAR>(x);
        let small = e.times((-t).fma(T::c(DENSITY), tail));
        if x < T::c(0.0) { small } else { T::c(1.0) - small }
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let value = self.value(x);
        let x = bounded(x);
        let (phi, e) = normal(x);
        // φ′ = −x φ
        let mut density = starting_with::<T, N>(e * T::c(DENSITY));
        for k in 1..N {
            let before = if k > 1 { density[k - 2] } else { T::c(0.0) };
            density[k] = x.fma(density[k - 1], before) * T::c(-1.0 / k as f64);
        }
        times_argument(x, value, integral(phi, density))
    }
}

#[derive(Clone, Copy)]
pub(super) struct GeluTanh;

impl GeluTanh {
    /// `v = 2√(2/π) (x + 0.044715 x³)` as a sum of two numbers: x σ(v) is the function, and the
    /// rounding error of v is a relative error of e^v.
    #[inline(always)]
    fn exponent<T: Real>(x: T) -> (T, T) {
        // v = x (a + b x²)
        let ([a, a_low], [b, b_low]) = (T::GELU_A, T::GELU_B);
        let square = x * x;
        let square_low = x.fma(x, -square);
        let product = b * square;
        let product_low = b.fma(square, -product);
        let sum = product + a;
        // Two-sum (D. Knuth).
        let part = sum - product;
        let sum_low = (product - (sum - part)) + (a - part);
        let low = sum_low + product_low + b.fma(square_low, b_low.fma(square, a_low));
        let v = x * sum;
        (v, x.fma(low, x.fma(sum, -v)))
    }
}

impl<T: Real> Function<T> for GeluTanh {
    #[inline(always)]
    fn value(self, x: T) -> T {
        let t = x.abs();
        let t = if t > T::GELU_TANH_END { T::GELU_TANH_END } else { t };
        let (v, low) = Self::exponent(t);
        let e = (-v).exp_parts::<false>(-low);
        let x = if x < T::c(0.0) { -t } else { x };
        let large = x / (T::c(1.0) + e.times(T::c(1.0)));
        if x < T::c(0.0) { e.times(large) } else { large }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        self.series::<2>(x)[1]
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let bounded = if x.abs() > T::GELU_TANH_END { T::GELU_TANH_END.copysign(x) } else { x };
        let (exponent, _) = Self::exponent(bounded);
        let (y, complement) = sigmoid_both::<T, false>(exponent);
        // j v_j for v = 2√(2/π) (x + 0.044715 x³)
        let a = 2.0 * SQRT_2_OVER_PI;
        let b = a * GELU_CUBIC;
        let v = [
            T::c(0.0),
            (T::c(3.0 * b) * bounded).fma(bounded, T::c(a)),
            T::c(6.0 * b) * bounded,
            T::c(3.0 * b),
        ];
        // s′ = q v′ with q = s (1 − s)
        let mut s = starting_with::<T, N>(y);
        let mut q = starting_with::<T, N>(y * complement);
        for k in 1..N {
            let mut sum = T::c(0.0);
            for j in 1..4 {
                if j <= k {
                    sum = v[j].fma(q[k - j], sum);
                }
            }
            s[k] = sum * T::c(1.0 / k as f64);
            let mut sum = (complement - y) * s[k];
            for j in 1..k {
                sum = (-s[j]).fma(s[k - j], sum);
            }
            q[k] = sum;
        }
        times_argument(bounded, self.value(x), s)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Erf<const NEAR: bool>;

impl<T: Real, const NEAR: bool> Function<T> for Erf<NEAR> {
    #[inline(always)]
    fn value(self, x: T) -> T {
        let (_, e, (tail, _)) = normal_tail::<T, NEAR>(x * T::c(std::f64::consts::SQRT_2));
        let far = (T::c(1.0) - T::c(2.0) * e.times(tail)).copysign(x);
        let near = x.erf_near();
        if x.abs() < T::ERF_NEAR { near } else { far }
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let x = if NEAR { x } else { bounded(x) };
        let square = x * x;
        let rounding = x.fma(x, -square);
        (-square).exp_parts::<NEAR>(-rounding).times(T::c(ERF_SLOPE))
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let value = self.value(x);
        let x = bounded(x);
        // d′ = −2x d
        let mut d = starting_with::<T, N>(self.slope(x));
        for k in 1..N {
            let before = if k > 1 { d[k - 2] } else { T::c(0.0) };
            d[k] = x.fma(d[k - 1], before) * T::c(-2.0 / k as f64);
        }
        integral(value, d)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Relu;

impl<T: Real> Function<T> for Relu {
    #[inline(always)]
    fn value(self, x: T) -> T {
        // NaN stays NaN.
        if x <= T::c(0.0) { T::c(0.0) } else { x }
    }

    #[inline(always)]
    fn slope(self, y: T) -> T {
        if y > T::c(0.0) { T::c(1.0) } else { T::c(0.0) }
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(self.value(x));
        if N > 1 {
            c[1] = self.slope(x);
        }
        c
    }
}

#[derive(Clone, Copy)]
pub(super) struct Abs;

impl<T: Real> Function<T> for Abs {
    #[inline(always)]
    fn value(self, x: T) -> T {
        x.abs()
    }

    #[inline(always)]
    fn slope(self, x: T) -> T {
        let sign = T::c(1.0).copysign(x);
        if x == T::c(0.0) { T::c(0.0) } else { sign }
    }

    #[inline(always)]
    fn series<const N: usize>(self, x: T) -> [T; N] {
        let mut c = starting_with::<T, N>(x.abs());
        if N > 1 {
            c[1] = self.slope(x);
        }
        c
    }
}

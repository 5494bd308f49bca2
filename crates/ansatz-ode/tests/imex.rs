//! Implicit–explicit methods: order conditions, measured order, stiff parts, partial differential
//! equations.
#![cfg(feature = "stiff")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Error, ImexMethod, ImexTableau, InPlace, KenCarp3, KenCarp4, KenCarp5, Kvaerno5, NoGradient,
    Pid, Sparsity, Split, SplitField, Tsit5, WithMass, WithSparsity, solve,
};

/// u' = t u − v, v' = t v + u: exp(t²/2) (cos t, sin t).
fn rotation(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0] - y[1], t * y[1] + y[0]]
}

fn rotated(t: f64) -> [f64; 2] {
    let growth = (t * t / 2.0).exp();
    [growth * t.cos(), growth * t.sin()]
}

fn growth(t: f64, y: &[f64; 2]) -> [f64; 2] {
    [t * y[0], t * y[1]]
}

fn turn(_: f64, y: &[f64; 2]) -> [f64; 2] {
    [-y[1], y[0]]
}

fn nothing(_: f64, _: &[f64; 2]) -> [f64; 2] {
    [0.0; 2]
}

/// y' = −y² (1 + t), nonlinear in the state: 1/(1 + t + t²/2).
fn rational_solution(t: f64) -> f64 {
    1.0 / (1.0 + t + 0.5 * t * t)
}

fn distance(a: &[f64; 2], b: &[f64; 2]) -> f64 {
    (a[0] - b[0]).abs().max((a[1] - b[1]).abs())
}

/// Checks that an error halves `order` times with the step, in both directions of time.
macro_rules! check {
    ($what:expr, $order:expr, $base:expr, $tolerance:expr, $spans:expr, $error:expr) => {{
        for span in $spans {
            let errors = [1, 2, 4].map(|k| $error(span, k * $base));
            let measured: f64 = (errors[0] / errors[2]).log2() / 2.0;
            let name = $what;
            assert!(
                (measured - $order).abs() < $tolerance,
                "{name} {span:?} {measured} {errors:?}"
            );
        }
    }};
}

macro_rules! check_step {
    ($method:ident, $order:expr, $base:expr, $($f:expr, $g:expr);*) => {{
        $({
            let error = |span: (f64, f64), steps: usize| {
                let s = solve(Split::new($f, $g), rotated(span.0), span).with($method);
                distance(&s.steps(steps).run().unwrap().y_end, &rotated(span.1))
            };
            let name = stringify!($method $f, $g);
            check!(name, $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
        })*
        let error = |span: (f64, f64), steps: usize| {
            let square = |_: f64, y: &f64| -y * y;
            let field = Split::new(square, |t: f64, y: &f64| -t * y * y);
            let s = solve(field, rational_solution(span.0), span).with($method).steps(steps);
            (s.run().unwrap().y_end - rational_solution(span.1)).abs()
        };
        check!(stringify!($method), $order, $base / 2, 0.2, [(0.5, 1.5), (1.5, 0.5)], error);
    }};
}

#[test]
fn steps_have_their_order() {
    macro_rules! each_split {
        ($method:ident, $order:expr, $base:expr) => {
            check_step!($method, $order, $base,
                growth, turn; turn, growth; rotation, nothing; nothing, rotation)
        };
    }
    each_split!(KenCarp3, 3.0, 40);
    each_split!(KenCarp4, 4.0, 20);
    each_split!(KenCarp5, 5.0, 24);
}

/// The conditions of the embedded methods for both parts, and for their combinations of two.
#[test]
fn embedded_methods_have_their_order() {
    fn check<M: ImexMethod>() {
        let tableau = M::TABLEAU;
        let (implicit, e) = (tableau.implicit, tableau.implicit.error);
        let powers = |k: i32| implicit.c.iter().map(|c| c.powi(k)).collect::<Vec<f64>>();
        let dot = |x: &[f64]| e.iter().zip(x).map(|(e, x)| e * x).sum::<f64>();
        let embedded = implicit.embedded_order as i32;
        for k in 0..embedded {
            assert!(dot(&powers(k)).abs() < 1e-14, "{k}");
        }
        assert!(dot(&powers(embedded)).abs() > 1e-4);
        for matrix in [implicit.a, tableau.explicit] {
            for k in 1..embedded - 1 {
                let apply = |row: &&[f64]| row.iter().zip(powers(k)).map(|(a, p)| a * p).sum();
                let image: Vec<f64> = matrix.iter().map(apply).collect();
                assert!(dot(&image).abs() < 1e-14, "{k}");
            }
            for (row, c) in matrix.iter().zip(implicit.c) {
                assert!((row.iter().sum::<f64>() - c).abs() < 1e-14);
            }
        }
    }
    check::<KenCarp3>();
    check::<KenCarp4>();
    check::<KenCarp5>();
}

#[test]
fn dense_output_has_its_order() {
    macro_rules! check_dense {
        ($method:ident, $order:expr, $base:expr) => {{
            let error = |span: (f64, f64), steps: usize| {
                let (_, dense) = solve(Split::new(growth, turn), rotated(span.0), span)
                    .with($method)
                    .steps(steps)
                    .adjoint(NoGradient)
                    .run_dense()
                    .unwrap();
                let at = |i: i32| span.0 + (span.1 - span.0) * f64::from(i) / 200.0;
                let off = |t: f64| distance(&dense.at(t).unwrap(), &rotated(t));
                (0..=200).map(|i| off(at(i))).fold(0.0, f64::max)
            };
            check!(stringify!($method), $order, $base, 0.2, [(0.3, 1.8), (1.8, 0.3)], error);
        }};
    }
    check_dense!(KenCarp3, 3.0, 20);
    check_dense!(KenCarp4, 4.0, 16);
    check_dense!(KenCarp5, 4.0, 16);
}

/// y' = −λ (y − cos t) − sin t: the smooth solution cos t, however stiff the implicit part.
fn towards_cosine(lambda: f64) -> impl SplitField<f64> + Copy {
    Split::new(|t: f64, _: &f64| -t.sin(), move |t: f64, y: &f64| -lambda * (y - t.cos()))
}

/// Where the implicit part is infinitely stiff, its last stage lies on the solution and the step off it
/// by what the weights differ from the last row of the explicit part's matrix: by `h² y″ d₂/2` in
/// KenCarp3, and by `h³ y‴ d₃/6` in the others, whose order there is 3 (S. Boscarino, SIAM J. Numer.
/// Anal. 45, 2007, 1600–1621).
#[test]
fn order_with_an_infinitely_stiff_part() {
    fn expected(tableau: &ImexTableau, power: i32, h: f64) -> f64 {
        let ImexTableau { implicit, explicit } = tableau;
        let last = explicit.last().unwrap().iter().chain([&0.0]);
        let terms = implicit.b().iter().zip(last).zip(implicit.c);
        let d: f64 = terms.map(|((b, a), c)| (b - a) * f64::from(power) * c.powi(power - 1)).sum();
        let (derivative, factorial) =
            if power == 2 { (-1f64.cos(), 2.0) } else { (1f64.sin(), 6.0) };
        d * derivative * h.powi(power) / factorial
    }
    macro_rules! check_limit {
        ($($method:ident, $power:expr);*) => {$(
            for steps in [25, 50, 100] {
                let s = solve(towards_cosine(1e10), 1.0, (0.0, 1.0)).with($method).steps(steps);
                let error = s.run().unwrap().y_end - 1f64.cos();
                let want = expected(&$method::TABLEAU, $power, 1.0 / steps as f64);
                let name = stringify!($method);
                assert!((error / want - 1.0).abs() < 0.1, "{name} {steps} {error:e} {want:e}");
            }
        )*};
    }
    check_limit!(KenCarp3, 2; KenCarp4, 3; KenCarp5, 3);
}

/// From smooth parts to ones that are stiffer than any step is short: the error follows the tolerance,
/// which it exceeds where the order is reduced and the estimate does not see all of it.
#[test]
fn a_stiff_part() {
    macro_rules! check_stiff {
        ($method:ident, $bound:expr, $steps:expr) => {{
            for lambda in [1e1, 1e2, 1e3, 1e4, 1e6, 1e9] {
                let s = solve(towards_cosine(lambda), 1.0, (0.0, 1.0)).with($method);
                let s = s.tolerance(1e-6, 1e-6).run().unwrap();
                let (error, name) = ((s.y_end - 1f64.cos()).abs(), stringify!($method));
                assert!(error < $bound, "{name} {lambda} {error:e}");
                assert!(s.statistics.accepted < $steps, "{name} {lambda} {:?}", s.statistics);
                assert!(
                    stringify!($method) == "KenCarp3" || s.statistics.rejected == 0,
                    "{:?}",
                    s.statistics
                );
            }
        }};
    }
    check_stiff!(KenCarp3, 3e-5, 130);
    check_stiff!(KenCarp4, 1e-6, 200);
    check_stiff!(KenCarp5, 2e-6, 200);
}

/// In that limit an estimate of KenCarp3 contains 0.075 times what the step before was off: with equal
/// steps that cancels 85 % of the rest, with others it does not, and integral control overshoots. With
/// a proportional part it does not.
#[test]
fn proportional_control_suits_the_estimate_of_kencarp3() {
    for lambda in [1e4, 1e6, 1e9] {
        let s = || solve(towards_cosine(lambda), 1.0, (0.0, 1.0)).with(KenCarp3);
        let integral = s().tolerance(1e-6, 1e-6).run().unwrap().statistics;
        let s = s().controller(Pid::pi(1e-6, 1e-6)).run().unwrap();
        let both = s.statistics;
        assert!((s.y_end - 1f64.cos()).abs() < 3e-5, "{lambda} {}", s.y_end);
        assert!(3 * both.rejected < integral.rejected, "{lambda} {both:?} {integral:?}");
        assert!(both.attempted() < 150, "{lambda} {both:?}");
    }
}

/// The Brusselator with diffusion: reaction explicit, diffusion implicit; the same as by methods
/// that do not split, with Jacobians that are found anew only for their age of 50 steps.
#[test]
fn brusselator_on_a_line() {
    let n = 40;
    let reaction = InPlace(move |_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        for (dy, y) in dy.as_chunks_mut::<2>().0.iter_mut().zip(y.as_chunks::<2>().0) {
            let uuv = y[0] * y[0] * y[1];
            *dy = [1.0 + uuv - 4.0 * y[0], 3.0 * y[0] - uuv];
        }
    });
    let diffusion = InPlace(move |_: f64, y: &Vec<f64>, dy: &mut Vec<f64>| {
        let scale = 0.02 * ((n + 1) as f64).powi(2);
        for k in 0..2 * n {
            let edge = [1.0, 3.0][k % 2];
            let left = if k < 2 { edge } else { y[k - 2] };
            let right = if k + 2 >= 2 * n { edge } else { y[k + 2] };
            dy[k] = scale * (left - 2.0 * y[k] + right);
        }
    });
    let y0: Vec<f64> = (0..2 * n)
        .map(|k| {
            let x = (k / 2 + 1) as f64 / (n + 1) as f64;
            if k % 2 == 0 { 1.0 + (2.0 * std::f64::consts::PI * x).sin() } else { 3.0 }
        })
        .collect();
    let field = || {
        Split::new(reaction, WithSparsity::new(diffusion, Sparsity::banded(2 * n, 2, 2).unwrap()))
    };
    let reference = solve(field(), y0.clone(), (0.0, 10.0)).with(Kvaerno5).tolerance(1e-9, 1e-9);
    let reference = reference.run().unwrap().y_end;
    let explicit = solve(field(), y0.clone(), (0.0, 10.0)).with(Tsit5).tolerance(1e-9, 1e-9);
    let explicit = explicit.run().unwrap();
    let off = |y: &[f64]| y.iter().zip(&reference).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off(&explicit.y_end) < 1e-7, "{}", off(&explicit.y_end));
    macro_rules! check_all {
        ($($method:ident),*) => {$({
            let s = solve(field(), y0.clone(), (0.0, 10.0)).with($method).tolerance(1e-6, 1e-6);
            let s = s.run().unwrap();
            assert!(off(&s.y_end) < 1e-4, "{} {}", stringify!($method), off(&s.y_end));
            assert!(s.statistics.jacobians <= s.statistics.accepted / 50 + 2, "{:?}", s.statistics);
        })*};
    }
    check_all!(KenCarp3, KenCarp4, KenCarp5);
}

#[test]
fn mass_matrices_are_refused() {
    let field = Split::new(growth, WithMass::new(turn, [1.0, 2.0]));
    let s = solve(field, [1.0, 0.0], (0.0, 1.0)).with(KenCarp4).tolerance(1e-6, 1e-6).run();
    assert!(matches!(s, Err(Error::InvalidArgument { what: "mass matrix", .. })), "{s:?}");
}

/// States that are tensors of single precision.
#[cfg(feature = "candle")]
#[test]
fn single_precision() {
    use candle_core::{DType, Device, Result, Tensor};
    let run = |dtype: DType| {
        let field = Split::new(
            |t: f64, y: &Tensor| -> Result<Tensor> { (y.sqr()? * 0.1)?.affine(1.0, t.cos()) },
            |_: f64, y: &Tensor| -> Result<Tensor> {
                let rates = Tensor::new(&[1.0, 100.0, 1e4], y.device())?.to_dtype(y.dtype())?;
                (y * rates)?.neg()
            },
        );
        let y0 = Tensor::new(&[2.0, 1.0, 0.5], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let s = solve(field, y0, (0.0, 1.0)).with(KenCarp4).adjoint(NoGradient);
        let s = s.tolerance(1e-4, 1e-5).run().unwrap();
        assert_eq!((s.y_end.dtype(), s.statistics.not_converged), (dtype, 0));
        s.y_end.to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap()
    };
    for (a, b) in run(DType::F32).iter().zip(run(DType::F64)) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

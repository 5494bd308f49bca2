//! Errors in units of the last place, over all exponents.

use ansatz_ops::Pointwise;

use crate::{double, single};

/// The functions of the table, with the largest error seen in f64 (relative, or in units of the
/// smallest number where that is larger) rounded up.
const TABLE: [(&str, Pointwise); 11] = [
    ("tanh", Pointwise::Tanh),
    ("sin", Pointwise::Sin),
    ("cos", Pointwise::Cos),
    ("exp", Pointwise::Exp),
    ("ln", Pointwise::Ln),
    ("sigmoid", Pointwise::Sigmoid),
    ("softplus", Pointwise::Softplus),
    ("silu", Pointwise::Silu),
    ("gelu", Pointwise::Gelu),
    ("gelu_tanh", Pointwise::GeluTanh),
    ("erf", Pointwise::Erf),
];

/// Numbers computed in 60 digits and more (reference.py).
#[test]
fn double_precision_agrees_with_the_table() {
    for (name, function) in TABLE {
        let rows: Vec<(f64, f64)> = include_str!("reference.txt")
            .lines()
            .filter_map(|line| {
                let mut words = line.split(' ');
                (words.next()? == name).then(|| {
                    let mut number = || words.next().unwrap().parse().unwrap();
                    (number(), number())
                })
            })
            .collect();
        assert!(rows.len() >= 200, "{name}");
        let x: Vec<f64> = rows.iter().map(|row| row.0).collect();
        let mut worst = (0.0, 0.0);
        for (&(x, want), got) in rows.iter().zip(double(function, &x)) {
            // Subnormal results have fewer digits: two units of the smallest number are allowed.
            let error = if want == got || (got - want).abs() <= 1e-323 {
                0.0
            } else {
                ((got - want) / want).abs()
            };
            assert!(error <= 2e-15, "{name}({x:e}) = {got:e}, not {want:e}: {error:e}");
            worst = if error > worst.0 { (error, x) } else { worst };
        }
        println!("f64 {name}: {:.2e} at {:e}", worst.0, worst.1);
    }
}

/// Numbers of every exponent and sign, `per_exponent` of each.
fn scan(per_exponent: u32) -> Vec<f32> {
    let step = (1 << 23) / per_exponent;
    let mut all = Vec::new();
    for exponent in 0..255 {
        for i in 0..per_exponent {
            // An odd stride, so that the low bits vary too.
            let mantissa = (i * step + (i * 2_654_435 + exponent * 97) % step) & 0x7f_ffff;
            let x = f32::from_bits(exponent << 23 | mantissa);
            all.extend([x, -x]);
        }
    }
    all
}

/// `|got − want|` in units of the last place of an f32 near `want`.
fn ulp(got: f32, want: f64) -> f64 {
    if got as f64 == want || (got.is_infinite() && got == want as f32) {
        return 0.0;
    }
    let exponent = want.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
    (f64::from(got) - want).abs() / (exponent - 23.0).exp2()
}

/// The functions by the system's f64 library.
fn reference(function: Pointwise, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match function {
        Pointwise::Tanh => x.tanh(),
        Pointwise::Sin => x.sin(),
        Pointwise::Cos => x.cos(),
        Pointwise::Exp => x.exp(),
        Pointwise::Ln => x.ln(),
        Pointwise::Sqrt => x.sqrt(),
        Pointwise::Recip => 1.0 / x,
        Pointwise::Sigmoid => sigmoid(x),
        Pointwise::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Pointwise::Silu => x.max(-800.0) * sigmoid(x),
        Pointwise::GeluTanh => {
            let v = 2.0 * (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
            x.max(-1e3) * sigmoid(v.max(-800.0))
        }
        Pointwise::Relu => x.max(0.0),
        Pointwise::Abs => x.abs(),
        // Those that the table of f64 values vouches for.
        _ => unreachable!(),
    }
}

#[test]
fn single_precision_over_all_exponents() {
    let x = scan(1000);
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    for function in crate::ALL {
        let want: Vec<f64> = match function {
            Pointwise::Gelu | Pointwise::Erf => double(function, &wide),
            _ => wide.iter().map(|&x| reference(function, x)).collect(),
        };
        let mut worst = (0.0, 0.0);
        for ((&x, got), want) in x.iter().zip(single(function, &x)).zip(want) {
            if want.is_nan() {
                assert!(got.is_nan(), "{function:?}({x:e}) = {got:e}");
                continue;
            }
            let error = ulp(got, want);
            assert!(error <= 4.0, "{function:?}({x:e}) = {got:e}, not {want:e}: {error} ulp");
            worst = if error > worst.0 { (error, x) } else { worst };
        }
        println!("f32 {function:?}: {:.2} ulp at {:e}", worst.0, worst.1);
    }
}

/// Where most arguments lie, more densely.
#[test]
fn single_precision_between_minus_120_and_120() {
    let x: Vec<f32> = (-600_000..=600_000).map(|i| i as f32 * 2e-4).collect();
    let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
    for function in crate::ALL {
        let want = double(function, &wide);
        let mut worst = (0.0, 0.0);
        for ((&x, got), want) in x.iter().zip(single(function, &x)).zip(want) {
            let error = if want.is_nan() { f64::from(!got.is_nan()) * 1e9 } else { ulp(got, want) };
            assert!(error <= 4.0, "{function:?}({x:e}) = {got:e}, not {want:e}: {error} ulp");
            worst = if error > worst.0 { (error, x) } else { worst };
        }
        println!("f32 {function:?}: {:.2} ulp at {:e}", worst.0, worst.1);
    }
}

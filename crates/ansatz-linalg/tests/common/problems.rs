//! Standard problems of J. Moré, B. Garbow, K. Hillstrom, *Testing Unconstrained Optimization
//! Software*, ACM TOMS 7, 1981: residuals, the standard start, and the sums of squares of their
//! minima, as published there.
#![allow(dead_code)] // each test takes what it needs

pub(crate) struct Problem {
    pub(crate) name: &'static str,
    pub(crate) residuals: fn(&[f64]) -> Vec<f64>,
    pub(crate) start: &'static [f64],
    /// `Σ fᵢ²` at the minima.
    pub(crate) minima: &'static [f64],
}

/// As many equations as unknowns, and a root.
pub(crate) const SYSTEMS: [Problem; 7] = [
    Problem { name: "Rosenbrock", residuals: rosenbrock, start: &[-1.2, 1.0], minima: &[0.0] },
    Problem {
        name: "Freudenstein and Roth",
        residuals: freudenstein_roth,
        start: &[0.5, -2.0],
        minima: &[0.0, 48.9842],
    },
    Problem {
        name: "Powell badly scaled",
        residuals: |x| vec![1e4 * x[0] * x[1] - 1.0, (-x[0]).exp() + (-x[1]).exp() - 1.0001],
        start: &[0.0, 1.0],
        minima: &[0.0],
    },
    Problem {
        name: "helical valley",
        residuals: helical,
        start: &[-1.0, 0.0, 0.0],
        minima: &[0.0],
    },
    Problem {
        name: "Powell singular",
        residuals: powell_singular,
        start: &[3.0, -1.0, 0.0, 1.0],
        minima: &[0.0],
    },
    Problem {
        name: "discrete boundary value",
        residuals: boundary_value,
        start: &[
            -0.08264462809917356,
            -0.1487603305785124,
            -0.19834710743801653,
            -0.2314049586776859,
            -0.24793388429752067,
            -0.24793388429752067,
            -0.2314049586776859,
            -0.19834710743801653,
            -0.1487603305785124,
            -0.08264462809917356,
        ],
        minima: &[0.0],
    },
    Problem { name: "Broyden tridiagonal", residuals: broyden, start: &[-1.0; 12], minima: &[0.0] },
];

/// More equations than unknowns.
pub(crate) const SQUARES: [Problem; 9] = [
    Problem {
        name: "Brown badly scaled",
        residuals: |x| vec![x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0],
        start: &[1.0, 1.0],
        minima: &[0.0],
    },
    Problem { name: "Beale", residuals: beale, start: &[1.0, 1.0], minima: &[0.0] },
    Problem {
        name: "Jennrich and Sampson",
        residuals: |x| {
            (1..=10)
                .map(f64::from)
                .map(|i| 2.0 + 2.0 * i - ((i * x[0]).exp() + (i * x[1]).exp()))
                .collect()
        },
        start: &[0.3, 0.4],
        minima: &[124.362],
    },
    Problem { name: "Bard", residuals: bard, start: &[1.0, 1.0, 1.0], minima: &[8.21487e-3] },
    Problem { name: "Box", residuals: box3, start: &[0.0, 10.0, 20.0], minima: &[0.0] },
    Problem { name: "Meyer", residuals: meyer, start: &[0.02, 4000.0, 250.0], minima: &[87.9458] },
    Problem { name: "Wood", residuals: wood, start: &[-3.0, -1.0, -3.0, -1.0], minima: &[0.0] },
    Problem {
        name: "Kowalik and Osborne",
        residuals: kowalik_osborne,
        start: &[0.25, 0.39, 0.415, 0.39],
        minima: &[3.07505e-4],
    },
    Problem {
        name: "Brown and Dennis",
        residuals: |x| {
            let t = (1..=20).map(|i| f64::from(i) / 5.0);
            t.map(|t| {
                (x[0] + t * x[1] - t.exp()).powi(2) + (x[2] + x[3] * t.sin() - t.cos()).powi(2)
            })
            .collect()
        },
        start: &[25.0, 5.0, -5.0, -1.0],
        minima: &[85822.2],
    },
];

fn rosenbrock(x: &[f64]) -> Vec<f64> {
    vec![10.0 * (x[1] - x[0] * x[0]), 1.0 - x[0]]
}

fn freudenstein_roth(x: &[f64]) -> Vec<f64> {
    vec![
        -13.0 + x[0] + ((5.0 - x[1]) * x[1] - 2.0) * x[1],
        -29.0 + x[0] + ((x[1] + 1.0) * x[1] - 14.0) * x[1],
    ]
}

fn helical(x: &[f64]) -> Vec<f64> {
    let theta = (x[1] / x[0]).atan() / std::f64::consts::TAU + if x[0] < 0.0 { 0.5 } else { 0.0 };
    vec![10.0 * (x[2] - 10.0 * theta), 10.0 * (x[0].hypot(x[1]) - 1.0), x[2]]
}

fn powell_singular(x: &[f64]) -> Vec<f64> {
    vec![
        x[0] + 10.0 * x[1],
        5f64.sqrt() * (x[2] - x[3]),
        (x[1] - 2.0 * x[2]).powi(2),
        10f64.sqrt() * (x[0] - x[3]).powi(2),
    ]
}

fn neighbours(x: &[f64], i: usize) -> [f64; 2] {
    let before = if i > 0 { x[i - 1] } else { 0.0 };
    [before, x.get(i + 1).copied().unwrap_or(0.0)]
}

fn boundary_value(x: &[f64]) -> Vec<f64> {
    let h = 1.0 / (x.len() + 1) as f64;
    let row = |i: usize| {
        let [before, after] = neighbours(x, i);
        2.0 * x[i] - before - after + 0.5 * h * h * (x[i] + (i + 1) as f64 * h + 1.0).powi(3)
    };
    (0..x.len()).map(row).collect()
}

fn broyden(x: &[f64]) -> Vec<f64> {
    let row = |i: usize| {
        let [before, after] = neighbours(x, i);
        (3.0 - 2.0 * x[i]) * x[i] - before - 2.0 * after + 1.0
    };
    (0..x.len()).map(row).collect()
}

fn beale(x: &[f64]) -> Vec<f64> {
    let y = [1.5, 2.25, 2.625];
    y.iter().zip(1..).map(|(y, i)| y - x[0] * (1.0 - x[1].powi(i))).collect()
}

fn bard(x: &[f64]) -> Vec<f64> {
    let y =
        [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39];
    let row = |(y, u): (&f64, f64)| {
        let v = 16.0 - u;
        y - (x[0] + u / (v * x[1] + u.min(v) * x[2]))
    };
    y.iter().zip((1..).map(f64::from)).map(row).collect()
}

fn box3(x: &[f64]) -> Vec<f64> {
    let t = (1..=10).map(|i| 0.1 * f64::from(i));
    t.map(|t| (-t * x[0]).exp() - (-t * x[1]).exp() - x[2] * ((-t).exp() - (-10.0 * t).exp()))
        .collect()
}

fn meyer(x: &[f64]) -> Vec<f64> {
    let y = [
        34780.0, 28610.0, 23650.0, 19630.0, 16370.0, 13720.0, 11540.0, 9744.0, 8261.0, 7030.0,
        6005.0, 5147.0, 4427.0, 3820.0, 3307.0, 2872.0,
    ];
    let t = (1..).map(|i| 45.0 + 5.0 * f64::from(i));
    y.iter().zip(t).map(|(y, t)| x[0] * (x[1] / (t + x[2])).exp() - y).collect()
}

fn wood(x: &[f64]) -> Vec<f64> {
    vec![
        10.0 * (x[1] - x[0] * x[0]),
        1.0 - x[0],
        90f64.sqrt() * (x[3] - x[2] * x[2]),
        1.0 - x[2],
        10f64.sqrt() * (x[1] + x[3] - 2.0),
        (x[1] - x[3]) / 10f64.sqrt(),
    ]
}

fn kowalik_osborne(x: &[f64]) -> Vec<f64> {
    let y =
        [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246];
    let u = [4.0, 2.0, 1.0, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625];
    let row = |(y, u): (&f64, &f64)| y - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3]);
    y.iter().zip(&u).map(row).collect()
}

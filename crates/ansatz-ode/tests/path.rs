//! Control paths: against closed forms, another program's splines and finite differences.
#![cfg(feature = "candle")]
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking
#![allow(clippy::result_large_err)] // and need not be small

use ansatz_ode::core::Error as Core;
use ansatz_ode::core::candle::{DType, Device, Tensor};
use ansatz_ode::{
    ControlPath, DataPath, Error, Interpolation, forward_fill, with_counts, with_time,
};
use ansatz_ops::{GradCheck, gradcheck};

const NAN: f64 = f64::NAN;
const ALL: [Interpolation; 4] = [
    Interpolation::Linear,
    Interpolation::Rectilinear,
    Interpolation::NaturalCubic,
    Interpolation::Hermite,
];
const TIMES: [f64; 6] = [0.0, 0.3, 1.0, 1.2, 2.5, 3.0];
const VALUES: [f64; 6] = [1.0, -0.5, 2.0, 0.7, 0.1, 1.4];

/// `[series, times, channels]` from series given channel by channel.
fn data(series: &[&[&[f64]]]) -> Tensor {
    let (channels, times) = (series[0].len(), series[0][0].len());
    let flat: Vec<f64> = series.iter().flat_map(|s| s.iter().flat_map(|c| c.to_vec())).collect();
    let stacked = Tensor::from_vec(flat, (series.len(), channels, times), &Device::Cpu).unwrap();
    stacked.transpose(1, 2).unwrap().contiguous().unwrap()
}

fn rows(t: &Tensor) -> Vec<Vec<f64>> {
    t.to_dtype(DType::F64).unwrap().to_vec2().unwrap()
}

fn value(path: &DataPath, t: f64) -> f64 {
    rows(&path.value(t).unwrap())[0][0]
}

fn derivative(path: &DataPath, t: f64) -> f64 {
    rows(&path.derivative(t).unwrap())[0][0]
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1.0)
}

#[test]
fn every_path_goes_through_its_data_and_keeps_to_lines() {
    let other: Vec<f64> = TIMES.iter().map(|t| 3.0 - 2.0 * t).collect();
    let data = data(&[&[&VALUES, &other], &[&other, &VALUES]]);
    for interpolation in ALL {
        let path = DataPath::new(interpolation, &TIMES, &data).unwrap();
        let time = usize::from(interpolation == Interpolation::Rectilinear);
        assert_eq!((path.batch(), path.channels()), (2, 2 + time));
        assert_eq!(path.interval(), (0.0, 3.0));
        for (i, t) in TIMES.iter().enumerate() {
            let x = rows(&path.value(*t).unwrap());
            assert!(near(x[0][time], VALUES[i], 1e-14) && near(x[1][time + 1], VALUES[i], 1e-14));
            assert!(near(x[0][time + 1], other[i], 1e-14) && near(x[1][time], other[i], 1e-14));
            if time == 1 {
                assert_eq!([x[0][0], x[1][0]], [*t, *t]);
            }
        }
        if time == 0 {
            // Linear data are met exactly in between too.
            for t in [0.1, 0.65, 1.19, 1.9, 2.99] {
                assert!(near(rows(&path.value(t).unwrap())[0][1], 3.0 - 2.0 * t, 1e-14));
                assert!(near(rows(&path.derivative(t).unwrap())[0][1], -2.0, 1e-13));
            }
        }
    }
}

#[test]
fn lines_are_lines() {
    let path = DataPath::linear(&TIMES, &data(&[&[&VALUES]])).unwrap();
    for k in 0..5 {
        let (t0, t1) = (TIMES[k], TIMES[k + 1]);
        let slope = (VALUES[k + 1] - VALUES[k]) / (t1 - t0);
        for theta in [0.0, 0.3, 0.999] {
            let t = t0 + theta * (t1 - t0);
            assert!(near(value(&path, t), VALUES[k] + slope * (t - t0), 1e-14));
            assert!(near(derivative(&path, t), slope, 1e-13));
        }
    }
    // At the end from the left.
    assert!(near(derivative(&path, 3.0), 1.3 / 0.5, 1e-13));
    assert_eq!(path.jumps(), TIMES);
    assert_eq!(path.knots(), TIMES);
}

/// Reference: scipy.interpolate.CubicSpline(bc_type="natural") at these times, values and slopes.
const AT: [f64; 9] = [0.0, 0.1, 0.3, 0.8, 1.0, 1.1, 1.9, 2.7, 3.0];
const SPLINE: [[f64; 9]; 2] = [
    [1.0, 0.30408791, -0.5, 1.84039811, 2.0, 1.44157709, -1.17734457, 0.62989782, 1.4],
    [
        -7.20401102,
        -6.46934068,
        -0.59197796,
        4.20628948,
        -3.52983548,
        -7.06931134,
        0.79493399,
        2.60412409,
        2.54844883,
    ],
];
/// The second and the fifth value are missing.
const INNER_MISSING: [[f64; 9]; 2] = [
    [1.0, 1.42493724, 2.19603905, 2.74527197, 2.0, 1.37093794, -1.36787734, 0.29300907, 1.4],
    [
        4.28219433,
        4.1837285,
        3.39600186,
        -2.01961878,
        -5.56438866,
        -6.75842631,
        -0.01981636,
        3.50133659,
        3.78428638,
    ],
];
/// The first and the last two values are missing; −0.5 and 0.7 stand at the ends.
const ENDS_MISSING: [[f64; 9]; 2] = [
    [-0.5, -0.61797503, -0.5, 2.00915891, 2.0, 1.43304352, -1.78347694, -0.35100121, 0.7],
    [
        -1.32721914,
        -0.88481276,
        2.65443828,
        3.10998118,
        -3.88512483,
        -6.97700243,
        -0.43374653,
        3.30314667,
        3.60343273,
    ],
];

#[test]
fn natural_splines_are_those_of_another_program() {
    let mut inner = VALUES;
    (inner[1], inner[4]) = (NAN, NAN);
    let mut ends = VALUES;
    (ends[0], ends[4], ends[5]) = (NAN, NAN, NAN);
    let check = |path: &DataPath, row: usize, column: usize, expected: &[[f64; 9]; 2]| {
        for (i, t) in AT.iter().enumerate() {
            let x = rows(&path.value(*t).unwrap())[row][column];
            let dx = rows(&path.derivative(*t).unwrap())[row][column];
            assert!((x - expected[0][i]).abs() < 1e-7, "{t}: {x}");
            assert!((dx - expected[1][i]).abs() < 1e-7, "{t}: {dx}");
        }
    };
    check(&DataPath::natural_cubic(&TIMES, &data(&[&[&VALUES]])).unwrap(), 0, 0, &SPLINE);
    // Each channel has its own knots.
    let both = data(&[&[&inner, &VALUES], &[&VALUES, &ends]]);
    let path = DataPath::natural_cubic(&TIMES, &both).unwrap();
    check(&path, 0, 0, &INNER_MISSING);
    check(&path, 0, 1, &SPLINE);
    check(&path, 1, 0, &SPLINE);
    check(&path, 1, 1, &ENDS_MISSING);
    assert!(path.jumps().is_empty());
    // Two points: a line.
    let two = DataPath::natural_cubic(&[1.0, 3.0], &data(&[&[&[2.0, 6.0]]])).unwrap();
    assert!(near(value(&two, 1.5), 3.0, 1e-14) && near(derivative(&two, 3.0), 2.0, 1e-14));
    // A single observation: a constant.
    let one =
        DataPath::natural_cubic(&TIMES, &data(&[&[&[NAN, NAN, 4.0, NAN, NAN, NAN]]])).unwrap();
    assert!(near(value(&one, 2.2), 4.0, 1e-14) && derivative(&one, 0.4).abs() < 1e-13);
}

#[test]
fn hermite_slopes_are_backward_differences() {
    let path = DataPath::hermite(&TIMES, &data(&[&[&VALUES]])).unwrap();
    let slope = |k: usize| (VALUES[k] - VALUES[k - 1]) / (TIMES[k] - TIMES[k - 1]);
    assert!(near(derivative(&path, 0.0), slope(1), 1e-13));
    for k in 1..6 {
        for beside in [-1e-12, 0.0, 1e-12] {
            let t = (TIMES[k] + beside).min(3.0);
            assert!(near(derivative(&path, t), slope(k), 1e-9), "{k}");
        }
    }
    // Cubic: Simpson's rule for the derivative is exact on a piece.
    for k in 0..5 {
        let (t0, t1) = (TIMES[k], TIMES[k + 1] - 1e-13);
        let middle = derivative(&path, 0.5 * (t0 + t1));
        let sum = derivative(&path, t0) + 4.0 * middle + derivative(&path, t1);
        assert!(near((t1 - t0) / 6.0 * sum, VALUES[k + 1] - VALUES[k], 1e-10));
    }
    assert!(path.jumps().is_empty());
}

/// At the middle between two times the time is already the next one, the values still the last.
#[test]
fn rectilinear_paths_move_time_first() {
    let x = [NAN, 2.0, NAN, 5.0];
    let path = DataPath::rectilinear(&[0.0, 1.0, 3.0, 4.0], &data(&[&[&x]])).unwrap();
    let expected = [
        (0.0, [0.0, 2.0]),
        (0.25, [0.5, 2.0]),
        (0.5, [1.0, 2.0]),
        (1.0, [1.0, 2.0]),
        (1.5, [2.0, 2.0]),
        (2.0, [3.0, 2.0]),
        (3.0, [3.0, 2.0]),
        (3.5, [4.0, 2.0]),
        (3.75, [4.0, 3.5]),
        (4.0, [4.0, 5.0]),
    ];
    for (t, x) in expected {
        let found = rows(&path.value(t).unwrap());
        assert!(near(found[0][0], x[0], 1e-14) && near(found[0][1], x[1], 1e-14), "{t} {found:?}");
    }
    assert_eq!(path.knots(), [0.0, 0.5, 1.0, 2.0, 3.0, 3.5, 4.0]);
    assert_eq!(path.jumps(), path.knots());
}

/// Missing values, against the same data without those points, or with the values they stand for.
#[test]
fn missing_values() {
    let gaps = [NAN, -0.5, NAN, NAN, 0.1, NAN];
    let lines = DataPath::linear(&TIMES, &data(&[&[&gaps, &VALUES]])).unwrap();
    let known = DataPath::linear(&[0.3, 2.5], &data(&[&[&[-0.5, 0.1]]])).unwrap();
    for t in [0.3, 0.9, 1.0, 1.1, 1.2, 2.0, 2.49] {
        assert!(near(value(&lines, t), value(&known, t), 1e-14), "{t}");
    }
    for (t, x) in [(0.0, -0.5), (0.2, -0.5), (2.7, 0.1), (3.0, 0.1)] {
        assert!(near(value(&lines, t), x, 1e-14));
    }
    assert!(near(rows(&lines.value(1.2).unwrap())[0][1], 0.7, 1e-14));
    let held = [-0.5, -0.5, -0.5, -0.5, 0.1, 0.1];
    for interpolation in [Interpolation::Hermite, Interpolation::Rectilinear] {
        let path = DataPath::new(interpolation, &TIMES, &data(&[&[&gaps]])).unwrap();
        let held = DataPath::new(interpolation, &TIMES, &data(&[&[&held]])).unwrap();
        for i in 0..=30 {
            let t = 0.1 * f64::from(i);
            assert_eq!(rows(&path.value(t).unwrap()), rows(&held.value(t).unwrap()));
        }
    }
}

/// What a path was up to an observation does not change with what comes later.
#[test]
fn causal_paths_do_not_look_ahead() {
    let mut later = VALUES;
    later[3..].copy_from_slice(&[9.0, NAN, -7.0]);
    for interpolation in [Interpolation::Hermite, Interpolation::Rectilinear] {
        let a = DataPath::new(interpolation, &TIMES, &data(&[&[&VALUES]])).unwrap();
        let b = DataPath::new(interpolation, &TIMES, &data(&[&[&later]])).unwrap();
        for i in 0..=10 {
            let t = 0.1 * f64::from(i);
            assert_eq!(rows(&a.value(t).unwrap()), rows(&b.value(t).unwrap()), "{t}");
        }
    }
    let a = DataPath::natural_cubic(&TIMES, &data(&[&[&VALUES]])).unwrap();
    let b = DataPath::natural_cubic(&TIMES, &data(&[&[&later]])).unwrap();
    assert!((value(&a, 0.65) - value(&b, 0.65)).abs() > 0.1);
}

#[test]
fn derivatives_are_those_of_the_values() {
    let gaps = [NAN, -0.5, 1.0, NAN, 0.1, NAN];
    for dtype in [DType::F64, DType::F32] {
        let data = data(&[&[&gaps, &VALUES]]).to_dtype(dtype).unwrap();
        let (h, allowed) = if dtype == DType::F64 { (1e-5, 1e-8) } else { (1e-2, 2e-3) };
        for interpolation in ALL {
            let path = DataPath::new(interpolation, &TIMES, &data).unwrap();
            for t in [0.05, 0.21, 0.5, 0.8, 1.06, 1.13, 1.5, 2.3, 2.6, 2.9] {
                let [a, b] = [t - h, t + h].map(|t| rows(&path.value(t).unwrap()));
                let slope = path.derivative(t).unwrap();
                assert_eq!(slope.dtype(), dtype);
                for (c, s) in rows(&slope)[0].iter().enumerate() {
                    let difference = (b[0][c] - a[0][c]) / (2.0 * h);
                    // Cubic terms enter the difference by h².
                    let bound = allowed + 60.0 * h * h;
                    assert!(near(*s, difference, bound), "{interpolation:?} {t} {s} {difference}");
                }
            }
        }
    }
}

#[test]
fn data_receive_gradients() {
    let whole = data(&[&[&VALUES, &TIMES], &[&TIMES, &VALUES]]);
    // A place that is missing is read by nobody, so that its gradient is zero: differences would
    // shift NaN. Here the holes are made behind the tracked values.
    let holes: Vec<f64> =
        (0..24).map(|i| if [0, 4, 7, 11, 13, 23].contains(&i) { NAN } else { 0.0 }).collect();
    let holes = Tensor::from_vec(holes, (2, 6, 2), &Device::Cpu).unwrap();
    for interpolation in ALL {
        for missing in [false, true] {
            let run = |x: &[Tensor]| -> ansatz_ops::Result<Tensor> {
                let x = if missing { (&x[0] + &holes)? } else { x[0].clone() };
                let path = DataPath::new(interpolation, &TIMES, &x)?;
                let mut total = path.value(0.4)?.sin()?;
                for t in [0.1, 1.05, 1.7, 2.9] {
                    total = ((total + path.derivative(t)?.cos()?)? + path.value(t)?.sqr()?)?;
                }
                Ok(total)
            };
            gradcheck(run, &[whole.clone()], &GradCheck::default()).unwrap();
        }
    }
    let run = |x: &[Tensor]| Ok(forward_fill(&(&x[0] + &holes)?, 0.7)?.sqr()?);
    gradcheck(run, &[whole], &GradCheck::default()).unwrap();
}

#[test]
fn helpers() {
    let data = data(&[&[&[NAN, 1.0, NAN, 3.0], &[NAN, NAN, NAN, NAN]], &[&[1.0; 4], &[2.0; 4]]]);
    let times = [0.0, 1.0, 2.5, 3.0];
    let timed = with_time(&times, &data).unwrap();
    assert_eq!(timed.dims(), [2, 4, 3]);
    assert_eq!(timed.get(1).unwrap().to_vec2::<f64>().unwrap()[2], [2.5, 1.0, 2.0]);
    let counted = with_counts(&data).unwrap();
    assert_eq!(counted.dims(), [2, 4, 4]);
    let counts = counted.narrow(2, 2, 2).unwrap().to_vec3::<f64>().unwrap();
    assert_eq!(counts[0], [[0.0, 0.0], [1.0, 0.0], [1.0, 0.0], [2.0, 0.0]]);
    assert_eq!(counts[1][3], [4.0, 4.0]);
    let filled = forward_fill(&data, -1.0).unwrap().to_vec3::<f64>().unwrap();
    assert_eq!(filled[0], [[-1.0, -1.0], [1.0, -1.0], [1.0, -1.0], [3.0, -1.0]]);
    assert_eq!(filled[1], [[1.0, 2.0]; 4]);
}

#[test]
fn bad_data_are_named() {
    let good = data(&[&[&VALUES]]);
    for interpolation in ALL {
        let build = |times: &[f64], data: &Tensor| DataPath::new(interpolation, times, data);
        let invalid = |r: Result<DataPath, Error>| matches!(r, Err(Error::InvalidArgument { .. }));
        assert!(invalid(build(&[0.0, 0.3, 0.3, 1.2, 2.5, 3.0], &good)));
        assert!(invalid(build(&[0.0, 0.3, 1.0, 0.9, 2.5, 3.0], &good)));
        assert!(invalid(build(&[0.0, 0.3, NAN, 1.2, 2.5, 3.0], &good)));
        assert!(invalid(build(&[0.0], &good.narrow(1, 0, 1).unwrap())));
        assert!(invalid(build(&TIMES, &(&good / 0.0).unwrap())));
        assert!(invalid(build(&TIMES, &good.narrow(0, 0, 0).unwrap())));
        let core = |r: Result<DataPath, Error>| match r {
            Err(Error::Core(inner)) => inner,
            other => panic!("{other:?}"),
        };
        assert!(matches!(core(build(&TIMES[..5], &good)), Core::Shape { .. }));
        assert!(matches!(core(build(&TIMES, &good.squeeze(0).unwrap())), Core::Shape { .. }));
        let whole = good.to_dtype(DType::U32).unwrap();
        assert!(matches!(core(build(&TIMES, &whole)), Core::DType { .. }));
        let empty = data(&[&[&VALUES, &VALUES], &[&VALUES, &[NAN; 6]]]);
        assert!(matches!(build(&TIMES, &empty), Err(Error::Unobserved { series: 1, channel: 1 })));
        let path = build(&TIMES, &good).unwrap();
        for t in [-0.1, 3.1, NAN] {
            assert!(matches!(path.value(t), Err(Error::OutsideInterval { .. })));
            assert!(matches!(path.derivative(t), Err(Error::OutsideInterval { .. })));
        }
    }
    assert!(with_time(&TIMES[..5], &good).is_err());
    assert!(with_counts(&good.squeeze(0).unwrap()).is_err());
    assert!(forward_fill(&good, NAN).is_err());
}

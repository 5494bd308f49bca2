//! Wavelet transforms against PyWavelets, their defining properties and central differences.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ops::{
    Error, GradCheck, Result, gradcheck,
    wavelet::{
        Boundary, Coefficients, Wavelet, dwt, dwt2, hard_threshold, idwt, idwt2, max_level,
        soft_threshold,
    },
};
use candle_core::{DType, Device, Tensor, Var};

const BOUNDARIES: [Boundary; 3] = [Boundary::Symmetric, Boundary::Zero, Boundary::Periodic];

fn wave(dims: &[usize]) -> Tensor {
    let n = dims.iter().product::<usize>();
    let values: Vec<f64> = (0..n).map(|i| (i as f64 * 0.7).sin()).collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

fn flat(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}

fn norm2(x: &Tensor) -> f64 {
    flat(x).iter().map(|x| x * x).sum()
}

fn is_orthogonal(wavelet: Wavelet) -> bool {
    !matches!(wavelet, Wavelet::Biorthogonal(..))
}

/// `Σᵢ aᵢ bᵢ₊₂ₖ` is 1 for k = 0 and 0 otherwise: what perfect reconstruction needs.
#[test]
fn filters_are_biorthogonal() {
    for wavelet in Wavelet::all() {
        let f = wavelet.filters().unwrap();
        let n = f.dec_lo.len();
        assert_eq!([n % 2, f.rec_lo.len(), f.dec_hi.len(), f.rec_hi.len()], [0, n, n, n]);
        // Both as they move over a signal: the decomposition filter backwards.
        let product = |dec: &[f64], rec: &[f64], shift: isize| -> f64 {
            (0..n as isize)
                .filter_map(|i| {
                    let j = usize::try_from(i + shift).ok()?;
                    Some(dec[n - 1 - i as usize] * rec.get(j)?)
                })
                .sum()
        };
        for k in -(n as isize)..=n as isize {
            let one = if k == 0 { 1.0 } else { 0.0 };
            assert!((product(&f.dec_lo, &f.rec_lo, 2 * k) - one).abs() < 5e-15, "{wavelet:?} {k}");
            assert!((product(&f.dec_hi, &f.rec_hi, 2 * k) - one).abs() < 5e-15, "{wavelet:?} {k}");
            assert!(product(&f.dec_lo, &f.rec_hi, 2 * k).abs() < 5e-15, "{wavelet:?} {k}");
            assert!(product(&f.dec_hi, &f.rec_lo, 2 * k).abs() < 5e-15, "{wavelet:?} {k}");
        }
        if is_orthogonal(wavelet) {
            let reversed: Vec<f64> = f.dec_lo.iter().rev().copied().collect();
            assert_eq!(reversed, f.rec_lo);
        } else {
            // Symmetric, apart from the padding.
            let trimmed: Vec<f64> = f.dec_lo.iter().copied().filter(|h| *h != 0.0).collect();
            let reversed: Vec<f64> = trimmed.iter().rev().copied().collect();
            assert!(difference(&trimmed, &reversed) < 1e-15);
        }
    }
}

/// The decomposition's high pass annihilates polynomials up to its order, and the next one not.
#[test]
fn vanishing_moments() {
    for wavelet in Wavelet::all() {
        let moments = match wavelet {
            Wavelet::Haar => 1,
            Wavelet::Daubechies(n) | Wavelet::Symlet(n) => n,
            Wavelet::Coiflet(n) => 2 * n,
            Wavelet::Biorthogonal(5, 5) => 6,
            Wavelet::Biorthogonal(r, _) => r,
        };
        let f = wavelet.filters().unwrap();
        let n = f.dec_hi.len() as f64;
        let moment = |h: &[f64], p: i32, centre: f64| -> f64 {
            h.iter().enumerate().map(|(i, h)| h * ((i as f64 - centre) / n).powi(p)).sum()
        };
        for p in 0..moments as i32 {
            let m = moment(&f.dec_hi, p, n / 2.0);
            assert!(m.abs() < 2e-14, "{wavelet:?}: moment {p} is {m:e}");
        }
        let next = moment(&f.dec_hi, moments as i32, n / 2.0);
        assert!(next.abs() > 1e-13, "{wavelet:?}: moment {moments} is {next:e}");
        if let Wavelet::Coiflet(k) = wavelet {
            // The scaling function has moments as well, about its centre.
            let centre = moment(&f.rec_lo, 1, 0.0) * n / 2f64.sqrt();
            for p in 1..2 * k as i32 {
                assert!(moment(&f.rec_lo, p, centre.round()).abs() < 2e-14, "{wavelet:?} {p}");
            }
        }
    }
}

/// Coefficients of `sin 0.7 i + 0.1 i` from PyWavelets 1.8. Its symlets are tables of 13 digits.
#[test]
fn coefficients_are_those_of_pywavelets() {
    let cases: [(Wavelet, Boundary, usize, &[f64], &[&[f64]]); 12] = [
        (
            Wavelet::Daubechies(2),
            Boundary::Symmetric,
            11,
            &[
                0.5399089814316171,
                1.06428732796451,
                0.9671216032768359,
                0.8490585023305565,
                3.4105570727451724,
            ],
            &[
                &[
                    -0.29063836420878,
                    0.9951677161898496,
                    -1.1814702865861726,
                    0.6705853500743727,
                    0.21959376922108004,
                ],
                &[
                    -0.45573839782163583,
                    0.26304921100044293,
                    0.12862867326475452,
                    -0.219323914820725,
                    -0.20318439160830357,
                    0.3584993123839848,
                    0.0996045889861113,
                ],
            ],
        ),
        (
            Wavelet::Daubechies(2),
            Boundary::Zero,
            11,
            &[
                -0.11705647504865983,
                0.8906961891731059,
                0.9393723394645926,
                0.9832841518606114,
                0.386497385867454,
            ],
            &[
                &[
                    -0.4368607122365171,
                    1.0416813216422052,
                    -1.2850319490060969,
                    0.45402604968904936,
                    -0.10356166241992432,
                ],
                &[
                    -0.359429542242003,
                    0.26304921100044293,
                    0.12862867326475452,
                    -0.219323914820725,
                    -0.20318439160830357,
                    1.1587623871426644,
                    -0.21442984461403536,
                ],
            ],
        ),
        (
            Wavelet::Daubechies(2),
            Boundary::Periodic,
            11,
            &[1.9221171169984452, 1.720831766826831, 0.26833800685122233],
            &[
                &[0.20023013079390778, -0.674331305985932, 1.4796374938422752],
                &[
                    -0.16440787069129015,
                    0.2560514383076979,
                    -0.05929016669306486,
                    -0.2762061987774961,
                    -0.03460179022202955,
                    0.8960484702426765,
                ],
            ],
        ),
        (
            Wavelet::Symlet(4),
            Boundary::Symmetric,
            10,
            &[
                0.7749972113953603,
                0.19577370019964024,
                1.7441913456406524,
                0.9139111264937335,
                -0.4382352246116426,
                0.5165045714238856,
                1.1009380258356676,
                -0.46909399443038113,
            ],
            &[&[
                -0.1657909065060012,
                0.3387540103005673,
                -0.2001062278747609,
                -0.07670764407173587,
                0.0498833223443802,
                0.16484395105745805,
                -0.3385756373865699,
                0.19835157250161534,
            ]],
        ),
        (
            Wavelet::Symlet(4),
            Boundary::Zero,
            10,
            &[
                -0.05638618503238352,
                0.24707379659165543,
                1.7202103442334842,
                0.9139111264937335,
                -0.4382352246116426,
                0.5564590389083262,
                0.25114753024854,
                -0.006118380283987405,
            ],
            &[&[
                -0.023981001407168103,
                0.021417357216882933,
                -0.14372004284237738,
                -0.07670764407173587,
                0.0498833223443802,
                0.18183655554764258,
                -0.6407084888603074,
                0.014386059903638816,
            ]],
        ),
        (
            Wavelet::Symlet(4),
            Boundary::Periodic,
            10,
            &[
                0.9957052188165768,
                1.6256113738567164,
                0.09292503629320531,
                -0.23770123825301215,
                0.7115216558352273,
            ],
            &[&[
                0.7835706089656878,
                -0.22565187616386267,
                -0.01753585391412807,
                0.14723483852573663,
                -0.07002383524949068,
            ]],
        ),
        (
            Wavelet::Biorthogonal(3, 5),
            Boundary::Symmetric,
            9,
            &[
                1.592153618552982,
                1.6576292223001126,
                -0.5632468308749878,
                1.6576292223001126,
                1.592153618552982,
                -0.41370217208518095,
                -0.014680532900772099,
                -0.014680532900772097,
                -0.4137021720851809,
                1.5921536185529823,
            ],
            &[&[
                0.04391675670680751,
                -0.028370319355114054,
                0.0,
                0.028370319355114082,
                -0.0439167567068075,
                -0.04329913068091601,
                0.1614411030294297,
                -0.1614411030294297,
                0.04329913068091601,
                0.0439167567068075,
            ]],
        ),
        (
            Wavelet::Biorthogonal(3, 5),
            Boundary::Zero,
            9,
            &[
                -0.010278151822748837,
                0.07210786359431037,
                -0.2816234154374939,
                1.5855213587058024,
                1.6047620927306703,
                -0.41460545556965406,
                -0.06001880319674633,
                0.04533827029597424,
                0.0009032834844731343,
                -0.0023303223549391953,
            ],
            &[&[
                0.0,
                0.0,
                -0.1315603433311851,
                0.028370319355114082,
                -0.0439167567068075,
                -0.04329913068091601,
                0.1912692291726514,
                0.0298281261432217,
                0.0,
                0.0,
            ]],
        ),
        (
            Wavelet::Biorthogonal(3, 5),
            Boundary::Periodic,
            9,
            &[
                0.2857251964182351,
                2.1158129397432592,
                0.601405179741459,
                -0.6862249589565197,
                0.34237086805610123,
            ],
            &[&[
                0.2149492704291265,
                -0.010163166735669582,
                -0.0570156097804809,
                -0.00921839385453712,
                -0.049931039437630644,
            ]],
        ),
        (
            Wavelet::Coiflet(1),
            Boundary::Symmetric,
            7,
            &[
                0.8851209198664651,
                1.0213381890719042,
                1.7983133654730954,
                -0.006557552731653829,
                0.06712609787416043,
            ],
            &[
                &[
                    -0.32025592414193715,
                    0.9512912321161773,
                    -0.3391315414940402,
                    -0.23838509124552582,
                    0.8845521396346578,
                ],
                &[
                    0.4085621026664203,
                    -0.16098648986885128,
                    -0.22214922437757248,
                    0.11018000642324012,
                    0.23024170096311888,
                    -0.10543615254592711,
                ],
            ],
        ),
        (
            Wavelet::Coiflet(1),
            Boundary::Zero,
            7,
            &[
                -0.0020017816437559203,
                -0.07601599273472484,
                1.8782364841623478,
                0.028798669507252725,
                0.023735587672741802,
            ],
            &[
                &[
                    0.009299779695944097,
                    0.4727558808355773,
                    -0.28946657103999707,
                    -0.05950916149671777,
                    0.0051090956195205175,
                ],
                &[
                    0.05412890188035139,
                    -0.1493352200836101,
                    -0.22214922437757248,
                    0.12993242374701805,
                    -0.10517381599869222,
                    0.0042517164611748474,
                ],
            ],
        ),
        (
            Wavelet::Coiflet(1),
            Boundary::Periodic,
            7,
            &[0.4696889654701551, 1.2472761152869125],
            &[
                &[-1.0918393122053176, 0.9656759587565081],
                &[
                    -0.16483592094621322,
                    -0.22214922437757248,
                    0.11018000642324012,
                    0.18049299080883743,
                ],
            ],
        ),
    ];
    for (wavelet, boundary, n, approximation, details) in cases {
        let x: Vec<f64> = (0..n).map(|i| (0.7 * i as f64).sin() + 0.1 * i as f64).collect();
        let x = Tensor::new(x, &Device::Cpu).unwrap();
        let bands = dwt(&x, 0, wavelet, boundary, details.len()).unwrap();
        let mut error = difference(&flat(&bands.approximation), approximation);
        for (got, want) in bands.details.iter().zip(details) {
            error = error.max(difference(&flat(got), want));
        }
        assert!(error < 2e-11, "{wavelet:?} {boundary:?}: {error:e}");
    }
}

/// `dwt2` of PyWavelets on a 5 × 7 image.
#[test]
fn bands_of_an_image_are_those_of_pywavelets() {
    let bands = dwt2(&wave(&[5, 7]), (0, 1), Wavelet::Biorthogonal(2, 2), Boundary::Symmetric, 1);
    let bands = bands.unwrap();
    let detail = &bands.details[0];
    let got = [&bands.approximation, &detail.horizontal, &detail.vertical, &detail.diagonal];
    let want: [&[f64]; 4] = [
        &[
            -1.3795342640631767,
            -2.0157283509876085,
            -0.1335029635785143,
            1.9909928460733073,
            0.725136384888589,
            1.6704943553028255,
            1.2929822041116479,
            -0.26266270989130364,
            2.4195312012820236,
            0.9903234989866427,
            -2.106519013898817,
            -0.7588572842108279,
            -1.8786909138132142,
            -0.7618052533332824,
            -2.2963957040037535,
            0.07885373502219556,
            2.3025629590017145,
            1.531331706259397,
            2.3116037078938074,
            1.7243147909583831,
            1.9864919194881052,
            -1.1416177115046018,
            -2.311337027506604,
            -2.1792613037937443,
            0.5054929647851598,
            1.6613064242488693,
            -0.9348711207512801,
            -1.9543069705495713,
            0.34610695032849303,
            -0.9580582944672952,
        ],
        &[
            -0.647900465897659,
            -0.5104043372875352,
            -0.5278722896376014,
            0.35596005829771094,
            0.6298496956350204,
            0.6209718678001639,
            0.5484341660514593,
            0.8651137356947579,
            -0.014907944152454305,
            -0.8761534456314634,
            -0.24600044641449975,
            -0.6880114018226933,
            -0.2834883559988055,
            -0.7576787614460762,
            0.3387613335127001,
            0.8650329539382724,
            -0.07872269132171625,
            0.4720525570807911,
            -0.32730871937483175,
            0.11495904345176684,
            -0.6641631681904573,
            -0.31502789318141455,
            0.5653871210103452,
            0.17392671539042717,
            0.7102633752198368,
            0.28801031958708656,
            0.8681820684678129,
            -0.02981167342310523,
            -0.8705136789091497,
            -0.578939738448689,
        ],
        &[
            0.1417205467942188,
            0.15302577248460697,
            -0.13099529943961358,
            -0.19755556604283236,
            0.23418600889838126,
            -0.21478343568425484,
            0.3761340064608302,
            -0.15879532836442578,
            -0.24047233942794866,
            0.07705053540621509,
            0.3139299060643089,
            -0.10683367545529199,
            -0.2760753285383978,
            0.22256085593371774,
            0.1563871636579235,
            -0.16939949714729796,
            -0.1726961945366312,
            -0.008506547955712762,
            0.1535631526540439,
            -0.2682252741008481,
            -0.05958285474748232,
            0.24797101892630785,
            0.01741691916741528,
            0.12315492483990917,
            -0.2701617060504441,
            -0.04948166192418568,
            0.20375279174926414,
            0.1187442216673259,
            -0.31453110725561595,
            0.210825853213975,
        ],
        &[
            -0.036628964060710006,
            0.07498502601144777,
            0.012123723759644336,
            -0.07086375663397089,
            0.0018385001268701462,
            -0.038400099949296794,
            -0.07142136162325927,
            -0.06038001376951835,
            0.06284010194287028,
            0.08174151894309781,
            -0.10890576753151998,
            0.09451728950732469,
            0.1103553879803114,
            0.028992963442178804,
            -0.08489488671482869,
            -0.057851646125696904,
            0.13326056310651316,
            -0.09331763807860624,
            -0.10667890752062552,
            0.04054403169189315,
            0.06905524896895965,
            -0.017069784952855202,
            -0.0914833235171599,
            0.03398443814970173,
            0.10437384522428343,
            -0.0841420073760014,
            -0.059124187956645424,
            0.06404366876942526,
            0.06529002781529653,
            0.0032160103708764876,
        ],
    ];
    for (got, want) in got.into_iter().zip(want) {
        assert_eq!(got.dims(), [5, 6]);
        assert!(difference(&flat(got), want) < 1e-13);
    }
}

#[test]
fn reconstruction_is_perfect_for_every_wavelet_boundary_and_length() {
    for wavelet in Wavelet::all() {
        for boundary in BOUNDARIES {
            for n in [1, 2, 3, 4, 5, 7, 8, 13, 16, 31, 64, 101] {
                // Contiguous, and with neighbours in the last axis.
                for (dims, dim) in [([2, n, 1], 1), ([1, n, 9], 1)] {
                    let x = wave(&dims);
                    let bands = dwt(&x, dim, wavelet, boundary, 3).unwrap();
                    let back = idwt(&bands).unwrap();
                    let error = difference(&flat(&back), &flat(&x));
                    assert!(error < 1e-12, "{wavelet:?} {boundary:?} {n}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn lengths_are_those_of_the_boundaries() {
    let taps = 8;
    for n in [5, 8, 100, 101] {
        for boundary in BOUNDARIES {
            let bands = dwt(&wave(&[n]), 0, Wavelet::Daubechies(4), boundary, 1).unwrap();
            let expected =
                if boundary == Boundary::Periodic { n.div_ceil(2) } else { (n + taps - 1) / 2 };
            assert_eq!(bands.approximation.dims(), [expected]);
            assert_eq!(bands.details[0].dims(), [expected]);
        }
    }
}

/// Orthogonal, periodic, even lengths: the transform is a rotation.
#[test]
fn energy_is_preserved() {
    let x = wave(&[3, 64]);
    for wavelet in Wavelet::all().into_iter().filter(|w| is_orthogonal(*w)) {
        let bands = dwt(&x, 1, wavelet, Boundary::Periodic, 4).unwrap();
        let energy = norm2(&bands.approximation) + bands.details.iter().map(norm2).sum::<f64>();
        assert!((energy / norm2(&x) - 1.0).abs() < 1e-13, "{wavelet:?}");
    }
}

fn all_bands(bands: &Coefficients, dim: usize) -> Result<Tensor> {
    let mut all = vec![bands.approximation.clone()];
    all.extend(bands.details.iter().cloned());
    Ok(Tensor::cat(&all, dim)?)
}

#[test]
fn gradients_equal_central_differences() {
    let options = GradCheck::default();
    for wavelet in [Wavelet::Daubechies(2), Wavelet::Biorthogonal(2, 4)] {
        for boundary in BOUNDARIES {
            for (dims, dim) in [([2, 9, 1], 1), ([1, 6, 9], 1), ([1, 2, 7], 2)] {
                let f = |v: &[Tensor]| all_bands(&dwt(&v[0], dim, wavelet, boundary, 2)?, dim);
                gradcheck(f, &[wave(&dims)], &options).unwrap();
                let template = dwt(&wave(&dims), dim, wavelet, boundary, 2).unwrap();
                let f = |v: &[Tensor]| {
                    let mut bands = template.clone();
                    bands.approximation = v[0].clone();
                    bands.details = v[1..].to_vec();
                    idwt(&bands)
                };
                let mut inputs = vec![template.approximation.clone()];
                inputs.extend(template.details.iter().cloned());
                gradcheck(f, &inputs, &options).unwrap();
            }
        }
    }
    let f = |v: &[Tensor]| {
        let bands = dwt2(&v[0], (0, 2), Wavelet::Daubechies(2), Boundary::Symmetric, 2)?;
        idwt2(&bands.map_details(|d| Ok(d.sqr()?))?)
    };
    gradcheck(f, &[wave(&[5, 2, 6])], &options).unwrap();
}

/// `⟨A x, y⟩ = ⟨x, Aᵀ y⟩` on lengths of several blocks, to rounding.
#[test]
fn the_gradient_is_the_transpose() {
    for (dims, dim) in [([1, 3001, 1], 1), ([2, 1500, 45], 1)] {
        for boundary in BOUNDARIES {
            let x = Var::from_tensor(&wave(&dims)).unwrap();
            let bands = dwt(&x, dim, Wavelet::Symlet(5), boundary, 3).unwrap();
            let y = all_bands(&bands, dim).unwrap();
            let weights = wave(y.dims()).affine(1.0, 0.2).unwrap();
            let product = (&y * &weights).unwrap().sum_all().unwrap();
            let gradient = product.backward().unwrap().remove(&x).unwrap();
            let (g, xs) = (flat(&gradient), flat(&x));
            let other: f64 = g.iter().zip(&xs).map(|(a, b)| a * b).sum();
            let product = product.to_scalar::<f64>().unwrap();
            assert!((product - other).abs() < 1e-11 * g.len() as f64, "{product} {other}");
            // And of f32 with its own precision.
            let single = x.to_dtype(DType::F32).unwrap();
            let back = idwt(&dwt(&single, dim, Wavelet::Symlet(5), boundary, 3).unwrap()).unwrap();
            assert!(difference(&flat(&back), &flat(&single)) < 3e-6);
        }
    }
}

#[test]
fn images_come_back() {
    for (dims, axes) in [([2, 13, 18], (1, 2)), ([9, 2, 16], (0, 2)), ([8, 7, 1], (1, 0))] {
        for wavelet in [Wavelet::Haar, Wavelet::Coiflet(1), Wavelet::Biorthogonal(4, 4)] {
            for boundary in BOUNDARIES {
                let x = wave(&dims);
                let bands = dwt2(&x, axes, wavelet, boundary, 3).unwrap();
                let back = idwt2(&bands).unwrap();
                assert_eq!(back.dims(), x.dims());
                assert!(difference(&flat(&back), &flat(&x)) < 1e-12);
            }
        }
    }
}

#[test]
fn strided_half_precision_and_no_levels() {
    let x = wave(&[12, 5]).t().unwrap();
    let dense = x.contiguous().unwrap();
    for dim in 0..2 {
        let bands = |x: &Tensor| {
            let bands = dwt(x, dim, Wavelet::Daubechies(3), Boundary::Symmetric, 2).unwrap();
            flat(&all_bands(&bands, dim).unwrap())
        };
        assert_eq!(bands(&x), bands(&dense));
    }
    let half = dense.to_dtype(DType::BF16).unwrap();
    let back = idwt(&dwt(&half, 1, Wavelet::Haar, Boundary::Zero, 2).unwrap()).unwrap();
    assert_eq!(back.dtype(), DType::BF16);
    assert!(difference(&flat(&back), &flat(&half)) < 0.03);
    let bands = dwt(&dense, 1, Wavelet::Haar, Boundary::Zero, 0).unwrap();
    assert_eq!(bands.levels(), 0);
    assert_eq!(flat(&idwt(&bands).unwrap()), flat(&dense));
    // No signals, but of a length.
    let none = Tensor::zeros((0, 8), DType::F64, &Device::Cpu).unwrap();
    let bands = dwt(&none, 1, Wavelet::Haar, Boundary::Zero, 1).unwrap();
    assert_eq!(bands.details[0].dims(), [0, 4]);
    assert_eq!(idwt(&bands).unwrap().dims(), [0, 8]);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (rows, long) = (wave(&[30, 2000]), wave(&[100_000]));
    let on = |threads: usize| -> Vec<Vec<f64>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = || -> Result<Vec<Vec<f64>>> {
            let mut all = Vec::new();
            for (x, dim) in [(&rows, 0), (&rows, 1), (&long, 0)] {
                let x = Var::from_tensor(x)?;
                let bands = dwt(&x, dim, Wavelet::Daubechies(6), Boundary::Symmetric, 3)?;
                let back = idwt(&bands.map_details(|d| soft_threshold(d, 0.1))?)?;
                let grads = back.sqr()?.sum_all()?.backward()?;
                all.extend([flat(&back), flat(grads.get(&x).unwrap())]);
            }
            Ok(all)
        };
        pool.install(run).unwrap()
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}

#[test]
fn thresholds() {
    let x =
        Var::new(&[-3f64, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, f64::INFINITY], &Device::Cpu).unwrap();
    let soft = soft_threshold(&x, 1.0).unwrap();
    assert_eq!(flat(&soft), [-2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, f64::INFINITY]);
    let hard = hard_threshold(&x, 1.0).unwrap();
    assert_eq!(flat(&hard), [-3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, f64::INFINITY]);
    for y in [soft, hard] {
        let grads = y.sum_all().unwrap().backward().unwrap();
        assert_eq!(flat(grads.get(&x).unwrap()), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    }
    let nan = Tensor::new(&[f64::NAN], &Device::Cpu).unwrap();
    assert!(flat(&soft_threshold(&nan, 1.0).unwrap())[0].is_nan());
    assert!(flat(&hard_threshold(&nan, 1.0).unwrap())[0].is_nan());
    let input = wave(&[20]);
    gradcheck(|v| soft_threshold(&v[0], 0.3), std::slice::from_ref(&input), &GradCheck::default())
        .unwrap();
    gradcheck(|v| hard_threshold(&v[0], 0.3), &[input], &GradCheck::default()).unwrap();
}

#[test]
fn levels() {
    assert_eq!(max_level(4096, Wavelet::Daubechies(4)).unwrap(), 9);
    assert_eq!(max_level(1024, Wavelet::Haar).unwrap(), 10);
    assert_eq!(max_level(3, Wavelet::Daubechies(4)).unwrap(), 0);
}

#[test]
fn bad_input_is_an_error() {
    let x = wave(&[4, 8]);
    let zero = Boundary::Zero;
    for wavelet in [
        Wavelet::Daubechies(0),
        Wavelet::Daubechies(11),
        Wavelet::Symlet(1),
        Wavelet::Symlet(9),
        Wavelet::Coiflet(0),
        Wavelet::Coiflet(4),
        Wavelet::Biorthogonal(2, 3),
    ] {
        for levels in [0, 1] {
            let result = dwt(&x, 0, wavelet, zero, levels);
            assert!(matches!(result, Err(Error::InvalidArgument { .. })), "{result:?}");
        }
    }
    let haar = Wavelet::Haar;
    let empty = Tensor::zeros((4, 0), DType::F64, &Device::Cpu).unwrap();
    assert!(matches!(dwt(&empty, 1, haar, zero, 1), Err(Error::InvalidArgument { .. })));
    assert!(matches!(dwt(&x, 1, haar, zero, 65), Err(Error::InvalidArgument { .. })));
    assert!(matches!(dwt(&x, 2, haar, zero, 1), Err(Error::Candle(_))));
    assert!(matches!(dwt2(&x, (1, 1), haar, zero, 1), Err(Error::InvalidArgument { .. })));
    let whole = x.to_dtype(DType::U32).unwrap();
    assert!(matches!(dwt(&whole, 1, haar, zero, 1), Err(Error::DType { .. })));
    assert!(matches!(soft_threshold(&x, -1.0), Err(Error::InvalidArgument { .. })));
    assert!(matches!(hard_threshold(&x, f64::NAN), Err(Error::InvalidArgument { .. })));

    let bands = dwt(&x, 1, haar, zero, 2).unwrap();
    let mut missing = bands.clone();
    missing.details.pop();
    assert!(matches!(idwt(&missing), Err(Error::Count { expected: 2, got: 1, .. })));
    let mut swapped = bands.clone();
    swapped.details.reverse();
    assert!(matches!(idwt(&swapped), Err(Error::Shape { .. })));
    let mut single = bands.clone();
    single.details[0] = single.details[0].narrow(1, 0, 1).unwrap();
    single.approximation = single.approximation.narrow(1, 0, 1).unwrap();
    assert!(matches!(idwt(&single), Err(Error::Shape { .. })));
    let mut image = dwt2(&x, (0, 1), haar, zero, 1).unwrap();
    image.details[0].diagonal = x.clone();
    assert!(matches!(idwt2(&image), Err(Error::Shape { .. })));
    image.details.clear();
    assert!(matches!(idwt2(&image), Err(Error::Count { expected: 1, got: 0, .. })));
}

//! Statistical Reference Data Sets of NIST, nonlinear regression.

const MISRA: [[f64; 2]; 14] = [
    [10.07, 77.6],
    [14.73, 114.9],
    [17.94, 141.1],
    [23.93, 190.8],
    [29.61, 239.9],
    [35.18, 289.0],
    [40.02, 332.8],
    [44.82, 378.4],
    [50.76, 434.8],
    [55.05, 477.3],
    [61.01, 536.8],
    [66.40, 593.1],
    [75.47, 689.1],
    [81.78, 760.0],
];

const BOX_BOD: [[f64; 2]; 6] =
    [[109.0, 1.0], [149.0, 2.0], [149.0, 3.0], [191.0, 5.0], [213.0, 7.0], [224.0, 10.0]];

#[rustfmt::skip]
const THURBER: [[f64; 2]; 37] = [
    [80.574, -3.067], [84.248, -2.981], [87.264, -2.921], [87.195, -2.912], [89.076, -2.840],
    [89.608, -2.797], [89.868, -2.702], [90.101, -2.699], [92.405, -2.633], [95.854, -2.481],
    [100.696, -2.363], [101.060, -2.322], [401.672, -1.501], [390.724, -1.460],
    [567.534, -1.274], [635.316, -1.212], [733.054, -1.100], [759.087, -1.046],
    [894.206, -0.915], [990.785, -0.714], [1090.109, -0.566], [1080.914, -0.545],
    [1122.643, -0.400], [1178.351, -0.309], [1260.531, -0.109], [1273.514, -0.103],
    [1288.339, 0.010], [1327.543, 0.119], [1353.863, 0.377], [1414.509, 0.790],
    [1425.208, 0.963], [1421.384, 1.006], [1442.962, 1.115], [1464.350, 1.572],
    [1468.705, 1.841], [1447.894, 2.047], [1457.628, 2.200],
];

/// `y` and `x` of the data, the model of `x` with the parameters `b`; where to begin, and the
/// certified parameters and sum of squares.
pub(crate) struct Regression {
    pub(crate) data: &'static [[f64; 2]],
    pub(crate) model: fn(&[f64], f64) -> f64,
    pub(crate) starts: &'static [&'static [f64]],
    pub(crate) certified: &'static [f64],
    pub(crate) squares: f64,
}

/// Statistical Reference Data Sets of NIST, nonlinear regression: Misra1a, BoxBOD and Thurber.
pub(crate) const REGRESSIONS: [Regression; 3] = [
    Regression {
        data: &MISRA,
        model: |b, x| b[0] * (1.0 - (-b[1] * x).exp()),
        starts: &[&[500.0, 0.0001], &[250.0, 0.0005]],
        certified: &[2.3894212918e2, 5.5015643181e-4],
        squares: 1.2455138894e-1,
    },
    Regression {
        data: &BOX_BOD,
        model: |b, x| b[0] * (1.0 - (-b[1] * x).exp()),
        // From the other, (1, 1), the first steps lead to where the model is flat.
        starts: &[&[100.0, 0.75]],
        certified: &[2.1380940889e2, 5.4723748542e-1],
        squares: 1.1680088766e3,
    },
    Regression {
        data: &THURBER,
        model: |b, x| {
            (b[0] + x * (b[1] + x * (b[2] + x * b[3]))) / (1.0 + x * (b[4] + x * (b[5] + x * b[6])))
        },
        starts: &[
            &[1000.0, 1000.0, 400.0, 40.0, 0.7, 0.3, 0.03],
            &[1300.0, 1500.0, 500.0, 75.0, 1.0, 0.4, 0.05],
        ],
        certified: &[
            1.2881396800e3,
            1.4910792535e3,
            5.8323836877e2,
            7.5416644291e1,
            9.6629502864e-1,
            3.9797285797e-1,
            4.9727297349e-2,
        ],
        squares: 5.6427082397e3,
    },
];

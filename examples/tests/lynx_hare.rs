//! The fit of the example `lynx_hare` against an independent one, and what it rests on.
#![allow(clippy::unwrap_used)] // also in the helpers of the tests

use ansatz::core::{
    Error, Key, Result, Silent,
    candle::{DType, Device, Tensor, Var},
};
use ansatz::data::LynxHare;
use ansatz::nn::Parameters;
use ansatz_examples::predator_prey::{PredatorPrey, Rates};
use ansatz_examples::shooting::{Shooting, Stage, fit_in_stages};

/// α, β, γ, δ, hares and lynx in 1900, and the sum of squares at the least-squares optimum of the
/// logarithms. SciPy 1.17.1: `least_squares` (Jacobian by three points, tolerances 1e-14) over
/// `solve_ivp` (DOP853, rtol 1e-11, atol 1e-12) of the logarithmic equations; the same from six
/// starts.
const SCIPY_1900_1914: ([f64; 6], f64) = (
    [
        0.4312215548097016,
        0.021965069036263433,
        0.9888125998618017,
        0.027760986261361666,
        37.543790221516524,
        5.521574564066298,
    ],
    1.0702330443660255,
);
const SCIPY_1900_1920: ([f64; 6], f64) = (
    [
        0.5401589924779634,
        0.027165357152563994,
        0.7963860438662637,
        0.023694638369669525,
        34.60242431373838,
        5.844506139798937,
    ],
    2.0186611551468823,
);

fn series(years: usize) -> Tensor {
    let data = LynxHare::load().unwrap().populations(DType::F64, &Device::Cpu).unwrap();
    data.log().unwrap().narrow(0, 0, years).unwrap()
}

fn guess(series: &Tensor) -> Rates {
    let means = series.exp().unwrap().mean(0).unwrap().to_vec1::<f64>().unwrap();
    Rates::guess(means[0], means[1])
}

fn number(tensor: &Tensor) -> f64 {
    tensor.to_scalar().unwrap()
}

/// Fitted rates and initial state, and the sum of squares.
fn fit(years: usize, stages: &[Stage]) -> (Vec<f64>, f64) {
    let series = series(years);
    let parameters = Parameters::new(Key::new(0), DType::F64, &Device::Cpu).unwrap();
    let model = PredatorPrey::lotka_volterra(&parameters, guess(&series)).unwrap();
    let loss = |windows: &Shooting| windows.loss(model.field()?);
    let windows = fit_in_stages(&parameters, &series, stages, loss, "fit", &Silent).unwrap();
    let start = windows.starts().get(0).unwrap().exp().unwrap().to_vec1::<f64>().unwrap();
    let fitted = [&model.rates().unwrap().to_array()[..], &start].concat();
    (fitted, number(&loss(&windows).unwrap()) * (2 * years) as f64)
}

fn stage(length: usize, steps: u64, rate: f64) -> Stage {
    Stage { length, steps, rate }
}

#[test]
fn fitted_rates_are_those_of_scipy() {
    for (years, (rates, sum)) in [(15, SCIPY_1900_1914), (21, SCIPY_1900_1920)] {
        let (fitted, squares) = fit(years, &[stage(2, 250, 0.05), stage(years - 1, 250, 0.02)]);
        for (got, want) in fitted.iter().zip(rates) {
            assert!((got / want - 1.0).abs() < 1e-3, "{years} years: {fitted:?}");
        }
        assert!((squares / sum - 1.0).abs() < 1e-5, "{years} years: {squares} {sum}");
    }
}

#[test]
fn without_short_windows_the_fit_is_stuck() {
    let (_, squares) = fit(21, &[stage(20, 200, 0.05)]);
    assert!(squares > 5.0 * SCIPY_1900_1920.1, "{squares}");
}

/// Two windows of two years, so that there are starts, gaps and parameters to differentiate.
fn universal() -> (Parameters, PredatorPrey, Shooting) {
    let series = series(5);
    let parameters = Parameters::new(Key::new(3), DType::F64, &Device::Cpu).unwrap();
    let model = PredatorPrey::universal(&parameters, guess(&series), &[3]).unwrap();
    (parameters, model, Shooting::new(&series, 2).unwrap())
}

#[test]
fn the_gradient_through_the_solver_equals_central_differences() {
    let (parameters, model, windows) = universal();
    let loss = || windows.loss(model.field().unwrap()).unwrap();
    let gradients = loss().backward().unwrap();
    let variables = [parameters.vars(), vec![windows.starts().clone()]].concat();
    for (variable, name) in
        variables.iter().zip([parameters.names(), vec!["starts".into()]].concat())
    {
        let gradient = gradients.get(variable).unwrap().flatten_all().unwrap();
        let gradient = gradient.to_vec1::<f64>().unwrap();
        let value = variable.as_tensor().copy().unwrap().detach();
        let flat = value.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        for i in 0..flat.len() {
            let at = |step: f64| {
                let mut moved = flat.clone();
                moved[i] += step;
                let moved = Tensor::from_vec(moved, value.shape(), &Device::Cpu).unwrap();
                variable.set(&moved).unwrap();
                number(&loss())
            };
            let difference = (at(1e-4) - at(-1e-4)) / 2e-4;
            variable.set(&value).unwrap();
            // The steps of the solver are constants in the gradient but not in the difference.
            let tolerance = 1e-5 + 1e-4 * difference.abs();
            assert!(
                (gradient[i] - difference).abs() < tolerance,
                "{name}[{i}]: {} {difference}",
                gradient[i]
            );
        }
    }
}

#[test]
fn a_universal_equation_without_its_network_is_lotka_volterra() {
    let (parameters, model, windows) = universal();
    let other = Parameters::new(Key::new(0), DType::F64, &Device::Cpu).unwrap();
    let plain = PredatorPrey::lotka_volterra(&other, model.rates().unwrap()).unwrap();
    let loss = |m: &PredatorPrey| number(&windows.loss(m.field().unwrap()).unwrap());
    assert!((loss(&model) - loss(&plain)).abs() > 1e-3);
    for path in ["network.1.weight", "network.1.bias"] {
        let last: Var = parameters.get(path).unwrap();
        last.set(&last.zeros_like().unwrap()).unwrap();
    }
    assert_eq!(loss(&model), loss(&plain));
    assert_eq!(number(&model.departure(&series(5)).unwrap()), 0.0);
}

#[test]
fn interaction_is_bilinear_with_rates_known() {
    let parameters = Parameters::new(Key::new(0), DType::F64, &Device::Cpu).unwrap();
    let rates = Rates { alpha: 0.5, beta: 0.02, gamma: 0.8, delta: 0.03 };
    let model = PredatorPrey::lotka_volterra(&parameters, rates).unwrap();
    let state = Tensor::new(&[[10f64, 5.0]], &Device::Cpu).unwrap().log().unwrap();
    let got = model.interaction(&state).unwrap().to_vec2::<f64>().unwrap();
    assert!((got[0][0] - 1.5).abs() < 1e-12 && (got[0][1] - 1.0).abs() < 1e-12, "{got:?}");
    // The equilibrium (γ/δ, α/β) stays where it is.
    let rest = Tensor::new(&[0.8 / 0.03, 0.5 / 0.02], &Device::Cpu).unwrap().log().unwrap();
    let path = model.predict(&rest, &[0.0, 3.0, 10.0]).unwrap();
    let drift = path.broadcast_sub(&rest).unwrap().abs().unwrap().max_all().unwrap();
    assert!(number(&drift) < 1e-10);
}

#[test]
fn windows_that_do_not_fit_are_refused() {
    let series = series(15);
    let refused = |result: Result<Shooting>| {
        matches!(result, Err(Error::InvalidArgument { what: "window length", .. }))
    };
    for length in [0, 3, 15] {
        assert!(refused(Shooting::new(&series, length)), "{length}");
    }
    let windows = Shooting::new(&series, 2).unwrap();
    assert_eq!(windows.starts().dims(), [7, 2]);
    assert!(refused(windows.lengthened(7)));
    let longer = windows.lengthened(14).unwrap();
    assert_eq!(
        longer.starts().to_vec2::<f64>().unwrap()[0],
        windows.starts().to_vec2::<f64>().unwrap()[0]
    );
}

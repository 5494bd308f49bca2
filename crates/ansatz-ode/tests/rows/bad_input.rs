//! What makes no sense is said.

use ansatz_ode::core::candle::{DType, Device, Tensor};
use ansatz_ode::{
    Error, NoGradient, Pid, RecursiveCheckpoint, Result, RowSpans, RowsSolution, SolveRows, Tsit5,
    WithRowArguments, solve_rows,
};

use crate::common::{CPU, states, swing};

type Field = fn(&Tensor, &Tensor) -> ansatz_ode::core::candle::Result<Tensor>;

fn setup(y0: Tensor, spans: impl Into<RowSpans>) -> SolveRows<Field, Tsit5, Pid> {
    solve_rows(swing as Field, y0, spans).with(Tsit5).tolerance(1e-6, 1e-6).adjoint(NoGradient)
}

#[track_caller]
fn says(result: Result<RowsSolution>, what: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(what), "{error:?} does not say {what:?}");
}

#[test]
fn initial_states() {
    says(setup(Tensor::zeros((0, 2), DType::F64, CPU).unwrap(), (0.0, 1.0)).run(), "empty");
    says(setup(Tensor::zeros((3, 0), DType::F64, CPU).unwrap(), (0.0, 1.0)).run(), "empty");
    says(setup(Tensor::new(1f64, CPU).unwrap(), (0.0, 1.0)).run(), "initial state");
    says(setup(Tensor::zeros((2, 2), DType::U32, CPU).unwrap(), (0.0, 1.0)).run(), "initial state");
    let nan = Tensor::new(&[[1f64, 2.0], [f64::NAN, 0.0]], CPU).unwrap();
    says(setup(nan, (0.5, 1.0)).run(), "row 1: the initial state is not finite at t = 0.5");
}

#[test]
fn intervals() {
    let y0 = states(3, 2, 0.1);
    says(setup(y0.clone(), (0.0, f64::NAN)).run(), "t1 = NaN");
    says(setup(y0.clone(), vec![(0.0, 1.0); 2]).run(), "2 spans for 3 rows");
    let one = vec![(0.0, 1.0), (0.0, 1.0), (f64::INFINITY, 1.0)];
    says(setup(y0.clone(), one).run(), "row 2: t0 = inf");
    let (a, b) =
        (Tensor::zeros(3, DType::F64, CPU).unwrap(), Tensor::ones(2, DType::F64, CPU).unwrap());
    let counts = RowSpans::from_tensors(&a, &b).unwrap_err().to_string();
    assert!(counts.contains("2 end times for 3 rows"), "{counts}");
    let rank = RowSpans::from_tensors(&a.unsqueeze(0).unwrap(), &b).unwrap_err();
    assert!(matches!(rank, Error::InvalidArgument { .. }));
    let dtype = RowSpans::from_tensors(&a, &b.to_dtype(DType::U32).unwrap()).unwrap_err();
    assert!(matches!(dtype, Error::InvalidArgument { .. }));
}

#[test]
fn tolerances_and_controllers() {
    let y0 = states(2, 2, 0.1);
    let with = |rtol: f64, atol: f64| {
        setup(y0.clone(), (0.0, 1.0)).tolerances(vec![(1e-3, 1e-3), (rtol, atol)])
    };
    says(with(-1e-3, 1e-3).run(), "row 1: rtol = -0.001");
    says(with(0.0, 0.0).run(), "row 1: rtol and atol = 0");
    says(with(1e-3, f64::NAN).run(), "row 1: atol = NaN");
    says(
        setup(y0.clone(), (0.0, 1.0)).tolerances(vec![(1e-3, 1e-3)]).run(),
        "1 tolerances for 2 rows",
    );
    let plain = solve_rows(swing as Field, y0.clone(), (0.0, 1.0)).with(Tsit5);
    says(plain.clone().tolerance(0.0, 0.0).run(), "rtol and atol = 0");
    says(plain.clone().tolerance(-1.0, 0.0).run(), "rtol = -1");
    says(plain.clone().step(-0.1).run(), "step = -0.1");
    says(plain.clone().controller(Pid { safety: 2.0, ..Pid::i(1e-3, 1e-3) }).run(), "safety");
    says(plain.tolerance(1e-3, 1e-3).adjoint(RecursiveCheckpoint::new(0)).run(), "checkpoints");
}

#[test]
fn save_times() {
    let y0 = states(2, 2, 0.1);
    let with = |spans: Vec<(f64, f64)>, times: Vec<Vec<f64>>| {
        setup(y0.clone(), spans).save_each_at(times).run()
    };
    let (forth, both) = (vec![(0.0, 1.0); 2], vec![(0.0, 1.0), (1.0, 0.0)]);
    says(with(forth.clone(), vec![vec![0.5]]), "1 lists of save times for 2 rows");
    says(with(forth.clone(), vec![vec![0.5], vec![]]), "row 1: number of save times = 0");
    says(with(forth.clone(), vec![vec![0.5], vec![1.5]]), "row 1: time 1.5 lies outside");
    says(with(forth, vec![vec![0.5], vec![f64::NAN]]), "row 1: save time = NaN");
    says(with(both, vec![vec![0.2, 0.5], vec![0.2, 0.5]]), "row 1: time 1 is 0.5 after 0.2");
    says(setup(y0.clone(), (0.0, 1.0)).save_at(vec![0.5, 0.5]).run(), "time 1 is 0.5 after 0.5");
    let shared = setup(y0, vec![(0.0, 1.0), (0.0, 0.4)]).save_at(vec![0.5]).run();
    says(shared, "row 1: time 0.5 lies outside");
}

#[test]
fn fields() {
    let y0 = states(2, 2, 0.1);
    let run = |field: Field| {
        solve_rows(field, y0.clone(), (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run()
    };
    says(run(|_, y| y.narrow(1, 0, 1)), "the vector field's value");
    says(run(|_, y| y.to_dtype(DType::F32)), "the vector field's value");
    says(run(|_, _| ansatz_ode::core::candle::bail!("no value")), "no value");
    // Wrong in a later evaluation only.
    let later = |t: &Tensor, y: &Tensor| {
        if t.to_vec1::<f64>()?[0] > 0.3 { y.t() } else { y.narrow(0, 0, y.dims()[0]) }
    };
    let three = states(3, 2, 0.1);
    let bad = solve_rows(later, three, (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run();
    says(bad, "the vector field's value");
    for argument in [Tensor::zeros(3, DType::F64, &Device::Cpu), Tensor::new(1f64, &Device::Cpu)] {
        let field = |_: &Tensor, y: &Tensor, _: &[Tensor]| y.neg();
        let field = WithRowArguments::new(field, vec![argument.unwrap()]);
        let bad = solve_rows(field, y0.clone(), (0.0, 1.0)).with(Tsit5).tolerance(1e-6, 1e-6).run();
        says(bad, "rows in an argument of the field for 2 rows");
    }
}

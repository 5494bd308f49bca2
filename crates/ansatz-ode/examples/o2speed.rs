use ansatz_ode::core::candle::{Device, Tensor};
use ansatz_ode::{NoGradient, Tsit5, solve_rows};
use std::time::Instant;
type R = ansatz_ode::core::candle::Result<Tensor>;
fn columns(_t: &Tensor, y: &Tensor) -> R {
    let y = y.t()?.contiguous()?;
    let (a, b, c) = (y.get(0)?, y.get(1)?, y.get(2)?);
    let da = ((&b - &a)? * 10.0)?;
    let db = ((&a * c.affine(-1.0, 28.0)?)? - &b)?;
    let dc = ((&a * &b)? - (&c * (8.0 / 3.0))?)?;
    Tensor::stack(&[da, db, dc], 0)?.t()?.contiguous()
}
fn columns_stack1(_t: &Tensor, y: &Tensor) -> R {
    let y = y.t()?.contiguous()?;
    let (a, b, c) = (y.get(0)?, y.get(1)?, y.get(2)?);
    let da = ((&b - &a)? * 10.0)?;
    let db = ((&a * c.affine(-1.0, 28.0)?)? - &b)?;
    let dc = ((&a * &b)? - (&c * (8.0 / 3.0))?)?;
    Tensor::stack(&[da, db, dc], 1)
}
fn products(y: &Tensor) -> impl Fn(&Tensor, &Tensor) -> R + Clone + Send + Sync + 'static {
    let d = y.device();
    let linear =
        Tensor::new(&[[-10f64, 28.0, 0.0], [10.0, -1.0, 0.0], [0.0, 0.0, -8.0 / 3.0]], d).unwrap();
    let first = Tensor::new(&[[1f64, 1.0, 1.0], [0.0; 3], [0.0; 3]], d).unwrap();
    let other = Tensor::new(&[[0f64, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]], d).unwrap();
    move |_t: &Tensor, y: &Tensor| y.matmul(&linear)? + (y.matmul(&first)? * y.matmul(&other)?)?
}
fn time<F>(name: &str, f: F, y0: &Tensor)
where
    F: Fn(&Tensor, &Tensor) -> R + Clone + Send + Sync + 'static,
{
    let start = Instant::now();
    for _ in 0..200 {
        f(y0, y0).unwrap();
    }
    let per = start.elapsed() / 200;
    let mut best = f64::MAX;
    let mut it = 0;
    for _ in 0..6 {
        let start = Instant::now();
        let s = solve_rows(f.clone(), y0.clone(), (0.0, 2.0))
            .with(Tsit5)
            .tolerance(1e-6, 1e-6)
            .adjoint(NoGradient)
            .run()
            .unwrap();
        best = best.min(start.elapsed().as_secs_f64());
        it = s.statistics.iter().map(|s| s.attempted()).max().unwrap();
        let mean = s.statistics.iter().map(|s| s.attempted()).sum::<usize>() as f64 / 10000.0;
        if it == 0 {
            println!("{mean}");
        }
    }
    println!("{name}: field {per:?}, solve {:.1} ms, {it} iterations", best * 1e3);
}
fn main() {
    let v: Vec<f64> = (0..10000)
        .flat_map(|k| {
            let k = k as f64;
            [
                1.0 + 0.5 * (0.37 * k).sin(),
                1.0 + 0.5 * (0.73 * k).cos(),
                20.0 + 5.0 * (1.1 * k).sin(),
            ]
        })
        .collect();
    let y0 = Tensor::from_vec(v, (10000, 3), &Device::Cpu).unwrap();
    time("columns", columns, &y0);
    time("columns_stack1", columns_stack1, &y0);
    time("products", products(&y0), &y0);
    time("nothing", |_: &Tensor, y: &Tensor| Ok(y.clone()), &y0);
}

//! A differential equation solved inside a module, inside another equation, inside a gradient.

use ansatz::{
    core::{Module, Result},
    nn::Mlp,
    ode::{Rk4, Tsit5, WithArguments, solve},
    ops::{GradCheck, custom_vjp, gradcheck, vjp},
};
use ansatz_tests::ThreeEighths;
use candle_core::{DType, Tensor, Var};

use crate::{Checked, assert_close, flat, mlp, mlp_of, normal, values};

/// `x ↦ head(y(1))` where `y′ = body(y)`, `y(0) = x`.
struct OdeBlock {
    body: Mlp,
    head: Mlp,
}

impl Module for OdeBlock {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let body = self.body.clone();
        let field = move |_t: f64, y: &Tensor| body.forward(y);
        let end = solve(field, x.clone(), (0.0, 1.0)).with(ThreeEighths).steps(3).run()?.y_end;
        self.head.forward(&end)
    }
}

#[test]
fn a_block_inside_a_gradient() -> Checked {
    let (body_sizes, head_sizes) = ([2, 4, 2], [2, 3, 1]);
    let (body, body_store) = mlp(50, &body_sizes);
    let (head, head_store) = mlp(51, &head_sizes);
    let (body_names, head_names) = (body_store.names(), head_store.names());
    let split = body_names.len();
    let inputs =
        [vec![normal(52, &[3, 2], DType::F64)], values(&body_store), values(&head_store)].concat();
    // With respect to the input, to the weights in the field and to those behind the solve.
    let f = |v: &[Tensor]| {
        let block = OdeBlock {
            body: mlp_of(&body_sizes, &body_names, &v[1..=split])?,
            head: mlp_of(&head_sizes, &head_names, &v[1 + split..])?,
        };
        // Operations before the block, too: the solve is in the middle of a graph.
        Ok(block.forward(&v[0].sin()?)?)
    };
    gradcheck(f, &inputs, &GradCheck::default())?;

    // The same block as a plain module object and through `vjp`.
    let block: Box<dyn Module> = Box::new(OdeBlock { body, head });
    let (x, w) = (inputs[0].clone(), normal(53, &[3, 1], DType::F64));
    let leaf = Var::from_tensor(&x)?;
    let store = (block.forward(&leaf)? * &w)?.sum_all()?.backward()?;
    let (_, pullback) = vjp(|x| Ok(vec![block.forward(&x[0])?]), &[x])?;
    let pulled = pullback.apply(std::slice::from_ref(&w))?;
    assert_close(&flat(&pulled.inputs[0]), &flat(store.get(&leaf).unwrap()), 1e-14);
    for var in body_store.vars().iter().chain(&head_store.vars()) {
        let [a, b] = [&pulled.captured, &store].map(|s| flat(s.get(var).unwrap()));
        assert_close(&a, &b, 1e-14);
    }
    Ok(())
}

/// The field of the outer equation solves an inner one at every evaluation.
#[test]
fn an_equation_inside_an_equation() -> Checked {
    let sizes = [2, 3, 2];
    let (_, store) = mlp(54, &sizes);
    let names = store.names();
    let inputs = [vec![normal(55, &[2, 2], DType::F64)], values(&store)].concat();
    let f = |v: &[Tensor]| {
        let model = mlp_of(&sizes, &names, &v[1..])?;
        let outer = move |t: f64, y: &Tensor| -> Result<Tensor> {
            let net = model.clone();
            let inner = move |_s: f64, z: &Tensor| net.forward(z);
            let moved = solve(inner, y.clone(), (0.0, 0.3)).with(ThreeEighths).steps(2).run()?;
            Ok(moved.y_end.affine(-1.0, t)?)
        };
        let run = solve(outer, v[0].clone(), (0.0, 1.0)).with(Rk4).steps(3).run();
        Ok(run.map_err(crate::through)?.y_end)
    };
    gradcheck(f, &inputs, &GradCheck::default())?;
    Ok(())
}

/// A field with a gradient of its own keeps it inside the adjoint.
#[test]
fn a_custom_gradient_inside_a_field() -> Checked {
    // `tanh` whose pullback is doubled: whoever ignores it gets another number.
    let doubled = |x: &Tensor| {
        let y = x.detach().tanh()?;
        let slope = y.sqr()?.affine(-2.0, 2.0)?;
        custom_vjp(&[x], &y, move |g| Ok(vec![Some((g * &slope)?)]))
    };
    let plain = |x: &Tensor| x.tanh();
    let y0 = normal(56, &[4], DType::F64);
    // One short step: dy₁/dy₀ = 1 + h f′(y₀) exactly, for Euler.
    let h = 0.1;
    let gradient = |twice: bool| -> Checked<Vec<f64>> {
        let leaf = Var::from_tensor(&y0)?;
        let start = leaf.as_tensor().clone();
        let field = move |_t: f64, y: &Tensor| -> Result<Tensor> {
            Ok(if twice { doubled(y)? } else { plain(y)? })
        };
        let run = solve(field, start, (0.0, h)).with(ansatz::ode::Euler).steps(1).run()?;
        Ok(flat(run.y_end.sum_all()?.backward()?.get(&leaf).unwrap()))
    };
    let slope: Vec<f64> = flat(&y0).iter().map(|y| 1.0 - y.tanh().powi(2)).collect();
    for (twice, factor) in [(false, 1.0), (true, 2.0)] {
        let expected: Vec<f64> = slope.iter().map(|s| 1.0 + factor * h * s).collect();
        assert_close(&gradient(twice)?, &expected, 1e-14);
    }
    Ok(())
}

/// Two solves behind one another are one solve; so are their gradients.
#[test]
fn solves_compose() -> Checked {
    let (model, store) = mlp(57, &[2, 6, 2]);
    let y0 = normal(58, &[3, 2], DType::F64);
    let flow = |y: &Tensor, span: (f64, f64)| -> Checked<Tensor> {
        let net = model.clone();
        let field = move |t: f64, y: &Tensor| -> Result<Tensor> {
            Ok(net.forward(y)?.affine(t.cos(), 0.0)?)
        };
        Ok(solve(field, y.clone(), span).with(Tsit5).tolerance(1e-11, 1e-11).run()?.y_end)
    };
    let whole = flow(&y0, (0.0, 1.0))?.sqr()?.sum_all()?;
    let parts = flow(&flow(&y0, (0.0, 0.4))?, (0.4, 1.0))?.sqr()?.sum_all()?;
    assert_close(&flat(&whole), &flat(&parts), 1e-9);
    let (whole, parts) = (whole.backward()?, parts.backward()?);
    for var in store.vars() {
        let [a, b] = [&whole, &parts].map(|s| flat(s.get(&var).unwrap()));
        assert_close(&a, &b, 1e-8);
    }
    // There and back again: the identity, whose gradient is the identity.
    let leaf = Var::from_tensor(&y0)?;
    let back = flow(&flow(&leaf, (0.0, 1.0))?, (1.0, 0.0))?;
    assert_close(&flat(&back), &flat(&y0), 1e-9);
    let w = normal(59, &[3, 2], DType::F64);
    let store = (back * &w)?.sum_all()?.backward()?;
    assert_close(&flat(store.get(&leaf).unwrap()), &flat(&w), 1e-8);
    Ok(())
}

/// A field may capture the result of an operation: the gradient goes on to what is behind it, and
/// agrees with an explicit argument.
#[test]
fn captured_results_have_gradients() -> Checked {
    let inputs = [normal(60, &[3, 2], DType::F64), normal(61, &[2, 2], DType::F64)];
    let captured = |v: &[Tensor]| {
        let matrix = v[1].sin()?;
        let field = move |_t: f64, y: &Tensor| y.matmul(&matrix)?.tanh();
        let run = solve(field, v[0].clone(), (0.0, 1.0)).with(ThreeEighths).steps(4).run();
        Ok(run.map_err(crate::through)?.y_end)
    };
    let explicit = |v: &[Tensor]| {
        let field = WithArguments::new(
            |_t: f64, y: &Tensor, a: &[Tensor]| y.matmul(&a[0])?.tanh(),
            vec![v[1].sin()?],
        );
        let run = solve(field, v[0].clone(), (0.0, 1.0)).with(ThreeEighths).steps(4).run();
        Ok(run.map_err(crate::through)?.y_end)
    };
    gradcheck(captured, &inputs, &GradCheck::default())?;
    gradcheck(explicit, &inputs, &GradCheck::default())?;
    Ok(())
}

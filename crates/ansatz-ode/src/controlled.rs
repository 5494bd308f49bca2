//! Controlled differential equations `dy = f(t, y) dX`: [`Controlled`].

use ansatz_core::{Error, Result};
use candle_core::Tensor;

use crate::{ControlPath, VectorField};

/// The vector field `f(t, y) · dX/dt` of the equation `dy = f(t, y) dX(t)` for a path `X`.
///
/// `f` takes a state `[batch, hidden]` to matrices `[batch, hidden, channels]`, which act on the
/// derivative of the path, `[batch, channels]`. It is a closure `|t: f64, y: &Tensor|` or any other
/// [`VectorField`] on tensors but for the shape of its values.
///
/// Gradients flow to what `f` depends on, and to the data behind the path where candle tracks them:
/// the path's tensors are then explicit [`arguments`](VectorField::arguments), before those of `f`.
/// Each evaluation adds a gradient of the size of the whole path, so leave data untracked that need
/// none.
///
/// ```
/// use ansatz_ode::core::candle::{Device, Tensor};
/// use ansatz_ode::{ControlPath, Controlled, DataPath, Tsit5, solve};
///
/// # fn main() -> ansatz_ode::Result<()> {
/// // dy = y dX has the solution y(0) exp(X(t) − X(0)).
/// let data = Tensor::new(&[[[0f64], [0.5], [-0.2]]], &Device::Cpu)?;
/// let path = DataPath::linear(&[0.0, 1.0, 3.0], &data)?;
/// let field = Controlled::new(path.clone(), |_t: f64, y: &Tensor| y.unsqueeze(2));
/// let y0 = Tensor::new(&[[1f64]], &Device::Cpu)?;
/// let solution =
///     solve(field, y0, path.interval()).with(Tsit5).tolerance(1e-8, 1e-8).jumps(path.knots()).run()?;
/// assert!((solution.y_end.to_vec2::<f64>()?[0][0] - (-0.2f64).exp()).abs() < 1e-7);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Controlled<P, F> {
    path: P,
    field: F,
    arguments: Vec<Tensor>,
    /// How many of them belong to the path.
    of_path: usize,
}

impl<P: ControlPath, F: VectorField<Tensor>> Controlled<P, F> {
    /// The field of `dy = field(t, y) dX` along `path`.
    pub fn new(path: P, field: F) -> Self {
        let tensors = path.tensors();
        let tracked = tensors.iter().any(Tensor::track_op);
        let mut arguments = if tracked { tensors.to_vec() } else { Vec::new() };
        let of_path = arguments.len();
        arguments.extend_from_slice(field.arguments());
        Self { path, field, arguments, of_path }
    }

    /// The path.
    pub fn path(&self) -> &P {
        &self.path
    }

    /// `matrices · slope`, row by row of the batch, into `dy`.
    fn product(&self, y: &Tensor, matrices: &Tensor, slope: &Tensor) -> Result<Tensor> {
        let (batch, channels) = (self.path.batch(), self.path.channels());
        let Ok((rows, hidden)) = y.dims2() else {
            return Err(shape("state of a controlled equation", "[batch, hidden]".into(), y));
        };
        if rows != batch {
            let expected = format!("[{batch}, hidden], a row for each path");
            return Err(shape("state of a controlled equation", expected, y));
        }
        if matrices.dims() != [batch, hidden, channels] {
            let expected = format!("[batch = {batch}, hidden = {hidden}, channels = {channels}]");
            return Err(shape("field of a controlled equation", expected, matrices));
        }
        Ok(matrices.matmul(&slope.unsqueeze(2)?)?.squeeze(2)?)
    }
}

fn shape(what: &'static str, expected: String, got: &Tensor) -> Error {
    Error::Shape { what, expected, got: format!("{:?}", got.dims()) }
}

impl<P: ControlPath, F: VectorField<Tensor>> VectorField<Tensor> for Controlled<P, F> {
    fn eval_into(&self, t: f64, y: &Tensor, dy: &mut Tensor) -> Result<()> {
        let slope = self.path.derivative(t)?;
        self.field.eval_into(t, y, dy)?;
        *dy = self.product(y, dy, &slope)?;
        Ok(())
    }

    fn arguments(&self) -> &[Tensor] {
        &self.arguments
    }

    fn eval_with(&self, t: f64, y: &Tensor, arguments: &[Tensor], dy: &mut Tensor) -> Result<()> {
        let (of_path, of_field) = arguments.split_at(self.of_path.min(arguments.len()));
        let slope = match of_path {
            [] => self.path.derivative(t)?,
            tensors => self.path.derivative_with(t, tensors)?,
        };
        self.field.eval_with(t, y, of_field, dy)?;
        *dy = self.product(y, dy, &slope)?;
        Ok(())
    }
}

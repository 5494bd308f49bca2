//! Operators on tensors, on any device.

use ansatz_core::{Jet, Module, jvp};
use ansatz_ops::{Csr, Pullback, matmul, vjp};
use candle_core::Tensor;

use super::check_length;
use crate::{Error, LinearOperator, Properties, Result};

/// A matrix as a tensor, on vectors that are tensors with as many numbers as it has columns.
#[derive(Debug, Clone)]
pub struct TensorMatrix {
    matrix: Tensor,
    properties: Properties,
}

impl TensorMatrix {
    /// `matrix` `[rows, columns]`, of which `properties` hold; these are believed, not checked.
    ///
    /// # Errors
    /// [`Error::Size`] when it does not have two axes.
    pub fn new(matrix: Tensor, properties: Properties) -> Result<Self> {
        if matrix.rank() != 2 {
            return Err(Error::size("axes of a matrix", 2, matrix.rank()));
        }
        Ok(Self { matrix, properties })
    }

    /// The matrix.
    pub fn as_tensor(&self) -> &Tensor {
        &self.matrix
    }
}

/// `apply` to `x` as one column; the result has the shape of `x` where it has as many numbers.
fn on_column(x: &Tensor, rows: usize, apply: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let y = apply(&x.flatten_all()?)?;
    if rows == x.elem_count() { Ok(y.reshape(x.shape())?) } else { Ok(y.reshape(rows)?) }
}

impl LinearOperator<Tensor> for TensorMatrix {
    fn shape(&self) -> [usize; 2] {
        [self.matrix.dims()[0], self.matrix.dims()[1]]
    }

    fn apply_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_input(x)?;
        *y = on_column(x, self.shape()[0], |x| Ok(matmul(&self.matrix, &x.unsqueeze(1)?)?))?;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_transposed_input(x)?;
        let transposed = self.matrix.t()?;
        *y = on_column(x, self.shape()[1], |x| Ok(matmul(&transposed, &x.unsqueeze(1)?)?))?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

/// A sparse matrix whose values are a tensor.
#[derive(Debug, Clone)]
pub struct TensorSparse {
    matrix: Csr,
    properties: Properties,
}

impl TensorSparse {
    /// `matrix`, of which `properties` hold; these are believed, not checked.
    pub fn new(matrix: Csr, properties: Properties) -> Self {
        Self { matrix, properties }
    }

    /// The matrix.
    pub fn as_csr(&self) -> &Csr {
        &self.matrix
    }
}

impl LinearOperator<Tensor> for TensorSparse {
    fn shape(&self) -> [usize; 2] {
        let (rows, columns) = self.matrix.shape();
        [rows, columns]
    }

    fn apply_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_input(x)?;
        *y = on_column(x, self.shape()[0], |x| Ok(self.matrix.matmul(x)?))?;
        Ok(())
    }

    fn apply_transposed_into(&self, x: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_transposed_input(x)?;
        *y = on_column(x, self.shape()[1], |x| Ok(self.matrix.transposed_matmul(x)?))?;
        Ok(())
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

/// The Jacobian of a function of tensors at a point, exact and without a matrix: applied by a jet of
/// order one, transposed by candle's backward pass through one evaluation that is kept.
pub struct Jacobian<F> {
    function: F,
    x: Tensor,
    value: Tensor,
    pullback: Pullback,
}

impl<F: Module<Jet> + Module<Tensor>> Jacobian<F> {
    /// Of `function` at `x`.
    ///
    /// # Errors
    /// Those of the function.
    pub fn new(function: F, x: &Tensor) -> Result<Self> {
        let x = x.detach();
        let evaluate = |x: &[Tensor]| {
            let y = Module::<Tensor>::forward(&function, &x[0]);
            Ok(vec![y.map_err(ansatz_ops::Error::custom)?])
        };
        let (mut values, pullback) = vjp(evaluate, std::slice::from_ref(&x))?;
        let value = values.remove(0);
        Ok(Self { function, x, value, pullback })
    }

    /// The value of the function at the point.
    pub fn value(&self) -> &Tensor {
        &self.value
    }
}

impl<F: Module<Jet> + Module<Tensor>> LinearOperator<Tensor> for Jacobian<F> {
    fn shape(&self) -> [usize; 2] {
        [self.value.elem_count(), self.x.elem_count()]
    }

    /// `y` gets the shape of the function's value.
    fn apply_into(&self, v: &Tensor, y: &mut Tensor) -> Result<()> {
        check_length("argument of a Jacobian", self.x.elem_count(), v.elem_count())?;
        *y = jvp(&self.function, &self.x, &v.reshape(self.x.shape())?)?.1;
        Ok(())
    }

    /// `y` gets the shape of the function's argument.
    fn apply_transposed_into(&self, g: &Tensor, y: &mut Tensor) -> Result<()> {
        self.check_transposed_input(g)?;
        let gradients = self.pullback.apply(&[g.reshape(self.value.shape())?])?;
        *y = gradients.inputs[0].clone();
        Ok(())
    }
}

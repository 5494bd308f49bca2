//! [`TensorLike`] for [`Jet`].

use ansatz_ops::{Dense, custom_vjp, matmul};
use candle_core::{DType, Device, Shape, Tensor};

use super::{
    Jet,
    recurrences::{Evaluated, evaluate},
    series::Series,
};
use crate::{
    Error, Pointwise, Result, TensorLike,
    conv::conv,
    stacked::{self, stacked_methods},
};

impl TensorLike for Jet {
    stacked_methods!();

    fn bilinear<E>(
        &self,
        rhs: &Self,
        map: impl Fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    ) -> Result<Self>
    where
        Error: From<E>,
    {
        self.check_kind(rhs)?;
        let (a, b) = (stacked::rows(&self.stack)?, stacked::rows(&rhs.stack)?);
        let row = |k: usize, d: usize| if k == 0 { 0 } else { 1 + (k - 1) * self.directions + d };
        let mut rows = Vec::with_capacity(a.len());
        rows.push(map(&a[0], &b[0])?);
        for n in 1..a.len() {
            let (k, d) = ((n - 1) / self.directions + 1, (n - 1) % self.directions);
            let mut sum = map(&a[0], &b[n])?;
            for j in 1..=k {
                sum = (sum + map(&a[row(j, d)], &b[row(k - j, d)])?)?;
            }
            rows.push(sum);
        }
        Ok(self.with(Tensor::stack(&rows, 0)?))
    }

    fn pointwise(&self, function: Pointwise) -> Result<Self> {
        if self.stack.dim(0)? == 1 {
            return Ok(self.with(function.apply(&self.stack)?));
        }
        let Evaluated { value, derivative } =
            evaluate(function, &self.series()?, self.stack.track_op())?;
        let output = value.to_stack()?;
        let Some(derivative) = derivative else { return Ok(self.with(output)) };
        let (order, directions) = (self.order, self.directions);
        let stack = custom_vjp(&[&self.stack], &output, move |g| {
            let g = Series::from_stack(g, order, directions)?;
            Ok(vec![Some(derivative.pull_back(&g)?.to_stack()?)])
        })?;
        Ok(self.with(stack))
    }

    fn mul(&self, rhs: &Self) -> Result<Self> {
        self.check_kind(rhs)?;
        let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
        if a.dim(0)? == 1 {
            return Ok(self.with(a.broadcast_mul(&b)?));
        }
        let (order, directions) = (self.order, self.directions);
        let x = Series::from_stack(&a, order, directions)?;
        let y = Series::from_stack(&b, order, directions)?;
        let output = x.product(&y)?.to_stack()?;
        let (a_shape, b_shape) = (a.dims().to_vec(), b.dims().to_vec());
        let (a_tracked, b_tracked) = (a.track_op(), b.track_op());
        let stack = custom_vjp(&[&a, &b], &output, move |g| {
            let g = Series::from_stack(g, order, directions)?;
            let pull = |factor: &Series, shape: &[usize]| {
                stacked::reduce_to(&factor.pull_back(&g)?.to_stack()?, shape)
            };
            Ok(vec![
                if a_tracked { Some(pull(&y, &a_shape)?) } else { None },
                if b_tracked { Some(pull(&x, &b_shape)?) } else { None },
            ])
        })?;
        Ok(self.with(stack))
    }

    fn matmul(&self, rhs: &Self) -> Result<Self> {
        self.check_kind(rhs)?;
        let (a, b) = stacked::align_both(&self.stack, &rhs.stack)?;
        let rows = a.dim(0)?;
        if rows == 1 {
            return Ok(self.with(matmul(&a, &b)?));
        }
        let block =
            |t: &Tensor, k: usize| t.narrow(0, 1 + (k - 1) * self.directions, self.directions);
        let (a0, b0) = (a.narrow(0, 0, 1)?, b.narrow(0, 0, 1)?);
        let mut blocks = vec![matmul(&a0, &b0)?];
        // The products with the values, for all orders at once.
        let outer =
            (matmul(&a0, &b.narrow(0, 1, rows - 1)?)? + matmul(&a.narrow(0, 1, rows - 1)?, &b0)?)?;
        for k in 1..=self.order {
            let mut sum = outer.narrow(0, (k - 1) * self.directions, self.directions)?;
            for j in 1..k {
                sum = (sum + matmul(&block(&a, j)?, &block(&b, k - j)?)?)?;
            }
            blocks.push(sum);
        }
        Ok(self.with(Tensor::cat(&blocks, 0)?))
    }
}

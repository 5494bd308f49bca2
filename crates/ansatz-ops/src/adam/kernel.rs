//! The step of Adam for one parameter on the CPU, in place.

use std::cell::Cell;

use candle_core::{CpuStorage, InplaceOp1, Layout, Tensor, Var, backend::BackendStorage};
use rayon::prelude::*;

use super::{AdamSlot, Coefficients, PARALLEL_FROM};
use crate::{
    Error, Result,
    cpu::{by_float, values, vectorised},
    pointwise::Real,
};

/// One parameter with its gradient, contiguous and outside of all that the step writes.
pub(super) struct One<'a> {
    pub(super) slot: &'a AdamSlot<'a>,
    pub(super) gradient: &'a Tensor,
    pub(super) coefficients: Coefficients,
}

/// Elements of a piece of work.
const BLOCK: usize = 16 * 1024;

pub(super) fn step(one: &One<'_>) -> Result<()> {
    let slot = one.slot;
    by_float!(one.gradient, T => {
        let g = values::<T>(one.gradient)?;
        let c = Numbers::<T>::from(&one.coefficients);
        lend(slot.parameter, |x: &mut [T]| {
            lend(slot.first, |m: &mut [T]| lend(slot.second, |v: &mut [T]| {
                update(x, m, v, &g, &c);
                Ok(())
            }))
        })?;
        Ok(())
    }, _ => super::composed::step(one))
}

fn update<T: Real>(x: &mut [T], m: &mut [T], v: &mut [T], g: &[T], c: &Numbers<T>) {
    let run = |(((x, m), v), g): (((&mut [T], &mut [T]), &mut [T]), &[T])| {
        vectorised!(kernel, (x, m, v, g, c));
    };
    if x.len() < PARALLEL_FROM || rayon::current_num_threads() == 1 {
        run((((x, m), v), g));
    } else {
        x.par_chunks_mut(BLOCK)
            .zip(m.par_chunks_mut(BLOCK))
            .zip(v.par_chunks_mut(BLOCK))
            .zip(g.par_chunks(BLOCK))
            .for_each(run);
    }
}

#[inline(always)]
fn kernel<T: Real>((x, m, v, g, c): (&mut [T], &mut [T], &mut [T], &[T], &Numbers<T>)) {
    let c = *c;
    let n = x.len();
    let (m, v, g) = (&mut m[..n], &mut v[..n], &g[..n]);
    for i in 0..n {
        let scaled = c.factor * g[i];
        let bounded = if scaled > c.limit { c.limit } else { scaled };
        let bounded = if bounded < -c.limit { -c.limit } else { bounded };
        let used = bounded + c.l2 * x[i];
        let first = m[i] + c.first * (used - m[i]);
        let second = c.beta2 * v[i] + c.second * used * used;
        m[i] = first;
        v[i] = second;
        x[i] = c.keep * x[i] - c.rate * first / (second.sqrt() * c.root + c.epsilon);
    }
}

/// [`Coefficients`] in the precision of the parameter.
#[derive(Clone, Copy)]
struct Numbers<T> {
    factor: T,
    limit: T,
    l2: T,
    first: T,
    beta2: T,
    second: T,
    keep: T,
    rate: T,
    root: T,
    epsilon: T,
}

impl<T: Real> Numbers<T> {
    fn from(c: &Coefficients) -> Self {
        Self {
            factor: T::c(c.factor),
            limit: T::c(c.limit),
            l2: T::c(c.l2),
            first: T::c(c.first),
            beta2: T::c(c.beta2),
            second: T::c(c.second),
            keep: T::c(c.keep),
            rate: T::c(c.rate),
            root: T::c(c.root),
            epsilon: T::c(c.epsilon),
        }
    }
}

/// Calls `work` with the elements of a contiguous variable on the CPU, under its lock.
fn lend<T: Real>(
    x: &Var,
    work: impl FnOnce(&mut [T]) -> candle_core::Result<()>,
) -> candle_core::Result<()> {
    x.inplace_op1(&Lend { work: Cell::new(Some(work)), number: std::marker::PhantomData })
}

struct Lend<T, F> {
    work: Cell<Option<F>>,
    number: std::marker::PhantomData<T>,
}

impl<T: Real, F: FnOnce(&mut [T]) -> candle_core::Result<()>> InplaceOp1 for Lend<T, F> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let got = storage.dtype();
        if let (Some(work), Some(values), Some((start, end))) =
            (self.work.take(), T::slice_mut(storage), layout.contiguous_offsets())
        {
            work(&mut values[start..end])
        } else {
            let what = "elements of a contiguous CPU tensor";
            Err(Error::DType { what, expected: T::DTYPE, got }.into())
        }
    }
}

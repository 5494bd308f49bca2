//! The step of Adam as candle operations, for devices and dtypes without a kernel.

use super::kernel::One;
use crate::Result;

pub(super) fn step(one: &One<'_>) -> Result<()> {
    let (c, slot) = (&one.coefficients, one.slot);
    let mut g = one.gradient.affine(c.factor, 0.0)?;
    if c.limit.is_finite() {
        g = g.clamp(-c.limit, c.limit)?;
    }
    if c.l2 != 0.0 {
        g = (g + slot.parameter.as_tensor().detach().affine(c.l2, 0.0)?)?;
    }
    let kept = slot.first.as_tensor().detach().affine(1.0 - c.first, 0.0)?;
    let first = (kept + g.affine(c.first, 0.0)?)?;
    let kept = slot.second.as_tensor().detach().affine(c.beta2, 0.0)?;
    let second = (kept + g.sqr()?.affine(c.second, 0.0)?)?;
    let change = (first.affine(c.rate, 0.0)? / second.sqrt()?.affine(c.root, c.epsilon)?)?;
    let moved = (slot.parameter.as_tensor().detach().affine(c.keep, 0.0)? - change)?;
    slot.first.set(&first)?;
    slot.second.set(&second)?;
    Ok(slot.parameter.set(&moved)?)
}

//! Prefixes under any associative operation, to a depth of log n: [`associative_scan`].

use candle_core::{Tensor, shape::Dim};

use super::Direction;
use crate::{Error, Result};

/// All prefixes `e₀`, `e₀ ∘ e₁`, `e₀ ∘ e₁ ∘ e₂`, … along `dim` under the associative `op`.
///
/// An element is a tuple of tensors, for example a matrix and a vector; `elements` holds one tensor
/// for each entry of the tuple, with equal lengths `n` along `dim` and any other shape. `op(a, b)`
/// receives two tuples with `m ≤ n` elements along `dim` and combines them one by one: `a` is what
/// comes earlier in the scan. It need not commute. In [`Direction::Reverse`] the scan starts at the
/// end, and the later element along the axis is `a`.
///
/// `op` is called about `2 log₂ n` times, on `2 n` elements in total: the recursion over pairs of
/// G. E. Blelloch (1990, *Prefix sums and their applications*). Gradients are those of `op` and of
/// narrowing and joining, of every order. Use it for operations that have no kernel here and on
/// other devices; [`linear_recurrence`](super::linear_recurrence) and its siblings are faster on the
/// CPU.
///
/// # Errors
/// [`Error::Count`] when there is no tensor, their lengths along `dim` differ, or `op` returns
/// another number of tensors; whatever `op` returns, or candle fails.
///
/// # Example
/// Products of rotations, as cosine and sine:
/// ```
/// use ansatz_ops::scan::{Direction, associative_scan};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// let angles = Tensor::new(&[0.1f64, 0.2, 0.3], &Device::Cpu)?;
/// let rotations = [angles.cos()?, angles.sin()?];
/// let all = associative_scan(
///     |a, b| {
///         let cos = ((&a[0] * &b[0])? - (&a[1] * &b[1])?)?;
///         let sin = ((&a[1] * &b[0])? + (&a[0] * &b[1])?)?;
///         Ok(vec![cos, sin])
///     },
///     &rotations,
///     0,
///     Direction::Forward,
/// )?;
/// let last = all[1].get(2)?.to_scalar::<f64>()?;
/// assert!((last - 0.6f64.sin()).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn associative_scan<D: Dim>(
    op: impl Fn(&[Tensor], &[Tensor]) -> Result<Vec<Tensor>>,
    elements: &[Tensor],
    dim: D,
    direction: Direction,
) -> Result<Vec<Tensor>> {
    let Some(first) = elements.first() else {
        return Err(Error::Count { what: "associative_scan: tensors", expected: 1, got: 0 });
    };
    let dim = dim.to_index(first.shape(), "associative_scan")?;
    let n = first.dim(dim)?;
    for x in elements {
        if x.dim(dim)? != n {
            return Err(Error::Count {
                what: "associative_scan: elements of a tensor along the axis",
                expected: n,
                got: x.dim(dim)?,
            });
        }
    }
    match direction {
        Direction::Forward => prefixes(&op, elements, dim, n),
        Direction::Reverse => {
            let flip = |all: &[Tensor]| -> Result<Vec<Tensor>> {
                if n < 2 {
                    return Ok(all.to_vec());
                }
                all.iter().map(|x| Ok(x.flip(&[dim])?)).collect()
            };
            flip(&prefixes(&op, &flip(elements)?, dim, n)?)
        }
    }
}

fn prefixes(
    op: &impl Fn(&[Tensor], &[Tensor]) -> Result<Vec<Tensor>>,
    elements: &[Tensor],
    dim: usize,
    n: usize,
) -> Result<Vec<Tensor>> {
    if n < 2 {
        return Ok(elements.to_vec());
    }
    let combine = |a: &[Tensor], b: &[Tensor]| -> Result<Vec<Tensor>> {
        let all = op(a, b)?;
        if all.len() != elements.len() {
            let what = "associative_scan: tensors returned by the operation";
            return Err(Error::Count { what, expected: elements.len(), got: all.len() });
        }
        Ok(all)
    };
    let pairs = n / 2;
    // Elements 0, 2, 4, … and 1, 3, 5, …, as many as there are pairs.
    let every_other = |offset: usize| -> Result<Vec<Tensor>> {
        let pick = |x: &Tensor| -> Result<Tensor> {
            let mut dims = x.dims().to_vec();
            dims.splice(dim..=dim, [pairs, 2]);
            let paired = x.narrow(dim, 0, 2 * pairs)?.contiguous()?.reshape(dims)?;
            Ok(paired.narrow(dim + 1, offset, 1)?.squeeze(dim + 1)?.contiguous()?)
        };
        elements.iter().map(pick).collect()
    };
    let narrow = |all: &[Tensor], start, len| -> Result<Vec<Tensor>> {
        all.iter().map(|x| Ok(x.narrow(dim, start, len)?.contiguous()?)).collect()
    };
    let evens = every_other(0)?;
    // The prefixes that end at 1, 3, 5, ….
    let odd = prefixes(op, &combine(&evens, &every_other(1)?)?, dim, pairs)?;
    // Those that end at 2, 4, …: one element more.
    let later = (n - 1) / 2;
    let even = if later > 0 {
        let mut next = narrow(&evens, 1, pairs - 1)?;
        if n % 2 == 1 {
            let last = narrow(elements, n - 1, 1)?;
            next = next
                .iter()
                .zip(&last)
                .map(|(x, y)| Ok(if pairs > 1 { Tensor::cat(&[x, y], dim)? } else { y.clone() }))
                .collect::<Result<_>>()?;
        }
        Some(combine(&narrow(&odd, 0, later)?, &next)?)
    } else {
        None
    };
    (0..elements.len())
        .map(|i| {
            let x = &elements[i];
            let start = x.narrow(dim, 0, 1)?;
            // 0 | 1 2 | 3 4 | … and, for an even length, the last one alone.
            let Some(even) = &even else { return Ok(Tensor::cat(&[&start, &odd[i]], dim)?) };
            let paired = Tensor::stack(&[&odd[i].narrow(dim, 0, later)?, &even[i]], dim + 1)?;
            let mut dims = odd[i].dims().to_vec();
            dims[dim] = 2 * later;
            let paired = paired.reshape(dims)?;
            if n % 2 == 1 {
                Ok(Tensor::cat(&[&start, &paired], dim)?)
            } else {
                let last = odd[i].narrow(dim, pairs - 1, 1)?;
                Ok(Tensor::cat(&[&start, &paired, &last], dim)?)
            }
        })
        .collect()
}

//! Which row is sent where: [`Edges`].

use candle_core::Tensor;

use super::segments::{Segments, read_ids};
use crate::{Error, Result};

/// Directed edges from source rows to target rows, sorted both ways.
///
/// Edge `e` leads from row `source[e]` of one tensor to row `target[e]` of another (or the same).
/// Both groupings of the edges, by target and by source, are made once: what one direction needs
/// forwards the other needs backwards. Cloning is cheap, and so is [`reversed`](Self::reversed).
///
/// ```
/// use ansatz_ops::{Edges, gather_segment_sum};
/// use candle_core::{Device, Tensor};
///
/// # fn main() -> ansatz_ops::Result<()> {
/// // 0 → 1, 2 → 1, 1 → 0
/// let source = Tensor::new(&[0u32, 2, 1], &Device::Cpu)?;
/// let target = Tensor::new(&[1u32, 1, 0], &Device::Cpu)?;
/// let edges = Edges::new(&source, &target, 3, 3)?;
/// let x = Tensor::new(&[[1.0f64], [10.0], [100.0]], &Device::Cpu)?;
/// let sums = gather_segment_sum(&x, None, &edges)?;
/// assert_eq!(sums.to_vec2::<f64>()?, [[10.0], [101.0], [0.0]]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Edges {
    into: Side,
    out_of: Side,
}

/// The edges grouped by one of their ends.
#[derive(Debug, Clone)]
struct Side {
    segments: Segments,
    /// The other end of each edge, in the order of the groups.
    others: std::sync::Arc<[u32]>,
}

impl Side {
    fn new(segments: Segments, other: &[u32]) -> Self {
        let others = match segments.order() {
            Some(order) => order.iter().map(|&e| other[e as usize]).collect(),
            None => other.into(),
        };
        Self { segments, others }
    }
}

impl Edges {
    /// From the source and the target row of each edge: two tensors `[edges]` of dtype u8, u32 or
    /// i64, on any device, in any order, and how many rows there are on either side.
    ///
    /// # Errors
    /// [`Error::Count`] when the two differ in length; otherwise as [`Segments::new`].
    pub fn new(source: &Tensor, target: &Tensor, sources: usize, targets: usize) -> Result<Self> {
        let from = read_ids("source of an edge", source, sources)?;
        let to = read_ids("target of an edge", target, targets)?;
        Self::from_ids(from, to, sources, targets)
    }

    /// From numbers that are known to be in range.
    pub(crate) fn from_ids(
        from: Vec<u32>,
        to: Vec<u32>,
        sources: usize,
        targets: usize,
    ) -> Result<Self> {
        if from.len() != to.len() {
            let what = "targets of edges, one for each source";
            return Err(Error::Count { what, expected: from.len(), got: to.len() });
        }
        let (from, to) = (Segments::from_ids(from, sources)?, Segments::from_ids(to, targets)?);
        let into = Side::new(to.clone(), from.ids());
        let out_of = Side::new(from, to.ids());
        Ok(Self { into, out_of })
    }

    /// Number of edges.
    pub fn len(&self) -> usize {
        self.into.segments.rows()
    }

    /// Whether there is no edge.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The edges by target: segment `t` holds the edges into row `t`.
    pub fn by_target(&self) -> &Segments {
        &self.into.segments
    }

    /// The edges by source: segment `s` holds the edges out of row `s`.
    pub fn by_source(&self) -> &Segments {
        &self.out_of.segments
    }

    /// The same edges from target to source.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { into: self.out_of.clone(), out_of: self.into.clone() }
    }

    /// The sources in the order of the edges by target.
    pub(super) fn sources_by_target(&self) -> &[u32] {
        &self.into.others
    }
}

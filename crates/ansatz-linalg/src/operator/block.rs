//! Block matrices whose blocks are operators.

use std::sync::Arc;

use crate::{Error, LinearOperator, Properties, Result};

/// One block; `None` is zero.
type Block = Option<Arc<dyn LinearOperator<Vec<f64>> + Send + Sync>>;

/// A matrix of blocks. A vector is that of the block columns one after the other.
#[derive(Clone)]
pub struct Blocks {
    all: Vec<Vec<Block>>,
    /// Rows of the block rows, columns of the block columns.
    heights: Vec<usize>,
    widths: Vec<usize>,
}

impl std::fmt::Debug for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blocks")
            .field("heights", &self.heights)
            .field("widths", &self.widths)
            .finish_non_exhaustive()
    }
}

impl Blocks {
    /// From rows of blocks.
    ///
    /// # Errors
    /// [`Error::Size`] when the rows have different numbers of blocks or neighbours differ in
    /// size, [`Error::InvalidArgument`] when there is no block in some row or column, so that its
    /// size is not known.
    pub fn new(blocks: Vec<Vec<Block>>) -> Result<Self> {
        let count = blocks.first().map_or(0, Vec::len);
        let mut heights = vec![None; blocks.len()];
        let mut widths = vec![None; count];
        for (i, row) in blocks.iter().enumerate() {
            if row.len() != count {
                return Err(Error::size("row of blocks", format!("{count} blocks"), row.len()));
            }
            for (j, block) in row.iter().enumerate() {
                let Some(block) = block else { continue };
                let [height, width] = block.shape();
                for (known, got) in [(&mut heights[i], height), (&mut widths[j], width)] {
                    if *known.get_or_insert(got) != got {
                        let expected = format!("{} as beside it", known.unwrap_or_default());
                        let what = "rows or columns of a block";
                        return Err(Error::size(what, expected, format!("{got} in ({i}, {j})")));
                    }
                }
            }
        }
        let sizes = |sizes: Vec<Option<usize>>, what| -> Result<Vec<usize>> {
            let missing = |i| Error::invalid(what, i, "one with at least one block");
            sizes.into_iter().enumerate().map(|(i, n)| n.ok_or_else(|| missing(i))).collect()
        };
        let heights = sizes(heights, "row of blocks")?;
        let widths = sizes(widths, "column of blocks")?;
        Ok(Self { all: blocks, heights, widths })
    }

    /// Blocks on the diagonal alone.
    ///
    /// # Errors
    /// As [`Blocks::new`].
    pub fn diagonal(blocks: Vec<Arc<dyn LinearOperator<Vec<f64>> + Send + Sync>>) -> Result<Self> {
        let count = blocks.len();
        let row = |(i, block)| {
            let mut row: Vec<Block> = vec![None; count];
            row[i] = Some(block);
            row
        };
        Self::new(blocks.into_iter().enumerate().map(row).collect())
    }

    fn multiply(&self, x: &[f64], y: &mut Vec<f64>, transposed: bool) -> Result<()> {
        let (outputs, inputs) =
            if transposed { (&self.widths, &self.heights) } else { (&self.heights, &self.widths) };
        y.clear();
        y.resize(outputs.iter().sum(), 0.0);
        let (mut part, mut image) = (Vec::new(), Vec::new());
        let mut from = 0;
        for (j, width) in inputs.iter().enumerate() {
            part.clear();
            part.extend_from_slice(&x[from..from + width]);
            from += width;
            let mut to = 0;
            for (i, height) in outputs.iter().enumerate() {
                let block = if transposed { &self.all[j][i] } else { &self.all[i][j] };
                if let Some(block) = block {
                    if transposed {
                        block.apply_transposed_into(&part, &mut image)?;
                    } else {
                        block.apply_into(&part, &mut image)?;
                    }
                    let y = &mut y[to..to + height];
                    y.iter_mut().zip(&image).for_each(|(y, x)| *y += x);
                }
                to += height;
            }
        }
        Ok(())
    }
}

impl LinearOperator<Vec<f64>> for Blocks {
    fn shape(&self) -> [usize; 2] {
        [self.heights.iter().sum(), self.widths.iter().sum()]
    }

    fn apply_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_input(x)?;
        self.multiply(x, y, false)
    }

    fn apply_transposed_into(&self, x: &Vec<f64>, y: &mut Vec<f64>) -> Result<()> {
        self.check_transposed_input(x)?;
        self.multiply(x, y, true)
    }

    /// Those of a block diagonal matrix with square blocks; nothing otherwise.
    fn properties(&self) -> Properties {
        let mut all = None::<Properties>;
        for (i, row) in self.all.iter().enumerate() {
            for (j, block) in row.iter().enumerate() {
                match block {
                    Some(block) if i == j && self.heights[i] == self.widths[i] => {
                        let own = block.properties();
                        all = Some(all.map_or(own, |all| all.of_sum(own)));
                    }
                    None if i != j => {}
                    _ => return Properties::NONE,
                }
            }
        }
        all.unwrap_or_default()
    }
}

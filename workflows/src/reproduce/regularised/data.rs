//! The data set `mnist5k`, split into training and test images.
use ansatz::core::Key;
use ansatz::data::{DataDir, Dataset};
use candle_core::{DType, Device, Tensor};

use crate::AnyError;

/// Images `[n, pixels]` from 0 to 1 with their classes `[n]`.
#[derive(Debug, Clone)]
pub(in crate::reproduce) struct Images {
    pub(in crate::reproduce) pixels: Tensor,
    pub(in crate::reproduce) classes: Tensor,
}

impl Images {
    /// All images of `mnist5k`, sorted by class, pixels of `dtype`.
    pub(in crate::reproduce) fn mnist(dtype: DType) -> Result<Self, AnyError> {
        let arrays = Dataset::find("mnist5k")?.open(&DataDir::from_env())?.arrays()?;
        let images = arrays.get("images", &Device::Cpu)?;
        let classes = arrays.get("y", &Device::Cpu)?.to_dtype(DType::U32)?;
        Ok(Self { pixels: (images.flatten_from(1)?.to_dtype(dtype)? / 255.0)?, classes })
    }

    /// These rows.
    pub(in crate::reproduce) fn rows(&self, rows: &[usize]) -> Result<Self, AnyError> {
        let rows = rows.iter().map(|&row| u32::try_from(row)).collect::<Result<Vec<_>, _>>()?;
        let rows = Tensor::new(rows, self.pixels.device())?;
        let pixels = self.pixels.index_select(&rows, 0)?;
        Ok(Self { pixels, classes: self.classes.index_select(&rows, 0)? })
    }

    /// How many images.
    pub(in crate::reproduce) fn len(&self) -> usize {
        self.classes.elem_count()
    }

    /// A random part of `test` images, and the rest: `[rest, test]`.
    pub(in crate::reproduce) fn split(
        &self,
        test: usize,
        key: &Key,
    ) -> Result<[Self; 2], AnyError> {
        if test >= self.len() {
            return Err(format!("{test} test images of {}: none is left", self.len()).into());
        }
        let order = key.permutation(self.len());
        let (test, rest) = order.split_at(test);
        Ok([self.rows(rest)?, self.rows(test)?])
    }

    /// A random batch, without repetition.
    pub(in crate::reproduce) fn batch(&self, size: usize, key: &Key) -> Result<Self, AnyError> {
        let order = key.permutation(self.len());
        self.rows(&order[..size.min(order.len())])
    }
}

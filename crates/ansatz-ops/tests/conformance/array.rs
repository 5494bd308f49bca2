//! Arrays of f64 that the loops of the reference run over.

use candle_core::{DType, Device, Tensor};

/// Row-major.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f64>,
}

impl Array {
    /// The array with the element `f(index)` at each index.
    pub(crate) fn from_fn(shape: &[usize], f: impl Fn(&[usize]) -> f64) -> Self {
        let count: usize = shape.iter().product();
        let mut index = vec![0; shape.len()];
        let data = (0..count)
            .map(|_| {
                let value = f(&index);
                for axis in (0..shape.len()).rev() {
                    index[axis] += 1;
                    if index[axis] < shape[axis] {
                        break;
                    }
                    index[axis] = 0;
                }
                value
            })
            .collect();
        Self { shape: shape.to_vec(), data }
    }

    pub(crate) fn at(&self, index: &[usize]) -> f64 {
        assert_eq!(index.len(), self.shape.len());
        self.data[index.iter().zip(&self.shape).fold(0, |flat, (i, n)| flat * n + i)]
    }

    /// The element at an index into a larger shape that this one broadcasts to.
    pub(crate) fn broadcast_at(&self, index: &[usize]) -> f64 {
        let own = &index[index.len() - self.shape.len()..];
        let own: Vec<usize> =
            own.iter().zip(&self.shape).map(|(&i, &n)| if n == 1 { 0 } else { i }).collect();
        self.at(&own)
    }

    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| f(x)).collect() }
    }

    /// The shape without, or with 1 at, `axis`, each element made from the line along it.
    pub(crate) fn along(&self, axis: usize, keep: bool, f: impl Fn(&[f64]) -> f64) -> Self {
        let mut kept = self.shape.clone();
        kept[axis] = 1;
        let mut result = Self::from_fn(&kept, |index| {
            let line: Vec<f64> = (0..self.shape[axis])
                .map(|k| {
                    let mut index = index.to_vec();
                    index[axis] = k;
                    self.at(&index)
                })
                .collect();
            f(&line)
        });
        if !keep {
            result.shape.remove(axis);
        }
        result
    }

    pub(crate) fn tensor(&self, dtype: DType, device: &Device) -> Tensor {
        let cpu = Tensor::from_slice(&self.data, &self.shape[..], &Device::Cpu).unwrap();
        cpu.to_dtype(dtype).unwrap().to_device(device).unwrap()
    }
}

//! What an iterative method needs to know of a vector: [`Vector`], and a dense matrix: [`Components`].

mod complex;
mod norm;
#[cfg(feature = "candle")]
pub(crate) mod tensor;

use ansatz_core::State;
use rayon::prelude::*;

use crate::{Error, Result, operator::check_length};

/// An element of a space with an inner product.
///
/// Implemented for `f64`, `[f64; N]`, `Vec<f64>`, the same of complex numbers and, with the feature `candle`, tensors of any
/// shape, whose components are all numbers of the tensor. Sums and multiples are those of
/// [`State`].
pub trait Vector: State {
    /// The inner product `Σ selfᵢ otherᵢ`, the same bits for any number of threads.
    ///
    /// # Errors
    /// When the two differ in size, dtype or device.
    fn inner(&self, other: &Self) -> Result<f64>;

    /// `self ← keep · self + factor · x`, in place where the vector can.
    ///
    /// # Errors
    /// When the two differ in size, dtype or device.
    fn axpby(&mut self, keep: f64, factor: f64, x: &Self) -> Result<()> {
        let old = self.clone();
        Ok(self.combine(None, 1.0, &[keep, factor], &[old, x.clone()])?)
    }

    /// `self ← factor · self`, in place where the vector can.
    ///
    /// # Errors
    /// When it cannot be computed.
    fn scale_in_place(&mut self, factor: f64) -> Result<()> {
        let old = self.clone();
        Ok(self.combine(None, factor, &[1.0], &[old])?)
    }

    /// The zero vector of the same size.
    ///
    /// # Errors
    /// When it cannot be made.
    fn zero_like(&self) -> Result<Self> {
        let mut zero = self.clone();
        zero.combine(None, 1.0, &[], &[])?;
        Ok(zero)
    }

    /// The inner products with several others.
    ///
    /// # Errors
    /// As [`Vector::inner`].
    fn inner_all(&self, others: &[Self]) -> Result<Vec<f64>> {
        others.iter().map(|other| other.inner(self)).collect()
    }

    /// The 2-norm. Those of this crate are right where the squares of the components are too large or
    /// too small for their format, so that only zero has the norm zero; the one provided here is
    /// `√⟨x, x⟩`.
    ///
    /// # Errors
    /// When the components cannot be read.
    fn norm2(&self) -> Result<f64> {
        Ok(self.inner(self)?.sqrt())
    }

    /// The distance from 1 to the next number of its kind.
    fn epsilon(&self) -> f64 {
        f64::EPSILON
    }

    /// Itself without the graph that it was computed by, which a tensor may have. A method that
    /// keeps vectors from one iteration to the next would keep all graphs otherwise.
    #[must_use]
    fn detached(self) -> Self {
        self
    }
}

/// A vector whose components can be read and set one by one, as dense matrices need them; in the
/// order of storage.
pub trait Components: Vector {
    /// The components.
    ///
    /// # Errors
    /// When they cannot be read.
    fn components(&self) -> Result<Vec<f64>>;

    /// A vector like this one with other components.
    ///
    /// # Errors
    /// When there are not as many of them.
    fn with_components(&self, components: Vec<f64>) -> Result<Self>;

    /// Copies the components to `out`.
    ///
    /// # Errors
    /// When there are not as many of them, or they cannot be read.
    fn read_into(&self, out: &mut [f64]) -> Result<()> {
        let all = self.components()?;
        check_length("room for the components of a vector", all.len(), out.len())?;
        out.copy_from_slice(&all);
        Ok(())
    }

    /// Sets the components.
    ///
    /// # Errors
    /// When there are not as many of them.
    fn write_from(&mut self, components: &[f64]) -> Result<()> {
        *self = self.with_components(components.to_vec())?;
        Ok(())
    }
}

impl Components for f64 {
    fn components(&self) -> Result<Vec<f64>> {
        Ok(vec![*self])
    }

    fn with_components(&self, components: Vec<f64>) -> Result<Self> {
        check_length("components of a number", 1, components.len())?;
        Ok(components[0])
    }

    fn read_into(&self, out: &mut [f64]) -> Result<()> {
        check_length("room for the components of a vector", 1, out.len())?;
        out[0] = *self;
        Ok(())
    }

    fn write_from(&mut self, components: &[f64]) -> Result<()> {
        check_length("components of a number", 1, components.len())?;
        *self = components[0];
        Ok(())
    }
}

impl<const N: usize> Components for [f64; N] {
    fn components(&self) -> Result<Vec<f64>> {
        Ok(self.to_vec())
    }

    fn with_components(&self, components: Vec<f64>) -> Result<Self> {
        let got = components.len();
        components.try_into().map_err(|_| Error::size("components of an array", N, got))
    }

    fn read_into(&self, out: &mut [f64]) -> Result<()> {
        check_length("room for the components of a vector", self.len(), out.len())?;
        out.copy_from_slice(self);
        Ok(())
    }

    fn write_from(&mut self, components: &[f64]) -> Result<()> {
        check_length("components of a vector", self.len(), components.len())?;
        self.copy_from_slice(components);
        Ok(())
    }
}

impl Components for Vec<f64> {
    fn components(&self) -> Result<Vec<f64>> {
        Ok(self.clone())
    }

    fn with_components(&self, components: Vec<f64>) -> Result<Self> {
        check_length("components of a vector", self.len(), components.len())?;
        Ok(components)
    }

    fn read_into(&self, out: &mut [f64]) -> Result<()> {
        check_length("room for the components of a vector", self.len(), out.len())?;
        out.copy_from_slice(self);
        Ok(())
    }

    fn write_from(&mut self, components: &[f64]) -> Result<()> {
        check_length("components of a vector", self.len(), components.len())?;
        self.copy_from_slice(components);
        Ok(())
    }
}

impl Vector for f64 {
    fn inner(&self, other: &Self) -> Result<f64> {
        Ok(self * other)
    }

    fn norm2(&self) -> Result<f64> {
        Ok(self.abs())
    }

    fn axpby(&mut self, keep: f64, factor: f64, x: &Self) -> Result<()> {
        *self = keep * *self + factor * x;
        Ok(())
    }
}

impl<const N: usize> Vector for [f64; N] {
    fn inner(&self, other: &Self) -> Result<f64> {
        Ok(self.iter().zip(other).map(|(a, b)| a * b).sum())
    }

    fn norm2(&self) -> Result<f64> {
        norm::of_slice(self, self.inner(self)?)
    }

    fn axpby(&mut self, keep: f64, factor: f64, x: &Self) -> Result<()> {
        self.iter_mut().zip(x).for_each(|(y, x)| *y = keep * *y + factor * x);
        Ok(())
    }
}

impl Vector for Vec<f64> {
    fn inner(&self, other: &Self) -> Result<f64> {
        self.check_like("inner product", other)?;
        Ok(dot(self, other))
    }

    fn norm2(&self) -> Result<f64> {
        norm::of_slice(self, self.inner(self)?)
    }

    fn scale_in_place(&mut self, factor: f64) -> Result<()> {
        let block = |y: &mut [f64]| y.iter_mut().for_each(|y| *y *= factor);
        if self.len() < PARALLEL_FROM {
            block(self);
        } else {
            self.par_chunks_mut(BLOCK).for_each(block);
        }
        Ok(())
    }

    fn axpby(&mut self, keep: f64, factor: f64, x: &Self) -> Result<()> {
        self.check_like("sum of two vectors", x)?;
        let block = |(y, x): (&mut [f64], &[f64])| {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = keep * *y + factor * x);
        };
        if self.len() < PARALLEL_FROM {
            block((self, x));
        } else {
            self.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK)).for_each(block);
        }
        Ok(())
    }
}

/// Numbers summed together, and from how many on the work is shared between threads. The blocks do
/// not depend on the number of threads, so neither does the sum.
const BLOCK: usize = 1 << 13;
const PARALLEL_FROM: usize = 1 << 16;

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let block = |(a, b): (&[f64], &[f64])| -> f64 {
        // Eight sums side by side, which fill a vector register.
        let mut sums = [0.0; 8];
        let (a_whole, a_rest) = a.as_chunks::<8>();
        let (b_whole, b_rest) = b.as_chunks::<8>();
        for (a, b) in a_whole.iter().zip(b_whole) {
            for i in 0..8 {
                sums[i] += a[i] * b[i];
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
        sums.iter().sum::<f64>() + rest
    };
    if a.len() < PARALLEL_FROM {
        return a.chunks(BLOCK).zip(b.chunks(BLOCK)).map(block).sum();
    }
    let parts: Vec<f64> = a.par_chunks(BLOCK).zip(b.par_chunks(BLOCK)).map(block).collect();
    parts.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_products_are_exact_for_small_integers_of_every_length() {
        for n in [0, 1, 7, 8, 9, 1000, BLOCK - 1, BLOCK + 3, PARALLEL_FROM + 5] {
            let a: Vec<f64> = (0..n).map(|i| (i % 7) as f64 - 3.0).collect();
            let b: Vec<f64> = (0..n).map(|i| (i % 5) as f64 - 1.0).collect();
            let want: i64 = (0..n as i64).map(|i| (i % 7 - 3) * (i % 5 - 1)).sum();
            assert_eq!(a.inner(&b).unwrap(), want as f64, "{n}");
        }
        assert!(vec![1.0].inner(&vec![1.0, 2.0]).is_err());
        assert_eq!([3.0, 4.0].norm2().unwrap(), 5.0);
        assert_eq!((-2.0f64).norm2().unwrap(), 2.0);
    }

    #[test]
    fn norms_of_large_and_small_components() {
        for size in [1e-320, 1e-308, 1e-170, 1e-150, 1.0, 1e150, 1e200, 1e308] {
            let near = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-3f64.min(1e-307 / want);
            let near = |got: f64, want: f64| near(got, want) || (got / want - 1.0).abs() < 1e-14;
            assert!(near(vec![0.3 * size, 0.4 * size].norm2().unwrap(), 0.5 * size), "{size:e}");
            assert!(near([0.3 * size, -0.4 * size].norm2().unwrap(), 0.5 * size), "{size:e}");
            assert_eq!((-size).norm2().unwrap(), size);
        }
        assert_eq!(vec![0.0; 3].norm2().unwrap(), 0.0);
        assert_eq!(Vec::<f64>::new().norm2().unwrap(), 0.0);
        assert!(vec![1.0, f64::NAN].norm2().unwrap().is_nan());
        assert_eq!(vec![1.0, f64::INFINITY].norm2().unwrap(), f64::INFINITY);
        let x = vec![1.0, 2.0];
        assert_eq!(x.inner_all(&[vec![3.0, 4.0], vec![0.0, 1.0]]).unwrap(), [11.0, 2.0]);
    }

    #[test]
    fn sums_in_place() {
        for n in [0, 1, 5, PARALLEL_FROM + 3] {
            let x: Vec<f64> = (0..n).map(|i| i as f64).collect();
            let mut y = vec![2.0; n];
            y.axpby(3.0, -0.5, &x).unwrap();
            assert!(y.iter().zip(&x).all(|(y, x)| *y == 6.0 - 0.5 * x), "{n}");
            assert_eq!(y.zero_like().unwrap(), vec![0.0; n]);
        }
        assert!(vec![1.0].axpby(1.0, 1.0, &vec![1.0, 2.0]).is_err());
        let (mut a, mut b) = ([1.0, 2.0], 3.0);
        a.axpby(2.0, 1.0, &[10.0, 20.0]).unwrap();
        b.axpby(2.0, 1.0, &10.0).unwrap();
        assert_eq!((a, b), ([12.0, 24.0], 16.0));
    }

    #[test]
    fn components_are_read_and_set() {
        fn check<V: Components + PartialEq + std::fmt::Debug>(x: V, other: &V, n: usize) {
            let mut out = vec![0.0; n];
            other.read_into(&mut out).unwrap();
            let mut x = x;
            x.write_from(&out).unwrap();
            assert_eq!(&x, other);
            assert!(x.write_from(&vec![0.0; n + 1]).is_err());
            assert!(other.read_into(&mut vec![0.0; n + 1]).is_err());
        }
        check(0.0, &2.5, 1);
        check([0.0; 3], &[1.0, 2.0, 3.0], 3);
        check(vec![0.0; 2], &vec![1.0, 2.0], 2);
    }

    #[test]
    fn the_number_of_threads_does_not_matter() {
        let n = PARALLEL_FROM * 3 + 17;
        let a: Vec<f64> = (0..n).map(|i| (0.37 * i as f64).sin()).collect();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| a.norm2().unwrap().to_bits())
        };
        assert_eq!(with(1), with(4));
    }
}

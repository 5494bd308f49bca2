//! Guaranteed ranges by affine arithmetic: [`Bound`].

mod pointwise;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use ansatz::core::{Error, Pointwise, Result, TensorLike};
use candle_core::{DType, Tensor};

/// A tensor together with a set that contains it: all `c + Σᵢ εᵢ gᵢ` with `|εᵢ| ≤ 1` (J. Comba,
/// J. Stolfi, *Affine arithmetic and its applications to computer graphics*, 1993; for networks
/// G. Singh et al., *Fast and effective robustness certification*, 2018).
///
/// An interval does not fit [`TensorLike`]: from a linear map given as a function one cannot get
/// the map with absolute coefficients that intervals need. An affine form does, because a linear
/// map acts on centre and generators alike, without any loss. Nonlinear functions add one generator
/// for each element that they bend. Values that share a generator stay correlated, so that `x − x`
/// is exactly 0.
///
/// Ranges hold in exact arithmetic; the rounding errors of the operations, some 1e-16 of the
/// numbers involved, are not added. Bounds stay attached to candle's graph, so that a network can
/// be trained for narrow ones.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The plain value, one point of the set.
    value: Tensor,
    centre: Tensor,
    /// Generators by the number of their symbol, each of the shape of the centre.
    generators: BTreeMap<u64, Tensor>,
}

/// The next unused symbol.
static SYMBOL: AtomicU64 = AtomicU64::new(0);

impl Bound {
    /// All tensors within `radius` of `value`, element by element.
    ///
    /// # Errors
    /// When `radius` is negative or NaN, or candle fails.
    pub fn around(value: &Tensor, radius: f64) -> Result<Self> {
        if radius.is_nan() || radius < 0.0 {
            return Err(Error::invalid("radius of a bound", radius, "a number ≥ 0"));
        }
        Self::point(value).widened(&value.ones_like()?.affine(radius, 0.0)?.detach())
    }

    fn point(value: &Tensor) -> Self {
        Self { value: value.clone(), centre: value.clone(), generators: BTreeMap::new() }
    }

    /// `Σᵢ |gᵢ|`: half the width of the range.
    ///
    /// # Errors
    /// When candle fails.
    pub fn radius(&self) -> Result<Tensor> {
        let mut sum = self.centre.zeros_like()?.detach();
        for g in self.generators.values() {
            sum = (sum + g.abs()?)?;
        }
        Ok(sum)
    }

    /// The smallest value.
    ///
    /// # Errors
    /// When candle fails.
    pub fn lower(&self) -> Result<Tensor> {
        Ok((&self.centre - self.radius()?)?)
    }

    /// The largest value.
    ///
    /// # Errors
    /// When candle fails.
    pub fn upper(&self) -> Result<Tensor> {
        Ok((&self.centre + self.radius()?)?)
    }

    /// Adds an independent uncertainty of `half` in every element.
    fn widened(mut self, half: &Tensor) -> Result<Self> {
        let n = half.elem_count();
        let sizes = half.detach().to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let flat = half.flatten_all()?;
        for (k, size) in sizes.iter().enumerate() {
            if *size == 0.0 {
                continue;
            }
            let generator = flat.narrow(0, k, 1)?.pad_with_zeros(0, k, n - k - 1)?;
            let symbol = SYMBOL.fetch_add(1, Ordering::Relaxed);
            self.generators.insert(symbol, generator.reshape(half.shape())?);
        }
        Ok(self)
    }

    /// Value, centre and generators through one map.
    fn each(&self, map: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Self> {
        Ok(Self {
            value: map(&self.value)?,
            centre: map(&self.centre)?,
            generators: self
                .generators
                .iter()
                .map(|(symbol, g)| Ok((*symbol, map(g)?)))
                .collect::<Result<_>>()?,
        })
    }
}

impl TensorLike for Bound {
    fn primal(&self) -> Result<Tensor> {
        Ok(self.value.clone())
    }

    fn constant(&self, value: &Tensor) -> Result<Self> {
        Ok(Self::point(value))
    }

    fn add(&self, rhs: &Self) -> Result<Self> {
        let centre = self.centre.broadcast_add(&rhs.centre)?;
        let mut generators = BTreeMap::new();
        for (symbol, g) in self.generators.iter().chain(&rhs.generators) {
            let g = g.broadcast_as(centre.shape())?;
            let sum = match generators.remove(symbol) {
                Some(other) => (g + other)?,
                None => g,
            };
            generators.insert(*symbol, sum);
        }
        Ok(Self { value: self.value.broadcast_add(&rhs.value)?, centre, generators })
    }

    fn linear<E>(&self, map: impl Fn(&Tensor) -> Result<Tensor, E>) -> Result<Self>
    where
        Error: From<E>,
    {
        self.each(|t| Ok(map(t)?))
    }

    fn bilinear<E>(
        &self,
        rhs: &Self,
        map: impl Fn(&Tensor, &Tensor) -> Result<Tensor, E>,
    ) -> Result<Self>
    where
        Error: From<E>,
    {
        let mut result = Self::point(&map(&self.value, &rhs.value)?);
        result.centre = map(&self.centre, &rhs.centre)?;
        let mut symbols: Vec<u64> =
            self.generators.keys().chain(rhs.generators.keys()).copied().collect();
        symbols.sort_unstable();
        symbols.dedup();
        // The part that is linear in the symbols.
        for &i in &symbols {
            let left = self.generators.get(&i).map(|g| map(g, &rhs.centre)).transpose()?;
            let right = rhs.generators.get(&i).map(|g| map(&self.centre, g)).transpose()?;
            let sum = match (left, right) {
                (Some(l), Some(r)) => (l + r)?,
                (Some(g), None) | (None, Some(g)) => g,
                (None, None) => continue,
            };
            result.generators.insert(i, sum);
        }
        // The part that is quadratic: εᵢεⱼ is anything in [−1, 1], εᵢ² anything in [0, 1].
        let mut half = result.centre.zeros_like()?.detach();
        for (n, i) in symbols.iter().enumerate() {
            for j in &symbols[n..] {
                let product = |i: &u64, j: &u64| -> Result<Option<Tensor>> {
                    match (self.generators.get(i), rhs.generators.get(j)) {
                        (Some(a), Some(b)) => Ok(Some(map(a, b)?)),
                        _ => Ok(None),
                    }
                };
                let one = product(i, j)?;
                if i == j {
                    if let Some(square) = one {
                        let square = square.affine(0.5, 0.0)?;
                        result.centre = (&result.centre + &square)?;
                        half = (half + square.abs()?)?;
                    }
                    continue;
                }
                half = match (one, product(j, i)?) {
                    (Some(a), Some(b)) => (half + (a + b)?.abs()?)?,
                    (Some(a), None) | (None, Some(a)) => (half + a.abs()?)?,
                    (None, None) => half,
                };
            }
        }
        result.widened(&half)
    }

    fn pointwise(&self, function: Pointwise) -> Result<Self> {
        let mut result = pointwise::apply(self, function)?;
        // The rules compose some functions from others; the value is that of the function itself.
        result.value = function.apply(&self.value)?;
        Ok(result)
    }

    /// All generators in one matrix product.
    fn dense(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Self> {
        let rows: Vec<&Tensor> =
            [&self.value, &self.centre].into_iter().chain(self.generators.values()).collect();
        let rows = TensorLike::dense(&Tensor::stack(&rows, 0)?, weight, None)?;
        let result = Self {
            value: rows.get(0)?,
            centre: rows.get(1)?,
            generators: self
                .generators
                .keys()
                .enumerate()
                .map(|(i, symbol)| Ok((*symbol, rows.get(i + 2)?)))
                .collect::<Result<_>>()?,
        };
        match bias {
            Some(b) => result.add_constant(b),
            None => Ok(result),
        }
    }
}

//! Pooling in one, two and three dimensions: [`max_pool`], [`avg_pool`].

use std::sync::Arc;

use candle_core::{Shape, Tensor};

use crate::{
    Conv, Error, Result,
    conv::conv,
    cpu::{Float, attach, blocks, by_float, values},
};

/// Windows of a pooling over `N` axes (1, 2 or 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool<const N: usize> {
    /// Points of a window.
    pub kernel: [usize; N],
    /// Distance of the windows.
    pub stride: [usize; N],
    /// Points put on each side: at most half a window, so that none is empty.
    pub padding: [usize; N],
}

impl<const N: usize> Pool<N> {
    /// Windows of `size` points along each axis that touch without overlap.
    pub fn new(size: usize) -> Self {
        Self { kernel: [size; N], stride: [size; N], padding: [0; N] }
    }

    /// The same stride along all axes.
    #[must_use]
    pub fn with_stride(self, stride: usize) -> Self {
        Self { stride: [stride; N], ..self }
    }

    /// `amount` points on each side of all axes.
    #[must_use]
    pub fn padded(self, amount: usize) -> Self {
        Self { padding: [amount; N], ..self }
    }

    /// The numbers of windows over `x` `[…, n…]`.
    fn windows(&self, x: &Tensor) -> Result<[usize; N]> {
        if !(1..=3).contains(&N) {
            return Err(invalid("spatial axes of a pooling", N, "1, 2 or 3"));
        }
        if x.rank() < N + 1 {
            let what = "axes of the input of a pooling, with at least one before the windows'";
            return Err(Error::Count { what, expected: N + 1, got: x.rank() });
        }
        let dims = &x.dims()[x.rank() - N..];
        let mut windows = [0; N];
        for a in 0..N {
            let (kernel, stride, padding) = (self.kernel[a], self.stride[a], self.padding[a]);
            if kernel == 0 {
                return Err(invalid("kernel of a pooling", 0, "at least 1"));
            }
            if stride == 0 {
                return Err(invalid("stride of a pooling", 0, "at least 1"));
            }
            if padding > kernel / 2 {
                return Err(invalid("padding of a pooling", padding, "at most half the kernel"));
            }
            let padded = dims[a] + 2 * padding;
            if padded < kernel || dims[a] == 0 {
                let expected = "at least as long as the kernel, with padding";
                return Err(invalid("axis to pool", dims[a], expected));
            }
            windows[a] = (padded - kernel) / stride + 1;
        }
        Ok(windows)
    }
}

fn invalid(what: &'static str, value: usize, expected: &'static str) -> Error {
    Error::InvalidArgument { what, value: value.to_string(), expected }
}

/// Means over windows of the trailing `N` axes of `x`: `[…, n…]` becomes
/// `[…, (n + 2 padding − kernel)/stride + 1…]`.
///
/// `count_padding`: whether the points put outside count (as zeros) or the mean is over the points
/// inside only. Gradients are tested to third order.
///
/// # Errors
/// [`Error::InvalidArgument`] and [`Error::Count`] when windows and axes do not fit.
pub fn avg_pool<const N: usize>(x: &Tensor, pool: &Pool<N>, count_padding: bool) -> Result<Tensor> {
    let windows = pool.windows(x)?;
    let leading = &x.dims()[..x.rank() - N];
    let single = |dims: &[usize]| [&[leading.iter().product(), 1], dims].concat();
    let spatial = &x.dims()[x.rank() - N..];
    let options =
        Conv::<N> { stride: pool.stride, padding: pool.padding.map(|p| (p, p)), ..Conv::default() };
    let ones = |dims: Vec<usize>| Tensor::ones(dims, x.dtype(), x.device());
    let size = pool.kernel.iter().product::<usize>() as f64;
    let kernel = ones([&[1, 1], &pool.kernel[..]].concat())?.affine(1.0 / size, 0.0)?;
    let mut mean = conv(&x.contiguous()?.reshape(single(spatial))?, &kernel, None, &options)?;
    if !count_padding && pool.padding.iter().any(|&p| p > 0) {
        let inside = conv(&ones([&[1, 1], spatial].concat())?, &kernel, None, &options)?;
        mean = mean.broadcast_div(&inside)?;
    }
    Ok(mean.reshape([leading, &windows[..]].concat())?)
}

/// Maxima over windows of the trailing `N` axes of `x`; shapes as [`avg_pool`].
///
/// Points outside never win. The gradient goes to the largest point; among equals to the first one
/// in memory order. NaN counts as larger than everything. Gradients are tested to third order.
///
/// # Errors
/// As [`avg_pool`].
///
/// ```
/// use ansatz_ops::{Pool, max_pool};
/// use candle_core::{Device, Tensor};
/// # fn main() -> ansatz_ops::Result<()> {
/// let x = Tensor::new(&[[1f32, 3., 2., 2.]], &Device::Cpu)?;
/// assert_eq!(max_pool(&x, &Pool::<1>::new(2))?.to_vec2::<f32>()?, [[3., 2.]]);
/// # Ok(())
/// # }
/// ```
pub fn max_pool<const N: usize>(x: &Tensor, pool: &Pool<N>) -> Result<Tensor> {
    let windows = pool.windows(x)?;
    let leading = x.rank() - N;
    let shape: Shape = [&x.dims()[..leading], &windows[..]].concat().into();
    let mut axes = [Axis { n: 1, kernel: 1, stride: 1, padding: 0, out: 1 }; 3];
    for a in 0..N {
        axes[3 - N + a] = Axis {
            n: x.dims()[leading + a],
            kernel: pool.kernel[a],
            stride: pool.stride[a],
            padding: pool.padding[a],
            out: windows[a],
        };
    }
    by_float!(x, T => {
        let xc = x.contiguous()?;
        let xv = values::<T>(&xc)?;
        let winners = winners::<T>(&xv, &axes);
        drop(xv);
        let places = Places {
            winners: Arc::new(winners),
            planes: [axes.map(|a| a.n).iter().product(), axes.map(|a| a.out).iter().product()],
            shapes: [x.shape().clone(), shape],
        };
        places.pick::<T>(x)
    }, _ => composed(x, &axes, &shape))
}

#[derive(Debug, Clone, Copy)]
struct Axis {
    n: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    out: usize,
}

impl Axis {
    /// The points inside of window `i`.
    fn window(&self, i: usize) -> std::ops::Range<usize> {
        let start = i * self.stride;
        start.saturating_sub(self.padding)..(start + self.kernel - self.padding).min(self.n)
    }
}

/// For every window the index of its largest point within the plane.
fn winners<T: Float>(x: &[T], axes: &[Axis; 3]) -> Vec<u32> {
    let [a, b, c] = axes;
    let (size, out) = (a.n * b.n * c.n, a.out * b.out * c.out);
    let mut all = vec![0u32; x.len() / size * out];
    let parallel = if x.len() < 1 << 15 { usize::MAX } else { 0 };
    blocks(&mut all, out, parallel, |start, all| {
        let x = &x[start / out * size..][..size];
        let mut all = all.iter_mut();
        for i in 0..a.out {
            for j in 0..b.out {
                for k in 0..c.out {
                    let mut best = None;
                    for p in a.window(i) {
                        for q in b.window(j) {
                            let row = (p * b.n + q) * c.n;
                            for r in c.window(k) {
                                let value = x[row + r];
                                let nan = |v: T| v.partial_cmp(&v).is_none();
                                let wins =
                                    |(old, _): (T, usize)| value > old || (nan(value) && !nan(old));
                                if best.is_none_or(wins) {
                                    best = Some((value, row + r));
                                }
                            }
                        }
                    }
                    if let (Some(to), Some((_, at))) = (all.next(), best) {
                        *to = at as u32;
                    }
                }
            }
        }
    });
    all
}

/// Which point each window took.
#[derive(Clone)]
struct Places {
    winners: Arc<Vec<u32>>,
    /// Points and windows of a plane.
    planes: [usize; 2],
    shapes: [Shape; 2],
}

impl Places {
    /// The points taken.
    fn pick<T: Float>(&self, x: &Tensor) -> Result<Tensor> {
        let [size, out] = self.planes;
        let xc = x.contiguous()?;
        let xv = values::<T>(&xc)?;
        let rows = self.winners.chunks(out).zip(xv.chunks(size));
        let picked = rows.flat_map(|(row, x)| row.iter().map(|&i| x[i as usize])).collect();
        drop(xv);
        let again = self.clone();
        let shape = self.shapes[1].clone();
        attach("max_pool", &[x], picked, shape, move |_, g| Ok(vec![Some(again.put::<T>(g)?)]))
    }

    /// The adjoint: each window's value at its point, zero elsewhere.
    fn put<T: Float>(&self, y: &Tensor) -> Result<Tensor> {
        let [size, out] = self.planes;
        let yc = y.contiguous()?;
        let yv = values::<T>(&yc)?;
        let mut x = vec![T::zero(); self.shapes[0].elem_count()];
        for ((x, row), y) in x.chunks_mut(size).zip(self.winners.chunks(out)).zip(yv.chunks(out)) {
            for (&i, &g) in row.iter().zip(y) {
                x[i as usize] += g;
            }
        }
        drop(yv);
        let again = self.clone();
        let shape = self.shapes[0].clone();
        attach("max_unpool", &[y], x, shape, move |_, g| Ok(vec![Some(again.pick::<T>(g)?)]))
    }
}

/// By candle operations: the points of the windows one after the other, the larger one kept.
fn composed(x: &Tensor, axes: &[Axis; 3], shape: &Shape) -> Result<Tensor> {
    let [a, b, c] = axes.map(|axis| axis.n);
    let outer = x.elem_count() / (a * b * c);
    let x = x.contiguous()?.reshape((outer, a, b, c))?;
    // A point outside stands for the first inside of its window, which cannot beat itself; the
    // order of the others stays.
    let taps = axes.map(|axis| axis.kernel);
    let mut best: Option<Tensor> = None;
    for t in 0..taps.iter().product() {
        let at = [t / (taps[1] * taps[2]), t / taps[2] % taps[1], t % taps[2]];
        let mut y = x.clone();
        for (d, axis) in axes.iter().enumerate() {
            let points: Vec<u32> = (0..axis.out)
                .map(|i| {
                    let point = (i * axis.stride + at[d]).checked_sub(axis.padding);
                    let inside = point.filter(|&p| p < axis.n);
                    inside.unwrap_or(axis.window(i).start) as u32
                })
                .collect();
            let points = Tensor::from_vec(points, axis.out, x.device())?;
            y = y.contiguous()?.index_select(&points, d + 1)?;
        }
        best = Some(match best {
            None => y,
            Some(old) => {
                let larger = y.gt(&old)?;
                // NaN wins over numbers.
                let nan = (y.ne(&y)? * old.eq(&old)?)?;
                (larger + nan)?.where_cond(&y, &old)?
            }
        });
    }
    match best {
        Some(y) => Ok(y.reshape(shape)?),
        None => Err(invalid("kernel of a pooling", 0, "at least 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    /// The path of other devices, run on the CPU, with ties.
    #[test]
    fn composed_equals_the_kernel() {
        let values: Vec<f64> = (0..2 * 7 * 9).map(|i| f64::from((i * i) % 5)).collect();
        let x = Var::from_vec(values, (2, 7, 9), &Device::Cpu).unwrap();
        let pool = Pool::<2> { kernel: [3, 4], stride: [2, 3], padding: [1, 2] };
        let ours = max_pool(&x, &pool).unwrap();
        let axis = |n, kernel, stride, padding, out| Axis { n, kernel, stride, padding, out };
        let axes = [axis(1, 1, 1, 0, 1), axis(7, 3, 2, 1, 4), axis(9, 4, 3, 2, 4)];
        let other = composed(&x, &axes, ours.shape()).unwrap();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f64>().unwrap();
        assert_eq!(flat(&ours), flat(&other));
        let gradient = |y: &Tensor| {
            let loss = y.sqr().unwrap().sum_all().unwrap();
            flat(loss.backward().unwrap().get(&x).unwrap())
        };
        assert_eq!(gradient(&ours), gradient(&other));
    }
}

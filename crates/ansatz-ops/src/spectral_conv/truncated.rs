//! Transforms of few modes: along each axis a product with its cosines and sines.
//!
//! The cosines and sines of all axes are real, so that only the last step, on the kept modes
//! alone, is complex: of the modes ±f of an axis, `A ∓ iB` with A the cosine and B the sine part.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::matrices::{Kind, SpectralFloat, matrix, padded};
use super::product::Product;
use super::whole::{picked, spread};
use crate::fft::lines::{PARALLEL_FROM, pieces};
use crate::fft::transform::{self, Weighting};
use crate::fft::{frequency::signed, plan::cast};

/// Points and kept modes of each axis.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub(super) points: Vec<usize>,
    /// In the order of `fftfreq`; the last axis has the first modes of its half.
    pub(super) modes: Vec<usize>,
}

/// Work of a product with a matrix and of a fast transform that is taken to last equally long: a
/// multiplication is counted as 1/8 of a butterfly's share of one. An estimate, not measured.
const BUTTERFLY: f64 = 8.0;

impl Grid {
    pub(super) fn size(&self) -> usize {
        self.points.iter().product()
    }

    /// Number of kept modes.
    pub(super) fn kept(&self) -> usize {
        self.modes.iter().product()
    }

    /// Rows of real parts that the modes of an axis need.
    fn parts(&self, axis: usize) -> usize {
        2 * (self.modes[axis] / 2) + 1
    }

    /// Whether products are faster than the whole transform.
    pub(super) fn by_products(&self) -> bool {
        let last = self.points.len() - 1;
        let (mut width, mut work) = (self.size(), 0.0);
        for axis in 0..=last {
            let columns = if axis == last { 2 * self.modes[axis] } else { self.parts(axis) };
            work += (width * columns) as f64;
            width = width / self.points[axis] * columns;
        }
        let size = self.size() as f64;
        work <= BUTTERFLY * size * (size.log2() + 2.0)
    }

    /// Items handled by one task.
    fn group(&self) -> usize {
        (2 * PARALLEL_FROM / self.size()).max(1)
    }
}

/// Applies the real matrices of an axis to `from` `[…, n, inner]`.
fn along_rows<T: SpectralFloat>(
    matrix: &[T],
    (n, m): (usize, usize),
    inner: usize,
    from: &[T],
    to: &mut [MaybeUninit<T>],
) {
    for (b, c) in from.chunks(n * inner).zip(to.chunks_mut(m * inner)) {
        T::multiply(Product {
            a: matrix,
            b,
            c,
            size: (m, inner, n),
            lda: n,
            ldb: inner,
            ldc: inner,
        });
    }
}

/// A buffer that a product is to fill.
fn buffer<T: SpectralFloat>(n: usize) -> Vec<T> {
    vec![T::zero(); n]
}

/// `x` as the output of a product.
fn uninit<T: SpectralFloat>(x: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: the products write nothing but numbers.
    #[allow(unsafe_code)]
    unsafe {
        crate::cpu::room(x)
    }
}

/// The kept modes of real items, times `scale`: all real parts `[items, modes…]`, then the
/// imaginary ones.
pub(super) fn analysis<T: SpectralFloat>(
    x: &[T],
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let (size, kept) = (grid.size(), grid.kept());
    let items = x.len() / size;
    if !grid.by_products() {
        return picked(x, grid, scale, weighting);
    }
    let last = grid.points.len() - 1;
    let rows: Vec<Arc<Vec<T>>> =
        (0..last).map(|a| matrix(Kind::RowsForward, grid.points[a], grid.modes[a])).collect();
    let doubled = Kind::LastForward(weighting == Weighting::Adjoint);
    let (n, modes) = (grid.points[last], grid.modes[last]);
    let columns = matrix::<T>(doubled, n, modes);
    let width = padded(2 * modes);
    let piece = grid.group() * kept;
    transform::planes(items * kept, piece, |i, re, im| {
        let count = re.len() / kept;
        let x = &x[i * grid.group() * size..][..count * size];
        // Real products, axis by axis.
        let mut parts: Vec<T> = Vec::new();
        let mut inner = size;
        for (axis, rows) in rows.iter().enumerate() {
            let (n, m) = (grid.points[axis], grid.parts(axis));
            let from = if axis == 0 { x } else { &parts };
            inner /= n;
            let mut to = buffer(from.len() / n * m);
            along_rows(rows, (n, m), inner, from, uninit(&mut to));
            parts = to;
        }
        let from = if last == 0 { x } else { &parts };
        let lines = from.len() / n;
        let mut modes_of = buffer(lines * width);
        let (lda, ldb) = (n, width);
        let (c, size) = (uninit(&mut modes_of), (lines, width, n));
        T::multiply(Product { a: from, b: &columns, c, size, lda, ldb, ldc: width });
        // The complex modes.
        for axis in 0..last {
            modes_of = combined(&modes_of, grid, axis, width);
        }
        let scale = cast::<T>(scale);
        let outs = re.chunks_mut(modes).zip(im.chunks_mut(modes));
        for (line, (re, im)) in modes_of.chunks(width).zip(outs) {
            for ((re, im), (a, b)) in re.iter_mut().zip(im).zip(line.iter().zip(&line[modes..])) {
                re.write(*a * scale);
                im.write(*b * scale);
            }
        }
    })
}

/// Lines between two of neighbouring indices of `axis`, axes after it being parts.
fn lines_inside(grid: &Grid, axis: usize) -> usize {
    (axis + 1..grid.points.len() - 1).map(|a| grid.parts(a)).product()
}

/// `A ∓ iB` along one axis: `[…, parts, inside, width]` to `[…, modes, inside, width]`.
fn combined<T: SpectralFloat>(parts: &[T], grid: &Grid, axis: usize, width: usize) -> Vec<T> {
    let (kept, count, modes) =
        (grid.modes[axis], grid.parts(axis), grid.modes[grid.modes.len() - 1]);
    let block = lines_inside(grid, axis) * width;
    let mut out = buffer(parts.len() / count * kept);
    for (parts, out) in parts.chunks(count * block).zip(out.chunks_mut(kept * block)) {
        for (k, out) in out.chunks_mut(block).enumerate() {
            let f = signed(kept, k);
            let cosine = f.unsigned_abs() as usize;
            out.copy_from_slice(&parts[cosine * block..][..block]);
            if f == 0 {
                continue;
            }
            let sign = cast::<T>(f.signum() as f64);
            let sine = &parts[(kept / 2 + cosine) * block..][..block];
            for (out, b) in out.chunks_mut(width).zip(sine.chunks(width)) {
                let (re, im) = out[..2 * modes].split_at_mut(modes);
                for ((re, im), (b_re, b_im)) in re.iter_mut().zip(im).zip(b.iter().zip(&b[modes..]))
                {
                    *re += sign * *b_im;
                    *im -= sign * *b_re;
                }
            }
        }
    }
    out
}

/// The transpose of [`combined`]: cosine and sine parts of what the modes of one axis stand for.
fn separated<T: SpectralFloat>(modes_of: &[T], grid: &Grid, axis: usize, width: usize) -> Vec<T> {
    let (kept, count, modes) =
        (grid.modes[axis], grid.parts(axis), grid.modes[grid.modes.len() - 1]);
    let block = lines_inside(grid, axis) * width;
    let mut out = buffer(modes_of.len() / kept * count);
    for (modes_of, out) in modes_of.chunks(kept * block).zip(out.chunks_mut(count * block)) {
        for (k, mode) in modes_of.chunks(block).enumerate() {
            let f = signed(kept, k);
            let cosine = f.unsigned_abs() as usize;
            for (o, z) in out[cosine * block..].iter_mut().zip(mode) {
                *o += *z;
            }
            if f == 0 {
                continue;
            }
            let sign = cast::<T>(f.signum() as f64);
            let sine = &mut out[(kept / 2 + cosine) * block..][..block];
            for (o, z) in sine.chunks_mut(width).zip(mode.chunks(width)) {
                let (re, im) = o[..2 * modes].split_at_mut(modes);
                for ((re, im), (z_re, z_im)) in re.iter_mut().zip(im).zip(z.iter().zip(&z[modes..]))
                {
                    *re -= sign * *z_im;
                    *im += sign * *z_re;
                }
            }
        }
    }
    out
}

/// The real items that have these modes and no others, times `scale`.
pub(super) fn synthesis<T: SpectralFloat>(
    (re, im): (&[T], &[T]),
    grid: &Grid,
    scale: f64,
    weighting: Weighting,
) -> Vec<T> {
    let (size, kept) = (grid.size(), grid.kept());
    let items = re.len() / kept;
    if !grid.by_products() {
        return spread((re, im), grid, scale, weighting);
    }
    let last = grid.points.len() - 1;
    let rows: Vec<Arc<Vec<T>>> =
        (0..last).map(|a| matrix(Kind::RowsInverse, grid.points[a], grid.modes[a])).collect();
    let doubled = Kind::LastInverse(weighting == Weighting::Plain);
    let (n, modes) = (grid.points[last], grid.modes[last]);
    let columns = matrix::<T>(doubled, n, modes);
    let (width, group) = (2 * modes, grid.group());
    let scale = cast::<T>(scale);
    let fill = |out: &mut [MaybeUninit<T>]| {
        let parallel = items * size >= PARALLEL_FROM;
        pieces(out, group * size, parallel, |i, out| {
            let range = i * group * kept..(i * group + out.len() / size) * kept;
            let mut modes_of = buffer(2 * range.len());
            let lines = re[range.clone()].chunks(modes).zip(im[range].chunks(modes));
            for (line, (re, im)) in modes_of.chunks_mut(width).zip(lines) {
                line[..modes].iter_mut().zip(re).for_each(|(o, x)| *o = *x * scale);
                line[modes..].iter_mut().zip(im).for_each(|(o, x)| *o = *x * scale);
            }
            for axis in (0..last).rev() {
                modes_of = separated(&modes_of, grid, axis, width);
            }
            let lines = modes_of.len() / width;
            let size = (lines, n, width);
            let (lda, ldb) = (width, n);
            if last == 0 {
                let c = out;
                T::multiply(Product { a: &modes_of, b: &columns, c, size, lda, ldb, ldc: n });
                return;
            }
            let mut from = buffer(lines * n);
            let c = uninit(&mut from);
            T::multiply(Product { a: &modes_of, b: &columns, c, size, lda, ldb, ldc: n });
            let mut inner = n;
            for axis in (0..last).rev() {
                let (m, parts) = (grid.points[axis], grid.parts(axis));
                if axis == 0 {
                    along_rows(&rows[0], (parts, m), inner, &from, out);
                    return;
                }
                let mut to = buffer(from.len() / parts * m);
                along_rows(&rows[axis], (parts, m), inner, &from, uninit(&mut to));
                from = to;
                inner *= m;
            }
        });
    };
    // SAFETY: the products write every number of every piece.
    #[allow(unsafe_code)]
    unsafe {
        crate::cpu::collect(items * size, fill)
    }
}

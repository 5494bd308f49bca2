//! Matrix products of slices and of tensors: [`matmul`].
//!
//! The general kernel is that of the crate `gemm` on one thread; thin matrices have loops of their
//! own. Large products are cut into pieces whose limits depend on the shapes only.

use std::mem::MaybeUninit;

mod tensor;
mod thin;

use crate::pointwise::Real;
pub(crate) use tensor::check_kind;
pub use tensor::matmul;
pub(crate) use thin::MOST as THIN;
use thin::{by_length, contract, expand, outer};

/// A matrix that lies somewhere in a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Contiguous, row by row.
    pub(crate) fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        debug_assert_eq!(values.len(), rows * columns);
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// With any strides; `None` if an element would lie outside of `values`.
    pub(crate) fn strided(
        values: &'a [T],
        [rows, columns]: [usize; 2],
        [row_stride, column_stride]: [usize; 2],
    ) -> Option<Self> {
        let last = rows.saturating_sub(1) * row_stride + columns.saturating_sub(1) * column_stride;
        let inside = rows == 0 || columns == 0 || last < values.len();
        inside.then_some(Self { values, rows, columns, row_stride, column_stride })
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            values: self.values,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }

    /// The rows `start..start + rows`.
    fn rows(self, start: usize, rows: usize) -> Self {
        Self { values: &self.values[start * self.row_stride..], rows, ..self }
    }

    /// The columns `start..start + columns`.
    fn columns(self, start: usize, columns: usize) -> Self {
        Self { values: &self.values[start * self.column_stride..], columns, ..self }
    }
}

impl<T: Copy> Matrix<'_, T> {
    /// The elements row by row, where they lie like that already.
    fn contiguous(&self) -> Option<&[T]> {
        let rows = self.row_stride == self.columns || self.rows == 1;
        let columns = self.column_stride == 1 || self.columns == 1;
        (rows && columns).then(|| &self.values[..self.rows * self.columns])
    }

    /// A copy of the elements row by row.
    pub(crate) fn copied(&self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.rows * self.columns);
        for i in 0..self.rows {
            let row = &self.values[i * self.row_stride..];
            all.extend((0..self.columns).map(|j| row[j * self.column_stride]));
        }
        all
    }
}

/// `out += a b` on this thread; `out` is `[a.rows, b.columns]`, contiguous.
pub(crate) fn add_product<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) {
    assert_eq!((b.rows, out.len()), (a.columns, a.rows * b.columns));
    if out.is_empty() || a.columns == 0 || (thin(a, b) && thin_product(a, b, out)) {
        return;
    }
    // SAFETY: `out` has as many elements as the product, see above, all initialised.
    #[allow(unsafe_code)]
    unsafe {
        general(a, b, out.as_mut_ptr(), true);
    }
}

/// `out = a b` on this thread; returns `out`, all of which it has written.
pub(crate) fn set_product<'o, T: Real>(
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    out: &'o mut [MaybeUninit<T>],
) -> &'o mut [T] {
    assert_eq!((b.rows, out.len()), (a.columns, a.rows * b.columns));
    if thin(a, b) {
        let out = zeroed(out);
        add_product(a, b, out);
        return out;
    }
    // SAFETY: `out` has as many elements as the product, see above; all of them are written.
    #[allow(unsafe_code)]
    unsafe {
        general(a, b, out.as_mut_ptr().cast(), false);
        out.assume_init_mut()
    }
}

/// `out`, filled with zeros.
pub(crate) fn zeroed<T: Real>(out: &mut [MaybeUninit<T>]) -> &mut [T] {
    out.fill(MaybeUninit::new(T::zero()));
    // SAFETY: every element was written.
    #[allow(unsafe_code)]
    unsafe {
        out.assume_init_mut()
    }
}

/// Whether an axis is short, or absent.
fn thin<T>(a: Matrix<'_, T>, b: Matrix<'_, T>) -> bool {
    a.rows <= THIN || a.columns <= THIN || b.columns <= THIN
}

/// The general kernel: `out = a b`, or `out += a b`.
///
/// # Safety
/// `out` must point to `a.rows · b.columns` elements that this call may write, initialised if it is
/// to `add`. `b` has as many rows as `a` has columns.
#[allow(unsafe_code)]
unsafe fn general<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: *mut T, add: bool) {
    let signed = |stride: usize| stride as isize;
    // SAFETY: the strides of `a` and `b` stay inside their slices (`Matrix` sees to that), which
    // `out` does not overlap, since the caller may write it. It is read only where `add` is set.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out,
            1,
            signed(b.columns),
            add,
            a.values.as_ptr(),
            signed(a.column_stride),
            signed(a.row_stride),
            b.values.as_ptr(),
            signed(b.column_stride),
            signed(b.row_stride),
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// `out += a b` for matrices with a short axis; `false` where their layout does not suit.
fn thin_product<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, out: &mut [T]) -> bool {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    let (at, bt) = (a.transposed(), b.transposed());
    if k <= THIN && n > THIN {
        let Some(a) = a.contiguous() else { return false };
        let copy;
        let b = if let Some(b) = b.contiguous() {
            b
        } else {
            copy = b.copied();
            &copy
        };
        by_length!(k, expand, (a, b, n, out));
    } else if n <= THIN && k > THIN && a.contiguous().is_some() {
        let Some(a) = a.contiguous() else { return false };
        let copy;
        let b = if let Some(b) = bt.contiguous() {
            b
        } else {
            copy = bt.copied();
            &copy
        };
        by_length!(n, contract, (a, b, k, out));
    } else if m <= THIN && n > THIN {
        let (Some(a), Some(b)) = (at.contiguous(), b.contiguous()) else { return false };
        by_length!(m, outer, (a, b, n, out));
    } else if n <= THIN && m > THIN {
        // The same with the factors exchanged, for the transposed result.
        let (Some(a), Some(b)) = (at.contiguous(), b.contiguous()) else { return false };
        let mut transposed = vec![T::zero(); n * m];
        by_length!(n, outer, (b, a, m, &mut transposed[..]));
        for (j, column) in transposed.chunks_exact(m).enumerate() {
            for (i, value) in column.iter().enumerate() {
                out[i * n + j] += *value;
            }
        }
    } else {
        return false;
    }
    true
}

//! Products of small matrices, in registers: what the transforms of few modes consist of.

use std::mem::MaybeUninit;

use pulp::{Arch, Simd, WithSimd};

/// `c = a b` with rows `lda`, `ldb` and `ldc` numbers apart; `a` is `[rows, k]`, `b` `[k, columns]`.
pub(super) struct Product<'a, T> {
    pub(super) a: &'a [T],
    pub(super) b: &'a [T],
    pub(super) c: &'a mut [MaybeUninit<T>],
    pub(super) size: (usize, usize, usize),
    pub(super) lda: usize,
    pub(super) ldb: usize,
    pub(super) ldc: usize,
}

/// The element types of the products.
pub(super) trait Multiply: Sized {
    /// Writes the first `rows` × `columns` of `c`, all of them.
    fn multiply(product: Product<'_, Self>);
}

/// Numbers in the largest vector.
const WIDEST: usize = 16;

macro_rules! multiply {
    ($T:ty, $vector:ident, $LANES:ident, $splat:ident, $fma:ident, $partial:ident) => {
        impl Multiply for $T {
            fn multiply(product: Product<'_, Self>) {
                let Product { a, b, c, size: (rows, columns, k), lda, ldb, ldc } = &product;
                if *rows == 0 || *columns == 0 {
                    return;
                }
                // What the tiles read and write without further checks.
                assert!(*columns <= *ldb && *columns <= *ldc && *k <= *lda);
                assert!(a.len() >= (rows - 1) * lda + k);
                assert!(*k == 0 || b.len() >= (k - 1) * ldb + columns);
                assert!(c.len() >= (rows - 1) * ldc + columns);
                Arch::new().dispatch(product);
            }
        }

        impl WithSimd for Product<'_, $T> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(mut self, simd: S) {
                let (rows, columns, _) = self.size;
                let lanes = S::$LANES;
                let mut column = 0;
                while column < columns {
                    let left = columns - column;
                    let vectors = if left >= 2 * lanes { 2 } else { 1 };
                    let mut row = 0;
                    while row < rows {
                        let height = match rows - row {
                            // Sixteen sums fit where there are 32 registers.
                            8.. if lanes * size_of::<$T>() == 64 => 8,
                            4.. => 4,
                            _ => 1,
                        };
                        let at = (row, column, left.min(vectors * lanes));
                        match (height, vectors) {
                            (8, 2) => tile::<S, 8, 2>(simd, &mut self, at),
                            (8, _) => tile::<S, 8, 1>(simd, &mut self, at),
                            (4, 2) => tile::<S, 4, 2>(simd, &mut self, at),
                            (4, _) => tile::<S, 4, 1>(simd, &mut self, at),
                            (_, 2) => tile::<S, 1, 2>(simd, &mut self, at),
                            _ => tile::<S, 1, 1>(simd, &mut self, at),
                        }
                        row += height;
                    }
                    column += vectors * lanes;
                }

                /// `R` rows of `V` vectors; a single one may be partly outside.
                #[inline(always)]
                #[allow(unsafe_code, clippy::items_after_statements)] // it is read after its caller
                fn tile<S: Simd, const R: usize, const V: usize>(
                    simd: S,
                    product: &mut Product<'_, $T>,
                    (row, column, width): (usize, usize, usize),
                ) {
                    let Product { a, b, c, size: (_, _, k), lda, ldb, ldc } = product;
                    let lanes = S::$LANES;
                    let mut sums = [[simd.$splat(0.0); V]; R];
                    for p in 0..*k {
                        let mut vectors = [simd.$splat(0.0); V];
                        if width == V * lanes {
                            for (v, vector) in vectors.iter_mut().enumerate() {
                                // SAFETY: row p < k of b has `columns` numbers, and those from
                                // `column` on fill V vectors; any bits are a vector.
                                *vector = unsafe {
                                    let start = p * *ldb + column + v * lanes;
                                    b.as_ptr().add(start).cast::<S::$vector>().read_unaligned()
                                };
                            }
                        } else {
                            vectors[0] = simd.$partial(&b[p * *ldb + column..][..width]);
                        }
                        for (r, sums) in sums.iter_mut().enumerate() {
                            // SAFETY: row + r < rows and p < k, for which `multiply` has checked.
                            let x = unsafe { *a.get_unchecked((row + r) * *lda + p) };
                            let x = simd.$splat(x);
                            for (sum, vector) in sums.iter_mut().zip(vectors) {
                                *sum = simd.$fma(x, vector, *sum);
                            }
                        }
                    }
                    for (r, sums) in sums.into_iter().enumerate() {
                        let out = &mut c[(row + r) * *ldc + column..][..width];
                        if width == V * lanes {
                            for (out, sum) in out.chunks_exact_mut(lanes).zip(sums) {
                                // SAFETY: the chunk has room for one vector.
                                unsafe {
                                    out.as_mut_ptr().cast::<S::$vector>().write_unaligned(sum)
                                }
                            }
                        } else {
                            let mut whole = [0.0; WIDEST];
                            // SAFETY: no vector is longer than that.
                            unsafe {
                                whole.as_mut_ptr().cast::<S::$vector>().write_unaligned(sums[0]);
                            }
                            for (out, x) in out.iter_mut().zip(whole) {
                                out.write(x);
                            }
                        }
                    }
                }
            }
        }
    };
}

multiply!(f32, f32s, F32_LANES, splat_f32s, mul_add_e_f32s, partial_load_f32s);
multiply!(f64, f64s, F64_LANES, splat_f64s, mul_add_e_f64s, partial_load_f64s);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_size() {
        for rows in [1, 3, 4, 7, 8, 13] {
            for columns in [1, 5, 8, 15, 16, 17, 31, 32, 47, 70] {
                for k in [0, 1, 6] {
                    let (lda, ldb, ldc) = (k + 2, columns + 1, columns + 3);
                    let a: Vec<f64> = (0..rows * lda).map(|i| (i as f64).sin()).collect();
                    let b: Vec<f64> = (0..(k + 1) * ldb).map(|i| (0.7 * i as f64).cos()).collect();
                    let single = |x: &[f64]| x.iter().map(|x| *x as f32).collect::<Vec<f32>>();
                    let mut c = vec![MaybeUninit::new(9.0); rows * ldc];
                    let mut c32 = vec![MaybeUninit::new(9f32); rows * ldc];
                    let size = (rows, columns, k);
                    f64::multiply(Product { a: &a, b: &b, c: &mut c, size, lda, ldb, ldc });
                    let (a32, b32) = (single(&a), single(&b));
                    f32::multiply(Product { a: &a32, b: &b32, c: &mut c32, size, lda, ldb, ldc });
                    for i in 0..rows * ldc {
                        let (row, column) = (i / ldc, i % ldc);
                        let sum = (0..k).map(|p| a[row * lda + p] * b[p * ldb + column]).sum();
                        let want: f64 = if column < columns { sum } else { 9.0 };
                        // SAFETY: everything was initialised above.
                        #[allow(unsafe_code)]
                        let (got, got32) = unsafe { (c[i].assume_init(), c32[i].assume_init()) };
                        assert!((got - want).abs() < 1e-14, "{size:?} {row} {column}");
                        assert!((f64::from(got32) - want).abs() < 2e-6, "{size:?} {row} {column}");
                    }
                }
            }
        }
    }
}

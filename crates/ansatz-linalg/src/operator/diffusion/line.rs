//! The loops over one line of a grid, compiled for the vector instructions of the machine.
//!
//! What is computed of a cell is a [`Finish`]; where its coefficients come from is a
//! [`Coefficients`]. Everything is marked to be inlined: what is not is compiled for the baseline.

use std::ops::Range;

use pulp::NullaryFnOnce;

/// The row of a matrix at one cell: what couples it to its six neighbours (the sign turned), before
/// and after it along each axis, the diagonal and its inverse.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) coupling: [f64; 6],
    pub(crate) diagonal: f64,
    pub(crate) inverse: f64,
}

pub(crate) trait Coefficients: Copy {
    fn row(&self, j: usize) -> Row;

    /// Those of some of the cells.
    fn part(self, range: Range<usize>) -> Self;
}

/// The same everywhere.
impl Coefficients for Row {
    #[inline(always)]
    fn row(&self, _: usize) -> Row {
        *self
    }

    #[inline(always)]
    fn part(self, _: Range<usize>) -> Self {
        self
    }
}

/// Slices of arrays, each as long as the run. Those of axes that are not there are empty.
#[derive(Clone, Copy)]
pub(crate) struct Slices<'a, const AXES: usize> {
    pub(crate) coupling: [&'a [f64]; 6],
    pub(crate) diagonal: &'a [f64],
    pub(crate) inverse: &'a [f64],
}

impl<'a, const AXES: usize> Coefficients for Slices<'a, AXES> {
    #[inline(always)]
    fn row(&self, j: usize) -> Row {
        let c = &self.coupling;
        let [a, b] = if AXES >= 2 { [c[0][j], c[1][j]] } else { [0.0; 2] };
        let [d, e] = if AXES >= 3 { [c[2][j], c[3][j]] } else { [0.0; 2] };
        let coupling = [a, b, d, e, c[4][j], c[5][j]];
        Row { coupling, diagonal: self.diagonal[j], inverse: self.inverse[j] }
    }

    #[inline(always)]
    fn part(self, range: Range<usize>) -> Self {
        let cut = |x: &'a [f64]| if x.is_empty() { x } else { &x[range.clone()] };
        Self {
            coupling: self.coupling.map(cut),
            diagonal: cut(self.diagonal),
            inverse: cut(self.inverse),
        }
    }
}

/// What to make of a cell: `sum` is what its neighbours contribute, `x` its own value.
pub(crate) trait Finish: Copy {
    fn value(&self, j: usize, sum: f64, x: f64, row: &Row) -> f64;
}

/// `A x`.
#[derive(Clone, Copy)]
pub(crate) struct Apply;

impl Finish for Apply {
    #[inline(always)]
    fn value(&self, _: usize, sum: f64, x: f64, row: &Row) -> f64 {
        row.diagonal * x - sum
    }
}

/// `f − A x`.
#[derive(Clone, Copy)]
pub(crate) struct Residual<'a>(pub(crate) &'a [f64]);

impl Finish for Residual<'_> {
    #[inline(always)]
    fn value(&self, j: usize, sum: f64, x: f64, row: &Row) -> f64 {
        self.0[j] - (row.diagonal * x - sum)
    }
}

/// `D⁻¹ (f − A x)`, D the diagonal.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<'a>(pub(crate) &'a [f64]);

impl Finish for Scaled<'_> {
    #[inline(always)]
    fn value(&self, j: usize, sum: f64, x: f64, row: &Row) -> f64 {
        (self.0[j] - (row.diagonal * x - sum)) * row.inverse
    }
}

/// Lines of numbers: the cells themselves, and their neighbours along each axis.
#[derive(Clone, Copy)]
pub(crate) struct Lines<'a> {
    pub(crate) own: &'a [f64],
    pub(crate) around: [&'a [f64]; 6],
}

/// A run of cells with neighbours on both sides; every slice is as long as `out`.
pub(crate) struct Run<'a, C, F, const AXES: usize> {
    pub(crate) coefficients: C,
    pub(crate) finish: F,
    pub(crate) x: Lines<'a>,
    pub(crate) out: &'a mut [f64],
}

impl<C: Coefficients, F: Finish, const AXES: usize> NullaryFnOnce for Run<'_, C, F, AXES> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { coefficients, finish, x, out } = self;
        let length = out.len();
        let own = &x.own[..length];
        let [mut a, mut b, mut c, mut d, mut e, mut f] = x.around;
        (e, f) = (&e[..length], &f[..length]);
        if AXES >= 2 {
            (a, b) = (&a[..length], &b[..length]);
        }
        if AXES >= 3 {
            (c, d) = (&c[..length], &d[..length]);
        }
        for j in 0..length {
            let row = coefficients.row(j);
            let t = &row.coupling;
            let mut sum = t[4] * e[j] + t[5] * f[j];
            if AXES >= 2 {
                sum += t[0] * a[j] + t[1] * b[j];
            }
            if AXES >= 3 {
                sum += t[2] * c[j] + t[3] * d[j];
            }
            out[j] = finish.value(j, sum, own[j], &row);
        }
    }
}

/// Gauss–Seidel on every other cell of a run, the first one included; the slices but `x` are as long
/// as the run, `x` has a cell more on each side.
pub(crate) struct Relax<'a, C, const AXES: usize> {
    pub(crate) coefficients: C,
    pub(crate) x: &'a mut [f64],
    /// Lines beside this one, before and after it along the first two axes.
    pub(crate) around: [&'a [f64]; 4],
    pub(crate) right: &'a [f64],
    /// All other values are zero.
    pub(crate) zero: bool,
}

impl<C: Coefficients, const AXES: usize> NullaryFnOnce for Relax<'_, C, AXES> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { coefficients, x, around, right, zero } = self;
        let n = right.len();
        let mut from = 0;
        while from < n {
            let range = from..n.min(from + TOGETHER);
            let around: [&[f64]; 4] = std::array::from_fn(|k| {
                if k < 2 * (AXES - 1) { &around[k][range.clone()] } else { &[][..] }
            });
            let part = Relax::<C, AXES> {
                coefficients: coefficients.part(range.clone()),
                x: &mut x[from..range.end + 2],
                around,
                right: &right[range],
                zero,
            };
            // A length that is known leaves no bounds to check.
            if part.right.len() == TOGETHER {
                part.cells(TOGETHER);
            } else {
                part.cells(n - from);
            }
            from += TOGETHER;
        }
    }
}

/// All cells are computed, so many together, and every other one is kept: that is faster than to pick
/// them out first.
const TOGETHER: usize = 64;

impl<C: Coefficients, const AXES: usize> Relax<'_, C, AXES> {
    #[inline(always)]
    fn cells(self, n: usize) {
        let Self { coefficients, x, around: [mut a, mut b, mut c, mut d], right, zero } = self;
        let mut new = [0.0; TOGETHER];
        let (x, right, new) = (&mut x[..n + 2], &right[..n], &mut new[..n]);
        if AXES >= 2 {
            (a, b) = (&a[..n], &b[..n]);
        }
        if AXES >= 3 {
            (c, d) = (&c[..n], &d[..n]);
        }
        for j in 0..n {
            let row = coefficients.row(j);
            let t = &row.coupling;
            let mut sum = t[4] * x[j] + t[5] * x[j + 2];
            if AXES >= 2 {
                sum += t[0] * a[j] + t[1] * b[j];
            }
            if AXES >= 3 {
                sum += t[2] * c[j] + t[3] * d[j];
            }
            new[j] = (right[j] + if zero { 0.0 } else { sum }) * row.inverse;
        }
        for j in 0..n {
            x[j + 1] = if j % 2 == 0 { new[j] } else { x[j + 1] };
        }
    }
}

//! Numbers of many trajectories side by side, and the loops over them that every step is made of.
//!
//! All of it is inlined into the [`kernels`](super::kernels), which are compiled for the vector
//! instructions of the machine. The order of operations is that of `State` for arrays, so that a
//! trajectory comes out the same to the last bit as from an ordinary solve.

use std::ops::{Index, IndexMut};

/// Trajectories that are advanced together.
pub(super) const LANES: usize = 64;

/// A number of each of them.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Row<T = f64>([T; LANES]);

impl<T: Copy> Row<T> {
    pub(super) const fn of(value: T) -> Self {
        Self([value; LANES])
    }
}

impl<T> Index<usize> for Row<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, lane: usize) -> &T {
        &self.0[lane]
    }
}

impl<T> IndexMut<usize> for Row<T> {
    #[inline(always)]
    fn index_mut(&mut self, lane: usize) -> &mut T {
        &mut self.0[lane]
    }
}

/// A state of each of them.
pub(super) type Rows<const N: usize> = [Row; N];

#[inline(always)]
pub(super) fn column<const N: usize>(rows: &Rows<N>, lane: usize) -> [f64; N] {
    let mut column = [0.0; N];
    for i in 0..N {
        column[i] = rows[i][lane];
    }
    column
}

#[inline(always)]
pub(super) fn set_column<const N: usize>(rows: &mut Rows<N>, lane: usize, column: &[f64; N]) {
    for i in 0..N {
        rows[i][lane] = column[i];
    }
}

/// A term of a linear combination: which slope, and its coefficient, which is not zero.
pub(super) type Term = (usize, f64);

/// Terms that are added up in registers.
const TOGETHER: usize = 8;

/// `Σ c k`.
#[inline(always)]
pub(super) fn sum_up<const N: usize>(terms: &[Term], slopes: &[Rows<N>]) -> Rows<N> {
    let mut sums = [Row::of(0.0); N];
    for terms in terms.chunks(TOGETHER) {
        // Their number known to the compiler.
        match terms.len() {
            1 => add::<1, N>(terms, slopes, &mut sums),
            2 => add::<2, N>(terms, slopes, &mut sums),
            3 => add::<3, N>(terms, slopes, &mut sums),
            4 => add::<4, N>(terms, slopes, &mut sums),
            5 => add::<5, N>(terms, slopes, &mut sums),
            6 => add::<6, N>(terms, slopes, &mut sums),
            7 => add::<7, N>(terms, slopes, &mut sums),
            _ => add::<TOGETHER, N>(terms, slopes, &mut sums),
        }
    }
    sums
}

#[inline(always)]
fn add<const J: usize, const N: usize>(terms: &[Term], slopes: &[Rows<N>], sums: &mut Rows<N>) {
    let mut coefficients = [0.0; J];
    let mut of = [&slopes[0]; J];
    for j in 0..J {
        let (which, coefficient) = terms[j];
        coefficients[j] = coefficient;
        of[j] = &slopes[which];
    }
    for i in 0..N {
        for lane in 0..LANES {
            let mut sum = sums[i][lane];
            for j in 0..J {
                sum += coefficients[j] * of[j][i][lane];
            }
            sums[i][lane] = sum;
        }
    }
}

/// The tolerances of each trajectory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tolerances {
    pub(super) rtol: Row,
    pub(super) atol: Row,
}

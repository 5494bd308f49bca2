//! The matrices of truncated transforms, made once for each size.

use std::collections::HashMap;
use std::f64::consts::TAU;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::product::Multiply;
use crate::fft::plan::{FftFloat, cast};

/// Which matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// `[n, padded(2 modes)]`: cosines, then minus sines; `true` doubles the modes that stand for
    /// two.
    LastForward(bool),
    /// `[2 modes, n]`, likewise.
    LastInverse(bool),
    /// `[2 (rows / 2) + 1, n]`: cosines of 0, 1, …, then sines of 1, 2, ….
    RowsForward,
    /// `[n, 2 (rows / 2) + 1]`.
    RowsInverse,
}

/// Columns of a matrix of so many numbers: whole vectors.
pub(super) fn padded(columns: usize) -> usize {
    columns.next_multiple_of(16)
}

/// Keyed by kind, number of points, number of modes.
type Cache<T> = Mutex<HashMap<(Kind, usize, usize), Arc<Vec<T>>>>;

/// Matrices kept; a program uses a few.
const CAPACITY: usize = 64;

/// The element types of the truncated transforms.
pub(super) trait SpectralFloat: FftFloat + Multiply {
    fn cache() -> &'static Cache<Self>;
}

static CACHE_F32: LazyLock<Cache<f32>> = LazyLock::new(Cache::default);
static CACHE_F64: LazyLock<Cache<f64>> = LazyLock::new(Cache::default);

impl SpectralFloat for f32 {
    fn cache() -> &'static Cache<Self> {
        &CACHE_F32
    }
}

impl SpectralFloat for f64 {
    fn cache() -> &'static Cache<Self> {
        &CACHE_F64
    }
}

/// The matrix for `n` points and `modes` modes.
pub(super) fn matrix<T: SpectralFloat>(kind: Kind, n: usize, modes: usize) -> Arc<Vec<T>> {
    let mut cache = T::cache().lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CAPACITY {
        cache.clear();
    }
    let made = || Arc::new(make(kind, n, modes).into_iter().map(cast).collect());
    Arc::clone(cache.entry((kind, n, modes)).or_insert_with(made))
}

fn make(kind: Kind, n: usize, modes: usize) -> Vec<f64> {
    // Reduced in integers, which keeps all digits of the angle.
    let angle = |j: usize, k: usize| TAU * ((j * k) % n) as f64 / n as f64;
    let weight = |doubled: bool, k: usize| if doubled && k > 0 && 2 * k != n { 2.0 } else { 1.0 };
    let last = |doubled: bool, j: usize, c: usize| {
        let k = c % modes;
        let wave = if c < modes { angle(j, k).cos() } else { -angle(j, k).sin() };
        weight(doubled, k) * wave
    };
    let half = modes / 2;
    let row = |c: usize, j: usize| {
        if c <= half { angle(j, c).cos() } else { angle(j, c - half).sin() }
    };
    let fill = |rows: usize, columns: usize, entry: &dyn Fn(usize, usize) -> f64| {
        (0..rows * columns).map(|i| entry(i / columns, i % columns)).collect()
    };
    match kind {
        Kind::LastForward(doubled) => fill(n, padded(2 * modes), &|j, c| {
            if c < 2 * modes { last(doubled, j, c) } else { 0.0 }
        }),
        Kind::LastInverse(doubled) => fill(2 * modes, n, &|c, j| last(doubled, j, c)),
        Kind::RowsForward => fill(2 * half + 1, n, &row),
        Kind::RowsInverse => fill(n, 2 * half + 1, &|j, c| row(c, j)),
    }
}

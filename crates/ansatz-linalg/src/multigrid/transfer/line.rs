//! The transfers along one line: [`Split`].

use pulp::{Arch, NullaryFnOnce};

use super::Map;

/// Parts a fine line in the cells that are coarse ones too and those between, so that both lie one
/// after the other: first `coarse` cells, then `coarse + 1` between, one before each coarse cell and
/// one after the last. A cell between that does not exist is zero; the first and the last between are
/// the same cell where the axis is periodic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split {
    pub(super) map: Map,
    pub(super) fine: usize,
    pub(super) coarse: usize,
}

impl Split {
    /// How long a parted line is.
    pub(super) fn len(self) -> usize {
        if self.map.is_halved() { 2 * self.coarse + 1 } else { self.fine }
    }

    pub(super) fn part(self, line: &[f64], parts: &mut [f64]) {
        let (n, m) = (self.fine, self.coarse);
        match self.map {
            Map::Same => parts.copy_from_slice(line),
            Map::Odd => {
                let (own, between) = parts.split_at_mut(m);
                let pairs = line.chunks_exact(2);
                for ((pair, own), between) in pairs.zip(own).zip(between.iter_mut()) {
                    (*between, *own) = (pair[0], pair[1]);
                }
                between[m] = if n % 2 == 1 { line[n - 1] } else { 0.0 };
            }
            Map::Even | Map::EvenAndLast => {
                let (own, between) = parts.split_at_mut(m);
                for (pair, own) in line.chunks(2).zip(own.iter_mut()) {
                    *own = pair[0];
                }
                for (pair, between) in line.chunks_exact(2).zip(&mut between[1..]) {
                    *between = pair[1];
                }
                // Of an odd number the first and the last are coarse.
                between[0] = if n % 2 == 1 { 0.0 } else { between[m] };
                if n % 2 == 1 {
                    between[m] = 0.0;
                }
                if self.map == Map::EvenAndLast {
                    own[m - 1] = line[n - 1];
                    (between[0], between[m - 1], between[m]) = (0.0, 0.0, 0.0);
                }
            }
        }
    }

    /// Adds the parts to the line.
    pub(super) fn join(self, parts: &[f64], line: &mut [f64]) {
        let (n, m) = (self.fine, self.coarse);
        match self.map {
            Map::Same => line.iter_mut().zip(parts).for_each(|(x, part)| *x += part),
            Map::Odd => {
                let (own, between) = parts.split_at(m);
                let pairs = line.chunks_exact_mut(2);
                for ((pair, own), between) in pairs.zip(own).zip(between) {
                    pair[0] += between;
                    pair[1] += own;
                }
                if n % 2 == 1 {
                    line[n - 1] += between[m];
                }
            }
            Map::Even | Map::EvenAndLast => {
                let (own, between) = parts.split_at(m);
                for (pair, own) in line.chunks_mut(2).zip(own) {
                    pair[0] += own;
                }
                for (pair, between) in line.chunks_exact_mut(2).zip(&between[1..]) {
                    pair[1] += between;
                }
                if self.map == Map::EvenAndLast {
                    line[n - 1] += own[m - 1];
                } else if n % 2 == 0 {
                    line[n - 1] += between[0];
                }
            }
        }
    }

    /// `coarse ← coarse + factor · Σ weights · parts`, the weights of the cells before, at and after
    /// each coarse cell.
    pub(super) fn restrict(
        self,
        parts: &[f64],
        factor: f64,
        weights: [&[f64]; 3],
        coarse: &mut [f64],
    ) {
        let (own, between) = parts.split_at(coarse.len());
        let arch = Arch::new();
        if self.map.is_halved() {
            arch.dispatch(AddThree { factor, weights, own, between, out: coarse });
        } else {
            arch.dispatch(AddScaled { factor, weights: weights[1], x: own, out: coarse });
        }
    }

    /// The transpose of [`Split::restrict`].
    pub(super) fn prolong(
        self,
        coarse: &[f64],
        factor: f64,
        weights: [&[f64]; 3],
        parts: &mut [f64],
    ) {
        let (own, between) = parts.split_at_mut(coarse.len());
        let arch = Arch::new();
        arch.dispatch(AddScaled { factor, weights: weights[1], x: coarse, out: own });
        if self.map.is_halved() {
            arch.dispatch(AddBetween { factor, weights, x: coarse, out: between });
        }
    }
}

/// `out ← out + factor · weights · x`.
struct AddScaled<'a> {
    factor: f64,
    weights: &'a [f64],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { factor, weights, x, out } = self;
        let n = out.len();
        let (weights, x) = (&weights[..n], &x[..n]);
        for j in 0..n {
            out[j] += factor * weights[j] * x[j];
        }
    }
}

/// The cells at and on both sides of each coarse cell, weighted and added.
struct AddThree<'a> {
    factor: f64,
    weights: [&'a [f64]; 3],
    own: &'a [f64],
    between: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for AddThree<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { factor, weights: [a, b, c], own, between, out } = self;
        let n = out.len();
        let (a, b, c, own) = (&a[..n], &b[..n], &c[..n], &own[..n]);
        let (before, after) = (&between[..n], &between[1..=n]);
        for j in 0..n {
            out[j] += factor * (a[j] * before[j] + b[j] * own[j] + c[j] * after[j]);
        }
    }
}

/// What the coarse cells add to the cells between them: `x.len() + 1` of these.
struct AddBetween<'a> {
    factor: f64,
    weights: [&'a [f64]; 3],
    x: &'a [f64],
    out: &'a mut [f64],
}

impl NullaryFnOnce for AddBetween<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { factor, weights: [before, _, after], x, out } = self;
        let n = x.len();
        out[0] += factor * before[0] * x[0];
        out[n] += factor * after[n - 1] * x[n - 1];
        let inside = &mut out[1..n];
        let (x, y, a, b) = (&x[..n - 1], &x[1..n], &after[..n - 1], &before[1..n]);
        for j in 0..inside.len() {
            inside[j] += factor * (a[j] * x[j] + b[j] * y[j]);
        }
    }
}

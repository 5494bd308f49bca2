//! How a filter bank sees a signal beyond its ends: [`Boundary`] and [`Frame`].

/// What a transform assumes beyond the ends of a signal of length `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Boundary {
    /// `… x₁ x₀ | x₀ x₁ … xₙ₋₁ | xₙ₋₁ xₙ₋₂ …`: the usual choice. `⌊(n + f − 1)/2⌋` coefficients
    /// for filters of length `f`.
    #[default]
    Symmetric,
    /// Zeros; as many coefficients.
    Zero,
    /// The signal again, with its last element repeated first where `n` is odd: `⌈n/2⌉`
    /// coefficients. With an orthogonal wavelet and even lengths the transform is an orthogonal
    /// matrix. `"periodization"` of PyWavelets.
    Periodic,
}

/// What stands at the positions beyond the ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extension {
    Zero,
    Symmetric,
    /// Period `n`, or `n + 1` with the last element twice.
    Repeated,
    /// Period `n`, or `n + 1` with nothing in the last place.
    Dropped,
}

/// A signal of length `n` in a window of `2 (m − 1) + taps` positions, over which filters of length
/// `taps` move in steps of two to give `m` coefficients.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) n: usize,
    pub(super) m: usize,
    pub(super) taps: usize,
    /// Positions of the window before the signal.
    pub(super) left: usize,
    extension: Extension,
    /// Pairs (signal index, window position) outside of the signal proper that have a value, by
    /// signal index.
    pub(super) copies: Vec<(usize, usize)>,
}

impl Frame {
    /// The frame in which a signal of length `n ≥ 1` is taken apart.
    pub(super) fn of_analysis(n: usize, taps: usize, boundary: Boundary) -> Self {
        let extension = match boundary {
            Boundary::Symmetric => Extension::Symmetric,
            Boundary::Zero => Extension::Zero,
            Boundary::Periodic => Extension::Repeated,
        };
        Self::new(n, taps, extension)
    }

    /// The frame in which it is put together.
    pub(super) fn of_synthesis(n: usize, taps: usize, boundary: Boundary) -> Self {
        let extension = match boundary {
            Boundary::Symmetric | Boundary::Zero => Extension::Zero,
            Boundary::Periodic => Extension::Dropped,
        };
        Self::new(n, taps, extension)
    }

    fn new(n: usize, taps: usize, extension: Extension) -> Self {
        let (m, left) = match extension {
            Extension::Zero | Extension::Symmetric => ((n + taps - 1) / 2, taps - 2),
            Extension::Repeated | Extension::Dropped => (n.div_ceil(2), taps / 2 - 1),
        };
        let mut frame = Self { n, m, taps, left, extension, copies: Vec::new() };
        let outside = (0..left).chain(left + n..frame.window());
        frame.copies = outside.filter_map(|i| Some((frame.source(i)?, i))).collect();
        frame.copies.sort_unstable();
        frame
    }

    /// Number of positions.
    pub(super) fn window(&self) -> usize {
        2 * (self.m - 1) + self.taps
    }

    /// The index of the element that stands at position `i`.
    #[inline(always)]
    pub(super) fn source(&self, i: usize) -> Option<usize> {
        let (n, left) = (self.n, self.left);
        if i >= left && i < left + n {
            return Some(i - left);
        }
        let wrap =
            |period: usize| (i as isize - left as isize).rem_euclid(period as isize) as usize;
        match self.extension {
            Extension::Zero => None,
            Extension::Symmetric => {
                let at = wrap(2 * n);
                Some(if at < n { at } else { 2 * n - 1 - at })
            }
            Extension::Repeated => Some(wrap(n + n % 2).min(n - 1)),
            Extension::Dropped => Some(wrap(n + n % 2)).filter(|at| *at < n),
        }
    }

    /// The copies of the elements `range`.
    #[inline(always)]
    pub(super) fn copies_of(&self, range: std::ops::Range<usize>) -> &[(usize, usize)] {
        let from = self.copies.partition_point(|(at, _)| *at < range.start);
        let to = self.copies.partition_point(|(at, _)| *at < range.end);
        &self.copies[from..to]
    }
}

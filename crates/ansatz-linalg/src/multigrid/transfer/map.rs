//! Which cells of an axis are coarse cells too: [`Map`].

/// Whether the flux is prescribed at the lower and at the upper end; nothing where it is periodic.
pub(in crate::multigrid) type Ends = Option<[bool; 2]>;

/// How the cells of a coarse axis lie in the fine one.
///
/// Fine cells between coarse ones are never neighbours. One may lie between a coarse cell and a wall
/// where the value is prescribed, but not where the flux is: there it would be taken to be constant,
/// which costs twice as many cycles in three dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::multigrid) enum Map {
    /// They are the same.
    Same,
    /// 1, 3, 5, …
    Odd,
    /// 0, 2, 4, …
    Even,
    /// 0, 2, 4, …, of an even number of cells, and the last one.
    EvenAndLast,
}

impl Map {
    pub(in crate::multigrid) fn halved(n: usize, ends: Ends) -> Self {
        match ends {
            None | Some([true, false]) => Self::Even,
            Some([_, true]) if n % 2 == 1 => Self::Even,
            Some([true, true]) if n > 2 => Self::EvenAndLast,
            Some(_) => Self::Odd,
        }
    }

    pub(in crate::multigrid) fn is_halved(self) -> bool {
        self != Self::Same
    }

    /// How many of `n` cells are coarse.
    pub(in crate::multigrid) fn count(self, n: usize) -> usize {
        match self {
            Self::Same => n,
            Self::Odd => n / 2,
            Self::Even => n.div_ceil(2),
            Self::EvenAndLast => n / 2 + 1,
        }
    }

    /// Where a coarse cell lies among `n` fine ones.
    pub(in crate::multigrid) fn cell(self, n: usize, coarse: usize) -> usize {
        match self {
            Self::Same => coarse,
            Self::Odd => 2 * coarse + 1,
            Self::Even | Self::EvenAndLast => (2 * coarse).min(n - 1),
        }
    }

    /// Which coarse cell one of `n` fine ones is.
    pub(in crate::multigrid) fn coarse(self, n: usize, fine: usize) -> Option<usize> {
        match self {
            Self::Same => Some(fine),
            Self::Odd => (fine % 2 == 1).then_some(fine / 2),
            Self::EvenAndLast if fine + 1 == n => Some(n / 2),
            Self::Even | Self::EvenAndLast => fine.is_multiple_of(2).then_some(fine / 2),
        }
    }
}

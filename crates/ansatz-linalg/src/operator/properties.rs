//! What is known of an operator: [`Properties`].

/// What is known of an operator. `false` means "not known", not "known not to be".
///
/// Solvers trust this: whoever claims what does not hold gets wrong answers or an error that says
/// which property failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub struct Properties {
    /// `A = Aᵀ`.
    pub symmetric: bool,
    /// `xᵀ A x > 0` for every `x ≠ 0`. Not necessarily symmetric.
    pub positive_definite: bool,
    /// No entries outside of the diagonal.
    pub diagonal: bool,
    /// No entries outside of the diagonal and its two neighbours.
    pub tridiagonal: bool,
    /// No entries above the diagonal.
    pub lower_triangular: bool,
    /// No entries below the diagonal.
    pub upper_triangular: bool,
}

impl Properties {
    /// Nothing.
    pub const NONE: Self = Self {
        symmetric: false,
        positive_definite: false,
        diagonal: false,
        tridiagonal: false,
        lower_triangular: false,
        upper_triangular: false,
    };

    /// `A = Aᵀ`.
    pub const SYMMETRIC: Self = Self { symmetric: true, ..Self::NONE };

    /// Symmetric and positive definite: what conjugate gradients and Cholesky need.
    pub const SPD: Self = Self { positive_definite: true, ..Self::SYMMETRIC };

    /// Of a diagonal matrix; positive definite if all entries are positive.
    pub const DIAGONAL: Self = Self {
        diagonal: true,
        tridiagonal: true,
        lower_triangular: true,
        upper_triangular: true,
        ..Self::SYMMETRIC
    };

    /// What `Aᵀ` is.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            lower_triangular: self.upper_triangular,
            upper_triangular: self.lower_triangular,
            ..self
        }
    }

    /// What holds for both, and so for `A + B`.
    #[must_use]
    pub fn of_sum(self, other: Self) -> Self {
        Self {
            symmetric: self.symmetric && other.symmetric,
            positive_definite: self.positive_definite && other.positive_definite,
            diagonal: self.diagonal && other.diagonal,
            tridiagonal: self.tridiagonal && other.tridiagonal,
            lower_triangular: self.lower_triangular && other.lower_triangular,
            upper_triangular: self.upper_triangular && other.upper_triangular,
        }
    }

    /// What `A B` is, if square.
    #[must_use]
    pub fn of_product(self, other: Self) -> Self {
        let diagonal = self.diagonal && other.diagonal;
        Self {
            diagonal,
            // Products of symmetric matrices are symmetric if they commute.
            symmetric: diagonal,
            positive_definite: diagonal && self.positive_definite && other.positive_definite,
            tridiagonal: (self.diagonal && other.tridiagonal)
                || (self.tridiagonal && other.diagonal),
            lower_triangular: self.lower_triangular && other.lower_triangular,
            upper_triangular: self.upper_triangular && other.upper_triangular,
        }
    }

    /// What `factor · A` is.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { positive_definite: self.positive_definite && factor > 0.0, ..self }
    }

    /// What `A ⊗ B` is, if `B` is square.
    #[must_use]
    pub fn of_kronecker_product(self, other: Self) -> Self {
        let symmetric = self.symmetric && other.symmetric;
        Self {
            // Without symmetry the product of two positive definite matrices need not be.
            positive_definite: symmetric && self.positive_definite && other.positive_definite,
            tridiagonal: self.diagonal && other.tridiagonal,
            ..self.of_sum(other)
        }
    }

    /// What `A ⊗ I + I ⊗ B` is.
    #[must_use]
    pub fn of_kronecker_sum(self, other: Self) -> Self {
        Self { tridiagonal: self.diagonal && other.tridiagonal, ..self.of_sum(other) }
    }
}

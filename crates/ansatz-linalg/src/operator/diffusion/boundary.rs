//! What a caller says of an elliptic problem: [`Boundary`], [`Field`].

/// What is prescribed at a wall; zero, unless the right-hand side says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wall {
    /// The value.
    Dirichlet,
    /// The flux through the wall.
    Neumann,
}

/// The two ends of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// At 0.
    Lower,
    /// At the length of the box.
    Upper,
}

/// What bounds an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// Each end is the other one.
    Periodic,
    /// A wall at the lower and at the upper end.
    Walls(Wall, Wall),
}

impl Boundary {
    /// The value is prescribed at both ends.
    pub const DIRICHLET: Self = Self::Walls(Wall::Dirichlet, Wall::Dirichlet);
    /// The flux is prescribed at both ends.
    pub const NEUMANN: Self = Self::Walls(Wall::Neumann, Wall::Neumann);

    /// The wall at one end, where there is one.
    pub fn wall(self, end: End) -> Option<Wall> {
        match (self, end) {
            (Self::Periodic, _) => None,
            (Self::Walls(lower, _), End::Lower) => Some(lower),
            (Self::Walls(_, upper), End::Upper) => Some(upper),
        }
    }

    pub(super) fn has_dirichlet(self) -> bool {
        [End::Lower, End::Upper].into_iter().any(|end| self.wall(end) == Some(Wall::Dirichlet))
    }
}

/// A coefficient on a grid.
#[derive(Debug, Clone, PartialEq)]
pub enum Field {
    /// The same number everywhere: the fastest.
    Constant(f64),
    /// A number for each cell, row by row.
    Cells(Vec<f64>),
    /// For each axis the numbers at the faces across it: an array one longer along that axis than the
    /// cells, row by row. At the two ends of a periodic axis is the same face.
    Faces(Vec<Vec<f64>>),
}

impl Field {
    /// Whether it is zero everywhere.
    pub(super) fn vanishes(&self) -> bool {
        match self {
            Self::Constant(c) => *c == 0.0,
            Self::Cells(c) => c.iter().all(|c| *c == 0.0),
            Self::Faces(c) => c.iter().flatten().all(|c| *c == 0.0),
        }
    }
}

//! Operators made of operators: sums, products, multiples, transposes.

use super::check_length;
use crate::{Error, LinearOperator, Properties, Result, Vector};

/// `A + B`.
#[derive(Debug, Clone, Copy)]
pub struct Sum<A, B> {
    a: A,
    b: B,
}

impl<A, B> Sum<A, B> {
    /// `a + b`, whose shapes must agree.
    ///
    /// # Errors
    /// [`Error::Size`] with both shapes.
    pub fn new<V: Vector>(a: A, b: B) -> Result<Self>
    where
        A: LinearOperator<V>,
        B: LinearOperator<V>,
    {
        if a.shape() == b.shape() {
            return Ok(Self { a, b });
        }
        let (a, b) = (format!("{:?}", a.shape()), format!("{:?}", b.shape()));
        Err(Error::size("second term of a sum of operators", a, b))
    }
}

impl<V: Vector, A: LinearOperator<V>, B: LinearOperator<V>> LinearOperator<V> for Sum<A, B> {
    fn shape(&self) -> [usize; 2] {
        self.a.shape()
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.a.apply_into(x, y)?;
        y.axpby(1.0, 1.0, &self.b.apply(x)?)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.a.apply_transposed_into(x, y)?;
        y.axpby(1.0, 1.0, &self.b.apply_transposed(x)?)
    }

    fn properties(&self) -> Properties {
        self.a.properties().of_sum(self.b.properties())
    }
}

/// `A B`: first `B`, then `A`.
#[derive(Debug, Clone, Copy)]
pub struct Product<A, B> {
    a: A,
    b: B,
}

impl<A, B> Product<A, B> {
    /// `a b`, where `a` must have as many columns as `b` has rows.
    ///
    /// # Errors
    /// [`Error::Size`] with both numbers.
    pub fn new<V: Vector>(a: A, b: B) -> Result<Self>
    where
        A: LinearOperator<V>,
        B: LinearOperator<V>,
    {
        check_length("rows of the second factor", a.shape()[1], b.shape()[0])?;
        Ok(Self { a, b })
    }
}

impl<V: Vector, A: LinearOperator<V>, B: LinearOperator<V>> LinearOperator<V> for Product<A, B> {
    fn shape(&self) -> [usize; 2] {
        [self.a.shape()[0], self.b.shape()[1]]
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.a.apply_into(&self.b.apply(x)?, y)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.b.apply_transposed_into(&self.a.apply_transposed(x)?, y)
    }

    fn properties(&self) -> Properties {
        let found = self.a.properties().of_product(self.b.properties());
        let square = self.a.shape()[0] == self.b.shape()[1];
        Properties {
            symmetric: found.symmetric && square,
            positive_definite: found.positive_definite && square,
            ..found
        }
    }
}

/// `factor · A`.
#[derive(Debug, Clone, Copy)]
pub struct Scaled<A> {
    /// The factor.
    pub factor: f64,
    /// The operator.
    pub operator: A,
}

impl<V: Vector, A: LinearOperator<V>> LinearOperator<V> for Scaled<A> {
    fn shape(&self) -> [usize; 2] {
        self.operator.shape()
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.operator.apply_into(x, y)?;
        y.scale_in_place(self.factor)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.operator.apply_transposed_into(x, y)?;
        y.scale_in_place(self.factor)
    }

    fn properties(&self) -> Properties {
        self.operator.properties().scaled(self.factor)
    }
}

/// `Aᵀ`.
#[derive(Debug, Clone, Copy)]
pub struct Transposed<A>(
    /// The operator.
    pub A,
);

impl<V: Vector, A: LinearOperator<V>> LinearOperator<V> for Transposed<A> {
    fn shape(&self) -> [usize; 2] {
        let [rows, columns] = self.0.shape();
        [columns, rows]
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.0.apply_transposed_into(x, y)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.0.apply_into(x, y)
    }

    fn properties(&self) -> Properties {
        self.0.properties().transposed()
    }
}

/// An operator of which the caller knows more than its type does.
#[derive(Debug, Clone, Copy)]
pub struct Assumed<A> {
    /// The operator.
    pub operator: A,
    /// What holds for it. Believed, not checked.
    pub properties: Properties,
}

impl<V: Vector, A: LinearOperator<V>> LinearOperator<V> for Assumed<A> {
    fn shape(&self) -> [usize; 2] {
        self.operator.shape()
    }

    fn apply_into(&self, x: &V, y: &mut V) -> Result<()> {
        self.operator.apply_into(x, y)
    }

    fn apply_transposed_into(&self, x: &V, y: &mut V) -> Result<()> {
        if self.properties.symmetric {
            return self.operator.apply_into(x, y);
        }
        self.operator.apply_transposed_into(x, y)
    }

    fn properties(&self) -> Properties {
        self.properties
    }
}

//! The solution inside a step of backward differentiation: [`BdfInterpolant`].

use ansatz_linalg::Components;

use super::{
    super::polynomial::{MOST, Weights, value_at},
    BdfSteps,
};
use crate::{Interpolant, Interpolates, Result};

impl<Y: Components> BdfSteps<Y> {
    /// Places of the points that dense output goes through, beside the new one at 0.
    fn read(&self) -> (usize, Weights) {
        let points = self.control.order.min(self.history.count());
        (points, self.history.positions(self.h))
    }
}

/// The weights of the new point, at 0, and of those at `places`, for the value at `x`.
fn inside(places: &[f64], x: f64) -> Weights {
    let mut all = [0.0; MOST];
    all[1..=places.len()].copy_from_slice(places);
    value_at(&all[..=places.len()], x)
}

impl<Y: Components> Interpolates<Y> for BdfSteps<Y> {
    type Interpolant = BdfInterpolant<Y>;

    fn interpolate(&self, theta: f64, _: &Y, _: &Y, out: &mut Y) -> Result<()> {
        let (points, places) = self.read();
        let weights = inside(&places[..points], theta - 1.0);
        let weights = self.history.weights(&weights[1..=points], weights[0]);
        Ok(out.combine(None, 1.0, &weights, self.history.slots())?)
    }

    fn interpolant(&self, _: &Y, _: &Y) -> BdfInterpolant<Y> {
        let (points, places) = self.read();
        BdfInterpolant { places: places[..points].to_vec(), values: self.history.kept(points) }
    }
}

/// The dense output of one step by backward differentiation, kept: the polynomial through its end
/// and the points before, as many as its order.
#[derive(Debug, Clone)]
pub struct BdfInterpolant<Y> {
    /// Where the points before are, in units of the step, which ends at 0.
    places: Vec<f64>,
    values: Vec<Y>,
}

impl<Y: Components> Interpolant<Y> for BdfInterpolant<Y> {
    fn at(&self, theta: f64) -> Result<Y> {
        let mut y = self.values[0].clone();
        let weights = inside(&self.places, theta - 1.0);
        y.combine(None, 1.0, &weights[..self.values.len()], &self.values)?;
        Ok(y)
    }
}

//! Collects what a solve returns: [`Saver`].

use ansatz_core::State;

use crate::{
    DenseOutput, Interpolates, Result, Save, Solution, Span,
    integrate::{Crossed, Observer, Reached, Step},
};

/// Collects the states that [`Save`] names.
pub(crate) struct Saver<'a, Y, I> {
    pub(crate) save: &'a Save,
    pub(crate) ts: Vec<f64>,
    pub(crate) ys: Vec<Y>,
    pub(crate) dense: Option<DenseOutput<Y, I>>,
    direction: f64,
    next: usize,
    /// Accepted steps.
    steps: usize,
}

impl<'a, Y: State, I> Saver<'a, Y, I> {
    pub(crate) fn new(save: &'a Save, span: &Span, y0: &Y) -> Result<Self> {
        let mut saver = Self {
            save,
            ts: Vec::new(),
            ys: Vec::new(),
            dense: None,
            direction: span.direction(),
            next: 0,
            steps: 0,
        };
        let at_start = match save {
            Save::Times(times) => times.first().is_some_and(|t| *t == span.t0),
            Save::Steps | Save::Every(_) => true,
            Save::End => false,
        };
        if at_start {
            let mut y = y0.clone();
            y.combine(Some(y0), 0.0, &[], &[])?;
            saver.push(span.t0, y);
            saver.next = 1;
        }
        Ok(saver)
    }

    fn push(&mut self, t: f64, y: Y) {
        self.ts.push(t);
        self.ys.push(y);
    }

    /// The solution, with the end added where the end is what is saved.
    pub(crate) fn finish(
        mut self,
        reached: Reached<Y>,
    ) -> (Solution<Y>, Option<DenseOutput<Y, I>>) {
        if *self.save == Save::End {
            self.push(reached.t, reached.y.clone());
        }
        let solution = Solution {
            ts: self.ts,
            ys: self.ys,
            t_end: reached.t,
            y_end: reached.y,
            status: reached.status,
            crossings: reached.crossings,
            statistics: reached.statistics,
        };
        (solution, self.dense)
    }

    /// Whether a time to be saved lies inside a step that ends at `t1`, or the solution is kept.
    pub(crate) fn reads_inside(&self, t1: f64) -> bool {
        let between = match self.save {
            Save::Times(times) => {
                times.get(self.next).is_some_and(|t| (t1 - t) * self.direction > 0.0)
            }
            _ => false,
        };
        between || self.dense.is_some()
    }

    /// Saves what lies in a step.
    pub(crate) fn see<S>(&mut self, step: &Step<'_, Y, S>) -> Result<()>
    where
        S: Interpolates<Y, Interpolant = I>,
    {
        self.steps += 1;
        match self.save {
            Save::End => {}
            Save::Steps => self.push(step.t1, step.y1.clone()),
            Save::Every(n) => {
                if self.steps.is_multiple_of(*n) {
                    self.push(step.t1, step.y1.clone());
                }
            }
            Save::Times(times) => {
                while let Some(&t) = times.get(self.next) {
                    if (step.t1 - t) * self.direction < 0.0 {
                        break;
                    }
                    let y = if t == step.t1 { step.y1.clone() } else { step.at(t)? };
                    self.push(t, y);
                    self.next += 1;
                }
            }
        }
        if let Some(dense) = &mut self.dense {
            dense.push(step.t0, step.h, step.t1, step.stepper.interpolant(step.y0, step.y1));
        }
        Ok(())
    }

    /// Saves what an event made of the state.
    pub(crate) fn see_crossed(&mut self, crossed: &Crossed<'_, Y>) {
        if let (Save::Steps, Some(y)) = (self.save, crossed.changed) {
            self.push(crossed.t, y.clone());
        }
    }
}

/// A saver is the observer of a solve without gradients.
impl<Y: State, S: Interpolates<Y>> Observer<Y, S> for Saver<'_, Y, S::Interpolant> {
    fn wants_inside(&self, t1: f64) -> bool {
        self.reads_inside(t1)
    }

    fn accepted(&mut self, step: &Step<'_, Y, S>) -> Result<()> {
        self.see(step)
    }

    fn crossed(&mut self, crossed: &Crossed<'_, Y>) -> Result<()> {
        self.see_crossed(crossed);
        Ok(())
    }
}

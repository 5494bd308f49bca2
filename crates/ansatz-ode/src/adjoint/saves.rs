//! Where in a solve its saved states lie: [`Saves`].

use ansatz_ops::linear_combination;
use candle_core::Tensor;

use super::step::Inside;
use crate::{Result, integrate::Step};

/// For each saved state the step in which it lies and its position there; `None` at the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saves(Vec<Option<(usize, Position)>>);

#[derive(Debug, Clone, Copy)]
enum Position {
    End,
    Inside(f64),
    /// After the change that an event made at the end.
    Changed,
}

impl Saves {
    /// This many states were saved before the first step.
    pub(crate) fn at_start(count: usize) -> Self {
        Self(vec![None; count])
    }

    /// Notes the states that were saved in step `index`, given the times of all so far.
    pub(crate) fn note<S>(&mut self, index: usize, step: &Step<'_, Tensor, S>, ts: &[f64]) {
        for &t in &ts[self.0.len()..] {
            let position =
                if t == step.t1 { Position::End } else { Position::Inside((t - step.t0) / step.h) };
            self.0.push(Some((index, position)));
        }
    }

    /// Notes that the states saved since were changed by an event at the end of step `index`.
    pub(crate) fn note_changed(&mut self, index: usize, saved: usize) {
        self.0.resize(saved, Some((index, Position::Changed)));
    }

    /// Notes a state saved at the end of the last of `steps` steps, after a change if there was
    /// one.
    pub(crate) fn note_end(&mut self, steps: usize, changed: bool) {
        let position = if changed { Position::Changed } else { Position::End };
        self.0.push(steps.checked_sub(1).map(|i| (i, position)));
    }

    /// Adds the cotangents in `rows` of states saved after a change at the end of step `index`.
    pub(crate) fn of_change(
        &self,
        index: usize,
        rows: &[Tensor],
        adjoint: &mut Tensor,
    ) -> Result<()> {
        let first = self.0.partition_point(|s| s.is_none_or(|(j, _)| j < index));
        for (save, row) in self.0[first..].iter().zip(&rows[first..]) {
            match save {
                Some((j, Position::Changed)) if *j == index => {
                    *adjoint = linear_combination(Some(adjoint), &[(1.0, row)])?;
                }
                Some((j, _)) if *j == index => {}
                _ => break,
            }
        }
        Ok(())
    }

    /// Adds the cotangents in `rows` of states saved at the end of step `index` to `adjoint`;
    /// returns those interpolated inside it.
    pub(crate) fn of_step<'a>(
        &self,
        index: usize,
        rows: &'a [Tensor],
        adjoint: &mut Tensor,
    ) -> Result<Vec<Inside<'a>>> {
        let mut inside = Vec::new();
        // Saves are in order of time, so those of one step stand together.
        let first = self.0.partition_point(|s| s.is_none_or(|(j, _)| j < index));
        for (save, row) in self.0[first..].iter().zip(&rows[first..]) {
            match save {
                Some((j, Position::End)) if *j == index => {
                    *adjoint = linear_combination(Some(adjoint), &[(1.0, row)])?;
                }
                Some((j, Position::Inside(theta))) if *j == index => inside.push((*theta, row)),
                Some((j, Position::Changed)) if *j == index => {}
                _ => break,
            }
        }
        Ok(inside)
    }

    /// Adds the cotangents of what was saved at the start, which is the initial state itself.
    pub(crate) fn of_start(&self, rows: &[Tensor], adjoint: &mut Tensor) -> Result<()> {
        for (save, row) in self.0.iter().zip(rows) {
            if save.is_none() {
                *adjoint = linear_combination(Some(adjoint), &[(1.0, row)])?;
            }
        }
        Ok(())
    }
}

//! When a solve goes over to the other method: [`Detector`].

/// Counts the steps that speak for the other method.
#[derive(Debug, Clone, Default)]
pub(super) struct Detector {
    /// Steps for it, and the steps against it since.
    votes: usize,
    against: usize,
}

/// So many steps whose length the stability of the explicit method limits make a problem stiff.
const STIFF: usize = 10;

/// So many steps of the implicit method that the explicit one could have made as well end that.
const NOT_STIFF: usize = 5;

/// So many steps in a row that say otherwise make the count begin again.
const FORGOTTEN: usize = 4;

/// What part of the boundary of stability counts as at the boundary, and as well within it: apart,
/// so that a solve does not go to and fro.
const AT: f64 = 0.9;
const WITHIN: f64 = 0.6;

impl Detector {
    /// An explicit step of so much of the longest stable step; whether to go over.
    pub(super) fn explicit(&mut self, stiffness: f64) -> bool {
        self.count(stiffness > AT, STIFF)
    }

    /// The same for an implicit step.
    pub(super) fn implicit(&mut self, stiffness: f64) -> bool {
        self.count(stiffness < WITHIN, NOT_STIFF)
    }

    fn count(&mut self, speaks_for: bool, enough: usize) -> bool {
        if speaks_for {
            self.votes += 1;
            self.against = 0;
        } else {
            self.against += 1;
            if self.against >= FORGOTTEN {
                self.votes = 0;
            }
        }
        let over = self.votes >= enough;
        if over {
            *self = Self::default();
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_in_a_row_decide() {
        let mut detector = Detector::default();
        let mut feed = |values: &[f64]| -> Vec<bool> {
            values.iter().map(|v| detector.explicit(*v)).collect()
        };
        assert_eq!(feed(&[1.0; 9]), [false; 9]);
        assert_eq!(feed(&[0.5, 0.5, 0.5, 1.0]), [false, false, false, true]);
        // Forgotten after four that say otherwise.
        assert_eq!(feed(&[1.0; 9]), [false; 9]);
        assert_eq!(feed(&[0.5, 0.5, 0.5, 0.5, 1.0]), [false; 5]);
        let mut detector = Detector::default();
        let implicit: Vec<bool> = (0..6).map(|_| detector.implicit(0.5)).collect();
        assert_eq!(implicit, [false, false, false, false, true, false]);
        assert!((0..20).all(|_| !detector.implicit(0.7)));
    }
}

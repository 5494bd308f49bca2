//! Two methods at work, one at a time: [`SwitchingSteps`].

use ansatz_core::State;
use ansatz_linalg::Components;

use super::{
    Switching, SwitchingInterpolant, detector::Detector, explicit_estimate::ExplicitEstimate,
    spectral_radius::SpectralRadius,
};
use crate::{
    Attempt, AutoSwitch, Controller, Error, ErrorNorm, Explicit, ExplicitRungeKutta, Family,
    ImplicitField, Interpolates, JacobianStorage, Judgement, Made, Method, Needs, Result, Solves,
    Span, StageInterpolant, Stages, Statistics, Stepper, Trial, VectorField,
};

/// Steps of an implicit method that has found a Jacobian.
pub trait JacobianAtHand {
    /// The Jacobian last found.
    fn jacobian(&self) -> &JacobianStorage;
}

impl<E, S, F, Y> Family<AutoSwitch<E, S>, F, Y> for Switching
where
    E: ExplicitRungeKutta,
    S: Method + Solves<F, Y, Stepper: JacobianAtHand>,
    F: VectorField<Y> + ImplicitField<Y>,
    Y: Components,
{
    type Stepper = SwitchingSteps<Y, E, <S as Solves<F, Y>>::Stepper>;

    fn stepper(method: &AutoSwitch<E, S>, field: &F, y0: &Y) -> Result<Self::Stepper> {
        const {
            assert!(
                ExplicitEstimate::is_possible(&E::TABLEAU),
                "stiffness shows only where the last two stages are at the end of the step"
            );
        };
        if field.mass().is_some() {
            let expected = "none: the explicit method cannot take it; use the implicit one alone";
            return Err(Error::invalid("mass matrix of a field for AutoSwitch", "given", expected));
        }
        Ok(SwitchingSteps {
            explicit: Explicit::stepper(&method.nonstiff, field, y0)?,
            implicit: method.stiff.stepper(field, y0)?,
            stiff: false,
            over: false,
            detector: Detector::default(),
            estimate: ExplicitEstimate::new(&E::TABLEAU),
            radius: SpectralRadius::new(y0.dimension()),
            h: 0.0,
            stiffness: 0.0,
        })
    }
}

/// The steps of an explicit method, and those of an implicit one where the problem is stiff.
pub struct SwitchingSteps<Y, E, I> {
    explicit: Stages<Y, E>,
    implicit: I,
    /// The implicit method is at work.
    stiff: bool,
    /// The next step is one of the other method.
    over: bool,
    detector: Detector,
    estimate: ExplicitEstimate,
    radius: SpectralRadius,
    /// Signed length of the step.
    h: f64,
    /// What part of the longest stable step of the explicit method this is.
    stiffness: f64,
}

impl<Y, E, I> SwitchingSteps<Y, E, I> {
    /// Begins at `(t, y)`, with the other method if that is due.
    fn begin<F>(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()>
    where
        Stages<Y, E>: Stepper<F, Y>,
        I: Stepper<F, Y>,
    {
        if self.over {
            (self.stiff, self.over) = (!self.stiff, false);
            statistics.switches += 1;
        }
        if self.stiff {
            self.implicit.restart(field, t, y, statistics)
        } else {
            self.explicit.restart(field, t, y, statistics)
        }
    }
}

impl<F, Y, E, I> Stepper<F, Y> for SwitchingSteps<Y, E, I>
where
    F: VectorField<Y>,
    Y: State,
    E: ExplicitRungeKutta,
    I: Stepper<F, Y> + JacobianAtHand,
{
    fn restart(&mut self, field: &F, t: f64, y: &Y, statistics: &mut Statistics) -> Result<()> {
        self.begin(field, t, y, statistics)
    }

    fn first_step<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        span: &Span,
        y: &Y,
        norm: &N,
        statistics: &mut Statistics,
    ) -> Result<f64> {
        // A solve begins with the explicit method.
        self.explicit.first_step(field, span, y, norm, statistics)
    }

    fn attempt<N: ErrorNorm<Y>>(
        &mut self,
        field: &F,
        t: f64,
        h: f64,
        y: &Y,
        y_new: &mut Y,
        norm: Option<&N>,
        statistics: &mut Statistics,
    ) -> Result<Attempt> {
        if self.over {
            self.begin(field, t, y, statistics)?;
        }
        self.h = h;
        if self.stiff {
            return self.implicit.attempt(field, t, h, y, y_new, norm, statistics);
        }
        let attempt = self.explicit.attempt(field, t, h, y, y_new, norm, statistics)?;
        if let Some(norm) = norm {
            self.stiffness = self.estimate.of(&mut self.explicit, h, (y, y_new), norm)?;
        }
        Ok(attempt)
    }

    fn error_order(&self) -> u32 {
        if self.stiff {
            self.implicit.error_order()
        } else {
            <Stages<Y, E> as Stepper<F, Y>>::error_order(&self.explicit)
        }
    }

    fn judge<M, C: Controller<M>>(&mut self, controller: &C, trial: &Trial) -> Judgement {
        if self.stiff {
            self.implicit.judge(controller, trial)
        } else {
            <Stages<Y, E> as Stepper<F, Y>>::judge(&mut self.explicit, controller, trial)
        }
    }

    fn complete(
        &mut self,
        field: &F,
        made: &Made<'_, Y>,
        needs: Needs,
        statistics: &mut Statistics,
    ) -> Result<()> {
        if self.stiff {
            self.implicit.complete(field, made, needs, statistics)?;
        } else {
            self.explicit.complete(field, made, needs, statistics)?;
        }
        if needs.next {
            self.over = if self.stiff {
                let radius = self.radius.of(self.implicit.jacobian())?;
                self.detector.implicit(self.estimate.part(self.h * radius))
            } else {
                self.detector.explicit(self.stiffness)
            };
        }
        Ok(())
    }

    fn advance(&mut self) {
        if self.stiff {
            self.implicit.advance();
        } else {
            <Stages<Y, E> as Stepper<F, Y>>::advance(&mut self.explicit);
        }
    }
}

impl<Y, E, I> Interpolates<Y> for SwitchingSteps<Y, E, I>
where
    Y: State,
    E: ExplicitRungeKutta,
    I: Interpolates<Y>,
{
    type Interpolant = SwitchingInterpolant<StageInterpolant<Y, E>, I::Interpolant>;

    fn interpolate(&self, theta: f64, y: &Y, y_new: &Y, out: &mut Y) -> Result<()> {
        if self.stiff {
            self.implicit.interpolate(theta, y, y_new, out)
        } else {
            self.explicit.interpolate(theta, y, y_new, out)
        }
    }

    fn interpolant(&self, y: &Y, y_new: &Y) -> Self::Interpolant {
        if self.stiff {
            SwitchingInterpolant::Implicit(self.implicit.interpolant(y, y_new))
        } else {
            SwitchingInterpolant::Explicit(self.explicit.interpolant(y, y_new))
        }
    }
}

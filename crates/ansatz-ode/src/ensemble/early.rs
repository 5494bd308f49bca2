//! Trajectories that have not started: their first slopes and first steps.

use pulp::Arch;

use super::{
    EnsembleField,
    kernels::{Combine, Evaluate, WeightedRms},
    rows::{LANES, Row, Rows, Tolerances, set_column},
    trajectories::Trajectories,
};
use crate::first_step;

/// Trajectories that have not started.
pub(super) struct Early<const N: usize, const P: usize> {
    pub(super) start: Row,
    pub(super) target: Row,
    pub(super) direction: Row,
    pub(super) tolerances: Tolerances,
    pub(super) y: Rows<N>,
    pub(super) parameters: Rows<P>,
    /// Slope at the start.
    pub(super) slope: Rows<N>,
    /// Length of the first step: the whole interval, unless it is chosen.
    pub(super) length: Row,
}

impl<const N: usize, const P: usize> Early<N, P> {
    /// Those from `first` on, so many; `common` are the tolerances, unless each has its own.
    pub(super) fn of(
        trajectories: &Trajectories<N, P>,
        common: (f64, f64),
        first: usize,
        count: usize,
    ) -> Self {
        let zero = Row::of(0.0);
        let mut early = Self {
            start: zero,
            target: zero,
            direction: zero,
            tolerances: Tolerances { rtol: zero, atol: zero },
            y: [zero; N],
            parameters: [zero; P],
            slope: [zero; N],
            length: zero,
        };
        for lane in 0..LANES {
            // Lanes that are left over repeat the first trajectory.
            let index = first + if lane < count { lane } else { 0 };
            let (t0, t1) = *trajectories.spans.of(index);
            early.start[lane] = t0;
            early.target[lane] = t1;
            early.direction[lane] = if t1 < t0 { -1.0 } else { 1.0 };
            early.length[lane] = (t1 - t0).abs();
            let own = trajectories.tolerances.as_ref().map(|each| each[index]);
            let (rtol, atol) = own.unwrap_or(common);
            early.tolerances.rtol[lane] = rtol;
            early.tolerances.atol[lane] = atol;
            set_column(&mut early.y, lane, &trajectories.y0s[index]);
            set_column(&mut early.parameters, lane, &trajectories.parameters(index));
        }
        early
    }

    /// The first slopes.
    pub(super) fn evaluate<F: EnsembleField<N, P>>(&mut self, arch: Arch, field: &F) {
        let Self { start: t, y, parameters, slope: slopes, length: h, .. } = self;
        arch.dispatch(Evaluate { field, t, c: 0.0, h, y, parameters, slopes });
    }

    /// Lengths of the first steps, chosen as for an ordinary solve.
    pub(super) fn choose_first_steps<F: EnsembleField<N, P>>(
        &mut self,
        arch: Arch,
        field: &F,
        order: u32,
    ) {
        let Self { start, direction, tolerances, y, parameters, slope, length, .. } = self;
        let norm = |e: &Rows<N>| arch.dispatch(WeightedRms { e, a: y, b: y, tolerances });
        let (d0, d1) = (norm(y), norm(slope));
        let (mut h0, mut h) = (Row::of(0.0), Row::of(0.0));
        for lane in 0..LANES {
            h0[lane] = first_step::probe(d0[lane], d1[lane], length[lane]);
            h[lane] = direction[lane] * h0[lane];
        }
        let terms = &[(0, 1.0)];
        let first = std::slice::from_ref(slope);
        let (mut point, mut slopes) = ([Row::of(0.0); N], [Row::of(0.0); N]);
        let out = &mut point;
        arch.dispatch(Combine { base: Some(y), h: &h, terms, slopes: first, out });
        let (y, out) = (&point, &mut slopes);
        arch.dispatch(Evaluate { field, t: start, c: 1.0, h: &h, y, parameters, slopes: out });
        // The difference of the slopes approximates the second derivative.
        let (base, minus, out) = (Some(&slopes), &Row::of(-1.0), &mut point);
        arch.dispatch(Combine { base, h: minus, terms, slopes: first, out });
        let d2 = norm(&point);
        for lane in 0..LANES {
            let d2 = d2[lane] / h0[lane];
            length[lane] = first_step::after_probe(d1[lane], d2, h0[lane], length[lane], order);
        }
    }
}

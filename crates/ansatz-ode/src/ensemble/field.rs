//! The right-hand side of every trajectory: [`EnsembleField`].

/// The right-hand side `f(t, y, p)` of the trajectories of an ensemble, with the parameters `p` of
/// each.
///
/// It is implemented by closures `Fn(f64, &[f64; N]) -> [f64; N]` and
/// `Fn(f64, &[f64; N], &[f64; P]) -> [f64; N]`, as [`ensemble`](crate::ensemble()) and
/// [`Ensemble::parameters`](crate::Ensemble::parameters) wrap them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no field of an ensemble of `[f64; {N}]` with `[f64; {P}]` as parameters",
    note = "fields are closures `|t: f64, y: &[f64; N]| -> [f64; N]`, with a third argument \
            `p: &[f64; P]` where `parameters` were given"
)]
pub trait EnsembleField<const N: usize, const P: usize>: Sync {
    /// The derivative of the state `y` at `t`.
    fn eval(&self, t: f64, y: &[f64; N], parameters: &[f64; P]) -> [f64; N];
}

/// A closure of time and state.
#[derive(Debug, Clone, Copy)]
pub struct Common<F>(pub(super) F);

impl<F, const N: usize> EnsembleField<N, 0> for Common<F>
where
    F: Fn(f64, &[f64; N]) -> [f64; N] + Sync,
{
    #[inline(always)]
    fn eval(&self, t: f64, y: &[f64; N], _: &[f64; 0]) -> [f64; N] {
        (self.0)(t, y)
    }
}

/// A closure of time, state and parameters.
#[derive(Debug, Clone, Copy)]
pub struct Parametrised<F>(pub(super) F);

impl<F, const N: usize, const P: usize> EnsembleField<N, P> for Parametrised<F>
where
    F: Fn(f64, &[f64; N], &[f64; P]) -> [f64; N] + Sync,
{
    #[inline(always)]
    fn eval(&self, t: f64, y: &[f64; N], parameters: &[f64; P]) -> [f64; N] {
        (self.0)(t, y, parameters)
    }
}

//! Strong stability preserving methods keep what the Euler method keeps; others do not.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::{
    Bosh3, Dopri5, Euler, Explicit, ExplicitRungeKutta, InPlace, Method, Midpoint, Rk4, Save,
    SspRk22, SspRk33, SspRk43, SspRk54, SspRk104, Tableau, solve,
};

const CELLS: usize = 100;
const DX: f64 = 1.0 / CELLS as f64;

fn minmod(a: f64, b: f64) -> f64 {
    if a * b <= 0.0 { 0.0 } else { a.signum() * a.abs().min(b.abs()) }
}

/// `u_t + (u²/2)_x = 0` on a ring, for `u ≥ 0`: upwind fluxes of the linear reconstruction whose
/// slopes minmod limits (B. van Leer 1979).
#[allow(clippy::ptr_arg)] // the state is a vector, and fields take the state
fn burgers(_: f64, u: &Vec<f64>, du: &mut Vec<f64>) {
    let n = u.len();
    let at = |i: usize| u[i % n];
    let flux = |i: usize| {
        let slope = minmod(at(i + n) - at(i + n - 1), at(i + 1) - at(i));
        0.5 * (at(i) + 0.5 * slope).powi(2)
    };
    for i in 0..n {
        du[i] = -(flux(i) - flux(i + n - 1)) / DX;
    }
}

fn variation(u: &[f64]) -> f64 {
    (0..u.len()).map(|i| (u[(i + 1) % u.len()] - u[i]).abs()).sum()
}

/// The most by which the total variation grows over a step, from a block with two jumps, at `cfl`
/// times the length up to which the Euler method is known not to let it grow.
fn growth<M: ExplicitRungeKutta>(method: M, cfl: f64) -> f64 {
    let u0: Vec<f64> = (0..CELLS).map(|i| if (20..60).contains(&i) { 1.0 } else { 0.0 }).collect();
    // A. Harten's conditions (J. Comput. Phys. 49, 1983): with slopes at most those to either side
    // they hold up to a Courant number of 2/3. The largest speed is 1.
    let step = cfl * 2.0 / 3.0 * DX;
    let s = solve(InPlace(burgers), u0, (0.0, 60.0 * step))
        .with(method)
        .steps(60)
        .save(Save::Steps)
        .run_partial()
        .unwrap();
    s.ys.windows(2).map(|y| variation(&y[1]) - variation(&y[0])).fold(f64::NEG_INFINITY, f64::max)
}

/// The second-order method of S. Gottlieb and C.-W. Shu (Math. Comput. 67, 1998, section 2), whose
/// steps are combinations of Euler steps with a negative weight.
#[derive(Clone, Copy)]
struct NotStrong;

impl Method for NotStrong {
    type Family = Explicit;
}

impl ExplicitRungeKutta for NotStrong {
    const TABLEAU: Tableau = Tableau {
        order: 2,
        embedded_order: 0,
        c: &[0.0, -20.0],
        a: &[&[], &[-20.0]],
        b: &[41.0 / 40.0, -1.0 / 40.0],
        error: &[],
        extra: &[],
        dense: &[],
    };
}

#[test]
fn total_variation_does_not_grow() {
    fn keeps<M: ExplicitRungeKutta>(method: M, coefficient: f64) {
        for share in [0.5, 1.0] {
            let grown = growth(method, share * coefficient);
            assert!(grown < 1e-13, "{} {share}: {grown:e}", std::any::type_name::<M>());
        }
    }
    keeps(Euler, 1.0);
    keeps(SspRk22, SspRk22::SSP_COEFFICIENT);
    keeps(SspRk33, SspRk33::SSP_COEFFICIENT);
    keeps(SspRk43, SspRk43::SSP_COEFFICIENT);
    keeps(SspRk54, SspRk54::SSP_COEFFICIENT);
    keeps(SspRk104, SspRk104::SSP_COEFFICIENT);
}

/// Negative controls: without the property, where methods with it are safe, and with it, beyond.
#[test]
fn total_variation_grows_elsewhere() {
    fn loses<M: ExplicitRungeKutta>(method: M, cfl: f64) {
        let grown = growth(method, cfl);
        assert!(grown > 1e-4, "{} {cfl}: {grown:e}", std::any::type_name::<M>());
    }
    // Stable, of order 2, and safe for no step at all.
    loses(NotStrong, 0.25);
    loses(NotStrong, 0.5);
    loses(Dopri5, SspRk54::SSP_COEFFICIENT);
    loses(Bosh3, SspRk43::SSP_COEFFICIENT);
    loses(Rk4, SspRk104::SSP_COEFFICIENT);
    loses(Euler, 1.25);
    loses(SspRk22, 1.5);
    loses(SspRk33, 2.0);
    loses(SspRk43, 3.0);
    loses(SspRk54, 3.0);
}

/// Whether `(I + rK)⁻¹ e ≥ 0` and `rK (I + rK)⁻¹ ≥ 0` for the matrix `K` of the stages and the step:
/// then steps are combinations of Euler steps `r` times as short, with weights that are not negative
/// (J. F. B. M. Kraaijevanger, BIT 31, 1991, 482–528).
fn is_absolutely_monotonic(tableau: &Tableau, r: f64) -> bool {
    let rows: Vec<&[f64]> = tableau.a.iter().copied().chain([tableau.b]).collect();
    // K is strictly lower triangular: forward substitution, column by column of (I + rK)⁻¹.
    let n = rows.len();
    let solve = |right: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let mut x: Vec<f64> = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let known: f64 = row.iter().zip(&x).map(|(k, x)| k * x).sum();
            x.push(right(i) - r * known);
        }
        x
    };
    let enough = |x: f64| x > -1e-12;
    // rK (I + rK)⁻¹ = I − (I + rK)⁻¹.
    solve(&|_| 1.0).into_iter().all(enough)
        && (0..n).all(|j| {
            let column = solve(&|i| f64::from(i == j));
            column.iter().enumerate().all(|(i, x)| enough(f64::from(i == j) - x))
        })
}

#[test]
fn coefficients_are_the_radius_of_absolute_monotonicity() {
    fn check<M: ExplicitRungeKutta>(_: M, coefficient: f64) {
        let name = std::any::type_name::<M>();
        for share in [0.1, 0.5, 1.0 - 1e-9] {
            assert!(is_absolutely_monotonic(&M::TABLEAU, share * coefficient), "{name} {share}");
        }
        assert!(!is_absolutely_monotonic(&M::TABLEAU, 1.0001 * coefficient), "{name}");
    }
    check(Euler, 1.0);
    check(SspRk22, SspRk22::SSP_COEFFICIENT);
    check(SspRk33, SspRk33::SSP_COEFFICIENT);
    check(SspRk43, SspRk43::SSP_COEFFICIENT);
    check(SspRk54, SspRk54::SSP_COEFFICIENT);
    check(SspRk104, SspRk104::SSP_COEFFICIENT);
    for tableau in [Midpoint::TABLEAU, Rk4::TABLEAU, Bosh3::TABLEAU, Dopri5::TABLEAU] {
        assert!(!is_absolutely_monotonic(&tableau, 1e-3), "{tableau:?}");
    }
}

//! Complex states: explicit and implicit methods, events, dense output.
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use ansatz_ode::core::{Complex64, State};
use ansatz_ode::{Error, Event, Rk4, Save, Status, Tsit5, Vern7, solve};

const I: Complex64 = Complex64::I;

/// z' = i cos t z: z = exp(i sin t).
#[test]
fn a_phase_that_swings() {
    let exact = |t: f64| (I * t.sin()).exp();
    let field = |t: f64, z: &Complex64| I * t.cos() * z;
    for span in [(0.0, 5.0), (5.0, 0.0)] {
        let s = solve(field, exact(span.0), span).with(Vern7).tolerance(1e-11, 1e-11);
        let (s, dense) = s.run_dense().unwrap();
        assert!((s.y_end - exact(span.1)).norm() < 1e-9);
        assert!((dense.at(2.2).unwrap() - exact(2.2)).norm() < 1e-8);
        let error = |steps| {
            let s = solve(field, exact(span.0), span).with(Rk4).steps(steps).run().unwrap();
            (s.y_end - exact(span.1)).norm()
        };
        let order = (error(50) / error(200)).log(4.0);
        assert!((order - 4.0).abs() < 0.2, "{order}");
    }
}

/// A wave packet of the free Schrödinger equation i u_t = −u_xx on a periodic grid keeps its norm; its
/// Fourier modes turn at their own speeds.
#[test]
fn a_free_particle() {
    let n = 32;
    let h = std::f64::consts::TAU / n as f64;
    let field = move |_: f64, u: &Vec<Complex64>| -> Vec<Complex64> {
        let laplacian = |j: usize| u[(j + 1) % n] + u[(j + n - 1) % n] - u[j] * 2.0;
        (0..n).map(|j| I * laplacian(j) / (h * h)).collect()
    };
    let mode = |k: f64, j: usize| (I * k * h * j as f64).exp();
    let u0: Vec<Complex64> = (0..n).map(|j| mode(2.0, j) + mode(-5.0, j) * 0.5).collect();
    let s = solve(field, u0, (0.0, 1.0)).with(Tsit5).tolerance(1e-9, 1e-9).run().unwrap();
    let turned = |k: f64| (-I * ((2.0 - 2.0 * (k * h).cos()) / (h * h))).exp();
    for (j, u) in s.y_end.iter().enumerate() {
        let want = mode(2.0, j) * turned(2.0) + mode(-5.0, j) * 0.5 * turned(-5.0);
        assert!((u - want).norm() < 1e-6, "{j}: {u} {want}");
    }
}

/// Stiff, and not analytic: the slope depends on the conjugate.
#[cfg(feature = "stiff")]
#[test]
fn implicit_methods() {
    use ansatz_ode::{Kvaerno5, Rodas5P, TrBdf2};

    let exact = |t: f64| [(I * t).exp(), Complex64::new(t.cos(), 2.0 * t.sin())];
    let field = move |t: f64, z: &[Complex64; 2]| {
        let [a, b] = exact(t);
        let relax =
            |z: Complex64, e: Complex64| (z.conj() - e.conj()).conj() * Complex64::new(-1e5, 3e4);
        [I * a + relax(z[0], a), Complex64::new(-t.sin(), 2.0 * t.cos()) + relax(z[1], b)]
    };
    let field_mixed = move |t: f64, z: &[Complex64; 2]| {
        let mut dz = field(t, z);
        // −10⁴ of the conjugate: a Jacobian only in real and imaginary parts.
        dz[1] -= (z[1] - exact(t)[1]).conj() * 1e4;
        dz
    };
    macro_rules! check {
        ($($method:expr),*) => {$(
            let s = solve(field_mixed, exact(0.0), (0.0, 3.0)).with($method).tolerance(1e-7, 1e-7);
            let s = s.run().unwrap();
            let off: Vec<_> = s.y_end.iter().zip(exact(3.0)).map(|(a, b)| (a - b).norm()).collect();
            assert!(off.iter().all(|e| *e < 5e-6), "{:?} {off:?}", $method);
            assert!(s.statistics.accepted < 2000, "{:?}", s.statistics);
        )*};
    }
    check!(Kvaerno5, Rodas5P, TrBdf2);
}

#[test]
fn events_and_steps() {
    let field = |_: f64, z: &Complex64| I * z;
    let s = solve(field, Complex64::ONE, (0.0, 10.0)).with(Tsit5).tolerance(1e-10, 1e-10);
    let s = s.save(Save::Steps).event(Event::new(|_, z: &Complex64| Ok(z.re)).stop_after(2));
    let s = s.run().unwrap();
    assert_eq!(s.status, Status::Stopped { event: 0 });
    assert!((s.t_end - 1.5 * std::f64::consts::PI).abs() < 1e-8, "{}", s.t_end);
}

#[test]
fn the_norm_sees_sizes_not_phases() {
    let (e, a) = (Complex64::new(3.0, 4.0), Complex64::new(0.0, -2.0));
    let norm = e.weighted_rms(&a, &a, 0.5, 1.0).unwrap();
    assert!((norm - 2.5).abs() < 1e-15, "{norm}");
    let turned = (e * I).weighted_rms(&(a * I), &(a * I), 0.5, 1.0).unwrap();
    assert!((norm - turned).abs() < 1e-15);
    assert_eq!([e; 3].dimension(), 6);
    let nan = vec![Complex64::new(f64::NAN, 0.0)];
    let s =
        solve(|_: f64, z: &Vec<Complex64>| z.clone(), nan, (0.0, 1.0)).with(Tsit5).steps(2).run();
    assert!(matches!(s, Err(Error::NotFinite { .. })), "{s:?}");
    let longer = |_: f64, z: &Vec<Complex64>| [z.as_slice(), z.as_slice()].concat();
    let s = solve(longer, vec![I], (0.0, 1.0)).with(Tsit5).steps(2).run();
    assert!(matches!(s, Err(Error::Core(_))), "{s:?}");
}

//! What every implementation of [`State`](ansatz::core::State) and
//! [`TensorLike`](ansatz::core::TensorLike) must do.
//!
//! The suites return the first violation as text; a test shows it with `unwrap`.

mod state;
mod tensor_like;

pub use state::check_state;
pub use tensor_like::check_tensor_like;

/// The first violation, if there is one.
pub type Verdict = Result<(), String>;

/// Passes on an unexpected error as a violation.
fn run<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> Result<T, String> {
    result.map_err(|e| format!("{what}: {e}"))
}

fn close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) -> Verdict {
    if got.len() != expected.len() {
        return Err(format!("{what}: {} numbers, expected {}", got.len(), expected.len()));
    }
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        let difference = (g - e).abs();
        if difference.is_nan() || difference > tolerance * e.abs().max(1.0) {
            return Err(format!("{what}: element {i} is {g}, expected {e}"));
        }
    }
    Ok(())
}

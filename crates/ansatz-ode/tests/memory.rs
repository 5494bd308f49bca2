//! The memory of the discrete adjoint does not grow with the length of the solve.
#![cfg(feature = "candle")]
#![allow(unsafe_code)] // a counting allocator is the only way to see the peak
#![allow(clippy::unwrap_used)] // a failing test may say so by panicking

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use ansatz_ode::core::candle::{Device, Tensor, Var};
use ansatz_ode::{Euler, RecursiveCheckpoint, solve, solve_rows};

/// Counts live bytes and their peak.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed to the system allocator unchanged; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Held while a test counts.
static ALONE: Mutex<()> = Mutex::new(());

/// Peak bytes above the start of one gradient, and the gradient.
fn gradient(steps: usize, checkpoints: usize) -> (usize, f64) {
    let k = Var::new(-0.1f64, &Device::Cpu).unwrap();
    let rate = k.as_tensor().clone();
    let y0 = Tensor::ones(20_000, candle_core::DType::F64, &Device::Cpu).unwrap();
    // A state of 160 kB, so that the states, not the bookkeeping, are what is measured.
    let start = LIVE.load(Relaxed);
    PEAK.store(start, Relaxed);
    let solution = solve(move |_: f64, y: &Tensor| y.broadcast_mul(&rate), y0, (0.0, 5.0))
        .with(Euler)
        .steps(steps)
        .adjoint(RecursiveCheckpoint::new(checkpoints))
        .run()
        .unwrap();
    let loss = solution.y_end.mean_all().unwrap();
    let gradient = loss.backward().unwrap().get(&k).unwrap().to_scalar::<f64>().unwrap();
    (PEAK.load(Relaxed) - start, gradient)
}

#[test]
fn memory_follows_the_checkpoints_not_the_steps() {
    let _alone = ALONE.lock();
    let expected = 5.0 * (-0.5f64).exp();
    let (short, g) = gradient(100, 16);
    assert!((g - expected).abs() < 2e-2);
    let (long, g) = gradient(1_000, 16);
    assert!((g - expected).abs() < 2e-3);
    let ratio = long as f64 / short as f64;
    assert!(ratio < 1.3, "{short} bytes for 100 steps, {long} for 2,000: {ratio}");
    // Negative control: with a checkpoint for every step memory does grow.
    let (all, _) = gradient(200, 200);
    assert!(all > 5 * short, "{all} against {short}");
}

/// The same of a batch whose rows step alone: one of them a tenth as far as the others.
fn gradient_of_rows(steps: usize, checkpoints: usize) -> (usize, f64) {
    let k = Var::new(-0.1f64, &Device::Cpu).unwrap();
    let rate = k.as_tensor().clone();
    let y0 = Tensor::ones((4, 5_000), candle_core::DType::F64, &Device::Cpu).unwrap();
    let start = LIVE.load(Relaxed);
    PEAK.store(start, Relaxed);
    let field = move |_: &Tensor, y: &Tensor| y.broadcast_mul(&rate);
    let solution = solve_rows(field, y0, vec![(0.0, 5.0), (0.0, 5.0), (0.0, 0.5), (0.0, 5.0)])
        .with(Euler)
        .step(5.0 / steps as f64)
        .adjoint(RecursiveCheckpoint::new(checkpoints))
        .run()
        .unwrap();
    let loss = solution.y_end.mean_all().unwrap();
    let gradient = loss.backward().unwrap().get(&k).unwrap().to_scalar::<f64>().unwrap();
    (PEAK.load(Relaxed) - start, gradient)
}

#[test]
fn memory_of_rows_follows_the_checkpoints_not_the_steps() {
    let _alone = ALONE.lock();
    let expected = 0.25 * (15.0 * (-0.5f64).exp() + 0.5 * (-0.05f64).exp());
    let (short, g) = gradient_of_rows(100, 16);
    assert!((g - expected).abs() < 2e-2, "{g} {expected}");
    let (long, g) = gradient_of_rows(1_000, 16);
    assert!((g - expected).abs() < 2e-3);
    let ratio = long as f64 / short as f64;
    assert!(ratio < 1.3, "{short} bytes for 100 steps, {long} for 1,000: {ratio}");
    let (all, _) = gradient_of_rows(200, 200);
    assert!(all > 5 * short, "{all} against {short}");
}

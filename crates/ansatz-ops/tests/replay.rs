//! Chains of any length are differentiated on a small stack and in constant memory.
//!
//! `y ← y + h tanh(W y)` is run 200,000 times and reversed by [`Recorder`], one local [`vjp`] a
//! step, on a thread whose stack would not hold a tape of even a few thousand nodes. W is close to
//! antisymmetric, so that the flow neither grows nor decays and every step counts in the gradient.
#![allow(clippy::unwrap_used)] // in helpers of tests
#![allow(unsafe_code)] // the allocator that counts; nothing else here

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use ansatz_ops::{Error, Recorder, Result, custom_vjp, linear_combination, vjp};
use candle_core::{Device, Tensor, Var};

struct Counting;
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system allocator with the layout it came with, and what
// that returns is returned unchanged; the counters allocate nothing. `realloc` is the trait's own,
// which allocates, copies and frees through the two functions below.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is the one `System` asks for.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
            PEAK.fetch_max(live, Relaxed);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `alloc` above, that is from `System`, with this layout.
        unsafe { System.dealloc(block, layout) };
        LIVE.fetch_sub(layout.size(), Relaxed);
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests of this file run one at a time: they share the counters.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The result of `f` and the most bytes it had allocated at one time.
fn peak_bytes<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = f();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}

/// Runs `f` where a deep recursion would end the process.
fn on_small_stack<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(512 * 1024).spawn(f).unwrap().join().unwrap()
}

const N: usize = 8;
const LONG: usize = 200_000;
/// Few enough that 2,000 steps need all of them.
const CHECKPOINTS: usize = 64;

/// Initial state, matrix (row by row), and weights of the final state in the loss.
fn problem() -> ([f64; N], [f64; N * N], [f64; N]) {
    let mut w = [0.0; N * N];
    for i in 0..N {
        for j in 0..i {
            let s = (1.0 + 3.1 * i as f64 + 1.7 * j as f64).sin();
            w[i * N + j] = s;
            w[j * N + i] = -s;
        }
        w[i * N + i] = 0.01 * (2.0 * i as f64).cos();
    }
    let y = std::array::from_fn(|i| (0.4 + 1.3 * i as f64).sin());
    let weights = std::array::from_fn(|i| 1.0 - 0.2 * i as f64);
    (y, w, weights)
}

/// The step length: the chain covers the time 20, whatever its length.
fn step_length(steps: usize) -> f64 {
    20.0 / steps as f64
}

/// The loss and its derivative in the direction `(dy, dw)`, by plain loops in forward mode.
fn tangent(
    steps: usize,
    y: &[f64],
    w: &[f64],
    weights: &[f64],
    dy: &[f64],
    dw: &[f64],
) -> (f64, f64) {
    let h = step_length(steps);
    let (mut y, mut dy) = (y.to_vec(), dy.to_vec());
    for _ in 0..steps {
        let mut next = [(0.0, 0.0); N];
        for (j, (next, dnext)) in next.iter_mut().enumerate() {
            let (mut sum, mut dsum) = (0.0, 0.0);
            for i in 0..N {
                sum += w[j * N + i] * y[i];
                dsum += w[j * N + i] * dy[i] + dw[j * N + i] * y[i];
            }
            let t = f64::tanh(sum);
            *next = y[j] + h * t;
            *dnext = dy[j] + h * (1.0 - t * t) * dsum;
        }
        for j in 0..N {
            (y[j], dy[j]) = next[j];
        }
    }
    let dot = |a: &[f64]| a.iter().zip(weights).map(|(a, b)| a * b).sum::<f64>();
    (dot(&y), dot(&dy))
}

/// One step as candle operations; `v` holds the state `[N]` and the matrix `[N, N]`.
fn step(v: &[Tensor], h: f64) -> Result<Tensor> {
    // candle hands even an 8×8 product to a thread pool, which takes longer than all the rest.
    let product = v[1].broadcast_mul(&v[0])?.sum(1)?;
    Ok((&v[0] + product.tanh()?.affine(h, 0.0)?)?)
}

/// All steps on candle's tape.
fn taped(y: &Tensor, w: &Tensor, steps: usize) -> Result<Tensor> {
    let mut v = [y.clone(), w.clone()];
    for _ in 0..steps {
        v[0] = step(&v, step_length(steps))?;
    }
    Ok(v[0].clone())
}

/// All steps off the tape; the gradient replays them from at most `CHECKPOINTS` states.
fn replayed(y: &Tensor, w: &Tensor, steps: usize) -> Result<Tensor> {
    let h = step_length(steps);
    let theta = w.detach();
    let mut state = y.detach();
    let mut recorder = Recorder::new(CHECKPOINTS)?;
    let fixed = theta.clone();
    let advance = move |y: &Tensor| step(&[y.clone(), fixed.clone()], h);
    for _ in 0..steps {
        recorder.push(&state);
        state = advance(&state)?;
    }
    custom_vjp(&[y, w], &state, move |cotangent| {
        let mut gy = cotangent.clone();
        let mut gw = theta.zeros_like()?;
        recorder.clone().reverse(
            |_, y| advance(y),
            |_, y| {
                let (_, pullback) = vjp(|v| Ok(vec![step(v, h)?]), &[y.clone(), theta.clone()])?;
                let g = pullback.apply(std::slice::from_ref(&gy))?;
                gw = linear_combination(Some(&gw), &[(1.0, &g.inputs[1])])?;
                gy = g.inputs[0].clone();
                Ok::<(), Error>(())
            },
        )?;
        Ok(vec![Some(gy), Some(gw)])
    })
}

type Chain = fn(&Tensor, &Tensor, usize) -> Result<Tensor>;

/// Loss, gradient of the initial state, gradient of the matrix.
fn gradient(chain: Chain, steps: usize) -> (f64, Vec<f64>, Vec<f64>) {
    let (y, w, weights) = problem();
    let cpu = &Device::Cpu;
    let y = Var::from_tensor(&Tensor::new(&y, cpu).unwrap()).unwrap();
    let w = Var::from_tensor(&Tensor::from_slice(&w, (N, N), cpu).unwrap()).unwrap();
    let end = chain(&y, &w, steps).unwrap();
    let loss = (end * Tensor::new(&weights, cpu).unwrap()).unwrap().sum_all().unwrap();
    let store = loss.backward().unwrap();
    let flat = |x: &Tensor| store.get(x).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    (loss.to_scalar().unwrap(), flat(&y), flat(&w))
}

#[track_caller]
fn assert_close(a: &[f64], b: &[f64], tolerance: f64) {
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * (1.0 + y.abs()), "element {i}: {x} and {y}");
    }
}

#[test]
fn replay_equals_the_tape_of_a_short_chain() {
    let _alone = alone();
    for steps in [1, 2, 100, 300] {
        let (loss, gy, gw) = gradient(replayed, steps);
        let (taped_loss, taped_gy, taped_gw) = gradient(taped, steps);
        assert_eq!(loss, taped_loss);
        assert_close(&gy, &taped_gy, 1e-12);
        assert_close(&gw, &taped_gw, 1e-12);
    }
}

/// Why it is needed: candle's `backward` and `drop` recurse once per node of the graph.
#[test]
fn the_tape_grows_with_the_chain_and_the_replayed_graph_does_not() {
    let _alone = alone();
    let (y, w, _) = problem();
    let y = Var::from_tensor(&Tensor::new(&y, &Device::Cpu).unwrap()).unwrap();
    let w = Var::from_tensor(&Tensor::from_slice(&w, (N, N), &Device::Cpu).unwrap()).unwrap();
    let nodes = |chain: Chain, steps| chain(&y, &w, steps).unwrap().sorted_nodes().len();
    let per_step = (nodes(taped, 300) - nodes(taped, 100)) / 200;
    assert_eq!(nodes(taped, 300), nodes(taped, 100) + 200 * per_step);
    // A stack of 8 MiB bears some 35,000 nodes of an optimised build, 512 KiB some 2,000.
    assert!(per_step * LONG > 500_000, "{per_step} nodes a step");
    let replayed_nodes = nodes(replayed, 100);
    assert!(replayed_nodes < 10, "{replayed_nodes} nodes");
    assert_eq!(replayed_nodes, nodes(replayed, 3_000));
    // The same holds for memory.
    let (_, short) = peak_bytes(|| gradient(taped, 100));
    let (_, long) = peak_bytes(|| gradient(taped, 200));
    assert!(long as f64 > 1.8 * short as f64, "{short} and {long} bytes");
}

#[test]
fn two_hundred_thousand_steps_on_a_small_stack_in_constant_memory() {
    let _alone = alone();
    let run = |steps| on_small_stack(move || peak_bytes(|| gradient(replayed, steps)));
    run(10); // lazily made tables and thread pools do not count
    let (_, short) = run(2_000);
    let ((loss, gy, gw), long) = run(LONG);
    assert!(long as f64 <= 1.3 * short as f64, "{short} bytes for 2,000 steps, {long} for {LONG}");

    // Exact: forward mode in two generic directions that involve every element.
    let (y, w, weights) = problem();
    for phase in [0.2, 2.1] {
        let dy: Vec<f64> = (0..N).map(|i| (phase + 0.9 * i as f64).cos()).collect();
        let dw: Vec<f64> = (0..N * N).map(|i| (phase + 2.3 * i as f64).cos()).collect();
        let (plain, want) = tangent(LONG, &y, &w, &weights, &dy, &dw);
        assert!((loss - plain).abs() < 1e-9, "{loss} {plain}");
        let ours = gy.iter().zip(&dy).chain(gw.iter().zip(&dw)).map(|(g, d)| g * d).sum::<f64>();
        assert!((ours - want).abs() < 1e-8 * want.abs(), "{ours} {want}");
        assert!(want.abs() > 1.0, "the gradient says something: {want}");
    }
    // And by central differences of the loss, element by element.
    let value = |y: &[f64], w: &[f64]| tangent(LONG, y, w, &weights, &[0.0; N], &[0.0; N * N]).0;
    let h = 1e-5;
    for (index, in_matrix) in [(0, false), (5, false), (3, true), (30, true)] {
        let at = |shift: f64| {
            let (mut y, mut w) = (y, w);
            if in_matrix {
                w[index] += shift;
            } else {
                y[index] += shift;
            }
            value(&y, &w)
        };
        let numeric = (at(h) - at(-h)) / (2.0 * h);
        let ours = if in_matrix { gw[index] } else { gy[index] };
        assert!((ours - numeric).abs() < 1e-6 * (1.0 + numeric.abs()), "{ours} {numeric}");
    }
}

//! What temporaries cost: page faults and time with the allocator that the program was built with.
//!
//! `allocator.chain`: twenty additions `x ← x + y` of 10⁶ f32, each into a fresh tensor of 4 MB.
//! `allocator.O3`: loss and gradient of the neural ODE O3 with 20 fixed steps, batch 256, whose
//! temporaries have 64 KB. Both say how many pages of memory a run had to get from the system
//! (`page_faults`). Compare a build with `--features system-allocator`.
use std::fs;

use candle_core::{Device, Tensor};

use super::{Measured, Rules, Variant, Work, inputs, targets, timed};
use crate::AnyError;
use crate::device::workloads::{O3_LOSS, o3};

const ALLOCATOR: &str =
    if cfg!(feature = "system-allocator") { "system-allocator" } else { "mimalloc" };
const ADDITIONS: usize = 20;

/// Large temporaries and small ones.
pub(super) fn variants() -> Vec<Variant> {
    let run = |workload, run| Variant { workload, library: "ansatz", method: ALLOCATOR, run };
    vec![run("allocator.chain", chain), run("allocator.O3", neural_ode)]
}

fn chain(rules: &Rules) -> Result<Measured, AnyError> {
    let single = |values: Vec<f64>| -> Result<Tensor, AnyError> {
        let values: Vec<f32> = values.into_iter().map(|x| x as f32).collect();
        Ok(Tensor::new(values, &Device::Cpu)?)
    };
    let (x, y) = (single(inputs(1000, 1000))?, single(targets(1000, 1000))?);
    let expected = f64::from(x.get(0)?.to_scalar::<f32>()?)
        + ADDITIONS as f64 * f64::from(y.get(0)?.to_scalar::<f32>()?);
    let (end, measured) = with_faults(rules, Work::Steps(ADDITIONS), || {
        let mut sum = x.clone();
        for _ in 0..ADDITIONS {
            sum = (sum + &y)?;
        }
        Ok(sum)
    })?;
    let error = (f64::from(end.get(0)?.to_scalar::<f32>()?) / expected - 1.0).abs();
    Ok(measured(error))
}

fn neural_ode(rules: &Rules) -> Result<Measured, AnyError> {
    let mut step = o3(&Device::Cpu, 256)?;
    let (loss, measured) = with_faults(rules, Work::Steps(20), &mut step)?;
    Ok(measured((f64::from(loss.to_scalar::<f32>()?) / O3_LOSS - 1.0).abs()))
}

/// Times `work`, counting page faults from the second call on; what is left to say is the error.
fn with_faults(
    rules: &Rules,
    count: Work,
    mut work: impl FnMut() -> Result<Tensor, AnyError>,
) -> Result<(Tensor, impl FnOnce(f64) -> Measured), AnyError> {
    let (mut calls, mut start) = (0_u64, None);
    let (last, timing) = timed(rules, || {
        if calls == 1 {
            start = page_faults();
        }
        calls += 1;
        work()
    })?;
    let faults = page_faults().zip(start).map(|(end, start)| (end - start) as f64);
    let each = faults.map(|n| (n / (calls - 1) as f64).round());
    Ok((last, move |error| Measured::new(timing, count, error).with("page_faults", each)))
}

/// Page faults of this process that needed no disk; `None` where /proc is absent.
fn page_faults() -> Option<u64> {
    minor_faults(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The tenth field. The second is the name of the program in brackets, which may hold spaces.
fn minor_faults(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Line;

    #[test]
    fn the_tenth_field_counts() {
        assert_eq!(minor_faults("7 (a b) c) S 1 2 3 4 5 6 4711 0 9 0 1"), Some(4711));
        assert_eq!(minor_faults("7 (x) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn touching_memory_faults() {
        let before = page_faults().unwrap();
        let fresh = std::hint::black_box(vec![1_u8; 64 << 20]);
        // With pages of 2 MB there are few of them, but some.
        assert!(page_faults().unwrap() > before + 16, "{}", fresh.len());
    }

    #[test]
    fn both_workloads_are_right() {
        let rules = Rules { min_runs: 1, budget_s: 0.0, ..Rules::default() };
        for variant in variants() {
            let measured = (variant.run)(&rules).unwrap();
            let line =
                Line::new(variant.workload, variant.peer(), 1, String::new(), None, measured);
            assert!(line.error_vs_reference.unwrap() < 1e-5, "{line:?}");
            assert_eq!(line.extra["page_faults"].is_number(), cfg!(target_os = "linux"));
        }
    }
}

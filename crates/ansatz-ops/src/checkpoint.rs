//! Reversing a long chain of steps with few stored states: [`Recorder`].
//!
//! A chain `s₀ → s₁ → … → s_N` is run forwards once. To walk it backwards one needs every state
//! again, last first. Storing all of them costs memory in proportion to N; this module keeps at
//! most `slots` states at any time and recomputes the others, with the binomial splitting of
//! A. Griewank and A. Walther (ACM Trans. Math. Softw. 26, 2000, Algorithm 799), which needs the
//! fewest repeated steps. The length of the chain need not be known beforehand: while recording,
//! states are kept at a stride that doubles when the slots run out, and half of the slots stay
//! free for the reversal.

use crate::{Error, Result};

/// Collects the states of a chain while it runs, at most `slots` of them at a time.
#[derive(Debug, Clone)]
pub struct Recorder<S> {
    slots: usize,
    stride: usize,
    len: usize,
    kept: Vec<(usize, S)>,
}

impl<S: Clone> Recorder<S> {
    /// A recorder that holds at most `slots` states.
    ///
    /// # Errors
    /// When `slots` is 0.
    pub fn new(slots: usize) -> Result<Self> {
        if slots == 0 {
            return Err(Error::InvalidArgument {
                what: "number of checkpoints",
                value: slots.to_string(),
                expected: "at least 1 (the initial state)",
            });
        }
        Ok(Self { slots, stride: 1, len: 0, kept: Vec::new() })
    }

    /// Notes the state **before** the next step.
    pub fn push(&mut self, state: &S) {
        // Kept are the multiples of the stride. When they fill their slots the stride doubles,
        // which frees every other one; the initial state is a multiple of every stride.
        while self.len.is_multiple_of(self.stride) && self.kept.len() >= self.recording_slots() {
            self.stride *= 2;
            let stride = self.stride;
            self.kept.retain(|(i, _)| i.is_multiple_of(stride));
        }
        if self.len.is_multiple_of(self.stride) {
            self.kept.push((self.len, state.clone()));
        }
        self.len += 1;
    }

    /// How many states recording may hold: all slots while every state fits, then half of them,
    /// since the reversal needs the other half.
    fn recording_slots(&self) -> usize {
        if self.stride == 1 { self.slots } else { self.slots.div_ceil(2) }
    }

    /// The number of steps noted so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no step has been noted.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of states held now.
    pub fn held(&self) -> usize {
        self.kept.len()
    }

    /// Walks the chain backwards: calls `visit(i, sᵢ)` for `i = N−1, …, 0`.
    ///
    /// `advance(i, sᵢ)` must return `sᵢ₊₁` exactly as the first run did. At no time are more than
    /// `slots` states held, beside the one being advanced. With slots ≥ N every state is there
    /// and nothing is recomputed; otherwise each step is recomputed about
    /// `r` times, where `binom(slots/2 + r, r)` reaches the length of a recorded stretch.
    ///
    /// # Errors
    /// Whatever `advance` or `visit` returns; the walk stops there.
    pub fn reverse<E>(
        mut self,
        mut advance: impl FnMut(usize, &S) -> Result<S, E>,
        mut visit: impl FnMut(usize, &S) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut end = self.len;
        while let Some((start, state)) = self.kept.pop() {
            // The slot of `state` itself is counted in `kept` of the caller's budget.
            let free = self.slots.saturating_sub(self.kept.len() + 1);
            reverse_stretch(start, end, state, free, &mut advance, &mut visit)?;
            end = start;
        }
        Ok(())
    }
}

/// Reverses the steps `start..end` from the state before `start`, with `free` further slots.
fn reverse_stretch<S: Clone, E>(
    start: usize,
    mut end: usize,
    state: S,
    free: usize,
    advance: &mut impl FnMut(usize, &S) -> Result<S, E>,
    visit: &mut impl FnMut(usize, &S) -> Result<(), E>,
) -> Result<(), E> {
    while end > start {
        let length = end - start;
        if length == 1 {
            visit(start, &state)?;
        } else if free == 0 {
            let mut current = advance(start, &state)?;
            for i in start + 1..end - 1 {
                current = advance(i, &current)?;
            }
            visit(end - 1, &current)?;
        } else {
            let middle = start + left_length(length, free + 1);
            let mut current = advance(start, &state)?;
            for i in start + 1..middle {
                current = advance(i, &current)?;
            }
            reverse_stretch(middle, end, current, free - 1, advance, visit)?;
            end = middle;
            continue;
        }
        end -= 1;
    }
    Ok(())
}

/// How many of `length` steps to advance before storing a state, with `slots` of them in all.
///
/// `binom(slots + r, r)` steps can be reversed with at most `r` advances of each. The right part
/// keeps `slots − 1` slots, the left part one repetition less; the split shares the length in
/// that proportion.
fn left_length(length: usize, slots: usize) -> usize {
    if slots >= length {
        return 1; // every state fits
    }
    let mut repeats = 1;
    while binomial(slots + repeats, repeats) < length {
        repeats += 1;
    }
    let right_most = binomial(slots - 1 + repeats, repeats).min(length - 1);
    let left_most = binomial(slots + repeats - 1, repeats - 1).min(length - 1);
    let share = length as f64 * repeats as f64 / (slots + repeats) as f64;
    (share.round() as usize).clamp((length - right_most).max(1), left_most.max(1))
}

/// The binomial coefficient, saturating.
fn binomial(n: usize, k: usize) -> usize {
    let k = k.min(n - k);
    let mut result = 1usize;
    for i in 0..k {
        result = match result.checked_mul(n - i) {
            Some(product) => product / (i + 1),
            None => return usize::MAX,
        };
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs a chain of `n` steps and reverses it; returns (advances, most states held).
    fn walk(n: usize, slots: usize) -> (usize, usize) {
        let mut recorder = Recorder::new(slots).unwrap();
        for i in 0..n {
            recorder.push(&(7 * i));
            assert!(recorder.held() <= slots);
        }
        let mut advances = 0;
        let mut next = n;
        recorder
            .reverse::<std::convert::Infallible>(
                |i, s| {
                    assert_eq!(*s, 7 * i);
                    advances += 1;
                    Ok(s + 7)
                },
                |i, s| {
                    next -= 1;
                    assert_eq!((i, *s), (next, 7 * next));
                    Ok(())
                },
            )
            .unwrap();
        assert_eq!(next, 0);
        (advances, slots)
    }

    #[test]
    fn zero_slots_is_an_error() {
        assert!(matches!(Recorder::<u8>::new(0), Err(Error::InvalidArgument { .. })));
    }

    #[test]
    fn nothing_is_recomputed_when_everything_fits() {
        assert_eq!(walk(40, 40).0, 0);
        assert_eq!(walk(0, 3).0, 0);
    }

    #[test]
    fn long_chains_need_few_repeats() {
        // 16 free slots and stretches of at most 2·10⁵/8 steps: r ≤ 7 by the binomial bound.
        let (advances, _) = walk(200_000, 32);
        assert!(advances < 7 * 200_000, "{advances}");
        // One slot: quadratic, but right.
        assert_eq!(walk(50, 1).0, 49 * 50 / 2);
    }

    proptest! {
        #[test]
        fn every_step_is_visited_once_in_order(n in 0usize..600, slots in 1usize..40) {
            walk(n, slots);
        }
    }

    /// A state that counts its living copies.
    #[derive(Debug)]
    struct Counted(std::rc::Rc<std::cell::Cell<(usize, usize)>>);
    impl Counted {
        fn new(cell: &std::rc::Rc<std::cell::Cell<(usize, usize)>>) -> Self {
            let (live, peak) = cell.get();
            cell.set((live + 1, peak.max(live + 1)));
            Self(cell.clone())
        }
    }
    impl Clone for Counted {
        fn clone(&self) -> Self {
            Self::new(&self.0)
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            let (live, peak) = self.0.get();
            self.0.set((live - 1, peak));
        }
    }

    #[test]
    fn never_more_states_than_slots() {
        for (n, slots) in [(5_000, 1), (5_000, 2), (5_000, 7), (5_000, 32), (100, 200)] {
            let n = if slots == 1 { 200 } else { n };
            let cell = std::rc::Rc::default();
            let mut recorder = Recorder::new(slots).unwrap();
            {
                let state = Counted::new(&cell);
                for _ in 0..n {
                    recorder.push(&state);
                }
            }
            recorder
                .reverse::<std::convert::Infallible>(|_, s| Ok(s.clone()), |_, _| Ok(()))
                .unwrap();
            let (live, peak) = cell.get();
            assert_eq!(live, 0);
            // + the state being advanced, its successor, and the caller's own.
            assert!(peak <= slots + 2, "{n} steps, {slots} slots: {peak} states");
        }
    }
}

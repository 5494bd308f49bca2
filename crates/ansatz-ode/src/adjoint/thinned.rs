//! Every so many states of a solve of unknown length: [`Thinned`].

use crate::{Error, Result};

/// Keeps every `stride`-th of the states pushed, where the stride doubles as often as there would be
/// too many.
#[derive(Debug, Clone)]
pub(crate) struct Thinned<Y> {
    most: usize,
    stride: usize,
    pushed: usize,
    kept: Vec<Y>,
}

impl<Y: Clone> Thinned<Y> {
    /// At most `most` states, at least 1.
    pub(crate) fn new(most: usize) -> Result<Self> {
        if most == 0 {
            return Err(Error::invalid("checkpoints", most, "at least 1"));
        }
        Ok(Self { most, stride: 1, pushed: 0, kept: Vec::new() })
    }

    pub(crate) fn push(&mut self, y: &Y) {
        if self.pushed.is_multiple_of(self.stride) {
            if self.kept.len() == self.most {
                // Those at even places stay; this one does if its place would be even.
                let mut place = 0;
                self.kept.retain(|_| {
                    place += 1;
                    place % 2 == 1
                });
                self.stride *= 2;
            }
            if self.pushed.is_multiple_of(self.stride) {
                self.kept.push(y.clone());
            }
        }
        self.pushed += 1;
    }

    /// For each state kept its number, that of the next one (`count` for the last), and itself.
    pub(crate) fn stretches(
        &self,
        count: usize,
    ) -> impl DoubleEndedIterator<Item = (usize, usize, &Y)> {
        let stride = self.stride;
        let place = move |k: usize| (k * stride).min(count);
        self.kept.iter().enumerate().map(move |(k, y)| (place(k), place(k + 1), y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_everything_from_few_states() {
        for most in [1, 2, 3, 7, 64] {
            for count in [1, 2, 3, 5, 8, 63, 64, 65, 1000] {
                let mut thinned = Thinned::new(most).unwrap();
                (0..count).for_each(|k| thinned.push(&k));
                let all: Vec<_> = thinned.stretches(count).collect();
                assert!(all.len() <= most);
                assert!(2 * all.len() >= most.min(count), "{most} {count}: {}", all.len());
                assert!(all.iter().all(|(first, _, y)| first == *y));
                assert_eq!((all[0].0, all[all.len() - 1].1), (0, count));
                assert!(all.windows(2).all(|w| w[0].1 == w[1].0 && w[0].0 < w[0].1));
            }
        }
        assert!(Thinned::<f64>::new(0).is_err());
    }
}

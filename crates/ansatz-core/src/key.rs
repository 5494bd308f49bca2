//! Keys: randomness that is split and folded, never mutated.

mod draw;
#[cfg(feature = "candle")]
mod tensor;
mod truncated;

use std::fmt;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A splittable key for random numbers.
///
/// A key is a plain value. Drawing from it does not change it, so the same key always gives the
/// same numbers, on any number of threads, on any device and in any order of calls. Fresh numbers
/// come from fresh keys, made by [`split`](Key::split), [`fold_in`](Key::fold_in) (an index: a
/// step, a sample) and [`fold_in_str`](Key::fold_in_str) (a name: a parameter path).
///
/// ```
/// use ansatz_core::Key;
///
/// let key = Key::new(0);
/// assert_eq!(key.normal(3), key.normal(3)); // a key is not consumed
/// assert_eq!(key.normal(3)[..], key.normal(5)[..3]); // longer draws continue shorter ones
///
/// let [init, data] = key.split();
/// assert_ne!(init.normal(3), data.normal(3));
/// assert_ne!(init.fold_in_str("layer1.weight"), init.fold_in_str("layer2.weight"));
/// ```
///
/// # Construction
///
/// A key is the 256-bit key of ChaCha8 (Bernstein 2008, <https://cr.yp.to/chacha.html>), a
/// function of key, 64-bit stream and 64-bit counter to 512 bits that cannot be told from a
/// random function (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, argue
/// for such counter-based generators in simulation). Every use of a key has inputs of its own:
///
/// | use                      | stream                 | counter          |
/// |--------------------------|------------------------|------------------|
/// | block `b` of draw kind `k` | `k << 56 \| b`       | 0, 1, 2, …       |
/// | [`fold_in`](Key::fold_in)`(d)` | `0xF0 << 56`     | `d`              |
/// | child `i` of a split     | `0xF1 << 56`           | `i`              |
/// | [`fold_in_str`](Key::fold_in_str) | `0xF2 << 56`  | length, then 8 bytes at a time |
///
/// The first 256 bits of the output are the child's key. Children therefore never share bits with
/// a draw, a split never meets a fold, and it is safe to draw from a key that also has children,
/// or to make different kinds of draws from one key: the numbers are independent. Two draws of the
/// *same* kind from the same key are the same numbers.
///
/// # Stability of values
///
/// Bits, uniforms, signs, categories and permutations are computed here from ChaCha8 output and
/// change only in a major version of this crate. Normals use the ziggurat of `rand_distr` 0.6,
/// whose policy allows other values only in its next breaking version; tests pin them. Functions
/// of the platform's mathematics library (the tails of the normal, the truncated normal) may
/// differ in the last bit between platforms.
///
/// Not for cryptography: nothing here hides the key, `Debug` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

/// What a part of the output of a key is used for: the top byte of the ChaCha stream number.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Purpose {
    Uniform = 1,
    Normal = 2,
    TruncatedNormal = 3,
    Rademacher = 4,
    Categorical = 5,
    Permutation = 6,
    FoldIn = 0xF0,
    Split = 0xF1,
    FoldInStr = 0xF2,
    Seed = 0xF3,
}

impl Purpose {
    /// The ChaCha stream of block `block` of this use. Draws have at most `usize::MAX / 4096`
    /// blocks, so the 56 low bits are enough.
    fn stream(self, block: u64) -> u64 {
        ((self as u64) << 56) | block
    }
}

/// The key whose children are the keys of [`Key::new`]: a readable constant, so that nobody need
/// wonder where it came from.
const ROOT: Key = Key(*b"ansatz-core Key, root, version 1");

/// Words of one ChaCha block.
const BLOCK_WORDS: u128 = 16;

impl Key {
    /// The key of a seed. Different seeds, also neighbouring ones, give unrelated keys.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        ROOT.child(Purpose::Seed, seed)
    }

    /// The child of this key that belongs to `data`, for example a step or a sample number.
    ///
    /// Different `data` give unrelated children. The order of folds matters:
    /// `key.fold_in(1).fold_in(2)` is not `key.fold_in(2).fold_in(1)`.
    #[must_use]
    pub fn fold_in(&self, data: u64) -> Self {
        self.child(Purpose::FoldIn, data)
    }

    /// The child of this key that belongs to a name, for example a parameter path.
    ///
    /// Initialisation keyed by path does not change when another layer is added. The string is
    /// taken as bytes; `"a.b"` is not the same as folding in `"a"` and then `"b"`.
    #[must_use]
    pub fn fold_in_str(&self, path: &str) -> Self {
        // Cascade: key of the next step = function of the key so far. With the length first, no
        // input is a prefix of another, which is what makes a cascade as good as its one step
        // (Bellare, Canetti and Krawczyk, "Pseudorandom functions revisited", FOCS 1996).
        let bytes = path.as_bytes();
        bytes.chunks(8).fold(self.child(Purpose::FoldInStr, bytes.len() as u64), |key, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            key.child(Purpose::FoldInStr, u64::from_le_bytes(word))
        })
    }

    /// `N` unrelated children. The first ones do not depend on `N`.
    ///
    /// ```
    /// # use ansatz_core::Key;
    /// let [weights, noise] = Key::new(7).split();
    /// assert_eq!(Key::new(7).split_n(5)[..2], [weights, noise]);
    /// ```
    #[must_use]
    pub fn split<const N: usize>(&self) -> [Self; N] {
        std::array::from_fn(|i| self.child(Purpose::Split, i as u64))
    }

    /// `n` unrelated children, the same as those of [`split`](Key::split).
    #[must_use]
    pub fn split_n(&self, n: usize) -> Vec<Self> {
        (0..n as u64).map(|i| self.child(Purpose::Split, i)).collect()
    }

    /// The first 256 bits of ChaCha block `counter` in the stream of `purpose`.
    fn child(&self, purpose: Purpose, counter: u64) -> Self {
        let mut rng = self.generator(purpose, 0);
        rng.set_word_pos(u128::from(counter) * BLOCK_WORDS);
        let mut child = [0; 32];
        rng.fill_bytes(&mut child);
        Self(child)
    }

    /// The generator for one block of a draw.
    fn generator(&self, purpose: Purpose, block: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::from_seed(self.0);
        rng.set_stream(purpose.stream(block));
        rng
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(")?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

//! Whether the draws follow their distributions and relatives are independent.
//!
//! Every check yields a p-value. The seeds are 0, 1, 2, not chosen; all p-values of this file
//! (about 130) share a false-alarm probability of 10⁻³ by Bonferroni's correction. Each kind of
//! check has a negative control: data that are slightly wrong and must be rejected at the same
//! threshold.
#![allow(clippy::unwrap_used)] // in helpers of tests

use ansatz_core::Key;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

const SEEDS: [u64; 3] = [0, 1, 2];
/// Threshold of one p-value: 10⁻³ shared by at most 200.
const ALPHA: f64 = 1e-3 / 200.0;
const N: usize = 100_000;

#[track_caller]
fn accept(p: f64, what: &str) {
    assert!(p > ALPHA, "{what}: p = {p:e}");
}

#[track_caller]
fn reject(p: f64, control: &str) {
    assert!(p < ALPHA, "control not rejected, {control}: p = {p:e}");
}

/// Kolmogorov–Smirnov: bound on the p-value valid for every n, 2 exp(−2nD²) (Massart 1990).
fn ks(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    sample.sort_by(f64::total_cmp);
    let n = sample.len() as f64;
    let distance = sample.iter().enumerate().fold(0.0, |d: f64, (i, &x)| {
        let f = cdf(x);
        d.max(f - i as f64 / n).max((i + 1) as f64 / n - f)
    });
    2.0 * (-2.0 * n * distance * distance).exp()
}

fn chi_squared(statistic: f64, freedom: usize) -> f64 {
    ChiSquared::new(freedom as f64).unwrap().sf(statistic)
}

/// Pearson's test of counts against probabilities.
fn pearson(counts: &[usize], probabilities: &[f64]) -> f64 {
    assert_eq!(counts.len(), probabilities.len());
    let n = counts.iter().sum::<usize>() as f64;
    let terms =
        counts.iter().zip(probabilities).map(|(&c, p)| (c as f64 - n * p).powi(2) / (n * p));
    chi_squared(terms.sum(), counts.len() - 1)
}

/// Two-sided p-value of a mean against its expectation, the variance of one term being known.
fn mean(terms: impl ExactSizeIterator<Item = f64>, expectation: f64, variance: f64) -> f64 {
    let n = terms.len() as f64;
    let z = (terms.sum::<f64>() / n - expectation) / (variance / n).sqrt();
    2.0 * Normal::standard().sf(z.abs())
}

/// Whether disjoint pairs of samples with mean 0 and variance 1 are uncorrelated: Σ z² is
/// chi-squared.
fn uncorrelated<'a>(pairs: impl Iterator<Item = (&'a [f64], &'a [f64])>) -> f64 {
    let (statistic, freedom) = pairs.fold((0.0, 0), |(sum, k), (a, b)| {
        assert_eq!(a.len(), b.len());
        let product: f64 = a.iter().zip(b).map(|(x, y)| x * y).sum();
        (sum + product * product / a.len() as f64, k + 1)
    });
    chi_squared(statistic, freedom)
}

fn unit_cdf(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

fn normal_sf(x: f64) -> f64 {
    Normal::standard().sf(x)
}

#[test]
fn uniform() {
    for key in SEEDS.map(Key::new) {
        let u = key.uniform(N);
        accept(ks(u.clone(), unit_cdf), "uniform");
        accept(mean(u.iter().copied(), 0.5, 1.0 / 12.0), "mean of uniform");
        accept(mean(u.iter().map(|x| x * x), 1.0 / 3.0, 4.0 / 45.0), "second moment of uniform");
        // The low bits too: fractions of 2²⁰ u are uniform.
        let low_bits = |x: f64| (x * 1048576.0).fract();
        accept(ks(u.iter().map(|&x| low_bits(x)).collect(), unit_cdf), "low bits");

        reject(ks(u.iter().map(|x| 0.98 * x).collect(), unit_cdf), "uniform on [0, 0.98)");
        reject(mean(u.iter().map(|x| x + 0.01), 0.5, 1.0 / 12.0), "shifted uniform");
        let coarse = u.iter().map(|x| (x * 1024.0).floor() / 1024.0);
        reject(ks(coarse.map(low_bits).collect(), unit_cdf), "ten bits");
    }
}

#[test]
fn normal() {
    // Mean and variance of x, x², x³, x⁴.
    let moments = [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)];
    for key in SEEDS.map(Key::new) {
        let z = key.normal(N);
        accept(ks(z.clone(), normal_cdf), "normal");
        for (k, (e, var)) in (1..).zip(moments) {
            accept(mean(z.iter().map(|x| x.powi(k)), e, var), &format!("moment {k} of normal"));
        }
        reject(ks(z.iter().map(|x| 1.05 * x).collect(), normal_cdf), "standard deviation 1.05");
        reject(ks(z.iter().map(|x| x + 0.04).collect(), normal_cdf), "mean 0.04");
        reject(mean(z.iter().map(|x| (1.05 * x).powi(2)), 1.0, 2.0), "variance 1.05²");
        reject(mean(z.iter().map(|x| x.clamp(-2.5, 2.5).powi(4)), 3.0, 96.0), "no tails");

        // The ziggurat has a branch of its own beyond 3.654, about 26 of 100,000 values: draw
        // more and look at those only.
        let tail = key.normal(20 * N).into_iter().map(f64::abs).filter(|&x| x > 3.7);
        let tail: Vec<_> = tail.collect();
        let expected = 40.0 * N as f64 * normal_sf(3.7);
        accept(mean([tail.len() as f64].into_iter(), expected, expected), "size of the tail");
        accept(ks(tail.clone(), |x| 1.0 - normal_sf(x) / normal_sf(3.7)), "tail");
        reject(ks(tail, |x| (x - 3.7).clamp(0.0, 1.0)), "uniform tail");
    }
}

/// Distribution function of the normal on [lo, hi], from the side where nothing cancels.
fn truncated_cdf(lo: f64, hi: f64) -> impl Fn(f64) -> f64 {
    let (f, sign) =
        if lo > 0.0 { (normal_sf as fn(f64) -> f64, -1.0) } else { (normal_cdf as _, 1.0) };
    move |x| sign * (f(x) - f(lo)) / (sign * (f(hi) - f(lo)))
}

#[test]
fn truncated_normal() {
    let inf = f64::INFINITY;
    // All proposals, both sides, and the places where they change.
    let intervals = [
        (-2.0, 2.0),
        (-1.25, 1.25),
        (-1e-3, 2.4),
        (-inf, 0.5),
        (0.0, inf),
        (0.0, 0.8),
        (0.5, 1.0),
        (2.0, 2.1),
        (-inf, -1.0),
        (-3.0, -0.5),
        (8.0, inf),
        (-31.0, -30.0),
        (30.0, 30.01),
    ];
    for key in SEEDS.map(Key::new) {
        for (lo, hi) in intervals {
            let x = key.truncated_normal(N, lo, hi).unwrap();
            accept(ks(x, truncated_cdf(lo, hi)), &format!("normal on [{lo}, {hi}]"));
        }
        // Controls: the distribution of a neighbouring interval, an exponential for the tail, a
        // uniform for the narrow interval.
        let x = key.truncated_normal(N, -2.0, 2.0).unwrap();
        reject(ks(x, truncated_cdf(-2.3, 2.3)), "normal on [-2.3, 2.3]");
        let x = key.truncated_normal(N, 3.0, inf).unwrap();
        reject(ks(x, |x| 1.0 - (-3.0 * (x - 3.0)).exp()), "exponential tail");
        let x = key.truncated_normal(N, 0.5, 1.0).unwrap();
        reject(ks(x, |x| 2.0 * (x - 0.5)), "uniform on [0.5, 1]");
    }
}

/// Counts of the numbers made of 8 successive signs.
fn bytes(signs: &[f64]) -> Vec<usize> {
    let mut counts = vec![0; 256];
    for byte in signs.chunks_exact(8) {
        counts[byte.iter().fold(0, |b, &s| 2 * b + usize::from(s > 0.0))] += 1;
    }
    counts
}

#[test]
fn rademacher() {
    for key in SEEDS.map(Key::new) {
        let even = [1.0 / 256.0; 256];
        accept(pearson(&bytes(&key.rademacher(8 * N)), &even), "signs");
        let biased: Vec<f64> = key.uniform(8 * N).iter().map(|u| 0.51 - u).collect();
        reject(pearson(&bytes(&biased), &even), "signs with probability 0.51");
    }
}

#[test]
fn categorical() {
    let count = |k: usize, drawn: Vec<usize>| {
        let mut counts = vec![0; k];
        for i in drawn {
            counts[i] += 1;
        }
        counts
    };
    let few = [0.5, 3.0, 0.01, 2.0, 1.0];
    let many: Vec<f64> = (10..=300).map(f64::from).collect();
    for key in SEEDS.map(Key::new) {
        for weights in [&few[..], &many] {
            let sum: f64 = weights.iter().sum();
            let counts = count(weights.len(), key.categorical(weights, N).unwrap());
            let probabilities: Vec<f64> = weights.iter().map(|w| w / sum).collect();
            accept(pearson(&counts, &probabilities), "categories");
        }
        let counts = count(5, key.categorical(&[0.5, 3.0, 0.01, 2.1, 1.0], N).unwrap());
        reject(pearson(&counts, &few.map(|w| w / 6.51)), "one weight off by 5 %");
    }
}

/// Number of the permutation among all of its length, in the factorial number system.
fn rank(permutation: &[usize]) -> usize {
    (0..permutation.len()).fold(0, |rank, i| {
        let smaller_later = permutation[i + 1..].iter().filter(|&&p| p < permutation[i]).count();
        rank * (permutation.len() - i) + smaller_later
    })
}

/// The well-known wrong shuffle, which swaps with any place.
fn naive_shuffle(key: Key, n: usize) -> Vec<usize> {
    let mut out: Vec<usize> = (0..n).collect();
    for (i, u) in key.uniform(n).into_iter().enumerate() {
        out.swap(i, (u * n as f64) as usize);
    }
    out
}

#[test]
fn permutation() {
    // Counts of element × position. Σ (O−E)²/E is n/(n−1) times chi-squared with (n−1)² degrees
    // of freedom, since every row and column of a permutation matrix sums to one.
    let positions = |draw: &dyn Fn(u64) -> Vec<usize>| {
        let (n, draws) = (12, 20_000);
        let mut counts = vec![0usize; n * n];
        for i in 0..draws {
            draw(i).iter().enumerate().for_each(|(at, p)| counts[n * at + p] += 1);
        }
        let expected = draws as f64 / n as f64;
        let pearson: f64 = counts.iter().map(|&c| (c as f64 - expected).powi(2) / expected).sum();
        chi_squared(pearson * (n - 1) as f64 / n as f64, (n - 1) * (n - 1))
    };
    let orders = |draw: &dyn Fn(u64) -> Vec<usize>| {
        let mut counts = vec![0; 24];
        (0..20_000).for_each(|i| counts[rank(&draw(i))] += 1);
        pearson(&counts, &[1.0 / 24.0; 24])
    };
    for key in SEEDS.map(Key::new) {
        accept(positions(&|i| key.fold_in(i).permutation(12)), "positions of 12");
        accept(orders(&|i| key.fold_in(i).permutation(4)), "the 24 orders of 4");
        reject(positions(&|i| naive_shuffle(key.fold_in(i), 12)), "naive shuffle of 12");
        reject(orders(&|i| naive_shuffle(key.fold_in(i), 4)), "naive shuffle of 4");
    }
}

/// One draw from each of many keys must look like many draws from one key.
#[test]
fn first_draws_across_keys() {
    let first = |keys: Vec<Key>| keys.iter().map(|k| k.uniform(1)[0]).collect::<Vec<_>>();
    let serial =
        |u: &[f64]| mean(u.windows(2).map(|w| 12.0 * (w[0] - 0.5) * (w[1] - 0.5)), 0.0, 1.0);
    let check = |keys: Vec<Key>, what: &str| {
        let u = first(keys);
        accept(serial(&u), &format!("neighbours, {what}"));
        accept(ks(u, unit_cdf), what);
    };
    let n = N / 2;
    check((0..n as u64).map(Key::new).collect(), "seeds");
    for key in SEEDS.map(Key::new) {
        check((0..n as u64).map(|i| key.fold_in(i)).collect(), "folds");
        check((0..n as u64).map(|i| key.fold_in(i << 40)).collect(), "folds of high bits");
        check(key.split_n(n), "split");
        check((0..n).map(|i| key.fold_in_str(&format!("layer{i}.weight"))).collect(), "names");

        let u = first(key.split_n(n));
        let mixed: Vec<_> = u.windows(2).map(|w| w[1] + 0.05 * (w[0] - 0.5)).collect();
        reject(serial(&mixed), "a twentieth of the neighbour added");
        reject(ks(u.iter().map(|x| 0.98 * x).collect(), unit_cdf), "uniform on [0, 0.98)");
    }
}

#[test]
fn relatives_are_uncorrelated() {
    fn halves(pair: &[Vec<f64>]) -> (&[f64], &[f64]) {
        (&pair[0], &pair[1])
    }
    let n = 4096;
    for key in SEEDS.map(Key::new) {
        let siblings: Vec<_> = key.split_n(128).iter().map(|k| k.normal(n)).collect();
        accept(uncorrelated(siblings.chunks(2).map(halves)), "siblings");

        // Parent and child; every other child is folded, the rest split.
        let families: Vec<_> = (0..64)
            .map(|i| (key.fold_in(i), i))
            .map(|(p, i)| (p, if i % 2 == 0 { p.fold_in(0) } else { p.split::<1>()[0] }))
            .flat_map(|(parent, child)| [parent.normal(n), child.normal(n)])
            .collect();
        accept(uncorrelated(families.chunks(2).map(halves)), "parent and child");

        // Successive blocks of one draw.
        let blocks = key.normal(128 * n);
        accept(uncorrelated(blocks.chunks(2 * n).map(|p| p.split_at(n))), "blocks of a draw");

        // Different kinds of draws from one key.
        let kinds: Vec<_> =
            key.split_n(64).iter().flat_map(|k| [k.normal(n), k.rademacher(n)]).collect();
        accept(uncorrelated(kinds.chunks(2).map(halves)), "kinds of draws");

        // Control: a correlation of 0.05.
        let mixed: Vec<_> = siblings
            .chunks(2)
            .map(halves)
            .flat_map(|(a, b)| {
                let mix = a.iter().zip(b).map(|(a, b)| 0.05 * a + 0.9975f64.sqrt() * b);
                [a.to_vec(), mix.collect()]
            })
            .collect();
        reject(uncorrelated(mixed.chunks(2).map(halves)), "correlation 0.05");
    }
}

/// The 256 bits that `Debug` shows, as numbers.
fn bits(key: Key) -> [u64; 4] {
    let text = format!("{key:?}");
    std::array::from_fn(|i| u64::from_str_radix(&text[4 + 16 * i..20 + 16 * i], 16).unwrap())
}

/// Strict avalanche criterion (Webster and Tavares 1985): flipping one input bit flips every
/// output bit with probability one half. p-values over the input bits and over the output bits.
fn avalanche(derive: impl Fn(u64) -> [u64; 4]) -> [f64; 2] {
    let samples = 300;
    let mut flips = vec![[0.0; 256]; 64];
    for sample in 0..samples {
        // Spread, so that no flipped input is another sample: that would count a flip twice.
        let data = sample * 0x0001_0203_0507_0B0D;
        let output = derive(data);
        for (i, row) in flips.iter_mut().enumerate() {
            let flipped = derive(data ^ (1 << i));
            for (o, count) in row.iter_mut().enumerate() {
                *count += f64::from((output[o / 64] ^ flipped[o / 64]) >> (o % 64) as u32 & 1 == 1);
            }
        }
    }
    let p = |sums: Vec<f64>, n: f64| {
        chi_squared(sums.iter().map(|s| (s - n / 2.0).powi(2) / (n / 4.0)).sum(), sums.len())
    };
    let per_input = flips.iter().map(|row| row.iter().sum()).collect();
    let per_output = (0..256).map(|o| flips.iter().map(|row| row[o]).sum()).collect();
    [p(per_input, 256.0 * samples as f64), p(per_output, 64.0 * samples as f64)]
}

#[test]
fn fold_in_has_avalanche() {
    for key in SEEDS.map(Key::new) {
        for p in avalanche(|data| bits(key.fold_in(data))) {
            accept(p, "avalanche of fold_in");
        }
        // Control: Fibonacci hashing, where a bit reaches only higher bits.
        let salt = bits(key);
        for p in avalanche(|data| salt.map(|w| (data ^ w).wrapping_mul(0x9E3779B97F4A7C15))) {
            reject(p, "avalanche of a multiplication");
        }
    }
}

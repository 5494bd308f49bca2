//! The numbers themselves: construction against an independent ChaCha8, pinned values, prefixes,
//! errors.
#![allow(clippy::unwrap_used)] // in helpers of tests

use std::collections::HashSet;

use ansatz_core::{Error, Key};

/// One ChaCha8 block, written from the definition (Bernstein 2008), as 64 bytes.
fn chacha8(key: [u8; 32], stream: u64, counter: u64) -> [u8; 64] {
    fn quarter_round(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
        for (from, to, by, bits) in [(b, a, d, 16), (d, c, b, 12), (b, a, d, 8), (d, c, b, 7)] {
            x[to] = x[to].wrapping_add(x[from]);
            x[by] = (x[by] ^ x[to]).rotate_left(bits);
        }
    }
    let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    let mut input = [0; 16];
    for (x, bytes) in input.iter_mut().zip(b"expand 32-byte k".chunks(4).chain(key.chunks(4))) {
        *x = word(bytes);
    }
    input[12..].copy_from_slice(&[counter, stream].map(|v| [v as u32, (v >> 32) as u32]).concat());
    let mut x = input;
    for _ in 0..4 {
        for i in 0..4 {
            quarter_round(&mut x, i, 4 + i, 8 + i, 12 + i);
        }
        for i in 0..4 {
            quarter_round(&mut x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
    }
    let mut out = [0; 64];
    for i in 0..16 {
        out[4 * i..4 * i + 4].copy_from_slice(&x[i].wrapping_add(input[i]).to_le_bytes());
    }
    out
}

/// The 256 bits that `Debug` shows.
fn bits(key: Key) -> [u8; 32] {
    let text = format!("{key:?}");
    let hex = text.strip_prefix("Key(").unwrap().strip_suffix(')').unwrap();
    std::array::from_fn(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
}

#[test]
fn keys_and_draws_are_chacha8_as_documented() {
    // Key of all zeros, stream and counter zero (draft-strombergson-chacha-test-vectors, TC1).
    assert_eq!(chacha8([0; 32], 0, 0)[..8], [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);

    let first = |key: [u8; 32], kind: u64, counter| -> [u8; 32] {
        chacha8(key, kind << 56, counter)[..32].try_into().unwrap()
    };
    let root = *b"ansatz-core Key, root, version 1";
    for data in [0, 1, 1 << 40, u64::MAX - 1, u64::MAX] {
        let key = Key::new(data);
        assert_eq!(bits(key), first(root, 0xF3, data), "new({data})");
        assert_eq!(bits(key.fold_in(data)), first(bits(key), 0xF0, data), "fold_in({data})");
    }
    let key = Key::new(3);
    assert_eq!(bits(key.split_n(9)[8]), first(bits(key), 0xF1, 8));
    // The length, then eight bytes at a time, the last padded with zeros.
    let mut folded = first(bits(key), 0xF2, 11);
    for word in [*b"layer1.w", *b"eig\0\0\0\0\0"] {
        folded = first(folded, 0xF2, u64::from_le_bytes(word));
    }
    assert_eq!(bits(key.fold_in_str("layer1.weig")), folded);

    // Uniforms: block 2 of the draw is stream 2 of kind 1; its tenth value is in ChaCha block 1.
    let block = chacha8(bits(key), (1 << 56) | 2, 1);
    let word = u64::from_le_bytes(block[8..16].try_into().unwrap());
    let u = key.uniform(2 * 4096 + 10);
    assert_eq!(u[2 * 4096 + 9], (word >> 11) as f64 / (1u64 << 53) as f64);
}

/// Values of version 0.1 for `Key::new(42)`. If this fails after a dependency changed, that is a
/// breaking change for everyone who reproduces a result: do not just update the numbers.
#[test]
fn pinned_values() {
    let key = Key::new(42);
    let hex = |key: Key| format!("{key:?}");
    assert_eq!(hex(key), "Key(e5347ff905aa855efaf773586d75d97893bbd38d215dbc575134f07395fd1572)");
    assert_eq!(
        hex(key.fold_in_str("a.weight")),
        "Key(0ed3bf2fc5427447962bcb9bedd1438dc1c97b17d589118f5cb470fc02da870a)"
    );
    assert_eq!(key.uniform(3), [0.4101415075399827, 0.08061264554807912, 0.8876862072771148]);
    assert_eq!(key.uniform(10_001)[10_000], 0.48312402737032667);
    assert_eq!(key.rademacher(8), [-1.0, 1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0]);
    let weights = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(key.categorical(&weights, 10).unwrap(), [2, 0, 2, 1, 1, 1, 2, 3, 0, 3]);
    assert_eq!(key.permutation(10), [6, 9, 8, 0, 2, 3, 7, 5, 4, 1]);

    // The rest goes through exp or ln now and then, whose last bit depends on the platform.
    let close = |got: &[f64], expected: &[f64]| {
        assert_eq!(got.len(), expected.len());
        for (g, e) in got.iter().zip(expected) {
            assert!((g / e - 1.0).abs() < 1e-14, "{g:?} instead of {e:?}");
        }
    };
    let normal = key.normal(100_000);
    close(
        &normal[..4],
        &[0.4958575378855574, -1.0656401558331987, -0.8241117297653759, 1.8474539147912163],
    );
    // In another block, and from the ziggurat's tail.
    close(&normal[10_000..10_001], &[2.6066621095485334]);
    close(&[normal.iter().copied().fold(0.0, f64::max)], &[4.337046531654382]);
    // One interval for each kind of proposal.
    let truncated = |lo, hi| key.truncated_normal(2, lo, hi).unwrap();
    close(&truncated(-2.0, 2.0), &[1.6372794953815606, 1.7096613773014202]);
    close(&truncated(-0.5, 0.5), &[0.43210053244558944, 0.31018395893131123]);
    close(&truncated(8.0, f64::INFINITY), &[8.331120535670456, 8.204564603406848]);
}

#[test]
fn longer_draws_continue_shorter_ones() {
    let key = Key::new(5);
    let weights = [1.0, 0.0, 2.0];
    let (long, lo, hi) = (10_000, 12.0, 12.5);
    let uniform = key.uniform(long);
    let normal = key.normal(long);
    let truncated = key.truncated_normal(long, lo, hi).unwrap();
    let signs = key.rademacher(long);
    let indices = key.categorical(&weights, long).unwrap();
    for n in [0, 1, 63, 64, 65, 4095, 4096, 4097, 8192, 9999] {
        assert_eq!(key.uniform(n), uniform[..n]);
        assert_eq!(key.normal(n), normal[..n]);
        assert_eq!(key.truncated_normal(n, lo, hi).unwrap(), truncated[..n]);
        assert_eq!(key.rademacher(n), signs[..n]);
        assert_eq!(key.categorical(&weights, n).unwrap(), indices[..n]);
    }
}

#[test]
fn threads_and_order_of_calls_do_not_matter() {
    let key = Key::new(8);
    let expected: Vec<_> = key.split_n(4).iter().map(|k| k.normal(5000)).collect();
    let threads: Vec<_> = (0..4)
        .rev()
        .map(|i| (i, std::thread::spawn(move || key.split_n(i + 1)[i].normal(5000))))
        .collect();
    for (i, thread) in threads {
        assert_eq!(thread.join().unwrap(), expected[i]);
    }
}

#[test]
fn different_derivations_never_meet() {
    let key = Key::new(0);
    let names = ["", "\0", "a", "a\0", "b", "a.b", "abcdefgh", "abcdefgh\0", "abcdefghi"];
    let mut keys = vec![key, key.fold_in_str("a").fold_in_str("b"), key.fold_in(0).fold_in(1)];
    keys.extend(names.map(|name| key.fold_in_str(name)));
    keys.extend((0..20_000).map(|i| key.fold_in(i)));
    keys.extend((1..20_000).map(Key::new));
    keys.extend(key.split_n(20_000));
    keys.extend(key.fold_in(0).split_n(20_000));
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
}

#[test]
fn draws_stay_in_their_range() {
    let key = Key::new(9);
    assert!(key.uniform(100_000).iter().all(|u| (0.0..1.0).contains(u)));
    assert!(key.rademacher(1000).iter().all(|s| s.abs() == 1.0));
    let mut sorted = key.permutation(10_000);
    sorted.sort_unstable();
    assert!(sorted.into_iter().eq(0..10_000));
    assert_eq!(key.permutation(1), [0]);
    assert!(key.permutation(0).is_empty());

    let inf = f64::INFINITY;
    for (lo, hi) in [
        (-inf, inf),
        (-1e-9, 1e-9),
        (0.0, f64::MIN_POSITIVE),
        (3.0, 3.0f64.next_up()),
        (-inf, -40.0),
        (1e200, inf),
        (f64::MAX, inf),
        (-inf, f64::MIN),
        (-1e300, 1e300),
        (-0.1, 100.0),
    ] {
        for x in key.truncated_normal(5000, lo, hi).unwrap() {
            assert!(lo <= x && x <= hi, "{x} outside [{lo}, {hi}]");
        }
    }
}

#[test]
fn categories_of_weight_zero_are_never_drawn() {
    let key = Key::new(10);
    let drawn = |weights: &[f64]| -> HashSet<usize> {
        key.categorical(weights, 10_000).unwrap().into_iter().collect()
    };
    assert_eq!(drawn(&[0.0, 1e-300, 0.0, 1e-300, 0.0]), HashSet::from([1, 3]));
    // Weights whose sum overflows, and one that vanishes beside them.
    assert_eq!(drawn(&[f64::MAX, f64::MAX, 1e-300]), HashSet::from([0, 1]));
    assert_eq!(drawn(&[0.0, 2.0]), HashSet::from([1]));
}

#[test]
fn invalid_arguments_are_errors() {
    let key = Key::new(0);
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for weights in [&[][..], &[0.0, 0.0], &[1.0, -1.0], &[nan], &[1.0, inf]] {
        let error = key.categorical(weights, 1).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "{weights:?}: {error:?}");
    }
    for (lo, hi) in [(1.0, 1.0), (2.0, 1.0), (nan, 1.0), (0.0, nan), (inf, inf), (-inf, -inf)] {
        let error = key.truncated_normal(1, lo, hi).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument { .. }), "[{lo}, {hi}]: {error:?}");
    }
}

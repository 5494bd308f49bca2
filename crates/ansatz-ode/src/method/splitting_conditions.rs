//! Order conditions of symplectic methods, to rounding.
//!
//! A step is the product `e^{c₀A} e^{d₀B} e^{c₁A} …` of the flows of drift and kick. It has order
//! `n` if, as power series in the two non-commuting letters, it agrees with `e^{A+B}` in all words
//! of up to `n` letters: each has the coefficient `1/length!`.

use crate::{
    BlanesMoan4, BlanesMoanNystrom4, ForestRuth, KahanLi8, Leapfrog, McLachlanAtela4, Ruth3,
    SemiImplicitEuler, Splitting, SymplecticMethod, VelocityVerlet, Yoshida6,
};

/// Coefficients by length and word, whose bits are its letters: 0 for a drift, 1 for a kick.
type Series = Vec<Vec<f64>>;

/// Appends `e^{a·letter}`.
fn times_exponential(series: &Series, a: f64, letter: usize) -> Series {
    let mut product = series.clone();
    for length in 1..series.len() {
        for word in 0..1usize << length {
            // The word is one of the series followed by some equal letters.
            let mut factor = 1.0;
            for count in 1..=length {
                if (word >> (count - 1)) & 1 != letter {
                    break;
                }
                factor *= a / count as f64;
                product[length][word] += factor * series[length - count][word >> count];
            }
        }
    }
    product
}

/// The largest error in the words of `length` letters that `counts`, the word given by its bits.
fn residual(splitting: &Splitting, length: usize, counts: impl Fn(usize) -> bool) -> f64 {
    let mut series: Series = (0..=length).map(|n| vec![0.0; 1 << n]).collect();
    series[0][0] = 1.0;
    for (&c, &d) in splitting.drift.iter().zip(splitting.kick) {
        series = times_exponential(&series, c, 0);
        series = times_exponential(&series, d, 1);
    }
    let exact = 1.0 / (1..=length).map(|n| n as f64).product::<f64>();
    (0..1 << length)
        .filter(|word| counts(*word))
        .map(|word| (series[length][word] - exact).abs())
        .fold(0.0, f64::max)
}

fn check<M: SymplecticMethod>(_: M, order: usize) {
    for length in 1..=order {
        let residual = residual(&M::SPLITTING, length, |_| true);
        assert!(residual < 2e-14, "length {length}: {residual:e}");
    }
    assert!(residual(&M::SPLITTING, order + 1, |_| true) > 1e-6, "higher order than stated");
}

#[test]
fn conditions_hold_to_rounding() {
    check(SemiImplicitEuler, 1);
    check(Leapfrog, 2);
    check(VelocityVerlet, 2);
    check(Ruth3, 3);
    check(ForestRuth, 4);
    check(BlanesMoan4, 4);
    check(BlanesMoanNystrom4, 4);
    check(Yoshida6, 6);
    check(KahanLi8, 8);
}

/// With a drift linear in the momenta `[B, [B, [B, A]]]` is zero: what is wrong in words of three
/// kicks and a drift has no effect.
#[test]
fn nystrom_conditions_hold_to_rounding() {
    check(McLachlanAtela4, 3);
    let splitting = &McLachlanAtela4::SPLITTING;
    assert!(residual(splitting, 4, |word| word.count_ones() != 3) < 2e-14);
    assert!(residual(splitting, 4, |word| word.count_ones() == 3) > 1e-4);
}

#[test]
fn stated_orders_are_those_of_the_conditions() {
    fn order<M: SymplecticMethod>(_: M) -> u32 {
        M::SPLITTING.order
    }
    let orders = [
        order(SemiImplicitEuler),
        order(Leapfrog),
        order(VelocityVerlet),
        order(Ruth3),
        order(ForestRuth),
        order(McLachlanAtela4),
        order(BlanesMoan4),
        order(BlanesMoanNystrom4),
        order(Yoshida6),
        order(KahanLi8),
    ];
    assert_eq!(orders, [1, 2, 2, 3, 4, 4, 4, 4, 6, 8]);
}

//! Written by coefficients.py, which says how they come about: do not edit.
#![allow(clippy::approx_constant)] // where a coefficient is one, it stays as computed

pub(super) mod single {
    type T = f32;
    /// `(e^r − 1 − r)/r²` for |r| ≤ ½ ln 2; relative error 9.9e-9.
    pub(in super::super) const EXP: [T; 5] =
        [0.5, 0.16666576266288757, 0.04166655242443085, 0.00836323294788599, 0.0013926250394433737];
    /// The first 16 bits of ln 2: its product with an exponent is exact.
    pub(in super::super) const LN_2_HIGH: T = 0.693145751953125;
    /// What `LN_2_HIGH` leaves.
    pub(in super::super) const LN_2_LOW: T = 1.428606765330187e-06;
    /// `(ln x/s − 2)/s²` as a function of s², s = (x − 1)/(x + 1), for √½ < x < √2; relative error 2.5e-9.
    pub(in super::super) const LN: [T; 3] =
        [0.6666668653488159, 0.3998873233795166, 0.29582157731056213];
    /// `(ln x/s − 2)/s²` as a function of s², s = (x − 1)/(x + 1), for 1 ≤ x ≤ 2; relative error 9.6e-10.
    pub(in super::super) const LN_1P: [T; 5] = [
        0.6666666865348816,
        0.3999970555305481,
        0.285923570394516,
        0.2170657515525818,
        0.23224329948425293,
    ];
    /// `(sin r/r − 1)/r²` as a function of r², for |r| ≤ π/4; relative error 1.3e-8.
    pub(in super::super) const SIN: [T; 3] =
        [-0.166666641831398, 0.008332747034728527, -0.00019587638962548226];
    /// `(cos r − 1 + r²/2)/r⁴` as a function of r², for |r| ≤ π/4; relative error 8.1e-10.
    pub(in super::super) const COS: [T; 3] =
        [0.0416666641831398, -0.0013888301327824593, 2.4547689463361166e-05];
    /// π/2 as a sum.
    pub(in super::super) const HALF_PI: [T; 3] =
        [1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15];
    /// `erf x/x` as a function of x², for |x| < 0.75; relative error 6.7e-8.
    pub(in super::super) const ERF: [T; 6] = [
        1.1283791065216064,
        -0.3761261999607086,
        0.11283386498689651,
        -0.026835113763809204,
        0.005115332081913948,
        -0.0006756479851901531,
    ];
    /// Numerator of `e^(t²/2) Φ(−t)` for 0 ≤ t ≤ 15.0; relative error 1.6e-8.
    pub(in super::super) const TAIL_P: [T; 5] =
        [0.5, 0.4416889250278473, 0.18578173220157623, 0.041500024497509, 0.004246906843036413];
    /// Its denominator.
    pub(in super::super) const TAIL_Q: [T; 6] = [
        1.0,
        1.6812628507614136,
        1.2130115032196045,
        0.47619855403900146,
        0.10403063148260117,
        0.010645318776369095,
    ];
    /// `2√(2/π)` as a sum.
    pub(in super::super) const GELU_A: [T; 2] = [1.5957691669464111, -4.534068054340423e-08];
    /// `0.044715 · 2√(2/π)` as a sum.
    pub(in super::super) const GELU_B: [T; 2] = [0.07135481387376785, 2.3988324659995897e-09];
}

pub(super) mod double {
    type T = f64;
    /// `(e^r − 1 − r)/r²` for |r| ≤ ½ ln 2; relative error 1.6e-17.
    pub(in super::super) const EXP: [T; 10] = [
        0.5000000000000001,
        0.16666666666666669,
        0.041666666666623824,
        0.008333333333330039,
        0.0013888888917367081,
        0.00019841269863171557,
        2.4801521057868204e-05,
        2.7557268276905696e-06,
        2.7620201591031547e-07,
        2.5100472505694996e-08,
    ];
    /// The first 42 bits of ln 2: its product with an exponent is exact.
    pub(in super::super) const LN_2_HIGH: T = 0.6931471805598903;
    /// What `LN_2_HIGH` leaves.
    pub(in super::super) const LN_2_LOW: T = 5.497923018708371e-14;
    /// `(ln x/s − 2)/s²` as a function of s², s = (x − 1)/(x + 1), for √½ < x < √2; relative error 5.3e-19.
    pub(in super::super) const LN: [T; 8] = [
        0.6666666666666666,
        0.4000000000000089,
        0.2857142857079543,
        0.2222222239356661,
        0.18181795442371984,
        0.1538625044794019,
        0.13268485680654427,
        0.13089629160674623,
    ];
    /// `(ln x/s − 2)/s²` as a function of s², s = (x − 1)/(x + 1), for 1 ≤ x ≤ 2; relative error 2.0e-18.
    pub(in super::super) const LN_1P: [T; 11] = [
        0.6666666666666666,
        0.39999999999999525,
        0.285714285716001,
        0.2222222219823677,
        0.18181819897962714,
        0.1538454396486055,
        0.13335178631449257,
        0.11734279061303197,
        0.10845178394880015,
        0.07492143795550767,
        0.1563057780092285,
    ];
    /// `(sin r/r − 1)/r²` as a function of r², for |r| ≤ π/4; relative error 2.1e-17.
    pub(in super::super) const SIN: [T; 6] = [
        -0.16666666666666666,
        0.008333333333330936,
        -0.00019841269836740532,
        2.7557316093198404e-06,
        -2.5051129896450185e-08,
        1.5917988979397435e-10,
    ];
    /// `(cos r − 1 + r²/2)/r⁴` as a function of r², for |r| ≤ π/4; relative error 1.1e-18.
    pub(in super::super) const COS: [T; 6] = [
        0.041666666666666664,
        -0.0013888888888887389,
        2.48015872987544e-05,
        -2.755731726587808e-07,
        2.087614504941318e-09,
        -1.138254464534925e-11,
    ];
    /// π/2 as a sum.
    pub(in super::super) const HALF_PI: [T; 3] =
        [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33];
    /// `erf x/x` as a function of x², for |x| < 0.75; relative error 1.3e-17.
    pub(in super::super) const ERF: [T; 11] = [
        1.1283791670955126,
        -0.37612638903183715,
        0.11283791670952596,
        -0.026866170644428485,
        0.005223977615420539,
        -0.0008548326188759752,
        0.00012055289567541706,
        -1.4924196305569617e-05,
        1.643068417974155e-06,
        -1.5940066854661717e-07,
        1.1472499701094691e-08,
    ];
    /// Numerator of `e^(t²/2) Φ(−t)` for 0 ≤ t ≤ 39.0; relative error 3.5e-17.
    pub(in super::super) const TAIL_P: [T; 11] = [
        0.5,
        0.8388844753867719,
        0.6969425454271453,
        0.370883589901687,
        0.13876601494112437,
        0.03798270945221647,
        0.007694913887304673,
        0.0011411813447483735,
        0.0001190861897633102,
        7.958775994824803e-06,
        2.623334578079536e-07,
    ];
    /// Its denominator.
    pub(in super::super) const TAIL_Q: [T; 12] = [
        1.0,
        2.47565351157641,
        2.8691708056384755,
        2.0591690324084606,
        1.01935437769689,
        0.3665326671458766,
        0.09802915166130312,
        0.019585478381560398,
        0.002880467118265897,
        0.0002991623828400944,
        1.994969294009475e-05,
        6.575724627230851e-07,
    ];
    /// `2√(2/π)` as a sum.
    pub(in super::super) const GELU_A: [T; 2] = [1.5957691216057308, -9.96930880911092e-17];
    /// `0.044715 · 2√(2/π)` as a sum.
    pub(in super::super) const GELU_B: [T; 2] = [0.07135481627260025, -6.175149918155315e-19];
}

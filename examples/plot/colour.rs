//! Colours that remain distinct without colour vision.

/// Red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// The palette of M. Okabe and K. Ito (2008), without its black and yellow: blue, vermilion,
/// bluish green, orange, reddish purple, sky blue.
pub const OKABE_ITO: [Colour; 6] = [
    Colour([0, 114, 178]),
    Colour([213, 94, 0]),
    Colour([0, 158, 115]),
    Colour([230, 159, 0]),
    Colour([204, 121, 167]),
    Colour([86, 180, 233]),
];

/// For data and what is said about them.
pub const GREY: Colour = Colour([70, 70, 70]);

/// A map from `[0, 1]` to colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourMap {
    /// Viridis (S. van der Walt, N. Smith 2015): dark to light, for amounts.
    Viridis,
    /// Blue over white to red (C. Brewer, RdBu): for deviations to either side of the middle.
    Diverging,
}

const VIRIDIS: [[u8; 3]; 9] = [
    [68, 1, 84],
    [71, 45, 123],
    [59, 82, 139],
    [44, 114, 142],
    [33, 145, 140],
    [40, 174, 128],
    [94, 201, 98],
    [173, 220, 48],
    [253, 231, 37],
];

const DIVERGING: [[u8; 3]; 7] = [
    [33, 102, 172],
    [103, 169, 207],
    [209, 229, 240],
    [247, 247, 247],
    [253, 219, 199],
    [239, 138, 98],
    [178, 24, 43],
];

impl ColourMap {
    /// The colour at `t`, clamped to `[0, 1]`.
    pub fn at(self, t: f64) -> Colour {
        let anchors: &[[u8; 3]] = match self {
            Self::Viridis => &VIRIDIS,
            Self::Diverging => &DIVERGING,
        };
        let s = t.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
        let i = (s as usize).min(anchors.len() - 2);
        let mix = |c: usize| {
            let (a, b) = (f64::from(anchors[i][c]), f64::from(anchors[i + 1][c]));
            (a + (b - a) * (s - i as f64)).round() as u8
        };
        Colour([mix(0), mix(1), mix(2)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_hit_their_anchors() {
        assert_eq!(ColourMap::Viridis.at(0.0).0, VIRIDIS[0]);
        assert_eq!(ColourMap::Viridis.at(2.0).0, VIRIDIS[8]);
        assert_eq!(ColourMap::Diverging.at(0.5).0, DIVERGING[3]);
    }
}

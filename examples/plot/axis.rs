//! Axes: range, scale and ticks.

/// One axis of a panel.
#[derive(Debug, Clone)]
pub struct Axis {
    pub(super) label: String,
    pub(super) range: [f64; 2],
    logarithmic: bool,
}

impl Axis {
    /// Equal distances for equal differences.
    pub fn linear(label: impl Into<String>, range: [f64; 2]) -> Self {
        Self { label: label.into(), range, logarithmic: false }
    }

    /// Equal distances for equal ratios; the range is positive.
    pub fn log(label: impl Into<String>, range: [f64; 2]) -> Self {
        Self { label: label.into(), range, logarithmic: true }
    }

    /// Where a value lies: 0 at the start of the range, 1 at its end.
    pub(super) fn position(&self, value: f64) -> f64 {
        let [a, b] = self.range;
        if self.logarithmic { (value / a).ln() / (b / a).ln() } else { (value - a) / (b - a) }
    }

    /// Whether the range is one.
    pub(super) fn is_valid(&self) -> bool {
        let [a, b] = self.range;
        a.is_finite() && b.is_finite() && a < b && (a > 0.0 || !self.logarithmic)
    }

    /// Values to mark, with their labels: about `count`.
    pub(super) fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let [a, b] = self.range;
        if self.logarithmic {
            let candidates = |mantissas: &[f64]| -> Vec<f64> {
                let decades = a.log10().floor() as i32..=b.log10().ceil() as i32;
                decades
                    .flat_map(|d| mantissas.iter().map(move |m| m * 10f64.powi(d)))
                    .filter(|v| (a * (1.0 - 1e-9)..=b * (1.0 + 1e-9)).contains(v))
                    .collect()
            };
            let all = [candidates(&[1.0, 2.0, 5.0]), candidates(&[1.0, 3.0]), candidates(&[1.0])];
            let few = all.iter().find(|c| c.len() <= count.max(2)).unwrap_or(&all[2]);
            return few.iter().map(|&v| (v, number(v))).collect();
        }
        let rough = (b - a) / count.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= rough);
        let step = step.unwrap_or(10.0 * power);
        let first = (a / step - 1e-9).ceil() as i64;
        let last = (b / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).map(|v| (v, number(v))).collect()
    }
}

/// A short form of a tick's value, with a true minus sign.
pub(super) fn number(value: f64) -> String {
    let text = if value != 0.0 && !(1e-3..1e5).contains(&value.abs()) {
        format!("{value:.0e}")
    } else {
        // Ticks are multiples of 1, 2 or 5 times a power of ten: a few digits show them exactly.
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, count: usize) -> Vec<String> {
        axis.ticks(count).into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(
            labels(&Axis::linear("", [1899.5, 1920.5]), 5),
            ["1900", "1905", "1910", "1915", "1920"]
        );
        assert_eq!(labels(&Axis::linear("", [-0.2, 0.2]), 4), ["−0.2", "−0.1", "0", "0.1", "0.2"]);
        assert_eq!(labels(&Axis::log("", [4.0, 120.0]), 5), ["5", "10", "20", "50", "100"]);
        assert_eq!(labels(&Axis::log("", [1e-8, 1.0]), 5).len(), 9);
    }

    #[test]
    fn positions_run_from_zero_to_one() {
        let log = Axis::log("", [1.0, 100.0]);
        assert_eq!([1.0, 10.0, 100.0].map(|v| log.position(v)), [0.0, 0.5, 1.0]);
        assert_eq!(Axis::linear("", [2.0, 4.0]).position(3.0), 0.5);
        assert!(!Axis::log("", [0.0, 1.0]).is_valid());
        assert!(!Axis::linear("", [1.0, 1.0]).is_valid());
    }
}

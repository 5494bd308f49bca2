//! Level sets of a function on a grid by marching squares (W. Lorensen, H. Cline 1987).

use std::collections::BTreeMap;

use super::Surface;

/// A closed curve around part of a superlevel set.
pub(super) struct Loop {
    /// Index of the level.
    pub(super) level: usize,
    /// Points, and whether they lie on the edge of the grid.
    pub(super) points: Vec<([f64; 2], bool)>,
    /// Twice the enclosed area in the coordinates of the grid's indices, positive if the values
    /// inside are the higher ones.
    pub(super) area: f64,
}

/// A crossing: the edge from node `(i, j)` to `(i + 1, j)` or, if upright, to `(i, j + 1)`.
type Edge = (bool, usize, usize);

impl Surface {
    /// The value at a node of the grid with a frame of nodes below every level around it, so that
    /// all curves close.
    fn framed(&self, i: usize, j: usize) -> f64 {
        let (nx, ny) = (self.x.len(), self.y.len());
        if i == 0 || j == 0 || i > nx || j > ny {
            return f64::NEG_INFINITY;
        }
        self.values[(j - 1) * nx + (i - 1)]
    }

    /// Where a level crosses an edge: in the axes' coordinates, in those of the indices, and
    /// whether on the frame.
    fn crossing(&self, (upright, i, j): Edge, level: f64) -> ([f64; 2], [f64; 2], bool) {
        let (k, l) = if upright { (i, j + 1) } else { (i + 1, j) };
        let (a, b) = (self.framed(i, j), self.framed(k, l));
        // Frame nodes lie where the outermost nodes do.
        let at = |i: usize, n: usize| i.clamp(1, n) - 1;
        let (i, k) = (at(i, self.x.len()), at(k, self.x.len()));
        let (j, l) = (at(j, self.y.len()), at(l, self.y.len()));
        let on_frame = a.is_infinite() || b.is_infinite();
        let t = if on_frame { 0.0 } else { (level - a) / (b - a) };
        let mix = |a: f64, b: f64| a + t * (b - a);
        let place = [mix(self.x[i], self.x[k]), mix(self.y[j], self.y[l])];
        (place, [mix(i as f64, k as f64), mix(j as f64, l as f64)], on_frame)
    }

    /// The curves of all levels, the largest first: filled in this order they nest.
    pub(super) fn loops(&self) -> Vec<Loop> {
        let mut loops = Vec::new();
        for (level, &height) in self.levels.iter().enumerate() {
            let mut next: BTreeMap<Edge, Edge> = BTreeMap::new();
            for j in 0..=self.y.len() {
                for i in 0..=self.x.len() {
                    let high = |i, j| self.framed(i, j) >= height;
                    let corners = [high(i, j), high(i + 1, j), high(i + 1, j + 1), high(i, j + 1)];
                    let case = (0..4).map(|c| usize::from(corners[c]) << c).sum::<usize>();
                    let (bottom, top) = ((false, i, j), (false, i, j + 1));
                    let (left, right) = ((true, i, j), (true, i + 1, j));
                    // At a saddle the mean decides which pair of corners is connected.
                    let mean = || {
                        let sum = self.framed(i, j) + self.framed(i + 1, j);
                        (sum + self.framed(i + 1, j + 1) + self.framed(i, j + 1)) / 4.0 >= height
                    };
                    // The higher values lie to the left of each piece.
                    let pieces: &[(Edge, Edge)] = match case {
                        1 => &[(bottom, left)],
                        2 => &[(right, bottom)],
                        3 => &[(right, left)],
                        4 => &[(top, right)],
                        5 if mean() => &[(bottom, right), (top, left)],
                        5 => &[(bottom, left), (top, right)],
                        6 => &[(top, bottom)],
                        7 => &[(top, left)],
                        8 => &[(left, top)],
                        9 => &[(bottom, top)],
                        10 if mean() => &[(left, bottom), (right, top)],
                        10 => &[(right, bottom), (left, top)],
                        11 => &[(right, top)],
                        12 => &[(left, right)],
                        13 => &[(bottom, right)],
                        14 => &[(left, bottom)],
                        _ => &[],
                    };
                    next.extend(pieces.iter().copied());
                }
            }
            while let Some((&start, _)) = next.first_key_value() {
                let (mut points, mut area) = (Vec::new(), 0.0);
                let (mut edge, mut last) = (start, None::<[f64; 2]>);
                while let Some(to) = next.remove(&edge) {
                    let (place, index, on_frame) = self.crossing(edge, height);
                    points.push((place, on_frame));
                    if let Some(from) = last {
                        area += from[0] * index[1] - from[1] * index[0];
                    }
                    (edge, last) = (to, Some(index));
                }
                if let Some(from) = last {
                    let index = self.crossing(start, height).1;
                    area += from[0] * index[1] - from[1] * index[0];
                }
                loops.push(Loop { level, points, area });
            }
        }
        loops.sort_by(|a, b| b.area.abs().total_cmp(&a.area.abs()));
        loops
    }
}

#[cfg(test)]
mod tests {
    use super::super::ColourMap;
    use super::*;

    fn surface(n: usize, f: impl Fn(f64, f64) -> f64, levels: Vec<f64>) -> Surface {
        let x: Vec<f64> = (0..n).map(|i| 2.0 * i as f64 / (n - 1) as f64 - 1.0).collect();
        let values = x.iter().flat_map(|&y| x.iter().map(move |&x| [x, y])).map(|[x, y]| f(x, y));
        Surface { values: values.collect(), y: x.clone(), x, levels, map: ColourMap::Viridis }
    }

    #[test]
    fn the_level_set_of_a_cone_is_a_circle() {
        let loops = surface(41, |x, y| 1.0 - x.hypot(y), vec![0.5]).loops();
        assert_eq!(loops.len(), 1);
        for ([x, y], on_frame) in &loops[0].points {
            assert!((x.hypot(*y) - 0.5).abs() < 2e-3 && !on_frame);
        }
        // Twice the area in cells of length 0.05.
        let area = loops[0].area / 2.0 * 0.05 * 0.05;
        assert!((area - std::f64::consts::PI / 4.0).abs() < 5e-3, "{area}");
    }

    #[test]
    fn a_hole_turns_the_other_way_and_comes_after_what_surrounds_it() {
        let loops = surface(41, f64::hypot, vec![0.5]).loops();
        assert_eq!(loops.iter().map(|l| l.area > 0.0).collect::<Vec<_>>(), [true, false]);
        assert!(loops[0].points.iter().all(|(_, on_frame)| *on_frame));
    }

    #[test]
    fn every_saddle_closes() {
        let loops = surface(9, |x, y| (7.0 * x).sin() * (7.0 * y).sin(), vec![-0.5, 0.1]).loops();
        for l in loops {
            assert!(l.points.len() >= 3 && l.area != 0.0);
        }
    }
}

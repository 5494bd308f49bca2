//! The one drawing function behind every backend.

use plotters::prelude::DrawingBackend;
use plotters::style::{
    FontTransform, IntoFont, RGBAColor, RGBColor, ShapeStyle, TextStyle,
    text_anchor::{HPos, Pos, VPos},
};

use super::{
    Colour, Error, Figure, GREY, Layer, Mark, OKABE_ITO, Panel, Surface,
    axis::{Axis, number},
    legend,
    save::{FAMILY, draw_error},
};

const WHITE: Colour = Colour([255, 255, 255]);
const GRID: Colour = Colour([222, 222, 222]);
const BLACK: Colour = Colour([20, 20, 20]);

/// Heights of text, in points.
pub(super) const TITLE: f64 = 15.0;
pub(super) const TEXT: f64 = 13.0;

/// Draws with lengths in points on a backend with units of its own.
pub(super) struct Pen<'a, B> {
    backend: &'a mut B,
    scale: f64,
}

impl<'a, B: DrawingBackend> Pen<'a, B> {
    pub(super) fn new(backend: &'a mut B, scale: f64) -> Self {
        Self { backend, scale }
    }

    fn unit(&self, [x, y]: [f64; 2]) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn shape(&self, colour: Colour, opacity: f64, width: f64) -> ShapeStyle {
        let Colour([r, g, b]) = colour;
        ShapeStyle {
            color: RGBAColor(r, g, b, opacity),
            filled: true,
            stroke_width: ((width * self.scale).round() as u32).max(1),
        }
    }

    pub(super) fn line(
        &mut self,
        points: &[[f64; 2]],
        colour: Colour,
        width: f64,
    ) -> Result<(), Error> {
        let style = self.shape(colour, 1.0, width);
        let mut path: Vec<_> = points.iter().map(|p| self.unit(*p)).collect();
        path.dedup();
        self.backend.draw_path(path, &style).map_err(draw_error)
    }

    fn polygon(&mut self, points: &[[f64; 2]], colour: Colour) -> Result<(), Error> {
        let style = self.shape(colour, 1.0, 0.0);
        let mut path: Vec<_> = points.iter().map(|p| self.unit(*p)).collect();
        path.dedup();
        self.backend.fill_polygon(path, &style).map_err(draw_error)
    }

    fn rectangle(&mut self, a: [f64; 2], b: [f64; 2], colour: Colour) -> Result<(), Error> {
        let style = self.shape(colour, 1.0, 0.0);
        let (a, b) = (self.unit(a), self.unit(b));
        self.backend.draw_rect(a, b, &style, true).map_err(draw_error)
    }

    pub(super) fn circle(
        &mut self,
        centre: [f64; 2],
        radius: f64,
        colour: Colour,
        hollow: bool,
    ) -> Result<(), Error> {
        let at = self.unit(centre);
        let mut disc = |radius: f64, colour| {
            let (style, radius) = (self.shape(colour, 1.0, 0.0), (radius * self.scale) as u32);
            self.backend.draw_circle(at, radius, &style, true).map_err(draw_error)
        };
        disc(radius, colour)?;
        if hollow { disc(radius - 1.5, WHITE) } else { Ok(()) }
    }

    pub(super) fn text(
        &mut self,
        text: &str,
        at: [f64; 2],
        size: f64,
        (h, v): (HPos, VPos),
        turned: bool,
    ) -> Result<(), Error> {
        let mut font = (FAMILY, size * self.scale).into_font();
        if turned {
            font = font.transform(FontTransform::Rotate270);
        }
        let Colour([r, g, b]) = BLACK;
        let ink = RGBColor(r, g, b);
        let style = TextStyle::from(font).color(&ink).pos(Pos::new(h, v));
        let at = self.unit(at);
        self.backend.draw_text(text, &style, at).map_err(draw_error)
    }

    /// The width of a text in points.
    pub(super) fn width(&self, text: &str, size: f64) -> Result<f64, Error> {
        let font = (FAMILY, size * self.scale).into_font();
        let ((left, _), (right, _)) = font.layout_box(text).map_err(draw_error)?;
        Ok(f64::from(right - left) / self.scale)
    }
}

impl Figure {
    pub(super) fn draw<B: DrawingBackend>(&self, pen: &mut Pen<B>) -> Result<(), Error> {
        let [width, height] = self.size.map(f64::from);
        pen.rectangle([0.0, 0.0], [width, height], WHITE)?;
        for ([left, top, right, bottom], panel) in &self.panels {
            let frame = [left * width, top * height, right * width, bottom * height];
            panel.draw(pen, frame)?;
        }
        Ok(())
    }
}

/// The rectangle between the axes, in points.
struct Field<'a> {
    x: &'a Axis,
    y: &'a Axis,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Field<'_> {
    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            self.left + self.x.position(x) * (self.right - self.left),
            self.bottom - self.y.position(y) * (self.bottom - self.top),
        ]
    }

    fn contains(&self, [x, y]: [f64; 2]) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }

    /// The parts of a line inside the field.
    fn clip(&self, line: &[[f64; 2]]) -> Vec<Vec<[f64; 2]>> {
        let mut parts: Vec<Vec<[f64; 2]>> = Vec::new();
        for ends in line.windows(2) {
            let Some([a, b]) = self.clip_segment(ends[0], ends[1]) else { continue };
            match parts.last_mut() {
                Some(part) if part.last() == Some(&a) => part.push(b),
                _ => parts.push(vec![a, b]),
            }
        }
        parts
    }

    /// Y.-D. Liang, B. Barsky 1984.
    fn clip_segment(&self, a: [f64; 2], b: [f64; 2]) -> Option<[[f64; 2]; 2]> {
        let (mut t0, mut t1) = (0.0f64, 1.0f64);
        let limits = [[self.left, self.right], [self.top, self.bottom]];
        for axis in 0..2 {
            let step = b[axis] - a[axis];
            for (sign, limit) in [(-1.0, limits[axis][0]), (1.0, limits[axis][1])] {
                let (p, q) = (sign * step, sign * (limit - a[axis]));
                if p == 0.0 && q < 0.0 || !p.is_finite() || !q.is_finite() {
                    return None;
                } else if p < 0.0 {
                    t0 = t0.max(q / p);
                } else if p > 0.0 {
                    t1 = t1.min(q / p);
                }
            }
        }
        let at = |t: f64| match t {
            0.0 => a,
            1.0 => b,
            _ => [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])],
        };
        (t0 <= t1).then(|| [at(t0), at(t1)])
    }
}

impl Panel {
    fn draw<B: DrawingBackend>(&self, pen: &mut Pen<B>, frame: [f64; 4]) -> Result<(), Error> {
        let [left, top, right, bottom] = frame;
        let surface = self.layers.iter().find_map(|l| match &l.mark {
            Mark::Surface(s) => Some(s),
            _ => None,
        });

        // From the outside inwards: what the labels need is not there for the field.
        let bar_labels: Vec<String> =
            surface.map(|s| s.levels.iter().map(|v| number(*v)).collect()).unwrap_or_default();
        let bar = match widest(pen, &bar_labels)? {
            Some(width) => 8.0 + 14.0 + 5.0 + width,
            None => 0.0,
        };
        let y_ticks = self.y.ticks(((bottom - top) / 42.0) as usize);
        let y_labels: Vec<String> = y_ticks.iter().map(|(_, label)| label.clone()).collect();
        // Room for three digits at least, so that panels below each other align.
        let labels = widest(pen, &y_labels)?.unwrap_or(0.0).max(pen.width("000", TEXT)?);
        let margin = 8.0 + TEXT + 6.0 + labels + 7.0;
        let (left, right) = (left + margin, right - 14.0 - bar);
        let legend = legend::arrange(pen, &self.title, &self.layers, right - left)?;
        let field = Field {
            x: &self.x,
            y: &self.y,
            left,
            right,
            top: top + 8.0 + legend.height,
            bottom: bottom - 2.0 * (TEXT + 5.0) - 10.0,
        };
        legend.draw(pen, [left, top + 8.0])?;

        for layer in &self.layers {
            if let Mark::Shade { x, colour } = layer.mark {
                let [a, b] = x.map(|x| field.place([x, self.y.range[0]])[0]);
                let (a, b) = (a.max(left), b.min(right));
                if a < b {
                    pen.rectangle([a, field.top], [b, field.bottom], colour)?;
                }
            }
        }
        if surface.is_none() {
            for x in self.x_ticks(right - left) {
                let [x, _] = field.place([x.0, self.y.range[0]]);
                pen.line(&[[x, field.top], [x, field.bottom]], GRID, 0.6)?;
            }
            for (y, _) in &y_ticks {
                let [_, y] = field.place([self.x.range[0], *y]);
                pen.line(&[[left, y], [right, y]], GRID, 0.6)?;
            }
        }
        for layer in &self.layers {
            layer.draw(pen, &field)?;
        }
        if let Some(surface) = surface {
            surface.draw_bar(pen, &field, &bar_labels)?;
        }

        // The axes last, over whatever touches them.
        let corners = [[left, field.top], [right, field.bottom]];
        let outline = [
            corners[0],
            [corners[1][0], corners[0][1]],
            corners[1],
            [corners[0][0], corners[1][1]],
            corners[0],
        ];
        pen.line(&outline, GREY, 0.8)?;
        for (x, label) in self.x_ticks(right - left) {
            let [x, _] = field.place([x, self.y.range[0]]);
            pen.line(&[[x, field.bottom], [x, field.bottom + 4.0]], GREY, 0.8)?;
            pen.text(&label, [x, field.bottom + 8.0], TEXT, (HPos::Center, VPos::Top), false)?;
        }
        for (y, label) in &y_ticks {
            let [_, y] = field.place([self.x.range[0], *y]);
            pen.line(&[[left - 4.0, y], [left, y]], GREY, 0.8)?;
            pen.text(label, [left - 7.0, y], TEXT, (HPos::Right, VPos::Center), false)?;
        }
        let middle = [left.midpoint(right), field.top.midpoint(field.bottom)];
        let below = field.bottom + 8.0 + TEXT + 5.0;
        pen.text(&self.x.label, [middle[0], below], TEXT, (HPos::Center, VPos::Top), false)?;
        let beside = frame[0] + 8.0 + TEXT / 2.0;
        pen.text(&self.y.label, [beside, middle[1]], TEXT, (HPos::Center, VPos::Center), true)
    }

    fn x_ticks(&self, width: f64) -> Vec<(f64, String)> {
        self.x.ticks((width / 60.0) as usize)
    }
}

/// The width of the widest of some labels.
fn widest<B: DrawingBackend>(pen: &Pen<B>, labels: &[String]) -> Result<Option<f64>, Error> {
    let widths = labels.iter().map(|l| pen.width(l, TEXT)).collect::<Result<Vec<_>, _>>()?;
    Ok(widths.into_iter().reduce(f64::max))
}

impl Layer {
    fn draw<B: DrawingBackend>(&self, pen: &mut Pen<B>, field: &Field<'_>) -> Result<(), Error> {
        match &self.mark {
            Mark::Line { points, colour, width, dash } => {
                let placed: Vec<_> = points.iter().map(|p| field.place(*p)).collect();
                for part in field.clip(&placed) {
                    for piece in dashes(&part, *dash) {
                        pen.line(&piece, *colour, *width)?;
                    }
                }
            }
            Mark::Points { points, colour, radius, hollow } => {
                for at in points.iter().map(|p| field.place(*p)).filter(|p| field.contains(*p)) {
                    // A white rim keeps circles apart from each other and from lines.
                    pen.circle(at, radius + 0.8, WHITE, false)?;
                    pen.circle(at, *radius, *colour, *hollow)?;
                }
            }
            Mark::Note { at, text } => {
                let [x, y] = field.place(*at);
                if field.contains([x, y]) {
                    let anchor = (HPos::Left, VPos::Center);
                    pen.text(text, [x + 6.0, y - 7.0], TEXT - 2.0, anchor, false)?;
                }
            }
            Mark::Surface(surface) => surface.draw(pen, field)?,
            Mark::Shade { .. } => {}
        }
        Ok(())
    }

    /// A sample of the layer for the legend: between two points at one height.
    pub(super) fn draw_sample<B: DrawingBackend>(
        &self,
        pen: &mut Pen<B>,
        [x, y]: [f64; 2],
        length: f64,
    ) -> Result<(), Error> {
        match &self.mark {
            Mark::Line { colour, width, dash, .. } => {
                for piece in dashes(&[[x, y], [x + length, y]], *dash) {
                    pen.line(&piece, *colour, *width)?;
                }
                Ok(())
            }
            Mark::Points { colour, radius, hollow, .. } => {
                pen.circle([x + length / 2.0, y], *radius, *colour, *hollow)
            }
            Mark::Shade { colour, .. } => {
                pen.rectangle([x, y - 5.0], [x + length, y + 5.0], *colour)
            }
            Mark::Note { .. } | Mark::Surface(_) => {
                pen.circle([x + length / 2.0, y], 3.0, OKABE_ITO[0], false)
            }
        }
    }
}

/// Cuts a line into dashes with gaps of two thirds of their length.
fn dashes(line: &[[f64; 2]], dash: Option<f64>) -> Vec<Vec<[f64; 2]>> {
    let Some(dash) = dash.filter(|d| *d > 0.0) else { return vec![line.to_vec()] };
    let gap = dash * 2.0 / 3.0;
    let (mut pieces, mut drawing, mut left) = (Vec::new(), true, dash);
    let mut piece: Vec<[f64; 2]> = line.first().copied().into_iter().collect();
    for ends in line.windows(2) {
        let ([mut x, mut y], [x1, y1]) = (ends[0], ends[1]);
        loop {
            let distance = (x1 - x).hypot(y1 - y);
            if distance <= left {
                left -= distance;
                piece.push([x1, y1]);
                break;
            }
            (x, y) = (x + (x1 - x) * left / distance, y + (y1 - y) * left / distance);
            piece.push([x, y]);
            if drawing {
                pieces.push(std::mem::take(&mut piece));
            }
            piece = vec![[x, y]];
            drawing = !drawing;
            left = if drawing { dash } else { gap };
        }
    }
    if drawing && piece.len() > 1 {
        pieces.push(piece);
    }
    pieces
}

impl Surface {
    /// The colour between the levels `band − 1` and `band`.
    fn colour(&self, band: usize) -> Colour {
        self.map.at(band as f64 / self.levels.len() as f64)
    }

    fn draw<B: DrawingBackend>(&self, pen: &mut Pen<B>, field: &Field<'_>) -> Result<(), Error> {
        pen.rectangle([field.left, field.top], [field.right, field.bottom], self.colour(0))?;
        let loops = self.loops();
        for l in &loops {
            let points: Vec<_> = l.points.iter().map(|(p, _)| field.place(*p)).collect();
            pen.polygon(&points, self.colour(l.level + usize::from(l.area > 0.0)))?;
        }
        for l in &loops {
            // The curve without its way along the edge of the grid.
            let mut points = l.points.clone();
            points.extend(l.points.first().copied());
            for part in points.split(|(_, on_frame)| *on_frame) {
                let part: Vec<_> = part.iter().map(|(p, _)| field.place(*p)).collect();
                for inside in field.clip(&part) {
                    pen.line(&inside, WHITE, 0.6)?;
                }
            }
        }
        Ok(())
    }

    fn draw_bar<B: DrawingBackend>(
        &self,
        pen: &mut Pen<B>,
        field: &Field<'_>,
        labels: &[String],
    ) -> Result<(), Error> {
        let (left, right) = (field.right + 8.0, field.right + 22.0);
        let band_height = (field.bottom - field.top) / (self.levels.len() + 1) as f64;
        let mut free = f64::INFINITY;
        for band in 0..=self.levels.len() {
            let bottom = field.bottom - band as f64 * band_height;
            pen.rectangle([left, bottom - band_height], [right, bottom], self.colour(band))?;
            if let Some(label) = band.checked_sub(1).and_then(|level| labels.get(level))
                && free - bottom >= TEXT
            {
                pen.text(label, [right + 5.0, bottom], TEXT, (HPos::Left, VPos::Center), false)?;
                free = bottom;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_the_field() {
        let axis = Axis::linear("", [0.0, 1.0]);
        let field = Field { x: &axis, y: &axis, left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };
        let through = field.clip(&[[-5.0, 5.0], [5.0, 5.0], [5.0, 20.0], [8.0, 20.0], [8.0, 5.0]]);
        assert_eq!(
            through,
            [vec![[0.0, 5.0], [5.0, 5.0], [5.0, 10.0]], vec![[8.0, 10.0], [8.0, 5.0]]]
        );
        assert!(field.clip(&[[-1.0, -1.0], [20.0, -1.0]]).is_empty());
        assert!(field.clip(&[[f64::NAN, 1.0], [1.0, 1.0]]).is_empty());
    }

    #[test]
    fn dashes_keep_their_length_around_corners() {
        let pieces = dashes(&[[0.0, 0.0], [4.0, 0.0], [4.0, 10.0]], Some(6.0));
        assert_eq!(pieces[0], [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0]]);
        assert_eq!(pieces[1], [[4.0, 6.0], [4.0, 10.0]]);
        assert_eq!(dashes(&[[0.0, 0.0], [1.0, 0.0]], None).len(), 1);
    }
}

//! The title of a panel and the legend beside or below it.

use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};

use super::{
    Error, Layer,
    draw::{Pen, TEXT, TITLE},
};

const ROW: f64 = 20.0;
const SAMPLE: f64 = 24.0;

/// Where everything above the axes goes.
pub(super) struct Legend<'a> {
    title: &'a str,
    /// Layers with their labels and places, relative to the upper left corner.
    entries: Vec<(&'a Layer, &'a str, [f64; 2])>,
    /// What all of it needs.
    pub(super) height: f64,
}

/// Places the entries to the right of the title if they fit there, else in rows below.
pub(super) fn arrange<'a, B: DrawingBackend>(
    pen: &Pen<B>,
    title: &'a str,
    layers: &'a [Layer],
    width: f64,
) -> Result<Legend<'a>, Error> {
    let mut sized = Vec::new();
    for layer in layers {
        if let Some(label) = &layer.label {
            sized.push((layer, label.as_str(), SAMPLE + 5.0 + pen.width(label, TEXT)? + 14.0));
        }
    }
    let total: f64 = sized.iter().map(|(_, _, w)| w).sum();
    let beside = pen.width(title, TITLE)? + 20.0 + total <= width;
    let (mut x, mut y) = if beside { (width - total + 14.0, 0.0) } else { (0.0, ROW) };
    let mut entries = Vec::new();
    for (layer, label, w) in sized {
        if !beside && x > 0.0 && x + w - 14.0 > width {
            (x, y) = (0.0, y + ROW);
        }
        entries.push((layer, label, [x, y]));
        x += w;
    }
    let rows_below = if entries.is_empty() || beside { 0.0 } else { y };
    Ok(Legend { title, entries, height: ROW + rows_below + 4.0 })
}

impl Legend<'_> {
    pub(super) fn draw<B: DrawingBackend>(
        &self,
        pen: &mut Pen<B>,
        [left, top]: [f64; 2],
    ) -> Result<(), Error> {
        let anchor = (HPos::Left, VPos::Center);
        let middle = top + ROW / 2.0;
        pen.text(self.title, [left, middle], TITLE, anchor, false)?;
        for (layer, label, [x, y]) in &self.entries {
            layer.draw_sample(pen, [left + x, middle + y], SAMPLE)?;
            pen.text(label, [left + x + SAMPLE + 5.0, middle + y], TEXT, anchor, false)?;
        }
        Ok(())
    }
}

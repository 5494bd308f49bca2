//! Figures for the examples: described as data, drawn by one function as SVG and as PNG.
//!
//! ```no_run
//! use ansatz_examples::plot::{Axis, Figure, Layer, OKABE_ITO, Panel};
//!
//! # fn main() -> Result<(), ansatz_examples::plot::Error> {
//! let curve: Vec<[f64; 2]> = (0..100).map(|i| i as f64 / 10.0).map(|x| [x, x.sin()]).collect();
//! let panel = Panel::new("A wave", Axis::linear("x", [0.0, 10.0]), Axis::linear("y", [-1.2, 1.2]))
//!     .with(Layer::line(curve, OKABE_ITO[0]).label("sin x"));
//! Figure::new(600, 400).panel([0.0, 0.0, 1.0, 1.0], panel).save("target/waves".as_ref(), "sine")?;
//! # Ok(())
//! # }
//! ```

mod axis;
mod colour;
mod contour;
mod draw;
mod legend;
mod save;

use std::path::PathBuf;

pub use axis::Axis;
pub use colour::{Colour, ColourMap, GREY, OKABE_ITO};

/// Why a figure could not be saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder or file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The drawing library failed.
    #[error("cannot draw the figure: {0}")]
    Draw(String),
    /// What is to be drawn makes no sense.
    #[error("{what} = {value}: expected {expected}")]
    InvalidArgument {
        /// The thing.
        what: &'static str,
        /// Its value.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
}

/// A sheet of panels.
#[derive(Debug, Clone)]
pub struct Figure {
    size: [u32; 2],
    panels: Vec<([f64; 4], Panel)>,
}

impl Figure {
    /// An empty sheet of this width and height in points; text is 11 to 14 points high.
    pub fn new(width: u32, height: u32) -> Self {
        Self { size: [width, height], panels: Vec::new() }
    }

    /// Adds a panel in the frame `[left, top, right, bottom]`, in fractions of the sheet. Axis
    /// labels, legend and colour bar stay inside the frame.
    #[must_use]
    pub fn panel(mut self, frame: [f64; 4], panel: Panel) -> Self {
        self.panels.push((frame, panel));
        self
    }
}

/// One pair of axes and what is drawn between them.
#[derive(Debug, Clone)]
pub struct Panel {
    title: String,
    x: Axis,
    y: Axis,
    layers: Vec<Layer>,
}

impl Panel {
    /// An empty panel.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, layers: Vec::new() }
    }

    /// Draws another layer over those there are.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }
}

/// Something drawn in a panel, in the coordinates of its axes.
#[derive(Debug, Clone)]
pub struct Layer {
    mark: Mark,
    label: Option<String>,
}

#[derive(Debug, Clone)]
enum Mark {
    Line { points: Vec<[f64; 2]>, colour: Colour, width: f64, dash: Option<f64> },
    Points { points: Vec<[f64; 2]>, colour: Colour, radius: f64, hollow: bool },
    Shade { x: [f64; 2], colour: Colour },
    Note { at: [f64; 2], text: String },
    Surface(Surface),
}

/// A function on a grid.
#[derive(Debug, Clone)]
struct Surface {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Rows of constant `y`.
    values: Vec<f64>,
    levels: Vec<f64>,
    map: ColourMap,
}

impl Layer {
    fn new(mark: Mark) -> Self {
        Self { mark, label: None }
    }

    /// A solid line through points `[x, y]`.
    pub fn line(points: Vec<[f64; 2]>, colour: Colour) -> Self {
        Self::new(Mark::Line { points, colour, width: 1.8, dash: None })
    }

    /// Filled circles.
    pub fn points(points: Vec<[f64; 2]>, colour: Colour) -> Self {
        Self::new(Mark::Points { points, colour, radius: 3.6, hollow: false })
    }

    /// A grey band over all of `y`.
    pub fn shade(from: f64, to: f64) -> Self {
        Self::new(Mark::Shade { x: [from, to], colour: Colour([232, 232, 232]) })
    }

    /// A small text to the upper right of a point.
    pub fn note(at: [f64; 2], text: impl Into<String>) -> Self {
        Self::new(Mark::Note { at, text: text.into() })
    }

    /// Filled contours between `levels` of a function given on the nodes of a grid, with a colour
    /// bar; `values` holds one row of `x.len()` numbers for each `y`.
    pub fn surface(
        x: Vec<f64>,
        y: Vec<f64>,
        values: Vec<f64>,
        levels: Vec<f64>,
        map: ColourMap,
    ) -> Self {
        Self::new(Mark::Surface(Surface { x, y, values, levels, map }))
    }

    /// Names the layer in the legend.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Breaks a line into dashes of this length in points.
    #[must_use]
    pub fn dashed(mut self, length: f64) -> Self {
        if let Mark::Line { dash, .. } = &mut self.mark {
            *dash = Some(length);
        }
        self
    }

    /// Draws circles as rings.
    #[must_use]
    pub fn hollow(mut self) -> Self {
        if let Mark::Points { hollow, .. } = &mut self.mark {
            *hollow = true;
        }
        self
    }

    /// Sets the width of a line, or the radius of circles, in points.
    #[must_use]
    pub fn size(mut self, points: f64) -> Self {
        if let Mark::Line { width: size, .. } | Mark::Points { radius: size, .. } = &mut self.mark {
            *size = points;
        }
        self
    }
}

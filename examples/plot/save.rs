//! Writing a figure as SVG and PNG.

use std::{fs, path::Path, path::PathBuf, sync::OnceLock};

use plotters::prelude::DrawingBackend;
use plotters::{
    prelude::{BitMapBackend, SVGBackend},
    style::{FontStyle, register_font},
};

use super::{Error, Figure, Mark, draw::Pen};

/// The family that figures are drawn with. In an SVG the reader's own font of this kind is used;
/// DejaVu Sans, by which the layout is measured, is wider than most.
pub(super) const FAMILY: &str = "sans-serif";

/// Units of the drawing per point: plotters draws at whole units only, and without smoothing the
/// edges of thick lines.
const FINENESS: u32 = 4;

/// Pixels of a PNG per point. Each is the mean of a square of units.
const PIXELS: u32 = 2;

impl Figure {
    /// Writes `<name>.svg` and `<name>.png` into `folder`, which is made if need be, and returns
    /// their paths. Each file is complete or not there: it is written beside its place and moved.
    ///
    /// # Errors
    /// When a range, a surface or a size makes no sense, or a file cannot be written.
    pub fn save(&self, folder: &Path, name: &str) -> Result<[PathBuf; 2], Error> {
        self.validate()?;
        register()?;
        let [svg, png] = ["svg", "png"].map(|kind| folder.join(format!("{name}.{kind}")));
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        let text = self.svg()?;
        write_atomically(&svg, |part| {
            fs::write(part, &text).map_err(|source| Error::Write { path: svg.clone(), source })
        })?;
        let pixels = self.pixels()?;
        write_atomically(&png, |part| {
            let mut image = BitMapBackend::new(part, self.size.map(|n| n * PIXELS).into());
            let size = self.size.map(|n| n * PIXELS).into();
            image.blit_bitmap((0, 0), size, &pixels).map_err(draw_error)?;
            image.present().map_err(|e| Error::Write {
                path: png.clone(),
                source: std::io::Error::other(e.to_string()),
            })
        })?;
        Ok([svg, png])
    }

    /// The figure as SVG.
    ///
    /// # Errors
    /// When a range, a surface or a size makes no sense.
    pub fn svg(&self) -> Result<String, Error> {
        self.validate()?;
        register()?;
        let mut text = String::new();
        let fine = self.size.map(|n| n * FINENESS);
        {
            let mut backend = SVGBackend::with_string(&mut text, fine.into());
            self.draw(&mut Pen::new(&mut backend, f64::from(FINENESS)))?;
            backend.present().map_err(draw_error)?;
        }
        // Keep the fine coordinates, show the intended size.
        let [width, height] = fine.map(|n| n.to_string());
        let shown = self.size.map(|n| n.to_string());
        Ok(text
            .replacen(&format!("width=\"{width}\""), &format!("width=\"{}\"", shown[0]), 1)
            .replacen(&format!("height=\"{height}\""), &format!("height=\"{}\"", shown[1]), 1))
    }

    /// Red, green and blue of every pixel.
    fn pixels(&self) -> Result<Vec<u8>, Error> {
        let [width, height] = self.size.map(|n| (n * FINENESS) as usize);
        let mut fine = vec![255; width * height * 3];
        {
            let mut backend = BitMapBackend::with_buffer(&mut fine, (width as u32, height as u32));
            self.draw(&mut Pen::new(&mut backend, f64::from(FINENESS)))?;
            backend.present().map_err(draw_error)?;
        }
        let block = (FINENESS / PIXELS) as usize;
        let area = (block * block) as u32;
        let mut pixels = Vec::with_capacity(fine.len() / (block * block));
        for y in (0..height).step_by(block) {
            for x in (0..width).step_by(block) {
                for channel in 0..3 {
                    let sum: u32 = (0..block * block)
                        .map(|k| (y + k / block) * width + x + k % block)
                        .map(|pixel| u32::from(fine[pixel * 3 + channel]))
                        .sum();
                    pixels.push(((sum + area / 2) / area) as u8);
                }
            }
        }
        Ok(pixels)
    }

    fn validate(&self) -> Result<(), Error> {
        let invalid =
            |what, value: String, expected| Err(Error::InvalidArgument { what, value, expected });
        if self.size.iter().any(|n| !(1..=8192).contains(n)) {
            return invalid("size of a figure", format!("{:?}", self.size), "1 to 8192 points");
        }
        for (_, panel) in &self.panels {
            for axis in [&panel.x, &panel.y] {
                if !axis.is_valid() {
                    let expected = "finite and increasing, positive if logarithmic";
                    return invalid("range of an axis", format!("{:?}", axis.range), expected);
                }
            }
            for layer in &panel.layers {
                let Mark::Surface(s) = &layer.mark else { continue };
                let sizes = format!("{} values on {} × {}", s.values.len(), s.x.len(), s.y.len());
                if s.values.len() != s.x.len() * s.y.len() || s.values.is_empty() {
                    return invalid("surface", sizes, "one value for each node of the grid");
                }
                if s.levels.len() < 2 || s.values.iter().any(|v| !v.is_finite()) {
                    return invalid("surface", sizes, "finite values and at least two levels");
                }
            }
        }
        Ok(())
    }
}

/// The bundled font, so that no font of the system is needed.
fn register() -> Result<(), Error> {
    static FONT: &[u8] = include_bytes!("../assets/DejaVuSans.ttf");
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| register_font(FAMILY, FontStyle::Normal, FONT).is_ok());
    if *done { Ok(()) } else { Err(Error::Draw("the bundled font is damaged".into())) }
}

/// Lets `write` fill a file beside `path` with the same ending, then moves it there.
fn write_atomically(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<(), Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{}.{name}", std::process::id()));
    let written = write(&part).and_then(|()| {
        fs::rename(&part, path).map_err(|source| Error::Write { path: path.to_owned(), source })
    });
    if written.is_err() {
        // What is left of the attempt, if anything.
        let _ = fs::remove_file(&part);
    }
    written
}

pub(super) fn draw_error(error: impl std::fmt::Display) -> Error {
    Error::Draw(error.to_string())
}

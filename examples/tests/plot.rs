//! Figures end up on the disk, whole, as SVG and PNG.

use std::fs;

use ansatz_examples::plot::{Axis, ColourMap, Error, Figure, Layer, OKABE_ITO, Panel};

fn figure() -> Figure {
    let x: Vec<f64> = (0..21).map(|i| i as f64 / 10.0 - 1.0).collect();
    let values = x.iter().flat_map(|y| x.iter().map(move |x| x * y)).collect();
    let levels = vec![-0.5, 0.0, 0.5];
    let saddle = Layer::surface(x.clone(), x.clone(), values, levels, ColourMap::Diverging);
    let line = Layer::line(x.iter().map(|x| [*x, x.exp()]).collect(), OKABE_ITO[0]);
    let axis = || Axis::linear("x < y", [-1.0, 1.0]);
    Figure::new(320, 160)
        .panel([0.0, 0.0, 0.5, 1.0], Panel::new("saddle", axis(), axis()).with(saddle))
        .panel(
            [0.5, 0.0, 1.0, 1.0],
            Panel::new("growth", axis(), Axis::log("y", [0.1, 10.0])).with(line.label("eˣ")),
        )
}

#[test]
fn both_files_are_written_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("new");
    let [svg, png] = figure().save(&inside, "both").unwrap();
    let text = fs::read_to_string(svg).unwrap();
    assert!(text.starts_with("<svg width=\"320\" height=\"160\" viewBox=\"0 0 1280 640\""));
    for part in ["saddle", "growth", "x &lt; y", "</svg>"] {
        assert!(text.contains(part), "{part}");
    }
    let image = fs::read(png).unwrap();
    assert_eq!(image[..8], *b"\x89PNG\r\n\x1a\n");
    // Width and height in the header.
    assert_eq!(image[16..24], [0, 0, 2, 128, 0, 0, 1, 64]);
    assert_eq!(fs::read_dir(inside).unwrap().count(), 2);
}

#[test]
fn the_same_figure_gives_the_same_text() {
    assert_eq!(figure().svg().unwrap(), figure().svg().unwrap());
}

#[test]
fn what_cannot_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let error = figure().save(&in_the_way.join("below"), "x").unwrap_err();
    assert!(matches!(&error, Error::Write { path, .. } if path.starts_with(&in_the_way)));
    // A folder where the picture should be.
    fs::create_dir(folder.path().join("x.svg")).unwrap();
    let error = figure().save(folder.path(), "x").unwrap_err();
    assert!(matches!(&error, Error::Write { path, .. } if path.ends_with("x.svg")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn senseless_figures_are_refused() {
    let panel = |x, y| Panel::new("", Axis::log("", x), Axis::linear("", y));
    let sheet = |panel| Figure::new(100, 100).panel([0.0, 0.0, 1.0, 1.0], panel);
    let short = Layer::surface(vec![1.0], vec![1.0], vec![], vec![0.0, 1.0], ColourMap::Viridis);
    for figure in [
        sheet(panel([0.0, 1.0], [0.0, 1.0])),
        sheet(panel([1.0, 2.0], [1.0, f64::NAN])),
        sheet(panel([1.0, 2.0], [0.0, 1.0]).with(short)),
        Figure::new(0, 10),
    ] {
        assert!(matches!(figure.svg(), Err(Error::InvalidArgument { .. })));
    }
}

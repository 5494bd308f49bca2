//! The figure of the example `lynx_hare`.

use std::error::Error;

use ansatz::core::candle::{Device, Tensor};
use ansatz::data::LynxHare;
use ansatz_examples::{
    plot::{Axis, ColourMap, Figure, GREY, Layer, OKABE_ITO, Panel},
    predator_prey::PredatorPrey,
};

use super::{CYCLE, Fitted};

const HARES: [f64; 2] = [5.0, 120.0];
const LYNX: [f64; 2] = [3.0, 90.0];
/// Nodes of the surfaces along each axis.
const NODES: usize = 61;
/// Points of a curve.
const PER_YEAR: usize = 24;

/// Data, fits and forecasts over time and in the phase plane; the interaction that was learned.
pub(crate) fn draw(
    data: &LynxHare,
    training_years: usize,
    classical: &Fitted,
    universal: &Fitted,
) -> Result<Figure, Box<dyn Error>> {
    let fine: Vec<f64> = (0..=(data.years.len() - 1) * PER_YEAR)
        .map(|i| data.years[0] + i as f64 / PER_YEAR as f64)
        .collect();
    let curve = |fitted: &Fitted| -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
        Ok(fitted.model.predict(&fitted.start, &fine)?.exp()?.to_vec2::<f64>()?)
    };
    let curves = [curve(classical)?, curve(universal)?];
    let names = ["Lotka–Volterra", "universal equation"];
    let colours = [OKABE_ITO[0], OKABE_ITO[1]];
    let last = data.years[training_years - 1];

    let over_time = |title: &str, species: usize, seen: &[f64], range: [f64; 2]| {
        let seen: Vec<[f64; 2]> = data.years.iter().zip(seen).map(|(t, y)| [*t, *y]).collect();
        let (fitted, forecast) = seen.split_at(training_years);
        let axes = [
            Axis::linear("year", [data.years[0] - 0.5, last + 6.5]),
            Axis::log("thousand pelts", range),
        ];
        let [x, y] = axes;
        let mut panel =
            Panel::new(title, x, y).with(Layer::shade(last + 0.5, 1e4).label("held out"));
        for c in [0, 1] {
            let line = fine.iter().zip(&curves[c]).map(|(t, y)| [*t, y[species]]).collect();
            let layer = Layer::line(line, colours[c]).label(names[c]);
            panel = panel.with(if c == 0 { layer.dashed(9.0) } else { layer });
        }
        panel
            .with(Layer::points(fitted.to_vec(), GREY).label("data"))
            .with(Layer::points(forecast.to_vec(), GREY).hollow())
    };

    let states: Vec<[f64; 2]> = data.hare.iter().zip(&data.lynx).map(|(u, v)| [*u, *v]).collect();
    let (fitted, forecast) = states.split_at(training_years);
    let plane =
        || [Axis::log("hare, thousand pelts", HARES), Axis::log("lynx, thousand pelts", LYNX)];
    let [x, y] = plane();
    let mut phases = Panel::new("Phase plane", x, y);
    for c in [0, 1] {
        // The orbit of Lotka and Volterra is closed: once round is enough.
        let shown = if c == 0 { CYCLE * PER_YEAR + 1 } else { fine.len() };
        let line = curves[c][..shown].iter().map(|y| [y[0], y[1]]).collect();
        let layer = Layer::line(line, colours[c]);
        phases = phases.with(if c == 0 { layer.dashed(9.0) } else { layer });
    }
    phases = phases
        .with(Layer::points(fitted.to_vec(), GREY).label("1900–1914"))
        .with(Layer::points(forecast.to_vec(), GREY).hollow().label("1915–1920"));
    for (state, year) in states.iter().zip(&data.years) {
        if [1900.0, 1904.0, 1914.0, 1917.0].contains(year) {
            phases = phases.with(Layer::note(*state, year.to_string()));
        }
    }

    let (hares, lynx) = (geometric(HARES), geometric(LYNX));
    let losses = [
        hares_lost(&classical.model, &hares, &lynx)?,
        hares_lost(&universal.model, &hares, &lynx)?,
    ];
    let ratio = losses[1].iter().zip(&losses[0]).map(|(a, b)| a / b).collect();
    let amounts = vec![0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
    let ratios = vec![0.25, 0.35, 0.5, 0.7, 0.9, 1.1, 1.4, 2.0, 2.8, 4.0];
    let surface = |title: &str, values, levels, map| {
        let [x, y] = plane();
        Panel::new(title, x, y)
            .with(Layer::surface(hares.clone(), lynx.clone(), values, levels, map))
            .with(Layer::points(fitted.to_vec(), GREY).size(2.6))
    };
    let [classical, learned] = losses;
    Ok(Figure::new(1200, 980)
        .panel([0.0, 0.0, 0.6, 0.32], over_time("Hare", 0, &data.hare, HARES))
        .panel([0.0, 0.32, 0.6, 0.64], over_time("Lynx", 1, &data.lynx, LYNX))
        .panel([0.6, 0.0, 1.0, 0.64], phases)
        .panel(
            [0.0, 0.64, 0.34, 1.0],
            surface(
                "Hares lost a year, thousands: βuv",
                classical,
                amounts.clone(),
                ColourMap::Viridis,
            ),
        )
        .panel(
            [0.33, 0.64, 0.67, 1.0],
            surface("Hares lost a year: learned", learned, amounts, ColourMap::Viridis),
        )
        .panel(
            [0.66, 0.64, 1.0, 1.0],
            surface("Learned / βuv", ratio, ratios, ColourMap::Diverging),
        ))
}

/// Equal ratios from one end of a range to the other.
fn geometric([a, b]: [f64; 2]) -> Vec<f64> {
    (0..NODES).map(|i| a * (b / a).powf(i as f64 / (NODES - 1) as f64)).collect()
}

/// Thousands of hares lost to lynx a year, a row for each number of lynx.
fn hares_lost(
    model: &PredatorPrey,
    hares: &[f64],
    lynx: &[f64],
) -> Result<Vec<f64>, Box<dyn Error>> {
    let states: Vec<f64> =
        lynx.iter().flat_map(|v| hares.iter().flat_map(move |u| [*u, *v])).collect();
    let states = Tensor::from_vec(states, (hares.len() * lynx.len(), 2), &Device::Cpu)?.log()?;
    Ok(model.interaction(&states)?.narrow(1, 1, 1)?.flatten_all()?.to_vec1()?)
}

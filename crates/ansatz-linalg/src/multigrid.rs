//! Geometric multigrid for elliptic problems on a box: [`Multigrid`].

mod coarse;
mod config;
mod cycle;
mod full;
mod hierarchy;
mod level;
mod solve;
mod sweep;
mod transfer;

pub use config::{Cycle, MultigridConfig, Smoother};
pub use solve::Multigrid;

//! The methods, one file each.

mod bosh3;
mod dopri5;
mod euler;
mod heun;
mod midpoint;
mod rk4;
mod tsit5;

pub use bosh3::Bosh3;
pub use dopri5::Dopri5;
pub use euler::Euler;
pub use heun::Heun;
pub use midpoint::Midpoint;
pub use rk4::Rk4;
pub use tsit5::Tsit5;

#[cfg(test)]
mod order_conditions;

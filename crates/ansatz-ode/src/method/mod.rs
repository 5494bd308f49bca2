//! The methods, one file each.

mod blanes_moan4;
mod blanes_moan_nystrom4;
mod bosh3;
mod dopri5;
mod euler;
mod forest_ruth;
mod heun;
mod kahan_li8;
mod leapfrog;
mod mclachlan_atela4;
mod midpoint;
mod rk4;
mod ruth3;
mod semi_implicit_euler;
mod tsit5;
mod velocity_verlet;
mod yoshida6;

pub use blanes_moan_nystrom4::BlanesMoanNystrom4;
pub use blanes_moan4::BlanesMoan4;
pub use bosh3::Bosh3;
pub use dopri5::Dopri5;
pub use euler::Euler;
pub use forest_ruth::ForestRuth;
pub use heun::Heun;
pub use kahan_li8::KahanLi8;
pub use leapfrog::Leapfrog;
pub use mclachlan_atela4::McLachlanAtela4;
pub use midpoint::Midpoint;
pub use rk4::Rk4;
pub use ruth3::Ruth3;
pub use semi_implicit_euler::SemiImplicitEuler;
pub use tsit5::Tsit5;
pub use velocity_verlet::VelocityVerlet;
pub use yoshida6::Yoshida6;

#[cfg(test)]
mod order_conditions;
#[cfg(test)]
mod splitting_conditions;

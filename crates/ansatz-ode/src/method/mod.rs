//! The methods, one file each.

mod bosh3;
mod dopri5;
mod euler;
mod heun;
mod midpoint;
mod rk4;
mod tsit5;

#[cfg(feature = "stiff")]
mod etd_rk2;
#[cfg(feature = "stiff")]
mod etd_rk4;
#[cfg(feature = "stiff")]
mod etd_rk4b;
#[cfg(feature = "stiff")]
mod exprb32;
#[cfg(feature = "stiff")]
mod exprb43;
#[cfg(feature = "stiff")]
mod gauss_legendre4;
#[cfg(feature = "stiff")]
mod gauss_legendre6;
#[cfg(feature = "stiff")]
mod implicit_euler;
#[cfg(feature = "stiff")]
mod implicit_midpoint;
#[cfg(feature = "stiff")]
mod ken_carp3;
#[cfg(feature = "stiff")]
mod ken_carp4;
#[cfg(feature = "stiff")]
mod ken_carp5;
#[cfg(feature = "stiff")]
mod kvaerno3;
#[cfg(feature = "stiff")]
mod kvaerno4;
#[cfg(feature = "stiff")]
mod kvaerno5;
#[cfg(feature = "stiff")]
mod pexprb43;
#[cfg(feature = "stiff")]
mod radau_iia5;
#[cfg(feature = "stiff")]
mod rodas3;
#[cfg(feature = "stiff")]
mod rodas4;
#[cfg(feature = "stiff")]
mod rodas4p;
#[cfg(feature = "stiff")]
mod rodas5p;
#[cfg(feature = "stiff")]
mod ros3;
#[cfg(feature = "stiff")]
mod ros3p;
#[cfg(feature = "stiff")]
mod rosenbrock23;
#[cfg(feature = "stiff")]
mod tr_bdf2;
#[cfg(feature = "stiff")]
mod trapezoidal;

pub use bosh3::Bosh3;
pub use dopri5::Dopri5;
pub use euler::Euler;
pub use heun::Heun;
pub use midpoint::Midpoint;
pub use rk4::Rk4;
pub use tsit5::Tsit5;
#[cfg(feature = "stiff")]
pub use {
    etd_rk2::EtdRk2, etd_rk4::EtdRk4, etd_rk4b::EtdRk4B, exprb32::Exprb32, exprb43::Exprb43,
    gauss_legendre4::GaussLegendre4, gauss_legendre6::GaussLegendre6,
    implicit_euler::ImplicitEuler, implicit_midpoint::ImplicitMidpoint, ken_carp3::KenCarp3,
    ken_carp4::KenCarp4, ken_carp5::KenCarp5, kvaerno3::Kvaerno3, kvaerno4::Kvaerno4,
    kvaerno5::Kvaerno5, pexprb43::Pexprb43, radau_iia5::RadauIia5, rodas3::Rodas3, rodas4::Rodas4,
    rodas4p::Rodas4P, rodas5p::Rodas5P, ros3::Ros3, ros3p::Ros3P, rosenbrock23::Rosenbrock23,
    tr_bdf2::TrBdf2, trapezoidal::Trapezoidal,
};

#[cfg(test)]
mod order_conditions;

//! The methods, one file each.

mod adams;
mod blanes_moan4;
mod blanes_moan_nystrom4;
mod bosh3;
mod bs5;
mod carpenter_kennedy54;
mod dop853;
mod dopri5;
mod dopri8;
mod euler;
mod feagin10;
mod forest_ruth;
mod heun;
mod kahan_li8;
mod leapfrog;
mod mclachlan_atela4;
mod midpoint;
mod ralston;
mod rdpk3_sp_fsal35;
mod rdpk3_sp_fsal49;
mod rk4;
mod ssp_rk104;
mod ssp_rk22;
mod ssp_rk33;
mod ssp_rk43;
mod ssp_rk54;
mod tsit5;
mod vern6;
mod vern7;
mod vern8;
mod vern9;
mod williamson33;

#[cfg(feature = "stiff")]
mod auto_switch;
#[cfg(feature = "stiff")]
mod bdf;
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
mod ruth3;
mod semi_implicit_euler;
#[cfg(feature = "stiff")]
mod tr_bdf2;
#[cfg(feature = "stiff")]
mod trapezoidal;
mod velocity_verlet;
mod yoshida6;

pub use adams::Adams;
pub use blanes_moan_nystrom4::BlanesMoanNystrom4;
pub use blanes_moan4::BlanesMoan4;
pub use bosh3::Bosh3;
pub use bs5::Bs5;
pub use carpenter_kennedy54::CarpenterKennedy54;
pub use dop853::Dop853;
pub use dopri5::Dopri5;
pub use dopri8::Dopri8;
pub use euler::Euler;
pub use feagin10::Feagin10;
pub use forest_ruth::ForestRuth;
pub use heun::Heun;
pub use kahan_li8::KahanLi8;
pub use leapfrog::Leapfrog;
pub use mclachlan_atela4::McLachlanAtela4;
pub use midpoint::Midpoint;
pub use ralston::Ralston;
pub use rdpk3_sp_fsal35::RDPK3SpFSAL35;
pub use rdpk3_sp_fsal49::RDPK3SpFSAL49;
pub use rk4::Rk4;
pub use ruth3::Ruth3;
pub use semi_implicit_euler::SemiImplicitEuler;
pub use ssp_rk22::SspRk22;
pub use ssp_rk33::SspRk33;
pub use ssp_rk43::SspRk43;
pub use ssp_rk54::SspRk54;
pub use ssp_rk104::SspRk104;
pub use tsit5::Tsit5;
pub use velocity_verlet::VelocityVerlet;
pub use vern6::Vern6;
pub use vern7::Vern7;
pub use vern8::Vern8;
pub use vern9::Vern9;
pub use williamson33::Williamson33;
pub use yoshida6::Yoshida6;
#[cfg(feature = "stiff")]
pub use {
    auto_switch::AutoSwitch, bdf::Bdf, etd_rk2::EtdRk2, etd_rk4::EtdRk4, etd_rk4b::EtdRk4B,
    exprb32::Exprb32, exprb43::Exprb43, gauss_legendre4::GaussLegendre4,
    gauss_legendre6::GaussLegendre6, implicit_euler::ImplicitEuler,
    implicit_midpoint::ImplicitMidpoint, ken_carp3::KenCarp3, ken_carp4::KenCarp4,
    ken_carp5::KenCarp5, kvaerno3::Kvaerno3, kvaerno4::Kvaerno4, kvaerno5::Kvaerno5,
    pexprb43::Pexprb43, radau_iia5::RadauIia5, rodas3::Rodas3, rodas4::Rodas4, rodas4p::Rodas4P,
    rodas5p::Rodas5P, ros3::Ros3, ros3p::Ros3P, rosenbrock23::Rosenbrock23, tr_bdf2::TrBdf2,
    trapezoidal::Trapezoidal,
};

#[cfg(test)]
mod order_conditions;
#[cfg(test)]
mod splitting_conditions;
#[cfg(test)]
mod trees;

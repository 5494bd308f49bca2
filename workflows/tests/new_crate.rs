//! The crate that `cargo xtask new-crate` writes compiles, and its tests pass.

#[allow(unreachable_pub, reason = "public in the crate that is written")]
#[path = "../../xtask/templates/new_crate/lib.rs.in"]
mod template;

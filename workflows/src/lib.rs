//! The heavy programs behind `cargo xtask`.

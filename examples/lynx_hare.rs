//! Placeholder until the fit lands.
fn main() {}

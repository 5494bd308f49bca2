//! Every workflow of the workspace.
fn main() {}

//! Program behind the second half of `cargo xtask doctor`.
#![allow(clippy::print_stdout, reason = "a command-line program")]

fn main() {
    for (title, rows) in ansatz_workflows::doctor::report() {
        println!("{title}");
        for (name, value) in rows {
            println!("  {name:<22}{value}");
        }
        println!();
    }
}

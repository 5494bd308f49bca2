//! A detour around a slow spot of candle: [`fix_thread_count`].

use std::{env, process::Command, thread};

/// Restarts the program with the environment variable `RAYON_NUM_THREADS` set to the number of
/// processors, unless it is set. Call it first thing in `main`.
///
/// Without the variable, candle 0.11 counts the processors anew at every matrix product on the
/// CPU, by reading `/proc/cpuinfo` (`candle_core::utils::get_num_threads`): 50 µs on the two-core
/// machine this was found on, several times what a small network takes. A program cannot safely
/// set a variable for itself, but it can for its successor.
pub fn fix_thread_count() {
    const VARIABLE: &str = "RAYON_NUM_THREADS";
    let (Ok(program), None) = (env::current_exe(), env::var_os(VARIABLE)) else { return };
    let count = thread::available_parallelism().map_or(1, usize::from);
    let mut command = Command::new(program);
    command.args(env::args_os().skip(1)).env(VARIABLE, count.to_string());
    // Where this fails, the program goes on as it is, only slower.
    #[cfg(unix)]
    let _ = std::os::unix::process::CommandExt::exec(&mut command);
    #[cfg(not(unix))]
    if let Ok(status) = command.status() {
        std::process::exit(status.code().unwrap_or(1));
    }
}

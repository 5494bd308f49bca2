//! Batches whose rows step independently: [`solve_rows`](crate::solve_rows).
//!
//! All rows (indices of the first axis) are advanced together, by one evaluation of the field for each
//! stage, but each has its own interval, step length, tolerances, error norm and end (M. Lienen,
//! S. Günnemann, *torchode*, 2022, arXiv:2210.12375). A row that has ended leaves the batch at once:
//! the merge of accepted and rejected rows, which every iteration makes anyway, skips it.
//!
//! On the CPU a large batch is cut into parts, which the threads of rayon advance; that changes no row.
//!
//! Control is arithmetic on the host in f64, one number for each row; one transfer of the error norms
//! an iteration is all that comes back from the device.

mod adjoint;
mod batch;
mod builder;
mod cotangents;
mod end_times;
mod field;
mod harvest;
mod iteration;
mod lane;
mod lockstep;
mod part;
mod record;
mod saves;
mod settings;
mod solution;
mod spans;

pub use builder::{RowsAdjoint, SolveRows, solve_rows};
pub use field::{Autonomous, RowsField, WithRowArguments};
pub use solution::RowsSolution;
pub use spans::RowSpans;

//! Shared pieces of the examples: plots and progress bars.

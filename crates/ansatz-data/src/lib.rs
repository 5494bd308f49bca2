//! ansatz-data (crate documentation follows).

//! ansatz-nn (crate documentation follows).

//! ansatz-ops (crate documentation follows).

//! ansatz-core (crate documentation follows).

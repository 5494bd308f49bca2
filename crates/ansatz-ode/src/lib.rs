//! ansatz-ode (crate documentation follows).

//! The whole shop on one machine.
fn main() {}

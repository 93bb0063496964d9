//! The whole shop on one machine.
#![warn(missing_docs)]

pub mod template;

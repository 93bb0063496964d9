//! `template.yaml`, read: what the shop consists of, and what that comes to on this machine.
//!
//! [`Template`] has what the file declares. [`environment`] makes of it what each function reads
//! when the shop runs here, and [`project`] finds the file.
#![warn(missing_docs)]

pub mod environment;
pub mod project;
mod template;

pub use self::template::{
    Cors, EventPattern, Function, Parameters, Route, Schedule, StreamMapping, Table, Template,
    TemplateError,
};

//! `template.yaml`, read: what the shop consists of.
//!
//! [`Template`] has what the file declares, and [`project`] finds it.
#![warn(missing_docs)]

pub mod project;
mod template;

pub use self::template::{
    Cors, EventPattern, Function, Parameters, Route, Schedule, StreamMapping, Table, Template,
    TemplateError,
};

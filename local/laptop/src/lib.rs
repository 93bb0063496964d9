//! The whole shop on one machine.
//!
//! [`shop`] puts it together. Requests come in by `gateway`, which makes of them what API Gateway
//! would and calls the [`functions`]; `identity` signs people in. The functions find DynamoDB
//! (`database`) and SES (`ses`, `mailbox`) behind one endpoint (`aws`), where things can be made to go
//! wrong (`faults`); what is kept is in one folder (`data`); money is taken by the [`stand_in`].
//! What no request starts is woken by `streams` and `schedules`. What there is to run comes from
//! the [`template`] and the [`environment`]; [`wiring`] brings the code, and `dashboard` shows what happens.
#![warn(missing_docs)]

mod address;
mod aws;
mod dashboard;
mod data;
mod database;
pub mod environment;
mod faults;
pub mod functions;
mod gateway;
mod identity;
mod loopback;
mod mailbox;
pub mod progress;
pub mod samples;
mod schedules;
mod ses;
pub mod shop;
pub mod story;
mod streams;
pub mod tag;
pub mod wiring;

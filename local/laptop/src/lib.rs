//! The whole shop on one machine.
//!
//! [`shop`] puts it together. Requests come in through `gateway`, which converts them as API
//! Gateway would and calls the [`functions`]; `identity` signs people in. The functions find
//! DynamoDB (`database`), SES (`ses`, `mailbox`), EventBridge (`bus`) and S3 (`s3`) behind one endpoint (`aws`),
//! which can be told to fail (`faults`). Everything is kept in one folder (`data`, `journal`), and the
//! [`stand_in`] takes the money. `streams` and `schedules` wake the functions that no request calls. The [`template`] and
//! the [`environment`] say what to run, [`wiring`] has the code, `dashboard` shows what happens, and
//! [`contract`] what the HTTP API promises.
#![warn(missing_docs)]

mod address;
mod aftermath;
mod aws;
mod bus;
pub mod contract;
mod dashboard;
mod data;
pub mod database;
pub mod environment;
mod faults;
pub mod functions;
mod gateway;
pub mod identity;
mod journal;
pub mod loopback;
mod mailbox;
pub mod progress;
mod s3;
pub mod samples;
mod schedules;
mod ses;
pub mod shop;
mod streams;
pub mod tag;
pub mod wiring;

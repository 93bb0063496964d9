//! The shop in a window: what a seller sees of a shop and does to it, whether it is on this machine or
//! deployed.
//!
//! [`shop`] is a shop as its operator reaches it. [`name`] finds what is meant by an id; [`story`] tells
//! all that is known of one purchase or subscription, also as one time line; [`overview`] reads all there is;
//! [`refund`], [`parked`] and [`mails`] are what can be done. The commands of `till` and the dashboard are
//! both made of these. The dashboard's routes, page and scripts are in [`routes`] and [`page`].
#![warn(missing_docs)]

pub mod mails;
pub mod name;
pub mod overview;
pub mod page;
pub mod parked;
pub mod refund;
pub mod routes;
pub mod shop;
pub mod story;

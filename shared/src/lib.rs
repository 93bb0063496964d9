//! What Till's functions share: the purchase and its ledger, the store, Stripe, mail.
//!
//! The domain modules ([`money`], [`product`], [`shipping`], [`cart`], [`purchase`], [`invoice`],
//! [`subscription`], [`standing`]) know nothing of AWS, Stripe or HTTP. The other modules connect them to those.
#![warn(missing_docs)]

pub mod attempts;
pub mod aws;
pub mod bus;
pub mod cart;
pub mod clock;
pub mod comparison;
pub mod config;
pub mod customers;
pub mod email;
pub mod files;
pub mod http;
pub mod https;
pub mod inbox;
pub mod invoice;
pub mod json;
pub mod ledger;
pub mod mode;
pub mod money;
pub mod network;
pub mod orders;
pub mod plain;
pub mod product;
pub mod purchase;
pub mod readings;
pub mod secrets;
pub mod shipping;
pub mod standing;
mod starting;
pub mod store;
pub mod stripe;
pub mod subscription;
pub mod telemetry;
pub mod view;

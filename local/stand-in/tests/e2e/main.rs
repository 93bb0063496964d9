//! The Stripe stand-in from outside: HTTP in, HTTP and webhooks out.

// What helps a test may fail like a test: clippy.toml exempts only the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod accounts;
mod api;
mod bench;
mod browsers;
mod cash;
mod catalog;
mod challenges;
mod checkout;
mod credit_notes;
mod currencies;
mod customers;
mod delayed;
mod delivery;
mod disputes;
mod due;
mod dunning;
mod endpoints;
mod ends;
mod faults;
mod files;
mod holds;
mod idempotency;
mod ids;
mod incomplete;
mod intents;
mod invoices;
mod links;
mod listeners;
mod lists;
mod mandates;
mod methods;
mod page;
mod parameters;
mod pauses;
mod payouts;
mod plain;
mod portal;
mod promotions;
mod quotes;
mod radar;
mod refunds;
mod schedules;
mod searches;
mod sessions;
mod sources;
mod subscribing;
mod subscription_changes;
mod subscription_items;
mod subscriptions;
mod survival;
mod taxes;
mod test_clocks;
mod versions;
mod window;
mod worlds;

//! What customers owe: invoices, the items that wait for the next one, and how they are collected.

pub(crate) mod api;
pub(crate) mod balance;
pub(crate) mod billed;
pub(crate) mod collect;
pub(crate) mod cost;
pub(crate) mod discount;
pub(crate) mod draft;
pub(crate) mod former;
pub(crate) mod intents;
pub(crate) mod item;
pub(crate) mod items_api;
pub(crate) mod life;
pub(crate) mod line;
pub(crate) mod lines_api;
pub(crate) mod object;
pub(crate) mod page;
pub(crate) mod pay_api;
pub(crate) mod payment;
pub(crate) mod preview_api;
pub(crate) mod priced;
pub(crate) mod retry;
pub(crate) mod shipment;
mod shipping;
mod shown;
pub(crate) mod terms;
pub(crate) mod totals;
mod view;

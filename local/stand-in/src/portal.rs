//! The billing portal: where customers look after their subscriptions themselves.

mod actions;
pub(crate) mod api;
pub(crate) mod page;
pub(crate) mod session;
mod settings;
mod view;
mod visit;

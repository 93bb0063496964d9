//! The account's money.

pub(crate) mod amount;
pub(crate) mod api;
pub(crate) mod balance;
pub(crate) mod book;
pub(crate) mod country_specs;
pub(crate) mod currency;
pub(crate) mod decimal;
pub(crate) mod object;
pub(crate) mod settings;
pub(crate) mod shown;
mod taxes;

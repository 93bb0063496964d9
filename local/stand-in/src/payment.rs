//! How anything is paid: payment methods, payment intents, setup intents and charges.

pub(crate) mod action;
pub(crate) mod bank;
pub(crate) mod billing;
pub(crate) mod card;
pub(crate) mod charge;
pub(crate) mod charges_api;
pub(crate) mod customer;
pub(crate) mod decline;
pub(crate) mod given;
pub(crate) mod intent;
pub(crate) mod intents_api;
pub(crate) mod keep;
pub(crate) mod life;
pub(crate) mod method;
pub(crate) mod methods_api;
pub(crate) mod publishable;
pub(crate) mod setup;
pub(crate) mod setup_intent;
pub(crate) mod setup_intents_api;
pub(crate) mod terms;
pub(crate) mod testing;
pub(crate) mod token;
pub(crate) mod tokens_api;
pub(crate) mod typed;
pub(crate) mod verdict;
pub(crate) mod voucher;

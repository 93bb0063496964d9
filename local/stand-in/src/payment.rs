//! Payment intents and charges.

pub(crate) mod card;
pub(crate) mod charge;
pub(crate) mod intent;
pub(crate) mod intents_api;

//! Payment intents and charges.

pub(crate) mod card;
pub(crate) mod charge;
pub(crate) mod intent;
pub(crate) mod intents_api;
#[expect(dead_code, reason = "data that payments are yet to be decided by")]
pub(crate) mod testing;

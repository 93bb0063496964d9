//! What requests and answers have in common.

pub(crate) mod answer;
pub(crate) mod errors;
pub(crate) mod expand;
pub(crate) mod form;
pub(crate) mod idempotency;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod params;

//! What requests and answers have in common.

pub(crate) mod answer;
pub(crate) mod errors;
pub(crate) mod expand;
pub(crate) mod form;
pub(crate) mod former;
pub(crate) mod idempotency;
pub(crate) mod keys;
pub(crate) mod lists;
pub(crate) mod lookup;
pub(crate) mod multipart;
pub(crate) mod params;
pub(crate) mod requests;
pub(crate) mod search;
pub(crate) mod values;
pub(crate) mod version;

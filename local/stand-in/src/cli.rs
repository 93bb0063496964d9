//! What the Stripe CLI asks of Stripe besides the API: sessions of `stripe listen` and
//! `stripe logs tail`, the websocket they are served over, and events sent once more. The protocol
//! is that of CLI 1.52.0.

pub(crate) mod api;
pub(crate) mod feed;
pub(crate) mod listeners;
mod messages;
mod request_log;
pub(crate) mod socket;

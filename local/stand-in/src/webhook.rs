//! Events, and their way to those who want to hear of them.

pub(crate) mod alarm;
pub(crate) mod delivery;
pub(crate) mod endpoint;
pub(crate) mod endpoints_api;
pub(crate) mod event;
pub(crate) mod events_api;
pub(crate) mod history;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod resend;
pub(crate) mod signature;

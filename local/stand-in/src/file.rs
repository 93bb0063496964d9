//! Files: what a shop uploads, such as evidence for a dispute, and links by which others see it.

pub(crate) mod api;
pub(crate) mod download;
mod format;
pub(crate) mod link;
pub(crate) mod links_api;
pub(crate) mod object;
pub(crate) mod purpose;

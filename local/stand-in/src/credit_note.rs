//! What a shop takes back of an invoice that is final: before it is paid, or after.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod line;
pub(crate) mod object;

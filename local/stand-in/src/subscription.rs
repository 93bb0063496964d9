//! What customers pay for again and again.

pub(crate) mod api;
pub(crate) mod bill;
pub(crate) mod change;
pub(crate) mod follow;
pub(crate) mod items;
pub(crate) mod items_api;
pub(crate) mod life;
pub(crate) mod object;
pub(crate) mod plans_api;
pub(crate) mod price;
pub(crate) mod proration;
pub(crate) mod resume;
pub(crate) mod start;
pub(crate) mod terms;
pub(crate) mod time;
pub(crate) mod trial;

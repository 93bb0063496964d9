//! Cash balances: what customers have transferred and what has not been used to pay.

pub(crate) mod api;
pub(crate) mod book;
pub(crate) mod instructions;
pub(crate) mod life;
pub(crate) mod object;

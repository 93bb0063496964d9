//! Test clocks: a time of its own for a customer and all that is theirs. `engine::clock` tells it.

pub(crate) mod api;
pub(crate) mod life;
pub(crate) mod object;

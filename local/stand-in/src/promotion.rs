//! Coupons and promotion codes.

pub(crate) mod codes_api;
pub(crate) mod coupons_api;
pub(crate) mod life;
pub(crate) mod object;

//! Twelve ways in which a purchase's life goes wrong, as shops on Stripe have met them.

mod money_back;
mod outage;
mod payments;
mod recording;
mod strangers;

/// In seconds.
const DAY: i64 = 24 * 3600;

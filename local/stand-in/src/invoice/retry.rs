//! When a payment that has failed is tried again.
//!
//! Stripe's Smart Retries make eight tries within two weeks, at moments that its model picks. Here they
//! are always the same, so that a test knows when to look.

use crate::engine::time::{DAY, Timestamp};

/// The days from each try to the next.
const DAYS_BETWEEN: [i64; 8] = [1, 1, 2, 1, 2, 2, 2, 3];

/// Refusals that no later try with the same card can change, from Stripe's page on Smart Retries.
const HARD: &[&str] = &[
    "authentication_required",
    "highest_risk_level",
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "transaction_not_allowed",
];

/// When there is another try, after so many.
pub(crate) fn next(tried: usize, now: Timestamp) -> Option<Timestamp> {
    let days = DAYS_BETWEEN.get(tried.checked_sub(1)?)?;
    Some(now.saturating_add(days.saturating_mul(DAY)))
}

/// Whether a try with the same card is not even made.
pub(crate) fn is_hard(code: &str) -> bool {
    HARD.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_tries_follow_the_first_within_two_weeks() {
        let mut tries = vec![0];
        while let Some(at) = next(tries.len(), *tries.last().unwrap()) {
            tries.push(at);
        }
        assert_eq!(tries.len(), 9);
        assert_eq!(tries.last(), Some(&(14 * DAY)));
    }
}

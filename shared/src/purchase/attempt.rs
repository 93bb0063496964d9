//! An attempt to open the session of a purchase.

use serde::{Deserialize, Serialize};

use super::Order;

/// One attempt to open a Checkout session. Everything Stripe is told is built from this and the
/// order, so that a call repeated under its idempotency key has the same parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, 3 …; part of Stripe's idempotency key.
    pub number: u32,
    /// When it began, in Unix seconds.
    pub started_at: i64,
    /// When the session is to expire, in Unix seconds.
    pub expires_at: i64,
    /// Where the buyer pays, once Stripe has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Attempt {
    /// Stripe refuses sessions that end in less than 30 minutes. The rest is for clocks that differ
    /// and calls that take time.
    const LEAST_LIFETIME_SECONDS: i64 = 31 * 60;
    /// Well below the 24 hours after which Stripe forgets idempotency keys.
    const LONGEST_REPEAT_SECONDS: i64 = 20 * 3600;
    /// This long after its end a session can no longer be paid, whichever clock is right.
    const GRACE_SECONDS: i64 = 10 * 60;

    /// The first for `order`.
    pub(super) fn first(order: &Order, now: i64) -> Self {
        Self::numbered(1, order, now)
    }

    /// The one after this, with an idempotency key of its own.
    pub(super) fn next(&self, order: &Order, now: i64) -> Self {
        Self::numbered(self.number.saturating_add(1), order, now)
    }

    /// Whether its call to Stripe may (still) be made or repeated.
    fn is_usable(&self, now: i64) -> bool {
        now.saturating_sub(self.started_at) < Self::LONGEST_REPEAT_SECONDS
            && self.expires_at.saturating_sub(now) > Self::LEAST_LIFETIME_SECONDS
    }

    /// Whether another attempt must begin before anybody can pay.
    pub fn leads_nowhere(&self, now: i64) -> bool {
        self.url.is_none() && !self.is_usable(now)
    }

    /// When none of its sessions can be paid any more, in Unix seconds.
    pub fn is_over_at(&self) -> i64 {
        self.expires_at.saturating_add(Self::GRACE_SECONDS)
    }

    fn numbered(number: u32, order: &Order, now: i64) -> Self {
        Self {
            number,
            started_at: now,
            expires_at: now.saturating_add(session_lifetime(order)),
            url: None,
        }
    }
}

/// How long an order's session can be paid, in seconds. Stock reserved for somebody who never pays
/// is not for sale, so limited stock is held only a little longer than Stripe's minimum of 30
/// minutes. Stripe's maximum is 24 hours. It measures both by its own clock.
fn session_lifetime(order: &Order) -> i64 {
    if order.reserved().next().is_some() {
        35 * 60
    } else {
        23 * 3600
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::{Billing, Buyer, Line};

    fn order(reserved: bool) -> Order {
        let line = Line {
            product_id: "mug".parse().unwrap(),
            name: "Mug".to_owned(),
            description: String::new(),
            image: None,
            quantity: 1,
            unit_amount: 1500,
            recurring: None,
            shipped: false,
            file: None,
            tax_code: None,
            tax_behavior: None,
            reserved,
        };
        Order {
            buyer: Buyer {
                subject: None,
                email: None,
                language: None,
            },
            lines: vec![line],
            total: "usd"
                .parse()
                .map(|usd| crate::money::Money::new(1500, usd))
                .unwrap(),
            shipping: None,
            billing: Billing::default(),
            customer: None,
            rebuilt: false,
        }
    }

    #[test]
    fn an_attempt_is_given_up_before_stripe_forgets_its_key() {
        let order = order(false);
        let attempt = Attempt::first(&order, 0);
        assert!(attempt.is_usable(20 * 3600 - 1));
        assert!(!attempt.is_usable(20 * 3600));
        assert_eq!(attempt.next(&order, 5).number, 2);
    }

    #[test]
    fn an_attempt_leads_nowhere_once_it_is_too_late_for_its_call_unless_it_has_its_url() {
        let mut attempt = Attempt::first(&order(false), 0);
        assert!(!attempt.leads_nowhere(20 * 3600 - 1));
        assert!(attempt.leads_nowhere(20 * 3600));
        attempt.url = Some("https://pay.example/cs_1".to_owned());
        assert!(!attempt.leads_nowhere(20 * 3600));
    }

    #[test]
    fn limited_stock_is_held_for_35_minutes_and_an_attempt_leaves_stripe_its_30() {
        let attempt = Attempt::first(&order(true), 0);
        assert_eq!(attempt.expires_at, 35 * 60);
        assert!(attempt.is_usable(3 * 60));
        assert!(!attempt.is_usable(4 * 60));
        assert_eq!(attempt.is_over_at(), 45 * 60);
    }
}

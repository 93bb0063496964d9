//! When to ask Stripe about a purchase of which nothing has been heard.

use super::{Purchase, Status, WaitsFor};

impl Purchase {
    /// When to ask Stripe what became of it, in Unix seconds, unless something is heard before.
    /// `None` if nothing more is expected.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        if self.payment.doubts() > 0 {
            return Some(now);
        }
        if self.status() == Status::Open || self.open_sessions().next().is_some() {
            // Most people pay at once, and should not have to wait for the end of their session if
            // the event is missed.
            let soon = self.attempt.started_at.saturating_add(HOUR);
            let over = self.attempt.is_over_at();
            return Some(if now < soon { soon.min(over) } else { over });
        }
        if self.waits_for().is_some_and(WaitsFor::is_unknown) {
            return Some(now);
        }
        // A dispute may be heard of, and decide the status, before the payment itself is.
        let unfinished = self.waits_for().is_some() || self.payment.is_unfinished();
        unfinished.then(|| now.saturating_add(DAY))
    }
}

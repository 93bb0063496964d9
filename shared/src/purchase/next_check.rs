//! When Stripe is to be asked about a purchase of which nothing was heard.

use super::{Purchase, Status, WaitsFor};

impl Purchase {
    /// When to ask Stripe what became of it, in Unix seconds, should nothing be heard until then.
    /// `None` if nothing more has to come.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        if self.payment.doubts() > 0 {
            return Some(now);
        }
        if self.status() == Status::Open || self.open_sessions().next().is_some() {
            // Most who pay do so at once, and should not wait for the end of their session if
            // nothing is heard of it.
            let soon = self.attempt.started_at.saturating_add(HOUR);
            let over = self.attempt.is_over_at();
            return Some(if now < soon { soon.min(over) } else { over });
        }
        if self.waits_for().is_some_and(WaitsFor::is_unknown) {
            return Some(now);
        }
        let unfinished = self.status() == Status::Pending || self.payment.is_unfinished();
        unfinished.then(|| now.saturating_add(DAY))
    }
}

//! Until when a subscription entitles its buyer to what it is to.

use serde::Serialize;

use super::{PauseBehavior, Reading, SubscriptionStatus};
use crate::invoice::Invoice;

/// Until when a subscription entitles its buyer to what it is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Entitlement {
    /// Until when, in Unix seconds, with the grace that was asked for; `None` if it never did. It
    /// may still be cut short: by a refund, say.
    pub active_until: Option<i64>,
    /// Whether that is still to come.
    pub active: bool,
}

impl Entitlement {
    /// What a reading and the subscription's invoices come to at `now`, if a renewal may be `grace`
    /// seconds late.
    ///
    /// | it is… | active until |
    /// | --- | --- |
    /// | trialing, active | the period's end, and the grace |
    /// | past due | the end of what is paid, and the grace |
    /// | unpaid, paused, or not collected so that the buyer is not served | the end of what is paid |
    /// | cancelled at some time | that time at the latest |
    /// | over | when it ended, or the end of what is paid if it ended because it was not |
    /// | incomplete | never |
    ///
    /// If all of an invoice's money went back, by a refund or a lost dispute, its period is not
    /// paid. Grace is for payments that are late, not for these.
    pub fn of(reading: &Reading, invoices: &[Invoice], now: i64, grace: i64) -> Self {
        let active_until = active_until(reading, invoices, grace);
        Self {
            active_until,
            active: active_until.is_some_and(|until| until > now),
        }
    }
}

fn active_until(reading: &Reading, invoices: &[Invoice], grace: i64) -> Option<i64> {
    use SubscriptionStatus as S;
    let paid_until = paid_until(reading, invoices);
    let is_served = reading
        .pause
        .is_none_or(|pause| pause.behavior != PauseBehavior::Void);
    let (until, grace) = match reading.status {
        S::Incomplete | S::IncompleteExpired => return None,
        S::Trialing | S::Active if is_served => (reading.period.end, grace),
        S::PastDue if is_served => (paid_until, grace),
        S::Trialing | S::Active | S::PastDue | S::Unpaid | S::Paused => (paid_until, 0),
        S::Canceled => {
            let ended = reading.ended_at.unwrap_or(reading.period.end);
            let paid = match reading.lost {
                true => paid_until,
                false => ended,
            };
            (ended.min(paid), 0)
        }
    };
    let kept = without_taken_back(until, invoices);
    let grace = if kept == until { grace } else { 0 };
    let late = kept.saturating_add(grace);
    Some(reading.cancel_at.map_or(late, |end| late.min(end)))
}

/// The end of what is paid, as far as invoices are known; else the beginning of the period, which
/// is not.
fn paid_until(reading: &Reading, invoices: &[Invoice]) -> i64 {
    let paid = invoices.iter().filter(|invoice| invoice.stands());
    let ends = paid.filter_map(|invoice| invoice.period());
    let end = ends.map(|period| period.end).max();
    end.unwrap_or(reading.period.start)
}

/// Goes back over the periods of invoices whose money went back.
fn without_taken_back(mut until: i64, invoices: &[Invoice]) -> i64 {
    let taken_back = invoices.iter().filter(|invoice| invoice.is_taken_back());
    let mut periods: Vec<_> = taken_back.filter_map(|invoice| invoice.period()).collect();
    periods.sort_by_key(|period| std::cmp::Reverse(period.end));
    for period in periods {
        if period.start < until && until <= period.end {
            until = period.start;
        }
    }
    until
}

//! What is true of a subscription that somebody is told.

use std::collections::BTreeMap;

use super::{Reading, SubscriptionStatus};
use crate::purchase::Notice;

/// How long before its end a trial is about to end: as long as Stripe's own event comes before it,
/// in seconds.
const TRIAL_ENDS_SOON: i64 = 3 * 24 * 3600;

/// What a reading tells, and the moment each is about, in Unix seconds. `is_ending` is whether
/// a trial that ends then was said to be about to.
pub(super) fn of(
    reading: &Reading,
    is_ending: impl Fn(i64) -> bool,
    now: i64,
) -> BTreeMap<Notice, i64> {
    use SubscriptionStatus::{Canceled, Trialing, Unpaid};
    let goes_on = reading.ends_at().is_none();
    let trial_end = reading
        .trial_end
        .filter(|_| reading.status == Trialing && goes_on);
    let is_soon = |end: &i64| is_ending(*end) || end.saturating_sub(now) <= TRIAL_ENDS_SOON;
    let ended =
        (reading.status == Canceled).then(|| reading.ended_at.unwrap_or(reading.period.end));
    let lost = match reading.status {
        Unpaid => Some(reading.period.start),
        _ => ended.filter(|_| reading.lost),
    };
    let told = [
        (Notice::TrialEnding, trial_end.filter(is_soon)),
        (Notice::Cancelled, reading.ends_at()),
        (Notice::Ended, ended),
        (Notice::Lost, lost),
    ];
    let told = told.into_iter();
    told.filter_map(|(notice, about)| Some((notice, about?)))
        .collect()
}

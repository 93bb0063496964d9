//! What time brings to a subscription, and when: pure.

use crate::engine::time::{DAY, Timestamp};
use crate::subscription::object::{Status, Subscription};

/// How long before a period ends `invoice.upcoming` tells of the next invoice: Stripe's default.
pub(crate) const UPCOMING_BEFORE: Timestamp = 7 * DAY;

/// How long before a trial ends `customer.subscription.trial_will_end` says so.
pub(crate) const TRIAL_WARNING_BEFORE: Timestamp = 3 * DAY;

/// What comes next of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nobody has paid the first invoice.
    Expire,
    /// It ends, as somebody has asked.
    End,
    TellOfTrial,
    TellOfInvoice,
    /// Collection goes on.
    Collect,
    /// Another period begins.
    Renew,
}

/// What comes next of its own, and when. Of what comes at the same moment, what ends it comes first.
pub(crate) fn next_step(subscription: &Subscription) -> Option<(Timestamp, Step)> {
    let end = subscription.ends_at().map(|at| (at, Step::End));
    let own = match subscription.status {
        Status::IncompleteExpired | Status::Canceled => return None,
        Status::Incomplete { until } => vec![(until, Step::Expire)],
        Status::Paused => Vec::new(),
        Status::Trialing | Status::Active | Status::PastDue | Status::Unpaid => {
            of_life(subscription)
        }
    };
    // The first of several at one moment.
    end.into_iter().chain(own).min_by_key(|(at, _)| *at)
}

fn of_life(subscription: &Subscription) -> Vec<(Timestamp, Step)> {
    let period = subscription.period;
    let trial = subscription
        .trial
        .filter(|_| subscription.status == Status::Trialing);
    let trial = trial.filter(|it| subscription.told.trial_will_end != Some(it.end));
    let told = subscription.told.upcoming == Some(period.end);
    let upcoming = period.end.saturating_sub(UPCOMING_BEFORE);
    // A period that is shorter than the warning has none, nor has one that is the last.
    let tells = !told && upcoming > period.start && subscription.ends_at().is_none();
    let resumes = subscription.pause_collection.and_then(|it| it.resumes_at);
    [
        trial.map(|it| {
            (
                it.end.saturating_sub(TRIAL_WARNING_BEFORE),
                Step::TellOfTrial,
            )
        }),
        tells.then_some((upcoming, Step::TellOfInvoice)),
        resumes.map(|at| (at, Step::Collect)),
        Some((period.end, Step::Renew)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

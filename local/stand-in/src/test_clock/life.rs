//! What happens to a test clock. [`due`](crate::due) brings about what becomes due while it is advanced.

use anyhow::anyhow;
use serde_json::Value;

use crate::engine::filter::{Cursor, Filter};
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::subscription;
use crate::subscription::object::Subscription;
use crate::test_clock::object::{ClockState, TestClock};
use crate::webhook::record::record;

/// How long a clock is kept.
const LASTS: Timestamp = 30 * DAY;

/// How far a clock may be advanced at once if nothing recurs in its time.
const FARTHEST: Timestamp = 2 * 365 * DAY;

/// More customers than a clock can have.
const MANY: usize = 100;

/// Sets a new clock.
pub(crate) fn set(
    transaction: &Transaction<'_>,
    id: String,
    name: Option<String>,
    frozen_time: Timestamp,
) -> anyhow::Result<TestClock> {
    let clock = TestClock {
        id,
        created: transaction.now,
        name,
        frozen_time,
        deletes_after: transaction.now.saturating_add(LASTS),
        state: ClockState::Ready,
    };
    transaction.put(&clock)?;
    record(transaction, "test_helpers.test_clock.created", &clock)?;
    Ok(clock)
}

/// The latest moment that a clock can be advanced to at once: two intervals of the shortest
/// subscription in its time from now.
pub(crate) fn farthest(
    transaction: &Transaction<'_>,
    clock: &TestClock,
) -> anyhow::Result<Timestamp> {
    let theirs = subscription::life::living_in(transaction, &clock.id)?;
    let two_intervals = theirs.iter().filter_map(Subscription::interval);
    let nearest = two_intervals.map(|it| it.from(clock.frozen_time, 2)).min();
    Ok(nearest.unwrap_or_else(|| clock.frozen_time.saturating_add(FARTHEST)))
}

/// Sends a clock on its way.
pub(crate) fn advance(
    transaction: &Transaction<'_>,
    clock: &mut TestClock,
    to: Timestamp,
) -> anyhow::Result<()> {
    clock.state = ClockState::Advancing {
        to,
        since: transaction.now,
    };
    transaction.put(clock)?;
    record(transaction, "test_helpers.test_clock.advancing", clock)
}

/// The clock is where it was sent, and all that was due on the way has happened; or it could not.
pub(crate) fn arrive(
    transaction: &Transaction<'_>,
    clock: &mut TestClock,
    to: Result<Timestamp, anyhow::Error>,
) -> anyhow::Result<()> {
    let event_type = match to {
        Ok(to) => {
            clock.frozen_time = to;
            clock.state = ClockState::Ready;
            "test_helpers.test_clock.ready"
        }
        Err(error) => {
            let (error, clock_id) = (format!("{error:#}"), &clock.id);
            tracing::error!(error, clock_id, "a test clock cannot be advanced");
            clock.state = ClockState::Failed;
            "test_helpers.test_clock.internal_failure"
        }
    };
    transaction.put(clock)?;
    record(transaction, event_type, clock)
}

/// Takes a clock away, with its customers and their subscriptions.
pub(crate) fn delete(transaction: &Transaction<'_>, clock: &TestClock) -> anyhow::Result<()> {
    let then = transaction.in_time_of([clock.id.as_str()])?;
    for customer in customers(&then, &clock.id)? {
        subscription::life::delete_customer(&then, &customer)
            .map_err(|error| anyhow!("{customer} cannot be deleted: {}", error.body()))?;
    }
    transaction.leave_clock(&clock.id)?;
    transaction.delete(TestClock::KIND, &clock.id)?;
    record(transaction, "test_helpers.test_clock.deleted", clock)
}

fn customers(transaction: &Transaction<'_>, clock: &str) -> anyhow::Result<Vec<String>> {
    let theirs = Filter::default()
        .and("clock = ?", [clock.to_owned().into()])
        .and("shown ->> '$.deleted' IS NULL", []);
    let found = transaction.some_shown("customer", Cursor::NewerThan(0), MANY, &theirs)?;
    let ids = found
        .iter()
        .filter_map(|it| it.get("id").and_then(Value::as_str));
    Ok(ids.map(str::to_owned).collect())
}

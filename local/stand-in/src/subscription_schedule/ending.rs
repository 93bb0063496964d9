//! A schedule whose subscription or customer ends otherwise than planned ends with it.

use crate::engine::transaction::Transaction;
use crate::subscription_schedule::object::{Schedule, State};
use crate::webhook::record::put_and_record;

/// Why a schedule comes to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Asked,
    /// The subscription was not paid for, or could not be begun.
    Failed,
}

/// Nothing of it will happen any more. One that is over stays as it is.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    schedule: &mut Schedule,
    why: Why,
) -> anyhow::Result<()> {
    if schedule.state.is_over() {
        return Ok(());
    }
    schedule.state = State::Canceled {
        at: transaction.now,
    };
    let event_type = match why {
        Why::Asked => "subscription_schedule.canceled",
        Why::Failed => "subscription_schedule.aborted",
    };
    put_and_record(transaction, event_type, schedule)
}

/// The subscription of this schedule has ended.
pub(crate) fn of_subscription(
    transaction: &Transaction<'_>,
    schedule: Option<&str>,
    why: Why,
) -> anyhow::Result<()> {
    let schedule = match schedule {
        Some(id) => transaction.get::<Schedule>(id)?,
        None => None,
    };
    match schedule {
        Some(mut schedule) => cancel(transaction, &mut schedule, why),
        None => Ok(()),
    }
}

/// There is no such customer any more.
pub(crate) fn of_customer(transaction: &Transaction<'_>, customer: &str) -> anyhow::Result<()> {
    for mut schedule in transaction.having::<Schedule>("customer", customer)? {
        cancel(transaction, &mut schedule, Why::Asked)?;
    }
    Ok(())
}

//! What can happen to a schedule.
//!
//! ```text
//! not_started ──start_date──► active ──last phase ends──► completed
//!   └──────────────┴─ release ──► released
//!   └──────────────┴─ cancel, or its subscription ends ──► canceled
//! ```

use crate::billing::currency;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::subscription;
use crate::subscription::change::Proration;
use crate::subscription::life::{Paying, change};
use crate::subscription::object::Subscription;
use crate::subscription::start::Wish;
use crate::subscription_schedule::ending::{self, Why};
use crate::subscription_schedule::object::{EndBehavior, Schedule, State, Step};
use crate::subscription_schedule::phase::Phase;
use crate::subscription_schedule::request;
use crate::webhook::record::{put_and_record, record_change, record_early, retell};
use crate::wire::errors::ApiError;

/// Makes a schedule. Its subscription begins with it, if it is time.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    mut schedule: Schedule,
) -> Result<Schedule, ApiError> {
    check(transaction, &schedule)?;
    if let Some(currency) = schedule.phases.first().and_then(Phase::currency) {
        currency::adopt(transaction, &schedule.customer, currency)?;
    }
    transaction.put(&schedule)?;
    let event = record_early(transaction, "subscription_schedule.created", &schedule)?;
    let is_time = schedule
        .phases
        .first()
        .is_some_and(|first| first.start <= transaction.now);
    if is_time {
        begin(transaction, &mut schedule)?;
    }
    retell(transaction, event.as_deref(), &schedule)?;
    Ok(schedule)
}

/// Makes the schedule of a subscription that there is: its current period is the first phase.
pub(crate) fn take_over(
    transaction: &Transaction<'_>,
    schedule: Schedule,
    mut subscription: Subscription,
) -> Result<Schedule, ApiError> {
    let before = subscription.answer();
    put_and_record(transaction, "subscription_schedule.created", &schedule)?;
    subscription.schedule = Some(schedule.id.clone());
    change(transaction, &subscription, &before)?;
    Ok(schedule)
}

/// Refuses phases that no subscription could have.
pub(crate) fn check(transaction: &Transaction<'_>, schedule: &Schedule) -> Result<(), ApiError> {
    for (place, phase) in schedule.phases.iter().enumerate() {
        if phase.end <= transaction.now {
            continue;
        }
        let then = transaction.at(phase.start.max(transaction.now));
        transaction
            .imagine(|| {
                let mut params = request::of_new(schedule, place, phase);
                let wish = Wish::read(&mut params).and_then(|it| params.finish().map(|()| it));
                anyhow::Ok(wish.and_then(|it| it.prepare(&then).map(|_| ())))
            })?
            .map_err(|error| error.within(&format!("phases[{place}]")))?;
    }
    Ok(())
}

/// The subscription begins with the first phase. Its first invoice is a draft for an hour.
fn begin(transaction: &Transaction<'_>, schedule: &mut Schedule) -> Result<(), ApiError> {
    let Some(first) = schedule.phases.first() else {
        return Ok(());
    };
    let mut params = request::of_new(schedule, 0, first);
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    let (mut subscription, lines) = wish.prepare(transaction)?;
    subscription.schedule = Some(schedule.id.clone());
    schedule.state = State::Active { phase: 0 };
    schedule.subscription = Some(subscription.id.clone());
    transaction.put(schedule)?;
    subscription::life::start(transaction, subscription, lines, Paying::default())?;
    Ok(())
}

/// Time has come for what is next.
pub(crate) fn step(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut schedule: Schedule = transaction.existing(id)?;
    let before = schedule.answer();
    let done = match schedule.next_step() {
        Some((_, Step::TellOfEnd)) => {
            schedule.told_of_end = schedule.phases.last().map(|last| last.end);
            return put_and_record(transaction, "subscription_schedule.expiring", &schedule);
        }
        Some((_, Step::End)) => return complete(transaction, &mut schedule),
        Some((_, Step::Begin)) => transaction.attempt(|| begin(transaction, &mut schedule)),
        Some((_, Step::Next(place))) => {
            schedule.state = State::Active { phase: place };
            transaction.put(&schedule)?;
            transaction.attempt(|| enter(transaction, &schedule, place, None))
        }
        None => anyhow::bail!("time does not change {id}"),
    };
    if let Err(error) = done {
        // What was in order when it was planned may not be any more: a price has been archived.
        tracing::warn!(error = error.message(), id, "a phase cannot begin");
        let mut schedule: Schedule = transaction.existing(id)?;
        return ending::cancel(transaction, &mut schedule, Why::Failed);
    }
    record_change(
        transaction,
        "subscription_schedule.updated",
        &before,
        &schedule,
    )
}

/// Time has come for a subscription. What its schedule has for the same moment comes first, so that the
/// period that begins then is billed as planned.
pub(crate) fn step_of_subscription(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let subscription: Subscription = transaction.existing(id)?;
    let schedule = match &subscription.schedule {
        Some(schedule) => transaction.get::<Schedule>(schedule)?,
        None => None,
    };
    let next = schedule.as_ref().and_then(Schedule::next_step);
    match (schedule, next) {
        (Some(schedule), Some((at, _))) if at <= transaction.now => step(transaction, &schedule.id),
        _ => subscription::time::step(transaction, id),
    }
}

/// The subscription becomes what the phase at this place says.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    schedule: &Schedule,
    place: usize,
    proration: Option<Proration>,
) -> Result<(), ApiError> {
    let (Some(phase), Some(id)) = (schedule.phases.get(place), &schedule.subscription) else {
        return Ok(());
    };
    let subscription: Subscription = transaction.existing(id)?;
    let now = transaction.now;
    let mut params = request::of_change(schedule, place, phase, &subscription, now);
    if !subscription::time::can_pay(transaction, &subscription)? {
        // There is nothing to try with: the invoice waits for its customer.
        params.set("payment_behavior", "default_incomplete");
    }
    let mut change = subscription::api::change(&mut params)?;
    params.finish()?;
    change.proration = proration.unwrap_or(change.proration);
    change.make(transaction, subscription).map(|_| ())
}

/// The last phase is over.
fn complete(transaction: &Transaction<'_>, schedule: &mut Schedule) -> anyhow::Result<()> {
    schedule.state = State::Completed {
        at: transaction.now,
    };
    if schedule.end_behavior == EndBehavior::Release {
        let_go(transaction, schedule, true)?;
    }
    put_and_record(transaction, "subscription_schedule.completed", schedule)
}

/// The subscription goes on without the schedule.
pub(crate) fn release(
    transaction: &Transaction<'_>,
    schedule: &mut Schedule,
    keeps_end: bool,
) -> anyhow::Result<()> {
    schedule.state = State::Released {
        at: transaction.now,
    };
    let_go(transaction, schedule, keeps_end)?;
    put_and_record(transaction, "subscription_schedule.released", schedule)
}

fn let_go(
    transaction: &Transaction<'_>,
    schedule: &mut Schedule,
    keeps_end: bool,
) -> anyhow::Result<()> {
    let Some(id) = schedule.subscription.take() else {
        return Ok(());
    };
    let mut subscription: Subscription = transaction.existing(&id)?;
    let before = subscription.answer();
    let planned = schedule.phases.last().map(|last| last.end);
    if !keeps_end && subscription.cancellation.at == planned {
        subscription.cancellation = Default::default();
    }
    subscription.schedule = None;
    schedule.released_subscription = Some(id);
    change(transaction, &subscription, &before)
}

/// The schedule is to be this from now on. The subscription follows if its current phase has changed.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    before: &Schedule,
    schedule: &Schedule,
    proration: Proration,
) -> Result<(), ApiError> {
    check(transaction, schedule)?;
    transaction.put(schedule)?;
    let says = |it: &Schedule| {
        let said = |phase: &Phase| (phase.given.clone(), phase.trial_end);
        (it.current().map(said), it.defaults.clone())
    };
    let State::Active { phase } = schedule.state else {
        return Ok(());
    };
    let ends = |it: &Schedule| match it.state {
        State::Active { phase } => it.cancels_at(phase),
        _ => None,
    };
    if says(before) != says(schedule) || ends(before) != ends(schedule) {
        enter(transaction, schedule, phase, Some(proration))?;
    }
    Ok(())
}

/// The shop ends it, and its subscription.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    schedule: Schedule,
    gives_back: bool,
    bills_now: bool,
) -> anyhow::Result<Schedule> {
    let mut schedule = schedule;
    let Some(id) = &schedule.subscription else {
        ending::cancel(transaction, &mut schedule, Why::Asked)?;
        return Ok(schedule);
    };
    let mut subscription: Subscription = transaction.existing(id)?;
    // The end of its subscription is its own.
    subscription::life::cancel(transaction, &mut subscription, gives_back, bills_now)?;
    transaction.existing(&schedule.id)
}

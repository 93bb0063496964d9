//! What time brings to a subscription: its periods, its trial's end, and its own.

use serde_json::Value;

use crate::engine::ids::InvoiceId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::collect;
use crate::invoice::line::Period;
use crate::subscription::bill;
use crate::subscription::life::{change, end, expire, pause, stay_paused, tell_of_trial, waiting};
use crate::subscription::object::{PausedFor, Reason, Status, Step, Subscription, Uncollected};
use crate::subscription::terms::MissingPaymentMethod;
use crate::webhook::record::record_shown;

/// Time has come for what is next.
pub(crate) fn step(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut subscription: Subscription = transaction.existing(id)?;
    let before = subscription.answer();
    match subscription.next_step() {
        Some((_, Step::Expire)) => expire(transaction, &mut subscription),
        Some((_, Step::End)) => end_in_time(transaction, subscription),
        Some((_, Step::TellOfTrial)) => tell_of_trial(transaction, &mut subscription),
        Some((_, Step::TellOfInvoice)) => tell_of_invoice(transaction, &mut subscription),
        Some((_, Step::StayPaused)) => stay_paused(transaction, &mut subscription),
        Some((_, Step::Collect)) => {
            subscription.pause_collection = None;
            change(transaction, &subscription, &before)
        }
        Some((_, Step::Renew)) => renew(transaction, subscription, &before),
        None => anyhow::bail!("time does not change {id}"),
    }
}

/// It ends when it was to. What waits for its next invoice is billed with a last one.
fn end_in_time(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
) -> anyhow::Result<()> {
    if subscription.cancellation.at_period_end {
        subscription.cancellation.at = Some(subscription.period.end);
    }
    let last = waiting(transaction, &subscription)?;
    if !last.is_empty() && subscription.status.has_begun() {
        let why = bill::Why::Over(Period {
            end: transaction.now,
            ..subscription.period
        });
        let id = InvoiceId::random();
        subscription.latest_invoice = Some(id.clone());
        bill::draft(transaction, &mut subscription, id, why, Vec::new(), true)?;
    }
    end(
        transaction,
        &mut subscription,
        Reason::CancellationRequested,
    )
}

fn tell_of_invoice(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
) -> anyhow::Result<()> {
    subscription.told.upcoming = Some(subscription.period.end);
    subscription.keep(transaction)?;
    let Some(next) = subscription.next_period() else {
        return Ok(());
    };
    let upcoming = bill::upcoming(transaction, subscription, next)?;
    let mut shown = upcoming.answer();
    if let Value::Object(fields) = &mut shown {
        // It is no invoice yet.
        fields.remove("id");
    }
    record_shown(transaction, "invoice.upcoming", shown, None)
}

/// Another period begins, and is billed; unless a trial ends with nothing to pay with.
fn renew(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
    before: &Value,
) -> anyhow::Result<()> {
    if stops_after_trial(transaction, &mut subscription)? {
        return Ok(());
    }
    let over = subscription.period;
    if let Some(next) = subscription.next_period() {
        subscription.period = next;
    }
    if subscription.status == Status::Trialing {
        subscription.status = Status::Active;
    }
    begin_period(transaction, &mut subscription, before, over)
}

/// A trial is over: whether that pauses or ends its subscription, which has nothing to pay with.
pub(crate) fn stops_after_trial(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
) -> anyhow::Result<bool> {
    match after_trial(transaction, subscription)? {
        MissingPaymentMethod::CreateInvoice => Ok(false),
        MissingPaymentMethod::Cancel => {
            end(transaction, subscription, Reason::PaymentFailed).map(|()| true)
        }
        MissingPaymentMethod::Pause => {
            let why = PausedFor::TrialEndWithoutPaymentMethod;
            pause(transaction, subscription, why).map(|()| true)
        }
    }
}

/// What the end of its trial brings a subscription: an invoice, unless there is nothing to pay it with.
pub(crate) fn after_trial(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> anyhow::Result<MissingPaymentMethod> {
    let ends_one = subscription.status == Status::Trialing;
    match ends_one && !can_pay(transaction, subscription)? {
        true => Ok(subscription.terms.missing_payment_method),
        false => Ok(MissingPaymentMethod::CreateInvoice),
    }
}

/// Whether there is something to pay with, or nobody asks for it.
pub(crate) fn can_pay(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> anyhow::Result<bool> {
    if subscription.terms.collection.is_sent() {
        return Ok(true);
    }
    let next = bill::upcoming(transaction, subscription, subscription.period)?;
    Ok(collect::default_method(transaction, &next)?.is_some())
}

/// Drafts the invoice of the period that has just begun, where another is over.
fn begin_period(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    before: &Value,
    over: Period,
) -> anyhow::Result<()> {
    let id = InvoiceId::random();
    subscription.latest_invoice = Some(id.clone());
    change(transaction, subscription, before)?;
    let paused = subscription.pause_collection.map(|it| it.behavior);
    // What an unpaid subscription owes stays a draft until its shop decides.
    let by_itself = paused.is_none() && subscription.status != Status::Unpaid;
    let lines = bill::lines(subscription, subscription.period);
    let why = bill::Why::Over(over);
    let mut invoice = bill::draft(transaction, subscription, id, why, lines, by_itself)?;
    subscription.keep(transaction)?;
    match paused {
        None | Some(Uncollected::KeepAsDraft) => {}
        Some(behavior) => {
            let _ = invoice::life::finalize(transaction, &mut invoice)?;
            let _ = match behavior {
                Uncollected::Void => invoice::life::void(transaction, &mut invoice)?,
                _ => invoice::life::mark_uncollectible(transaction, &mut invoice)?,
            };
        }
    }
    Ok(())
}

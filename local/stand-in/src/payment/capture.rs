//! Money that an issuer has set aside: it is taken, at once or in parts, or it is the buyer's again. And
//! intents that are given up, with which what was set aside goes back.

use anyhow::Context as _;

use crate::account::amount::Amount;
use crate::cash_balance;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::payment::trial;
use crate::webhook::record::{record, record_change};

/// What is taken of the money that is set aside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Take {
    pub(crate) amount: Amount,
    /// Whatever is left then is the buyer's again.
    pub(crate) is_last: bool,
}

/// Takes what was set aside, or a part of it.
pub(crate) fn capture(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    take: Take,
) -> anyhow::Result<Result<(), WrongState>> {
    let IntentState::RequiresCapture { until, received } = intent.state else {
        return Ok(Err(WrongState));
    };
    let received = received.plus(take.amount);
    let is_last = take.is_last || received >= intent.amount;
    let mut charge = set_aside(transaction, intent)?;
    capture_charge(transaction, &mut charge, Take { is_last, ..take })?;
    intent.state = match is_last {
        true => IntentState::Succeeded { received },
        false => IntentState::RequiresCapture { until, received },
    };
    transaction.put(intent)?;
    let event_type = match is_last {
        true => "payment_intent.succeeded",
        false => "payment_intent.amount_capturable_updated",
    };
    record(transaction, event_type, intent)?;
    Ok(Ok(()))
}

/// The money of a charge becomes the account's.
pub(crate) fn capture_charge(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    take: Take,
) -> anyhow::Result<()> {
    let before = charge.answer();
    let captured = charge.captured().plus(take.amount);
    charge.state = match charge.state {
        ChargeState::Authorized { capture_before, .. } if !take.is_last => {
            ChargeState::Authorized {
                capture_before,
                captured,
            }
        }
        _ => ChargeState::Captured { amount: captured },
    };
    if take.amount > Amount::ZERO {
        charge.flexible.count_capture();
        trial::book(transaction, charge, take.amount, false)?;
    }
    transaction.put(charge)?;
    let event_type = match take.is_last {
        true => "charge.captured",
        false => "charge.updated",
    };
    record_change(transaction, event_type, &before, charge)
}

/// The issuer has set more aside.
pub(crate) fn increment(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    charge: &mut Charge,
    amount: Amount,
) -> anyhow::Result<()> {
    let before = charge.answer();
    charge.amount = amount;
    charge.flexible.count_increment();
    transaction.put(charge)?;
    record_change(transaction, "charge.updated", &before, charge)?;
    intent.amount = amount;
    transaction.put(intent)?;
    record(
        transaction,
        "payment_intent.amount_capturable_updated",
        intent,
    )
}

/// What was set aside by a charge without an intent is the buyer's again.
pub(crate) fn expire(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut charge: Charge = transaction.existing(id)?;
    let before = charge.answer();
    charge.state = ChargeState::Released;
    transaction.put(&charge)?;
    record_change(transaction, "charge.expired", &before, &charge)
}

/// Nobody has taken what an intent has set aside, or all of it, and now nobody can.
pub(crate) fn lapse(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
) -> anyhow::Result<()> {
    if give_back_the_rest(transaction, intent)? {
        return Ok(());
    }
    release(transaction, intent, "charge.expired")?;
    end(transaction, intent, Some("automatic".to_owned()))
}

/// Gives an intent up. Of one that was captured in part, only the rest goes back.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    reason: Option<String>,
) -> anyhow::Result<Result<(), WrongState>> {
    match intent.state {
        IntentState::Succeeded { .. } | IntentState::Canceled { .. } => return Ok(Err(WrongState)),
        // The bank has the order already.
        IntentState::Processing(_) => return Ok(Err(WrongState)),
        IntentState::RequiresCapture { .. } => {
            if give_back_the_rest(transaction, intent)? {
                return Ok(Ok(()));
            }
            release(transaction, intent, "charge.refunded")?;
        }
        _ => cash_balance::book::unapply(transaction, intent)?,
    }
    end(transaction, intent, reason)?;
    Ok(Ok(()))
}

/// Ends an intent of which something was captured: it has succeeded with that.
fn give_back_the_rest(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
) -> anyhow::Result<bool> {
    let nothing_more = Take {
        amount: Amount::ZERO,
        is_last: true,
    };
    match intent.state {
        IntentState::RequiresCapture { received, .. } if received > Amount::ZERO => {
            let ended = capture(transaction, intent, nothing_more)?;
            Ok(ended.is_ok())
        }
        _ => Ok(false),
    }
}

fn end(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    reason: Option<String>,
) -> anyhow::Result<()> {
    intent.state = IntentState::Canceled {
        at: transaction.now,
        reason,
    };
    transaction.put(intent)?;
    record(transaction, "payment_intent.canceled", intent)
}

/// What was set aside is the buyer's again.
fn release(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    event_type: &str,
) -> anyhow::Result<()> {
    let mut charge = set_aside(transaction, intent)?;
    let before = charge.answer();
    charge.state = ChargeState::Released;
    transaction.put(&charge)?;
    record_change(transaction, event_type, &before, &charge)
}

/// The charge that has set an intent's money aside.
pub(crate) fn set_aside(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
) -> anyhow::Result<Charge> {
    let charge = intent.latest_charge.as_deref();
    transaction.existing(charge.context("nothing was set aside")?)
}

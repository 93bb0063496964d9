//! Where payments and what they pay meet: an intent may be a Checkout session's or an invoice's, and an
//! invoice a subscription's. Whoever pays, by whatever door, comes through here, so that all of them
//! follow.

pub(crate) mod currency;

use crate::checkout;
use crate::checkout::object::Session;
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::collect;
use crate::invoice::object::Invoice;
use crate::payment;
use crate::payment::bank::Ending;
use crate::payment::confirmation::Outcome;
use crate::payment::intent::{PaymentIntent, WrongState};
use crate::payment::testing::three_d_secure::Challenged;
use crate::subscription;

/// The buyer of an intent has shown who they are, or has not. Whose session it was, if it was one's.
pub(crate) fn authenticate(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    challenged: Challenged,
) -> anyhow::Result<Result<Option<Session>, WrongState>> {
    if intent.invoice().is_none() {
        return checkout::life::authenticate(transaction, intent, challenged);
    }
    match payment::life::authenticate(transaction, intent, challenged)? {
        Ok(outcome) => {
            follow(transaction, intent, outcome)?;
            Ok(Ok(None))
        }
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// The bank, or whoever holds a voucher, ends a payment that has taken its time.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    ending: Ending,
) -> anyhow::Result<Result<(), WrongState>> {
    if intent.invoice().is_none() {
        return checkout::life::settle(transaction, intent, ending);
    }
    match payment::life::settle(transaction, intent, ending)? {
        Ok(outcome) => {
            follow(transaction, intent, outcome)?;
            Ok(Ok(()))
        }
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// The time of an intent has come.
pub(crate) fn run_out_intent(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut intent: PaymentIntent = transaction.existing(id)?;
    if intent.invoice().is_none() {
        return checkout::life::run_out_intent(transaction, id);
    }
    match payment::life::run_out(transaction, &mut intent)? {
        Some(outcome) => follow(transaction, &intent, outcome).map(|_| ()),
        None => Ok(()),
    }
}

/// What an intent pays follows what became of it. Nothing, if it pays nothing.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    outcome: Outcome,
) -> anyhow::Result<Option<collect::Outcome>> {
    let Some(id) = intent.invoice() else {
        return Ok(None);
    };
    let mut invoice: Invoice = transaction.existing(id)?;
    let outcome = collect::follow_intent(transaction, &mut invoice, intent, outcome)?;
    follow_try(transaction, &invoice, &outcome)?;
    Ok(Some(outcome))
}

/// The time of an invoice has come.
pub(crate) fn run_out_invoice(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut invoice: Invoice = transaction.existing(id)?;
    match invoice::life::run_out(transaction, &mut invoice)? {
        Some(outcome) => follow_try(transaction, &invoice, &outcome),
        None => follow_invoice(transaction, &invoice),
    }
}

/// What an invoice is of follows what became of it.
pub(crate) fn follow_invoice(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
) -> anyhow::Result<()> {
    subscription::follow::follow(transaction, invoice, None)
}

/// The same after a try to collect it.
pub(crate) fn follow_try(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    outcome: &collect::Outcome,
) -> anyhow::Result<()> {
    subscription::follow::follow(transaction, invoice, Some(outcome))
}

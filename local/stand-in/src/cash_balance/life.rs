//! What customers transfer pays what waits for it.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing;
use crate::cash_balance::book;
use crate::cash_balance::object::{CashTransaction, Movement};
use crate::engine::ids::CustomerId;
use crate::engine::transaction::Transaction;
use crate::payment::action::Action;
use crate::payment::bank::Ending;
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::webhook::record::record;

/// A customer has transferred money.
pub(crate) fn fund(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    amount: Amount,
    currency: Currency,
    reference: Option<String>,
) -> anyhow::Result<CashTransaction> {
    let movement = Movement::Funded { reference };
    let funded = book::enter(transaction, customer, currency, amount, movement)?;
    reconcile(transaction, customer, currency)?;
    Ok(funded)
}

/// What a customer has pays the oldest intents that wait for a transfer in this currency, as far as it
/// goes, unless the shop wants to do that itself.
pub(crate) fn reconcile(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    currency: Currency,
) -> anyhow::Result<()> {
    for mut intent in transaction.having::<PaymentIntent>("customer", customer)? {
        if waits(&intent) && intent.currency == currency {
            let share = book::spendable(transaction, &intent)?;
            if share > Amount::ZERO {
                apply(transaction, &mut intent, share)?
                    .map_err(|WrongState| anyhow::anyhow!("{} waits for no transfer", intent.id))?;
            }
        }
    }
    let balance = book::balance(transaction, customer)?;
    match balance.in_currency(currency) > Amount::ZERO {
        true => record(transaction, "cash_balance.funds_available", &balance),
        false => Ok(()),
    }
}

fn waits(intent: &PaymentIntent) -> bool {
    matches!(
        intent.state,
        IntentState::RequiresAction(Action::BankTransfer(_))
    )
}

/// A part of what a customer has pays for an intent that waits for a transfer.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    amount: Amount,
) -> anyhow::Result<Result<(), WrongState>> {
    let IntentState::RequiresAction(Action::BankTransfer(waits)) = &mut intent.state else {
        return Ok(Err(WrongState));
    };
    waits.funded = waits.funded.plus(amount);
    let is_enough = waits.funded >= intent.amount;
    book::apply(transaction, intent, amount)?;
    transaction.put(intent)?;
    match is_enough {
        true => billing::settle(transaction, intent, Ending::Succeeds),
        false => record(transaction, "payment_intent.partially_funded", intent).map(Ok),
    }
}

/// An intent was given up: what had paid for it may pay for another.
pub(crate) fn after_cancel(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    freed: Amount,
) -> anyhow::Result<()> {
    match &intent.terms.customer {
        Some(customer) if freed > Amount::ZERO => reconcile(transaction, customer, intent.currency),
        _ => Ok(()),
    }
}

//! Every movement of a cash balance goes through here, so that the balance is always their sum.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::cash_balance::object::{CashBalance, CashTransaction, Movement};
use crate::engine::ids::{CashTransactionId, CustomerId};
use crate::engine::transaction::Transaction;
use crate::payment::intent::PaymentIntent;
use crate::webhook::record::record;

/// The cash balance of a customer.
pub(crate) fn balance(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
) -> anyhow::Result<CashBalance> {
    let known = transaction.get(&CashBalance::id_of(customer))?;
    Ok(known.unwrap_or_else(|| CashBalance::empty(customer, transaction.now)))
}

/// Books a movement.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    currency: Currency,
    net_amount: Amount,
    movement: Movement,
) -> anyhow::Result<CashTransaction> {
    let mut balance = balance(transaction, customer)?;
    let ending_balance = balance.in_currency(currency).plus(net_amount);
    let code = currency.code().to_owned();
    balance.available.insert(code, ending_balance);
    transaction.put(&balance)?;
    let booked = CashTransaction {
        id: CashTransactionId::random(),
        created: transaction.now,
        customer: customer.clone(),
        currency,
        net_amount,
        ending_balance,
        movement,
    };
    transaction.put(&booked)?;
    record(
        transaction,
        "customer_cash_balance_transaction.created",
        &booked,
    )?;
    Ok(booked)
}

/// What of a customer's balance pays for an intent by itself, as far as it goes.
pub(crate) fn spendable(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
) -> anyhow::Result<Amount> {
    let Some(customer) = &intent.terms.customer else {
        return Ok(Amount::ZERO);
    };
    let balance = balance(transaction, customer)?;
    let missing = intent.amount.minus(intent.funded());
    Ok(match balance.is_automatic() {
        true => balance.in_currency(intent.currency).min(missing),
        false => Amount::ZERO,
    })
}

/// A part of the balance pays for an intent from now on.
pub(crate) fn apply(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    amount: Amount,
) -> anyhow::Result<()> {
    let movement = Movement::AppliedToPayment(intent.id.clone());
    of_intent(transaction, intent, amount.negated(), movement)
}

/// What has paid for an intent is its customer's again.
pub(crate) fn unapply(transaction: &Transaction<'_>, intent: &PaymentIntent) -> anyhow::Result<()> {
    let movement = Movement::UnappliedFromPayment(intent.id.clone());
    of_intent(transaction, intent, intent.funded(), movement)
}

/// What an intent still waits for has come, and pays for it.
pub(crate) fn fund_the_rest(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
) -> anyhow::Result<()> {
    let missing = intent.amount.minus(intent.funded());
    let movement = Movement::Funded { reference: None };
    of_intent(transaction, intent, missing, movement)?;
    apply(transaction, intent, missing)
}

fn of_intent(
    transaction: &Transaction<'_>,
    intent: &PaymentIntent,
    net_amount: Amount,
    movement: Movement,
) -> anyhow::Result<()> {
    match &intent.terms.customer {
        Some(customer) if net_amount != Amount::ZERO => {
            enter(transaction, customer, intent.currency, net_amount, movement).map(|_| ())
        }
        _ => Ok(()),
    }
}

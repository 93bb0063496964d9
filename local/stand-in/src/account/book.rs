//! The account's money: every movement of it is booked as a balance transaction.

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::balance::{BalanceTransaction, Entry};
use crate::account::currency::Currency;
use crate::account::settings::BalanceSettings;
use crate::engine::ids::BalanceTransactionId;
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_shown;

/// What Stripe takes for a dispute, and gives back if the dispute is won.
const DISPUTE_FEE: Amount = Amount::new(1_500);

/// Books a payment. Its money is available at midnight in some days, unless it `bypasses_pending`.
pub(crate) fn enter_charge(
    transaction: &Transaction<'_>,
    charge: &str,
    amount: Amount,
    currency: Currency,
    bypasses_pending: bool,
) -> anyhow::Result<BalanceTransaction> {
    let now = transaction.now;
    let midnight = now.saturating_sub(now.checked_rem(DAY).unwrap_or_default());
    let available_on = match bypasses_pending {
        true => now,
        false => {
            let days = BalanceSettings::of(transaction)?.delay();
            midnight.saturating_add(days.saturating_mul(DAY))
        }
    };
    enter_on(
        transaction,
        Entry::Charge,
        charge,
        amount,
        currency,
        available_on,
    )
}

/// Books a movement of `amount` (negative goes out) for the charge, refund, dispute or
/// payout `source`.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    entry: Entry,
    source: &str,
    amount: Amount,
    currency: Currency,
) -> anyhow::Result<BalanceTransaction> {
    enter_on(
        transaction,
        entry,
        source,
        amount,
        currency,
        transaction.now,
    )
}

/// The same of money that is available at this moment and no sooner.
pub(crate) fn enter_on(
    transaction: &Transaction<'_>,
    entry: Entry,
    source: &str,
    amount: Amount,
    currency: Currency,
    available_on: Timestamp,
) -> anyhow::Result<BalanceTransaction> {
    let (amount, exchange_rate) = currency.settled(amount);
    let fee = match entry {
        Entry::Charge => processing_fee(amount),
        Entry::Dispute => DISPUTE_FEE,
        Entry::DisputeReversal => DISPUTE_FEE.negated(),
        Entry::Refund
        | Entry::RefundFailure
        | Entry::Payout
        | Entry::PayoutCancel
        | Entry::PayoutFailure
        | Entry::PayoutReversal => Amount::ZERO,
    };
    let description = match entry {
        Entry::Charge => None,
        Entry::Refund => Some("REFUND FOR CHARGE"),
        Entry::RefundFailure => Some("REFUND FAILURE"),
        Entry::Dispute => Some("Chargeback withdrawal"),
        Entry::DisputeReversal => Some("Chargeback reversal"),
        Entry::Payout => Some("STRIPE PAYOUT"),
        Entry::PayoutCancel => Some("STRIPE PAYOUT CANCEL"),
        Entry::PayoutFailure => Some("STRIPE PAYOUT FAILURE"),
        Entry::PayoutReversal => Some("STRIPE PAYOUT REVERSAL"),
    };
    let booked = BalanceTransaction {
        id: BalanceTransactionId::random(),
        created: transaction.now,
        amount,
        fee,
        exchange_rate,
        entry,
        available_on,
        // What is available at once is told of, too, if it came in.
        pending: available_on > transaction.now || entry == Entry::Charge,
        source: source.to_owned(),
        description: description.map(str::to_owned),
    };
    transaction.put(&booked)?;
    Ok(booked)
}

/// 2.9 % and 30 cents, as in the United States.
fn processing_fee(amount: Amount) -> Amount {
    amount.share(29, 1_000).plus(Amount::new(30))
}

/// What the account has: what is available, and what is on its way.
pub(crate) fn balance(transaction: &Transaction<'_>) -> anyhow::Result<(Amount, Amount)> {
    let total = "SELECT coalesce(sum((shown ->> '$.amount') - (shown ->> '$.fee')), 0)
                 FROM objects WHERE kind = ?1 AND shown ->> '$.status' = ?2";
    let sum = |status| -> anyhow::Result<Amount> {
        let kind = BalanceTransaction::KIND;
        let sum = transaction
            .sql
            .prepare_cached(total)?
            .query_row([kind, status], |row| row.get(0))?;
        Ok(Amount::new(sum))
    };
    Ok((sum("available")?, sum("pending")?))
}

/// The balance as the API shows it.
pub(crate) fn shown(transaction: &Transaction<'_>) -> anyhow::Result<Value> {
    let (available, pending) = balance(transaction)?;
    let funds = |amount: Amount| {
        json!([{
            "amount": amount,
            "currency": Currency::SETTLEMENT,
            "source_types": { "card": amount },
        }])
    };
    Ok(json!({
        "object": "balance",
        "available": funds(available),
        "livemode": false,
        "pending": funds(pending),
    }))
}

/// Money has arrived: this, and whatever else is there by now.
pub(crate) fn arrive(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut first: BalanceTransaction = transaction.existing(id)?;
    first.pending = false;
    transaction.put(&first)?;
    for mut other in transaction.due::<BalanceTransaction>(transaction.now)? {
        other.pending = false;
        transaction.put(&other)?;
    }
    record_shown(transaction, "balance.available", shown(transaction)?, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripe_keeps_a_share_of_each_payment() {
        assert_eq!(
            [1_000, 1_500, 50].map(|it| processing_fee(Amount::new(it)).minor_units()),
            [59, 74, 31]
        );
    }
}

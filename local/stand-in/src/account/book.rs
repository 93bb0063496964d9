//! The account's money: every movement of it is booked as a balance transaction.

use crate::account::balance::{BalanceTransaction, Entry};
use crate::account::currency::Currency;
use crate::engine::database::Transaction;
use crate::engine::ids;
use crate::engine::resource::Object as _;

/// What Stripe takes for a dispute, and keeps even if the dispute is won.
const DISPUTE_FEE: i64 = 1_500;

/// Books a movement of `amount` (negative goes out) for the charge, refund or dispute `source`.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    entry: Entry,
    source: &str,
    amount: i64,
    currency: Currency,
) -> anyhow::Result<BalanceTransaction> {
    let (amount, exchange_rate) = currency.settled(amount);
    let fee = match entry {
        Entry::Charge => processing_fee(amount),
        Entry::Dispute => DISPUTE_FEE,
        Entry::Refund | Entry::RefundFailure | Entry::DisputeReversal => 0,
    };
    let description = match entry {
        Entry::Charge => None,
        Entry::Refund => Some("REFUND FOR CHARGE"),
        Entry::RefundFailure => Some("REFUND FAILURE"),
        Entry::Dispute => Some("Chargeback withdrawal"),
        Entry::DisputeReversal => Some("Chargeback reversal"),
    };
    let booked = BalanceTransaction {
        id: ids::balance_transaction(),
        created: transaction.now,
        amount,
        fee,
        exchange_rate,
        entry,
        source: source.to_owned(),
        description: description.map(str::to_owned),
    };
    transaction.put(&booked)?;
    Ok(booked)
}

/// 2.9 % and 30 cents, as in the United States.
fn processing_fee(amount: i64) -> i64 {
    let share = amount
        .saturating_mul(29)
        .saturating_add(500)
        .checked_div(1_000);
    share.unwrap_or_default().saturating_add(30)
}

/// What the account has, all movements together.
pub(crate) fn balance(transaction: &Transaction<'_>) -> anyhow::Result<i64> {
    let total = "SELECT coalesce(sum((shown ->> '$.amount') - (shown ->> '$.fee')), 0)
                 FROM objects WHERE kind = ?1";
    Ok(transaction
        .sql
        .query_row(total, [BalanceTransaction::KIND], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stripe_keeps_a_share_of_each_payment() {
        assert_eq!([1_000, 1_500, 50].map(processing_fee), [59, 74, 31]);
    }
}

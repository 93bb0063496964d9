//! What can happen to a payout, and what it does to the account's money.
//!
//! ```text
//! pending ──midnight──► in_transit ──a day later──► paid ──reverse──► (another payout, back)
//!    └──cancel──► canceled   └─────────────────────► failed
//! ```

use crate::account;
use crate::account::amount::Amount;
use crate::account::balance::Entry;
use crate::account::currency::Currency;
use crate::account::settings::BalanceSettings;
use crate::engine::ids::{AccountId, BankAccountId, PayoutId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payout::bank_account::BankAccount;
use crate::payout::object::{Payout, PayoutState};
use crate::webhook::record::{record, record_change};

/// What an account wants to be paid out.
#[derive(Debug)]
pub(crate) struct NewPayout {
    pub(crate) amount: Amount,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) statement_descriptor: Option<String>,
}

/// There is not so much.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Insufficient;

/// The payout is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// The bank accounts of an account, the one that it began with among them, oldest first.
pub(crate) fn bank_accounts(
    transaction: &Transaction<'_>,
    account: &AccountId,
) -> anyhow::Result<Vec<BankAccount>> {
    let known = transaction.all::<BankAccount>()?;
    if !known.is_empty() {
        return Ok(known);
    }
    let given = BankAccount::given(account, transaction.now);
    transaction.put(&given)?;
    Ok(vec![given])
}

/// Pays out of what is available.
pub(crate) fn create(
    transaction: &Transaction<'_>,
    new: NewPayout,
    destination: &BankAccount,
) -> anyhow::Result<Result<Payout, Insufficient>> {
    let (available, _) = account::book::balance(transaction)?;
    if new.amount > available {
        return Ok(Err(Insufficient));
    }
    begin(transaction, new, destination.id.clone(), None).map(Ok)
}

/// Takes a payout back that has arrived, by another one.
pub(crate) fn reverse(
    transaction: &Transaction<'_>,
    payout: &mut Payout,
    metadata: Metadata,
) -> anyhow::Result<Result<Payout, WrongState>> {
    let is_taken_back = payout.reversed_by.is_some() || payout.original_payout.is_some();
    if payout.state != PayoutState::Paid || is_taken_back {
        return Ok(Err(WrongState));
    }
    let new = NewPayout {
        amount: payout.amount.negated(),
        description: None,
        metadata,
        statement_descriptor: None,
    };
    let original = Some(payout.id.clone());
    let reversal = begin(transaction, new, payout.destination.clone(), original)?;
    let before = payout.answer();
    payout.reversed_by = Some(reversal.id.clone());
    update(transaction, "payout.updated", &before, payout)?;
    Ok(Ok(reversal))
}

/// The bank hears of a payout at midnight, and has the money a day later.
fn begin(
    transaction: &Transaction<'_>,
    new: NewPayout,
    destination: BankAccountId,
    original_payout: Option<PayoutId>,
) -> anyhow::Result<Payout> {
    let id = PayoutId::random();
    let midnight = next_midnight(transaction.now);
    let arrival_date = midnight.saturating_add(DAY);
    let (entry, available_on) = match original_payout {
        None => (Entry::Payout, transaction.now),
        Some(_) => (Entry::PayoutReversal, arrival_date),
    };
    let moved = new.amount.negated();
    let booked = account::book::enter_on(
        transaction,
        entry,
        &id,
        moved,
        Currency::SETTLEMENT,
        available_on,
    )?;
    let usual = BalanceSettings::of(transaction)?.statement_descriptor;
    let payout = Payout {
        id,
        created: transaction.now,
        amount: new.amount,
        description: new.description,
        destination,
        metadata: new.metadata,
        statement_descriptor: new.statement_descriptor.or(usual),
        state: PayoutState::Pending { until: midnight },
        arrival_date,
        balance_transaction: booked.id,
        failure_balance_transaction: None,
        original_payout,
        reversed_by: None,
    };
    transaction.put(&payout)?;
    record(transaction, "payout.created", &payout)?;
    Ok(payout)
}

fn next_midnight(now: Timestamp) -> Timestamp {
    let into_the_day = now.checked_rem(DAY).unwrap_or_default();
    now.saturating_sub(into_the_day).saturating_add(DAY)
}

/// Gives a payout up of which no bank has heard.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    payout: &mut Payout,
) -> anyhow::Result<Result<(), WrongState>> {
    let PayoutState::Pending { .. } = payout.state else {
        return Ok(Err(WrongState));
    };
    let before = payout.answer();
    payout.state = PayoutState::Canceled;
    take_back(transaction, payout, Entry::PayoutCancel)?;
    update(transaction, "payout.canceled", &before, payout)?;
    Ok(Ok(()))
}

/// The time of a payout has come: the bank hears of it, or has it.
pub(crate) fn run_out(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let mut payout: Payout = transaction.existing(id)?;
    let before = payout.answer();
    if let PayoutState::Pending { .. } = payout.state {
        payout.state = PayoutState::InTransit;
        return update(transaction, "payout.updated", &before, &payout);
    }
    let mut destination: BankAccount = transaction.existing(&payout.destination)?;
    let failure = destination
        .failure()
        .filter(|_| payout.original_payout.is_none());
    let Some(failure) = failure else {
        payout.state = PayoutState::Paid;
        return update(transaction, "payout.paid", &before, &payout);
    };
    payout.state = PayoutState::Failed(failure);
    take_back(transaction, &mut payout, Entry::PayoutFailure)?;
    update(transaction, "payout.failed", &before, &payout)?;
    let before = destination.answer();
    destination.is_errored = true;
    transaction.put(&destination)?;
    match destination.answer() == before {
        true => Ok(()),
        false => record_change(
            transaction,
            "account.external_account.updated",
            &before,
            &destination,
        ),
    }
}

/// The money is the account's again.
fn take_back(
    transaction: &Transaction<'_>,
    payout: &mut Payout,
    entry: Entry,
) -> anyhow::Result<()> {
    let booked = account::book::enter(
        transaction,
        entry,
        &payout.id,
        payout.amount,
        Currency::SETTLEMENT,
    )?;
    payout.failure_balance_transaction = Some(booked.id);
    Ok(())
}

fn update(
    transaction: &Transaction<'_>,
    event_type: &str,
    before: &serde_json::Value,
    payout: &Payout,
) -> anyhow::Result<()> {
    transaction.put(payout)?;
    record_change(transaction, event_type, before, payout)
}

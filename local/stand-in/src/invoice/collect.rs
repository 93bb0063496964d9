//! How the money of an invoice comes: with a payment intent that is the invoice's own, one that the shop
//! has attached, or past Stripe.
//!
//! Whatever is paid is paid in [`payment::life`]; here the invoice follows its intents. What that means
//! for its subscription is told by whoever calls, from the [`Outcome`] or the invoice's status.

use anyhow::Context as _;
use serde_json::Value;

use crate::account::amount::Amount;
use crate::engine::resource::Object as _;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::intents;
use crate::invoice::object::{BillingReason, Invoice, Status};
use crate::invoice::payment::{InvoicePayment, PaymentStatus};
use crate::invoice::retry;
use crate::invoice::terms::Collection;
use crate::payment;
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::confirmation::Confirmation;
use crate::payment::customer::INVOICE_DEFAULT;
use crate::payment::decline::PaymentError;
use crate::payment::intent::{IntentState, Methods, PaymentIntent};
use crate::payment::method::PaymentMethod;
use crate::payment::terms::three_d_secure;
use crate::webhook::record::{record, record_change};

/// What became of a try to collect an invoice.
#[derive(Debug)]
#[must_use]
pub(crate) enum Outcome {
    Paid,
    /// The bank thinks, or a part is paid.
    Pending,
    /// The customer has to prove who they are.
    ActionRequired,
    Declined(PaymentError),
    /// There is nothing to pay with.
    NoMethod,
}

/// Who tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Stripe, by its schedule.
    Schedule,
    /// The shop, while the customer is there or not.
    Shop { off_session: bool },
    /// The customer, on the invoice's page.
    Customer,
}

/// Tries once to collect what remains, with this payment method or the one that comes first by default.
pub(crate) fn attempt(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    method: Option<PaymentMethod>,
    by: By,
) -> anyhow::Result<Outcome> {
    if invoice.amount_remaining() == Amount::ZERO {
        settle(transaction, invoice, None)?;
        return Ok(Outcome::Paid);
    }
    let method = match method {
        Some(method) => Some(method),
        None => default_method(transaction, invoice)?,
    };
    let mut intent = intents::own_intent(transaction, invoice)?;
    // What a bank has in hand is not asked for twice.
    if matches!(intent.state, IntentState::Processing(_)) {
        return Ok(Outcome::Pending);
    }
    let before = invoice.answer();
    count(invoice, by);
    let Some(mut method) = method else {
        schedule(transaction, invoice);
        tell_failed(transaction, invoice, &before)?;
        return Ok(Outcome::NoMethod);
    };
    let page = invoice.finalized.as_ref().map(|it| it.url.clone());
    let how = Confirmation {
        off_session: matches!(by, By::Schedule | By::Shop { off_session: true }),
        waits_for_buyer: true,
        return_url: page.clone().filter(|_| by == By::Customer),
        three_d_secure: three_d_secure(&intent.terms.payment_method_options),
        voucher_page: page,
        ..Confirmation::default()
    };
    let kind = method.means.name().to_owned();
    if let Methods::Listed(types) = &mut intent.terms.methods
        && !types.contains(&kind)
    {
        types.push(kind);
    }
    let outcome = payment::life::confirm(transaction, &mut intent, &mut method, &how)?;
    follow(transaction, invoice, &before, &intent, outcome)
}

/// Any first try counts, and later only those that Stripe makes by itself.
fn count(invoice: &mut Invoice, by: By) {
    invoice.attempts.attempted = true;
    if by == By::Schedule || invoice.attempts.count == 0 {
        invoice.attempts.count = invoice.attempts.count.saturating_add(1);
    }
}

/// The invoice of an intent follows what became of it. `outcome` is of the intent.
pub(crate) fn follow_intent(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    intent: &PaymentIntent,
    outcome: payment::confirmation::Outcome,
) -> anyhow::Result<Outcome> {
    let before = invoice.answer();
    if !matches!(outcome, payment::confirmation::Outcome::Unconfirmed) {
        count(invoice, By::Customer);
    }
    follow(transaction, invoice, &before, intent, outcome)
}

/// `before` is the invoice as it was shown before the try.
fn follow(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    before: &Value,
    intent: &PaymentIntent,
    outcome: payment::confirmation::Outcome,
) -> anyhow::Result<Outcome> {
    use payment::confirmation::Outcome as Tried;
    Ok(match outcome {
        Tried::Paid(aftermath) | Tried::Authorized(aftermath) => {
            receive(transaction, invoice, before, intent)?;
            aftermath.come(transaction)?;
            match invoice.status {
                Status::Paid => Outcome::Paid,
                _ => Outcome::Pending,
            }
        }
        Tried::Processing | Tried::Waiting | Tried::Unconfirmed => {
            if let Status::Open { next_attempt } = &mut invoice.status {
                *next_attempt = None;
            }
            change(transaction, invoice, before)?;
            Outcome::Pending
        }
        Tried::Challenged(_) => {
            schedule(transaction, invoice);
            transaction.put(invoice)?;
            record(transaction, "invoice.payment_action_required", invoice)?;
            tell_failed(transaction, invoice, before)?;
            Outcome::ActionRequired
        }
        Tried::Refused(error) => {
            schedule(transaction, invoice);
            tell_failed(transaction, invoice, before)?;
            Outcome::Declined(error)
        }
    })
}

/// A subscription's invoice that failed is tried again later; another waits for its shop.
fn schedule(transaction: &Transaction<'_>, invoice: &mut Invoice) {
    let retries = invoice.terms.auto_advance && invoice.subscription().is_some();
    // The first invoice decides whether there is a subscription at all: nobody tries it again.
    let retries = retries && invoice.billing_reason != BillingReason::SubscriptionCreate;
    let count = invoice.attempts.count;
    if let Status::Open { next_attempt } = &mut invoice.status {
        *next_attempt = match retries {
            true => retry::next(count, transaction.now),
            false => None,
        };
    }
}

fn tell_failed(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    before: &Value,
) -> anyhow::Result<()> {
    transaction.put(invoice)?;
    record(transaction, "invoice.payment_failed", invoice)?;
    record_change(transaction, "invoice.updated", before, invoice)
}

/// Keeps a changed invoice, and tells of it.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    before: &Value,
) -> anyhow::Result<()> {
    transaction.put(invoice)?;
    match invoice.answer() == *before {
        true => Ok(()),
        false => record_change(transaction, "invoice.updated", before, invoice),
    }
}

/// Time has come for another try.
pub(crate) fn try_again(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<Outcome> {
    let intent = match &invoice.intent {
        Some(id) => transaction.get::<PaymentIntent>(id)?,
        None => None,
    };
    if let Some(intent) = &intent
        && let Some(refused) = &intent.last_payment_error
        && (refused.reason().is_some_and(retry::is_hard) || was_blocked(transaction, intent)?)
    {
        let method = default_method(transaction, invoice)?;
        if method.is_none_or(|method| refused.is_about(&method.id)) {
            let before = invoice.answer();
            let error = refused.clone();
            count(invoice, By::Schedule);
            schedule(transaction, invoice);
            change(transaction, invoice, &before)?;
            return Ok(Outcome::Declined(error));
        }
    }
    attempt(transaction, invoice, None, By::Schedule)
}

/// Whether Radar has refused the last try, as it would the next with the same card.
fn was_blocked(transaction: &Transaction<'_>, intent: &PaymentIntent) -> anyhow::Result<bool> {
    let charge = match &intent.latest_charge {
        Some(id) => transaction.get::<Charge>(id)?,
        None => None,
    };
    Ok(charge.is_some_and(|charge| matches!(charge.state, ChargeState::Blocked(_))))
}

/// An intent has brought its money.
fn receive(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    before: &Value,
    intent: &PaymentIntent,
) -> anyhow::Result<()> {
    let received = match intent.state {
        IntentState::Succeeded { received } => received,
        _ => intent.amount,
    };
    let remained = invoice.amount_remaining();
    invoice.amount_paid = invoice.amount_paid.plus(received.min(remained));
    let payments: Vec<InvoicePayment> = transaction.having("invoice", &invoice.id)?;
    let payment = payments.into_iter().find(|it| it.intent == intent.id);
    let mut payment = payment.with_context(|| format!("{} pays no invoice", intent.id))?;
    payment.status = PaymentStatus::Paid {
        amount: received,
        at: transaction.now,
    };
    transaction.put(&payment)?;
    let is_owed = matches!(invoice.status, Status::Open { .. } | Status::Uncollectible);
    match is_owed && invoice.amount_remaining() == Amount::ZERO {
        true => settle(transaction, invoice, Some(before))?,
        // Money that comes too late changes nothing else.
        false => change(transaction, invoice, before)?,
    }
    record(transaction, "invoice_payment.paid", &payment)
}

/// Nothing remains to be paid. `before` is the invoice as it was shown before that, if it was known to be
/// open.
pub(crate) fn settle(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    before: Option<&Value>,
) -> anyhow::Result<()> {
    invoice.status = Status::Paid;
    invoice.attempts.attempted = true;
    invoice.transitions.paid_at = Some(transaction.now);
    intents::give_up(transaction, invoice)?;
    transaction.put(invoice)?;
    if let Some(before) = before
        && !invoice.just_finalized
    {
        record_change(transaction, "invoice.updated", before, invoice)?;
    }
    record(transaction, "invoice.paid", invoice)?;
    record(transaction, "invoice.payment_succeeded", invoice)
}

/// An intent that has brought its money elsewhere has paid the invoice with it.
pub(crate) fn pay_with(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    intent: &PaymentIntent,
) -> anyhow::Result<()> {
    invoice.intent = Some(intent.id.clone());
    count(invoice, By::Customer);
    intents::enter(transaction, invoice, intent, true)?;
    let before = invoice.answer();
    receive(transaction, invoice, &before, intent)
}

/// An intent that somebody else has made pays the invoice; what it has brought already counts.
pub(crate) fn attach(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    intent: &PaymentIntent,
) -> anyhow::Result<()> {
    intents::enter(transaction, invoice, intent, false)?;
    match intent.state {
        IntentState::Succeeded { .. } => {
            let before = invoice.answer();
            receive(transaction, invoice, &before, intent)
        }
        _ => Ok(()),
    }
}

/// What an invoice is paid with unless somebody says otherwise: its own default, its subscription's, its
/// customer's, and of each the payment method before the source.
pub(crate) fn default_method(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
) -> anyhow::Result<Option<PaymentMethod>> {
    let subscription = match invoice.subscription() {
        Some(id) => transaction.shown_of("subscription", id)?,
        None => None,
    };
    let customer = transaction.shown_of("customer", &invoice.customer)?;
    let named = |object: &Option<Value>, at: &str| {
        let id = object.as_ref()?.pointer(at)?.as_str();
        id.map(str::to_owned)
    };
    let in_order = [
        invoice.terms.default_payment_method.clone(),
        invoice.terms.default_source.clone(),
        named(&subscription, "/default_payment_method"),
        named(&subscription, "/default_source"),
        named(&customer, INVOICE_DEFAULT),
        named(&customer, "/default_source"),
    ];
    for id in in_order.into_iter().flatten() {
        let method = transaction.get::<PaymentMethod>(&id)?;
        let theirs = method.filter(|it| it.customer() == Some(&invoice.customer));
        if theirs.is_some() {
            return Ok(theirs);
        }
    }
    Ok(None)
}

/// When a finalized invoice is tried for the first time, if by itself.
pub(crate) fn first_attempt(
    invoice: &Invoice,
    now: Timestamp,
    after: Timestamp,
) -> Option<Timestamp> {
    let by_itself =
        invoice.terms.auto_advance && invoice.terms.collection == Collection::ChargeAutomatically;
    by_itself.then(|| now.saturating_add(after))
}

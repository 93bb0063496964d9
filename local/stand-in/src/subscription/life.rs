//! What can happen to a subscription. What becomes of its invoices moves it on, in `follow`; what its
//! shop changes is in `change`.
//!
//! ```text
//! incomplete ──paid──► active ◄──trial ends── trialing
//!   │ 23 hours          │  ▲                     │ nothing to pay with
//!   ▼         not paid  ▼  │ paid                ▼
//! incomplete_expired   past_due ──► unpaid     paused, canceled
//! ```

use serde_json::Value;

use crate::account::amount::Amount;
use crate::billing::currency;
use crate::engine::filter::{Cursor, Filter};
use crate::engine::ids::InvoiceId;
use crate::engine::resource::Object as _;
use crate::engine::time::{HOUR, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::collect::{self, By, Outcome};
use crate::invoice::item::{InvoiceItem, Sweep, pending};
use crate::invoice::life::NotFinalized;
use crate::invoice::line::Line;
use crate::invoice::object::{Invoice, Status as InvoiceStatus};
use crate::payment::intent::PaymentIntent;
use crate::plain;
use crate::subscription::bill::{self, Prorated};
use crate::subscription::object::{
    Paused, PausedFor, Reason, Status, Subscription, TRIAL_WARNING_BEFORE,
};
use crate::subscription_schedule::ending;
use crate::webhook::record::{record, record_change, record_early, retell};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// How long the first invoice can be paid.
const FIRST_PAYMENT_WITHIN: Timestamp = 23 * HOUR;

/// What becomes of a subscription, or of a change of it, that is not paid for at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum IfIncomplete {
    #[default]
    Allow,
    /// Nobody tries to pay: the customer is to.
    Default,
    Error,
    /// The invoice stays a draft: somebody only wants to see what it would be.
    Preview,
}

/// How what is to be paid at once is paid.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paying {
    pub(crate) behavior: IfIncomplete,
    /// The customer is not there.
    pub(crate) off_session: bool,
}

impl Paying {
    /// Nothing is paid, and nothing is made final.
    pub(crate) const PREVIEW: Self = Self {
        behavior: IfIncomplete::Preview,
        off_session: false,
    };

    /// Reads how what is to be paid at once is paid.
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let behavior = params.text("payment_behavior")?;
        let behavior = match behavior.as_deref() {
            Some("default_incomplete") => IfIncomplete::Default,
            Some("error_if_incomplete") => IfIncomplete::Error,
            Some("pending_if_incomplete") => {
                return Err(ApiError::invalid(
                    "The stand-in does not keep changes pending: payment_behavior can be allow_incomplete, \
                     default_incomplete or error_if_incomplete.",
                )
                .code("parameter_unsupported")
                .param("payment_behavior"));
            }
            _ => IfIncomplete::Allow,
        };
        Ok(Self {
            behavior,
            off_session: params.boolean("off_session")?.unwrap_or(false),
        })
    }
}

/// Begins a subscription with an invoice of these lines, which is to be paid now.
pub(crate) fn start(
    transaction: &Transaction<'_>,
    subscription: Subscription,
    lines: Vec<Line>,
    paying: Paying,
) -> Result<Subscription, ApiError> {
    begin(transaction, subscription, lines, |subscription, invoice| {
        collect(transaction, subscription, invoice, paying)
    })
}

/// The same with an invoice that is settled otherwise. Whether it was is what `settle` says.
pub(crate) fn begin<E: From<anyhow::Error>>(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
    lines: Vec<Line>,
    settle: impl FnOnce(&Subscription, &mut Invoice) -> Result<bool, E>,
) -> Result<Subscription, E> {
    let id = subscription
        .latest_invoice
        .get_or_insert_with(InvoiceId::random)
        .clone();
    currency::adopt(transaction, &subscription.customer, subscription.currency)?;
    subscription.keep(transaction)?;
    let event = record_early(transaction, "customer.subscription.created", &subscription)?;
    // A schedule begins its subscription when nobody is there, so its shop can look first.
    let by_itself = subscription.terms.collection.is_sent() || subscription.schedule.is_some();
    let why = bill::Why::Begun;
    let mut invoice = bill::draft(transaction, &mut subscription, id, why, lines, by_itself)?;
    subscription.keep(transaction)?;
    let is_due_now = !by_itself || invoice.totals().total == Amount::ZERO;
    if is_due_now && !settle(&subscription, &mut invoice)? {
        subscription.status = Status::Incomplete {
            until: transaction.now.saturating_add(FIRST_PAYMENT_WITHIN),
        };
    }
    save_method(transaction, &mut subscription, &invoice)?;
    subscription.keep(transaction)?;
    retell(transaction, event.as_deref(), &subscription)?;
    if let Some(trial) = subscription.trial
        && trial.end.saturating_sub(TRIAL_WARNING_BEFORE) <= transaction.now
    {
        tell_of_trial(transaction, &mut subscription)?;
    }
    Ok(subscription)
}

/// Finalizes an invoice, and tries to collect it. Whether that was done, or a bank has it in hand.
pub(crate) fn collect(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    invoice: &mut Invoice,
    paying: Paying,
) -> Result<bool, ApiError> {
    let behavior = paying.behavior;
    if behavior == IfIncomplete::Preview {
        return Ok(false);
    }
    invoice::life::finalize(transaction, invoice)?.map_err(|why| {
        let error = why.error();
        match why {
            NotFinalized::NoLocation => error.param("automatic_tax[enabled]"),
            _ => error,
        }
    })?;
    if invoice.status == InvoiceStatus::Paid {
        return Ok(true);
    }
    if behavior == IfIncomplete::Default {
        return Ok(false);
    }
    if collect::default_method(transaction, invoice)?.is_none() {
        return Err(nothing_to_pay_with(&subscription.customer));
    }
    let by = By::Shop {
        off_session: paying.off_session,
    };
    match collect::attempt(transaction, invoice, None, by)? {
        Outcome::Paid | Outcome::Pending => Ok(true),
        Outcome::Declined(error) if behavior == IfIncomplete::Error => {
            Err(error.answer(None))
        }
        Outcome::ActionRequired if behavior == IfIncomplete::Error => {
            Err(ApiError::invalid(
                "This payment requires additional user action before it can be completed \
                 successfully. Payment can be completed using the PaymentIntent associated with the \
                 subscription.",
            )
            .code("subscription_payment_intent_requires_action"))
        }
        _ => Ok(false),
    }
}

fn nothing_to_pay_with(customer: &str) -> ApiError {
    ApiError::invalid(format!(
        "This customer has no attached payment source or default payment method. Please consider adding \
         a default payment method. For more information, visit \
         https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority. \
         The customer is {customer}."
    ))
    .code("resource_missing")
}

/// Keeps a changed subscription, and tells of it if that can be seen.
pub(crate) fn change(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
    before: &Value,
) -> anyhow::Result<()> {
    subscription.keep(transaction)?;
    match subscription.answer() == *before {
        true => Ok(()),
        false => record_change(
            transaction,
            "customer.subscription.updated",
            before,
            subscription,
        ),
    }
}

pub(crate) fn latest_invoice(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> anyhow::Result<Option<Invoice>> {
    match &subscription.latest_invoice {
        Some(id) => transaction.get(id),
        None => Ok(None),
    }
}

/// What waits for the next invoice of this subscription itself.
pub(crate) fn waiting(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> anyhow::Result<Vec<InvoiceItem>> {
    let sweep = Sweep::Of(subscription.id.to_string());
    let customer = &subscription.customer;
    let mut items = pending(transaction, customer, subscription.currency, &sweep)?;
    items.retain(|item| item.subscription.is_some());
    Ok(items)
}

/// Nobody has paid the first invoice, and nobody can any more: there is no subscription.
pub(crate) fn expire(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
) -> anyhow::Result<()> {
    let before = transaction.shown_of(Subscription::KIND, &subscription.id)?;
    subscription.status = Status::IncompleteExpired;
    subscription.ended_at = Some(transaction.now);
    change(transaction, subscription, &before.unwrap_or_default())?;
    if let Some(mut invoice) = latest_invoice(transaction, subscription)? {
        // One that is paid or void stays so.
        let _ = invoice::life::void(transaction, &mut invoice)?;
    }
    Ok(())
}

/// It ends now, and nothing of it is collected any more. What has never begun does not end but expires,
/// which `customer.subscription.updated` tells.
pub(crate) fn end(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    reason: Reason,
) -> anyhow::Result<()> {
    let cancellation = &mut subscription.cancellation;
    cancellation.asked_at.get_or_insert(transaction.now);
    cancellation.reason.get_or_insert(reason);
    if !subscription.status.has_begun() {
        return expire(transaction, subscription);
    }
    subscription.status = Status::Canceled;
    subscription.ended_at = Some(transaction.now);
    stop_collecting(transaction, subscription)?;
    subscription.keep(transaction)?;
    record(transaction, "customer.subscription.deleted", subscription)?;
    let why = match subscription.cancellation.reason {
        Some(Reason::PaymentFailed) => ending::Why::Failed,
        _ => ending::Why::Asked,
    };
    ending::of_subscription(transaction, subscription.schedule.as_deref(), why)
}

/// Stripe collects none of its open invoices by itself any more (API reference, "Cancel a
/// subscription").
fn stop_collecting(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> anyhow::Result<()> {
    let invoices: Vec<Invoice> = transaction.having("customer", &subscription.customer)?;
    for mut invoice in invoices {
        let before = invoice.answer();
        let is_its = invoice.subscription() == Some(&subscription.id);
        if let InvoiceStatus::Open { next_attempt } = &mut invoice.status
            && is_its
        {
            *next_attempt = None;
            invoice.terms.auto_advance = false;
            collect::change(transaction, &invoice, &before)?;
        }
    }
    Ok(())
}

/// Its shop ends it at once. What the shop has entered itself stays, for another invoice.
pub(crate) fn cancel(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    gives_back: bool,
    bills_now: bool,
) -> anyhow::Result<()> {
    subscription.cancellation.at_period_end = false;
    subscription.cancellation.asked_at = Some(transaction.now);
    let is_billed = matches!(subscription.status, Status::Active | Status::PastDue);
    let has_begun = subscription.status.has_begun();
    if gives_back && is_billed {
        for item in &subscription.items {
            let left = subscription.left_from(transaction.now);
            bill::prorate(transaction, subscription, item, left, Prorated::Credit)?;
        }
    }
    if bills_now && has_begun && !waiting(transaction, subscription)?.is_empty() {
        let why = bill::Why::Changed;
        let id = InvoiceId::random();
        subscription.latest_invoice = Some(id.clone());
        bill::draft(transaction, subscription, id, why, Vec::new(), true)?;
    }
    if !gives_back && !bills_now {
        let waiting = waiting(transaction, subscription)?.into_iter();
        for item in waiting.filter(|item| item.proration.is_some()) {
            transaction.delete(InvoiceItem::KIND, &item.id)?;
            record(transaction, "invoiceitem.deleted", &item)?;
        }
    }
    end(transaction, subscription, Reason::CancellationRequested)
}

/// Tells that a trial ends soon.
pub(crate) fn tell_of_trial(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
) -> anyhow::Result<()> {
    subscription.told.trial_will_end = subscription.trial.map(|trial| trial.end);
    subscription.keep(transaction)?;
    record(
        transaction,
        "customer.subscription.trial_will_end",
        subscription,
    )
}

/// Nothing is billed until it is resumed. The current period ends here.
pub(crate) fn pause(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    why: PausedFor,
) -> anyhow::Result<()> {
    let before = subscription.answer();
    // An end that was to come with the period stays where it was.
    let end = subscription.ends_at();
    subscription.cancellation.at = end;
    subscription.cancellation.at_period_end = false;
    subscription.status = Status::Paused;
    subscription.paused = Some(Paused {
        at: transaction.now,
        why,
    });
    subscription.period.end = transaction.now;
    change(transaction, subscription, &before)?;
    record(transaction, "customer.subscription.paused", subscription)
}

/// Nobody can pay any more for it to go on.
pub(crate) fn stay_paused(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
) -> anyhow::Result<()> {
    let Some(resumption) = subscription.resumption.take() else {
        return Ok(());
    };
    subscription.keep(transaction)?;
    let mut invoice: Invoice = transaction.existing(&resumption.invoice)?;
    // One that is paid or void stays so.
    let _ = invoice::life::void(transaction, &mut invoice)?;
    Ok(())
}

/// The subscriptions in the time of this test clock that are not over.
pub(crate) fn living_in(
    transaction: &Transaction<'_>,
    clock: &str,
) -> anyhow::Result<Vec<Subscription>> {
    let theirs = Filter::default().and("clock = ?", [clock.to_owned().into()]);
    let mut all: Vec<Subscription> = transaction.some(Cursor::NewerThan(0), 10_000, &theirs)?;
    all.retain(|it| !it.status.is_over());
    Ok(all)
}

/// Takes a customer away, once their subscriptions are canceled.
pub(crate) fn delete_customer(
    transaction: &Transaction<'_>,
    customer: &str,
) -> Result<Value, ApiError> {
    for mut subscription in transaction.having::<Subscription>("customer", customer)? {
        if !subscription.status.is_over() {
            cancel(transaction, &mut subscription, false, false)?;
        }
    }
    ending::of_customer(transaction, customer)?;
    plain::remove(transaction, "customer", customer)
}

/// What has paid an invoice pays from then on, if its shop wants it so.
pub(crate) fn save_method(
    transaction: &Transaction<'_>,
    subscription: &mut Subscription,
    invoice: &Invoice,
) -> anyhow::Result<()> {
    if !subscription.terms.saves_method() || invoice.status != InvoiceStatus::Paid {
        return Ok(());
    }
    if let Some(id) = &invoice.intent {
        let intent: PaymentIntent = transaction.existing(id)?;
        let method = intent.payment_method.map(|method| method.to_string());
        subscription.terms.default_payment_method = method;
    }
    Ok(())
}

//! A subscription, its invoices, and what it entitles to, as JSON, under the HTTP API's names.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{RefundView, SellerDisputeView, SumsView, disputes, refunds};
use crate::{
    clock::rfc3339,
    invoice::{Invoice, InvoiceStatus, Period, Reason},
    money::{Currency, Money},
    product::{ProductId, Recurring},
    purchase::{
        Accounts, Attention, Buyer, InvoiceId, PaymentIntentId, PurchaseId, SubscriptionId,
    },
    standing::Standing,
    store::subscriptions::WithInvoices,
    subscription::{Entitlement, Item, Next, Pause, Reading, Subscription},
};

/// The most invoices that are shown of a subscription, the newest first.
const MOST_INVOICES: usize = 100;

/// A subscription as its buyer sees it in a list.
#[derive(Serialize)]
pub struct SubscriptionView<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_pay: Option<ToPayView<'a>>,
}

/// A subscription as its buyer sees it, with what was paid for it.
#[derive(Serialize)]
pub struct SubscriptionDetails<'a> {
    #[serde(flatten)]
    subscription: SubscriptionView<'a>,
    invoices: Vec<InvoiceView<'a>>,
}

/// A subscription as the seller sees it in a list.
#[derive(Serialize)]
pub struct SellerSubscription<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    buyer: &'a Buyer,
}

/// A subscription as the seller sees it, with what was paid for it.
#[derive(Serialize)]
pub struct SellerSubscriptionDetails<'a> {
    #[serde(flatten)]
    subscription: SubscriptionView<'a>,
    buyer: &'a Buyer,
    invoices: Vec<SellerInvoiceView<'a>>,
}

/// What everybody sees.
#[derive(Serialize)]
struct Summary<'a> {
    id: &'a SubscriptionId,
    /// The purchase with which it began.
    purchase_id: PurchaseId,
    status: Standing,
    items: Vec<ItemView<'a>>,
    #[serde(flatten)]
    reading: Option<ReadingView>,
}

#[derive(Serialize)]
pub(super) struct ItemView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<&'a ProductId>,
    name: &'a str,
    quantity: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_amount: Option<i64>,
    recurring: Recurring,
}

/// What is known once it has been read.
#[derive(Serialize)]
struct ReadingView {
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    started_at: String,
    period: PeriodView,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NextView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause: Option<PauseView>,
}

#[derive(Serialize)]
pub(super) struct PeriodView {
    start: String,
    end: String,
}

#[derive(Serialize)]
struct NextView {
    at: String,
    amount: Money,
}

#[derive(Serialize)]
struct PauseView {
    #[serde(skip_serializing_if = "Option::is_none")]
    resumes_at: Option<String>,
}

/// What has to be paid for it to go on.
#[derive(Serialize)]
struct ToPayView<'a> {
    invoice_id: &'a InvoiceId,
    amount: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<String>,
}

#[derive(Serialize)]
struct InvoiceView<'a> {
    id: &'a InvoiceId,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    status: InvoiceStatus,
    reason: Reason,
    created_at: String,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    #[serde(skip_serializing_if = "Option::is_none")]
    sums: Option<SumsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<PeriodView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

/// An invoice as the seller sees it: how often it was charged, by which payments, and everything
/// about disputes.
#[derive(Serialize)]
struct SellerInvoiceView<'a> {
    #[serde(flatten)]
    invoice: InvoiceView<'a>,
    /// What is to be paid: the total, less what the customer's balance covers.
    due: Money,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt: Option<String>,
    payment_intents: &'a BTreeSet<PaymentIntentId>,
    refunds: Vec<RefundView<'a>>,
    disputes: Vec<SellerDisputeView<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    attention: BTreeSet<Attention>,
}

/// A product to which a buyer is, or was, entitled.
#[derive(Serialize)]
pub struct EntitlementView {
    /// The product.
    pub product_id: ProductId,
    /// How many of it.
    pub quantity: u32,
    /// The subscription that entitles to it the longest.
    pub subscription_id: SubscriptionId,
    active: bool,
    active_until: String,
}

impl<'a> Summary<'a> {
    fn of(subscription: &'a Subscription) -> Self {
        let reading = subscription.reading();
        let items = reading.map(|it| it.items.as_slice()).unwrap_or_default();
        Self {
            id: subscription.id(),
            purchase_id: subscription.purchase(),
            status: Standing::Subscription(reading.map(|reading| reading.status)),
            items: items.iter().map(ItemView::of).collect(),
            reading: reading.map(ReadingView::of),
        }
    }
}

impl<'a> SubscriptionView<'a> {
    /// What its buyer sees at `now`.
    pub fn of(found: &'a WithInvoices, now: i64) -> Self {
        let reading = found.subscription.reading();
        let entitlement = reading.map(|it| Entitlement::of(it, &found.invoices, now, 0));
        Self {
            summary: Summary::of(&found.subscription),
            active: entitlement.is_some_and(|it| it.active),
            active_until: entitlement.and_then(|it| it.active_until).map(rfc3339),
            to_pay: ToPayView::of(found),
        }
    }
}

impl<'a> SellerSubscription<'a> {
    /// What the seller sees.
    pub fn of(subscription: &'a Subscription) -> Self {
        Self {
            summary: Summary::of(subscription),
            buyer: subscription.buyer(),
        }
    }
}

impl<'a> SellerSubscriptionDetails<'a> {
    /// What the seller sees at `now`, drafts included.
    pub fn of(found: &'a WithInvoices, now: i64) -> Self {
        let invoices = newest(found.invoices.iter());
        Self {
            subscription: SubscriptionView::of(found, now),
            buyer: found.subscription.buyer(),
            invoices: invoices
                .into_iter()
                .map(|invoice| SellerInvoiceView::of(invoice, found.subscription.reading()))
                .collect(),
        }
    }
}

impl<'a> SubscriptionDetails<'a> {
    /// What its buyer sees at `now`.
    pub fn of(found: &'a WithInvoices, now: i64) -> Self {
        let invoices = newest(found.invoices.iter().filter(|it| it.is_in_history()));
        Self {
            subscription: SubscriptionView::of(found, now),
            invoices: invoices.into_iter().map(InvoiceView::of).collect(),
        }
    }
}

/// As many of these as are shown, the newest first.
fn newest<'a>(invoices: impl Iterator<Item = &'a Invoice>) -> Vec<&'a Invoice> {
    let mut invoices: Vec<_> = invoices.collect();
    invoices.sort_by_key(|it| std::cmp::Reverse((it.bill().created_at, it.id())));
    invoices.truncate(MOST_INVOICES);
    invoices
}

impl<'a> ItemView<'a> {
    pub(super) fn of(item: &'a Item) -> Self {
        Self {
            product_id: item.product_id.as_ref(),
            name: &item.name,
            quantity: item.quantity,
            unit_amount: item.unit_amount,
            recurring: item.recurring,
        }
    }
}

impl ReadingView {
    fn of(reading: &Reading) -> Self {
        Self {
            currency: reading.currency,
            total: reading.total(),
            started_at: rfc3339(reading.started_at),
            period: PeriodView::of(reading.period),
            trial_end: reading.trial_end.map(rfc3339),
            cancel_at: reading.ends_at().map(rfc3339),
            ended_at: reading.ended_at.map(rfc3339),
            next: reading.next().map(|Next { at, amount }| NextView {
                at: rfc3339(at),
                amount,
            }),
            pause: reading.pause.map(|Pause { resumes_at, .. }| PauseView {
                resumes_at: resumes_at.map(rfc3339),
            }),
        }
    }
}

impl PeriodView {
    pub(super) fn of(period: Period) -> Self {
        Self {
            start: rfc3339(period.start),
            end: rfc3339(period.end),
        }
    }
}

impl<'a> ToPayView<'a> {
    /// The newest invoice, if it is still to be paid for the subscription to go on.
    fn of(found: &'a WithInvoices) -> Option<Self> {
        let is_over = |reading: &Reading| reading.is_over();
        if found.subscription.reading().is_none_or(is_over) {
            return None;
        }
        let open = found.invoices.iter();
        let open = open.filter(|it| it.status() == InvoiceStatus::Open && it.bill().attempts > 0);
        let newest = open.max_by_key(|it| (it.bill().created_at, it.id()))?;
        let bill = newest.bill();
        Some(Self {
            invoice_id: newest.id(),
            amount: bill.due,
            url: bill.page.as_deref(),
            next_attempt: bill.next_attempt.map(rfc3339),
        })
    }
}

impl<'a> InvoiceView<'a> {
    fn of(invoice: &'a Invoice) -> Self {
        let bill = invoice.bill();
        Self {
            id: invoice.id(),
            number: bill.number.as_deref(),
            status: invoice.status(),
            reason: bill.reason,
            created_at: rfc3339(bill.created_at),
            total: bill.total,
            accounts: invoice.accounts(),
            sums: bill.sums.map(|sums| SumsView::of((sums, bill.total))),
            period: bill.period.map(PeriodView::of),
            url: bill.page.as_deref(),
        }
    }
}

impl<'a> SellerInvoiceView<'a> {
    fn of(invoice: &'a Invoice, reading: Option<&Reading>) -> Self {
        let (bill, payment) = (invoice.bill(), invoice.payment());
        let is_late = reading.is_some_and(|it| it.had_ended_before(invoice));
        let late = is_late.then_some(Attention::PaidAfterEnd);
        Self {
            due: bill.due,
            attempts: bill.attempts,
            next_attempt: bill.next_attempt.map(rfc3339),
            payment_intents: invoice.intents(),
            refunds: refunds(payment, invoice.refunded_taxes()).collect(),
            disputes: disputes(payment).collect(),
            attention: invoice.attention().into_iter().chain(late).collect(),
            invoice: InvoiceView::of(invoice),
        }
    }
}

impl EntitlementView {
    /// What a buyer's subscriptions entitle to at `now`, product by product, if a payment may be
    /// `grace` seconds late. Of several subscriptions to a product, the one that lasts longest.
    pub fn of_buyer(found: &[WithInvoices], now: i64, grace: i64) -> Vec<Self> {
        let mut longest: BTreeMap<&ProductId, (i64, u32, &Subscription)> = BTreeMap::new();
        for WithInvoices {
            subscription,
            invoices,
        } in found
        {
            let Some(reading) = subscription.reading() else {
                continue;
            };
            let until = Entitlement::of(reading, invoices, now, grace).active_until;
            for item in &reading.items {
                let (Some(product), Some(until)) = (&item.product_id, until) else {
                    continue;
                };
                let this = (until, item.quantity, subscription);
                let known = longest.entry(product).or_insert(this);
                if until > known.0 {
                    *known = this;
                }
            }
        }
        let views = longest
            .into_iter()
            .map(|(product, (until, quantity, subscription))| Self {
                product_id: product.clone(),
                quantity,
                subscription_id: subscription.id().clone(),
                active: until > now,
                active_until: rfc3339(until),
            });
        views.collect()
    }
}

//! Invoices. Fields have moved between API versions, and an endpoint may have been made with any of
//! them: until 2025-03-31 (basil), an invoice named its subscription, payment intent and prorations
//! in its own members; since then they are in `parent`, `payments` and each line's `parent`.

use serde::Deserialize;
use serde_json::Value;

use super::{Expandable, Tags, Unreadable, payment_intent::Progress};
use crate::{
    config::Stack,
    invoice::{Bill, BilledLine, InvoiceReport, InvoiceState, Period, Reason, Trouble},
    money::{Currency, Money},
    purchase::{Buyer, Document, InvoiceId, PaymentIntentId, PurchaseId, SubscriptionId, Sums},
};

/// An invoice. One that is only foreseen has no id of its own.
#[derive(Deserialize)]
pub struct InvoiceObject {
    id: Option<String>,
    status: Option<InvoiceState>,
    currency: Currency,
    subtotal: Option<i64>,
    total: i64,
    total_discount_amounts: Option<Vec<Share>>,
    /// Since 2025-03-31 (basil).
    total_taxes: Option<Vec<Share>>,
    /// Before that.
    total_tax_amounts: Option<Vec<Share>>,
    amount_due: i64,
    amount_paid: i64,
    attempt_count: u32,
    billing_reason: Option<String>,
    created: i64,
    customer_email: Option<String>,
    hosted_invoice_url: Option<String>,
    invoice_pdf: Option<String>,
    lines: Lines,
    next_payment_attempt: Option<i64>,
    number: Option<String>,
    payments: Option<Payments>,
    payment_intent: Option<Expandable<PaymentIntentId>>,
    status_transitions: Option<Transitions>,
}

/// What one discount takes off, or one tax comes to.
#[derive(Deserialize)]
struct Share {
    amount: i64,
}

#[derive(Deserialize)]
struct Transitions {
    paid_at: Option<i64>,
}

/// Whose an invoice is: all that has to be readable of one that is not ours.
#[derive(Deserialize)]
pub struct WhoseInvoice {
    parent: Option<Parent>,
    subscription: Option<Expandable<SubscriptionId>>,
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Deserialize)]
struct Parent {
    subscription_details: Option<SubscriptionDetails>,
}

#[derive(Deserialize)]
struct SubscriptionDetails {
    metadata: Option<Tags>,
    subscription: Option<Expandable<SubscriptionId>>,
}

/// Of more than ten lines, an invoice shows the first ten (Stripe's documentation, "The Invoice
/// object"). What was waiting to be billed comes before what the subscription itself costs.
#[derive(Deserialize)]
struct Lines {
    data: Vec<Line>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct Line {
    amount: i64,
    description: Option<String>,
    period: Period,
    #[serde(default)]
    proration: bool,
    #[serde(rename = "type")]
    kind: Option<String>,
    parent: Option<LineParent>,
}

#[derive(Deserialize)]
struct LineParent {
    subscription_item_details: Option<ItemDetails>,
}

#[derive(Deserialize)]
struct ItemDetails {
    #[serde(default)]
    proration: bool,
}

#[derive(Deserialize)]
struct Payments {
    data: Vec<InvoicePayment>,
}

#[derive(Deserialize)]
struct InvoicePayment {
    status: String,
    payment: PaymentOfInvoice,
}

#[derive(Deserialize)]
struct PaymentOfInvoice {
    payment_intent: Option<IntentOfInvoice>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IntentOfInvoice {
    Id(PaymentIntentId),
    Object {
        id: PaymentIntentId,
        #[serde(flatten)]
        progress: Progress,
    },
}

/// What an invoice says.
#[derive(Debug)]
pub struct InvoiceStatement {
    /// The subscription it is for.
    pub subscription: SubscriptionId,
    /// The invoice.
    pub id: InvoiceId,
    /// What it says; of its period, only if the invoice shows all of its lines.
    pub report: InvoiceReport,
    /// Whether it has more lines than it shows.
    pub has_more_lines: bool,
    /// The purchase with which the subscription began, and the buyer as far as the invoice says;
    /// `None` if the invoice, of an API version of before 2023, does not say whose it is.
    pub tagged: Option<(PurchaseId, Buyer)>,
}

/// The payment of an invoice, fetched with its invoice expanded.
#[derive(Deserialize)]
pub struct PaidInvoice {
    /// The invoice.
    pub invoice: Value,
}

impl PaidInvoice {
    /// The query of `/invoice_payments` for the invoice that a payment intent pays. Such an intent has no tags of
    /// ours, and does not name the invoice.
    pub fn query(intent: &str) -> [(&'static str, &str); 3] {
        [
            ("payment[type]", "payment_intent"),
            ("payment[payment_intent]", intent),
            ("expand[]", "data.invoice"),
        ]
    }
}

impl InvoiceObject {
    /// The query that expands what its own events leave out: by what it is paid, and how far that
    /// has come.
    pub const EXPAND: [(&str, &str); 1] = [("expand[]", "payments.data.payment.payment_intent")];

    /// Its id; an error if it is only foreseen.
    pub fn id(&self) -> Result<InvoiceId, Unreadable> {
        let id = self.id.clone().unwrap_or_default();
        id.try_into()
            .map_err(|error| Unreadable(format!("id: {error}")))
    }

    /// What it says. `trouble` is what an event says of the latest attempt to charge it; if it is
    /// `None` and the payment intents are expanded, they say it.
    pub fn report(&self, trouble: Option<Trouble>) -> Result<InvoiceReport, Unreadable> {
        let state = self.status;
        let money = |amount| Money::new(amount, self.currency);
        Ok(InvoiceReport {
            state: state.ok_or_else(|| Unreadable("status is missing".to_owned()))?,
            bill: Bill {
                attempts: self.attempt_count,
                paid: money(self.amount_paid),
                due: money(self.amount_due),
                total: money(self.total),
                number: self.number.clone(),
                page: self.hosted_invoice_url.clone().filter(|url| is_web(url)),
                period: period(&self.lines.data).filter(|_| !self.lines.has_more),
                reason: self.reason(),
                next_attempt: self.next_payment_attempt,
                created_at: self.created,
                lines: self.lines(),
                paid_at: self.status_transitions.as_ref().and_then(|it| it.paid_at),
                sums: self.sums().filter(|sums| !sums.are_only_goods()),
            },
            trouble: trouble.or_else(|| self.trouble()),
            intent: self.intent(),
        })
    }

    /// What it is to whoever bought something once, if it is paid; it cannot change any more then.
    pub fn document(&self) -> Option<Document> {
        let link = |url: &Option<String>| url.clone().filter(|url| is_web(url));
        let paid = self.status == Some(InvoiceState::Paid);
        paid.then(|| Document {
            number: self.number.clone(),
            page: link(&self.hosted_invoice_url),
            pdf: link(&self.invoice_pdf),
        })
    }

    /// How its total comes about.
    fn sums(&self) -> Option<Sums> {
        let sum = |shares: &Option<Vec<Share>>| {
            let amounts = shares.iter().flatten().map(|share| share.amount);
            amounts.fold(0_i64, i64::saturating_add)
        };
        Some(Sums {
            subtotal: self.subtotal?,
            discount: sum(&self.total_discount_amounts),
            shipping: 0,
            tax: match &self.total_taxes {
                Some(_) => sum(&self.total_taxes),
                None => sum(&self.total_tax_amounts),
            },
        })
    }

    /// The payment intent that pays it: the one that did or, until then, the newest.
    fn intent(&self) -> Option<PaymentIntentId> {
        let former = self.payment_intent.as_ref().map(Expandable::id);
        let mut payments = self.payments().filter(|payment| payment.intent().is_some());
        let paid = self.payments().find(|payment| payment.status == "paid");
        let newer = paid.or_else(|| payments.next());
        let newer = newer.and_then(|payment| payment.intent());
        newer.map(IntentOfInvoice::id).or(former).cloned()
    }

    /// What went wrong with the latest attempt, according to its payment intent.
    fn trouble(&self) -> Option<Trouble> {
        let open = self.payments().find(|payment| payment.status == "open")?;
        let IntentOfInvoice::Object { progress, .. } = open.intent()? else {
            return None;
        };
        if self.attempt_count == 0 {
            None
        } else if progress.has_failed() {
            Some(Trouble::Failed)
        } else if progress.requires_action() {
            Some(Trouble::ActionRequired)
        } else {
            None
        }
    }

    fn payments(&self) -> impl Iterator<Item = &InvoicePayment> {
        self.payments.iter().flat_map(|payments| &payments.data)
    }

    fn reason(&self) -> Reason {
        match self.billing_reason.as_deref() {
            Some("subscription_create") => Reason::First,
            Some("subscription_cycle") => Reason::Renewal,
            Some("subscription_update") => Reason::Change,
            _ => Reason::Other,
        }
    }

    fn lines(&self) -> Vec<BilledLine> {
        /// As many as Stripe's events have.
        const MOST: usize = 10;
        let lines = self.lines.data.iter().take(MOST);
        lines
            .map(|line| BilledLine {
                name: line.description.clone().unwrap_or_default(),
                amount: line.amount,
            })
            .collect()
    }
}

impl InvoiceStatement {
    /// What an invoice says to the deployment `stack`; `None` if it is not for one of its
    /// subscriptions. `trouble` is what its event says of the latest attempt to charge it.
    pub fn of(
        object: Value,
        trouble: Option<Trouble>,
        stack: &Stack,
    ) -> Result<Option<Self>, Unreadable> {
        let whose = WhoseInvoice::deserialize(&object)?;
        let Some(subscription) = whose.subscription().cloned() else {
            return Ok(None);
        };
        let tags = whose.tags();
        let purchase = tags.map(|tags| tags.purchase(stack)).transpose()?;
        if purchase == Some(None) {
            return Ok(None);
        }
        let invoice: InvoiceObject = serde_json::from_value(object)?;
        let buyer = tags.map(|tags| tags.buyer(invoice.customer_email.clone()));
        let tagged = purchase.flatten().zip(buyer);
        Ok(Some(Self {
            subscription,
            id: invoice.id()?,
            report: invoice.report(trouble)?,
            has_more_lines: invoice.lines.has_more,
            tagged,
        }))
    }

    /// The same, with all of the invoice's lines.
    pub(crate) fn with_all_lines(mut self, lines: Vec<Value>) -> Result<Self, Unreadable> {
        let lines = lines.into_iter().map(serde_json::from_value);
        self.report.bill.period = period(&lines.collect::<Result<Vec<Line>, _>>()?);
        self.has_more_lines = false;
        Ok(self)
    }
}

impl WhoseInvoice {
    /// The subscription it is for, if it is for one.
    pub fn subscription(&self) -> Option<&SubscriptionId> {
        let details = self.details();
        let of = details.and_then(|details| details.subscription.as_ref());
        of.or(self.subscription.as_ref()).map(Expandable::id)
    }

    /// The subscription's metadata, as it was when the invoice was made; `None` if it is not here.
    pub fn tags(&self) -> Option<&Tags> {
        self.details()?.metadata.as_ref()
    }

    fn details(&self) -> Option<&SubscriptionDetails> {
        let parent = self.parent.as_ref();
        let details = parent.and_then(|parent| parent.subscription_details.as_ref());
        details.or(self.subscription_details.as_ref())
    }
}

impl Line {
    /// Whether it is what a subscription costs for a period, rather than an adjustment or a
    /// one-time charge.
    fn is_of_period(&self) -> bool {
        match &self.parent {
            Some(parent) => {
                let details = parent.subscription_item_details.as_ref();
                details.is_some_and(|details| !details.proration)
            }
            None => self.kind.as_deref() == Some("subscription") && !self.proration,
        }
    }
}

impl InvoicePayment {
    fn intent(&self) -> Option<&IntentOfInvoice> {
        self.payment.payment_intent.as_ref()
    }
}

impl IntentOfInvoice {
    fn id(&self) -> &PaymentIntentId {
        match self {
            Self::Id(id) | Self::Object { id, .. } => id,
        }
    }
}

/// The time that the subscription's own lines pay for. The invoice's own period is that in which it
/// was put together.
fn period(lines: &[Line]) -> Option<Period> {
    let own = lines.iter().filter(|line| line.is_of_period());
    own.map(|line| line.period).max_by_key(|period| period.end)
}

/// It becomes a link.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

//! What other systems are told: events for a bus. Code that others have written reads them, so what
//! is here stays as it is; `functions/events.schema.json` describes it, and a test holds the two together.
//! A buyer is named by their subject alone.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    LineView, ParcelView, RefundView, lines, refunds,
    subscription::{ItemView, PeriodView},
};
use crate::{
    clock::rfc3339,
    invoice::{Invoice, InvoiceStatus},
    mode::Mode,
    money::Money,
    purchase::{
        Accounts, Announced, Announcements, Buyer, DisputeId, DisputeStatus, InvoiceId, News,
        Payment, Purchase, PurchaseId, RefundId, Status, Subject, SubscriptionId,
    },
    store::subscriptions::WithInvoices,
    subscription::{Reading, Subscription, SubscriptionStatus},
};

/// The version of the JSON. A member may be added to it at any time; what is there changes its name
/// or meaning only with another version.
const SCHEMA: u32 = 1;

/// An event for other systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// `<subject>#<news>`: the same, however often it is published.
    pub id: String,
    /// Its type, such as `purchase.paid`.
    pub kind: String,
    /// Its JSON.
    pub detail: String,
    /// The id of the one before it that is about the same subject.
    pub after: Option<String>,
}

/// How something is told.
#[derive(Clone, Copy, Debug)]
pub struct Telling {
    /// Whether real money moves.
    pub mode: Mode,
    /// It was told before.
    pub replay: bool,
}

#[derive(Serialize)]
struct Detail<'a> {
    schema: u32,
    id: &'a str,
    subject: &'a Subject,
    /// Orders what is told of one subject.
    sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
    replay: bool,
    livemode: bool,
    #[serde(flatten)]
    about: About<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<RefundView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dispute: Option<ToldDispute<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum About<'a> {
    Purchase(ToldPurchase<'a>),
    Invoice(ToldInvoice<'a>),
    Subscription(ToldSubscription<'a>),
}

#[derive(Serialize)]
struct ToldBuyer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
}

#[derive(Serialize)]
struct ToldPurchase<'a> {
    id: PurchaseId,
    status: Status,
    created_at: String,
    buyer: ToldBuyer<'a>,
    lines: Vec<LineView<'a>>,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parcels: Vec<ParcelView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<&'a SubscriptionId>,
}

#[derive(Serialize)]
struct ToldInvoice<'a> {
    id: &'a InvoiceId,
    subscription_id: &'a SubscriptionId,
    purchase_id: PurchaseId,
    status: InvoiceStatus,
    created_at: String,
    buyer: ToldBuyer<'a>,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    /// The time it pays for.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<PeriodView>,
}

#[derive(Serialize)]
struct ToldSubscription<'a> {
    id: &'a SubscriptionId,
    purchase_id: PurchaseId,
    status: SubscriptionStatus,
    buyer: ToldBuyer<'a>,
    items: Vec<ItemView<'a>>,
    period: PeriodView,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_end: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancel_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

#[derive(Serialize)]
struct ToldDispute<'a> {
    id: &'a DisputeId,
    status: DisputeStatus,
    amount: Money,
}

impl Publication {
    /// What is told of a purchase. `None` if this was never announced.
    pub fn of_purchase(purchase: &Purchase, news: &News, telling: Telling) -> Option<Self> {
        let subject = Subject::Purchase(purchase.id());
        let about = About::Purchase(ToldPurchase {
            id: purchase.id(),
            status: purchase.status(),
            created_at: rfc3339(purchase.id().created_at().unix_timestamp()),
            buyer: ToldBuyer::of(&purchase.order().buyer),
            lines: lines(purchase).map(|(line, _)| line).collect(),
            total: purchase.order().total,
            accounts: purchase.accounts(),
            parcels: purchase.parcels().map(ParcelView::of).collect(),
            subscription_id: purchase.subscription(),
        });
        let (all, payment) = (purchase.announced(), purchase.payment());
        Self::of(&subject, all, news, (about, payment), telling)
    }

    /// What is told of an invoice. `None` if this was never announced.
    pub fn of_invoice(invoice: &Invoice, news: &News, telling: Telling) -> Option<Self> {
        let subject = invoice.subject();
        let about = About::Invoice(ToldInvoice {
            id: invoice.id(),
            subscription_id: invoice.subscription(),
            purchase_id: invoice.purchase(),
            status: invoice.status(),
            created_at: rfc3339(invoice.bill().created_at),
            buyer: ToldBuyer::of(invoice.buyer()),
            total: invoice.bill().total,
            accounts: invoice.accounts(),
            period: invoice.bill().period.map(PeriodView::of),
        });
        let (all, payment) = (invoice.announced(), invoice.payment());
        Self::of(&subject, all, news, (about, payment), telling)
    }

    /// Everything that was told of a purchase, in the order in which it was. With it, when, in Unix
    /// seconds; for what nobody was told, when the purchase was made.
    pub fn all_of_purchase(purchase: &Purchase, telling: Telling) -> Vec<(i64, Self)> {
        let made_at = purchase.id().created_at().unix_timestamp();
        let of = |news: &News| Self::of_purchase(purchase, news, telling);
        in_order(purchase.announced(), made_at, of)
    }

    /// The same of a subscription and its invoices: each invoice's in order, and then how the
    /// subscription stands.
    pub fn all_of_subscription(found: &WithInvoices, telling: Telling) -> Vec<(i64, Self)> {
        let mut all = Vec::new();
        for invoice in &found.invoices {
            let of = |news: &News| Self::of_invoice(invoice, news, telling);
            all.extend(in_order(invoice.announced(), invoice.bill().created_at, of));
        }
        let subscription = &found.subscription;
        let turn = subscription.turn().zip(subscription.reading());
        all.extend(turn.and_then(|(turn, reading)| {
            let told = Self::of_subscription(subscription, reading, telling)?;
            Some((turn.at, told))
        }));
        all
    }

    fn of(
        subject: &Subject,
        all: &Announcements,
        news: &News,
        (about, payment): (About<'_>, &Payment),
        telling: Telling,
    ) -> Option<Self> {
        let announced = all.get(news)?;
        let id = format!("{subject}#{news}");
        // How much of it is tax is not said here.
        let refund = |id: &RefundId| {
            let mut refunds = refunds(payment, BTreeMap::new());
            refunds.find(|refund| refund.id == id)
        };
        let dispute = |id: &DisputeId| ToldDispute::of(id, payment);
        let (refund, dispute) = match news {
            News::Refunded(id) | News::RefundFailed(id) => (refund(id), None),
            News::Disputed(id) | News::DisputeClosed(id, _) => (None, dispute(id)),
            News::Expired
            | News::Failed
            | News::ChargeFailed(_)
            | News::Paid
            | News::Fulfilled(_) => (None, None),
        };
        let detail = Detail {
            refund,
            dispute,
            ..Detail::new(&id, subject, *announced, about, telling)
        };
        Some(Self {
            kind: kind(subject, news.verb()),
            detail: detail.json(),
            after: before(all, news).map(|before| format!("{subject}#{before}")),
            id,
        })
    }

    /// What is told of a subscription that was read. `None` if there is nothing to tell.
    pub fn of_subscription(
        subscription: &Subscription,
        reading: &Reading,
        telling: Telling,
    ) -> Option<Self> {
        let turn = subscription.turn()?;
        let subject = subscription.subject();
        let id = format!("{subject}#{}", turn.name());
        let about = About::Subscription(ToldSubscription {
            id: subscription.id(),
            purchase_id: subscription.purchase(),
            status: reading.status,
            buyer: ToldBuyer::of(subscription.buyer()),
            items: reading.items.iter().map(ItemView::of).collect(),
            period: PeriodView::of(reading.period),
            trial_end: reading.trial_end.map(rfc3339),
            cancel_at: reading.cancel_at.map(rfc3339),
            ended_at: reading.ended_at.map(rfc3339),
        });
        let announced = Announced {
            sequence: turn.version,
            at: Some(turn.at),
        };
        Some(Self {
            kind: kind(&subject, turn.kind.verb()),
            detail: Detail::new(&id, &subject, announced, about, telling).json(),
            after: turn.before().map(|before| format!("{subject}#{before}")),
            id,
        })
    }
}

/// The type of an event. What happens to an invoice happens to its subscription.
fn kind(subject: &Subject, verb: &str) -> String {
    let noun = match subject {
        Subject::Purchase(_) => "purchase",
        Subject::Subscription(_) | Subject::Invoice(..) => "subscription",
    };
    format!("{noun}.{verb}")
}

/// What was announced, the earliest first.
fn in_order(
    announced: &Announcements,
    made_at: i64,
    told: impl Fn(&News) -> Option<Publication>,
) -> Vec<(i64, Publication)> {
    let mut all: Vec<_> = announced.iter().collect();
    all.sort_by_key(|(news, announced)| (announced.sequence, *news));
    let all = all.into_iter();
    all.filter_map(|(news, announced)| Some((announced.at.unwrap_or(made_at), told(news)?)))
        .collect()
}

/// What was announced right before this.
fn before<'a>(all: &'a Announcements, news: &News) -> Option<&'a News> {
    let place = |one: &News| all.get(one).map(|announced| announced.sequence);
    let this = (place(news), news);
    let earlier = all.keys().map(|one| (place(one), one));
    let latest = earlier.filter(|one| *one < this).max();
    latest.map(|(_, before)| before)
}

impl<'a> Detail<'a> {
    fn new(
        id: &'a str,
        subject: &'a Subject,
        announced: Announced,
        about: About<'a>,
        telling: Telling,
    ) -> Self {
        Self {
            schema: SCHEMA,
            id,
            subject,
            sequence: announced.sequence,
            recorded_at: announced.at.map(rfc3339),
            replay: telling.replay,
            livemode: telling.mode.livemode(),
            about,
            refund: None,
            dispute: None,
        }
    }

    /// What is here is texts and numbers, which can always be written.
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl<'a> ToldBuyer<'a> {
    fn of(buyer: &'a Buyer) -> Self {
        Self {
            subject: buyer.subject.as_deref(),
        }
    }
}

impl<'a> ToldDispute<'a> {
    fn of(id: &DisputeId, payment: &'a Payment) -> Option<Self> {
        let (id, dispute) = payment.disputes().get_key_value(id)?;
        Some(Self {
            id,
            status: dispute.status()?,
            amount: dispute.terms()?.amount,
        })
    }
}

//! A purchase as JSON, under the HTTP API's names: what its buyer sees of it, what the seller does,
//! and what other systems are told.

mod publication;
mod subscription;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer, ser::SerializeMap};
use time::format_description::well_known::Rfc3339;

use crate::{
    clock::rfc3339,
    files::Link,
    money::Money,
    product::{FileName, ProductFile, ProductId, Recurring},
    purchase::{
        Accounts, Address, Attempt, Attention, Buyer, DisputeId, DisputeStatus, DisputeTerms,
        Document, Movement, Parcel, ParcelId, Payment, Purchase, PurchaseId, RefundId, RefundState,
        SessionId, SessionState, Status, Subject, SubscriptionId, Sums, WaitsFor,
    },
};

pub use self::publication::{Publication, Telling};
pub use self::subscription::{
    EntitlementView, SellerSubscription, SellerSubscriptionDetails, SubscriptionDetails,
    SubscriptionView,
};

/// A purchase as its buyer sees it: what they ordered, and what became of their money. A dispute's
/// fee, reason, deadline and movements on the balance are shown only to the seller.
#[derive(Serialize)]
pub struct BuyerView<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    lines: Vec<LineView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<BuyerDisputeView<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    attention: BTreeSet<Attention>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    downloads: Vec<DownloadView<'a>>,
}

/// A purchase as the seller sees it: who bought, through which sessions, and everything about
/// disputes.
#[derive(Serialize)]
pub struct SellerView<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    attention: BTreeSet<Attention>,
    buyer: &'a Buyer,
    lines: Vec<StockedLineView<'a>>,
    sessions: Vec<SessionView<'a>>,
    refunds: Vec<RefundView<'a>>,
    disputes: Vec<SellerDisputeView<'a>>,
}

/// What both see.
#[derive(Serialize)]
struct Summary<'a> {
    id: PurchaseId,
    status: Status,
    /// Only for the buyer; the seller sees it for each session.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'a WaitsFor>,
    created_at: String,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    /// How what was paid comes about.
    #[serde(skip_serializing_if = "Option::is_none")]
    sums: Option<SumsView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryView<'a>>,
    /// What the seller sent, or did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parcels: Vec<ParcelView<'a>>,
    /// The invoice that Stripe wrote of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice: Option<DocumentView<'a>>,
    /// The subscription that began with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription_id: Option<&'a SubscriptionId>,
}

#[derive(Serialize)]
struct LineView<'a> {
    product_id: &'a ProductId,
    name: &'a str,
    quantity: u32,
    unit_amount: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring: Option<Recurring>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    shipped: bool,
}

/// From what the goods cost to what was paid: subtotal − discount + shipping + tax − what of the tax
/// was in these already, is the total.
#[derive(Serialize)]
struct SumsView {
    subtotal: Money,
    discount: Money,
    shipping: Money,
    tax: Money,
    /// How much of the tax is in the prices, so that it does not come on top.
    tax_included: Money,
    total: Money,
}

/// Where it goes.
#[derive(Serialize)]
struct DeliveryView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    address: &'a Address,
    /// The shipping rate that was chosen, if anything was to choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<&'a str>,
}

/// What the seller sent, or did.
#[derive(Serialize)]
struct ParcelView<'a> {
    sent_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    carrier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tracking_url: Option<&'a str>,
}

/// An invoice that Stripe wrote, and where it is.
#[derive(Serialize)]
struct DocumentView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pdf: Option<&'a str>,
}

/// A file that was bought, and where it is for the moment.
#[derive(Serialize)]
struct DownloadView<'a> {
    product_id: &'a ProductId,
    name: &'a FileName,
    /// In bytes, when it was bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    url: String,
    expires_at: String,
}

#[derive(Serialize)]
struct StockedLineView<'a> {
    #[serde(flatten)]
    line: LineView<'a>,
    /// Whether it was taken from a limited stock.
    reserved: bool,
}

/// Where to pay, and until when.
#[derive(Serialize)]
struct PaymentView<'a> {
    url: &'a str,
    expires_at: String,
}

#[derive(Serialize)]
struct SessionView<'a> {
    id: &'a SessionId,
    #[serde(flatten)]
    state: &'a SessionState,
}

#[derive(Serialize)]
struct RefundView<'a> {
    id: &'a RefundId,
    status: RefundState,
    amount: Money,
    /// How much of it is tax, if tax was paid and it reaches the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<Money>,
}

/// A dispute as the buyer, who raised it, sees it.
#[derive(Serialize)]
struct BuyerDisputeView<'a> {
    id: &'a DisputeId,
    status: DisputeStatus,
    amount: Money,
}

#[derive(Serialize)]
struct SellerDisputeView<'a> {
    id: &'a DisputeId,
    status: DisputeStatus,
    #[serde(flatten)]
    terms: &'a DisputeTerms,
    /// What it moved, in the currency of the seller's balance.
    balance: Vec<Movement>,
}

impl<'a> BuyerView<'a> {
    /// What its buyer sees at `now`, in Unix seconds. The payment page is shown while it can be
    /// used.
    pub fn of(purchase: &'a Purchase, now: i64) -> Self {
        let disputes = purchase.payment().disputes().iter();
        let disputes = disputes.filter_map(|(id, dispute)| {
            Some(BuyerDisputeView {
                id,
                status: dispute.status()?,
                amount: dispute.terms()?.amount,
            })
        });
        let created_at = purchase.id().created_at().format(&Rfc3339);
        Self {
            summary: Summary {
                waits_for: purchase.waits_for(),
                // To the millisecond, as the API has always had it.
                created_at: created_at.unwrap_or_default(),
                ..Summary::of(purchase)
            },
            lines: lines(purchase).map(|(line, _)| line).collect(),
            payment: PaymentView::of(purchase, now),
            refunds: refunds(purchase.payment(), purchase.refunded_taxes()).collect(),
            disputes: disputes.collect(),
            attention: purchase.attention(),
            downloads: Vec::new(),
        }
    }

    /// The same with a link to each file that may be downloaded, made by `link`.
    pub fn with_downloads<E>(
        self,
        purchase: &'a Purchase,
        link: impl Fn(&ProductId, &FileName) -> Result<Link, E>,
    ) -> Result<Self, E> {
        let downloads = purchase.downloads().map(|(product_id, file)| {
            let ProductFile { name, size } = file;
            let Link { url, expires_at } = link(product_id, name)?;
            Ok(DownloadView {
                product_id,
                name,
                size: *size,
                url,
                expires_at: rfc3339(expires_at),
            })
        });
        Ok(Self {
            downloads: downloads.collect::<Result<_, E>>()?,
            ..self
        })
    }
}

impl<'a> SellerView<'a> {
    /// What the seller sees.
    pub fn of(purchase: &'a Purchase) -> Self {
        let sessions = purchase.sessions().iter();
        Self {
            summary: Summary::of(purchase),
            attention: purchase.attention(),
            buyer: &purchase.order().buyer,
            lines: lines(purchase)
                .map(|(line, reserved)| StockedLineView { line, reserved })
                .collect(),
            sessions: sessions
                .map(|(id, state)| SessionView { id, state })
                .collect(),
            refunds: refunds(purchase.payment(), purchase.refunded_taxes()).collect(),
            disputes: disputes(purchase.payment()).collect(),
        }
    }
}

impl<'a> Summary<'a> {
    fn of(purchase: &'a Purchase) -> Self {
        Self {
            id: purchase.id(),
            status: purchase.status(),
            waits_for: None,
            created_at: rfc3339(purchase.id().created_at().unix_timestamp()),
            total: purchase.order().total,
            accounts: purchase.accounts(),
            sums: purchase.sums().map(SumsView::of),
            delivery: DeliveryView::of(purchase),
            parcels: purchase.parcels().map(ParcelView::of).collect(),
            invoice: purchase.document().map(DocumentView::of),
            subscription_id: purchase.subscription(),
        }
    }
}

impl SumsView {
    fn of((sums, total): (Sums, Money)) -> Self {
        let money = |amount| Money::new(amount, total.currency);
        Self {
            subtotal: money(sums.subtotal),
            discount: money(sums.discount),
            shipping: money(sums.shipping),
            tax: money(sums.tax),
            tax_included: money(sums.tax_included(total.amount)),
            total,
        }
    }
}

impl<'a> DeliveryView<'a> {
    fn of(purchase: &'a Purchase) -> Option<Self> {
        let delivery = purchase.delivery()?;
        Some(Self {
            name: delivery.name.as_deref(),
            phone: delivery.phone.as_deref(),
            address: &delivery.address,
            rate: purchase.shipping_rate(),
        })
    }
}

impl<'a> ParcelView<'a> {
    fn of((id, parcel): (&'a ParcelId, &'a Parcel)) -> Self {
        Self {
            sent_at: rfc3339(parcel.at),
            tracking_number: id.number(),
            carrier: parcel.carrier.as_deref(),
            tracking_url: parcel.tracking_url.as_deref(),
        }
    }
}

impl<'a> DocumentView<'a> {
    fn of(document: &'a Document) -> Self {
        Self {
            number: document.number.as_deref(),
            url: document.page.as_deref(),
            pdf: document.pdf.as_deref(),
        }
    }
}

impl<'a> PaymentView<'a> {
    fn of(purchase: &'a Purchase, now: i64) -> Option<Self> {
        let Attempt {
            url, expires_at, ..
        } = purchase.attempt();
        let payable = purchase.awaits_payment() && *expires_at > now;
        let url = url.as_deref().filter(|_| payable)?;
        Some(Self {
            url,
            expires_at: rfc3339(*expires_at),
        })
    }
}

/// Each line, and whether it was taken from a limited stock.
fn lines(purchase: &Purchase) -> impl Iterator<Item = (LineView<'_>, bool)> {
    purchase.order().lines.iter().map(|line| {
        let view = LineView {
            product_id: &line.product_id,
            name: &line.name,
            quantity: line.quantity,
            unit_amount: line.unit_amount,
            recurring: line.recurring,
            shipped: line.shipped,
        };
        (view, line.reserved)
    })
}

fn refunds<'a>(
    payment: &'a Payment,
    taxes: BTreeMap<RefundId, Money>,
) -> impl Iterator<Item = RefundView<'a>> {
    let refunds = payment.refunds().iter();
    refunds.map(move |(id, refund)| RefundView {
        id,
        status: refund.state,
        amount: refund.amount,
        tax: taxes.get(id).copied(),
    })
}

fn disputes(payment: &Payment) -> impl Iterator<Item = SellerDisputeView<'_>> {
    let disputes = payment.disputes().iter();
    disputes.filter_map(|(id, dispute)| {
        Some(SellerDisputeView {
            id,
            status: dispute.status()?,
            terms: dispute.terms()?,
            balance: dispute.movements.values().copied().collect(),
        })
    })
}

/// What something is about, as members named by its kind: `"purchase": "<id>"`,
/// `"subscription": "<id>"`, and for an invoice both `"subscription"` and `"invoice"`.
pub fn by_kind<S: Serializer>(subject: &Subject, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    match subject {
        Subject::Purchase(id) => map.serialize_entry("purchase", id)?,
        Subject::Subscription(id) => map.serialize_entry("subscription", id)?,
        Subject::Invoice(subscription, id) => {
            map.serialize_entry("subscription", subscription)?;
            map.serialize_entry("invoice", id)?;
        }
    }
    map.end()
}

#[cfg(test)]
mod tests;

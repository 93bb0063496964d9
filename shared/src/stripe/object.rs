//! Stripe's objects, as events carry them and its API answers them: the few fields that tell
//! something of a purchase, so that the rest of Stripe may change its shape.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::metadata;
use crate::{
    config::Stack,
    money::{Currency, Money},
    product::ProductId,
    purchase::{
        Buyer, Change, ChargeId, DisputeId, DisputeReport, DisputeStatus, DisputeTerms, Line,
        Movement, PaymentIntentId, Refund, RefundId, RefundState, SessionId, SessionState, Subject,
        TransactionId, WaitsFor,
    },
};

/// It is authentic, but does not read as Stripe's documentation says it would.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) String);

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self(error.to_string())
    }
}

/// An id, or the object with that id.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Expandable<Id> {
    Id(Id),
    Object { id: Id },
}

impl<Id> Expandable<Id> {
    fn into_id(self) -> Id {
        match self {
            Self::Id(id) | Self::Object { id } => id,
        }
    }
}

/// What we wrote on an object when it was made.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// What of the deployment `stack` the object is about; `None` if its tags are not that one's.
    pub fn subject(&self, stack: &Stack) -> Result<Option<Subject>, Unreadable> {
        let tag = self.0.get(metadata::STACK);
        if !tag.is_some_and(|tag| stack.owns(tag)) {
            return Ok(None);
        }
        let id = self.0.get(metadata::PURCHASE_ID);
        let id = id.ok_or_else(|| Unreadable("metadata.purchase_id is missing".to_owned()))?;
        let id = id.parse();
        id.map(Some)
            .map_err(|error| Unreadable(format!("metadata.purchase_id: {error}")))
    }

    fn buyer(&self, email: Option<String>) -> Buyer {
        Buyer {
            subject: self.0.get(metadata::BUYER).cloned(),
            email,
            language: None,
        }
    }
}

/// A Checkout session.
#[derive(Deserialize)]
pub struct Session {
    /// `cs_…`
    pub id: SessionId,
    /// What we wrote on it. Stripe sends it always, if only empty.
    pub metadata: Option<Tags>,
    status: Option<String>,
    payment_status: String,
    amount_total: Option<i64>,
    currency: Option<Currency>,
    payment_intent: Option<IntentOfSession>,
    customer_details: Option<CustomerDetails>,
    customer_email: Option<String>,
}

/// What an event says has happened to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SessionEvent {
    /// The buyer is through with it, and has paid or is going to.
    Completed,
    /// A delayed payment came.
    PaymentSucceeded,
    /// A delayed payment did not come.
    PaymentFailed,
    /// Nobody paid it in time.
    Expired,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum IntentOfSession {
    Id(PaymentIntentId),
    Object {
        id: PaymentIntentId,
        #[serde(flatten)]
        progress: Progress,
    },
}

/// How far a payment intent has come.
#[derive(Deserialize)]
struct Progress {
    status: String,
    /// What the buyer has to do, by its kind.
    next_action: Option<Value>,
}

impl Progress {
    /// Whether the payment that its session was completed with came to nothing.
    fn has_failed(&self) -> bool {
        matches!(self.status.as_str(), "requires_payment_method" | "canceled")
    }

    /// What a payment that was not made yet waits for.
    fn waits_for(&self) -> WaitsFor {
        match self.status.as_str() {
            "requires_action" => WaitsFor::Buyer {
                voucher_url: self.voucher_url(),
            },
            _ => WaitsFor::Bank,
        }
    }

    /// Each kind of voucher (`oxxo_display_details`, `boleto_display_details` …) has its page in
    /// a member of the same name; transfers and accounts to be verified have theirs.
    fn voucher_url(&self) -> Option<String> {
        let action = self.next_action.as_ref()?;
        let details = action.get(action.get("type")?.as_str()?)?;
        let pages = [
            "hosted_voucher_url",
            "hosted_instructions_url",
            "hosted_verification_url",
        ];
        let url = pages.iter().find_map(|page| details.get(page)?.as_str())?;
        // It becomes a link.
        let is_web = url.starts_with("https://") || url.starts_with("http://");
        is_web.then(|| url.to_owned())
    }
}

#[derive(Deserialize)]
struct CustomerDetails {
    email: Option<String>,
}

impl Session {
    /// Which payment intent pays it.
    pub fn payment_intent(&self) -> Option<&PaymentIntentId> {
        self.payment_intent.as_ref().map(|intent| match intent {
            IntentOfSession::Id(id) | IntentOfSession::Object { id, .. } => id,
        })
    }

    /// Who buys, for how much: what a lost purchase is rebuilt from.
    pub fn origin(&self) -> Option<(Buyer, Money)> {
        let email = self.customer_details.as_ref();
        let email = email.and_then(|details| details.email.clone());
        let email = email.or_else(|| self.customer_email.clone());
        let buyer = self.metadata.as_ref()?.buyer(email);
        Some((buyer, self.total().ok()?))
    }

    /// What an event says of it.
    pub(super) fn state_by_event(&self, event: SessionEvent) -> Result<SessionState, Unreadable> {
        match (event, self.payment_status.as_str()) {
            (SessionEvent::Expired, _) => Ok(SessionState::Expired),
            (SessionEvent::PaymentFailed, _) => Ok(SessionState::Failed),
            (SessionEvent::PaymentSucceeded, _)
            | (SessionEvent::Completed, "paid" | "no_payment_required") => self.settled(),
            (SessionEvent::Completed, "unpaid") => Ok(SessionState::PENDING),
            (SessionEvent::Completed, other) => {
                Err(Unreadable(format!("payment_status: {other:?} is unknown")))
            }
        }
    }

    /// What it says itself, fetched with its payment intent expanded.
    pub fn state(&self) -> Result<SessionState, Unreadable> {
        match (self.status.as_deref(), self.payment_status.as_str()) {
            (Some("open"), _) => Ok(SessionState::Open),
            (Some("expired"), _) => Ok(SessionState::Expired),
            (Some("complete"), "paid" | "no_payment_required") => self.settled(),
            (Some("complete"), "unpaid") => Ok(match &self.payment_intent {
                Some(IntentOfSession::Object { progress, .. }) if progress.has_failed() => {
                    SessionState::Failed
                }
                Some(IntentOfSession::Object { progress, .. }) => SessionState::Pending {
                    waits_for: progress.waits_for(),
                },
                Some(IntentOfSession::Id(_)) | None => SessionState::PENDING,
            }),
            (status, payment) => Err(Unreadable(format!(
                "status {status:?} with payment_status {payment:?} is unknown"
            ))),
        }
    }

    fn settled(&self) -> Result<SessionState, Unreadable> {
        Ok(SessionState::Settled {
            amount: self.total()?,
            payment_intent: self.payment_intent().cloned(),
        })
    }

    fn total(&self) -> Result<Money, Unreadable> {
        match (self.amount_total, self.currency) {
            (Some(amount), Some(currency)) => Ok(Money::new(amount, currency)),
            _ => Err(Unreadable("amount_total or currency is missing".to_owned())),
        }
    }
}

/// A line of a session, fetched with its price's product expanded.
#[derive(Deserialize)]
pub struct LineItem {
    quantity: u32,
    price: Price,
}

#[derive(Deserialize)]
struct Price {
    unit_amount: i64,
    product: ProductOfLine,
}

#[derive(Deserialize)]
struct ProductOfLine {
    name: String,
    description: Option<String>,
    images: Vec<String>,
    metadata: LineTags,
}

#[derive(Deserialize)]
struct LineTags {
    product_id: ProductId,
}

impl From<LineItem> for Line {
    fn from(item: LineItem) -> Self {
        let Price {
            unit_amount,
            product,
        } = item.price;
        Self {
            product_id: product.metadata.product_id,
            name: product.name,
            description: product.description.unwrap_or_default(),
            image: product.images.into_iter().next(),
            quantity: item.quantity,
            unit_amount,
            // What was taken from a stock nobody knows any more.
            reserved: false,
        }
    }
}

/// A refund, or a dispute: about a charge, with no tags of ours.
#[derive(Debug)]
pub struct AboutCharge {
    /// What it says.
    pub change: Change,
    /// Which payment intent the money came by.
    pub payment_intent: Option<PaymentIntentId>,
    /// Which charge of it.
    pub charge: Option<ChargeId>,
}

#[derive(Deserialize)]
struct RefundObject {
    id: RefundId,
    amount: i64,
    currency: Currency,
    /// Stripe has not decided yet when this is `null`.
    status: Option<RefundState>,
    payment_intent: Option<Expandable<PaymentIntentId>>,
    charge: Option<Expandable<ChargeId>>,
}

#[derive(Deserialize)]
struct DisputeObject {
    id: DisputeId,
    amount: i64,
    currency: Currency,
    status: DisputeStatus,
    reason: String,
    payment_intent: Option<Expandable<PaymentIntentId>>,
    charge: Option<Expandable<ChargeId>>,
    balance_transactions: Vec<TransactionObject>,
    evidence_details: EvidenceDetails,
}

#[derive(Deserialize)]
struct TransactionObject {
    id: TransactionId,
    amount: i64,
    fee: i64,
    currency: Currency,
}

#[derive(Deserialize)]
struct EvidenceDetails {
    due_by: Option<i64>,
}

impl AboutCharge {
    /// Reads a refund.
    pub fn refund(object: Value) -> Result<Self, Unreadable> {
        let object: RefundObject = read(object, &["status"])?;
        let refund = Refund {
            state: object.status.unwrap_or(RefundState::Pending),
            amount: Money::new(object.amount, object.currency),
        };
        Ok(Self {
            change: Change::Refund(object.id, refund),
            payment_intent: object.payment_intent.map(Expandable::into_id),
            charge: object.charge.map(Expandable::into_id),
        })
    }

    /// Reads a dispute.
    pub fn dispute(object: Value) -> Result<Self, Unreadable> {
        let object: DisputeObject = read(object, &[])?;
        let transactions = object.balance_transactions.into_iter();
        let report = DisputeReport {
            status: object.status,
            terms: DisputeTerms {
                amount: Money::new(object.amount, object.currency),
                reason: object.reason,
                // Zero says that the bank takes no answer.
                due_by: object.evidence_details.due_by.filter(|due_by| *due_by > 0),
            },
            movements: transactions
                .map(|transaction| {
                    let movement = Movement {
                        amount: Money::new(transaction.amount, transaction.currency),
                        fee: transaction.fee,
                    };
                    (transaction.id, movement)
                })
                .collect(),
        };
        Ok(Self {
            change: Change::Dispute(object.id, report),
            payment_intent: object.payment_intent.map(Expandable::into_id),
            charge: object.charge.map(Expandable::into_id),
        })
    }

    /// The id of the refund or dispute.
    pub fn id(&self) -> &str {
        match &self.change {
            Change::Refund(id, _) => id.as_str(),
            Change::Dispute(id, _) => id.as_str(),
            Change::Session(id, _) => id.as_str(),
            Change::ChargeRefunded(_) => "",
        }
    }
}

/// Reads what is about a charge. `null` says that there is no payment intent; leaving it out would
/// say nothing, and an object nobody can be found for must not pass for a foreign one. `also` are
/// other members that may be `null`, but not missing.
fn read<T: for<'de> Deserialize<'de>>(object: Value, also: &[&str]) -> Result<T, Unreadable> {
    for field in ["payment_intent", "charge"].iter().chain(also) {
        if object.get(field).is_none() {
            return Err(Unreadable(format!("{field} is missing")));
        }
    }
    Ok(serde_json::from_value(object)?)
}

/// A charge. Its metadata is a copy of its payment intent's.
#[derive(Deserialize)]
pub struct Charge {
    /// What we wrote on its payment intent.
    #[serde(default)]
    pub metadata: Tags,
    amount_refunded: i64,
    currency: Currency,
    payment_intent: Option<Expandable<PaymentIntentId>>,
}

impl Charge {
    /// Which payment intent it is of.
    pub fn payment_intent(&self) -> Option<PaymentIntentId> {
        self.payment_intent.clone().map(Expandable::into_id)
    }

    /// What went back, all its refunds together.
    pub fn refunded(&self) -> Money {
        Money::new(self.amount_refunded, self.currency)
    }
}

/// A payment intent.
#[derive(Deserialize)]
pub struct PaymentIntent {
    /// What we wrote on it.
    #[serde(default)]
    pub metadata: Tags,
    amount: i64,
    currency: Currency,
    receipt_email: Option<String>,
    #[serde(flatten)]
    progress: Progress,
}

impl PaymentIntent {
    /// What a delayed payment by it waits for.
    pub fn waits_for(&self) -> WaitsFor {
        self.progress.waits_for()
    }

    /// Who buys, for how much: what a lost purchase is rebuilt from.
    pub fn origin(&self) -> (Buyer, Money) {
        (
            self.metadata.buyer(self.receipt_email.clone()),
            Money::new(self.amount, self.currency),
        )
    }
}

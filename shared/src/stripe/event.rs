//! Stripe's events: the envelope, and what its object says about a purchase, an invoice or a
//! subscription.

use serde::Deserialize;
use serde_json::Value;

pub use super::object::Unreadable;
use super::object::{
    AboutCharge, Charge, InvoiceStatement, Session, SessionEvent, Tags, WhoseInvoice,
    WrittenInvoice,
};
use crate::{
    config::Stack,
    invoice::Trouble,
    money::Money,
    purchase::{
        Buyer, ChargeId, PaymentChange, PaymentIntentId, PurchaseId, SessionId, SessionState,
        SubscriptionId,
    },
};

/// What an event is about, by its type, which decides how its object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A Checkout session.
    Session(SessionEvent),
    /// A refund. The event's type makes no difference, because the refund has a status.
    Refund,
    /// A charge that was refunded at least in part. Since API version 2022-11-15 it does not list
    /// its refunds; it says what they belong to.
    ChargeRefunded,
    /// A dispute or an inquiry, which has a status.
    Dispute,
    /// An invoice, and what went wrong with charging it, if its event says so.
    Invoice(Option<Trouble>),
    /// An invoice that is foreseen: only a hint to read its subscription.
    InvoiceForeseen,
    /// A subscription: only a hint to read it.
    Subscription(Hint),
}

/// What the event of a subscription says that the subscription itself does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    /// Nothing: it has to be read.
    Changed,
    /// Its trial is about to end.
    TrialWillEnd,
}

/// The types of events that say something about a purchase, and what each is about. Any other type
/// is ignored.
const HANDLED: &[(&str, Kind)] = &[
    (
        "checkout.session.completed",
        Kind::Session(SessionEvent::Completed),
    ),
    (
        "checkout.session.async_payment_succeeded",
        Kind::Session(SessionEvent::PaymentSucceeded),
    ),
    (
        "checkout.session.async_payment_failed",
        Kind::Session(SessionEvent::PaymentFailed),
    ),
    (
        "checkout.session.expired",
        Kind::Session(SessionEvent::Expired),
    ),
    ("refund.created", Kind::Refund),
    ("refund.updated", Kind::Refund),
    ("refund.failed", Kind::Refund),
    ("charge.refunded", Kind::ChargeRefunded),
    ("charge.dispute.created", Kind::Dispute),
    ("charge.dispute.updated", Kind::Dispute),
    ("charge.dispute.funds_withdrawn", Kind::Dispute),
    ("charge.dispute.funds_reinstated", Kind::Dispute),
    ("charge.dispute.closed", Kind::Dispute),
    ("invoice.created", Kind::Invoice(None)),
    ("invoice.finalized", Kind::Invoice(None)),
    ("invoice.paid", Kind::Invoice(None)),
    (
        "invoice.payment_failed",
        Kind::Invoice(Some(Trouble::Failed)),
    ),
    (
        "invoice.payment_action_required",
        Kind::Invoice(Some(Trouble::ActionRequired)),
    ),
    ("invoice.voided", Kind::Invoice(None)),
    ("invoice.marked_uncollectible", Kind::Invoice(None)),
    ("invoice.upcoming", Kind::InvoiceForeseen),
    (
        "customer.subscription.created",
        Kind::Subscription(Hint::Changed),
    ),
    (
        "customer.subscription.updated",
        Kind::Subscription(Hint::Changed),
    ),
    (
        "customer.subscription.deleted",
        Kind::Subscription(Hint::Changed),
    ),
    (
        "customer.subscription.paused",
        Kind::Subscription(Hint::Changed),
    ),
    (
        "customer.subscription.resumed",
        Kind::Subscription(Hint::Changed),
    ),
    (
        "customer.subscription.trial_will_end",
        Kind::Subscription(Hint::TrialWillEnd),
    ),
];

/// The types of events that a webhook endpoint has to subscribe to.
pub fn handled() -> impl ExactSizeIterator<Item = &'static str> {
    HANDLED.iter().map(|(name, _)| *name)
}

/// What events are about, as they are listed: Stripe lists at most 20 types at a time (its page on
/// listing events), and there are more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Sessions, refunds and disputes.
    Payments,
    /// Subscriptions and their invoices.
    Subscriptions,
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Payments, Self::Subscriptions];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payments => "payments",
            Self::Subscriptions => "subscriptions",
        }
    }

    /// The types of events that are handled and about it.
    pub fn handled(self) -> impl Iterator<Item = &'static str> {
        let rows = HANDLED.iter().filter(move |(_, kind)| kind.topic() == self);
        rows.map(|(name, _)| *name)
    }
}

impl Kind {
    fn topic(self) -> Topic {
        match self {
            Self::Session(_) | Self::Refund | Self::ChargeRefunded | Self::Dispute => {
                Topic::Payments
            }
            Self::Invoice(_) | Self::InvoiceForeseen | Self::Subscription(_) => {
                Topic::Subscriptions
            }
        }
    }
}

/// An event of a type that we handle, with its object still unread.
#[derive(Debug)]
pub struct Event {
    /// `evt_…`
    pub id: String,
    /// Its type, such as `checkout.session.completed`.
    pub name: &'static str,
    /// Whether real money moved.
    pub livemode: bool,
    kind: Kind,
    object: Value,
}

/// What an event says.
#[derive(Debug)]
pub enum Statement {
    /// How far a Checkout session of ours has come.
    Session {
        /// The purchase it is for.
        purchase: PurchaseId,
        /// The session.
        session: SessionId,
        /// How far it has come.
        state: SessionState,
        /// The payment intent that pays it.
        payment_intent: Option<PaymentIntentId>,
        /// What the purchase can be rebuilt from if it was lost.
        origin: Option<(Buyer, Money)>,
    },
    /// What became of a payment.
    Payment {
        /// The purchase it belongs to. Refunds and disputes do not say, nor do the charges of
        /// invoices: they belong to whatever the payment does.
        tagged: Option<PurchaseId>,
        /// What became of it.
        change: PaymentChange,
        /// The payment intent by which the money was paid.
        payment_intent: Option<PaymentIntentId>,
        /// The charge of that payment intent.
        charge: Option<ChargeId>,
    },
    /// What an invoice says.
    Invoice(InvoiceStatement),
    /// An invoice was written of a purchase.
    Written(WrittenInvoice),
    /// A subscription has to be read.
    Subscription(SubscriptionId, Hint),
}

/// What identifies an event, even if the rest of its envelope cannot be read.
#[derive(Debug, Default)]
pub struct Label {
    /// `evt_…`
    pub id: Option<String>,
    /// When Stripe made it, in Unix seconds.
    pub created: Option<i64>,
}

impl Event {
    /// Reads the envelope; `None` if we do not handle its type. That is true of most that Stripe
    /// can send, and then nothing but the type is read: thin events and the pings of Workbench have
    /// other members, and future ones may have any. The label is as much of it as can be read in
    /// any case.
    pub fn read(body: &[u8]) -> (Label, Result<Option<Self>, Unreadable>) {
        let event = match serde_json::from_slice::<Value>(body) {
            Ok(event) => event,
            Err(error) => return (Label::default(), Err(error.into())),
        };
        let label = Label {
            id: event.get("id").and_then(Value::as_str).map(str::to_owned),
            created: event.get("created").and_then(Value::as_i64),
        };
        (label, Self::of(event))
    }

    fn of(mut event: Value) -> Result<Option<Self>, Unreadable> {
        let missing = |name| Unreadable(format!("{name} is missing"));
        let text = |name| event.get(name).and_then(Value::as_str);
        if text("object") == Some("v2.core.event") {
            return Ok(None);
        }
        let name = text("type").ok_or_else(|| missing("type"))?;
        let handled = HANDLED.iter().find(|(handled, _)| *handled == name);
        let Some(&(name, kind)) = handled else {
            return Ok(None);
        };
        let id = text("id").ok_or_else(|| missing("id"))?.to_owned();
        let livemode = event.get("livemode").and_then(Value::as_bool);
        let object = event.pointer_mut("/data/object").map(Value::take);
        Ok(Some(Self {
            id,
            name,
            livemode: livemode.ok_or_else(|| missing("livemode"))?,
            kind,
            object: object.ok_or_else(|| missing("data.object"))?,
        }))
    }

    /// What it says to the deployment `stack`; `None` if it is about something else: another
    /// deployment's purchase, a payment link, an invoice that the seller wrote by hand ….
    pub fn statement(self, stack: &Stack) -> Result<Option<Statement>, Unreadable> {
        let object = self.object;
        match self.kind {
            Kind::Refund => AboutCharge::refund(object).map(|refund| Some(refund.into())),
            Kind::Dispute => AboutCharge::dispute(object).map(|dispute| Some(dispute.into())),
            Kind::ChargeRefunded => {
                let tagged = purchase_of(&object, stack)?;
                if tagged.is_none() && tags_of(&object)?.is_tagged() {
                    return Ok(None);
                }
                let charge: Charge = serde_json::from_value(object)?;
                Ok(Some(Statement::Payment {
                    tagged,
                    change: PaymentChange::ChargeRefunded(charge.refunded()),
                    payment_intent: charge.payment_intent(),
                    charge: None,
                }))
            }
            Kind::Session(event) => {
                let Some(purchase) = purchase_of(&object, stack)? else {
                    return Ok(None);
                };
                let session: Session = serde_json::from_value(object)?;
                Ok(Some(Statement::Session {
                    purchase,
                    state: session.state_by_event(event)?,
                    payment_intent: session.payment_intent().cloned(),
                    origin: session.origin(),
                    session: session.id,
                }))
            }
            Kind::Invoice(trouble) => {
                if let Some(written) = WrittenInvoice::of(&object, stack)? {
                    return Ok(Some(Statement::Written(written)));
                }
                let statement = InvoiceStatement::of(object, trouble, stack)?;
                Ok(statement.map(Statement::Invoice))
            }
            Kind::InvoiceForeseen => {
                let invoice: WhoseInvoice = serde_json::from_value(object)?;
                let is_ours = match invoice.tags() {
                    Some(tags) => tags.purchase(stack)?.is_some(),
                    None => true,
                };
                let subscription = invoice.subscription().filter(|_| is_ours).cloned();
                Ok(subscription.map(|id| Statement::Subscription(id, Hint::Changed)))
            }
            Kind::Subscription(hint) => {
                if purchase_of(&object, stack)?.is_none() {
                    return Ok(None);
                }
                let Named { id } = serde_json::from_value(object)?;
                Ok(Some(Statement::Subscription(id, hint)))
            }
        }
    }
}

/// The purchase that a tagged object belongs to. If that is not ours, nothing but its tags has to be
/// readable.
fn purchase_of(object: &Value, stack: &Stack) -> Result<Option<PurchaseId>, Unreadable> {
    tags_of(object)?.purchase(stack)
}

fn tags_of(object: &Value) -> Result<Tags, Unreadable> {
    let tags = object
        .get("metadata")
        .ok_or_else(|| Unreadable("metadata is missing".to_owned()))?;
    let tags: Option<Tags> = Deserialize::deserialize(tags)?;
    Ok(tags.unwrap_or_default())
}

/// As much of an object as a hint needs.
#[derive(Deserialize)]
struct Named {
    id: SubscriptionId,
}

impl From<AboutCharge> for Statement {
    fn from(about: AboutCharge) -> Self {
        Self::Payment {
            tagged: None,
            change: about.change,
            payment_intent: about.payment_intent,
            charge: about.charge,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::PathBuf};

    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;
    use crate::config::Environment;

    /// A file of the repository outside this crate.
    fn beside(path: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(path)
    }

    #[test]
    fn the_readme_names_the_events_that_are_handled() {
        let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
        for (name, kind) in HANDLED {
            let about = match kind {
                Kind::Session(_) => "a Checkout session",
                Kind::Refund => "a refund",
                Kind::ChargeRefunded => "a charge",
                Kind::Dispute => "a dispute",
                Kind::Invoice(_) | Kind::InvoiceForeseen => "an invoice of a subscription",
                Kind::Subscription(_) => "a subscription",
            };
            match rows.last_mut() {
                Some((row, names)) if *row == about => names.push(format!("`{name}`")),
                _ => rows.push((about, vec![format!("`{name}`")])),
            }
        }
        let rows = rows
            .iter()
            .map(|(about, names)| format!("| {about} | {} |\n", names.join(", ")));
        let table = format!(
            "| about | events |\n| --- | --- |\n{}",
            rows.collect::<String>()
        );
        let readme = fs::read_to_string(beside("README.md")).unwrap();
        assert!(readme.contains(&table), "README.md should have\n{table}");
        let listen = format!("--events {}\n", handled().collect::<Vec<_>>().join(","));
        assert!(readme.contains(&listen), "README.md should have\n{listen}");
    }

    #[test]
    fn stripe_can_list_all_events_of_a_topic() {
        let topics = Topic::ALL.map(|topic| topic.handled().collect::<Vec<_>>());
        assert!(topics.iter().all(|types| types.len() <= 20));
        let all: BTreeSet<_> = topics.iter().flatten().copied().collect();
        assert_eq!(all, handled().collect());
    }

    #[test]
    fn there_is_a_sample_of_every_kind_of_event_and_it_reads() {
        let ours = Environment::of([("TILL_STACK", "till")]);
        let mut shown = BTreeSet::new();
        for entry in fs::read_dir(beside("events")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if !name.starts_with("webhook-") {
                continue;
            }
            let sample: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let mut body = sample["body"].as_str().unwrap().as_bytes().to_vec();
            if sample["isBase64Encoded"] == true {
                body = STANDARD.decode(body).unwrap();
            }
            let Some(event) = Event::read(&body).1.unwrap() else {
                assert!(["webhook-ping", "webhook-unknown-type"].contains(&name.as_str()));
                continue;
            };
            let kind = event.kind;
            let said = event.statement(&ours.stack().unwrap()).unwrap();
            let is_foreign = ["webhook-foreign", "webhook-decoded-query"].contains(&name.as_str());
            assert_eq!(said.is_none(), is_foreign, "{name}");
            shown.insert(kind);
        }
        let handled: BTreeSet<_> = HANDLED.iter().map(|(_, kind)| *kind).collect();
        assert_eq!(shown, handled);
    }

    #[test]
    fn nothing_but_the_type_is_read_of_an_event_that_is_not_handled() {
        for body in [
            // What Workbench sends to test an endpoint, and a thin event.
            r#"{"id":"evt_test_1","object":"v2.core.event","type":"v2.core.event_destination.ping",
                "created":"2026-11-20T10:00:00.000Z","livemode":false,"related_object":null}"#,
            r#"{"id":"evt_1","object":"v2.core.event","type":"v1.checkout.session.completed",
                "related_object":{"id":"cs_1"}}"#,
            r#"{"id":"evt_1","object":"v2.core.event","type":"checkout.session.completed"}"#,
            r#"{"id":"evt_1","object":"event","type":"plan.created"}"#,
            r#"{"id":1,"type":"ping","livemode":"no","data":[]}"#,
        ] {
            assert!(Event::read(body.as_bytes()).1.unwrap().is_none(), "{body}");
        }
        // One of a type we handle, but of another shape; and one of unknown type.
        for body in [
            r#"{"id":"evt_1","object":"event","type":"checkout.session.completed","livemode":false}"#,
            r#"{"id":"evt_1","object":"event","type":7}"#,
            "{}",
            "[]",
            "ping",
        ] {
            assert!(Event::read(body.as_bytes()).1.is_err(), "{body}");
        }
    }

    #[test]
    fn a_refund_whose_status_is_null_is_pending() {
        let refund = |status: Value| {
            let object = serde_json::json!({
                "id": "re_1", "amount": 500, "currency": "usd", "status": status,
                "payment_intent": "pi_1", "charge": null,
            });
            AboutCharge::refund(object).map(|about| about.change)
        };
        let pending = format!("{:?}", refund("pending".into()).unwrap());
        assert_eq!(format!("{:?}", refund(Value::Null).unwrap()), pending);
        assert!(refund("unheard of".into()).is_err());
    }
}

//! Which purchase or invoice is meant: by its own id, or by that of anything of Stripe's that
//! belongs to it.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;
use shared::config::Stack;
use shared::purchase::{PaymentIntentId, PurchaseId, Subject};
use shared::store::pointers::Pointers;
use shared::stripe::client::{Client as Stripe, List};
use shared::stripe::object::{InvoiceStatement, PaidInvoice, Tags};

use crate::shop::{NotFound, Shop};

/// A purchase's id, or one by which a purchase or an invoice can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Its own id.
    Purchase(PurchaseId),
    /// `pi_…`, whose owner is kept here.
    PaymentIntent(String),
    /// Something else of Stripe's, and where its API has it.
    Object(String, &'static str),
}

/// What the ids of Stripe's objects begin with, and where its API has them.
const OBJECTS: [(&str, &str); 8] = [
    ("in_", INVOICES),
    ("cs_", "/checkout/sessions"),
    ("ch_", "/charges"),
    ("py_", "/charges"),
    ("re_", "/refunds"),
    ("pyr_", "/refunds"),
    ("dp_", "/disputes"),
    ("du_", "/disputes"),
];

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Purchase(id));
        }
        let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if text.starts_with("pi_") && word(text) {
            return Ok(Self::PaymentIntent(text.to_owned()));
        }
        let mut known = OBJECTS.iter();
        match known.find(|(prefix, _)| text.starts_with(prefix) && word(text)) {
            Some((_, path)) => Ok(Self::Object(text.to_owned(), path)),
            None => Err(format!(
                "{text:?} is neither a purchase id nor the id of a session (cs_…), invoice (in_…), payment \
                 intent (pi_…), charge (ch_…), refund (re_…) or dispute (du_…)"
            )),
        }
    }
}

const INVOICES: &str = "/invoices";

/// The fields by which Stripe's objects lead to a purchase.
#[derive(Deserialize)]
struct Object {
    /// `null` on a session without any.
    metadata: Option<Tags>,
    payment_intent: Option<Value>,
}

impl Name {
    /// The purchase's id; whether the purchase is there is another question.
    pub async fn purchase(&self, shop: &Shop) -> anyhow::Result<PurchaseId> {
        match self.find(shop).await? {
            Subject::Purchase(id) => Ok(id),
            Subject::Invoice(subscription, invoice) => bail!(NotFound(format!(
                "{self} belongs to invoice {invoice} of {subscription}, not to a purchase: see `till \
                 subscriptions show {subscription}`"
            ))),
            Subject::Subscription(id) => bail!(NotFound(format!(
                "{self} belongs to a subscription: see `till subscriptions show {id}`"
            ))),
        }
    }

    /// The purchase, or the invoice of a subscription, that it is or belongs to; whether that is
    /// there is another question.
    pub async fn find(&self, shop: &Shop) -> anyhow::Result<Subject> {
        let (id, path) = match self {
            Self::Purchase(id) => return Ok((*id).into()),
            Self::PaymentIntent(id) => (id, "/payment_intents"),
            Self::Object(id, path) => (id, *path),
        };
        let pointers = shop.pointers()?;
        if let Self::PaymentIntent(id) = self
            && let Some(owner) = pointed_to(&pointers, id).await?
        {
            return Ok(owner);
        }
        let stripe = shop.stripe().await?;
        let object: Option<Value> = stripe.get(&format!("{path}/{id}"), &[]).await?;
        let object = object.with_context(|| {
            NotFound(format!(
                "there is no {id} in the Stripe account of {}",
                shop.name()
            ))
        });
        let (object, stack) = (object?, &shop.environment.stack()?);
        if path == INVOICES
            && let Some(invoice) = InvoiceStatement::of(object.clone(), None, stack)?
        {
            return Ok(Subject::Invoice(invoice.subscription, invoice.id));
        }
        let object = Object::deserialize(&object)?;
        if let Some(purchase) = object.metadata.unwrap_or_default().purchase(stack)? {
            return Ok(purchase.into());
        }
        let intent = match self {
            Self::PaymentIntent(id) => Some(id.as_str()),
            Self::Purchase(_) | Self::Object(..) => {
                object.payment_intent.as_ref().and_then(Value::as_str)
            }
        };
        if let Some(intent) = intent {
            if let Some(owner) = pointed_to(&pointers, intent).await? {
                return Ok(owner);
            }
            let path = format!("/payment_intents/{intent}");
            let fetched: Option<Object> = stripe.get(&path, &[]).await?;
            let tags = fetched.and_then(|intent| intent.metadata);
            if let Some(purchase) = tags.unwrap_or_default().purchase(stack)? {
                return Ok(purchase.into());
            }
            if let Some(invoice) = invoice_paid_by(&stripe, stack, intent).await? {
                return Ok(invoice);
            }
        }
        bail!(NotFound(format!(
            "{id} does not belong to a purchase of {}: its metadata at Stripe does not name this shop",
            shop.name()
        )))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Purchase(id) => id.fmt(f),
            Self::PaymentIntent(id) | Self::Object(id, _) => f.write_str(id),
        }
    }
}

/// What to say of a purchase that is not there.
pub fn not_found(id: PurchaseId, shop: &Shop) -> anyhow::Error {
    let shop = shop.name();
    NotFound(format!(
        "there is no purchase {id} in {shop}: see `till purchases list`"
    ))
    .into()
}

/// The invoice that a payment intent pays, if it is one of this shop's.
async fn invoice_paid_by(
    stripe: &Stripe,
    stack: &Stack,
    intent: &str,
) -> anyhow::Result<Option<Subject>> {
    let query = PaidInvoice::query(intent);
    let paid: List<PaidInvoice> = stripe.list("/invoice_payments", &query).await?;
    let Some(paid) = paid.data.into_iter().next() else {
        return Ok(None);
    };
    let invoice = InvoiceStatement::of(paid.invoice, None, stack)?;
    Ok(invoice.map(|it| Subject::Invoice(it.subscription, it.id)))
}

async fn pointed_to(pointers: &Pointers, intent: &str) -> anyhow::Result<Option<Subject>> {
    let intent = PaymentIntentId::from(intent.to_owned());
    Ok(pointers.owner_of(&intent).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_has_many_names() {
        let id = "0199a0de-0000-7000-8000-000000000000";
        assert_eq!(id.parse(), Ok(Name::Purchase(id.parse().unwrap())));
        assert_eq!("pi_1".parse(), Ok(Name::PaymentIntent("pi_1".to_owned())));
        for (id, path) in [
            ("cs_test_a1", "/checkout/sessions"),
            ("in_1", "/invoices"),
            ("ch_1", "/charges"),
            ("re_1", "/refunds"),
            ("pyr_1", "/refunds"),
            ("du_1", "/disputes"),
        ] {
            assert_eq!(id.parse(), Ok(Name::Object(id.to_owned(), path)));
        }
        for wrong in ["", "mug", "evt_1", "pi_1/../x", "cs_é", &id.to_uppercase()] {
            assert!(wrong.parse::<Name>().is_err(), "{wrong}");
        }
    }
}

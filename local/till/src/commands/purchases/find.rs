//! Which purchase is meant: by its own id, or by that of anything of Stripe's that belongs to it.

use std::str::FromStr;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::Value;
use shared::purchase::{PaymentIntentId, PurchaseId, Subject};
use shared::store::pointers::Pointers;
use shared::stripe::client::Client as Stripe;
use shared::stripe::object::Tags;

use crate::commands::exit::NotFound;
use crate::commands::shop::Shop;

/// A purchase's id, or one by which it can be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Name {
    Purchase(PurchaseId),
    /// `pi_…`, whose owner is kept here.
    PaymentIntent(String),
    /// Something else of Stripe's, and where its API has it.
    Object(String, &'static str),
}

/// What the ids of Stripe's objects begin with, and where its API has them.
const OBJECTS: [(&str, &str); 7] = [
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
                "{text:?} is neither a purchase id nor the id of a session (cs_…), payment intent (pi_…), \
                 charge (ch_…), refund (re_…) or dispute (du_…)"
            )),
        }
    }
}

/// The fields by which Stripe's objects lead to a purchase.
#[derive(Deserialize)]
struct Object {
    /// `null` on a session without any.
    metadata: Option<Tags>,
    payment_intent: Option<Value>,
}

impl Name {
    /// The purchase's id; whether the purchase is there is another question.
    pub(in crate::commands) async fn find(&self, shop: &Shop) -> anyhow::Result<PurchaseId> {
        let (id, path) = match self {
            Self::Purchase(id) => return Ok(*id),
            Self::PaymentIntent(id) => (id, "/payment_intents"),
            Self::Object(id, path) => (id, *path),
        };
        let pointers = shop.pointers()?;
        if let Self::PaymentIntent(id) = self
            && let Some(purchase) = pointed_to(&pointers, id).await?
        {
            return Ok(purchase);
        }
        let stripe = shop.stripe().await?;
        let object = fetch(&stripe, path, id).await?;
        let object = object.with_context(|| {
            NotFound(format!(
                "there is no {id} in the Stripe account of {}",
                shop.name()
            ))
        });
        let object = object?;
        let stack = &shop.environment.stack()?;
        if let Some(purchase) = object.metadata.unwrap_or_default().purchase(stack)? {
            return Ok(purchase);
        }
        let intent = object.payment_intent.as_ref().and_then(Value::as_str);
        if let Some(intent) = intent {
            if let Some(purchase) = pointed_to(&pointers, intent).await? {
                return Ok(purchase);
            }
            let intent = fetch(&stripe, "/payment_intents", intent).await?;
            let tags = intent
                .and_then(|intent| intent.metadata)
                .unwrap_or_default();
            if let Some(purchase) = tags.purchase(stack)? {
                return Ok(purchase);
            }
        }
        bail!(NotFound(format!(
            "{id} does not belong to a purchase of {}: its metadata at Stripe does not name this shop",
            shop.name()
        )))
    }
}

/// What to say of a purchase that is not there.
pub(in crate::commands) fn not_found(id: PurchaseId, shop: &Shop) -> anyhow::Error {
    let shop = shop.name();
    NotFound(format!(
        "there is no purchase {id} in {shop}: see `till purchases list`"
    ))
    .into()
}

async fn pointed_to(pointers: &Pointers, intent: &str) -> anyhow::Result<Option<PurchaseId>> {
    let intent = PaymentIntentId::from(intent.to_owned());
    let owner = pointers.owner_of(&intent).await?;
    Ok(owner.and_then(|owner| match owner {
        Subject::Purchase(id) => Some(id),
        Subject::Subscription(_) | Subject::Invoice(..) => None,
    }))
}

async fn fetch(stripe: &Stripe, path: &str, id: &str) -> anyhow::Result<Option<Object>> {
    Ok(stripe.get(&format!("{path}/{id}"), &[]).await?)
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

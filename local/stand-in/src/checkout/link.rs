//! Payment links: whoever follows one gets a session of their own.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::checkout::create::Wish;
use crate::checkout::line::Order;
use crate::checkout::object::Session;
use crate::engine::transaction::Transaction;
use crate::plain::payment_link::PAYMENT_LINK;
use crate::promotion;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// What a session takes over from its link, as the link shows it.
const TAKEN_OVER: &[&str] = &[
    "allow_promotion_codes",
    "automatic_tax",
    "billing_address_collection",
    "consent_collection",
    "currency",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "invoice_creation",
    "managed_payments",
    "metadata",
    "name_collection",
    "optional_items",
    "payment_intent_data",
    "payment_method_options",
    "payment_method_types",
    "phone_number_collection",
    "shipping_address_collection",
    "shipping_options",
    "submit_type",
    "tax_id_collection",
];

/// What the address of a link may say besides, for whoever follows it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Followed {
    client_reference_id: Option<String>,
    prefilled_email: Option<String>,
    /// Which the buyer cannot change.
    locked_prefilled_email: Option<String>,
    prefilled_promo_code: Option<String>,
    locale: Option<String>,
}

/// Why a link leads nowhere.
#[derive(Debug)]
pub(crate) enum Closed {
    Unknown,
    /// Its shop has said so, perhaps with a word on it, or as many have bought as may.
    Inactive(Option<String>),
    /// What it sells cannot be sold any more, or not here.
    Refused(ApiError),
}

impl From<anyhow::Error> for Closed {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error.into())
    }
}

/// Opens a session for whoever follows a link.
pub(crate) fn follow(
    transaction: &Transaction<'_>,
    id: &str,
    followed: Followed,
) -> Result<Session, Closed> {
    let link = find(transaction, id)??;
    let code = followed.prefilled_promo_code.clone();
    let email = followed.prefilled_email.clone();
    let order = Order::of_link(items(&link));
    let wish = Wish::selling(Some(order), &mut asked(&link, followed));
    let session = wish.and_then(|wish| wish.open(transaction));
    let mut session = session.map_err(Closed::Refused)?;
    session.payment_link = Some(id.to_owned());
    session.collected.email = session.collected.email.or(email);
    if redirect(&link).is_none() {
        // The session's own page confirms the purchase.
        session.asked.remove("success_url");
    }
    transaction.put(&session)?;
    if let Some(code) = code.filter(|_| session.accepts_codes()) {
        // A code that no longer holds is not worth a word: the buyer has not typed it.
        let _ = promotion::life::apply(transaction, &mut session, &code)?;
        session.reckon();
        transaction.put(&session)?;
    }
    Ok(session)
}

/// The link that a session came by, if it sells no more.
pub(crate) fn closed(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<Closed>> {
    let Some(link) = &session.payment_link else {
        return Ok(None);
    };
    Ok(find(transaction, link)?.err())
}

/// What the buyer reads once they have bought by a link.
pub(crate) fn confirmation(
    transaction: &Transaction<'_>,
    session: &Session,
) -> anyhow::Result<Option<String>> {
    let Some(link) = &session.payment_link else {
        return Ok(None);
    };
    let link = transaction.whole(PAYMENT_LINK.name, link)?;
    let message = link.as_ref().and_then(|link| {
        let confirmation = link.get("after_completion")?.get("hosted_confirmation")?;
        confirmation.get("custom_message")?.as_str()
    });
    Ok(message.map(str::to_owned))
}

/// The link with this id, if it can be followed.
fn find(
    transaction: &Transaction<'_>,
    id: &str,
) -> anyhow::Result<Result<Map<String, Value>, Closed>> {
    let Some(link) = transaction.whole(PAYMENT_LINK.name, id)? else {
        return Ok(Err(Closed::Unknown));
    };
    if link.get("active") == Some(&json!(true)) {
        return Ok(Ok(link));
    }
    let message = link.get("inactive_message").and_then(Value::as_str);
    Ok(Err(Closed::Inactive(message.map(str::to_owned))))
}

fn items(link: &Map<String, Value>) -> &[Value] {
    let data = link.get("line_items").and_then(|it| it.get("data"));
    data.and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// Where the buyer goes once they have bought, if that is not the session's own page.
fn redirect(link: &Map<String, Value>) -> Option<&str> {
    let after = link.get("after_completion")?;
    after.get("redirect")?.get("url")?.as_str()
}

/// What a shop would ask of such a session.
fn asked(link: &Map<String, Value>, followed: Followed) -> Params {
    let taken_over = TAKEN_OVER.iter().filter_map(|name| {
        let value = link.get(*name)?.clone();
        Some(((*name).to_owned(), value))
    });
    let mut asked = Map::from_iter(taken_over);
    // Stripe takes these of a request, and shows more.
    if let Some(Value::Object(tax)) = asked.get_mut("automatic_tax") {
        tax.retain(|name, _| name == "enabled");
    }
    if let Some(Value::Array(options)) = asked.get_mut("shipping_options") {
        for option in options.iter_mut().filter_map(Value::as_object_mut) {
            option.retain(|name, _| name == "shipping_rate");
        }
    }
    let recurs = |item: &Value| {
        item.pointer("/price/recurring")
            .is_some_and(Value::is_object)
    };
    let mode = match items(link).iter().any(recurs) {
        true => "subscription",
        false => "payment",
    };
    if mode == "subscription" {
        for name in [
            "payment_intent_data",
            "customer_creation",
            "invoice_creation",
            "shipping_options",
            "submit_type",
        ] {
            asked.remove(name);
        }
        for name in ["subscription_data", "payment_method_collection"] {
            asked.extend(link.get(name).map(|it| (name.to_owned(), it.clone())));
        }
    }
    let said = [
        ("mode", Some(mode.to_owned())),
        (
            "success_url",
            Some(redirect(link).unwrap_or("https://stripe.com").to_owned()),
        ),
        ("client_reference_id", followed.client_reference_id),
        ("customer_email", followed.locked_prefilled_email),
        ("locale", followed.locale),
    ];
    let said = said
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value?))));
    asked.extend(said);
    Params::of(&asked)
}

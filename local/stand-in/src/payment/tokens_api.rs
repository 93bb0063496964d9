//! `/v1/tokens` and `/v1/customers/{customer}/sources`: cards as old integrations keep them.

use serde_json::Value;

use crate::engine::database::Transaction;
use crate::engine::ids::{self, PaymentMethodId};
use crate::engine::resource::Object as _;
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::customer as customers;
use crate::payment::given;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::token::Token;
use crate::payment::typed::TypedCard;
use crate::webhook::record::record_shown;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["tokens"]) => Box::new(create_token),
        ("POST", ["customers", customer, "sources"]) => {
            Box::new(move |params| create_source(customer, params))
        }
        ("GET", ["customers", customer, "sources", id]) => {
            Box::new(move |params| retrieve_source(customer, id, params))
        }
        ("POST", ["customers", customer, "sources", id]) => {
            Box::new(move |params| update_source(customer, id, params))
        }
        ("DELETE", ["customers", customer, "sources", id]) => {
            Box::new(move |params| delete_source(customer, id, params))
        }
        _ => return None,
    })
}

fn create_token<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let mut card = params.optional_object("card").required(&params, "card")?;
    let typed = TypedCard::read(&mut card)?;
    let mut part = |field| card.short_text(field, 5_000);
    let billing = BillingDetails {
        address: Address {
            city: part("address_city")?,
            country: part("address_country")?,
            line1: part("address_line1")?,
            line2: part("address_line2")?,
            postal_code: part("address_zip")?,
            state: part("address_state")?,
        },
        name: part("name")?,
        ..BillingDetails::default()
    };
    card.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let token = Token {
            id: ids::token(),
            source: ids::card(),
            created: transaction.now,
            card: typed.check(transaction.now).map_err(given::refused)?,
            billing,
            used: false,
        };
        transaction.put(&token)?;
        Ok(token.answer())
    }))
}

fn create_source<'r>(customer: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let token = params.text("source").required(&params, "source")?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        customers::check(transaction, customer)?;
        let mut method = source_of(transaction, &token)?;
        method.metadata = metadata;
        method.owner = Owner::Customer(customer.to_owned());
        method.checked = true;
        transaction.put(&method)?;
        let shown = shown(&method);
        record_shown(transaction, "customer.source.created", shown.clone(), None)?;
        Ok(shown)
    }))
}

/// The card behind a token, as a payment method with the id of a source.
pub(crate) fn source_of(
    transaction: &Transaction<'_>,
    token: &str,
) -> Result<PaymentMethod, ApiError> {
    if let Some(kept) = transaction.get::<PaymentMethod>(token)? {
        return Ok(kept);
    }
    let (card, billing) = given::redeem(transaction, token)?;
    let mut method = PaymentMethod::new(Means::Card(card), billing, transaction.now);
    method.id = PaymentMethodId::of_source(ids::card());
    transaction.put(&method)?;
    Ok(method)
}

/// A source as the API shows it.
fn shown(method: &PaymentMethod) -> Value {
    match &method.means {
        Means::Card(card) => card.as_source(
            &method.id,
            method.customer(),
            &method.billing,
            &method.metadata,
        ),
        _ => method.answer(),
    }
}

fn retrieve_source<'r>(
    customer: &'r str,
    id: &'r str,
    params: Params,
) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(shown(&find_source(transaction, customer, id)?))
    }))
}

fn update_source<'r>(
    customer: &'r str,
    id: &'r str,
    mut params: Params,
) -> Result<Work<'r>, ApiError> {
    let metadata = params.metadata_update("metadata")?;
    let name = params.short_text("name", 5_000)?;
    let exp_month = params.integer_within("exp_month", 1, 12)?;
    let exp_year = params.integer_within("exp_year", 2_000, 2_100)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find_source(transaction, customer, id)?;
        let before = shown(&method);
        metadata.apply(&mut method.metadata)?;
        method.billing.name = name.or(method.billing.name);
        if let Means::Card(card) = &mut method.means {
            let month = exp_month.and_then(|month| u8::try_from(month).ok());
            let year = exp_year.and_then(|year| i32::try_from(year).ok());
            card.exp_month = month.unwrap_or(card.exp_month);
            card.exp_year = year.unwrap_or(card.exp_year);
        }
        transaction.put(&method)?;
        let now = shown(&method);
        if now != before {
            record_shown(
                transaction,
                "customer.source.updated",
                now.clone(),
                Some(&before),
            )?;
        }
        Ok(now)
    }))
}

fn delete_source<'r>(customer: &'r str, id: &'r str, params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find_source(transaction, customer, id)?;
        let shown = shown(&method);
        method.owner = Owner::Spent;
        transaction.put(&method)?;
        record_shown(transaction, "customer.source.deleted", shown, None)?;
        Ok(serde_json::json!({ "id": id, "object": "card", "deleted": true }))
    }))
}

fn find_source(
    transaction: &Transaction<'_>,
    customer: &str,
    id: &str,
) -> Result<PaymentMethod, ApiError> {
    let method = transaction.get::<PaymentMethod>(id)?;
    method
        .filter(|method| method.customer() == Some(customer))
        .ok_or_else(|| ApiError::no_such("source", id).param("id"))
}

/// What a customer of an old integration is charged on: the card that they kept first.
pub(crate) fn default_source(
    transaction: &Transaction<'_>,
    customer: &str,
) -> Result<PaymentMethod, ApiError> {
    let kept = transaction.having::<PaymentMethod>("customer", customer)?;
    kept.into_iter().next().ok_or_else(|| {
        ApiError::invalid("Cannot charge a customer that has no active card.")
            .code("missing")
            .param("card")
    })
}

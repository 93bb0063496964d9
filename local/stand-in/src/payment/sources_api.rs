//! `/v1/customers/{customer}/sources`: cards as old integrations keep them.

use crate::engine::transaction::Transaction;
use crate::payment::customer as customers;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::sources::{self, shown};
use crate::webhook::record::record_shown;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["customers", customer, "sources"]) => {
            Box::new(move |params| list_sources(customer, params))
        }
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

fn create_source<'r>(customer: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let token = params.text("source").required(&params, "source")?;
    let metadata = params.metadata("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customers::named(transaction, customer)?;
        let source = sources::keep(transaction, &token, &customer, metadata)?;
        customers::default_to(transaction, &customer, &source.id)?;
        Ok(shown(&source))
    }))
}

/// The newest first. Payment methods that never were sources are not among them.
fn list_sources(customer: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let kind = params.text("object")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customers::named(transaction, customer)?;
        let kept = sources::of(transaction, &customer)?;
        let shown: Vec<_> = kept
            .iter()
            .rev()
            .map(shown)
            .filter(|it| kind.as_ref().is_none_or(|kind| it["object"] == **kind))
            .collect();
        paging.listed(
            &format!("/v1/customers/{customer}/sources"),
            shown.into_iter(),
        )
    }))
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
        let customer = customers::named(transaction, customer)?;
        let next = sources::of(transaction, &customer)?.into_iter().next();
        let next = next.as_ref().map(|source| &*source.id);
        customers::replace_source(transaction, &customer, id, next)?;
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
        .filter(|method| method.customer().is_some_and(|it| **it == *customer))
        .ok_or_else(|| ApiError::no_such("source", id).param("id"))
}

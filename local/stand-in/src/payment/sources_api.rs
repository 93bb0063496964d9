//! `/v1/customers/{customer}/sources`: cards and bank accounts as old integrations keep them.

use serde_json::{Value, json};

use crate::engine::transaction::Transaction;
use crate::payment::customer as customers;
use crate::payment::given::HOLDERS;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::sources::{self, shown};
use crate::payment::testing::outcome;
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
        ("POST", ["customers", customer, "sources", id, "verify"]) => {
            Box::new(move |params| verify(customer, id, params))
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
    let holder_name = params.short_text("account_holder_name", 5_000)?;
    let holder = params.choice("account_holder_type", HOLDERS)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find_source(transaction, customer, id)?;
        let before = shown(&method);
        metadata.apply(&mut method.metadata)?;
        method.billing.name = name.or(holder_name).or(method.billing.name);
        match &mut method.means {
            Means::Card(card) => {
                let month = exp_month.and_then(|month| u8::try_from(month).ok());
                let year = exp_year.and_then(|year| i32::try_from(year).ok());
                card.exp_month = month.unwrap_or(card.exp_month);
                card.exp_year = year.unwrap_or(card.exp_year);
            }
            Means::BankDebit(account) => {
                account.is_companys = holder.map_or(account.is_companys, |it| it == "company");
            }
            Means::Voucher(_) | Means::CustomerBalance => {}
        }
        change(transaction, &method, &before)
    }))
}

/// Keeps a changed source, and tells of it. `before` is how it was shown.
fn change(
    transaction: &Transaction<'_>,
    method: &PaymentMethod,
    before: &Value,
) -> Result<Value, ApiError> {
    transaction.put(method)?;
    let now = shown(method);
    if now != *before {
        let event = "customer.source.updated";
        record_shown(transaction, event, now.clone(), Some(before))?;
    }
    Ok(now)
}

/// Somebody tells which two amounts have come to a bank account. Those of a test account are 32 and 45:
/// <https://docs.stripe.com/ach-deprecated#manually-collecting-and-verifying-bank-accounts>.
fn verify<'r>(customer: &'r str, id: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let mut amounts = params.texts("amounts")?;
    params.finish()?;
    if amounts.is_empty() {
        return Err(ApiError::missing("amounts"));
    }
    amounts.sort_unstable();
    Ok(Box::new(move |transaction| {
        let mut method = find_source(transaction, customer, id)?;
        let before = shown(&method);
        let Means::BankDebit(account) = &mut method.means else {
            return Err(ApiError::invalid(format!(
                "Only bank accounts can be verified, and {id} is a card."
            )));
        };
        if account.verified {
            return Err(ApiError::invalid(
                "This bank account has already been verified.",
            ));
        }
        if amounts != ["32", "45"] {
            let failure = outcome::AMOUNTS_MISMATCH;
            return Err(ApiError::invalid(failure.message)
                .code("bank_account_verification_failed")
                .param("amounts"));
        }
        account.verified = true;
        change(transaction, &method, &before)
    }))
}

fn delete_source<'r>(customer: &'r str, id: &'r str, params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find_source(transaction, customer, id)?;
        let shown = shown(&method);
        let kind = shown.get("object").cloned();
        method.owner = Owner::Spent;
        transaction.put(&method)?;
        record_shown(transaction, "customer.source.deleted", shown, None)?;
        let customer = customers::named(transaction, customer)?;
        let next = sources::of(transaction, &customer)?.into_iter().next();
        let next = next.as_ref().map(|source| &*source.id);
        customers::replace_source(transaction, &customer, id, next)?;
        Ok(json!({ "id": id, "object": kind, "deleted": true }))
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

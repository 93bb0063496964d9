//! `/v1/payment_methods`.

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::billing::BillingDetails;
use crate::payment::customer as customers;
use crate::payment::given::{self, NewMethod, REDISPLAYS};
use crate::payment::keep;
use crate::payment::method::{Means, PaymentMethod};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_methods"]) => Box::new(create),
        ("POST", ["payment_methods", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["payment_methods", id, "attach"]) => Box::new(move |params| attach(id, params)),
        ("POST", ["payment_methods", id, "detach"]) => Box::new(move |params| detach(id, params)),
        _ => return None,
    })
}

fn create<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    let new = NewMethod::read(params)?;
    Ok(Box::new(move |transaction| {
        let method = new.make(transaction)?;
        Ok(method.answer())
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let billing = params.optional_object("billing_details")?;
    let metadata = params.metadata_update("metadata")?;
    let allow_redisplay = params.choice("allow_redisplay", REDISPLAYS)?;
    let mut card = params.object("card")?;
    let exp_month = card.integer_within("exp_month", 1, 12)?;
    let exp_year = card.integer_within("exp_year", 2_000, 2_100)?;
    card.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find(transaction, id)?;
        if method.customer().is_none() {
            return Err(ApiError::invalid(
                "You must save this PaymentMethod to a customer before you can update it.",
            )
            .code("payment_method_unexpected_state"));
        }
        let before = method.answer();
        if let Some(billing) = billing {
            method.billing = BillingDetails::read(billing, method.billing)?;
        }
        if let Means::Card(card) = &mut method.means {
            let month = exp_month.and_then(|month| u8::try_from(month).ok());
            let year = exp_year.and_then(|year| i32::try_from(year).ok());
            card.exp_month = month.unwrap_or(card.exp_month);
            card.exp_year = year.unwrap_or(card.exp_year);
        }
        method.allow_redisplay = allow_redisplay.unwrap_or(method.allow_redisplay);
        metadata.apply(&mut method.metadata)?;
        if method.answer() != before {
            keep::update(transaction, &before, &method)?;
        }
        Ok(method.answer())
    }))
}

fn attach(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let customer = params.text("customer").required(&params, "customer")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customers::named(transaction, &customer)?;
        Ok(given::attach(transaction, id, &customer)?.answer())
    }))
}

fn detach(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut method = find(transaction, id)?;
        if method.customer().is_none() {
            return Err(ApiError::invalid(
                "The payment method you provided is not attached to a customer so detachment is \
                 impossible.",
            ));
        }
        keep::detach(transaction, &mut method)?;
        Ok(method.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<PaymentMethod, ApiError> {
    let method = transaction.get::<PaymentMethod>(id)?;
    method.ok_or_else(|| ApiError::no_such("PaymentMethod", id).param("payment_method"))
}

//! `/v1/charges`: what payment intents make of themselves, and charges without one, as in old
//! integrations.

use crate::account::amount::Amount;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::billing::Shipping;
use crate::payment::capture::{self as captures, Take};
use crate::payment::charge::{Charge, ChargeState};
use crate::payment::customer as customers;
use crate::payment::intent::{CaptureMethod, Terms};
use crate::payment::lone::{self, Lone};
use crate::payment::method::Means;
use crate::payment::sources;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["charges"]) => Box::new(create),
        ("POST", ["charges", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["charges", id, "capture"]) => Box::new(move |params| capture(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = params
        .amount("amount", currency)
        .required(&params, "amount")?;
    if amount < currency.minimum() {
        return Err(ApiError::amount_too_small("amount", currency));
    }
    let source = params.text("source")?;
    let customer = params.text("customer")?;
    let shipping = params.optional_object("shipping")?;
    let captures = params.boolean("capture")?.unwrap_or(true);
    let mut terms = Terms {
        description: params.short_text("description", 40_000)?,
        metadata: params.metadata("metadata")?,
        capture_method: match captures {
            true => CaptureMethod::Automatic,
            false => CaptureMethod::Manual,
        },
        receipt_email: params.email("receipt_email")?,
        shipping: shipping.map(Shipping::read).transpose()?,
        statement_descriptor: params.short_text("statement_descriptor", 22)?,
        statement_descriptor_suffix: params.short_text("statement_descriptor_suffix", 22)?,
        transfer_group: params.short_text("transfer_group", 5_000)?,
        ..Terms::default()
    };
    params.finish()?;
    Ok(Box::new(move |transaction| {
        if let Some(customer) = customer {
            terms.customer = Some(customers::named(transaction, &customer)?);
        }
        let method = match (source, &terms.customer) {
            (Some(source), customer) => {
                sources::source_of(transaction, &source, customer.as_ref())?
            }
            (None, Some(customer)) => sources::default_source(transaction, customer)?,
            (None, None) => {
                return Err(ApiError::invalid("Must provide source or customer."));
            }
        };
        let Means::Card(card) = &method.means else {
            return Err(ApiError::invalid(format!(
                "The stand-in charges only cards here, and {} is not one: make a PaymentIntent instead.",
                method.id
            ))
            .param("source"));
        };
        match lone::charge(transaction, amount, currency, terms, &method, card)? {
            Lone::Charged(id, aftermath) => {
                aftermath.come(transaction)?;
                let charge: Charge = transaction.existing(&id)?;
                Ok(charge.answer())
            }
            Lone::Refused(error) => Err(error.answer(None)),
        }
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let description = params.maybe_empty_text("description", 40_000)?;
    let metadata = params.metadata_update("metadata")?;
    let receipt_email = params.email("receipt_email")?;
    let shipping = params.optional_object("shipping")?;
    let shipping = shipping.map(Shipping::read).transpose()?;
    let mut fraud = params.object("fraud_details")?;
    let report = fraud.choice("user_report", &["safe", "fraudulent"])?;
    fraud.finish()?;
    let transfer_group = params.short_text("transfer_group", 5_000)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut charge = find(transaction, id)?;
        let before = charge.answer();
        if let Some(description) = description {
            charge.description = Some(description).filter(|text| !text.is_empty());
        }
        metadata.apply(&mut charge.metadata)?;
        charge.receipt_email = receipt_email.or(charge.receipt_email);
        charge.shipping = shipping.or(charge.shipping);
        charge.fraud.user_report = report.or(charge.fraud.user_report);
        charge.transfer_group = transfer_group.or(charge.transfer_group);
        if charge.answer() != before {
            transaction.put(&charge)?;
            record_change(transaction, "charge.updated", &before, &charge)?;
        }
        Ok(charge.answer())
    }))
}

fn capture(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let amount = params
        .integer_within("amount", 1, i64::MAX)?
        .map(Amount::new);
    let receipt_email = params.email("receipt_email")?;
    let descriptor = params.short_text("statement_descriptor", 22)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut charge = find(transaction, id)?;
        let ChargeState::Authorized { .. } = charge.state else {
            return Err(match charge.state {
                ChargeState::Captured { .. } => {
                    ApiError::invalid(format!("Charge {id} has already been captured."))
                        .code("charge_already_captured")
                }
                _ => ApiError::invalid(format!("Charge {id} cannot be captured.")),
            });
        };
        let left = charge.amount.minus(charge.captured());
        let take = Take {
            amount: amount.unwrap_or(left),
            is_last: true,
        };
        if take.amount > left {
            return Err(ApiError::invalid(
                "The amount to capture is greater than the amount of the charge.",
            )
            .code("amount_too_large")
            .param("amount"));
        }
        charge.receipt_email = receipt_email.or(charge.receipt_email);
        charge.statement_descriptor = descriptor.or(charge.statement_descriptor);
        transaction.put(&charge)?;
        match &charge.payment_intent {
            Some(intent) => {
                let mut intent = transaction.existing(intent)?;
                captures::capture(transaction, &mut intent, take)?
                    .map_err(|_| ApiError::invalid(format!("Charge {id} cannot be captured.")))?;
            }
            None => captures::capture_charge(transaction, &mut charge, take)?,
        }
        Ok(find(transaction, id)?.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Charge, ApiError> {
    let charge = transaction.get::<Charge>(id)?;
    charge.ok_or_else(|| ApiError::no_such(Charge::KIND, id).param("id"))
}

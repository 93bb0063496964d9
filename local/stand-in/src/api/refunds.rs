//! `/v1/refunds`.

use super::Work;
use super::errors::ApiError;
use super::expand::{Expansions, Shape};
use super::lists::{Paging, created};
use super::params::Params;
use crate::database::{Object as _, Transaction};
use crate::objects::{Charge, PaymentIntent, Refund, RefundStatus};
use crate::refunds::{self, WrongState};

const URL: &str = "/v1/refunds";
const REFUND: Shape = Shape::One(Refund::KIND);
const REFUNDS: Shape = Shape::List(Refund::KIND);
const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

/// What is to be refunded.
enum Paid {
    Charge(String),
    Intent(String),
}

pub(super) fn create(mut params: Params) -> Result<Work<'static>, ApiError> {
    let paid = match (params.text("charge")?, params.text("payment_intent")?) {
        (Some(charge), None) => Paid::Charge(charge),
        (None, Some(intent)) => Paid::Intent(intent),
        (None, None) => {
            return Err(ApiError::missing_one_of("payment_intent or charge"));
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "Only one of charge and payment_intent can be given at a time.",
            )
            .param("charge"));
        }
    };
    let amount = params.integer_within("amount", 1, i64::MAX)?;
    let reason = params.choice("reason", REASONS)?;
    let metadata = params.metadata("metadata")?;
    let expansions = Expansions::read(&mut params, REFUND)?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let mut charge = paid.charge(transaction)?;
        let refund = refunds::create(transaction, &mut charge, amount, reason, metadata)?
            .map_err(|why| ApiError::unrefundable(&charge, why))?;
        Ok(expansions.apply(transaction, refund.answer())?)
    }))
}

impl Paid {
    fn charge(&self, transaction: &Transaction<'_>) -> Result<Charge, ApiError> {
        match self {
            Self::Charge(id) => transaction
                .get(id)?
                .ok_or_else(|| ApiError::no_such(Charge::KIND, id).param("charge")),
            Self::Intent(id) => {
                let intent: PaymentIntent = transaction.get(id)?.ok_or_else(|| {
                    ApiError::no_such(PaymentIntent::KIND, id).param("payment_intent")
                })?;
                let charge = intent.latest_charge.ok_or_else(|| {
                    ApiError::invalid(format!(
                        "The payment intent {id} has no successful charge to refund."
                    ))
                    .param("payment_intent")
                })?;
                Ok(transaction.existing(&charge)?)
            }
        }
    }
}

pub(super) fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, REFUND)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(expansions.apply(transaction, find(transaction, id)?.answer())?)
    }))
}

pub(super) fn list(mut params: Params) -> Result<Work<'static>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?
        .having("charge", params.text("charge")?)
        .having("payment_intent", params.text("payment_intent")?);
    let expansions = Expansions::read(&mut params, REFUNDS)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<Refund>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

pub(super) fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let metadata = params.metadata_update("metadata")?;
    let expansions = Expansions::read(&mut params, REFUND)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut refund = find(transaction, id)?;
        let before = refund.answer();
        metadata.apply(&mut refund.metadata)?;
        if refund.answer() != before {
            refunds::update(transaction, &before, &refund)?;
        }
        Ok(expansions.apply(transaction, refund.answer())?)
    }))
}

/// Only what waits for the buyer can be called off.
pub(super) fn cancel(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, REFUND)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut refund = find(transaction, id)?;
        let cannot = |refund: &Refund| {
            ApiError::invalid(format!(
                "Only refunds with a status of requires_action can be canceled. This one is {}.",
                refund.status.as_str()
            ))
        };
        if refund.status != RefundStatus::RequiresAction {
            return Err(cannot(&refund));
        }
        refunds::advance(transaction, &mut refund, RefundStatus::Canceled)?
            .map_err(|WrongState| cannot(&refund))?;
        Ok(expansions.apply(transaction, refund.answer())?)
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Refund, ApiError> {
    let refund = transaction.get::<Refund>(id)?;
    refund.ok_or_else(|| ApiError::no_such(Refund::KIND, id).param("refund"))
}

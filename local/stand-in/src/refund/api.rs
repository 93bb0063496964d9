//! `/v1/refunds`.

use crate::account::amount::Amount;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::charge::Charge;
use crate::payment::customer as customers;
use crate::payment::intent::PaymentIntent;
use crate::refund;
use crate::refund::life::{Unrefundable, Wish, WrongState};
use crate::refund::object::{Refund, RefundStatus};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

const REASONS: &[&str] = &["duplicate", "fraudulent", "requested_by_customer"];

/// What is to be refunded.
enum Paid {
    Charge(String),
    Intent(String),
}

impl Paid {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        match (params.text("charge")?, params.text("payment_intent")?) {
            (Some(charge), None) => Ok(Self::Charge(charge)),
            (None, Some(intent)) => Ok(Self::Intent(intent)),
            (None, None) => Err(ApiError::missing_one_of("payment_intent or charge")),
            (Some(_), Some(_)) => Err(ApiError::invalid(
                "Only one of charge and payment_intent can be given at a time.",
            )
            .param("charge")),
        }
    }
}

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["refunds"]) => Box::new(create),
        ("POST", ["refunds", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["refunds", id, "cancel"]) => Box::new(move |params| cancel(id, params)),
        ("POST", ["test_helpers", "refunds", id, "expire"]) => {
            Box::new(move |params| expire(id, params))
        }
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    if params.choice("origin", &["customer_balance"])?.is_some() {
        return return_cash(params);
    }
    let paid = Paid::read(&mut params)?;
    let wish = wish(&mut params)?;
    // Stripe knows the currency and the customer of a payment, and does not take them with one.
    let mut known = params.left();
    known.retain(|it| matches!(it.as_str(), "currency" | "customer"));
    if !known.is_empty() {
        return Err(ApiError::unknown(&known));
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut charge = paid.charge(transaction)?;
        let refund = refund::life::create(transaction, &mut charge, wish)?
            .map_err(|why| unrefundable(&charge, why))?;
        Ok(refund.answer())
    }))
}

/// Reads what is the same whatever is refunded.
fn wish(params: &mut Params) -> Result<Wish, ApiError> {
    Ok(Wish {
        amount: params
            .integer_within("amount", 1, i64::MAX)?
            .map(Amount::new),
        reason: params.choice("reason", REASONS)?,
        metadata: params.metadata("metadata")?,
        email: params.email("instructions_email")?,
    })
}

/// A customer gets back what they have transferred and not used.
fn return_cash<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let customer = params.text("customer").required(&params, "customer")?;
    let currency = params.currency("currency").required(&params, "currency")?;
    let wish = wish(&mut params)?;
    let amount = wish.amount.ok_or_else(|| ApiError::missing("amount"))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customers::named(transaction, &customer)?;
        let made = refund::life::return_cash(transaction, &customer, amount, currency, wish)?;
        let refund = made.map_err(|why| match why {
            Unrefundable::NoEmail => no_email(),
            _ => ApiError::invalid(format!(
                "Refund amount ({}) is greater than the customer's cash balance.",
                currency.display(amount)
            ))
            .code("balance_insufficient")
            .param("amount"),
        })?;
        Ok(refund.answer())
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

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut refund = find(transaction, id)?;
        let before = refund.answer();
        metadata.apply(&mut refund.metadata)?;
        if refund.answer() != before {
            refund::life::update(transaction, &before, &refund)?;
        }
        Ok(refund.answer())
    }))
}

/// Only what waits for the buyer can be called off.
fn cancel(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    end(id, params, RefundStatus::Canceled, "canceled")
}

/// Its buyer has not told where the money is to go.
fn expire(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    end(id, params, RefundStatus::Failed, "expired")
}

/// Ends a refund that waits for its buyer.
fn end<'r>(
    id: &'r str,
    params: Params,
    status: RefundStatus,
    what: &'static str,
) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut refund = find(transaction, id)?;
        let cannot = move |refund: &Refund| {
            ApiError::invalid(format!(
                "Only refunds with a status of requires_action can be {what}. This one is {}.",
                refund.status.as_str()
            ))
        };
        if refund.status != RefundStatus::RequiresAction {
            return Err(cannot(&refund));
        }
        refund::life::advance(transaction, &mut refund, status)?
            .map_err(|WrongState| cannot(&refund))?;
        Ok(refund.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Refund, ApiError> {
    let refund = transaction.get::<Refund>(id)?;
    refund.ok_or_else(|| ApiError::no_such(Refund::KIND, id).param("refund"))
}

/// Why a charge cannot be refunded.
pub(crate) fn unrefundable(charge: &Charge, why: Unrefundable) -> ApiError {
    let money = |amount| charge.currency.display(amount);
    match why {
        Unrefundable::NotPaid => match &charge.payment_intent {
            Some(intent) => ApiError::invalid(format!(
                "The payment intent {intent} has no successful charge to refund."
            )),
            None => ApiError::invalid(format!("Charge {} has taken no money.", charge.id)),
        },
        Unrefundable::AllRefunded => {
            ApiError::invalid(format!("Charge {} has already been refunded.", charge.id))
                .code("charge_already_refunded")
        }
        Unrefundable::Disputed => ApiError::invalid(format!(
            "Charge {} has been charged back; cannot issue a refund.",
            charge.id
        ))
        .code("charge_disputed"),
        Unrefundable::PartOfAuthorization => ApiError::invalid(
            "Cannot partially refund an uncaptured charge. Instead, capture the charge for an amount \
             less than the original amount.",
        )
        .param("amount"),
        Unrefundable::Cash => {
            let method = charge.means.name();
            ApiError::invalid(format!("Payments with {method} cannot be refunded."))
        }
        Unrefundable::NoEmail => no_email(),
        Unrefundable::TooMuch { amount } => ApiError::invalid(format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            money(amount),
            money(charge.refundable())
        ))
        .param("amount"),
    }
}

/// Nobody can be asked for a bank account.
fn no_email() -> ApiError {
    ApiError::invalid(
        "This refund goes to a bank account that the customer has to name, and there is no address to ask \
         them at: set the customer's email, or pass instructions_email.",
    )
    .param("instructions_email")
}

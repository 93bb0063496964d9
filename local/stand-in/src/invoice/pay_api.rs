//! `/v1/invoices/{invoice}/pay` and `attach_payment`.

use serde_json::Value;

use crate::billing;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::api::{finalized, find};
use crate::invoice::collect::{self, By, Outcome};
use crate::invoice::life;
use crate::invoice::object::{Invoice, Status};
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::given;
use crate::payment::intent::{IntentState, Origin, PaymentIntent};
use crate::payment::method::{Owner, PaymentMethod};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["invoices", id, "pay"]) => Box::new(move |params| pay(id, params)),
        ("POST", ["invoices", id, "attach_payment"]) => {
            Box::new(move |params| attach_payment(id, params))
        }
        _ => return None,
    })
}

/// How an invoice is to be paid.
#[derive(Debug)]
enum Way {
    OutOfBand,
    With {
        method: Option<String>,
        off_session: bool,
    },
}

fn pay(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let out_of_band = params.boolean("paid_out_of_band")?.unwrap_or(false);
    let method = params.text("payment_method")?;
    let source = params.text("source")?;
    let off_session = params.boolean("off_session")?.unwrap_or(true);
    // No test card has less on it than is asked for: what could be forgiven never is.
    params.boolean("forgive")?;
    params.maybe_empty_text("mandate", 5_000)?;
    params.finish()?;
    if method.is_some() && source.is_some() {
        return Err(ApiError::invalid(
            "You may only specify one of these parameters: payment_method, source.",
        )
        .param("payment_method"));
    }
    let way = match out_of_band {
        true => Way::OutOfBand,
        false => Way::With {
            method: method.or(source),
            off_session,
        },
    };
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        check_payable(&invoice)?;
        let method = match &way {
            Way::With {
                method: Some(id), ..
            } => Some(method_of(transaction, &invoice, id)?),
            _ => None,
        };
        if invoice.is_draft() {
            finalized(transaction, &mut invoice)?;
        }
        match way {
            _ if invoice.status == Status::Paid => {}
            Way::OutOfBand => {
                life::pay_out_of_band(transaction, &mut invoice)?;
                billing::follow_invoice(transaction, &invoice)?;
            }
            Way::With { off_session, .. } => {
                let by = By::Shop { off_session };
                let outcome = collect::attempt(transaction, &mut invoice, method, by)?;
                billing::follow_try(transaction, &invoice, &outcome)?;
                told(transaction, &invoice, outcome)?;
            }
        }
        let invoice = find(transaction, id)?;
        Ok(invoice.answer())
    }))
}

fn check_payable(invoice: &Invoice) -> Result<(), ApiError> {
    match invoice.status {
        Status::Draft { .. } | Status::Open { .. } | Status::Uncollectible => Ok(()),
        Status::Paid => Err(ApiError::invalid("Invoice is already paid")),
        Status::Void => Err(ApiError::invalid(
            "Invoice can't be paid: it has a status of void.",
        )),
    }
}

/// What a request wants to pay an invoice with.
fn method_of(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    id: &str,
) -> Result<PaymentMethod, ApiError> {
    let method = given::named(transaction, id)?;
    match &method.owner {
        Owner::Customer(owner) if *owner == invoice.customer => Ok(method),
        Owner::Spent => Err(given::spent()),
        _ => Err(ApiError::invalid(format!(
            "The customer does not have a payment method with the ID {id}. The payment method must be \
             attached to the customer."
        ))
        .code("resource_missing")
        .param("payment_method")),
    }
}

/// The answer to a try that has not brought the money.
fn told(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let intent = match &invoice.intent {
        Some(id) => transaction.shown(id)?,
        None => None,
    };
    match outcome {
        Outcome::Paid | Outcome::Pending => Ok(()),
        Outcome::Declined(error) => Err(error.answer(intent)),
        Outcome::ActionRequired => {
            let decline = Decline::new(
                "invoice_payment_intent_requires_action",
                None,
                "This payment requires additional user action before it can be completed successfully. \
                 Payment can be completed using the PaymentIntent associated with the invoice.",
            );
            Err(PaymentError::new(&decline, None, &Value::Null).answer(intent))
        }
        Outcome::NoMethod => Err(ApiError::invalid(
            "There is no `default_payment_method` set on this Customer or Invoice. Please set either \
             the `default_payment_method` on the Customer or Invoice, or pass `payment_method`.",
        )),
    }
}

/// An intent that the shop has made pays the invoice, or a part of it.
fn attach_payment(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let intent = params
        .text("payment_intent")
        .required(&params, "payment_intent")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        let found = transaction.get::<PaymentIntent>(&intent)?;
        let mut intent = found.ok_or_else(|| {
            ApiError::no_such(PaymentIntent::KIND, &intent).param("payment_intent")
        })?;
        let refuse = |message: String| Err(ApiError::invalid(message).param("payment_intent"));
        if !matches!(invoice.status, Status::Open { .. }) {
            return Err(ApiError::invalid(format!(
                "Payments can be attached to open invoices only. This invoice is {}.",
                invoice.status.as_str()
            )));
        }
        if intent.origin != Origin::Api || matches!(intent.state, IntentState::Canceled { .. }) {
            return refuse(format!(
                "The payment intent {} is canceled, or pays something else already.",
                intent.id
            ));
        }
        if intent.terms.customer.as_ref() != Some(&invoice.customer)
            || intent.currency != invoice.currency
        {
            return refuse(format!(
                "The payment intent {} must have the customer and the currency of the invoice.",
                intent.id
            ));
        }
        if intent.amount > invoice.amount_remaining() {
            return refuse(format!(
                "The payment intent {} is for more than the {} that remain to be paid.",
                intent.id,
                invoice.currency.display(invoice.amount_remaining())
            ));
        }
        intent.origin = Origin::Invoice(invoice.id.clone());
        transaction.put(&intent)?;
        collect::attach(transaction, &mut invoice, &intent)?;
        billing::follow_invoice(transaction, &invoice)?;
        Ok(invoice.answer())
    }))
}

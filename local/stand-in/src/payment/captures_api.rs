//! `/v1/payment_intents/{intent}/capture` and `…/increment_authorization`: what a shop does with money that
//! is set aside for it.

use crate::account::amount::Amount;
use crate::engine::resource::Object as _;
use crate::payment::capture::{self, Take};
use crate::payment::charge::Charge;
use crate::payment::flexible::NoIncrement;
use crate::payment::intent::{IntentState, PaymentIntent};
use crate::payment::intents_api::{checked, find, unexpected};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_intents", id, "capture"]) => Box::new(move |params| take(id, params)),
        ("POST", ["payment_intents", id, "increment_authorization"]) => {
            Box::new(move |params| increment(id, params))
        }
        _ => return None,
    })
}

fn take(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let amount = params
        .integer_within("amount_to_capture", 0, i64::MAX)?
        .map(Amount::new);
    let is_last = params.boolean("final_capture")?.unwrap_or(true);
    let metadata = params.metadata_update("metadata")?;
    let descriptor = params.short_text("statement_descriptor", 22)?;
    let suffix = params.short_text("statement_descriptor_suffix", 22)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        let IntentState::RequiresCapture { received, .. } = intent.state else {
            return Err(not_capturable(&intent));
        };
        let charge = capture::set_aside(transaction, &intent)?;
        let take = Take {
            amount: amount.unwrap_or(intent.amount.minus(received)),
            is_last,
        };
        check(&take, received, &charge)?;
        metadata.apply(&mut intent.terms.metadata)?;
        let terms = &mut intent.terms;
        terms.statement_descriptor = descriptor.or(terms.statement_descriptor.take());
        terms.statement_descriptor_suffix = suffix.or(terms.statement_descriptor_suffix.take());
        capture::capture(transaction, &mut intent, take)?.map_err(|_| not_capturable(&intent))?;
        Ok(intent.answer())
    }))
}

/// Refuses what the issuer would not give.
fn check(take: &Take, received: Amount, charge: &Charge) -> Result<(), ApiError> {
    // Taking nothing says only that the rest goes back.
    let says_enough = take.is_last && received > Amount::ZERO;
    if take.amount == Amount::ZERO && !says_enough {
        return Err(ApiError::out_of_range(
            "amount_to_capture",
            "This value must be greater than or equal to 1.",
        ));
    }
    if received.plus(take.amount) > charge.flexible.most(charge.amount) {
        return Err(ApiError::invalid(
            "The payment could not be captured because the requested capture amount is greater than the \
             authorized amount.",
        )
        .code("amount_too_large")
        .param("amount_to_capture"));
    }
    if !take.is_last && !charge.flexible.splits() {
        return Err(ApiError::invalid(
            "You cannot set final_capture to false because multicapture is not available for this \
             PaymentIntent. To ask for it, set payment_method_options[card][request_multicapture] to \
             if_available when you confirm.",
        )
        .param("final_capture"));
    }
    match charge.flexible.is_worn_out() && take.amount > Amount::ZERO {
        true => Err(ApiError::invalid(
            "This PaymentIntent cannot be captured more than 50 times.",
        )),
        false => Ok(()),
    }
}

fn not_capturable(intent: &PaymentIntent) -> ApiError {
    let message = match intent.state {
        IntentState::Succeeded { .. } => {
            "This PaymentIntent could not be captured because it has already been captured."
                .to_owned()
        }
        _ => format!(
            "This PaymentIntent could not be captured because it has a status of {}. Only a \
             PaymentIntent with one of the following statuses may be captured: requires_capture.",
            intent.state.as_str()
        ),
    };
    unexpected(intent, &message)
}

fn increment(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let amount = params.integer("amount").required(&params, "amount")?;
    let metadata = params.metadata_update("metadata")?;
    let description = params.short_text("description", 1_000)?;
    let descriptor = params.short_text("statement_descriptor", 22)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        let IntentState::RequiresCapture { received, .. } = intent.state else {
            let message = format!(
                "This PaymentIntent's authorization could not be incremented because it has a status of \
                 {}. Only a PaymentIntent with one of the following statuses may be incremented: \
                 requires_capture.",
                intent.state.as_str()
            );
            return Err(unexpected(&intent, &message));
        };
        if received > Amount::ZERO {
            let message = "This PaymentIntent's authorization could not be incremented because a part of \
                           it has been captured.";
            return Err(unexpected(&intent, message));
        }
        let mut charge = capture::set_aside(transaction, &intent)?;
        charge.flexible.grows().map_err(refused)?;
        let amount = checked(Amount::new(amount), intent.currency)?;
        if amount <= intent.amount {
            return Err(ApiError::out_of_range(
                "amount",
                format!(
                    "The amount must be greater than the currently authorized amount of {}.",
                    intent.amount
                ),
            ));
        }
        metadata.apply(&mut intent.terms.metadata)?;
        let terms = &mut intent.terms;
        terms.description = description.or(terms.description.take());
        terms.statement_descriptor = descriptor.or(terms.statement_descriptor.take());
        capture::increment(transaction, &mut intent, &mut charge, amount)?;
        Ok(intent.answer())
    }))
}

fn refused(why: NoIncrement) -> ApiError {
    ApiError::invalid(match why {
        NoIncrement::NotAvailable => {
            "This PaymentIntent is not eligible for incremental authorization: its charge's \
             payment_method_details[card][incremental_authorization][status] must be available. To ask for \
             it, set payment_method_options[card][request_incremental_authorization] to if_available when \
             you confirm."
        }
        NoIncrement::TooMany => {
            "A PaymentIntent can have a maximum of 10 incremental authorization attempts."
        }
    })
}

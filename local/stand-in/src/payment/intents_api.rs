//! `/v1/payment_intents`.

use crate::engine::ids::{self, PaymentIntentId};
use crate::engine::resource::Object as _;
use crate::payment::intent::{PaymentIntent, PaymentIntentStatus};
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_intents"]) => Box::new(create),
        _ => return None,
    })
}

/// An intent outside Checkout: nothing here confirms it, but it can be looked at.
fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = params
        .amount("amount", currency)
        .required(&params, "amount")?;
    if amount < currency.minimum() {
        return Err(ApiError::amount_too_small("amount", currency));
    }
    let description = params.short_text("description", 1_000)?;
    let metadata = params.metadata("metadata")?;
    let mut automatic = params.object("automatic_payment_methods")?;
    let automatic_payment_methods = automatic.boolean("enabled")?.unwrap_or(true);
    automatic.finish()?;
    params.finish()?;

    Ok(Box::new(move |transaction| {
        let id = PaymentIntentId::random();
        let intent = PaymentIntent {
            client_secret: ids::client_secret(&id),
            id,
            created: transaction.now,
            amount,
            currency,
            status: PaymentIntentStatus::RequiresPaymentMethod,
            description,
            metadata,
            payment_method: None,
            payment_method_types: vec!["card".to_owned()],
            automatic_payment_methods,
            latest_charge: None,
            last_payment_error: None,
            canceled_at: None,
            voucher: None,
        };
        transaction.put(&intent)?;
        record(transaction, "payment_intent.created", &intent)?;
        Ok(intent.answer())
    }))
}

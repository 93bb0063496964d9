//! `/v1/payment_intents`.

use crate::engine::ids::{self, PaymentIntentId};
use crate::engine::resource::Object as _;
use crate::payment::intent::{PaymentIntent, PaymentIntentStatus};
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::{Params, Required as _};

const URL: &str = "/v1/payment_intents";
const INTENT: Shape = Shape::One(PaymentIntent::KIND);
const INTENTS: Shape = Shape::List(PaymentIntent::KIND);

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_intents"]) => Box::new(create),
        ("GET", ["payment_intents"]) => Box::new(list),
        ("GET", ["payment_intents", id]) => Box::new(move |params| retrieve(id, params)),
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
    let expansions = Expansions::read(&mut params, INTENT)?;
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
        Ok(expansions.apply(transaction, intent.answer())?)
    }))
}

fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, INTENT)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let intent = transaction.get::<PaymentIntent>(id)?;
        let intent =
            intent.ok_or_else(|| ApiError::no_such(PaymentIntent::KIND, id).param("intent"))?;
        Ok(expansions.apply(transaction, intent.answer())?)
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?;
    let expansions = Expansions::read(&mut params, INTENTS)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<PaymentIntent>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

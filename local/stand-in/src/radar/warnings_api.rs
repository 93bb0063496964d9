//! `/v1/radar/early_fraud_warnings`.

use crate::engine::resource::Object as _;
use crate::radar::warning::EarlyFraudWarning;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/radar/early_fraud_warnings";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["radar", "early_fraud_warnings"]) => Box::new(list),
        ("GET", ["radar", "early_fraud_warnings", id]) => {
            Box::new(move |params| retrieve(id, params))
        }
        _ => return None,
    })
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?
        .having("charge", params.text("charge")?)
        .having("payment_intent", params.text("payment_intent")?);
    let expansions = Expansions::read(&mut params, Shape::List(EarlyFraudWarning::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<EarlyFraudWarning>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, Shape::One(EarlyFraudWarning::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let warning = transaction.get::<EarlyFraudWarning>(id)?;
        let warning = warning.ok_or_else(|| {
            ApiError::no_such(EarlyFraudWarning::KIND, id).param("early_fraud_warning")
        })?;
        Ok(expansions.apply(transaction, warning.answer())?)
    }))
}

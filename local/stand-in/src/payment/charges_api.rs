//! `/v1/charges`.

use crate::engine::resource::Object as _;
use crate::payment::charge::Charge;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/charges";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["charges"]) => Box::new(list),
        ("GET", ["charges", id]) => Box::new(move |params| retrieve(id, params)),
        _ => return None,
    })
}

fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, Shape::One(Charge::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let charge = transaction.get::<Charge>(id)?;
        let charge = charge.ok_or_else(|| ApiError::no_such(Charge::KIND, id).param("id"))?;
        Ok(expansions.apply(transaction, charge.answer())?)
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?.having("payment_intent", params.text("payment_intent")?);
    let expansions = Expansions::read(&mut params, Shape::List(Charge::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<Charge>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

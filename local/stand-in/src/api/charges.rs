//! `/v1/charges`.

use super::Work;
use super::errors::ApiError;
use super::expand::{Expansions, Shape};
use super::lists::{Paging, created};
use super::params::Params;
use crate::database::Object as _;
use crate::objects::Charge;

const URL: &str = "/v1/charges";

pub(super) fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, Shape::One(Charge::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let charge = transaction.get::<Charge>(id)?;
        let charge = charge.ok_or_else(|| ApiError::no_such(Charge::KIND, id).param("id"))?;
        Ok(expansions.apply(transaction, charge.answer())?)
    }))
}

pub(super) fn list(mut params: Params) -> Result<Work<'static>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?.having("payment_intent", params.text("payment_intent")?);
    let expansions = Expansions::read(&mut params, Shape::List(Charge::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<Charge>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

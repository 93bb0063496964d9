//! `/v1/reviews`.

use crate::engine::database::Transaction;
use crate::engine::resource::Object as _;
use crate::radar;
use crate::radar::life::AlreadyClosed;
use crate::radar::review::{Closed, Review};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::{Expansions, Shape};
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/reviews";
const REVIEW: Shape = Shape::One(Review::KIND);

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["reviews"]) => Box::new(list),
        ("GET", ["reviews", id]) => Box::new(move |params| retrieve(id, params)),
        ("POST", ["reviews", id, "approve"]) => Box::new(move |params| approve(id, params)),
        _ => return None,
    })
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?;
    let expansions = Expansions::read(&mut params, Shape::List(Review::KIND))?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let page = paging.stored::<Review>(transaction, URL, &filter)?;
        Ok(expansions.apply(transaction, page)?)
    }))
}

fn retrieve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, REVIEW)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(expansions.apply(transaction, find(transaction, id)?.answer())?)
    }))
}

fn approve(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expansions = Expansions::read(&mut params, REVIEW)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut review = find(transaction, id)?;
        radar::life::close_review(transaction, &mut review, Closed::Approved)?
            .map_err(|AlreadyClosed| ApiError::invalid(format!("{id} is already closed.")))?;
        Ok(expansions.apply(transaction, review.answer())?)
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Review, ApiError> {
    let review = transaction.get::<Review>(id)?;
    review.ok_or_else(|| ApiError::no_such(Review::KIND, id).param("review"))
}

//! `/v1/reviews`.

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::radar;
use crate::radar::life::AlreadyClosed;
use crate::radar::review::{Closed, Review};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["reviews", id, "approve"]) => Box::new(move |params| approve(id, params)),
        _ => return None,
    })
}

fn approve(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut review = find(transaction, id)?;
        radar::life::close_review(transaction, &mut review, Closed::Approved)?
            .map_err(|AlreadyClosed| ApiError::invalid(format!("{id} is already closed.")))?;
        Ok(review.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Review, ApiError> {
    let review = transaction.get::<Review>(id)?;
    review.ok_or_else(|| ApiError::no_such(Review::KIND, id).param("review"))
}

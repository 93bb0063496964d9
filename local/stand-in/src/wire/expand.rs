//! `expand[]`: references replaced by the objects they name, and lists left out otherwise.

use serde_json::Value;

use crate::checkout::object::Session;
use crate::engine::database::Transaction;
use crate::engine::resource::Object;
use crate::refund::object::Refund;
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::Params;

/// Stripe's limit to how deep a path may go.
const DEPTH: usize = 4;

/// What an answer is made of, as far as paths through it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    One(&'static str),
    List(&'static str),
}

/// Where a field leads.
enum Step {
    /// To what is there anyway.
    Into(Shape),
    /// To what must be fetched first.
    Expand(Shape),
}

impl Shape {
    /// Everything that can be expanded stands here.
    fn step(self, field: &str) -> Option<Step> {
        use Shape::{List, One};
        use Step::{Expand, Into};
        match (self, field) {
            (List(kind), "data") => Some(Into(One(kind))),
            (One("checkout.session"), "line_items") => Some(Expand(List("item"))),
            (One("checkout.session" | "charge" | "refund" | "dispute"), "payment_intent") => {
                Some(Expand(One("payment_intent")))
            }
            (One("payment_intent"), "latest_charge") => Some(Expand(One("charge"))),
            (One("refund" | "dispute"), "charge") => Some(Expand(One("charge"))),
            (One("charge"), "refunds") => Some(Expand(List("refund"))),
            (One("charge" | "refund"), "balance_transaction")
            | (One("refund"), "failure_balance_transaction") => {
                Some(Expand(One("balance_transaction")))
            }
            // Its kind shows when it is fetched; nothing in it is expanded further.
            (One("balance_transaction"), "source") => Some(Expand(One("source"))),
            (One("checkout.session"), "total_details") => Some(Into(One("total_details"))),
            (One("total_details"), "breakdown") => Some(Expand(One("breakdown"))),
            (One("checkout.session"), "discounts") => Some(Into(One("discount"))),
            (One("discount"), "promotion_code") => Some(Expand(One("promotion_code"))),
            (One("promotion_code"), "promotion") => Some(Into(One("promotion"))),
            (One("promotion"), "coupon") => Some(Expand(One("coupon"))),
            (One("item"), "price") => Some(Into(One("price"))),
            (One("price"), "product") => Some(Expand(One("product"))),
            _ => None,
        }
    }
}

/// Paths that have been found to lead somewhere.
#[derive(Debug)]
pub(crate) struct Expansions(Vec<String>);

impl Expansions {
    /// Reads `expand` for an answer of this shape.
    pub(crate) fn read(params: &mut Params, shape: Shape) -> Result<Self, ApiError> {
        let paths = params.texts("expand")?;
        for path in &paths {
            let mut shape = shape;
            let mut expands = false;
            for field in path.split('.') {
                (shape, expands) = match shape.step(field) {
                    Some(Step::Into(next)) => (next, false),
                    Some(Step::Expand(next)) => (next, true),
                    None => return Err(ApiError::cannot_expand(path)),
                };
            }
            let depth = path.split('.').filter(|field| *field != "data").count();
            if !expands || depth > DEPTH {
                return Err(ApiError::cannot_expand(path));
            }
        }
        Ok(Self(paths))
    }

    pub(crate) fn apply(
        &self,
        transaction: &Transaction<'_>,
        mut answer: Value,
    ) -> anyhow::Result<Value> {
        for path in &self.0 {
            let path: Vec<_> = path.split('.').collect();
            expand(transaction, &mut answer, &path, "")?;
        }
        Ok(answer)
    }
}

/// Follows a path from `at`, which belongs to the object `owner` unless it is one itself.
fn expand(
    transaction: &Transaction<'_>,
    at: &mut Value,
    path: &[&str],
    owner: &str,
) -> anyhow::Result<()> {
    if let Value::Array(elements) = at {
        return elements
            .iter_mut()
            .try_for_each(|element| expand(transaction, element, path, owner));
    }
    let (Some((field, rest)), Value::Object(object)) = (path.split_first(), at) else {
        return Ok(());
    };
    let own_id = object.get("id").and_then(Value::as_str).map(str::to_owned);
    let owner = own_id.as_deref().unwrap_or(owner);
    if !object.contains_key(*field) {
        let list = left_out(transaction, owner, field)?;
        object.extend(list.map(|list| ((*field).to_owned(), list)));
    }
    let Some(next) = object.get_mut(*field) else {
        return Ok(());
    };
    if let Value::String(id) = next
        && let Some(whole) = transaction.shown(id)?
    {
        *next = whole;
    }
    expand(transaction, next, rest, owner)
}

/// What an object has only when it is asked for.
fn left_out(transaction: &Transaction<'_>, id: &str, field: &str) -> anyhow::Result<Option<Value>> {
    Ok(match field {
        "line_items" => transaction
            .get::<Session>(id)?
            .map(|session| Paging::first().page(&line_items_url(id), session.lines())),
        "breakdown" => transaction
            .get::<Session>(id)?
            .map(|session| session.breakdown()),
        "refunds" => {
            let refunds = transaction.having::<Refund>("charge", id)?;
            let newest_first = refunds.iter().rev().map(Object::answer);
            Some(Paging::first().page(&format!("/v1/charges/{id}/refunds"), newest_first))
        }
        _ => None,
    })
}

pub(crate) fn line_items_url(session: &str) -> String {
    format!("/v1/checkout/sessions/{session}/line_items")
}

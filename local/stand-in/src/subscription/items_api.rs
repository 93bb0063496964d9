//! `/v1/subscription_items`.

use serde_json::{Value, json};

use crate::engine::transaction::Transaction;
use crate::subscription::api::find;
use crate::subscription::change::{Change, Proration, refuse_what_is_over};
use crate::subscription::items::ItemChange;
use crate::subscription::life::Paying;
use crate::subscription::object::{ITEM, Subscription};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["subscription_items"]) => Box::new(create),
        ("POST", ["subscription_items", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["subscription_items", id]) => Box::new(move |params| delete(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let id = params
        .text("subscription")
        .required(&params, "subscription")?;
    let item = ItemChange::read(&mut params)?;
    let change = of_item(item, &mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let subscription = find(transaction, &id)
            .map_err(|_| ApiError::no_such_param("subscription", &id, "subscription"))?;
        let changed = make(transaction, change, subscription)?;
        let item = changed.items.last().map(|item| changed.item_shown(item));
        item.ok_or_else(|| ApiError::missing("price"))
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let item = ItemChange::read(&mut params)?.of(id);
    let change = of_item(item, &mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let subscription = owner(transaction, id)?;
        let changed = make(transaction, change, subscription)?;
        let item = changed.item(id).map(|item| changed.item_shown(item));
        item.ok_or_else(|| no_such(id))
    }))
}

fn delete(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    params.boolean("clear_usage")?;
    let item = ItemChange::read(&mut params)?.of(id).gone();
    let change = of_item(item, &mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let subscription = owner(transaction, id)?;
        make(transaction, change, subscription)?;
        Ok(json!({ "id": id, "object": ITEM, "deleted": true }))
    }))
}

/// The change of one item.
fn of_item(item: ItemChange, params: &mut Params) -> Result<Change, ApiError> {
    Ok(Change {
        items: vec![item],
        extras: Vec::new(),
        terms: None,
        discounts: None,
        cancel: None,
        comment: None,
        feedback: None,
        pause_collection: None,
        trial_end: None,
        anchors_now: false,
        proration: Proration::read(params)?,
        proration_date: params.integer("proration_date")?,
        paying: Paying::read(params)?,
    })
}

fn make(
    transaction: &Transaction<'_>,
    change: Change,
    subscription: Subscription,
) -> Result<Subscription, ApiError> {
    refuse_what_is_over(&subscription)?;
    transaction.attempt(|| change.make(transaction, subscription))
}

/// The subscription that an item is of.
fn owner(transaction: &Transaction<'_>, id: &str) -> Result<Subscription, ApiError> {
    let item = transaction.shown_of(ITEM, id)?.ok_or_else(|| no_such(id))?;
    let subscription = item.get("subscription").and_then(Value::as_str);
    find(transaction, subscription.unwrap_or_default())
}

fn no_such(id: &str) -> ApiError {
    ApiError::no_such(ITEM, id).param("item")
}

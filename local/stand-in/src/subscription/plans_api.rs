//! `/v1/plans`: what recurring prices were called before there were prices. Each plan is a price.

use serde_json::{Map, Value, json};

use crate::engine::transaction::Transaction;
use crate::plain;
use crate::subscription::price::plan_of;
use crate::webhook::record::record_shown;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

/// What a price has within `recurring`.
const RECURRING: &[&str] = &[
    "interval",
    "interval_count",
    "meter",
    "trial_period_days",
    "usage_type",
];

/// What a price calls otherwise.
const RENAMED: &[(&str, &str)] = &[
    ("amount", "unit_amount"),
    ("amount_decimal", "unit_amount_decimal"),
    ("transform_usage", "transform_quantity"),
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["plans"]) => Box::new(create),
        ("GET", ["plans"]) => Box::new(list),
        ("GET", ["plans", id]) => Box::new(move |params| {
            params.finish()?;
            Ok(Box::new(move |transaction| shown(transaction, id)))
        }),
        ("POST", ["plans", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["plans", id]) => Box::new(move |params| delete(id, params)),
        _ => return None,
    })
}

/// The parameters of a price that is this plan.
fn of_price(mut params: Params) -> anyhow::Result<Map<String, Value>> {
    let mut price = Map::new();
    let mut recurring = Map::new();
    for name in params.left() {
        let given = params.take(&name)?.unwrap_or_default();
        let renamed = RENAMED.iter().find(|(plans, _)| *plans == name);
        match renamed {
            _ if RECURRING.contains(&name.as_str()) => {
                recurring.insert(name, given);
            }
            Some((_, prices)) => {
                price.insert((*prices).to_owned(), given);
            }
            None if name == "product" && given.is_object() => {
                price.insert("product_data".to_owned(), given);
            }
            None => {
                price.insert(name, given);
            }
        }
    }
    if !recurring.is_empty() {
        price.insert("recurring".to_owned(), Value::Object(recurring));
    }
    Ok(price)
}

fn create<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    let price = of_price(params)?;
    Ok(Box::new(move |transaction| {
        let price = plain::create(transaction, "price", price)?;
        let plan = plan(price);
        record_shown(transaction, "plan.created", plan.clone(), None)?;
        Ok(plan)
    }))
}

fn update(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    let price = of_price(params)?;
    Ok(Box::new(move |transaction| {
        let before = shown(transaction, id)?;
        let plan = plan(plain::update(transaction, "price", id, price)?);
        if plan != before {
            record_shown(transaction, "plan.updated", plan.clone(), Some(&before))?;
        }
        Ok(plan)
    }))
}

fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let gone = shown(transaction, id)?;
        plain::remove(transaction, "price", id)?;
        record_shown(transaction, "plan.deleted", gone, None)?;
        Ok(json!({ "id": id, "object": "plan", "deleted": true }))
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?.and("shown ->> '$.type' = 'recurring'", []);
    filter = filter.having("product", params.text("product")?);
    if let Some(active) = params.boolean("active")? {
        filter = filter.equal("active", i64::from(active).into());
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut page = paging.stored(transaction, "price", "/v1/plans", &filter)?;
        if let Some(data) = page.get_mut("data").and_then(Value::as_array_mut) {
            for price in data {
                *price = plan(price.take());
            }
        }
        Ok(page)
    }))
}

/// A price as a plan.
fn plan(price: Value) -> Value {
    price.as_object().map(plan_of).unwrap_or_default()
}

/// The plan that a path names.
fn shown(transaction: &Transaction<'_>, id: &str) -> Result<Value, ApiError> {
    let price = transaction.shown_of("price", id)?;
    let recurs = |price: &Value| price.get("recurring").is_some_and(Value::is_object);
    let price = price.filter(recurs);
    price
        .map(plan)
        .ok_or_else(|| ApiError::no_such("plan", id).param("plan"))
}

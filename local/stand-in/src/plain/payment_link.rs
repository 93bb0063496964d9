//! Payment links, and what they sell.

use serde_json::{Map, Value, json};

use super::catalog::{PRICE, PRODUCT};
use super::draft::{Draft, Kind, keep, make, tell};
use crate::engine::ids;
use crate::engine::transaction::Transaction;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::Params;
use crate::wire::values::in_order;

/// A page that opens a new Checkout session for whoever follows the link.
pub(crate) static PAYMENT_LINK: Kind = Kind {
    extra: &["line_items"],
    on_request: &["line_items"],
    defaults: || {
        vec![
            ("billing_address_collection", json!("auto")),
            ("customer_creation", json!("if_required")),
            ("payment_method_collection", json!("if_required")),
            ("submit_type", json!("auto")),
            (
                "after_completion",
                json!({ "type": "hosted_confirmation",
                        "hosted_confirmation": { "custom_message": null } }),
            ),
            (
                "automatic_tax",
                json!({ "enabled": false, "liability": null }),
            ),
            (
                "tax_id_collection",
                json!({ "enabled": false, "required": "never" }),
            ),
        ]
    },
    finish,
    ..Kind::plain("payment_link", "plink_1")
};

/// Where a link keeps how often it may sell, and how often it has.
const COMPLETED: &str = "/restrictions/completed_sessions";

/// Somebody has bought by a link. It ends when as many have as may.
pub(crate) fn count_sale(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    let before = transaction.shown_of(PAYMENT_LINK.name, id)?;
    let Some(link) = transaction.whole(PAYMENT_LINK.name, id)? else {
        return Ok(());
    };
    let mut link = Value::Object(link);
    let Some(Value::Object(sales)) = link.pointer_mut(COMPLETED) else {
        return Ok(());
    };
    let number = |name: &str| sales.get(name).and_then(Value::as_i64);
    let count = number("count").unwrap_or(0).saturating_add(1);
    let ends = number("limit").is_some_and(|limit| count >= limit);
    sales.insert("count".to_owned(), json!(count));
    let Value::Object(mut link) = link else {
        return Ok(());
    };
    if ends {
        link.insert("active".to_owned(), json!(false));
    }
    let shown = keep(transaction, &PAYMENT_LINK, id, link)?;
    match ends {
        true => tell(
            transaction,
            PAYMENT_LINK.name,
            "updated",
            shown,
            before.as_ref(),
        ),
        false => Ok(()),
    }
}

/// The requests answered here.
pub(super) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    match (asked.method, asked.path) {
        ("GET", ["payment_links", id, "line_items"]) => {
            Some(Box::new(move |params| line_items(id, params)))
        }
        _ => None,
    }
}

fn line_items(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let link = transaction.whole(PAYMENT_LINK.name, id)?;
        let link =
            link.ok_or_else(|| ApiError::no_such(PAYMENT_LINK.name, id).param("payment_link"))?;
        paging.listed(&url(id), items_of(&link).into_iter())
    }))
}

fn url(link: &str) -> String {
    format!("/v1/payment_links/{link}/line_items")
}

fn items_of(link: &Map<String, Value>) -> Vec<Value> {
    let data = link
        .get("line_items")
        .and_then(|list| list["data"].as_array());
    data.cloned().unwrap_or_default()
}

fn finish(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let id = draft.object.get("id").and_then(Value::as_str);
    let id = id.unwrap_or_default().to_owned();
    if let Some(sales) = draft
        .object
        .get_mut("restrictions")
        .and_then(|it| it.pointer_mut("/completed_sessions/count"))
        && sales.is_null()
    {
        *sales = json!(0);
    }
    let given = match draft.extra.remove("line_items") {
        Some(Value::Object(given)) => given,
        _ => Map::new(),
    };
    if !draft.is_new {
        return change(draft, &given);
    }
    let mut items = Vec::new();
    for (position, item) in in_order(&given).into_iter().enumerate() {
        items.push(sell(draft, &format!("line_items[{position}]"), item)?);
    }
    let currency = items.first().map(|item| item["currency"].clone());
    let currency = currency.ok_or_else(|| ApiError::missing("line_items"))?;
    if items.iter().any(|item| item["currency"] != currency) {
        return Err(
            ApiError::invalid("All prices of a payment link must have the same currency.")
                .param("line_items"),
        );
    }
    let address = format!("{}/link/{id}", draft.transaction.site());
    let list = Paging::whole(&url(&id), items);
    draft.object.insert("url".to_owned(), json!(address));
    draft.object.insert("currency".to_owned(), currency);
    draft.object.insert("line_items".to_owned(), list);
    Ok(())
}

/// Changes how many of its items a link sells.
fn change(draft: &mut Draft<'_>, given: &Map<String, Value>) -> Result<(), ApiError> {
    let mut items = items_of(&draft.object);
    for (position, change) in in_order(given).into_iter().enumerate() {
        let param = format!("line_items[{position}][id]");
        let item = items.iter_mut().find(|item| item["id"] == change["id"]);
        let item = item.ok_or_else(|| {
            let id = change["id"].as_str().unwrap_or_default();
            ApiError::no_such_param("line item", id, &param)
        })?;
        if let Some(quantity) = change["quantity"].as_str() {
            count(item, quantity, &format!("line_items[{position}][quantity]"))?;
        }
    }
    if let Some(list) = draft.object.get_mut("line_items") {
        list["data"] = json!(items);
    }
    Ok(())
}

/// A line item for what a parameter describes.
fn sell(draft: &Draft<'_>, param: &str, item: &Value) -> Result<Value, ApiError> {
    let transaction = draft.transaction;
    let (price, price_param) = match (item["price"].as_str(), &item["price_data"]) {
        (Some(price), _) => (price.to_owned(), format!("{param}[price]")),
        (None, Value::Object(data)) => {
            let mut data = data.clone();
            data.insert("active".to_owned(), json!("false"));
            if let Some(product) = data.get("product").and_then(Value::as_str) {
                let param = format!("{param}[price_data][product]");
                existing(transaction, &PRODUCT, product, &param)?;
            }
            let price = make(draft, &PRICE, &data)?;
            let price = price.as_str().unwrap_or_default().to_owned();
            (price, format!("{param}[price_data]"))
        }
        (None, _) => return Err(ApiError::missing(&format!("{param}[price]"))),
    };
    let price = existing(transaction, &PRICE, &price, &price_param)?;
    if item.get("price").is_some_and(Value::is_string) && price.get("active") == Some(&json!(false))
    {
        return Err(ApiError::invalid(
            "The price specified is inactive. This field only accepts active prices.",
        )
        .param(price_param));
    }
    let product = price
        .get("product")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let product = existing(transaction, &PRODUCT, product, &price_param)?;
    let mut made = json!({
        "id": ids::line_item(),
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_tax": 0,
        "currency": price.get("currency"),
        "description": product.get("name"),
        "metadata": {},
        "price": price,
    });
    if let adjustable @ Value::Object(_) = &item["adjustable_quantity"] {
        let number = |name: &str| {
            let given = adjustable[name].as_str();
            given.and_then(|text| text.parse::<i64>().ok())
        };
        let adjustable = json!({
            "enabled": adjustable.get("enabled").and_then(Value::as_str) == Some("true"),
            "minimum": number("minimum").unwrap_or(0),
            "maximum": number("maximum").unwrap_or(99),
        });
        if let Some(made) = made.as_object_mut() {
            made.insert("adjustable_quantity".to_owned(), adjustable);
        }
    }
    let quantity = item["quantity"].as_str().unwrap_or_default();
    count(&mut made, quantity, &format!("{param}[quantity]"))?;
    Ok(made)
}

fn existing(
    transaction: &Transaction<'_>,
    kind: &Kind,
    id: &str,
    param: &str,
) -> Result<Value, ApiError> {
    let found = transaction.shown_of(kind.name, id)?;
    found.ok_or_else(|| ApiError::no_such_param(kind.name, id, param))
}

/// Sets how many there are of an item, and what they cost.
fn count(item: &mut Value, quantity: &str, param: &str) -> Result<(), ApiError> {
    let quantity: i64 = quantity
        .parse()
        .map_err(|_| ApiError::not_an_integer(param, quantity))?;
    if quantity < 1 {
        let requirement = "This value must be greater than or equal to 1.";
        return Err(ApiError::out_of_range(param, requirement));
    }
    let each = item.pointer("/price/unit_amount").and_then(Value::as_i64);
    let each = each.unwrap_or(0);
    let total = json!(each.saturating_mul(quantity));
    item["quantity"] = json!(quantity);
    item["amount_subtotal"] = total.clone();
    item["amount_total"] = total;
    Ok(())
}

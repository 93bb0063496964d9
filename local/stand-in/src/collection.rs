//! What can be asked of every kind of object: to retrieve one, to list them a page at a time, and to
//! search where Stripe can. The description says which parameters narrow a list: each names the field
//! that it compares, and what that field refers to has to be there.

use rusqlite::types::Value as SqlValue;
use serde_json::{Map, Value, json};

use crate::account::balance::BalanceTransaction;
use crate::cash_balance::object::CashTransaction;
use crate::checkout::object::Session;
use crate::credit_note::object::CreditNote;
use crate::description::{Description, Operation, Shape};
use crate::dispute::object::Dispute;
use crate::engine::filter::Filter;
use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::file::link::FileLink;
use crate::file::object::File;
use crate::invoice::item::InvoiceItem;
use crate::invoice::object::Invoice;
use crate::invoice::payment::InvoicePayment;
use crate::payment::charge::Charge;
use crate::payment::intent::PaymentIntent;
use crate::payment::mandate::Mandate;
use crate::payment::method::PaymentMethod;
use crate::payment::setup_intent::{SetupAttempt, SetupIntent};
use crate::payment::token::Token;
use crate::payout::object::Payout;
use crate::plain;
use crate::portal::session::PortalSession;
use crate::promotion::object::{Coupon, PromotionCode};
use crate::quote::object::Quote;
use crate::radar::review::Review;
use crate::radar::warning::EarlyFraudWarning;
use crate::refund::object::Refund;
use crate::subscription::object::{ITEM, Subscription};
use crate::subscription_schedule::object::Schedule;
use crate::test_clock::object::TestClock;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created};
use crate::wire::lookup::{find, param_of};
use crate::wire::params::Params;
use crate::wire::search::{self, Found};
use crate::wire::values::in_order;

/// The kinds that have behaviour of their own.
const BEHAVED: &[&str] = &[
    Session::KIND,
    PaymentIntent::KIND,
    SetupIntent::KIND,
    SetupAttempt::KIND,
    PaymentMethod::KIND,
    Mandate::KIND,
    Token::KIND,
    Charge::KIND,
    Review::KIND,
    EarlyFraudWarning::KIND,
    Refund::KIND,
    Dispute::KIND,
    File::KIND,
    FileLink::KIND,
    BalanceTransaction::KIND,
    Invoice::KIND,
    CreditNote::KIND,
    Quote::KIND,
    InvoiceItem::KIND,
    InvoicePayment::KIND,
    CashTransaction::KIND,
    Payout::KIND,
    Coupon::KIND,
    PromotionCode::KIND,
    TestClock::KIND,
    PortalSession::KIND,
    Subscription::KIND,
    ITEM,
    Schedule::KIND,
    WebhookEndpoint::KIND,
    Event::KIND,
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    if asked.method != "GET" {
        return None;
    }
    let (operation, names) = (asked.operation, asked.names);
    let kind = operation.returns.kind()?;
    if !is_known(kind) {
        return None;
    }
    match &operation.returns {
        Shape::List(_) => Some(Box::new(move |params| list(kind, operation, names, params))),
        Shape::Search(_) => Some(Box::new(move |params| search(kind, operation, params))),
        _ if operation.template.ends_with('}') => {
            let (parents, (name, id)) = names.split_last().map(|(last, rest)| (rest, *last))?;
            Some(Box::new(move |params| {
                retrieve(kind, parents, name, id, params)
            }))
        }
        _ => None,
    }
}

/// Whether the stand-in has objects of this kind.
fn is_known(kind: &str) -> bool {
    BEHAVED.contains(&kind) || plain::is_plain(kind)
}

fn retrieve<'r>(
    kind: &'static str,
    parents: &'r [(&'static str, &'r str)],
    name: &'static str,
    id: &'r str,
    params: Params,
) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let object = find(transaction, kind, name, id)?;
        let is_theirs = parents
            .iter()
            .all(|(name, id)| object.get(name).and_then(Value::as_str) == Some(id));
        match is_theirs {
            true => Ok(object),
            false => Err(ApiError::no_such(kind, id).param(param_of(name))),
        }
    }))
}

fn list<'r>(
    kind: &'static str,
    operation: &'r Operation,
    names: &'r [(&'static str, &'r str)],
    mut params: Params,
) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?.and("shown ->> '$.deleted' IS NULL", []);
    for (name, id) in names {
        filter = filter.equal(name, (*id).to_owned().into());
    }
    if let Some(clock) = test_clock(operation, &mut params)? {
        filter = filter.and("clock IS ?", [clock]);
    }
    for name in params.left() {
        let shape = operation.params.get(&name).map(|field| field.shape);
        let given = params.take(&name)?.unwrap_or_default();
        filter = narrow(filter, &name, shape.as_ref(), &given)?;
    }
    let url = url(operation.template, names);
    Ok(Box::new(move |transaction| {
        for (name, id) in names {
            if is_known(name) {
                find(transaction, name, name, id)?;
            }
        }
        paging.stored(transaction, kind, &url, &filter)
    }))
}

/// What a list is narrowed to: all that belongs to one object.
pub(crate) struct Narrowed {
    param: &'static str,
    kind: &'static str,
    id: String,
}

/// The objects that parameters narrow a list to: those that the field of the parameter's name refers to
/// or, as with the `payout` of a balance transaction, that the parameter itself is called after.
pub(crate) fn narrowed(operation: &Operation, params: &Params) -> Vec<Narrowed> {
    let Shape::List(element) = &operation.returns else {
        return Vec::new();
    };
    let fields = element
        .kind()
        .and_then(|kind| Description::newest().object(kind));
    let narrowed = operation.params.iter().filter_map(|param| {
        let id = params.peek(param.name)?.to_owned();
        let field = fields.and_then(|fields| fields.get(param.name));
        let kinds = field.map(|field| field.shape.kinds()).unwrap_or_default();
        let kind = match *kinds.as_slice() {
            [kind] => kind,
            [] => param.name,
            // Stripe does not look among several kinds.
            _ => return None,
        };
        is_known(kind).then_some(Narrowed {
            param: param.name,
            kind,
            id,
        })
    });
    narrowed.collect()
}

/// Refuses to list what belongs to an object that is not there, as Stripe does, before `work` is done.
pub(crate) fn checked<'r>(narrowed: Vec<Narrowed>, work: Work<'r>) -> Work<'r> {
    Box::new(move |transaction| {
        for Narrowed { param, kind, id } in &narrowed {
            if transaction.shown_of(kind, &ids::current(id))?.is_none() {
                return Err(ApiError::no_such(kind, id).param(*param));
            }
        }
        work(transaction)
    })
}

/// The test clock in whose time the listed objects live; null for those in the account's. A list that
/// can be narrowed by clock, and is not narrowed to a customer, leaves those of clocks out.
fn test_clock(operation: &Operation, params: &mut Params) -> Result<Option<SqlValue>, ApiError> {
    if operation.params.get("test_clock").is_none() {
        return Ok(None);
    }
    let clock = params.text("test_clock")?;
    let of_one = params.left().iter().any(|it| it == "customer");
    Ok(match clock {
        Some(clock) => Some(SqlValue::Text(clock)),
        None if of_one => None,
        None => Some(SqlValue::Null),
    })
}

/// Where a page of the list comes from.
fn url(template: &str, names: &[(&'static str, &str)]) -> String {
    names.iter().fold(template.to_owned(), |url, (name, id)| {
        url.replace(&format!("{{{name}}}"), id)
    })
}

/// Lets only those through whose field is as given; an object of parameters compares the fields within
/// the field, or its ends.
fn narrow(
    filter: Filter,
    path: &str,
    shape: Option<&Shape>,
    given: &Value,
) -> Result<Filter, ApiError> {
    match given {
        Value::String(text) => {
            let value = match (shape, text.as_str()) {
                (Some(Shape::Boolean), text) => (text == "true").into(),
                (Some(shape), text) if counts(shape) => match text.parse::<i64>() {
                    Ok(number) => number.into(),
                    Err(_) => return Err(ApiError::not_an_integer(path, text)),
                },
                (_, text) => text.to_owned().into(),
            };
            Ok(filter.equal(path, value))
        }
        Value::Object(within) if is_list(within) => {
            // `ids` are of the field `id`.
            let field = path.strip_suffix('s').unwrap_or(path);
            let any_of = in_order(within).into_iter().filter_map(Value::as_str);
            Ok(filter.one_of(field, any_of.map(|it| it.to_owned().into())))
        }
        Value::Object(within) => within.iter().try_fold(filter, |filter, (name, given)| {
            let text = given.as_str().unwrap_or_default();
            let compare = match name.as_str() {
                "gt" => ">",
                "gte" => ">=",
                "lt" => "<",
                "lte" => "<=",
                name => return narrow(filter, &format!("{path}.{name}"), None, given),
            };
            let bound: i64 = text
                .parse()
                .map_err(|_| ApiError::not_an_integer(&format!("{path}[{name}]"), text))?;
            Ok(filter.compare(path, compare, bound.into()))
        }),
        _ => Ok(filter),
    }
}

/// Whether a parameter may be a number.
fn counts(shape: &Shape) -> bool {
    let mut alternatives = shape.alternatives().iter();
    alternatives.any(|it| matches!(it, Shape::Integer))
}

/// Whether these are the elements of a list.
fn is_list(within: &Map<String, Value>) -> bool {
    let mut names = within.keys();
    names.all(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
}

fn search<'r>(
    kind: &'static str,
    operation: &'r Operation,
    mut params: Params,
) -> Result<Work<'r>, ApiError> {
    let wanted = Found::read(&mut params)?;
    let filter = search::filter(kind, &wanted.query)?.and("shown ->> '$.deleted' IS NULL", []);
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let (data, next_page) = wanted.page(transaction, kind, &filter)?;
        Ok(json!({
            "object": "search_result",
            "url": operation.template,
            "has_more": next_page.is_some(),
            "next_page": next_page,
            "data": data,
        }))
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::seed::Seed;
    use crate::stand_in::{Config, OtherKeys, StandIn};

    /// Calls that make an object of most kinds, some of them on the way.
    fn seed() -> Seed {
        let call = |path: &str, params: Value| json!({ "name": path, "path": path, "method": "post", "params": params });
        let pay = |method: &str| {
            let mut intent = call(
                "/v1/payment_intents",
                json!({ "amount": 2_000, "currency": "usd", "payment_method": method, "confirm": true,
                    "return_url": "https://shop.example/done" }),
            );
            intent["name"] = json!(method);
            intent
        };
        let mut subscriber = call(
            "/v1/customers",
            json!({ "payment_method": "pm_card_visa",
                "invoice_settings": { "default_payment_method": "pm_card_visa" } }),
        );
        subscriber["name"] = json!("subscriber");
        let calls = json!({ "fixtures": [
            call("/v1/webhook_endpoints", json!({ "url": "https://shop.example/hook", "enabled_events": ["*"] })),
            call("/v1/coupons", json!({ "id": "TEN", "percent_off": 10 })),
            call("/v1/promotion_codes", json!({ "promotion": { "type": "coupon", "coupon": "TEN" } })),
            call("/v1/customers", json!({ "email": "ada@mail.example" })),
            call("/v1/checkout/sessions", json!({ "mode": "payment", "success_url": "https://shop.example",
                "line_items": [{ "quantity": 1, "price_data": { "currency": "usd", "unit_amount": 1_500,
                    "product_data": { "name": "Mug" } } }] })),
            call("/v1/setup_intents", json!({ "payment_method": "pm_card_visa", "confirm": true,
                "return_url": "https://shop.example/done" })),
            call("/v1/tokens", json!({ "card": { "number": "4242424242424242", "exp_month": 12,
                "exp_year": 2040, "cvc": "123" } })),
            pay("pm_card_visa"),
            pay("pm_card_riskLevelElevated"),
            pay("pm_card_createIssuerFraudRecord"),
            pay("pm_card_createDispute"),
            call("/v1/refunds", json!({ "payment_intent": "${pm_card_visa:id}" })),
            call("/v1/test_helpers/test_clocks", json!({ "frozen_time": 1_769_860_800 })),
            call("/v1/prices", json!({ "currency": "usd", "unit_amount": 900,
                "recurring": { "interval": "month" }, "product_data": { "name": "Coffee" } })),
            subscriber,
            call("/v1/subscriptions", json!({ "customer": "${subscriber:id}",
                "items": [{ "price": "${/v1/prices:id}" }] })),
        ] });
        serde_json::from_value(calls).unwrap()
    }

    #[test]
    fn an_object_shows_all_that_is_always_there_in_its_kind() {
        let stand_in = StandIn::open(Config {
            database: None,
            public_url: "http://127.0.0.1:12111".parse().unwrap(),
            fixed_url: false,
            host_names: Vec::new(),
            business_name: "Shop".to_owned(),
            secret_key: "sk_test_local".to_owned(),
            other_keys: OtherKeys::Refused,
            webhook: None,
            seed: seed(),
            machine: crate::engine::time::MachineTime::default(),
        });
        let account = stand_in.unwrap().default_account().clone();
        let shown = account
            .0
            .database
            .transact(&account.0.faults, |transaction| {
                let mut statement = transaction.sql.prepare("SELECT shown FROM objects")?;
                let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
                let rows = rows.map(|row| Ok(serde_json::from_str::<Value>(&row?)?));
                rows.collect::<anyhow::Result<Vec<_>>>()
            });
        let mut kinds = BTreeSet::new();
        for object in shown.unwrap() {
            let kind = object["object"].as_str().unwrap();
            for field in Description::newest().object(kind).unwrap().iter() {
                let is_there = object.get(field.name).is_some();
                // It came with a later endive than the one that the stand-in calls itself.
                let is_later = (kind, field.name) == ("dispute", "intended_submission_method");
                let may_lack = field.optional || is_later;
                assert!(may_lack || is_there, "{kind} without {}", field.name);
            }
            kinds.insert(kind.to_owned());
        }
        // Enough was looked at.
        for kind in [
            Session::KIND,
            SetupAttempt::KIND,
            Dispute::KIND,
            Refund::KIND,
            Review::KIND,
        ] {
            assert!(kinds.contains(kind), "no {kind} among {kinds:?}");
        }
    }
}

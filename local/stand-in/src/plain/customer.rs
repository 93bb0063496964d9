//! Customers: what they owe or are owed, their tax ids and their discount.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::draft::{Draft, Kind, keep, make, tell};
use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing::currency;
use crate::engine::calendar::{Interval, Unit};
use crate::engine::clock::TEST_CLOCK;
use crate::engine::ids::{self, CustomerId};
use crate::engine::resource::Metadata;
use crate::engine::transaction::Transaction;
use crate::invoice::balance::{self, Change, Reason};
use crate::invoice::terms::check_method;
use crate::payment;
use crate::promotion::life::count;
use crate::promotion::object::{Coupon, Off, PromotionCode};
use crate::webhook::record::record_shown;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lookup::find;
use crate::wire::params::{Params, check_amount};
use crate::wire::values::in_order;

/// Stripe's limit.
const MOST_ON_A_CLOCK: usize = 3;

/// Who buys.
pub(super) static CUSTOMER: Kind = Kind {
    // Before `clover`, a customer could have a discount for itself.
    extra: &[
        "coupon",
        "payment_method",
        "promotion_code",
        "source",
        "tax_id_data",
    ],
    defaults: || {
        vec![
            ("address", Value::Null),
            ("currency", Value::Null),
            ("delinquent", json!(false)),
            ("discount", Value::Null),
            ("name", Value::Null),
            ("next_invoice_sequence", json!(1)),
            ("phone", Value::Null),
            ("preferred_locales", json!([])),
            ("tax_exempt", json!("none")),
            ("test_clock", Value::Null),
        ]
    },
    finish: customer,
    deleted: payment::keep::detach_all,
    ..Kind::plain("customer", "cus_")
};

/// A change of what a customer owes, or is owed if that is negative.
pub(super) static BALANCE_TRANSACTION: Kind = Kind {
    defaults: || vec![("type", json!("adjustment"))],
    finish: balance_transaction,
    ..Kind::plain("customer_balance_transaction", "cbtxn_1")
};

/// What a customer, or the account itself, is known by to a tax authority.
pub(super) static TAX_ID: Kind = Kind {
    finish: tax_id,
    ..Kind::plain("tax_id", "txi_1")
};

/// The requests answered here.
pub(super) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    match (asked.method, asked.path) {
        ("DELETE", ["customers", id, "discount"]) => {
            Some(Box::new(move |params| delete_discount(id, params)))
        }
        _ => None,
    }
}

fn customer(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    check_clock(draft)?;
    if draft.is_new
        && draft
            .object
            .get("invoice_prefix")
            .is_none_or(Value::is_null)
    {
        let prefix = json!(ids::code());
        draft.object.insert("invoice_prefix".to_owned(), prefix);
    }
    if let Some(Value::Object(all)) = draft.extra.remove("tax_id_data") {
        let customer = draft.object.get("id").cloned().unwrap_or_default();
        for given in in_order(&all) {
            let mut data = given.as_object().cloned().unwrap_or_default();
            data.insert("customer".to_owned(), customer.clone());
            make(draft, &TAX_ID, &data)?;
        }
    }
    ways_to_pay(draft)?;
    set_balance(draft)?;
    discount(draft)
}

/// Books what a shop sets as the balance: <https://docs.stripe.com/billing/customer/balance#types>.
/// Refuses one that no invoice could have.
fn set_balance(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let id = draft.object.get("id").and_then(Value::as_str);
    let id = id.unwrap_or_default().to_owned();
    let before = match draft.is_new {
        true => None,
        false => draft.transaction.shown_of(CUSTOMER.name, &id)?,
    };
    let before = before.and_then(|it| it.get("balance")?.as_i64());
    let before = Amount::new(before.unwrap_or(0));
    let ending = draft.object.get("balance").and_then(Value::as_i64);
    let ending = Amount::new(ending.unwrap_or(0));
    if ending == before {
        return Ok(());
    }
    let currency = draft.object.get("currency").and_then(Value::as_str);
    let currency = currency.and_then(|code| code.parse().ok());
    let currency = currency.unwrap_or(Currency::SETTLEMENT);
    check_amount(ending, currency, "balance")?;
    draft.object.insert("currency".to_owned(), json!(currency));
    let change = Change {
        customer: &id,
        amount: ending.minus(before),
        currency,
        reason: match draft.is_new {
            true => Reason::Initial,
            false => Reason::Adjustment,
        },
        invoice: None,
        credit_note: None,
    };
    change.enter(draft.transaction, ending)?;
    Ok(())
}

/// Refuses a clock that there is not, or that has its customers already.
fn check_clock(draft: &Draft<'_>) -> Result<(), ApiError> {
    let clock = draft.object.get("test_clock").and_then(Value::as_str);
    let Some(clock) = clock.filter(|_| draft.is_new) else {
        return Ok(());
    };
    if draft.transaction.shown_of(TEST_CLOCK, clock)?.is_none() {
        return Err(ApiError::no_such_param("testclock", clock, "test_clock"));
    }
    let theirs = draft
        .transaction
        .plain_having(CUSTOMER.name, "test_clock", clock)?;
    match theirs.len() < MOST_ON_A_CLOCK {
        true => Ok(()),
        false => Err(ApiError::invalid(format!(
            "The test clock {clock} has {MOST_ON_A_CLOCK} customers already, which is the most that a \
             test clock can have."
        ))
        .param("test_clock")),
    }
}

/// Attaches what the customer comes with.
fn ways_to_pay(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let id = draft.object.get("id").and_then(Value::as_str);
    let id = CustomerId::of_kept(id.unwrap_or_default());
    let given = |name| draft.extra.get(name).and_then(Value::as_str);
    let attached = match given("payment_method") {
        Some(method) => {
            let kept = payment::given::attach(draft.transaction, method, &id)?;
            Some((method.to_owned(), kept.id))
        }
        None => None,
    };
    if let Some(token) = given("source") {
        let source = payment::sources::keep(draft.transaction, token, &id, Metadata::new())?;
        let source = json!(source.id);
        draft.object.insert("default_source".to_owned(), source);
    }
    let settings = draft.object.get_mut("invoice_settings");
    match settings.and_then(|it| it.get_mut("default_payment_method")) {
        Some(Value::String(default)) => match attached {
            // A test method such as pm_card_visa has an id of its own once it is attached.
            Some((given, kept)) if given == *default => {
                *default = kept.to_string();
                Ok(())
            }
            _ => check_method(
                draft.transaction,
                Some(default),
                &id,
                "invoice_settings[default_payment_method]",
            ),
        },
        _ => Ok(()),
    }
}

/// Gives the discount that is asked for; an empty parameter takes it away.
fn discount(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let mut take = |name| {
        let given = draft.extra.remove(name);
        given.and_then(|given| given.as_str().map(str::to_owned))
    };
    let (coupon, code) = (take("coupon"), take("promotion_code"));
    let transaction = draft.transaction;
    let customer = draft.object.get("id").cloned().unwrap_or_default();
    let (coupon, code) = match (coupon, code) {
        (None, None) => return Ok(()),
        (Some(coupon), Some(code)) if !coupon.is_empty() && !code.is_empty() => {
            return Err(ApiError::invalid(
                "You may only specify one of these parameters: coupon, promotion_code.",
            ));
        }
        (Some(coupon), _) if !coupon.is_empty() => (coupon, None),
        (_, Some(id)) if !id.is_empty() => {
            let code = transaction.get::<PromotionCode>(&id)?;
            let code = code
                .filter(|code| code.active)
                .ok_or_else(|| ApiError::no_such_param("promotion code", &id, "promotion_code"))?;
            (code.coupon.to_string(), Some(code.id))
        }
        _ => return end_discount(transaction, &mut draft.object).map(|_| ()),
    };
    let given = usable(draft, &coupon)?;
    let months = given.duration_in_months;
    let monthly = Interval {
        unit: Unit::Month,
        count: 1,
    };
    let end = months.map(|months| monthly.from(transaction.now, months));
    let coupon = given.id;
    let made = json!({
        "id": ids::plain("di_1"),
        "object": "discount",
        "checkout_session": null,
        "customer": customer,
        "customer_account": null,
        "end": end,
        "invoice": null,
        "invoice_item": null,
        "promotion_code": code,
        "source": { "coupon": coupon, "type": "coupon" },
        "start": transaction.now,
        "subscription": null,
        "subscription_item": null,
    });
    count(transaction, &coupon, code.as_ref())?;
    let before = draft.object.insert("discount".to_owned(), made.clone());
    let before = before.filter(Value::is_object);
    let event = match &before {
        Some(_) => "customer.discount.updated",
        None => "customer.discount.created",
    };
    record_shown(transaction, event, made, before.as_ref())?;
    Ok(())
}

/// The coupon, if it can be given to this customer, who is bound to its currency then.
fn usable(draft: &mut Draft<'_>, coupon: &str) -> Result<Coupon, ApiError> {
    let transaction = draft.transaction;
    let given = transaction
        .get::<Coupon>(coupon)?
        .ok_or_else(|| ApiError::no_such_param("coupon", coupon, "coupon"))?;
    if !given.limits.allow_one_more() {
        let expired = ApiError::invalid(format!("Coupon expired: {coupon}"));
        return Err(expired.code("coupon_expired").param("coupon"));
    }
    if let Off::Amount {
        currency: wanted, ..
    } = &given.off
    {
        let id = draft.object.get("id").and_then(Value::as_str);
        currency::check(transaction, id.unwrap_or_default(), *wanted, None)?;
        draft.object.insert("currency".to_owned(), json!(wanted));
    }
    Ok(given)
}

/// Takes the discount of a customer away, if there is one, and returns it.
fn end_discount(
    transaction: &Transaction<'_>,
    customer: &mut Map<String, Value>,
) -> Result<Option<Value>, ApiError> {
    let discount = customer.insert("discount".to_owned(), Value::Null);
    let discount = discount.filter(Value::is_object);
    if let Some(discount) = &discount {
        record_shown(
            transaction,
            "customer.discount.deleted",
            discount.clone(),
            None,
        )?;
    }
    Ok(discount)
}

fn delete_discount(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let no_discount = || ApiError::no_such("discount", id).param("customer");
        find(transaction, CUSTOMER.name, CUSTOMER.name, id)?;
        let whole = transaction.whole(CUSTOMER.name, id)?;
        let mut customer = whole.ok_or_else(no_discount)?;
        if customer.get("deleted").is_some() {
            return Err(no_discount());
        }
        let mut gone = end_discount(transaction, &mut customer)?.ok_or_else(no_discount)?;
        keep(transaction, &CUSTOMER, id, customer)?;
        if let Value::Object(gone) = &mut gone {
            gone.remove("end");
            gone.insert("deleted".to_owned(), json!(true));
        }
        Ok(gone)
    }))
}

fn balance_transaction(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    if !draft.is_new {
        return Ok(());
    }
    let transaction = draft.transaction;
    let text = |name: &str| {
        let value = draft.object.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let (id, currency) = (text("customer"), text("currency").to_lowercase());
    let currency: Currency = currency.parse().map_err(|_| {
        ApiError::invalid(format!("Invalid currency: {currency}")).param("currency")
    })?;
    let before = transaction
        .shown_of(CUSTOMER.name, &id)?
        .with_context(|| format!("the customer {id} is missing"))?;
    let amount = draft.object.get("amount").and_then(Value::as_i64);
    let amount = Amount::new(amount.unwrap_or(0));
    check_amount(amount, currency, "amount")?;
    let ending = balance::of(transaction, &id, currency)?.plus(amount);
    check_amount(ending, currency, "amount")?;
    draft.object.insert("currency".to_owned(), json!(currency));
    draft
        .object
        .insert("ending_balance".to_owned(), json!(ending));
    let mut customer = before.clone();
    balance::show(&mut customer, ending, currency);
    if customer != before {
        transaction.put_plain(CUSTOMER.name, &id, &customer, None)?;
        tell(
            transaction,
            CUSTOMER.name,
            "updated",
            customer,
            Some(&before),
        )?;
    }
    Ok(())
}

fn tax_id(draft: &mut Draft<'_>) -> Result<(), ApiError> {
    let customer = draft.object.get("customer").cloned().unwrap_or_default();
    let owner = draft
        .object
        .get("owner")
        .and_then(|owner| owner["customer"].as_str());
    let owner = owner.map_or(customer, |owner| json!(owner));
    let shown = match &owner {
        Value::String(_) => {
            json!({ "customer": owner, "customer_account": null, "type": "customer" })
        }
        _ => json!({ "customer_account": null, "type": "self" }),
    };
    let text = |name: &str| {
        draft
            .object
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    // The VAT numbers of the EU begin with their country, other types with theirs.
    let country = match text("type") {
        "eu_vat" | "eu_oss_vat" => text("value").get(..2),
        other => other.get(..2),
    };
    let country = json!(country.map(str::to_uppercase));
    draft.object.insert("customer".to_owned(), owner);
    draft.object.insert("owner".to_owned(), shown);
    draft.object.insert("country".to_owned(), country);
    draft.object.insert(
        "verification".to_owned(),
        json!({ "status": "pending", "verified_address": null, "verified_name": null }),
    );
    Ok(())
}

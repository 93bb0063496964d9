//! What a subscription bills next, or would.

use serde_json::{Value, json};

use super::{INVOICES, customer, post};
use crate::bench::{Bench, Form, id, ids};
use crate::subscriptions::{Club, DAY, FEBRUARY, HOUR};
use crate::test_clocks::JANUARY;

const PREVIEW: &str = "/v1/invoices/create_preview";

async fn price(bench: &Bench, amount: &str) -> String {
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", amount),
        ("product_data[name]", "Coffee"),
        ("recurring[interval]", "month"),
    ];
    id(&post(bench, "/v1/prices", &form).await)
}

async fn subscribe(bench: &Bench, customer: &str, price: &str) -> Value {
    let form = vec![("customer", customer), ("items[0][price]", price)];
    post(bench, "/v1/subscriptions", &form).await
}

#[tokio::test]
async fn a_subscription_that_is_not_there_yet_shows_its_first_invoice() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let coffee = price(&bench, "1000").await;
    let so_far = bench.event_types().await.len();
    let form = vec![
        ("customer", ada.as_str()),
        ("subscription_details[items][0][price]", coffee.as_str()),
        ("subscription_details[items][0][quantity]", "3"),
    ];
    let preview = post(&bench, PREVIEW, &form).await;
    assert!(id(&preview).starts_with("upcoming_in_"));
    assert_eq!(
        (&preview["total"], &preview["status"]),
        (&json!(3000), &json!("draft"))
    );
    assert_eq!(bench.event_types_after(so_far).await, Vec::<String>::new());
    let none = bench.get("/v1/subscriptions").await.expect(200).json();
    assert_eq!(none["data"], json!([]));
}

#[tokio::test]
async fn a_subscription_shows_its_next_invoice_and_what_a_change_would_make_of_it() {
    let bench = Bench::start().await;
    let ada = customer(&bench, "pm_card_visa").await;
    let (coffee, tea) = (price(&bench, "1000").await, price(&bench, "2500").await);
    let subscription = subscribe(&bench, &ada, &coffee).await;
    let subscription_id = id(&subscription);
    let form = vec![("subscription", subscription_id.as_str())];
    let next = post(&bench, PREVIEW, &form).await;
    let item = &subscription["items"]["data"][0];
    assert_eq!(next["total"], 1000);
    assert_eq!(
        next["lines"]["data"][0]["period"]["start"],
        item["current_period_end"]
    );

    let item_id = id(item);
    let change = [
        ("subscription", subscription_id.as_str()),
        ("subscription_details[items][0][id]", item_id.as_str()),
        ("subscription_details[items][0][price]", tea.as_str()),
        ("subscription_details[proration_behavior]", "none"),
    ];
    let changed = post(&bench, PREVIEW, &change.to_vec()).await;
    assert_eq!(changed["total"], 2500);
    let still = bench.fetch("subscriptions", &subscription_id).await;
    assert_eq!(still["items"]["data"][0]["price"]["id"], json!(coffee));
    let invoices = bench.get(INVOICES).await.json();
    assert_eq!(ids(&invoices).len(), 1);
}

/// A change of a subscription, some days after it began. `ITEM` stands for its item, `FREE`, `TEA` and
/// `YEARLY` for prices, `LATER` for a moment in its first month.
type Update = (&'static str, &'static [(&'static str, &'static str)]);

/// Changes that are billed with the next invoice, or not at all.
const WITH_THE_NEXT: [Update; 6] = [
    ("nothing", &[]),
    (
        "more",
        &[("items[0][id]", "ITEM"), ("items[0][quantity]", "3")],
    ),
    (
        "another price without prorations",
        &[
            ("items[0][id]", "ITEM"),
            ("items[0][price]", "TEA"),
            ("proration_behavior", "none"),
        ],
    ),
    (
        "a cheaper price",
        &[("items[0][id]", "ITEM"), ("items[0][price]", "FREE")],
    ),
    ("another item", &[("items[0][price]", "TEA")]),
    (
        "one item instead of another",
        &[
            ("items[0][id]", "ITEM"),
            ("items[0][deleted]", "true"),
            ("items[1][price]", "TEA"),
        ],
    ),
];

/// Changes that are billed at once.
const AT_ONCE: [Update; 6] = [
    (
        "more, billed at once",
        &[
            ("items[0][id]", "ITEM"),
            ("items[0][quantity]", "3"),
            ("proration_behavior", "always_invoice"),
        ],
    ),
    (
        "another interval",
        &[("items[0][id]", "ITEM"), ("items[0][price]", "YEARLY")],
    ),
    (
        "another interval without prorations",
        &[
            ("items[0][id]", "ITEM"),
            ("items[0][price]", "YEARLY"),
            ("proration_behavior", "none"),
        ],
    ),
    ("another cycle", &[("billing_cycle_anchor", "now")]),
    (
        "another cycle and more",
        &[
            ("billing_cycle_anchor", "now"),
            ("items[0][id]", "ITEM"),
            ("items[0][quantity]", "2"),
        ],
    ),
    ("a trial", &[("trial_end", "LATER")]),
];

/// The change as the parameters of an update.
async fn filled(club: &Club, subscription: &Value, (_, form): Update) -> Vec<(String, String)> {
    let free = price(&club.bench, "0").await;
    let tea = price(&club.bench, "2500").await;
    let yearly = vec![("recurring[interval]", "year")];
    let yearly = crate::subscriptions::price(&club.bench, "9000", yearly).await;
    let later = (JANUARY + 20 * DAY).to_string();
    let item = id(&subscription["items"]["data"][0]);
    let meant = |value: &str| match value {
        "ITEM" => item.clone(),
        "FREE" => free.clone(),
        "TEA" => tea.clone(),
        "YEARLY" => yearly.clone(),
        "LATER" => later.clone(),
        other => other.to_owned(),
    };
    form.iter()
        .map(|(name, value)| ((*name).to_owned(), meant(value)))
        .collect()
}

fn form(owned: &[(String, String)]) -> Form<'_> {
    let pairs = owned.iter();
    pairs.map(|(name, value)| (&**name, &**value)).collect()
}

async fn preview_of(club: &Club, subscription: &Value, change: &[(String, String)]) -> Value {
    let mut asked = vec![("subscription".to_owned(), id(subscription))];
    asked.extend(change.iter().map(|(name, value)| {
        let (first, rest) = name.split_at(name.find('[').unwrap_or(name.len()));
        (
            format!("subscription_details[{first}]{rest}"),
            value.clone(),
        )
    }));
    post(&club.bench, PREVIEW, &form(&asked)).await
}

/// What an invoice comes to, and what it bills line by line.
fn billed(invoice: &Value) -> Value {
    let lines = invoice["lines"]["data"].as_array().unwrap().iter();
    let lines = lines.map(|line| {
        let parent = &line["parent"];
        let details = match &parent["invoice_item_details"] {
            Value::Null => &parent["subscription_item_details"],
            details => details,
        };
        json!([
            line["description"],
            line["amount"],
            line["quantity"],
            line["period"],
            details["proration"],
        ])
    });
    json!({
        "subtotal": invoice["subtotal"],
        "total": invoice["total"],
        "starting_balance": invoice["starting_balance"],
        "amount_due": invoice["amount_due"],
        "period": [invoice["period_start"], invoice["period_end"]],
        "lines": lines.collect::<Vec<_>>(),
    })
}

/// A customer who is owed three dollars, and what they have subscribed to ten days ago.
async fn club(more: Form<'_>) -> (Club, Value) {
    let club = Club::open().await;
    let subscription = club.subscribe(more).await;
    let path = format!("/v1/customers/{}/balance_transactions", club.customer);
    post(
        &club.bench,
        &path,
        &vec![("amount", "-300"), ("currency", "usd")],
    )
    .await;
    club.wind(JANUARY + 10 * DAY).await;
    (club, subscription)
}

/// Previews a change and makes it: the preview and the invoice that the change brought.
async fn previewed_and_billed(update: Update, at_once: bool) -> (Value, Value) {
    let (club, subscription) = club(vec![]).await;
    let change = filled(&club, &subscription, update).await;
    let preview = preview_of(&club, &subscription, &change).await;
    let changed = club.update(&subscription, form(&change)).await;
    let is_billed = changed["latest_invoice"] != subscription["latest_invoice"];
    assert_eq!(is_billed, at_once, "{}", update.0);
    if !at_once {
        club.wind(FEBRUARY + 2 * HOUR).await;
    }
    (preview, club.invoice(&subscription).await)
}

#[tokio::test]
async fn a_preview_is_the_invoice_that_the_same_update_brings_at_once() {
    for update in AT_ONCE {
        let (preview, invoice) = previewed_and_billed(update, true).await;
        assert_eq!(billed(&preview), billed(&invoice), "{}", update.0);
    }
}

#[tokio::test]
async fn a_preview_is_the_next_invoice_that_the_same_update_brings() {
    for update in WITH_THE_NEXT {
        let (preview, invoice) = previewed_and_billed(update, false).await;
        assert_eq!(billed(&preview), billed(&invoice), "{}", update.0);
    }
}

#[tokio::test]
async fn a_preview_of_a_trial_that_is_to_end_now_is_the_invoice_that_its_end_brings() {
    let (club, subscription) = club(vec![("trial_period_days", "14")]).await;
    let change = [("trial_end".to_owned(), "now".to_owned())];
    let preview = preview_of(&club, &subscription, &change).await;
    club.update(&subscription, form(&change)).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(billed(&preview), billed(&invoice));
    assert_eq!(preview["total"], 1_000);
}

#[tokio::test]
async fn a_preview_needs_nothing_to_pay_with() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    let change = [("billing_cycle_anchor".to_owned(), "now".to_owned())];
    let preview = preview_of(&club, &subscription, &change).await;
    assert_eq!(preview["status"], "draft");
    let nobody = Club::of_nobody().await;
    let form = vec![
        ("customer", nobody.customer.as_str()),
        (
            "subscription_details[items][0][price]",
            nobody.price.as_str(),
        ),
    ];
    let preview = post(&nobody.bench, PREVIEW, &form).await;
    assert_eq!(preview["amount_due"], 1_000);
}

#[tokio::test]
async fn a_discount_that_is_over_by_then_is_not_on_the_next_invoice() {
    let club = Club::open().await;
    let coupon = vec![
        ("id", "MONTH"),
        ("percent_off", "25"),
        ("duration", "repeating"),
        ("duration_in_months", "1"),
    ];
    post(&club.bench, "/v1/coupons", &coupon).await;
    let form = vec![("discounts[0][coupon]", "MONTH")];
    let subscription = club.subscribe(form).await;
    assert_eq!(club.invoice(&subscription).await["total"], 750);
    assert_eq!(preview_of(&club, &subscription, &[]).await["total"], 1_000);
}

async fn refused(club: &Club, form: &Form<'_>) -> Value {
    club.bench.post(PREVIEW, form).await.expect(400).error()
}

#[tokio::test]
async fn a_subscription_that_is_to_end_has_no_next_invoice_unless_something_waits_for_it() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let subscription_id = id(&subscription);
    let its = ("subscription", subscription_id.as_str());
    let ending = vec![its, ("subscription_details[cancel_at_period_end]", "true")];
    assert_eq!(
        refused(&club, &ending).await["code"],
        "invoice_upcoming_none"
    );
    let form = vec![("cancel_at_period_end", "true")];
    club.update(&subscription, form).await;
    let error = refused(&club, &vec![its]).await;
    assert_eq!(error["code"], "invoice_upcoming_none");
    assert_eq!(
        error["message"],
        format!("No upcoming invoices for customer: {}", club.customer)
    );
    let loose = vec![
        ("customer", club.customer.as_str()),
        ("amount", "300"),
        ("currency", "usd"),
    ];
    post(&club.bench, "/v1/invoiceitems", &loose).await;
    refused(&club, &vec![its]).await;
    let extra = vec![
        ("customer", club.customer.as_str()),
        its,
        ("amount", "700"),
        ("currency", "usd"),
    ];
    post(&club.bench, "/v1/invoiceitems", &extra).await;
    let preview = preview_of(&club, &subscription, &[]).await;
    club.wind(FEBRUARY + 2 * HOUR).await;
    let last = club.invoice(&subscription).await;
    assert_eq!(billed(&preview), billed(&last));
    assert_eq!(preview["total"], 1_000);
}

#[tokio::test]
async fn a_trial_that_ends_with_nothing_to_pay_with_has_no_next_invoice() {
    let club = Club::of_nobody().await;
    for stops in ["cancel", "pause"] {
        let form = vec![
            ("trial_period_days", "7"),
            (
                "trial_settings[end_behavior][missing_payment_method]",
                stops,
            ),
        ];
        let subscription = id(&club.subscribe(form).await);
        let error = refused(&club, &vec![("subscription", &subscription)]).await;
        assert_eq!(error["code"], "invoice_upcoming_none");
        let message = error["message"].as_str().unwrap();
        let told = format!("will {stops} at the end of the trial");
        assert!(message.contains(&told), "{message}");
    }
}

#[tokio::test]
async fn a_preview_is_of_something() {
    let club = Club::open().await;
    let form = vec![("customer", club.customer.as_str())];
    let message = refused(&club, &form).await["message"].clone();
    let message = message.as_str().unwrap();
    assert!(
        message.starts_with("You must provide at least one of"),
        "{message}"
    );
}

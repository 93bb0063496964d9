//! Subscriptions: begun, renewed, failing, paid, changed and ended.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, Form, id, ids};
use crate::test_clocks::JANUARY;

pub(crate) const DAY: i64 = 86_400;
pub(crate) const HOUR: i64 = 3_600;

/// 28 February, 31 March and 30 April 2026, at noon.
pub(crate) const FEBRUARY: i64 = JANUARY + 28 * DAY;
const MARCH: i64 = FEBRUARY + 31 * DAY;
const APRIL: i64 = MARCH + 30 * DAY;

/// A customer on a clock, who pays with a card, and a price for them.
pub(crate) struct Club {
    pub(crate) bench: Bench,
    pub(crate) clock: String,
    pub(crate) customer: String,
    pub(crate) price: String,
}

impl Club {
    pub(crate) async fn open() -> Self {
        Self::paying_with("pm_card_visa").await
    }

    pub(crate) async fn paying_with(method: &str) -> Self {
        let club = Self::of_nobody().await;
        club.pay_with(method).await;
        club
    }

    /// Its customer has nothing to pay with.
    pub(crate) async fn of_nobody() -> Self {
        let bench = Bench::start().await;
        let clock = bench.clock(JANUARY).await;
        let customer = bench.customer_on(&clock).await;
        let price = price(&bench, "1000", vec![]).await;
        Self {
            bench,
            clock,
            customer,
            price,
        }
    }

    /// The customer pays with this from now on.
    pub(crate) async fn pay_with(&self, method: &str) {
        let path = format!("/v1/payment_methods/{method}/attach");
        let form = vec![("customer", &*self.customer)];
        let method = id(&self.bench.post(&path, &form).await.expect(200).json());
        let form = vec![("invoice_settings[default_payment_method]", &*method)];
        let path = format!("/v1/customers/{}", self.customer);
        self.bench.post(&path, &form).await.expect(200);
    }

    pub(crate) async fn ask(&self, more: Form<'_>) -> Answer {
        let own = vec![
            ("customer", &*self.customer),
            ("items[0][price]", &*self.price),
        ];
        self.bench
            .post("/v1/subscriptions", &[own, more].concat())
            .await
    }

    pub(crate) async fn subscribe(&self, more: Form<'_>) -> Value {
        self.ask(more).await.expect(200).json()
    }

    pub(crate) async fn show(&self, subscription: &Value) -> Value {
        let path = format!("/v1/subscriptions/{}", id(subscription));
        self.bench.get(&path).await.expect(200).json()
    }

    pub(crate) async fn update(&self, subscription: &Value, form: Form<'_>) -> Value {
        let path = format!("/v1/subscriptions/{}", id(subscription));
        self.bench.post(&path, &form).await.expect(200).json()
    }

    /// The latest invoice.
    pub(crate) async fn invoice(&self, subscription: &Value) -> Value {
        let latest = self.show(subscription).await["latest_invoice"].clone();
        let path = format!("/v1/invoices/{}", latest.as_str().unwrap());
        self.bench.get(&path).await.expect(200).json()
    }

    pub(crate) async fn wind(&self, to: i64) {
        self.bench.wind(&self.clock, to).await;
    }

    /// The types of the events of subscriptions and invoices after the first so many of all.
    pub(crate) async fn told_after(&self, so_far: usize) -> Vec<String> {
        let mut told = self.bench.event_types_after(so_far).await;
        told.retain(|it| it.starts_with("customer.subscription") || it.starts_with("invoice."));
        told
    }
}

pub(crate) async fn price(bench: &Bench, unit_amount: &str, more: Form<'_>) -> String {
    let form = vec![
        ("currency", "usd"),
        ("unit_amount", unit_amount),
        ("recurring[interval]", "month"),
        ("product_data[name]", "Coffee"),
    ];
    let price = bench.post("/v1/prices", &[form, more].concat()).await;
    id(&price.expect(200).json())
}

fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    let at = |field: &str| item[field].as_i64().unwrap();
    (at("current_period_start"), at("current_period_end"))
}

#[tokio::test]
async fn a_subscription_begins_with_a_paid_invoice() {
    let club = Club::open().await;
    let so_far = club.bench.event_types().await.len();
    let subscription = club.subscribe(vec![("items[0][quantity]", "2")]).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(period(&subscription), (JANUARY, FEBRUARY));
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["status"], "paid");
    assert_eq!(invoice["billing_reason"], "subscription_create");
    assert_eq!(invoice["amount_paid"], 2_000);
    let line = &invoice["lines"]["data"][0];
    assert_eq!(line["description"], "2 × Coffee (at $10.00 / month)");
    assert_eq!(line["period"], json!({ "start": JANUARY, "end": FEBRUARY }));
    assert_eq!(
        invoice["parent"]["subscription_details"]["subscription"],
        subscription["id"]
    );
    assert_eq!(
        club.told_after(so_far).await,
        [
            "customer.subscription.created",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    let created = club.bench.latest("customer.subscription.created").await;
    assert_eq!(created["data"]["object"], subscription);
}

#[tokio::test]
async fn a_subscription_renews_on_the_day_of_its_anchor() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let so_far = club.bench.event_types().await.len();
    club.wind(FEBRUARY + 30 * 60).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["status"], "draft");
    assert_eq!(invoice["created"], FEBRUARY);
    assert_eq!(invoice["automatically_finalizes_at"], FEBRUARY + HOUR);
    club.wind(FEBRUARY + 2 * HOUR).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["status"], "paid");
    assert_eq!(invoice["billing_reason"], "subscription_cycle");
    assert_eq!(invoice["status_transitions"]["paid_at"], FEBRUARY + HOUR);
    let told = club.told_after(so_far).await;
    assert_eq!(
        told,
        [
            "invoice.upcoming",
            "customer.subscription.updated",
            "invoice.created",
            "invoice.finalized",
            "invoice.paid",
            "invoice.payment_succeeded",
        ]
    );
    let upcoming = club.bench.latest("invoice.upcoming").await;
    assert_eq!(upcoming["created"], FEBRUARY - 7 * DAY);
    assert_eq!(upcoming["data"]["object"]["amount_due"], 1_000);
    let shown = club.show(&subscription).await;
    assert_eq!(period(&shown), (FEBRUARY, MARCH));
    club.wind(MARCH + 2 * HOUR).await;
    assert_eq!(period(&club.show(&subscription).await), (MARCH, APRIL));
}

#[tokio::test]
async fn the_accounts_own_clock_renews_whoever_is_on_no_other() {
    let bench = Bench::start().await;
    let price = price(&bench, "1000", vec![]).await;
    let form = vec![
        ("payment_method", "pm_card_visa"),
        ("invoice_settings[default_payment_method]", "pm_card_visa"),
    ];
    let customer = id(&bench.post("/v1/customers", &form).await.expect(200).json());
    let form = vec![("customer", &*customer), ("items[0][price]", &*price)];
    let subscription = bench
        .post("/v1/subscriptions", &form)
        .await
        .expect(200)
        .json();
    let (_, end) = period(&subscription);
    bench.advance(62 * 24 * 3600).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let now = bench.get(&path).await.expect(200).json();
    assert_eq!(now["status"], "active");
    assert!(period(&now).0 >= end);
    let path = format!("/v1/invoices?subscription={}", id(&subscription));
    let invoices = bench.get(&path).await.expect(200).json();
    let paid = invoices["data"].as_array().unwrap().iter();
    assert!(paid.filter(|it| it["status"] == "paid").count() >= 3);
}

#[tokio::test]
async fn a_trial_is_free_until_it_ends() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![("trial_period_days", "14")]).await;
    assert_eq!(subscription["status"], "trialing");
    let end = JANUARY + 14 * DAY;
    assert_eq!(
        (&subscription["trial_start"], &subscription["trial_end"]),
        (&json!(JANUARY), &json!(end))
    );
    assert_eq!(period(&subscription), (JANUARY, end));
    let invoice = club.invoice(&subscription).await;
    assert_eq!(
        (&invoice["status"], &invoice["total"]),
        (&json!("paid"), &json!(0))
    );
    club.wind(end + 2 * HOUR).await;
    let warned = club
        .bench
        .latest("customer.subscription.trial_will_end")
        .await;
    assert_eq!(warned["created"], end - 3 * DAY);
    let shown = club.show(&subscription).await;
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["billing_cycle_anchor"], end);
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 1_000);
}

#[tokio::test]
async fn a_trial_that_ends_with_nothing_to_pay_with_ends_as_its_shop_has_said() {
    for (behavior, status) in [
        ("cancel", "canceled"),
        ("pause", "paused"),
        ("create_invoice", "past_due"),
    ] {
        let club = Club::of_nobody().await;
        let subscription = club
            .subscribe(vec![
                ("trial_period_days", "5"),
                (
                    "trial_settings[end_behavior][missing_payment_method]",
                    behavior,
                ),
            ])
            .await;
        club.wind(JANUARY + 5 * DAY + 2 * HOUR).await;
        assert_eq!(
            club.show(&subscription).await["status"],
            status,
            "{behavior}"
        );
    }
}

#[tokio::test]
async fn a_subscription_ends_with_its_period_if_its_shop_wants_that() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let changed = club
        .update(&subscription, vec![("cancel_at_period_end", "true")])
        .await;
    assert_eq!(
        (&changed["status"], &changed["cancel_at"]),
        (&json!("active"), &json!(FEBRUARY))
    );
    assert_eq!(changed["canceled_at"], JANUARY);
    club.wind(FEBRUARY + DAY).await;
    let shown = club.show(&subscription).await;
    assert_eq!(
        (&shown["status"], &shown["ended_at"]),
        (&json!("canceled"), &json!(FEBRUARY))
    );
    let deleted = club.bench.latest("customer.subscription.deleted").await;
    assert_eq!(deleted["created"], FEBRUARY);
}

#[tokio::test]
async fn a_subscription_is_canceled_at_once_and_only_once() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let gone = club.bench.delete(&path).await.expect(200).json();
    assert_eq!(
        (&gone["status"], &gone["canceled_at"]),
        (&json!("canceled"), &json!(JANUARY))
    );
    club.bench.delete(&path).await.expect(404);
    let living = club
        .bench
        .get(&format!("/v1/subscriptions?customer={}", club.customer))
        .await;
    assert_eq!(living.expect(200).json()["data"], json!([]));
    club.wind(FEBRUARY + DAY).await;
    assert_eq!(
        club.invoice(&subscription).await["billing_reason"],
        "subscription_create"
    );
}

#[tokio::test]
async fn what_a_shop_has_entered_itself_outlives_the_subscription() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let fee = vec![
        ("customer", &*club.customer),
        ("subscription", subscription["id"].as_str().unwrap()),
        ("currency", "usd"),
        ("amount", "700"),
    ];
    club.bench.post("/v1/invoiceitems", &fee).await.expect(200);
    club.wind(JANUARY + 14 * DAY).await;
    let item = id(&subscription["items"]["data"][0]);
    let more = vec![("items[0][id]", &*item), ("items[0][quantity]", "2")];
    club.update(&subscription, more).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    club.bench.delete(&path).await.expect(200);
    let pending = format!("/v1/invoiceitems?customer={}&pending=true", club.customer);
    let pending = club.bench.get(&pending).await.expect(200).json();
    let amounts: Vec<_> = pending["data"].as_array().unwrap().iter().collect();
    assert_eq!(amounts.len(), 1, "{amounts:#?}");
    assert_eq!(amounts[0]["amount"], 700);
}

#[tokio::test]
async fn nothing_is_collected_of_a_subscription_that_was_canceled() {
    let mut club = Club::open().await;
    let weekly = vec![
        ("currency", "usd"),
        ("unit_amount", "1000"),
        ("recurring[interval]", "week"),
        ("product_data[name]", "Coffee"),
    ];
    let weekly = club.bench.post("/v1/prices", &weekly).await.expect(200);
    club.price = id(&weekly.json());
    let subscription = club.subscribe(vec![]).await;
    club.pay_with("pm_card_chargeCustomerFail").await;
    // Of two weeks, nothing could be collected so far.
    club.wind(JANUARY + 8 * DAY).await;
    club.wind(JANUARY + 14 * DAY + 2 * HOUR).await;
    club.pay_with("pm_card_visa").await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    club.bench.delete(&path).await.expect(200);
    club.wind(JANUARY + 40 * DAY).await;
    let open = format!("/v1/invoices?customer={}&status=open", club.customer);
    let open = club.bench.get(&open).await.expect(200).json();
    let open = open["data"].as_array().unwrap();
    assert_eq!(open.len(), 2, "{open:#?}");
    assert!(
        open.iter().all(|it| it["auto_advance"] == false),
        "{open:#?}"
    );
}

#[tokio::test]
async fn a_dearer_price_in_the_middle_of_a_period_is_prorated_on_the_next_invoice() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let dearer = price(&club.bench, "2000", vec![]).await;
    club.wind(JANUARY + 14 * DAY).await;
    let item = id(&subscription["items"]["data"][0]);
    let form = vec![("items[0][id]", &*item), ("items[0][price]", &*dearer)];
    let changed = club.update(&subscription, form).await;
    assert_eq!(period(&changed), (JANUARY, FEBRUARY));
    club.wind(FEBRUARY + 2 * HOUR).await;
    let invoice = club.invoice(&subscription).await;
    let lines = invoice["lines"]["data"].as_array().unwrap();
    let mut lines: Vec<_> = lines
        .iter()
        .map(|line| {
            (
                line["amount"].as_i64().unwrap(),
                line["description"].as_str().unwrap(),
            )
        })
        .collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            (-500, "Unused time on Coffee after 14 Feb 2026"),
            (1_000, "Remaining time on Coffee after 14 Feb 2026"),
            (2_000, "1 × Coffee (at $20.00 / month)"),
        ]
    );
    assert_eq!(invoice["amount_paid"], 2_500);
}

#[tokio::test]
async fn a_change_is_invoiced_at_once_if_its_shop_wants_that() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    club.wind(JANUARY + 14 * DAY).await;
    let item = id(&subscription["items"]["data"][0]);
    let form = vec![
        ("items[0][id]", &*item),
        ("items[0][quantity]", "3"),
        ("proration_behavior", "always_invoice"),
    ];
    club.update(&subscription, form).await;
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert_eq!(
        (&invoice["status"], &invoice["amount_paid"]),
        (&json!("paid"), &json!(1_000))
    );

    let form = vec![
        ("items[0][id]", &*item),
        ("items[0][quantity]", "9"),
        ("proration_behavior", "none"),
    ];
    club.update(&subscription, form).await;
    assert_eq!(club.invoice(&subscription).await["id"], invoice["id"]);
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 9_000);
}

#[tokio::test]
async fn a_customer_shows_their_subscriptions_when_asked() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let path = format!("/v1/customers/{}?expand[]=subscriptions", club.customer);
    let customer = club.bench.get(&path).await.expect(200).json();
    assert_eq!(customer["subscriptions"]["data"], json!([subscription]));
}

#[tokio::test]
async fn subscriptions_are_listed_by_what_they_are() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let id = id(&subscription);
    let customer = &club.customer;
    let other = price(&club.bench, "100", vec![]).await;
    let price = &club.price;
    let end = FEBRUARY;
    for (query, found) in [
        (format!("customer={customer}"), true),
        (format!("customer={customer}&status=active"), true),
        (format!("customer={customer}&status=canceled"), false),
        (format!("test_clock={}", club.clock), true),
        (String::new(), false),
        (format!("customer={customer}&price={price}"), true),
        (format!("customer={customer}&price={other}"), false),
        (
            format!("customer={customer}&current_period_end[lte]={end}"),
            true,
        ),
        (
            format!("customer={customer}&current_period_end[lt]={end}"),
            false,
        ),
    ] {
        let path = format!("/v1/subscriptions?{query}");
        let listed = club.bench.get(&path).await.expect(200).json();
        assert_eq!(ids(&listed).contains(&id), found, "{query}");
    }
    let path = "/v1/subscriptions/search?query=status:\"active\"";
    let listed = club.bench.get(path).await.expect(200).json();
    assert_eq!(ids(&listed), [id]);
}

#[tokio::test]
async fn older_versions_show_the_period_with_the_subscription() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    let request = club
        .bench
        .request("GET", &path)
        .bearer_auth(crate::bench::KEY);
    let request = request.header("Stripe-Version", "2024-12-18.acacia");
    let shown = club.bench.send(request).await.expect(200).json();
    assert_eq!(shown["current_period_end"], FEBRUARY);
    assert_eq!(subscription["current_period_end"], Value::Null);
}

#[tokio::test]
async fn a_clock_goes_two_intervals_at_a_time_and_ends_what_lives_in_its_time() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let path = format!("/v1/test_helpers/test_clocks/{}", club.clock);
    // Two months after 31 January.
    let too_far = (MARCH + 1).to_string();
    let form = vec![("frozen_time", &*too_far)];
    let error = club.bench.post(&format!("{path}/advance"), &form).await;
    assert_eq!(error.expect(400).error()["param"], "frozen_time");
    club.wind(MARCH).await;
    club.bench.delete(&path).await.expect(200);
    let shown = club.show(&subscription).await;
    assert_eq!(
        (&shown["status"], &shown["ended_at"]),
        (&json!("canceled"), &json!(MARCH))
    );
}

#[tokio::test]
async fn nothing_recurs_or_is_tried_beyond_what_dates_can_say() {
    let club = Club::open().await;
    for (unit, count) in [
        ("month", "37"),
        ("year", "4"),
        ("week", "157"),
        ("day", "9007199254740992"),
    ] {
        let form = vec![
            ("currency", "usd"),
            ("unit_amount", "1000"),
            ("product_data[name]", "Box"),
            ("recurring[interval]", unit),
            ("recurring[interval_count]", count),
        ];
        let refused = club
            .bench
            .post("/v1/prices", &form)
            .await
            .expect(400)
            .json();
        assert_eq!(
            refused["error"]["param"], "recurring[interval_count]",
            "{unit}"
        );
    }
    let subscription = club.subscribe(vec![]).await;
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    for end in ["1798761600000", "9223372036854775807"] {
        let form = vec![("trial_end", end), ("proration_behavior", "none")];
        let refused = club.bench.post(&path, &form).await.expect(400).json();
        assert_eq!(refused["error"]["param"], "trial_end");
    }
    assert_eq!(club.show(&subscription).await["status"], "active");
}

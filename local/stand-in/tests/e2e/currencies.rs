//! The currency that a customer is billed in:
//! <https://docs.stripe.com/invoicing/multi-currency-customers>.

use serde_json::{Value, json};

use crate::bench::{Answer, Form, id};
use crate::subscriptions::{Club, DAY};
use crate::test_clocks::JANUARY;

/// What binds a customer to a currency.
const BINDING: [&str; 6] = [
    "an active subscription",
    "a schedule that waits",
    "a quote",
    "an invoice item that waits",
    "an amount off",
    "an open session",
];

/// A club whose customer is billed in dollars, if at all, and prices in both currencies.
struct Fair {
    club: Club,
    euros: String,
    later: String,
}

impl Fair {
    async fn open() -> Self {
        let club = Club::open().await;
        let path = "/v1/prices";
        let form = vec![
            ("currency", "eur"),
            ("unit_amount", "900"),
            ("recurring[interval]", "month"),
            ("product_data[name]", "Coffee"),
        ];
        let euros = id(&club.bench.post(path, &form).await.expect(200).json());
        let later = (JANUARY + DAY).to_string();
        Self { club, euros, later }
    }

    fn price(&self, currency: &str) -> &str {
        match currency {
            "eur" => &self.euros,
            _ => &self.club.price,
        }
    }

    /// Does in this currency what binds a customer to it.
    async fn bind(&self, what: &str, currency: &str) -> Answer {
        let (price, bench) = (self.price(currency), &self.club.bench);
        let customer = ("customer", &*self.club.customer);
        let ask = async |path: &str, form: Form<'_>| {
            let form = [vec![customer], form].concat();
            bench.post(path, &form).await
        };
        match what {
            "an active subscription" => {
                ask("/v1/subscriptions", vec![("items[0][price]", price)]).await
            }
            "a schedule that waits" => {
                let form = vec![
                    ("start_date", &*self.later),
                    ("phases[0][items][0][price]", price),
                ];
                ask("/v1/subscription_schedules", form).await
            }
            "a quote" => ask("/v1/quotes", vec![("line_items[0][price]", price)]).await,
            "an invoice item that waits" => {
                let form = vec![("amount", "700"), ("currency", currency)];
                ask("/v1/invoiceitems", form).await
            }
            "an amount off" => self.give_off(currency).await,
            _ => {
                let form = vec![
                    ("mode", "subscription"),
                    ("success_url", "http://shop.example/done"),
                    ("line_items[0][price]", price),
                    ("line_items[0][quantity]", "1"),
                ];
                ask("/v1/checkout/sessions", form).await
            }
        }
    }

    async fn give_off(&self, currency: &str) -> Answer {
        let bench = &self.club.bench;
        let form = vec![
            ("amount_off", "100"),
            ("currency", currency),
            ("duration", "forever"),
        ];
        let coupon = bench.post("/v1/coupons", &form).await.expect(200).json();
        let path = format!("/v1/customers/{}", self.club.customer);
        bench.post(&path, &vec![("coupon", &id(&coupon))]).await
    }

    async fn customer(&self) -> Value {
        let id = &self.club.customer;
        self.club.bench.fetch("customers", id).await
    }
}

#[tokio::test]
async fn what_goes_on_is_in_one_currency_however_it_begins() {
    for bound in BINDING {
        for begun in BINDING {
            let fair = Fair::open().await;
            fair.bind(bound, "usd").await.expect(200);
            let answer = fair.bind(begun, "eur").await;
            // What is billed once may be in any currency.
            if begun == "an invoice item that waits" {
                answer.expect(200);
                continue;
            }
            let message = answer.expect(400).error()["message"].clone();
            let message = message.as_str().unwrap();
            assert!(
                message.starts_with("You cannot combine currencies on a single customer.")
                    && message.ends_with("with currency usd."),
                "{bound}, then {begun}: {message}"
            );
            fair.bind(begun, "usd").await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_customer_whose_subscription_is_over_may_subscribe_in_another_currency() {
    let fair = Fair::open().await;
    assert_eq!(fair.customer().await["currency"], Value::Null);
    let subscription = fair.bind(BINDING[0], "usd").await.expect(200).json();
    assert_eq!(fair.customer().await["currency"], "usd");
    let updated = fair.club.bench.latest("customer.updated").await;
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({ "currency": null })
    );
    let path = format!("/v1/subscriptions/{}", id(&subscription));
    fair.club.bench.delete(&path).await.expect(200);
    assert_eq!(fair.customer().await["currency"], "usd");
    fair.bind(BINDING[0], "eur").await.expect(200);
    assert_eq!(fair.customer().await["currency"], "eur");
}

#[tokio::test]
async fn a_session_that_has_expired_binds_nobody() {
    let fair = Fair::open().await;
    let session = fair.bind("an open session", "usd").await.expect(200).json();
    let path = format!("/v1/checkout/sessions/{}/expire", id(&session));
    fair.club.bench.post(&path, &vec![]).await.expect(200);
    fair.bind(BINDING[0], "eur").await.expect(200);
}

#[tokio::test]
async fn the_first_thing_that_is_billed_says_in_which_currency() {
    let fair = Fair::open().await;
    fair.bind("an invoice item that waits", "eur")
        .await
        .expect(200);
    assert_eq!(fair.customer().await["currency"], "eur");
    fair.bind("an invoice item that waits", "usd")
        .await
        .expect(200);
    assert_eq!(fair.customer().await["currency"], "eur");
}

#[tokio::test]
async fn an_item_of_a_subscription_is_in_its_currency() {
    let fair = Fair::open().await;
    let subscription = id(&fair.bind(BINDING[0], "usd").await.expect(200).json());
    let form = vec![
        ("customer", &*fair.club.customer),
        ("subscription", &*subscription),
        ("amount", "700"),
        ("currency", "eur"),
    ];
    let refused = fair.club.bench.post("/v1/invoiceitems", &form).await;
    assert_eq!(refused.expect(400).error()["param"], "currency");
}

#[tokio::test]
async fn a_credit_is_spent_on_invoices_in_its_own_currency() {
    let fair = Fair::open().await;
    let bench = &fair.club.bench;
    let customer = &*fair.club.customer;
    let path = format!("/v1/customers/{customer}/balance_transactions");
    let credit = async |amount, currency| {
        let form = vec![("amount", amount), ("currency", currency)];
        bench.post(&path, &form).await.expect(200).json()["ending_balance"].clone()
    };
    assert_eq!(credit("-300", "usd").await, -300);
    assert_eq!(credit("-200", "eur").await, -200);
    assert_eq!(credit("-50", "eur").await, -250);
    let shown = fair.customer().await;
    assert_eq!(
        (&shown["balance"], &shown["currency"]),
        (&json!(-300), &json!("usd"))
    );
    for (currency, due) in [("eur", 750), ("usd", 700)] {
        let form = vec![
            ("customer", customer),
            ("amount", "1000"),
            ("currency", currency),
        ];
        bench.post("/v1/invoiceitems", &form).await.expect(200);
        let form = vec![
            ("customer", customer),
            ("currency", currency),
            ("pending_invoice_items_behavior", "include"),
        ];
        let invoice = bench.post("/v1/invoices", &form).await.expect(200).json();
        let path = format!("/v1/invoices/{}/finalize", id(&invoice));
        let invoice = bench.post(&path, &vec![]).await.expect(200).json();
        assert_eq!(
            (&invoice["total"], &invoice["amount_due"]),
            (&json!(1_000), &json!(due)),
            "{currency}"
        );
    }
    assert_eq!(fair.customer().await["balance"], 0);
    assert_eq!(credit("-10", "eur").await, -10);
}

//! Test clocks: customers who live in a time of their own.

use serde_json::json;

use crate::bench::{Bench, id};

/// 31 January 2026, at noon.
pub(crate) const JANUARY: i64 = 1_769_860_800;

const DAY: i64 = 86_400;

impl Bench {
    pub(crate) async fn clock(&self, frozen_time: i64) -> String {
        let frozen_time = frozen_time.to_string();
        let form = vec![("frozen_time", &*frozen_time)];
        let clock = self.post("/v1/test_helpers/test_clocks", &form).await;
        id(&clock.expect(200).json())
    }

    pub(crate) async fn wind(&self, clock: &str, to: i64) {
        let path = format!("/v1/test_helpers/test_clocks/{clock}");
        let target = to.to_string();
        let form = vec![("frozen_time", &*target)];
        let answer = self
            .post(&format!("{path}/advance"), &form)
            .await
            .expect(200)
            .json();
        assert_eq!(answer["status"], "advancing");
        let clock = self.get(&path).await.expect(200).json();
        assert_eq!(clock["status"], "ready");
        assert_eq!(clock["frozen_time"], to);
    }

    pub(crate) async fn customer_on(&self, clock: &str) -> String {
        let form = vec![("test_clock", clock), ("email", "ada@mail.example")];
        id(&self.post("/v1/customers", &form).await.expect(200).json())
    }
}

#[tokio::test]
async fn a_customer_on_a_clock_lives_in_its_time_and_others_do_not() {
    let bench = Bench::start().await;
    let clock = bench.clock(JANUARY).await;
    let customer = bench.customer_on(&clock).await;
    let shown = bench
        .get(&format!("/v1/customers/{customer}"))
        .await
        .expect(200)
        .json();
    assert_eq!(shown["created"], JANUARY);
    assert_eq!(shown["test_clock"], clock);
    let event = bench.latest("customer.created").await;
    assert_eq!(event["created"], JANUARY);

    let form = vec![
        ("customer", &*customer),
        ("amount", "1500"),
        ("currency", "usd"),
    ];
    let theirs = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    assert_eq!(theirs["created"], JANUARY);
    let form = vec![("amount", "1500"), ("currency", "usd")];
    let other = bench
        .post("/v1/payment_intents", &form)
        .await
        .expect(200)
        .json();
    assert!(other["created"].as_i64().unwrap() > JANUARY);

    let all = bench.get("/v1/customers").await.expect(200).json();
    assert_eq!(
        all["data"],
        json!([]),
        "a list has nobody of a clock's time"
    );
    let theirs = bench
        .get(&format!("/v1/customers?test_clock={clock}"))
        .await
        .expect(200)
        .json();
    assert_eq!(theirs["data"][0]["id"], customer);
}

#[tokio::test]
async fn a_clock_is_advanced_and_only_forward() {
    let bench = Bench::start().await;
    let clock = bench.clock(JANUARY).await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}/advance");
    for wrong in [JANUARY, JANUARY - 1, JANUARY + 3 * 365 * DAY] {
        let wrong = wrong.to_string();
        let error = bench
            .post(&path, &vec![("frozen_time", &*wrong)])
            .await
            .expect(400)
            .error();
        assert_eq!(error["param"], "frozen_time");
        assert_eq!(error["type"], "invalid_request_error");
    }
    bench.wind(&clock, JANUARY + 30 * DAY).await;
    let told = bench.event_types().await;
    let told: Vec<_> = told
        .iter()
        .filter(|it| it.starts_with("test_helpers"))
        .collect();
    assert_eq!(
        told,
        [
            "test_helpers.test_clock.created",
            "test_helpers.test_clock.advancing",
            "test_helpers.test_clock.ready",
        ]
    );
}

#[tokio::test]
async fn what_is_due_in_a_clocks_time_waits_for_that_clock() {
    let bench = Bench::start().await;
    let clock = bench.clock(JANUARY).await;
    let customer = bench.customer_on(&clock).await;
    let theirs = id(&bench.create(vec![("customer", &customer)]).await);
    let other = bench.session().await;
    bench.wind(&clock, JANUARY + 2 * DAY).await;
    assert_eq!(bench.retrieve(&theirs).await["status"], "expired");
    assert_eq!(bench.retrieve(&other).await["status"], "open");
    let expired = bench.latest("checkout.session.expired").await;
    assert_eq!(expired["created"], JANUARY + DAY);

    let theirs = id(&bench.create(vec![("customer", &customer)]).await);
    bench.advance(2 * 24 * 3600).await;
    assert_eq!(bench.retrieve(&theirs).await["status"], "open");
    assert_eq!(bench.retrieve(&other).await["status"], "expired");
}

#[tokio::test]
async fn a_clock_takes_its_customers_with_it() {
    let bench = Bench::start().await;
    let clock = bench.clock(JANUARY).await;
    let customer = bench.customer_on(&clock).await;
    let path = format!("/v1/test_helpers/test_clocks/{clock}");
    let gone = bench.delete(&path).await.expect(200).json();
    assert_eq!(gone["deleted"], true);
    bench.get(&path).await.expect(404);
    let customer = bench
        .get(&format!("/v1/customers/{customer}"))
        .await
        .expect(200)
        .json();
    assert_eq!(customer["deleted"], true);
    assert_eq!(
        bench.latest("test_helpers.test_clock.deleted").await["data"]["object"]["id"],
        clock
    );
}

#[tokio::test]
async fn a_clock_has_three_customers_at_most() {
    let bench = Bench::start().await;
    let clock = bench.clock(JANUARY).await;
    for _ in 0..3 {
        bench.customer_on(&clock).await;
    }
    let form = vec![("test_clock", &*clock)];
    let error = bench.post("/v1/customers", &form).await.expect(400).error();
    assert_eq!(error["param"], "test_clock");
    let form = vec![("test_clock", "clock_none")];
    let error = bench.post("/v1/customers", &form).await.expect(400).error();
    assert_eq!(
        (&error["param"], &error["code"]),
        (&json!("test_clock"), &json!("resource_missing"))
    );
}

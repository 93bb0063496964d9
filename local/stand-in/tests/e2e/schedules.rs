//! Subscription schedules: phases that begin by themselves, and the ways in which they end.

use serde_json::{Value, json};

use crate::bench::{Answer, Form, id, ids};
use crate::subscriptions::{Club, price};
use crate::test_clocks::JANUARY;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
const FEBRUARY: i64 = JANUARY + 28 * DAY;
const MARCH: i64 = FEBRUARY + 31 * DAY;

impl Club {
    async fn ask_for_schedule(&self, more: Form<'_>) -> Answer {
        let own = vec![("customer", &*self.customer)];
        let form = [own, more].concat();
        self.bench.post("/v1/subscription_schedules", &form).await
    }

    /// One of a price for a month, then two of it for another.
    async fn schedule(&self, more: Form<'_>) -> Value {
        let phases = vec![
            ("phases[0][items][0][price]", &*self.price),
            ("phases[0][duration][interval]", "month"),
            ("phases[1][items][0][price]", &*self.price),
            ("phases[1][items][0][quantity]", "2"),
            ("phases[1][duration][interval]", "month"),
        ];
        let form = [phases, more].concat();
        self.ask_for_schedule(form).await.expect(200).json()
    }

    async fn plan_of(&self, schedule: &Value) -> Value {
        let id = id(schedule);
        self.bench.fetch("subscription_schedules", &id).await
    }

    async fn subscription_of(&self, schedule: &Value) -> Value {
        let id = schedule["subscription"].as_str().unwrap();
        self.bench.fetch("subscriptions", id).await
    }

    async fn scheduled_after(&self, so_far: usize) -> Vec<String> {
        let mut told = self.bench.event_types_after(so_far).await;
        told.retain(|it| {
            it.starts_with("subscription_schedule") || it.starts_with("customer.subscription")
        });
        told
    }
}

#[tokio::test]
async fn a_schedule_begins_its_subscription_and_leaves_its_first_invoice_a_draft_for_an_hour() {
    let club = Club::open().await;
    let so_far = club.bench.event_types().await.len();
    let schedule = club.schedule(vec![("start_date", "now")]).await;
    assert_eq!(schedule["status"], "active");
    assert_eq!(
        schedule["current_phase"],
        json!({ "start_date": JANUARY, "end_date": FEBRUARY })
    );
    assert_eq!(schedule["phases"][1]["end_date"], MARCH);
    assert_eq!(schedule["phases"][1]["items"][0]["quantity"], 2);
    let subscription = club.subscription_of(&schedule).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["schedule"], schedule["id"]);
    assert_eq!(club.invoice(&subscription).await["status"], "draft");
    assert_eq!(
        club.scheduled_after(so_far).await,
        [
            "subscription_schedule.created",
            "customer.subscription.created"
        ]
    );
    let created = club.bench.latest("subscription_schedule.created").await;
    assert_eq!(created["data"]["object"], schedule);
    club.wind(JANUARY + 2 * HOUR).await;
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
}

#[tokio::test]
async fn a_phase_begins_at_its_moment_and_is_billed_whole() {
    let club = Club::open().await;
    let schedule = club.schedule(vec![("start_date", "now")]).await;
    let so_far = club.bench.event_types().await.len();
    club.wind(FEBRUARY + 2 * HOUR).await;
    let subscription = club.subscription_of(&schedule).await;
    assert_eq!(subscription["items"]["data"][0]["quantity"], 2);
    let invoice = club.invoice(&subscription).await;
    assert_eq!(invoice["amount_paid"], 2_000);
    assert_eq!(invoice["lines"]["data"].as_array().unwrap().len(), 1);
    let now = club.plan_of(&schedule).await;
    assert_eq!(now["current_phase"]["start_date"], FEBRUARY);
    let updated = club.bench.latest("subscription_schedule.updated").await;
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({ "current_phase": { "start_date": JANUARY, "end_date": FEBRUARY } })
    );
    assert!(
        club.scheduled_after(so_far)
            .await
            .contains(&"customer.subscription.updated".to_owned())
    );
}

#[tokio::test]
async fn a_schedule_of_an_existing_subscription_changes_it_before_its_period_is_billed() {
    let club = Club::open().await;
    let subscription = club.subscribe(vec![]).await;
    let subscription_id = id(&subscription);
    let form = vec![("from_subscription", &*subscription_id)];
    let path = "/v1/subscription_schedules";
    let schedule = club.bench.post(path, &form).await.expect(200).json();
    assert_eq!(schedule["phases"].as_array().unwrap().len(), 1);
    assert_eq!(schedule["phases"][0]["end_date"], FEBRUARY);
    let dear = price(&club.bench, "3000", vec![]).await;
    let (start, end) = (JANUARY.to_string(), FEBRUARY.to_string());
    let form = vec![
        ("phases[0][start_date]", &*start),
        ("phases[0][end_date]", &*end),
        ("phases[0][items][0][price]", &*club.price),
        ("phases[1][items][0][price]", &*dear),
        ("phases[1][duration][interval]", "month"),
    ];
    let path = format!("/v1/subscription_schedules/{}", id(&schedule));
    let updated = club.bench.post(&path, &form).await.expect(200).json();
    assert_eq!(updated["phases"].as_array().unwrap().len(), 2);
    club.wind(FEBRUARY + 2 * HOUR).await;
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 3_000);
    let again = club
        .bench
        .post(
            "/v1/subscription_schedules",
            &vec![("from_subscription", &*subscription_id)],
        )
        .await
        .expect(400);
    assert!(
        again.error()["message"]
            .as_str()
            .unwrap()
            .contains("already attached")
    );
}

#[tokio::test]
async fn a_completed_schedule_lets_its_subscription_go_on_or_ends_it() {
    for (end_behavior, status) in [("release", "active"), ("cancel", "canceled")] {
        let club = Club::open().await;
        let more = vec![("start_date", "now"), ("end_behavior", end_behavior)];
        let schedule = club.schedule(more).await;
        club.wind(FEBRUARY + 2 * HOUR).await;
        let so_far = club.bench.event_types().await.len();
        club.wind(MARCH + 2 * HOUR).await;
        let done = club.plan_of(&schedule).await;
        assert_eq!(
            (&done["status"], &done["completed_at"]),
            (&json!("completed"), &json!(MARCH))
        );
        let subscription = club.subscription_of(&schedule).await;
        assert_eq!(subscription["status"], status, "{end_behavior}");
        let told = club.scheduled_after(so_far).await;
        let schedules: Vec<_> = told
            .iter()
            .filter(|it| it.starts_with("subscription_s"))
            .collect();
        assert_eq!(
            schedules,
            [
                "subscription_schedule.expiring",
                "subscription_schedule.completed"
            ]
        );
        let expiring = club.bench.latest("subscription_schedule.expiring").await;
        assert_eq!(expiring["created"], MARCH - 7 * DAY);
        let released = done["released_subscription"].clone();
        match end_behavior {
            "release" => {
                assert_eq!(released, subscription["id"]);
                assert_eq!(subscription["schedule"], Value::Null);
            }
            _ => assert_eq!(subscription["ended_at"], MARCH),
        }
    }
}

#[tokio::test]
async fn a_schedule_that_waits_begins_by_itself() {
    let club = Club::open().await;
    let start = (JANUARY + DAY).to_string();
    let schedule = club.schedule(vec![("start_date", &start)]).await;
    assert_eq!(schedule["status"], "not_started");
    assert_eq!(schedule["subscription"], Value::Null);
    club.wind(JANUARY + 2 * DAY).await;
    let now = club.plan_of(&schedule).await;
    assert_eq!(now["status"], "active");
    let subscription = club.subscription_of(&now).await;
    assert_eq!(subscription["start_date"], JANUARY + DAY);
    assert_eq!(club.invoice(&subscription).await["status"], "paid");
}

#[tokio::test]
async fn releasing_leaves_the_subscription_and_canceling_ends_it() {
    let club = Club::open().await;
    let schedule = club
        .schedule(vec![("start_date", "now"), ("end_behavior", "cancel")])
        .await;
    let path = format!("/v1/subscription_schedules/{}/release", id(&schedule));
    let released = club.bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(released["status"], "released");
    assert_eq!(released["released_subscription"], schedule["subscription"]);
    let subscription = club.subscription_of(&schedule).await;
    assert_eq!(subscription["status"], "active");
    assert_eq!(subscription["cancel_at"], Value::Null);
    let message = club.bench.post(&path, &vec![]).await.expect(400).error()["message"].clone();
    assert!(message.as_str().unwrap().contains("`released` status"));

    let schedule = club.schedule(vec![("start_date", "now")]).await;
    let so_far = club.bench.event_types().await.len();
    let path = format!("/v1/subscription_schedules/{}/cancel", id(&schedule));
    let canceled = club.bench.post(&path, &vec![]).await.expect(200).json();
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(club.subscription_of(&schedule).await["status"], "canceled");
    assert_eq!(
        club.scheduled_after(so_far).await,
        [
            "customer.subscription.deleted",
            "subscription_schedule.canceled"
        ]
    );
}

#[tokio::test]
async fn a_schedule_ends_with_its_subscription_and_is_aborted_when_nobody_pays() {
    let club = Club::open().await;
    let schedule = club.schedule(vec![("start_date", "now")]).await;
    let path = format!(
        "/v1/subscriptions/{}",
        schedule["subscription"].as_str().unwrap()
    );
    club.bench.delete(&path).await.expect(200);
    assert_eq!(club.plan_of(&schedule).await["status"], "canceled");
    club.bench.latest("subscription_schedule.canceled").await["id"]
        .as_str()
        .unwrap();

    let club = Club::paying_with("pm_card_chargeCustomerFail").await;
    let form = vec![
        ("start_date", "now"),
        ("phases[0][items][0][price]", &*club.price),
        ("phases[0][duration][interval]", "month"),
        ("phases[0][duration][interval_count]", "6"),
    ];
    let schedule = club.ask_for_schedule(form).await.expect(200).json();
    club.wind(FEBRUARY - DAY).await;
    let now = club.plan_of(&schedule).await;
    assert_eq!(now["status"], "canceled");
    let aborted = club.bench.latest("subscription_schedule.aborted").await;
    assert_eq!(aborted["data"]["object"]["id"], schedule["id"]);
}

#[tokio::test]
async fn a_scheduled_subscription_cannot_be_canceled_beside_its_schedule() {
    let club = Club::open().await;
    let schedule = club.schedule(vec![("start_date", "now")]).await;
    let path = format!(
        "/v1/subscriptions/{}",
        schedule["subscription"].as_str().unwrap()
    );
    let form = vec![("cancel_at_period_end", "true")];
    let error = club.bench.post(&path, &form).await.expect(400).error();
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("managed by the subscription schedule")
    );
}

#[tokio::test]
async fn a_phase_can_be_a_trial() {
    let club = Club::open().await;
    let form = vec![
        ("start_date", "now"),
        ("phases[0][items][0][price]", &*club.price),
        ("phases[0][duration][interval]", "week"),
        ("phases[0][trial]", "true"),
        ("phases[1][items][0][price]", &*club.price),
        ("phases[1][duration][interval]", "month"),
    ];
    let schedule = club.ask_for_schedule(form).await.expect(200).json();
    assert_eq!(schedule["phases"][0]["trial_end"], JANUARY + 7 * DAY);
    let subscription = club.subscription_of(&schedule).await;
    assert_eq!(subscription["status"], "trialing");
    club.wind(JANUARY + 7 * DAY + 2 * HOUR).await;
    assert_eq!(club.subscription_of(&schedule).await["status"], "active");
    assert_eq!(club.invoice(&subscription).await["amount_paid"], 1_000);
}

#[tokio::test]
async fn what_no_schedule_could_be_is_refused_and_changes_nothing() {
    let club = Club::open().await;
    let so_far = club.bench.event_types().await.len();
    let item = ("phases[0][items][0][price]", &*club.price);
    let start = ("start_date", "now");
    let past = (JANUARY - DAY).to_string();
    for (form, param) in [
        (vec![item], "start_date"),
        (vec![start], "phases"),
        (
            vec![start, ("phases[0][items][0][price]", "price_no")],
            "phases[0][items][0][price]",
        ),
        (
            vec![start, item, ("phases[0][end_date]", &*past)],
            "phases[0][end_date]",
        ),
        (vec![("start_date", &*past), item], "start_date"),
        (
            vec![start, item, ("phases[0][on_behalf_of]", "acct_1")],
            "phases[0][on_behalf_of]",
        ),
        (
            vec![start, item, ("from_subscription", "sub_1")],
            "from_subscription",
        ),
    ] {
        let error = club.ask_for_schedule(form).await.expect(400).error();
        assert_eq!(error["param"], param, "{error}");
    }
    assert_eq!(club.bench.event_types().await.len(), so_far);
    let list = club
        .bench
        .get("/v1/subscription_schedules")
        .await
        .expect(200)
        .json();
    assert!(ids(&list).is_empty());
}

#[tokio::test]
async fn schedules_are_listed_by_customer_and_by_whether_they_wait() {
    let club = Club::open().await;
    let later = (JANUARY + DAY).to_string();
    let waiting = club.schedule(vec![("start_date", &later)]).await;
    let begun = club.schedule(vec![("start_date", "now")]).await;
    for (query, expected) in [
        ("scheduled=true".to_owned(), vec![id(&waiting)]),
        ("scheduled=false".to_owned(), vec![id(&begun)]),
        (
            format!("customer={}", club.customer),
            vec![id(&begun), id(&waiting)],
        ),
    ] {
        let path = format!("/v1/subscription_schedules?{query}");
        assert_eq!(
            ids(&club.bench.get(&path).await.expect(200).json()),
            expected,
            "{query}"
        );
    }
}

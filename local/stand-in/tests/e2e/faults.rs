use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, Form, KEY, id, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";
const EXPIRED: &str = "checkout.session.expired";

/// A session that its shop has ended: one event, delivered.
async fn expired(bench: &Bench) -> String {
    let session = bench.session().await;
    let path = format!("{SESSIONS}/{session}/expire");
    bench.post(&path, &vec![]).await.expect(200);
    session
}

/// The sessions that the webhook has heard of, in order.
fn heard(bench: &Bench) -> Vec<String> {
    let heard = bench.webhook.heard();
    heard
        .iter()
        .map(|it| id(&it.event()["data"]["object"]))
        .collect()
}

#[tokio::test]
async fn a_fault_spoils_the_calls_it_was_planned_for() {
    let bench = Bench::start().await;
    bench
        .fault(&[("path", SESSIONS), ("status", "503"), ("times", "2")])
        .await;
    bench.get("/v1/events").await.expect(200);
    for _ in 0..2 {
        let error = bench.post(SESSIONS, &one_mug()).await.expect(503).error();
        assert_eq!(error["type"], "api_error");
    }
    bench.post(SESSIONS, &one_mug()).await.expect(200);
    bench
        .fault(&[
            ("fault", "rate_limit"),
            ("path", "/v1/checkout/*"),
            ("method", "GET"),
        ])
        .await;
    bench.post(SESSIONS, &one_mug()).await.expect(200);
    let error = bench.get(SESSIONS).await.expect(429).error();
    assert_eq!(error["code"], "rate_limit");
    bench.get(SESSIONS).await.expect(200);
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_has_done_its_work() {
    for fault in ["time_out", "hang_up"] {
        let bench = Bench::start().await;
        bench
            .fault(&[("fault", fault), ("path", SESSIONS), ("method", "POST")])
            .await;
        let create = || {
            bench
                .request("POST", SESSIONS)
                .bearer_auth(KEY)
                .header("Idempotency-Key", "k")
                .timeout(Duration::from_millis(700))
                .form(&one_mug())
        };
        let lost = create().send().await.expect_err("no answer comes");
        assert_eq!(lost.is_timeout(), fault == "time_out", "{lost:?}");
        let answer = bench.send(create()).await.expect(200);
        assert_eq!(
            answer.header("idempotent-replayed"),
            Some("true"),
            "{fault}"
        );
        let list = bench.get(SESSIONS).await.expect(200).json();
        assert_eq!(list["data"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_slow_call_keeps_its_key_in_use() {
    let bench = Bench::start().await;
    bench
        .fault(&[("fault", "slow"), ("delay_ms", "400"), ("path", SESSIONS)])
        .await;
    let form = one_mug();
    let slow = bench.post_with_key(SESSIONS, "k", &form);
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        bench.post_with_key(SESSIONS, "k", &form).await
    };
    let (slow, meanwhile): (Answer, Answer) = tokio::join!(slow, meanwhile);
    meanwhile.expect(409);
    slow.expect(200);
}

#[tokio::test]
async fn an_object_can_change_without_an_event() {
    let bench = Bench::start().await;
    let charge = id(&bench.charge(CARD).await);
    bench
        .fault(&[("fault", "no_event"), ("type", "refund.*"), ("times", "0")])
        .await;
    let so_far = bench.event_types().await.len();
    let form = vec![("charge", charge.as_str())];
    let refund = bench.post("/v1/refunds", &form).await.expect(200).json();
    assert_eq!(
        bench.fetch("refunds", &id(&refund)).await["status"],
        "succeeded"
    );
    bench.advance(30).await;
    assert_eq!(
        bench.event_types_after(so_far).await,
        ["charge.refunded", "charge.refund.updated"]
    );
}

#[tokio::test]
async fn a_dropped_event_exists_and_can_be_sent_by_hand() {
    let bench = Bench::start().await;
    bench.fault(&[("fault", "drop"), ("type", EXPIRED)]).await;
    let lost = expired(&bench).await;
    let taken = expired(&bench).await;
    bench.webhook.hears(1).await;
    assert_eq!(heard(&bench), [taken.as_str()]);
    let undelivered = bench.get("/v1/events?delivery_success=false").await.json();
    let event = &undelivered["data"][0];
    assert_eq!(
        (
            event["data"]["object"]["id"].as_str().unwrap(),
            &event["type"]
        ),
        (lost.as_str(), &json!(EXPIRED))
    );
    assert_eq!(undelivered["data"].as_array().unwrap().len(), 1);
    bench
        .control(&format!("events/{}/resend", id(event)), &vec![])
        .await
        .expect(200);
    bench.webhook.hears(2).await;
    assert_eq!(heard(&bench), [taken, lost]);
    bench.until(|_| true).await;
    let undelivered = async || {
        let list = bench.get("/v1/events?delivery_success=false").await.json();
        list["data"].as_array().unwrap().is_empty().then_some(())
    };
    crate::bench::eventually(undelivered).await;
}

#[tokio::test]
async fn a_duplicate_comes_twice() {
    let bench = Bench::start().await;
    bench.fault(&[("fault", "duplicate")]).await;
    let twice = expired(&bench).await;
    let heard_events = bench.webhook.hears(2).await;
    assert_eq!(heard_events[0].body, heard_events[1].body);
    let once = expired(&bench).await;
    bench.webhook.hears(3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(heard(&bench), [twice.clone(), twice, once]);
}

#[tokio::test]
async fn a_delayed_event_comes_late() {
    let bench = Bench::start().await;
    bench
        .fault(&[("fault", "delay"), ("delay_ms", "90000"), ("type", EXPIRED)])
        .await;
    let late = expired(&bench).await;
    let punctual = expired(&bench).await;
    bench.webhook.hears(1).await;
    assert_eq!(heard(&bench), [punctual.as_str()]);
    bench.advance(95).await;
    bench.webhook.hears(2).await;
    assert_eq!(heard(&bench), [punctual, late]);
}

#[tokio::test]
async fn an_event_can_be_overtaken_by_the_next() {
    let bench = Bench::start().await;
    bench.fault(&[("fault", "reorder")]).await;
    let first = expired(&bench).await;
    let second = expired(&bench).await;
    bench.webhook.hears(2).await;
    assert_eq!(heard(&bench), [second.clone(), first.clone()]);
    // With nothing behind it, it waits a minute.
    bench.fault(&[("fault", "reorder")]).await;
    let alone = expired(&bench).await;
    bench.advance(61).await;
    bench.webhook.hears(3).await;
    assert_eq!(heard(&bench), [second, first, alone]);
}

#[tokio::test]
async fn an_endpoint_that_is_down_hears_nothing_and_the_tries_are_recorded() {
    let bench = Bench::start().await;
    bench
        .fault(&[("fault", "endpoint_down"), ("times", "0")])
        .await;
    let session = expired(&bench).await;
    bench.advance(10).await;
    let tries = |delivery: &Value| delivery["attempts"].as_array().unwrap().len();
    let delivery = bench.until(|delivery| tries(delivery) >= 2).await;
    assert_eq!(delivery["state"], "pending");
    assert_eq!(delivery["attempts"][0]["status"], json!(null));
    assert!(
        delivery["attempts"][0]["error"]
            .as_str()
            .unwrap()
            .contains("out of reach")
    );
    assert!(bench.webhook.heard().is_empty());
    bench
        .send(bench.request("DELETE", "/_stripe/faults"))
        .await
        .expect(200);
    bench.advance(3_600).await;
    bench.webhook.hears(1).await;
    assert_eq!(heard(&bench), [session]);
}

#[tokio::test]
async fn faults_are_listed_until_they_struck_or_are_taken_away() {
    let bench = Bench::start().await;
    let list = async || {
        bench
            .send(bench.request("GET", "/_stripe/faults"))
            .await
            .expect(200)
            .json()
    };
    assert_eq!(list().await, json!([]));
    bench
        .fault(&[("fault", "drop"), ("type", "refund.*"), ("times", "3")])
        .await;
    bench
        .fault(&[("status", "500"), ("path", "/v1/events")])
        .await;
    assert_eq!(
        list().await,
        json!([
            { "fault": "drop", "type": "refund.*", "times": 3 },
            { "fault": "error", "path": "/v1/events", "status": 500, "times": 1 },
        ])
    );
    bench.get("/v1/events").await.expect(500);
    assert_eq!(list().await.as_array().unwrap().len(), 1);
    bench
        .send(bench.request("DELETE", "/_stripe/faults"))
        .await
        .expect(200);
    assert_eq!(list().await, json!([]));
    let nonsense: [Form<'_>; 5] = [
        vec![("status", "200")],
        vec![("fault", "drop"), ("path", "/v1/events")],
        vec![("fault", "delay")],
        vec![("fault", "gremlins")],
        vec![("fault", "drop"), ("tpye", "refund.*")],
    ];
    for form in nonsense {
        let answer = bench.control("faults", &form).await;
        assert!(answer.status.is_client_error(), "{form:?}: {}", answer.text);
    }
}

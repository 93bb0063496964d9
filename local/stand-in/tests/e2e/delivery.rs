use std::time::Duration;

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, SECRET, Webhook, by_bank, eventually};

/// A session paid and the webhook's answer to it planned.
async fn paid(bench: &Bench) -> String {
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    session
}

fn attempts(delivery: &Value) -> &Vec<Value> {
    delivery["attempts"].as_array().unwrap()
}

#[tokio::test]
async fn an_event_is_delivered_signed_and_whole() {
    let bench = Bench::start().await;
    // Signatures are of real time, however far the stand-in's own has been moved.
    bench.advance(3_600).await;
    let session = paid(&bench).await;
    let heard = bench.webhook.hears(1).await.remove(0);
    let header = |name: &str| heard.headers[name].to_str().unwrap();
    heard.assert_signed_with(SECRET);
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(
        header("user-agent"),
        "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    );

    let event = heard.event();
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
    assert_eq!(event["object"], "event");
    assert_eq!(event["type"], "checkout.session.completed");
    assert_eq!(event["api_version"], "2026-09-30.endive");
    assert_eq!(event["livemode"], false);
    assert_eq!(event["pending_webhooks"], 1);
    assert_eq!(
        event["request"],
        json!({ "id": null, "idempotency_key": null })
    );
    assert_eq!(event["data"]["object"], bench.retrieve(&session).await);

    let delivery = bench
        .until(|delivery| delivery["state"] == "delivered")
        .await;
    assert_eq!(delivery["event"], event["id"]);
    assert_eq!(delivery["type"], event["type"]);
    assert_eq!(delivery["url"], bench.webhook.url);
    assert_eq!(delivery["body"], heard.body);
    let attempt = &attempts(&delivery)[0];
    assert_eq!(
        (&attempt["status"], &attempt["answer"]),
        (&json!(200), &json!("heard"))
    );
    assert_eq!(
        attempt["request_headers"]["Stripe-Signature"],
        header("stripe-signature")
    );
    let path = format!("/v1/events/{}", event["id"].as_str().unwrap());
    assert_eq!(
        bench.get(&path).await.expect(200).json()["pending_webhooks"],
        0
    );
    assert_eq!(
        bench.deliveries().await.len(),
        1,
        "only what is subscribed to is delivered"
    );
}

#[tokio::test]
async fn an_event_names_the_request_that_caused_it() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let expire = format!("/v1/checkout/sessions/{session}/expire");
    let answer = bench
        .post_with_key(&expire, "over", &vec![])
        .await
        .expect(200);
    let event = bench.webhook.hears(1).await[0].event();
    assert_eq!(event["type"], "checkout.session.expired");
    assert_eq!(event["request"]["id"], answer.header("request-id").unwrap());
    assert_eq!(event["request"]["idempotency_key"], "over");
}

#[tokio::test]
async fn a_refused_event_comes_again_ever_more_slowly() {
    let bench = Bench::start().await;
    bench.webhook.refuse(3);
    paid(&bench).await;
    for tries in 1..=3 {
        let delivery = bench
            .until(|delivery| attempts(delivery).len() >= tries)
            .await;
        let tried = &attempts(&delivery)[tries - 1];
        assert_eq!(
            (&tried["status"], &tried["answer"]),
            (&json!(503), &json!("heard"))
        );
        bench.advance(4).await;
    }
    let delivery = bench
        .until(|delivery| delivery["state"] == "delivered")
        .await;
    let at: Vec<_> = attempts(&delivery)
        .iter()
        .map(|tried| tried["at"].as_i64().unwrap())
        .collect();
    let pauses: Vec<_> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let fits = pauses
        .iter()
        .zip([1, 2, 4])
        .all(|(pause, least)| *pause >= least);
    assert!(fits && pauses.len() == 3, "{pauses:?}");
    let bodies: Vec<_> = bench
        .webhook
        .heard()
        .into_iter()
        .map(|heard| heard.body)
        .collect();
    assert!(
        bodies.iter().all(|body| *body == bodies[0]),
        "every try is the same, byte for byte"
    );
}

#[tokio::test]
async fn an_event_is_given_up_after_three_days() {
    let bench = Bench::start().await;
    bench.webhook.refuse(100);
    paid(&bench).await;
    let mut tries = 1;
    let delivery = loop {
        let delivery = bench
            .until(|delivery| attempts(delivery).len() == tries)
            .await;
        if delivery["state"] != "pending" {
            break delivery;
        }
        bench.advance(12 * 3_600).await;
        tries += 1;
        assert!(tries < 10, "it is never given up");
    };
    assert_eq!(delivery["state"], "failed");
    assert_eq!(delivery["next_attempt"], json!(null));
    assert_eq!(tries, 7, "at the start and every half day up to the third");
}

#[tokio::test]
async fn redirects_and_silence_are_failures() {
    let webhook = Webhook::start().await;
    let bench = Bench::open(None, webhook, true).await;
    bench.webhook.answer(302, Duration::ZERO);
    bench.webhook.answer(200, Duration::from_secs(30));
    paid(&bench).await;
    bench.until(|delivery| attempts(delivery).len() == 1).await;
    bench.advance(1).await;
    bench.webhook.hears(2).await;
    // Meanwhile others are delivered.
    paid(&bench).await;
    bench
        .until(|delivery| delivery["state"] == "delivered")
        .await;
    let timed_out = eventually(async || {
        let delivery = bench.deliveries().await.remove(1);
        (attempts(&delivery).len() == 2).then(|| attempts(&delivery)[1].clone())
    });
    let timed_out = timed_out.await;
    assert_eq!(timed_out["status"], json!(null));
    assert!(!timed_out["error"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_webhook_that_is_not_there_yet_gets_its_events_later() {
    let webhook = Webhook::start().await;
    let absent = webhook.clone().at("http://127.0.0.1:9/webhook");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stripe.sqlite");
    let bench = Bench::open(Some(&file), absent, true).await;
    paid(&bench).await;
    let delivery = bench.until(|delivery| !attempts(delivery).is_empty()).await;
    assert!(attempts(&delivery)[0]["error"].is_string());
    drop(bench);

    let bench = Bench::open(Some(&file), webhook, true).await;
    let heard = bench.webhook.hears(1).await;
    assert_eq!(heard[0].event()["id"], delivery["event"]);
    bench
        .until(|delivery| delivery["url"] == bench.webhook.url)
        .await;
}

#[tokio::test]
async fn an_event_can_be_sent_again() {
    let bench = Bench::start().await;
    paid(&bench).await;
    let first = bench
        .until(|delivery| delivery["state"] == "delivered")
        .await;
    let event = first["event"].as_str().unwrap();
    bench
        .control(&format!("events/{event}/resend"), &vec![])
        .await
        .expect(200);
    let again = bench.webhook.hears(2).await;
    assert_eq!(again[0].body, again[1].body);
    bench
        .until(|delivery| attempts(delivery).len() == 2 && delivery["state"] == "delivered")
        .await;

    // Also one that nobody subscribes to.
    let charge = bench.get("/v1/events?type=charge.succeeded").await.json();
    let charge = charge["data"][0]["id"].as_str().unwrap().to_owned();
    bench
        .stand_in
        .default_account()
        .resend(&charge)
        .await
        .unwrap();
    assert_eq!(
        bench.webhook.hears(3).await[2].event()["type"],
        "charge.succeeded"
    );
    bench
        .control("events/evt_none/resend", &vec![])
        .await
        .expect(404);
}

#[tokio::test]
async fn held_events_can_be_sent_in_any_order_or_dropped() {
    let bench = Bench::start().await;
    bench.control("deliveries/hold", &vec![]).await.expect(200);
    let session = bench.session().await;
    bench.submit(&session, &by_bank()).await.expect(303);
    bench
        .stand_in
        .default_account()
        .succeed(&session)
        .await
        .unwrap();
    paid(&bench).await;
    let events: Vec<_> = bench
        .deliveries()
        .await
        .into_iter()
        .map(|delivery| {
            assert!(attempts(&delivery).is_empty());
            delivery["event"].as_str().unwrap().to_owned()
        })
        .collect();
    let [third, second, first] = events.as_slice() else {
        panic!("{events:?}")
    };

    bench
        .stand_in
        .default_account()
        .resend(second)
        .await
        .unwrap();
    assert_eq!(
        bench.webhook.hears(1).await[0].event()["type"],
        "checkout.session.async_payment_succeeded"
    );
    bench
        .control(&format!("events/{third}/discard"), &vec![])
        .await
        .expect(200);
    bench
        .control(&format!("events/{second}/discard"), &vec![])
        .await
        .expect(404);
    bench
        .control("deliveries/release", &vec![])
        .await
        .expect(200);
    let heard = bench.webhook.hears(2).await;
    assert_eq!(heard[1].event()["id"], *first);
    eventually(async || {
        let states: Vec<_> = bench
            .deliveries()
            .await
            .into_iter()
            .map(|it| it["state"].clone())
            .collect();
        (states == ["discarded", "delivered", "delivered"]).then_some(())
    })
    .await;
    assert_eq!(bench.webhook.heard().len(), 2);
}

#[tokio::test]
async fn an_open_session_expires_when_its_time_is_over() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    let paid = paid(&bench).await;
    bench.advance(86_000).await;
    assert_eq!(bench.retrieve(&session).await["status"], "open");
    bench.advance(400).await;
    let heard = bench.webhook.hears(2).await;
    let event = heard[1].event();
    assert_eq!(event["type"], "checkout.session.expired");
    assert_eq!(event["data"]["object"]["id"], session);
    assert_eq!(event["data"]["object"]["status"], "expired");
    assert_eq!(bench.retrieve(&paid).await["status"], "complete");
}

#[tokio::test]
async fn an_expired_session_takes_its_intent_with_it() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench
        .pay(&session, crate::bench::DECLINED)
        .await
        .expect(402);
    bench.advance(86_401).await;
    let path = format!("/v1/checkout/sessions/{session}?expand[]=payment_intent");
    let expired = bench.get(&path).await.json();
    assert_eq!(expired["status"], "expired");
    assert_eq!(expired["payment_intent"]["status"], "canceled");
    let types = bench.event_types().await;
    assert_eq!(
        types[types.len() - 2..],
        ["payment_intent.canceled", "checkout.session.expired"]
    );
}

#[tokio::test]
async fn time_moves_forward_only() {
    let bench = Bench::start().await;
    let before = bench.stand_in.default_account().clock().await.unwrap();
    assert_eq!(before.ahead, 0);
    for advance in ["-1", "x", "99999999999"] {
        let answer = bench.control("clock", &vec![("advance", advance)]).await;
        assert!(answer.status.is_client_error(), "{advance}");
    }
    bench.advance(100).await;
    bench.advance(20).await;
    let after = bench
        .send(bench.request("GET", "/_stripe/clock"))
        .await
        .expect(200)
        .json();
    assert_eq!(after["ahead"], 120);
    assert!(after["now"].as_i64().unwrap() >= before.now + 120);
}

#[tokio::test]
async fn as_many_deliveries_are_listed_as_are_asked_for_and_all_are_counted() {
    let bench = Bench::start().await;
    bench.control("deliveries/hold", &vec![]).await.expect(200);
    paid(&bench).await;
    paid(&bench).await;
    let all = bench.deliveries().await;
    let listed = async |path: &str| bench.send(bench.request("GET", path)).await;
    let newest = listed("/_stripe/deliveries?limit=1").await.expect(200);
    let newest = newest.json();
    assert_eq!(newest["deliveries"], json!([all[0]]));
    assert_eq!(
        (&newest["found"], &newest["pending"]),
        (&json!(all.len()), &json!(all.len()))
    );
    listed("/_stripe/deliveries?limit=few").await.expect(400);
}

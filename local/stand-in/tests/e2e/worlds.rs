//! A clean world for each test: reset, seeds, and snapshots to go back to.

use serde_json::{Value, json};

use crate::bench::{Bench, CARD, id, ids};

const COUPONS: &str = "/v1/coupons";

fn codes(list: &Value) -> Vec<&str> {
    let codes = list["data"].as_array().unwrap().iter();
    codes.map(|code| code["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_reset_leaves_what_the_account_was_seeded_with() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.advance(5_000).await;
    bench.fault(&[("fault", "error"), ("path", COUPONS)]).await;
    bench.control("reset", &vec![]).await.expect(200);

    for list in ["checkout/sessions", "payment_intents", "charges", "events"] {
        let list = bench.get(&format!("/v1/{list}")).await.expect(200);
        assert_eq!(list.json()["data"], json!([]));
    }
    let codes_there = bench.get("/v1/promotion_codes").await.expect(200).json();
    assert_eq!(codes(&codes_there), ["FREE", "WELCOME10"]);
    bench.get(COUPONS).await.expect(200);
    assert_eq!(
        bench
            .stand_in
            .default_account()
            .clock()
            .await
            .unwrap()
            .ahead,
        0
    );

    // The shop's endpoint is there again, too.
    let session = bench.session().await;
    bench.pay(&session, CARD).await.expect(303);
    bench.until(|it| it["state"] == "delivered").await;
}

#[tokio::test]
async fn a_snapshot_brings_back_what_was() {
    let bench = Bench::start().await;
    let kept = bench.session().await;
    let named = vec![("name", "one session")];
    bench.control("snapshots", &named).await.expect(200);
    bench.pay(&kept, CARD).await.expect(303);
    let later = bench.session().await;

    let restore = "snapshots/one%20session/restore";
    for _ in 0..2 {
        bench.control(restore, &vec![]).await.expect(200);
        let sessions = bench.get("/v1/checkout/sessions").await.json();
        assert_eq!(ids(&sessions), [kept.as_str()]);
        assert_eq!(bench.retrieve(&kept).await["status"], "open");
        bench
            .get(&format!("/v1/checkout/sessions/{later}"))
            .await
            .expect(404);
        bench.pay(&kept, CARD).await.expect(303);
    }

    let forget = bench.request("DELETE", "/_stripe/snapshots/one%20session");
    bench.send(forget).await.expect(200);
    bench.control(restore, &vec![]).await.expect(404);
}

#[tokio::test]
async fn a_seed_is_made_of_calls_that_use_each_others_answers() {
    let bench = Bench::start().await;
    let seed = json!({ "_meta": { "template_version": 0 }, "fixtures": [
        { "name": "half", "path": COUPONS, "method": "post", "params": { "percent_off": 50 } },
        { "name": "code", "path": "/v1/promotion_codes", "method": "post", "params": {
            "code": "HALF", "promotion": { "type": "coupon", "coupon": "${half:id}" } } },
    ] });
    let sow = |seed: &Value| bench.request("POST", "/_stripe/seed").json(seed);
    bench.send(sow(&seed)).await.expect(200);
    let there = bench.get("/v1/promotion_codes?code=half").await.json();
    assert_eq!(codes(&there), ["HALF"]);
    let coupon = bench.get(COUPONS).await.json()["data"][0].clone();
    assert_eq!(there["data"][0]["promotion"]["coupon"], id(&coupon));
}

#[tokio::test]
async fn a_seed_that_is_refused_leaves_nothing_behind() {
    let bench = Bench::start().await;
    let seed = json!({ "fixtures": [
        { "name": "good", "path": COUPONS, "method": "post",
          "params": { "id": "GOOD", "percent_off": 50 } },
        { "name": "bad", "path": COUPONS, "method": "post", "params": { "percent_off": 500 } },
    ] });
    let sow = bench.request("POST", "/_stripe/seed").json(&seed);
    let answer = bench.send(sow).await.expect(400);
    assert!(
        answer
            .text
            .contains(r#"fixture \"bad\" (POST /v1/coupons)"#),
        "{}",
        answer.text
    );
    bench.get("/v1/coupons/GOOD").await.expect(404);
}

#[tokio::test]
async fn whatever_the_control_api_refuses_it_says_in_json() {
    let bench = Bench::start().await;
    let charge = bench.charge(CARD).await;
    let dispute = format!("charges/{}/dispute", id(&charge));
    for (path, form) in [
        ("clock", vec![("advance", "soon")]),
        ("clock", vec![]),
        ("refunds/re_1/vanish", vec![]),
        ("faults", vec![("fault", "earthquake")]),
        (dispute.as_str(), vec![("amount", "all of it")]),
    ] {
        let error = bench.control(path, &form).await.expect(400).error();
        let message = error["message"].as_str().unwrap();
        assert!(
            !message.is_empty() && !message.contains("deserialize"),
            "{message}"
        );
    }
    // What has no parameters to give needs no body at all.
    let bare = bench.request("POST", &format!("/_stripe/{dispute}"));
    bench.send(bare).await.expect(200);
}

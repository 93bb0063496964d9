//! What is the same for every call, and how much of the API there is.

use serde_json::json;

use crate::bench::{Bench, KEY, id, ids, one_mug};

const SESSIONS: &str = "/v1/checkout/sessions";

#[tokio::test]
async fn every_answer_names_the_request_and_the_version() {
    let bench = Bench::start().await;
    for path in [SESSIONS, "/v1/events/evt_none", "/v1/nowhere", "/"] {
        let answer = bench.get(path).await;
        assert!(answer.header("request-id").unwrap().starts_with("req_"));
        assert_eq!(answer.header("stripe-version"), Some("2026-09-30.endive"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn only_a_secret_test_key_opens_the_api() {
    let bench = Bench::start().await;
    let get = || bench.request("GET", SESSIONS);
    bench.send(get().bearer_auth(KEY)).await.expect(200);
    bench
        .send(get().basic_auth(KEY, None::<&str>))
        .await
        .expect(200);
    for request in [
        get(),
        get().bearer_auth(""),
        get().bearer_auth("another_key"),
        get().bearer_auth("sk_test_"),
        get().bearer_auth("sk_live_51TillNeverTakesThis"),
        get().bearer_auth("pk_test_local"),
        get().basic_auth("", Some(KEY)),
        get().header("Authorization", KEY),
        get().header("Authorization", "Basic ???"),
        bench.request("POST", SESSIONS).form(&one_mug()),
    ] {
        let answer = bench.send(request).await.expect(401);
        assert_eq!(answer.error()["type"], "invalid_request_error");
        assert!(answer.header("www-authenticate").is_some());
        assert!(
            !answer.text.contains("51TillNeverTakes") && !answer.text.contains("another_key"),
            "a key is never repeated whole"
        );
    }
    assert_eq!(bench.get(SESSIONS).await.json()["data"], json!([]));
}

#[tokio::test]
async fn no_web_page_calls_with_a_secret_key() {
    let bench = Bench::start().await;
    let from = |header: &str, value: &str| {
        bench
            .request("POST", SESSIONS)
            .bearer_auth(KEY)
            .header(header, value)
            .form(&one_mug())
    };
    for (header, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        bench.send(from(header, value)).await.expect(403);
    }
    // Programs may say how they fetch, too.
    bench.send(from("Sec-Fetch-Mode", "cors")).await.expect(200);
    assert_eq!(ids(&bench.get(SESSIONS).await.json()).len(), 1);
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let bench = Bench::start().await;
    let session = bench.session().await;
    for path in [
        format!("{SESSIONS}/cs_test_none"),
        format!("{SESSIONS}/cs_test_none/line_items"),
        "/v1/payment_intents/pi_none".to_owned(),
        format!("/v1/payment_intents/{session}"),
        "/v1/charges/ch_none".to_owned(),
        "/v1/events/evt_none".to_owned(),
    ] {
        let error = bench.get(&path).await.expect(404).error();
        assert_eq!(error["code"], "resource_missing", "{path}");
        assert_eq!(error["type"], "invalid_request_error");
        assert!(
            error["doc_url"]
                .as_str()
                .unwrap()
                .ends_with("/resource-missing")
        );
    }
    for path in [
        "/v1/customer",
        "/v1/",
        "/v2/checkout/sessions",
        "/",
        "/v1/checkout/sessions/",
    ] {
        bench.get(path).await.expect(404);
    }
    bench
        .send(bench.request("DELETE", SESSIONS).bearer_auth(KEY))
        .await
        .expect(404);
}

#[tokio::test]
async fn what_stripe_has_and_the_stand_in_has_not_is_said_so() {
    let bench = Bench::start().await;
    let error = bench.get("/v1/issuing/cards").await.expect(501).error();
    assert_eq!(error["type"], "invalid_request_error");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("GET /v1/issuing/cards")
    );
    bench.get("/v1/issuing/dogs").await.expect(404);
    // Wrong parameters are wrong all the same.
    let error = bench
        .get("/v1/issuing/cards?limit=x")
        .await
        .expect(400)
        .error();
    assert_eq!(error["code"], "parameter_invalid_integer");
}

#[tokio::test]
async fn a_version_reads_and_shows_what_it_has() {
    let bench = Bench::start().await;
    let post = |version: Option<&str>, path: &str, form: &[(&str, &str)]| {
        let request = bench
            .request("POST", path)
            .bearer_auth(crate::bench::KEY)
            .form(form);
        match version {
            Some(version) => request.header("Stripe-Version", version),
            None => request,
        }
    };
    let coupon = [("percent_off", "20"), ("id", "C")];
    bench
        .send(post(None, "/v1/coupons", &coupon))
        .await
        .expect(200);
    // Before clover, a promotion code had its coupon for itself.
    let code = [("coupon", "C"), ("code", "OLD")];
    let newest = Some("2026-10-28.endive");
    let refused = bench.send(post(newest, "/v1/promotion_codes", &code)).await;
    assert_eq!(refused.expect(400).error()["code"], "parameter_unknown");
    let refused = bench
        .send(post(Some("2099-01-01.zebra"), "/v1/coupons", &coupon))
        .await;
    assert!(
        refused.expect(400).error()["message"]
            .as_str()
            .unwrap()
            .contains("zebra")
    );
    let old = bench
        .send(post(
            Some("2024-06-20"),
            "/v1/customers",
            &[("name", "Ann")],
        ))
        .await;
    assert_eq!(old.header("stripe-version"), Some("2024-06-20"));
    assert_eq!(old.expect(200).json()["name"], "Ann");
    // Who says no version may use the former parameter, and each version shows the coupon in its place.
    let made = bench.send(post(None, "/v1/promotion_codes", &code)).await;
    let made = made.expect(200).json();
    assert_eq!(made["promotion"]["coupon"], "C");
    let old = bench
        .request("GET", &format!("/v1/promotion_codes/{}", id(&made)))
        .header("Stripe-Version", "2024-06-20");
    let old = bench.send(old.bearer_auth(crate::bench::KEY)).await;
    let old = old.expect(200).json();
    assert_eq!(old["coupon"]["percent_off"], 20.0);
    assert_eq!(old["promotion"], json!(null));
}

#[test]
fn the_page_about_the_api_says_what_works() {
    let page = include_str!("../../API.md");
    assert!(
        stand_in::coverage().unwrap() == page,
        "run `cargo run -p stand-in -- api > local/stand-in/API.md`"
    );
}

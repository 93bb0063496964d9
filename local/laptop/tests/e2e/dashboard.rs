//! `/_local` and what stands behind it: purchases and their stories, mail as a page, the stand-in's
//! webhooks, clock and faults.

mod outbox;
mod page;
mod purchases;
mod subscriptions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use laptop::shop::LocalShop;
use shared::stripe::signature::{WebhookSecret, verify};

use crate::small_shop::{TestShop, echoing, options, project};
use serde_json::{Value, json};

async fn send_mail(shop: &TestShop, html: &str) -> String {
    let form = [
        ("Action", "SendEmail"),
        ("Source", "shop@example.com"),
        ("Destination.ToAddresses.member.1", "ada@example.com"),
        ("Message.Subject.Data", "Thank you"),
        ("Message.Body.Html.Data", html),
    ];
    let answer = shop
        .http
        .post(shop.aws("/"))
        .form(&form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    let mails: Value = shop.get("/_local/mailbox.json").await.json().await.unwrap();
    mails[0]["id"].as_str().unwrap().to_owned()
}

/// A session at the stand-in, paid with the card that always works.
async fn pay(shop: &TestShop) -> String {
    let stripe = shop.shop.stripe_url().unwrap();
    let session = HashMap::from([
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][product_data][name]", "Mug"),
        ("line_items[0][quantity]", "1"),
        ("success_url", "http://127.0.0.1/success.html"),
        ("cancel_url", "http://127.0.0.1/cancel.html"),
    ]);
    let request = shop.http.post(format!("{stripe}/v1/checkout/sessions"));
    let session = request
        .bearer_auth("sk_test_local")
        .form(&session)
        .send()
        .await
        .unwrap();
    let session: Value = session.json().await.unwrap();
    let url = session["url"].as_str().unwrap();
    assert!(url.starts_with(stripe), "{url}");
    let card = [
        ("email", "ada@example.com"),
        ("card_number", "4242424242424242"),
        ("exp", "12/40"),
        ("cvc", "123"),
    ];
    let paid = shop.http.post(url).form(&card).send().await.unwrap();
    assert_eq!(paid.status(), 303);
    session["id"].as_str().unwrap().to_owned()
}

/// What the section on webhooks shows.
async fn webhooks(shop: &TestShop) -> Value {
    let shown = shop.get("/_local/stripe/deliveries").await;
    shown.json().await.unwrap()
}

async fn deliveries(shop: &TestShop) -> Vec<Value> {
    webhooks(shop).await["deliveries"]
        .as_array()
        .unwrap()
        .clone()
}

/// The one delivery, once `ready` says so.
async fn delivery(shop: &TestShop, ready: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..500 {
        if let [delivery] = deliveries(shop).await.as_slice()
            && ready(delivery)
        {
            return delivery.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to that: {:?}", deliveries(shop).await);
}

#[tokio::test]
async fn the_page_and_all_it_loads_are_there_and_come_from_here_alone() {
    let shop = TestShop::start().await;
    let page = shop.get("/_local").await;
    assert_eq!(page.status(), 200);
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    let page = page.text().await.unwrap();
    for section in ["id=\"mailbox\"", "id=\"webhooks\"", "id=\"switches\""] {
        assert!(page.contains(section), "{section}");
    }
    assert!(
        !page.contains("id=\"purchases\""),
        "this template has nothing that reads purchases"
    );
    for (path, content_type) in [
        ("/_local/style.css", "text/css; charset=utf-8"),
        ("/_local/address.js", "text/javascript; charset=utf-8"),
        ("/_local/bus.js", "text/javascript; charset=utf-8"),
        ("/_local/clock.js", "text/javascript; charset=utf-8"),
        ("/_local/content.js", "text/javascript; charset=utf-8"),
        ("/_local/dashboard.js", "text/javascript; charset=utf-8"),
        ("/_local/mailbox.js", "text/javascript; charset=utf-8"),
        ("/_local/mails.js", "text/javascript; charset=utf-8"),
        ("/_local/page.js", "text/javascript; charset=utf-8"),
        ("/_local/parked.js", "text/javascript; charset=utf-8"),
        ("/_local/products.js", "text/javascript; charset=utf-8"),
        ("/_local/purchases.js", "text/javascript; charset=utf-8"),
        ("/_local/reader.js", "text/javascript; charset=utf-8"),
        ("/_local/refund.js", "text/javascript; charset=utf-8"),
        ("/_local/sales.js", "text/javascript; charset=utf-8"),
        ("/_local/search.js", "text/javascript; charset=utf-8"),
        ("/_local/shelf.js", "text/javascript; charset=utf-8"),
        ("/_local/source.js", "text/javascript; charset=utf-8"),
        ("/_local/story.js", "text/javascript; charset=utf-8"),
        ("/_local/stripe.js", "text/javascript; charset=utf-8"),
        ("/_local/subscriptions.js", "text/javascript; charset=utf-8"),
        ("/_local/switches.js", "text/javascript; charset=utf-8"),
        ("/_local/timeline.js", "text/javascript; charset=utf-8"),
        ("/_local/unsent.js", "text/javascript; charset=utf-8"),
        ("/_local/webhooks.js", "text/javascript; charset=utf-8"),
    ] {
        assert_eq!(
            shop.get(path).await.headers()["content-type"],
            content_type,
            "{path}"
        );
    }
    assert_eq!(shop.get("/_local/other.js").await.status(), 404);
}

#[tokio::test]
async fn the_page_leads_into_the_window_of_the_stand_in() {
    let shop = TestShop::start().await;
    let page = shop.get("/_local").await.text().await.unwrap();
    let window = format!("{}/_stripe/window", shop.shop.stripe_url().unwrap());
    assert!(page.contains(&format!("href=\"{window}\"")), "{page}");
    pay(&shop).await;
    let leads = shop.http.get(&window).send().await.unwrap();
    let leads = leads.headers()["location"].to_str().unwrap().to_owned();
    let requests = format!("{}{leads}", shop.shop.stripe_url().unwrap());
    let seen = shop.http.get(&requests).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert!(seen.text().await.unwrap().contains("/v1/checkout/sessions"));
}

#[tokio::test]
async fn a_page_that_looks_again_is_sent_only_what_changed() {
    let shop = TestShop::start().await;
    for path in ["/_local/mailbox.json", "/_local/stripe/deliveries"] {
        let first = shop.get(path).await;
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let again = async || {
            let request = shop.http.get(shop.url(path)).header("if-none-match", &tag);
            request.send().await.unwrap()
        };
        let seen = again().await;
        assert_eq!(seen.status(), 304, "{path}");
        assert_eq!(seen.content_length().unwrap_or_default(), 0);
    }
    let before = shop.get("/_local/mailbox.json").await;
    let tag = before.headers()["etag"].clone();
    send_mail(&shop, "Hello").await;
    let request = shop.http.get(shop.url("/_local/mailbox.json"));
    let after = request.header("if-none-match", tag).send().await.unwrap();
    assert_eq!(after.status(), 200);
}

#[tokio::test]
async fn a_mails_html_is_a_page_in_which_nothing_can_run() {
    let shop = TestShop::start().await;
    let id = send_mail(&shop, "<script>alert(1)</script>Hello").await;
    let page = shop.get(&format!("/_local/mailbox/{id}")).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.starts_with("sandbox allow-popups; default-src 'none'"),
        "{policy}"
    );
    assert_eq!(page.text().await.unwrap(), "<script>alert(1)</script>Hello");
    assert_eq!(shop.get("/_local/mailbox/unknown").await.status(), 404);
}

#[tokio::test]
async fn a_payment_at_the_stand_in_reaches_the_webhook_signed() {
    let seen = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&seen);
    let functions = echoing().http("WebhookFunction", move |request| {
        let header = request.headers()["stripe-signature"]
            .to_str()
            .unwrap()
            .to_owned();
        *kept.lock().unwrap() = Some((header, request.body().to_vec()));
        async { http::Response::new("{}".into()) }
    });
    let shop = TestShop::with(functions).await;
    let session = pay(&shop).await;
    let delivery = delivery(&shop, |delivery| delivery["state"] == "delivered").await;
    assert_eq!(delivery["type"], "checkout.session.completed");
    let (header, body) = seen.lock().unwrap().clone().unwrap();
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    assert_eq!(
        verify(
            &header,
            &body,
            &[WebhookSecret::new("whsec_local").unwrap()],
            now
        ),
        Ok(())
    );
    let event: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(event["data"]["object"]["id"], session.as_str());
}

#[tokio::test]
async fn deliveries_can_be_held_dropped_and_sent_again() {
    let shop = TestShop::start().await;
    let post = async |path: &str| {
        shop.http
            .post(shop.url(&format!("/_local/stripe{path}")))
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(webhooks(&shop).await["held"], false);
    assert_eq!(post("/deliveries/hold").await, 200);
    assert_eq!(webhooks(&shop).await["held"], true);
    pay(&shop).await;
    let held = delivery(&shop, |delivery| delivery["state"] == "pending").await;
    let event = held["event"].as_str().unwrap().to_owned();
    assert_eq!(post(&format!("/events/{event}/resend")).await, 200);
    let sent =
        |count| move |delivery: &Value| delivery["attempts"].as_array().unwrap().len() == count;
    delivery(&shop, sent(1)).await;
    assert_eq!(post(&format!("/events/{event}/resend")).await, 200);
    delivery(&shop, sent(2)).await;
    assert_eq!(post("/deliveries/release").await, 200);
    assert_eq!(webhooks(&shop).await["held"], false);
    assert_eq!(post("/events/evt_unknown/resend").await, 404);
    assert_eq!(post(&format!("/events/{event}/explode")).await, 404);
}

#[tokio::test]
async fn stripes_clock_can_be_moved_and_awss_faults_armed_from_the_page() {
    let shop = TestShop::start().await;
    let clock = shop.http.post(shop.url("/_local/stripe/clock"));
    let clock: Value = clock
        .form(&[("advance", "3600")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(clock["ahead"], 3600);
    let fault = json!({ "operation": "SendEmail", "fault": "rejected", "times": 1 });
    let armed = shop
        .http
        .post(shop.url("/_local/faults"))
        .json(&fault)
        .send()
        .await
        .unwrap();
    assert_eq!(armed.status(), 201);
    let there = shop
        .http
        .get(shop.aws("/_aws/faults"))
        .send()
        .await
        .unwrap();
    assert_eq!(there.json::<Value>().await.unwrap(), json!([fault]));
}

#[tokio::test]
async fn with_the_developers_own_key_there_is_no_stand_in() {
    let folder = project();
    let mut options = options(folder.path(), echoing());
    options
        .environment
        .insert("STRIPE_SECRET_KEY".into(), "sk_test_mine".into());
    options
        .environment
        .insert("STRIPE_WEBHOOK_SECRETS".into(), "whsec_mine".into());
    let shop = LocalShop::start(options).await.unwrap();
    assert_eq!(shop.stripe_url(), None);
    let page = reqwest::get(format!("{}/_local", shop.url()))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        page.contains("stripe listen") && !page.contains("id=\"clock\""),
        "{page}"
    );
    let gone = reqwest::get(format!("{}/_local/stripe/deliveries", shop.url()))
        .await
        .unwrap();
    assert_eq!(gone.status(), 404);
}

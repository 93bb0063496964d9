//! Payment links: whoever follows one gets a session of their own.

use serde_json::{Value, json};

use crate::bench::{Answer, Bench, CARD, by_card, id};

const LINKS: &str = "/v1/payment_links";

/// A link that sells a mug for fifteen dollars.
async fn mug(bench: &Bench, more: &[(&str, &str)]) -> Value {
    let form = [
        &[
            ("line_items[0][price_data][currency]", "usd"),
            ("line_items[0][price_data][unit_amount]", "1500"),
            ("line_items[0][price_data][product_data][name]", "Mug"),
            ("line_items[0][quantity]", "1"),
        ],
        more,
    ]
    .concat();
    bench.post(LINKS, &form).await.expect(200).json()
}

async fn follow(bench: &Bench, link: &Value, query: &str) -> Answer {
    let url = link["url"].as_str().unwrap();
    let path = format!("{}{query}", url.strip_prefix(&bench.url).unwrap());
    bench.send(bench.request("GET", &path)).await
}

/// The session that somebody gets who follows a link.
async fn session(bench: &Bench, link: &Value, query: &str) -> String {
    let answer = follow(bench, link, query).await.expect(303);
    let to = answer.header("location").unwrap();
    to.rsplit_once('/').unwrap().1.to_owned()
}

#[tokio::test]
async fn a_link_leads_to_a_session_that_is_paid_as_any_other() {
    let bench = Bench::start().await;
    let more = [
        ("metadata[campaign]", "spring"),
        ("after_completion[type]", "redirect"),
        (
            "after_completion[redirect][url]",
            "http://shop.example/thanks?session={CHECKOUT_SESSION_ID}",
        ),
        ("payment_intent_data[description]", "By link"),
    ];
    let link = mug(&bench, &more).await;
    let first = session(&bench, &link, "?client_reference_id=ann").await;
    let other = session(&bench, &link, "").await;
    assert_ne!(first, other, "everybody has a session of their own");
    let open = bench.retrieve(&first).await;
    assert_eq!(
        (
            &open["payment_link"],
            &open["metadata"],
            &open["client_reference_id"],
            &open["amount_total"]
        ),
        (
            &link["id"],
            &json!({ "campaign": "spring" }),
            &json!("ann"),
            &json!(1500)
        )
    );
    let paid = bench.pay(&first, CARD).await.expect(303);
    assert_eq!(
        paid.header("location"),
        Some(format!("http://shop.example/thanks?session={first}").as_str())
    );
    let charge = bench.charge_of(&first).await;
    assert_eq!(charge["description"], "By link");
    let told = bench.latest("checkout.session.completed").await;
    assert_eq!(told["data"]["object"]["payment_link"], link["id"]);
    let of_link = format!("/v1/checkout/sessions?payment_link={}", id(&link));
    let list = bench.get(&of_link).await.expect(200).json();
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_link_without_a_redirect_confirms_the_purchase_itself() {
    let bench = Bench::start().await;
    let more = [
        ("after_completion[type]", "hosted_confirmation"),
        (
            "after_completion[hosted_confirmation][custom_message]",
            "We bake your mug today.",
        ),
    ];
    let link = mug(&bench, &more).await;
    let session = session(&bench, &link, "").await;
    let paid = bench.pay(&session, CARD).await.expect(303);
    assert!(paid.header("location").unwrap().ends_with(&session));
    let page = bench.request("GET", &format!("/pay/{session}"));
    let page = bench.send(page).await.expect(200);
    assert!(page.text.contains("We bake your mug today."));
    assert_eq!(bench.retrieve(&session).await["success_url"], json!(null));
}

#[tokio::test]
async fn a_link_that_its_shop_has_deactivated_says_so() {
    let bench = Bench::start().await;
    let link = mug(&bench, &[]).await;
    let before = session(&bench, &link, "").await;
    let path = format!("{LINKS}/{}", id(&link));
    let form = vec![
        ("active", "false"),
        ("inactive_message", "Sold out, sorry."),
    ];
    bench.post(&path, &form).await.expect(200);
    let closed = follow(&bench, &link, "").await.expect(410);
    assert!(closed.text.contains("Sold out, sorry."));
    bench.pay(&before, CARD).await.expect(410);
    bench
        .post(&path, &vec![("active", "true")])
        .await
        .expect(200);
    follow(&bench, &link, "").await.expect(303);
    let nobody = bench.request("GET", "/link/plink_none");
    bench.send(nobody).await.expect(404);
}

#[tokio::test]
async fn a_link_ends_when_as_many_have_bought_as_may() {
    let bench = Bench::start().await;
    let more = [("restrictions[completed_sessions][limit]", "2")];
    let link = mug(&bench, &more).await;
    assert_eq!(
        link["restrictions"]["completed_sessions"],
        json!({ "count": 0, "limit": 2 })
    );
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(session(&bench, &link, "").await);
    }
    for session in &open[..2] {
        bench.pay(session, CARD).await.expect(303);
    }
    bench.pay(&open[2], CARD).await.expect(410);
    follow(&bench, &link, "").await.expect(410);
    let ended = bench.fetch("payment_links", &id(&link)).await;
    assert_eq!(
        (
            &ended["active"],
            &ended["restrictions"]["completed_sessions"]["count"]
        ),
        (&json!(false), &json!(2))
    );
    let told = bench.latest("payment_link.updated").await;
    assert_eq!(told["data"]["previous_attributes"]["active"], true);
}

#[tokio::test]
async fn a_links_buyers_choose_how_many_and_type_codes() {
    let bench = Bench::start().await;
    let form = vec![("percent_off", "10"), ("duration", "once"), ("id", "TEN")];
    bench.post("/v1/coupons", &form).await.expect(200);
    let form = vec![
        ("promotion[type]", "coupon"),
        ("promotion[coupon]", "TEN"),
        ("code", "SPRING"),
    ];
    bench.post("/v1/promotion_codes", &form).await.expect(200);
    let more = [
        ("allow_promotion_codes", "true"),
        ("line_items[0][adjustable_quantity][enabled]", "true"),
        ("line_items[0][adjustable_quantity][maximum]", "5"),
        ("custom_fields[0][key]", "engraving"),
        ("custom_fields[0][type]", "text"),
        ("custom_fields[0][label][type]", "custom"),
        ("custom_fields[0][label][custom]", "Engraving"),
    ];
    let link = mug(&bench, &more).await;
    let query = "?prefilled_promo_code=SPRING&prefilled_email=ann%40mail.example&utm_source=mail";
    let session = session(&bench, &link, query).await;
    let open = bench.retrieve(&session).await;
    assert_eq!(open["amount_total"], 1350);
    let page = bench.request("GET", &format!("/pay/{session}"));
    let page = bench.send(page).await.expect(200).text;
    assert!(page.contains("ann@mail.example") && page.contains("Engraving"));
    let path = format!("/v1/checkout/sessions/{session}/line_items");
    let items = bench.get(&path).await.expect(200).json();
    let quantity = format!("quantity[{}]", id(&items["data"][0]));
    let form = [
        by_card(CARD),
        vec![
            (quantity.as_str(), "3"),
            ("custom_fields[engraving]", "Ann"),
        ],
    ]
    .concat();
    bench.submit(&session, &form).await.expect(303);
    let paid = bench.retrieve(&session).await;
    assert_eq!(paid["amount_total"], 4050);
}

#[tokio::test]
async fn what_a_link_sells_by_the_month_is_subscribed_to() {
    let bench = Bench::start().await;
    let form = vec![
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][unit_amount]", "1500"),
        ("line_items[0][price_data][recurring][interval]", "month"),
        ("line_items[0][price_data][product_data][name]", "Coffee"),
        ("line_items[0][quantity]", "1"),
    ];
    let link = bench.post(LINKS, &form).await.expect(200).json();
    let session = session(&bench, &link, "").await;
    assert_eq!(bench.retrieve(&session).await["mode"], "subscription");
    bench.pay(&session, CARD).await.expect(303);
    let paid = bench.retrieve(&session).await;
    let path = format!(
        "/v1/subscriptions/{}",
        paid["subscription"].as_str().unwrap()
    );
    let subscription = bench.get(&path).await.expect(200).json();
    assert_eq!(subscription["status"], "active");
}

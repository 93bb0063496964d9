//! What other systems are told, on the event bus.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use laptop::shop::{LocalShop, Options};
use serde_json::{Value, json};
use testing::{ADA, CARD, COFFEE, TestApp, altered, now, of_type, permutations, text};
use tokio::sync::mpsc;

/// The ids under which they are told, and where each comes in the life of what it is about.
fn told(events: &[Value]) -> Vec<(String, i64)> {
    let details = events.iter().map(|event| &event["detail"]);
    details
        .map(|detail| (text(detail, "id"), detail["sequence"].as_i64().unwrap()))
        .collect()
}

#[tokio::test]
async fn what_becomes_of_a_payment_is_published_in_order_and_names_the_buyer_by_subject_alone() {
    let shop = TestApp::start().await;
    let paid = shop.paid().await;
    shop.drained().await;
    let refund = shop.refund(&paid, Some(500)).await;
    shop.until_status(&paid.purchase, "partially_refunded")
        .await;
    let dispute = shop.dispute(&paid, &[]).await;
    shop.until_status(&paid.purchase, "disputed").await;
    shop.dispute_goes(&dispute, "lost").await;
    shop.until_status(&paid.purchase, "charged_back").await;
    let events = shop.published().await;
    let id = &paid.purchase;
    let expected = [
        ("purchase.paid", format!("{id}#paid")),
        ("purchase.refunded", format!("{id}#refunded#{refund}")),
        ("purchase.disputed", format!("{id}#disputed#{dispute}")),
        (
            "purchase.dispute_closed",
            format!("{id}#dispute_closed#{dispute}#lost"),
        ),
    ];
    let types = events.iter().map(|event| text(event, "detail-type"));
    let ids = events.iter().map(|event| text(&event["detail"], "id"));
    let found: Vec<_> = types.zip(ids).collect();
    let expected: Vec<_> = expected.map(|(kind, id)| (kind.to_owned(), id)).into();
    assert_eq!(found, expected);
    let sequence: Vec<_> = told(&events).into_iter().map(|(_, place)| place).collect();
    assert!(
        sequence.is_sorted_by(|one, other| one < other),
        "{sequence:?}"
    );
    let [first, second, third, _] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(first["source"], "till");
    assert_eq!(first["detail"]["purchase"]["status"], "paid");
    assert_eq!(first["detail"]["replay"], false);
    let subject = shop.subject(shop.ada().await);
    assert_eq!(
        first["detail"]["purchase"]["buyer"],
        json!({ "subject": subject })
    );
    assert_eq!(second["detail"]["refund"]["amount"]["amount"], 500);
    assert_eq!(second["detail"]["purchase"]["net"]["amount"], 1000);
    assert_eq!(third["detail"]["dispute"]["id"], dispute);
    let everything = json!(events).to_string();
    assert!(!everything.contains(ADA), "{everything}");
}

#[tokio::test]
async fn a_purchase_that_nobody_paid_is_told_to_have_expired() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.expire(&checkout).await;
    shop.until_status(&checkout.purchase, "expired").await;
    assert_eq!(shop.published_types().await, ["purchase.expired"]);
}

#[tokio::test]
async fn whatever_the_order_of_stripes_events_each_thing_is_told_once() {
    let shop = TestApp::start().await;
    shop.hold_deliveries().await;
    for order in permutations(2) {
        let before = shop.published().await.len();
        let checkout = shop.open().await;
        shop.pay(&checkout, CARD).await.expect(303);
        shop.refund(&checkout, None).await;
        let events = shop.events_of_payment(&checkout).await;
        let session = shop.events_of(checkout.session()).await.remove(0);
        let both = [session.as_str(), of_type(&events, "refund.created")];
        for at in order.iter().chain(&order) {
            shop.deliver(both[*at]).await.expect(200);
            // Another event that says the same.
            let again = altered(both[*at], |event| {
                event["id"] = json!(format!("evt_again_{at}_{before}"))
            });
            shop.deliver(&again).await.expect(200);
        }
        let events = shop.published().await.split_off(before);
        let mut types: Vec<_> = events.iter().map(|it| text(it, "detail-type")).collect();
        types.sort();
        assert_eq!(types, ["purchase.paid", "purchase.refunded"], "{order:?}");
    }
}

#[tokio::test]
async fn an_event_waits_for_the_one_before_it_however_long_the_bus_is_down() {
    let shop = TestApp::start().await;
    shop.aws_fails("PutEvents", "down", None).await;
    let paid = shop.paid().await;
    shop.drained().await;
    let id = format!("{}#paid", paid.purchase);
    let row = shop.event_row(&id).await;
    assert_eq!(
        (&row["state"]["S"], &row["attempts"]["N"]),
        (&json!("due"), &json!("1"))
    );
    let reason = row["reason"]["S"].as_str().unwrap();
    assert!(reason.contains("this time: 500"), "{reason}");
    shop.aws_recovers().await;
    let refund = shop.refund(&paid, None).await;
    shop.until_status(&paid.purchase, "refunded").await;
    assert_eq!(
        shop.published().await,
        Vec::<Value>::new(),
        "the payment comes first"
    );
    let later = format!("{}#refunded#{refund}", paid.purchase);
    let waiting = shop.event_row(&later).await;
    assert_eq!(waiting["attempts"]["N"], "0", "waiting is not an attempt");
    shop.publish_now(&id).await;
    shop.publish_now(&later).await;
    assert_eq!(
        shop.published_types().await,
        ["purchase.paid", "purchase.refunded"]
    );
    // Mail has not waited for any of it.
    shop.mails(2).await;
}

#[tokio::test]
async fn an_event_that_the_bus_will_never_take_is_given_up_and_holds_up_no_other() {
    let shop = TestApp::start().await;
    shop.aws_fails("PutEvents", "rejected", Some(1)).await;
    let paid = shop.paid().await;
    shop.drained().await;
    let row = shop.event_row(&format!("{}#paid", paid.purchase)).await;
    assert_eq!(row["state"]["S"], "failed");
    assert_eq!(
        row["reason"]["S"],
        "the event bus refused the event: MalformedDetail"
    );
    shop.refund(&paid, None).await;
    shop.until_status(&paid.purchase, "refunded").await;
    assert_eq!(shop.published_types().await, ["purchase.refunded"]);
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_is_published_again_under_the_same_id() {
    let shop = TestApp::start().await;
    shop.aws_fails("PutEvents", "timeout_after", Some(1)).await;
    let paid = shop.paid().await;
    let id = format!("{}#paid", paid.purchase);
    shop.drained().await;
    shop.publish_now(&id).await;
    let ids: Vec<_> = told(&shop.published().await)
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids, [id.clone(), id]);
}

#[tokio::test]
async fn the_past_of_a_purchase_from_before_there_were_events_is_not_told_when_it_changes() {
    let shop = TestApp::start().await;
    shop.aws_fails("PutEvents", "down", None).await;
    let paid = shop.paid().await;
    shop.drained().await;
    let mut item = shop.purchase_item(&paid.purchase).await;
    item.as_object_mut().unwrap().remove("announced").unwrap();
    shop.put_item("PurchasesTable", &item).await;
    shop.delete_event(&format!("{}#paid", paid.purchase)).await;
    shop.aws_recovers().await;
    shop.refund(&paid, None).await;
    shop.until_status(&paid.purchase, "refunded").await;
    assert_eq!(shop.published_types().await, ["purchase.refunded"]);
}

#[tokio::test]
async fn a_subscription_is_told_of_from_its_beginning_to_its_end() {
    let shop = TestApp::start().await;
    let checkout = shop.open_one(COFFEE).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let mut types = shop.published_types().await;
    types.sort();
    let first = ["purchase.paid", "subscription.paid", "subscription.started"];
    assert_eq!(types, first);
    let id = text(&shop.at_stripe("subscriptions").await["data"][0], "id");
    let month = (32 * 24 * 3600).to_string();
    shop.control("clock", &[("advance", &month)]).await;
    let renewed = shop.published().await.split_off(3);
    let paid = |event: &&Value| event["detail-type"] == "subscription.paid";
    let renewal = renewed.iter().find(paid).unwrap();
    assert_eq!(renewal["detail"]["invoice"]["subscription_id"], id.as_str());
    let changed = |event: &&Value| event["detail-type"] == "subscription.changed";
    let change = renewed.iter().rfind(changed).unwrap();
    let end = text(&change["detail"]["subscription"]["period"], "end");
    let end = time::OffsetDateTime::parse(&end, &time::format_description::well_known::Rfc3339);
    assert!(end.unwrap().unix_timestamp() > now() + 33 * 24 * 3600);
    shop.stripe_delete(&format!("subscriptions/{id}")).await;
    let events = shop.published().await;
    let last = events.last().unwrap();
    assert_eq!(last["detail-type"], "subscription.ended");
    let of_subscription = events
        .iter()
        .filter(|event| event["detail"]["subject"] == id.as_str());
    let sequence: Vec<_> = of_subscription
        .map(|event| event["detail"]["sequence"].as_i64())
        .collect();
    assert!(
        sequence.is_sorted_by(|one, other| one < other),
        "{sequence:?}"
    );
}

#[tokio::test]
async fn events_are_posted_to_a_url_until_it_takes_them() {
    let (heard, mut posts) = mpsc::unbounded_channel::<Value>();
    // Whoever listens is not ready at first.
    let take = async |State(heard): State<mpsc::UnboundedSender<Value>>, body: String| {
        heard.send(serde_json::from_str(&body).unwrap()).unwrap();
        match READY.load(Ordering::SeqCst) {
            true => StatusCode::NO_CONTENT,
            false => StatusCode::SERVICE_UNAVAILABLE,
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    let router = Router::new().route("/events", post(take)).with_state(heard);
    tokio::spawn(async { axum::serve(listener, router).await });
    let shop = TestApp::start()
        .await
        .restart_with(&[("EVENTS_URL", &url)])
        .await;
    let paid = shop.paid().await;
    shop.drained().await;
    let id = format!("{}#paid", paid.purchase);
    let refused = posts.recv().await.unwrap();
    assert_eq!(refused["detail"]["id"], id);
    let row = shop.event_row(&id).await;
    assert_eq!(row["state"]["S"], "due");
    assert_eq!(shop.published().await, Vec::<Value>::new());
    READY.store(true, Ordering::SeqCst);
    shop.publish_now(&id).await;
    let taken = posts.recv().await.unwrap();
    assert_eq!([taken], *shop.published().await);
    assert!(posts.is_empty());
}

/// Whether whoever listens takes what is posted.
static READY: AtomicBool = AtomicBool::new(false);

#[tokio::test]
async fn a_url_for_events_that_is_not_one_keeps_the_shop_from_opening() {
    let mut options = Options::in_memory(testing::repository(), laptop::wiring::deployed());
    let variable = ("EVENTS_URL".to_owned(), "localhost:8080".to_owned());
    options.environment.extend([variable]);
    let error = LocalShop::start(options).await.err().unwrap().to_string();
    assert_eq!(
        error,
        "EVENTS_URL is localhost:8080, which is not an http:// or https:// URL"
    );
}

#[test]
fn the_event_in_the_documentation_is_one_that_the_schema_allows() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/unlock/event.json");
    let event = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    testing::check_event(&event);
}

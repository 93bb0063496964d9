//! `till events` and `till reconcile`.

use serde_json::{Value, json};
use testing::{CARD, Checkout};

use crate::operator::Operator;

/// A mug paid for, and the event that says so, which the shop has not heard of.
async fn paid_unheard(operator: &Operator) -> (Checkout, Value) {
    let shop = &operator.shop;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    let event = shop.events_of(checkout.session()).await.remove(0);
    (checkout, serde_json::from_str(&event).unwrap())
}

async fn status(operator: &Operator, checkout: &Checkout) -> Value {
    operator.story(&checkout.purchase).await["purchase"]["status"].clone()
}

#[tokio::test]
async fn a_parked_event_is_listed_and_once_mended_recorded_by_a_replay() {
    let operator = Operator::new().await;
    let none = operator.till(&["events", "parked"]).await.expect(0);
    assert_eq!(none.out, "No events are parked.\n");
    let (checkout, event) = paid_unheard(&operator).await;
    let mut drifted = event.clone();
    drifted["data"]["object"]["amount_total"] = json!("15 dollars");
    operator
        .shop
        .deliver(&drifted.to_string())
        .await
        .expect(200);

    let parked = operator.till(&["events", "parked", "--json"]).await;
    let parked = parked.expect(3).json();
    assert_eq!(parked["events"][0]["id"], event["id"]);
    assert_eq!(parked["events"][0]["type"], "checkout.session.completed");
    let why = parked["events"][0]["why"].as_str().unwrap();
    assert!(why.contains("15 dollars"), "{why}");
    let later = ["events", "parked", "--since", "2199-01-01"];
    operator.till(&later).await.expect(0);

    let too_early = operator
        .till(&["events", "replay", "--parked", "--json"])
        .await;
    assert_eq!(too_early.expect(3).json()["events"][0]["outcome"], "parked");
    assert_eq!(
        operator.shop.parked().await,
        1,
        "it stays until it goes well"
    );
    assert_eq!(status(&operator, &checkout).await, "open");

    operator.shop.mend_parked(&event.to_string()).await;
    let before = operator.shop.dump().await;
    let dry = operator
        .till(&["events", "replay", "--parked", "--dry-run"])
        .await;
    assert!(dry.expect(0).out.contains("nothing was written"));
    assert_eq!(operator.shop.dump().await, before);

    let replayed = operator
        .till(&["events", "replay", "--parked", "--json"])
        .await;
    let replayed = replayed.expect(0).json();
    assert_eq!(replayed["events"][0]["outcome"], "recorded");
    assert_eq!(replayed["events"][0]["purchase"], *checkout.purchase);
    assert_eq!(replayed["events"][0]["status"], "paid");
    assert_eq!(status(&operator, &checkout).await, "paid");
    assert_eq!(operator.shop.parked().await, 0);
    operator.shop.mails(1).await;
    operator.till(&["events", "parked"]).await.expect(0);
}

#[tokio::test]
async fn an_event_that_never_came_is_fetched_and_counts_once_however_often_it_is_replayed() {
    let operator = Operator::new().await;
    let (checkout, event) = paid_unheard(&operator).await;
    let id = event["id"].as_str().unwrap();
    let replay = async || {
        let replayed = operator.till(&["events", "replay", id, "--json"]).await;
        replayed.expect(0).json()["events"][0]["outcome"].clone()
    };
    let unknown = operator
        .till(&["events", "replay", id, "evt_nothing"])
        .await;
    unknown.expect(4).complains("there is no event evt_nothing");
    assert_eq!(status(&operator, &checkout).await, "open", "all or none");
    assert_eq!(replay().await, "recorded");
    assert_eq!(replay().await, "seen before");
    assert_eq!(status(&operator, &checkout).await, "paid");
    operator.shop.deliver(&event.to_string()).await.expect(200);
    operator.shop.mails(1).await;
}

#[tokio::test]
async fn what_was_missed_is_reported_by_a_dry_run_and_repaired_by_a_run() {
    let operator = Operator::new().await;
    let (checkout, event) = paid_unheard(&operator).await;
    let before = operator.shop.dump().await;
    let drift = operator.till(&["reconcile", "--dry-run", "--json"]).await;
    let drift = drift.expect(3).json();
    assert_eq!(drift["dry_run"], true);
    assert_eq!(drift["drift"][0]["source"], event["id"]);
    assert_eq!(drift["drift"][0]["purchase"], *checkout.purchase);
    assert_eq!(drift["drift"][0]["status"], "paid");
    assert_eq!(drift["drift"].as_array().unwrap().len(), 1, "{drift}");
    assert_eq!(
        operator.shop.dump().await,
        before,
        "a dry run writes nothing"
    );

    let since = |time| operator.till(&["reconcile", "--since", time, "--dry-run"]);
    since("1d").await.expect(3);
    since("lately").await.expect(2);

    let repaired = operator.till(&["reconcile"]).await.expect(0).out;
    assert!(repaired.contains("1 missed and recorded now"), "{repaired}");
    assert_eq!(status(&operator, &checkout).await, "paid");
    operator.shop.mails(1).await;
    let again = operator
        .till(&["reconcile", "--dry-run"])
        .await
        .expect(0)
        .out;
    assert!(again.contains("nothing was missed"), "{again}");
}

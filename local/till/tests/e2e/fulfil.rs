//! `till purchases fulfil`, and `till events publish`.

use serde_json::{Value, json};
use testing::{CARD, COFFEE, text};

use crate::operator::Operator;

/// The types of the events on the bus, and whether each is a replay.
async fn told(operator: &Operator) -> Vec<(String, bool)> {
    let events = operator.shop.published().await;
    let told = |event: &Value| {
        let replay = event["detail"]["replay"].as_bool().unwrap();
        (text(event, "detail-type"), replay)
    };
    events.iter().map(told).collect()
}

#[tokio::test]
async fn a_buyer_is_told_once_of_each_parcel_and_what_is_sent_is_not_packed_again() {
    let operator = Operator::new().await;
    let sold = operator.sell_shipped().await;
    let id = sold.purchase.as_str();
    let packing = ["purchases", "packing"];
    assert!(operator.till(&packing).await.expect(0).out.contains(id));
    let fulfil = async |options: &[&str]| {
        let command = [&["purchases", "fulfil", id, "--json"], options].concat();
        operator.till(&command).await.expect(0).json()["recorded"].clone()
    };
    let first = ["--tracking", "jj 12", "--carrier", "Royal Mail"];
    assert_eq!(fulfil(&first).await, true);
    assert_eq!(
        fulfil(&["--tracking", "JJ12"]).await,
        false,
        "it is the same"
    );
    let url = "https://track.example/?n=JJ12";
    assert_eq!(
        fulfil(&["--tracking", "JJ12", "--tracking-url", url]).await,
        true
    );
    let second = [
        "--tracking",
        "JJ34",
        "--tracking-url",
        "https://track.example/?n=JJ34",
    ];
    assert_eq!(fulfil(&second).await, true);
    assert!(!operator.till(&packing).await.expect(0).out.contains(id));

    let mails = operator.shop.mails(3).await;
    let (last, first) = (&mails[0], &mails[1]);
    assert!(text(first, "subject").contains("Your parcel from Till is on its way"));
    let words = text(first, "text");
    for part in ["Royal Mail", "JJ12", "Ada Byron", "Weg 1"] {
        assert!(words.contains(part), "no {part} in {words}");
    }
    assert!(text(last, "text").contains("https://track.example/?n=JJ34"));

    let purchase = operator.shop.purchase(id).await;
    let parcels = purchase["parcels"].as_array().unwrap();
    assert_eq!(parcels.len(), 2, "{purchase}");
    assert_eq!(parcels[0]["tracking_number"], "JJ12");
    assert_eq!(parcels[0]["carrier"], "Royal Mail");
    assert_eq!(parcels[0]["tracking_url"], url);
    assert_eq!(purchase["status"], "paid");
    let shown = operator
        .till(&["purchases", "show", id])
        .await
        .expect(0)
        .out;
    for part in ["fulfilled", "Royal Mail", url, "seller"] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let told = told(&operator).await;
    let fulfilled = ("purchase.fulfilled".to_owned(), false);
    assert_eq!(
        told.iter().filter(|one| **one == fulfilled).count(),
        2,
        "{told:?}"
    );
}

#[tokio::test]
async fn what_is_not_shipped_is_done_and_what_is_not_paid_is_neither() {
    let operator = Operator::new().await;
    let open = operator.shop.open().await;
    let refused = operator
        .till(&["purchases", "fulfil", &open.purchase])
        .await;
    refused
        .expect(1)
        .complains("is open: only what was paid can be fulfilled");
    let sold = operator.sell(CARD).await;
    operator
        .till(&["purchases", "fulfil", &sold.purchase])
        .await
        .expect(0);
    let mail = operator.shop.mails(2).await.remove(0);
    assert!(
        text(&mail, "subject").contains("Your purchase from Till is ready"),
        "{mail}"
    );
    for wrong in [
        ["--tracking", "#1"],
        ["--tracking", "-"],
        ["--tracking-url", "javascript:alert(1)"],
        ["--carrier", "a\nb"],
    ] {
        let command = [&["purchases", "fulfil", &sold.purchase], &wrong[..]].concat();
        operator.till(&command).await.expect(2);
    }
    let unknown = "01a20bd1-71dc-71c3-9c80-f7e928d70bd4";
    operator
        .till(&["purchases", "fulfil", unknown])
        .await
        .expect(4);
}

#[tokio::test]
async fn what_was_told_is_told_again_in_order_and_as_it_stands_now() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await;
    let other = operator.sell(CARD).await;
    let refund = operator.shop.refund(&sold, None).await;
    operator.shop.until_status(&sold.purchase, "refunded").await;
    let before = operator.shop.published().await;
    assert_eq!(before.len(), 3);

    let dry = ["events", "publish", &sold.purchase, "--dry-run", "--json"];
    let would = operator.till(&dry).await.expect(0).json();
    let ids: Vec<_> = would["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| text(it, "id"))
        .collect();
    let id = &sold.purchase;
    assert_eq!(
        ids,
        [format!("{id}#paid"), format!("{id}#refunded#{refund}")]
    );
    assert_eq!(
        operator.shop.published().await.len(),
        3,
        "a dry run tells nobody"
    );

    operator
        .till(&["events", "publish", &sold.purchase])
        .await
        .expect(0);
    let again = operator.shop.published().await.split_off(3);
    let first = before
        .iter()
        .find(|it| it["detail"]["id"] == ids[0])
        .unwrap();
    assert_eq!(again.len(), 2);
    for (event, id) in again.iter().zip(&ids) {
        assert_eq!(event["detail"]["id"], **id);
        assert_eq!(event["detail"]["replay"], true);
        assert_eq!(event["detail"]["purchase"]["status"], "refunded");
    }
    assert_eq!(again[0]["detail"]["sequence"], first["detail"]["sequence"]);
    assert_eq!(
        again[0]["detail"]["recorded_at"],
        first["detail"]["recorded_at"]
    );

    let all = operator
        .till(&["events", "publish", "--since", "1d"])
        .await
        .expect(0)
        .out;
    assert!(all.contains("3 events will be published"), "{all}");
    let about = |event: &Value| event["detail"]["subject"] == *other.purchase;
    let events = operator.shop.published().await;
    assert_eq!(events.iter().filter(|event| about(event)).count(), 2);
    let later = ["events", "publish", "--since", "2199-01-01"];
    assert!(
        operator
            .till(&later)
            .await
            .expect(0)
            .out
            .contains("nothing to tell")
    );
    operator.till(&["events", "publish"]).await.expect(2);
    operator
        .till(&["events", "publish", "sub_nothing"])
        .await
        .expect(4);
}

#[tokio::test]
async fn a_subscription_is_told_again_with_its_invoices() {
    let operator = Operator::new().await;
    let checkout = operator.shop.open_one(COFFEE).await;
    operator.shop.pay(&checkout, CARD).await.expect(303);
    operator.shop.until_status(&checkout.purchase, "paid").await;
    let before = operator.shop.published().await.len();
    let subscription = text(
        &operator.shop.at_stripe("subscriptions").await["data"][0],
        "id",
    );
    operator
        .till(&["events", "publish", &subscription])
        .await
        .expect(0);
    let mut again: Vec<_> = told(&operator).await.split_off(before);
    again.sort();
    let expected = ["subscription.paid", "subscription.started"];
    assert_eq!(again, expected.map(|kind| (kind.to_owned(), true)));
}

#[tokio::test]
async fn an_event_that_was_given_up_is_listed_and_published_when_it_is_resent() {
    let operator = Operator::new().await;
    operator
        .shop
        .aws_fails("PutEvents", "rejected", Some(1))
        .await;
    let sold = operator.sell(CARD).await;
    operator.shop.drained().await;
    let listed = operator
        .till(&["mails", "list", "--json"])
        .await
        .expect(3)
        .json();
    let id = format!("event#{}#paid", sold.purchase);
    let expected = json!([[id, sold.purchase, "paid", "failed"]]);
    let rows = listed["mails"].as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|it| json!([it["id"], it["purchase"], it["event"], it["state"]]))
        .collect();
    assert_eq!(json!(rows), expected);
    let story = operator.story(&sold.purchase).await;
    assert_eq!(story["published"][0]["event"], "paid");
    assert_eq!(story["published"][0]["state"], "failed");
    operator.till(&["mails", "resend", &id]).await.expect(0);
    operator.shop.mailer().await;
    assert_eq!(operator.shop.published_types().await, ["purchase.paid"]);
    let story = operator.story(&sold.purchase).await;
    assert_eq!(story["published"][0]["state"], "sent");
}

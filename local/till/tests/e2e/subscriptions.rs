//! `till subscriptions`.

use testing::{CARD, COFFEE, eventually, now};

use crate::operator::Operator;

const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn subscriptions_are_listed_with_their_plan_and_what_comes_next() {
    let operator = Operator::new().await;
    let none = operator.till(&["subscriptions", "list"]).await.expect(0);
    assert!(none.out.contains("no such subscriptions"), "{}", none.out);
    operator
        .shop
        .subscribed("sub_1", "active", now() + 10 * DAY)
        .await;
    operator
        .shop
        .subscribed("sub_2", "past_due", now() - 2 * DAY)
        .await;

    let all = operator
        .till(&["subscriptions", "list"])
        .await
        .expect(0)
        .out;
    for part in ["sub_1", "active", "19.00 USD / month", "sub_2", "past due"] {
        assert!(all.contains(part), "no {part} in {all}");
    }
    let due = ["subscriptions", "list", "--status", "past_due", "--json"];
    let due = operator.till(&due).await.expect(0).json();
    assert_eq!(due["found"], 1);
    assert_eq!(due["subscriptions"][0]["id"], "sub_2");
    assert_eq!(due["subscriptions"][0]["buyer"]["email"], testing::ADA);

    let ada = operator.shop.subject(operator.shop.ada().await);
    let hers = ["subscriptions", "list", "--buyer", &ada, "--json"];
    let hers = operator.till(&hers).await.expect(0).json();
    assert_eq!(hers["found"], 2);
    let nobodys = ["subscriptions", "list", "--buyer", "nobody", "--json"];
    let nobodys = operator.till(&nobodys).await.expect(0).json();
    assert_eq!(nobodys["found"], 0);
}

#[tokio::test]
async fn one_subscription_is_shown_with_its_buyer_and_its_invoices() {
    let operator = Operator::new().await;
    operator
        .shop
        .subscribed("sub_1", "active", now() + 10 * DAY)
        .await;
    let shown = operator
        .till(&["subscriptions", "show", "sub_1"])
        .await
        .expect(0)
        .out;
    for part in [
        "sub_1",
        "active",
        "Coffee box",
        testing::ADA,
        "in_1",
        "paid",
        "19.00 USD",
    ] {
        assert!(shown.contains(part), "no {part} in {shown}");
    }
    let json = ["subscriptions", "show", "sub_1", "--json"];
    let json = operator.till(&json).await.expect(0).json();
    assert_eq!(json["items"][0]["product_id"], COFFEE);
    assert_eq!(json["invoices"][0]["status"], "paid");
    assert_eq!(json["active"], true);
}

#[tokio::test]
async fn a_subscription_that_is_not_there_is_neither_shown_nor_cancelled() {
    let operator = Operator::new().await;
    for verb in ["show", "cancel"] {
        let ended = operator
            .till(&["subscriptions", verb, "sub_1"])
            .await
            .expect(4);
        assert!(
            ended.err.contains("till subscriptions list"),
            "{}",
            ended.err
        );
        let wrong = operator
            .till(&["subscriptions", verb, "pi_1"])
            .await
            .expect(2);
        assert!(wrong.err.contains("sub_"), "{}", wrong.err);
    }
}

#[tokio::test]
async fn a_subscription_is_cancelled_when_what_is_paid_for_is_over_or_at_once() {
    let operator = Operator::new().await;
    let checkout = operator.shop.open_one(COFFEE).await;
    operator.shop.pay(&checkout, CARD).await.expect(303);
    let id = eventually(async || {
        let active = ["subscriptions", "list", "--status", "active", "--json"];
        let active = operator.till(&active).await.expect(0).json();
        let id = active["subscriptions"][0]["id"].as_str();
        id.map(str::to_owned)
    })
    .await;

    let unasked = operator.till(&["subscriptions", "cancel", &id]).await;
    unasked.expect(1).complains("--yes");
    let cancel = ["subscriptions", "cancel", &id, "--yes"];
    let said = operator.till(&cancel).await.expect(0);
    assert!(
        said.out.contains("is cancelled, and ends on"),
        "{}",
        said.out
    );
    let shown = operator
        .till(&["subscriptions", "show", &id, "--json"])
        .await;
    let shown = shown.expect(0).json();
    assert_eq!(shown["status"], "active");
    assert!(
        shown["cancel_at"].is_string() && shown["next"].is_null(),
        "{shown}"
    );

    let said = operator
        .till(&[&cancel[..], &["--now"]].concat())
        .await
        .expect(0);
    assert!(said.out.contains("has ended"), "{}", said.out);
    let shown = operator
        .till(&["subscriptions", "show", &id, "--json"])
        .await;
    assert_eq!(shown.expect(0).json()["status"], "canceled");
    let again = operator.till(&cancel).await;
    again.expect(1).complains("has ended already");
}

#[tokio::test]
async fn a_purchase_that_began_a_subscription_is_refunded_by_its_invoices() {
    let operator = Operator::new().await;
    let sold = operator.shop.open_one(COFFEE).await;
    operator.shop.pay(&sold, CARD).await.expect(303);
    operator.shop.until_status(&sold.purchase, "paid").await;
    let refused = operator.till(&["refund", &sold.purchase, "--yes"]).await;
    refused
        .expect(1)
        .complains("whose invoices have the payments");
}

//! `till subscriptions`.

use testing::{COFFEE, now};

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

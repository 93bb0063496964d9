//! `till clock`.

use testing::{CARD, COFFEE};

use crate::operator::Operator;

#[tokio::test]
async fn moving_the_clock_tells_what_happened_month_by_month_and_takes_the_shop_along() {
    let operator = Operator::new().await;
    let shop = &operator.shop;
    let checkout = shop.open_one(COFFEE).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.drained().await;
    let shown = operator.till(&["clock", "show"]).await.expect(0).out;
    assert!(shown.contains("as it is on this machine"), "{shown}");

    let told = operator
        .till(&["clock", "advance", "2mo"])
        .await
        .expect(0)
        .out;
    let renewals = told.matches("invoice.created").count();
    assert_eq!(renewals, 2, "{told}");
    assert!(told.contains("days ahead of this machine"), "{told}");
    let months = told.lines().filter(|line| line.contains(" event"));
    let months: Vec<_> = months.filter(|line| !line.starts_with(' ')).collect();
    assert!(months.len() >= 2, "{told}");

    let json = ["clock", "advance", "1d", "--json"];
    let json = operator.till(&json).await.expect(0).json();
    assert_eq!(json["ahead"].as_i64().unwrap() % 86_400, 0);
    assert!(json["happened"].is_array());
    shop.drained().await;

    // The commands go by the same time: what is paid for is still active.
    let listed = ["subscriptions", "list", "--json"];
    let listed = operator.till(&listed).await.expect(0).json();
    assert_eq!(listed["subscriptions"][0]["active"], true, "{listed}");
    let ahead = shop.clock().now() - testing::now();
    assert!(ahead > 59 * 86_400, "{ahead}");
}

#[tokio::test]
async fn a_span_that_cannot_be_is_refused_and_moves_nothing() {
    let operator = Operator::new().await;
    for (span, complaint) in [
        ("1 fortnight", "is not a length of time"),
        ("2y", "advance must be between"),
    ] {
        let refused = operator.till(&["clock", "advance", span]).await.expect(1);
        refused.complains(complaint);
    }
    let shown = operator.till(&["clock", "show", "--json"]).await.expect(0);
    assert_eq!(shown.json()["ahead"], 0);
}

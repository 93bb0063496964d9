//! `till books`.

use testing::CARD;

use crate::operator::Operator;

/// A card whose payment is disputed as soon as it is made.
const DISPUTED: &str = "4000000000000259";

#[tokio::test]
async fn the_books_add_up_to_the_balance_that_stripe_states() {
    let operator = Operator::new().await;
    let books = async |options: &[&str]| {
        let command = [&["books", "--json"], options].concat();
        operator.till(&command).await.expect(0).json()
    };
    assert_eq!(books(&[]).await["days"].as_array().unwrap().len(), 0);
    operator.sell(CARD).await;
    let refunded = operator.sell(CARD).await.purchase;
    operator
        .till(&["refund", &refunded, "--amount", "500", "--yes"])
        .await
        .expect(0);
    operator.sell(DISPUTED).await;

    let account = books(&[]).await;
    let day = &account["days"][0];
    assert_eq!(day["payments"], 3 * 1500);
    assert_eq!(day["refunds"], -500);
    assert_eq!(day["disputes"], -1500);
    assert_eq!(day["payouts"], 0);
    let stated = operator.shop.at_stripe("balance").await;
    let parts = ["available", "pending"].map(|name| &stated[name][0]["amount"]);
    let stated: i64 = parts.iter().map(|part| part.as_i64().unwrap()).sum();
    assert_eq!(day["net"], stated);
    let fees = day["fees"].as_i64().unwrap();
    assert_eq!(4500 - 500 - 1500 + fees, stated);
    let [balance] = account["balances"].as_array().unwrap().as_slice() else {
        panic!("one balance: {account}");
    };
    assert_eq!(balance["before"]["amount"], 0);
    assert_eq!(balance["after"]["amount"], stated);

    let before_all = books(&["--until", "2001-01-01"]).await;
    assert_eq!(before_all["balances"][0]["after"]["amount"], 0);
    let after_all = books(&["--since", "2199-01-01"]).await;
    assert_eq!(after_all["balances"][0]["before"]["amount"], stated);
    let csv = operator.till(&["books", "--csv"]).await.expect(0).out;
    let [heading, row] = csv.lines().collect::<Vec<_>>()[..] else {
        panic!("a heading and a row: {csv}");
    };
    assert_eq!(
        heading,
        "day,currency,payments,refunds,disputes,other,fees,net,payouts"
    );
    assert!(row.contains(",USD,45.00,-5.00,-15.00,0.00,"), "{row}");
}

//! `till refund`.

use serde_json::Value;
use testing::{CARD, Checkout, REFUNDS_SLOWLY, eventually};

use crate::operator::Operator;

/// A card whose refunds fail after they had succeeded.
const REFUND_FAILS: &str = "4000000000005126";
/// A card that is disputed as soon as it was charged.
const DISPUTED: &str = "4000000000000259";

async fn refunds(operator: &Operator) -> Vec<Value> {
    let listed = operator.shop.at_stripe("refunds?limit=100").await;
    listed["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn money_goes_back_in_parts_and_never_more_than_was_paid() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await.purchase;
    let refund = async |options: &[&str]| {
        let command = [&["refund", sold.as_str(), "--json"], options].concat();
        operator.till(&command).await
    };
    let unasked = refund(&["--amount", "500"]).await.expect(1);
    unasked.complains("15.00 USD paid, 0.00 USD refunded");
    unasked.complains("Refund 5.00 USD, which leaves 10.00 USD?");
    unasked.complains("pass --yes");
    assert_eq!(refunds(&operator).await.len(), 0);

    let reason = [
        "--amount",
        "500",
        "--yes",
        "--reason",
        "requested_by_customer",
    ];
    let first = refund(&reason).await.expect(0).json();
    assert_eq!(first["refund"]["amount"]["amount"], 500);
    assert_eq!(first["status"], "partially_refunded");
    assert_eq!(
        refunds(&operator).await[0]["reason"],
        "requested_by_customer"
    );
    let too_much = refund(&["--amount", "1001", "--yes"]).await.expect(1);
    too_much.complains(
        "10.01 USD is more than is left of this payment, which is 10.00 USD of 15.00 USD",
    );
    for nothing in ["0", "-5"] {
        let amount = format!("--amount={nothing}");
        refund(&[&amount, "--yes"]).await.expect(1);
    }
    // Equal to the first, and another one all the same.
    let second = refund(&["--amount", "500", "--yes"]).await.expect(0).json();
    assert_ne!(second["refund"]["id"], first["refund"]["id"]);
    let rest = refund(&["--yes"]).await.expect(0).json();
    assert_eq!(rest["refund"]["amount"]["amount"], 500);
    assert_eq!(rest["status"], "refunded");
    let nothing_left = refund(&["--yes"]).await.expect(1);
    nothing_left.complains("nothing is left to refund: 15.00 USD of 15.00 USD was refunded\n");

    let story = operator.story(rest["refund"]["id"].as_str().unwrap()).await;
    assert_eq!(
        story["purchase"]["id"], *sold,
        "a refund leads to its purchase"
    );
    assert_eq!(story["purchase"]["refunds"].as_array().unwrap().len(), 3);
    assert_eq!(story["purchase"]["net"]["amount"], 0);
}

#[tokio::test]
async fn a_yes_may_be_piped_in_and_nothing_else_is_one() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await.purchase;
    let answered = async |answer: &str| {
        let command = ["refund", sold.as_str(), "--amount", "500"];
        operator.till_with(&command, answer).await
    };
    for no in ["", "n\n", "\n", "yes please\n", "pi_1\ny\n"] {
        answered(no).await.expect(1).complains("[y/N]");
        assert_eq!(refunds(&operator).await.len(), 0, "{no:?}");
    }
    for yes in ["y\n", "yes", "Y\r\n", "y\ny\ny\n"] {
        let before = refunds(&operator).await.len();
        answered(yes).await.expect(0).complains("[y/N]");
        assert_eq!(refunds(&operator).await.len(), before + 1, "{yes:?}");
        if before == 2 {
            break;
        }
    }
}

#[tokio::test]
async fn under_one_key_a_purchase_is_refunded_once() {
    let operator = Operator::new().await;
    let sold = operator.sell(CARD).await.purchase;
    let keyed = |key| {
        let command = [
            "refund", &sold, "--amount", "500", "--yes", "--json", "--key", key,
        ];
        operator.till(&command)
    };
    let first = keyed("ticket-17").await.expect(0).json();
    let again = keyed("ticket-17").await.expect(0).json();
    assert_eq!(first, again);
    assert_eq!(refunds(&operator).await.len(), 1);
    keyed("ticket-18").await.expect(0);
    assert_eq!(refunds(&operator).await.len(), 2);
}

#[tokio::test]
async fn a_refund_that_failed_leaves_its_money_to_be_refunded() {
    let operator = Operator::new().await;
    let sold = operator.sell(REFUND_FAILS).await.purchase;
    let refund = ["refund", &sold, "--yes"];
    operator.till(&refund).await.expect(0);
    let days = [("advance", "604800")];
    operator.shop.control("clock", &days).await;
    let failed = eventually(async || {
        let story = operator.story(&sold).await;
        (story["purchase"]["refunds"][0]["status"] == "failed").then_some(story)
    });
    assert_eq!(failed.await["purchase"]["status"], "paid");
    let again = operator.till(&[&refund[..], &["--json"]].concat()).await;
    assert_eq!(again.json()["refund"]["amount"]["amount"], 1500);
}

#[tokio::test]
async fn what_a_dispute_holds_is_not_refunded() {
    let operator = Operator::new().await;
    let sold = operator.sell(DISPUTED).await.purchase;
    let disputed = eventually(async || {
        let story = operator.story(&sold).await;
        (story["purchase"]["status"] == "disputed").then_some(story)
    });
    let story = disputed.await;
    let dispute = story["purchase"]["disputes"][0]["id"].as_str().unwrap();
    let found = operator.story(dispute).await["purchase"]["id"].clone();
    assert_eq!(found, *sold, "a dispute leads to its purchase");
    let refund = operator.till(&["refund", &sold, "--yes"]).await.expect(1);
    refund.complains("nothing is left to refund");
    refund.complains("disputes hold the rest");
    assert_eq!(refunds(&operator).await.len(), 0);
}

#[tokio::test]
async fn what_nobody_paid_is_not_refunded() {
    let operator = Operator::new().await;
    let open = operator.shop.open().await.purchase;
    let refund = operator.till(&["refund", &open, "--yes"]).await;
    refund
        .expect(1)
        .complains("is open, so nothing was paid and there is nothing to refund");
    let sold = operator.sell(CARD).await.purchase;
    let other = ["refund", &sold, "--yes", "--payment-intent", "pi_other"];
    let other = operator.till(&other).await.expect(4);
    other.complains("pi_other is not a payment of");
}

#[tokio::test]
async fn a_refund_is_said_to_be_pending_while_it_is_and_failed_once_it_failed() {
    let operator = Operator::new().await;
    let sold = operator.sell(REFUNDS_SLOWLY).await.purchase;
    let refund = ["refund", &sold, "--yes", "--key", "ticket-17"];
    let pending = operator.till(&refund).await.expect(0).out;
    assert!(
        pending.contains("The refund of 15.00 USD is pending"),
        "{pending}"
    );
    assert!(pending.contains("The purchase is paid."), "{pending}");
    assert!(!pending.contains("refunded ("), "{pending}");

    let id = refunds(&operator).await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    operator.shop.refund_goes(&id, "fail").await;
    let failed = async || {
        let again = operator.till(&refund).await;
        again.out.contains("failed").then_some(again)
    };
    let failed = eventually(failed).await.expect(3).out;
    assert!(
        failed.contains("The refund of 15.00 USD failed"),
        "{failed}"
    );
    assert!(!failed.contains("refunded ("), "{failed}");
}

#[tokio::test]
async fn a_free_order_has_nothing_to_refund_and_is_not_called_unpaid() {
    let operator = Operator::new().await;
    let free: Checkout = operator.shop.open().await;
    operator.shop.pay_nothing(&free).await.expect(303);
    operator.shop.until_status(&free.purchase, "paid").await;
    let refund = operator.till(&["refund", &free.purchase, "--yes"]).await;
    refund
        .expect(1)
        .complains("was free, so there is nothing to refund");
    let words = operator.till(&["purchases", "show", &free.purchase]).await;
    let words = words.expect(0).out;
    assert!(words.contains("nothing to pay"), "{words}");
    assert!(!words.contains("not paid"), "{words}");
}

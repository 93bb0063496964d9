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

/// Ada subscribes. Returns the subscription's id, and the purchase's.
async fn subscribe(operator: &Operator) -> (String, String) {
    let sold = operator.shop.open_one(COFFEE).await;
    operator.shop.pay(&sold, CARD).await.expect(303);
    operator.shop.until_status(&sold.purchase, "paid").await;
    operator.shop.drained().await;
    let purchase = operator.shop.purchase(&sold.purchase).await;
    let id = purchase["subscription_id"].as_str().unwrap().to_owned();
    (id, sold.purchase)
}

async fn shown(operator: &Operator, id: &str) -> serde_json::Value {
    let show = ["subscriptions", "show", id, "--json"];
    operator.till(&show).await.expect(0).json()
}

#[tokio::test]
async fn a_purchase_that_began_a_subscription_is_refunded_by_its_first_invoice() {
    let operator = Operator::new().await;
    let (id, purchase) = subscribe(&operator).await;
    let refund = ["refund", &purchase, "--amount", "400"];
    let unasked = operator.till(&refund).await.expect(1);
    unasked.complains(&format!("of {id} of {}", testing::ADA));
    unasked.complains("19.00 USD paid, 0.00 USD refunded");
    let yes = ["refund", &purchase, "--amount", "400", "--yes", "--json"];
    let refunded = operator.till(&yes).await.expect(0).json();
    assert_eq!(refunded["status"], "partially_refunded");
    assert_eq!(refunded["purchase_id"], *purchase);
    let invoice = &shown(&operator, &id).await["invoices"][0];
    assert_eq!(refunded["invoice_id"], invoice["id"]);
    assert_eq!(invoice["net"]["amount"], 1500);
    // The purchase shows it, and there is never more to refund than was paid.
    let show = ["purchases", "show", &purchase, "--json"];
    let story = operator.till(&show).await.expect(0).json();
    assert_eq!(story["purchase"]["net"]["amount"], 1500);
    let listed = [
        "purchases",
        "list",
        "--status",
        "partially_refunded",
        "--json",
    ];
    assert_eq!(operator.till(&listed).await.expect(0).json()["found"], 1);
    let rest = operator
        .till(&["refund", &purchase, "--yes"])
        .await
        .expect(0);
    assert!(rest.out.contains("15.00 USD was refunded"), "{}", rest.out);
    assert!(rest.out.contains("The invoice is refunded"), "{}", rest.out);
    let none = operator.till(&["refund", &purchase, "--yes"]).await;
    none.expect(1).complains("nothing is left to refund");
}

#[tokio::test]
async fn a_renewal_is_refunded_by_its_invoice_or_by_what_paid_it() {
    let operator = Operator::new().await;
    let (id, _) = subscribe(&operator).await;
    let month = [("advance", "2700000")];
    operator.shop.control("clock", &month).await;
    operator.shop.drained().await;
    let renewal = shown(&operator, &id).await["invoices"][0].clone();
    assert_eq!(renewal["reason"], "renewal");
    let invoice = renewal["id"].as_str().unwrap();
    let payments = format!("invoice_payments?invoice={invoice}");
    let payments = operator.shop.at_stripe(&payments).await;
    let intent = payments["data"][0]["payment"]["payment_intent"].as_str();
    let keyed = |name: &str| {
        let refund = ["refund", name, "--amount", "500", "--yes", "--json"];
        operator.till(&[&refund[..], &["--key", "ticket-17"]].concat())
    };
    let first = keyed(invoice).await.expect(0).json();
    assert_eq!(first["invoice_id"], invoice);
    assert_eq!(first["status"], "partially_refunded");
    let again = keyed(intent.unwrap()).await.expect(0).json();
    assert_eq!(again, first, "under one key it is refunded once");
    let too_much = ["refund", invoice, "--amount", "1401", "--yes"];
    let too_much = operator.till(&too_much).await.expect(1);
    too_much.complains("14.01 USD is more than is left of this payment, which is 14.00 USD");
    // It is not the purchase's.
    let show = operator.till(&["purchases", "show", invoice]).await;
    show.expect(4).complains("till subscriptions show");
}

#[tokio::test]
async fn what_is_open_of_a_subscription_that_is_lost_is_voided_when_it_is_cancelled() {
    let operator = Operator::new().await;
    let (id, _) = subscribe(&operator).await;
    let customer = operator
        .shop
        .at_stripe(&format!("subscriptions/{id}"))
        .await;
    let customer = customer["customer"].as_str().unwrap();
    let attach = "payment_methods/pm_card_chargeCustomerFail/attach";
    let form = [("customer", customer)];
    let card = operator.shop.stripe_post(attach, &form).await;
    let form = [("default_payment_method", card["id"].as_str().unwrap())];
    operator
        .shop
        .stripe_post(&format!("subscriptions/{id}"), &form)
        .await;
    // A month, and then as long as Stripe tries.
    for seconds in ["2700000", "2419200"] {
        let wait = [("advance", seconds)];
        operator.shop.control("clock", &wait).await;
        operator.shop.drained().await;
    }
    let lost = shown(&operator, &id).await;
    assert_eq!(lost["status"], "canceled");
    assert_eq!(lost["invoices"][0]["status"], "open");
    let unasked = operator.till(&["subscriptions", "cancel", &id]).await;
    unasked
        .expect(1)
        .complains("Void what is still open of it, in_");
    let cancel = ["subscriptions", "cancel", &id, "--yes"];
    let said = operator.till(&cancel).await.expect(0).out;
    assert!(
        said.contains("has ended.") && said.contains("is void."),
        "{said}"
    );
    assert_eq!(shown(&operator, &id).await["invoices"][0]["status"], "void");
    let again = operator.till(&cancel).await;
    again.expect(1).complains("has ended already");
}

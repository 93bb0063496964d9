//! What the doors cost: calls to DynamoDB and Stripe, counted. docs/PERFORMANCE.md has the table.

use testing::{CARD, Calls, Checkout, MAGAZINE, MUG, REFUNDS_SLOWLY, TestApp, cart, eventually};

fn calls(list: &[(&str, usize)]) -> Vec<(String, usize)> {
    let list = list
        .iter()
        .map(|(call, times)| ((*call).to_owned(), *times));
    list.collect()
}

#[tokio::test]
async fn a_checkout_reads_what_its_buyer_holds_beside_the_products_and_writes_it_with_the_purchase()
{
    let (shop, counted) = TestApp::counting("CheckoutFunction").await;
    shop.sell_limited("one-lamp", 5).await;
    let wish = cart(&[(MUG, 1), ("one-lamp", 1)]);
    let first = Checkout::of(&shop.checkout_as("one", &wish).await);
    // In this order: products, holds and key, the purchase, Stripe, the session.
    let once = [
        ("BatchGetItem", 1),
        ("Stripe POST", 1),
        ("TransactWriteItems", 2),
    ];
    assert_eq!(counted.take(), calls(&once));
    assert_eq!(Checkout::of(&shop.checkout_as("one", &wish).await), first);
    assert_eq!(
        counted.take(),
        calls(&[("BatchGetItem", 1), ("GetItem", 1)])
    );
}

#[tokio::test]
async fn a_look_at_an_open_purchase_costs_a_write_and_a_call_to_stripe_once_in_a_while() {
    let (shop, counted) = TestApp::counting("PurchasesFunction").await;
    shop.hold_deliveries().await;
    let checkout = shop.open().await;
    shop.status(&checkout.purchase).await;
    assert_eq!(counted.take(), calls(&[("GetItem", 1)]));
    shop.age(&checkout.purchase, 60).await;
    // Still open: nothing to record.
    shop.status(&checkout.purchase).await;
    let asked = [("GetItem", 3), ("PutItem", 1), ("Stripe GET", 1)];
    assert_eq!(counted.take(), calls(&asked));
    // Another look right away, before it is due.
    shop.status(&checkout.purchase).await;
    assert_eq!(counted.take(), calls(&[("GetItem", 1), ("PutItem", 1)]));
    shop.pay(&checkout, CARD).await.expect(303);
    shop.age_look(&checkout.purchase, 60).await;
    shop.status(&checkout.purchase).await;
    let landing = [
        ("GetItem", 3),
        ("PutItem", 1),
        ("Stripe GET", 1),
        ("TransactWriteItems", 1),
    ];
    assert_eq!(counted.take(), calls(&landing));
    shop.status(&checkout.purchase).await;
    assert_eq!(counted.take(), calls(&[("GetItem", 1)]));
}

#[tokio::test]
async fn whether_a_buyer_had_a_trial_is_one_query_however_much_they_bought() {
    let (shop, counted) = TestApp::counting("CheckoutFunction").await;
    let bought = shop.paid().await;
    let item = shop.purchase_item(&bought.purchase).await.to_string();
    for number in 0..250 {
        let another = format!("01936f3c-8a10-7c3e-9a35-{number:012}");
        let item = item.replace(&bought.purchase, &another);
        shop.put_item("PurchasesTable", &serde_json::from_str(&item).unwrap())
            .await;
    }
    counted.take();
    let subscribing = shop.open_one(MAGAZINE).await;
    assert_eq!(shop.session(subscribing.session()).await["amount_total"], 0);
    let queries = counted
        .take()
        .into_iter()
        .filter(|(call, _)| call == "Query");
    assert_eq!(queries.collect::<Vec<_>>(), calls(&[("Query", 1)]));
}

/// How often a run of reconcile asks Stripe.
async fn asked_by_reconcile(shop: &TestApp, counted: &Calls) -> usize {
    counted.take();
    shop.reconcile().await;
    let mut calls = counted.take().into_iter();
    calls.find(|(call, _)| call == "Stripe GET").unwrap().1
}

#[tokio::test]
async fn reconcile_asks_stripe_for_what_is_not_over_yet_and_only_when_it_is_due() {
    const TWO_HOURS: i64 = 2 * 3600;
    let (shop, counted) = TestApp::counting("ReconcileFunction").await;
    // If it overtook the refund's own event, all refunds would be fetched.
    let silent = [
        ("fault", "no_event"),
        ("type", "charge.refunded"),
        ("times", "0"),
    ];
    shop.control("faults", &silent).await;
    let slow = shop.paid_with(REFUNDS_SLOWLY).await;
    shop.refund(&slow, None).await;
    eventually(async || shop.purchase(&slow.purchase).await.get("refunds").cloned()).await;
    let open = shop.open().await;
    let for_events = asked_by_reconcile(&shop, &counted).await;

    shop.age(&slow.purchase, 48 * 3600).await;
    let asked = asked_by_reconcile(&shop, &counted).await;
    assert_eq!(asked, for_events + 1, "the refund");
    shop.age(&open.purchase, TWO_HOURS).await;
    let asked = asked_by_reconcile(&shop, &counted).await;
    assert_eq!(asked, for_events + 1, "the session");
    assert_eq!(asked_by_reconcile(&shop, &counted).await, for_events);
}

#[tokio::test]
async fn sessions_of_purchases_made_at_about_the_same_time_are_looked_for_together() {
    const TWO_DAYS: &str = "172800";
    let (shop, counted) = TestApp::counting("ReconcileFunction").await;
    let for_events = asked_by_reconcile(&shop, &counted).await;
    for purchases in [3, 1] {
        for _ in 0..purchases {
            shop.stripe_fails(&[("status", "500")]).await;
            shop.checkout(&cart(&[(MUG, 1)])).await.expect(502);
            shop.stripe_is_well().await;
        }
        shop.control("clock", &[("advance", TWO_DAYS)]).await;
    }
    let asked = asked_by_reconcile(&shop, &counted).await;
    assert_eq!(asked, for_events + 2);
    for purchase in shop.stored_purchases().await {
        assert_eq!(shop.status(&purchase).await, "abandoned");
    }
    assert_eq!(asked_by_reconcile(&shop, &counted).await, for_events);
}

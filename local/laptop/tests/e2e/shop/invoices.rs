//! Invoices of subscriptions: facts, in whichever order their events come.

use serde_json::{Value, json};
use shared::inbox::{Inbox, Receipt};
use shared::mode::Mode;
use shared::store::{Tables, operator::Confirmation};
use testing::{OwnStripe, TestApp, now, permutations, sample, text};

const SUBSCRIPTION: &str = "sub_1SVYQ8LkdIwHu7ixR4mB2kTn";
const INVOICE: &str = "in_1SVYQ9LkdIwHu7ixPq7cW3zE";

/// An invoice of the subscription that began with a purchase, with these members in place of its
/// usual ones.
fn invoice(shop: &TestApp, purchase: &str, told: Value) -> Value {
    let mut object = sample("webhook-invoice-paid")["data"]["object"].take();
    object["parent"]["subscription_details"]["metadata"] = json!({
        "till_stack": shop.variables("WebhookFunction")["TILL_STACK"],
        "purchase_id": purchase,
    });
    let told = told.as_object().unwrap().clone();
    object.as_object_mut().unwrap().extend(told);
    object
}

fn event(id: &str, kind: &str, object: &Value) -> String {
    let mut event = sample("webhook-invoice-paid");
    event["id"] = id.into();
    event["type"] = kind.into();
    event["data"]["object"] = object.clone();
    event.to_string()
}

/// A renewal that is declined once, and then paid.
fn renewal(shop: &TestApp, purchase: &str) -> Vec<String> {
    let unpaid = |state: &str, attempts: u32| {
        let told = json!({ "status": state, "amount_paid": 0, "attempt_count": attempts });
        invoice(shop, purchase, told)
    };
    let paid = invoice(shop, purchase, json!({ "attempt_count": 2 }));
    vec![
        event("evt_1", "invoice.created", &unpaid("draft", 0)),
        event("evt_2", "invoice.finalized", &unpaid("open", 0)),
        event("evt_3", "invoice.payment_failed", &unpaid("open", 1)),
        event("evt_4", "invoice.paid", &paid),
    ]
}

/// A Stripe that shows what it is told to, and an inbox that asks it.
async fn with_own_stripe(shop: &TestApp) -> (OwnStripe, Inbox) {
    let stripe = OwnStripe::start().await;
    let base = ("STRIPE_API_BASE", stripe.url());
    let environment = shop.environment_with("WebhookFunction", base.0, base.1);
    let inbox = Inbox::new(&environment).unwrap();
    (stripe, inbox)
}

/// The payments of an invoice, of which one waits for the buyer to act.
fn waiting_for_the_buyer() -> Value {
    let intent = json!({ "id": "pi_1", "status": "requires_action", "next_action": null });
    let payment = json!({ "status": "open", "payment": { "payment_intent": intent } });
    json!({ "data": [payment] })
}

async fn stored(shop: &TestApp) -> Value {
    let mut items = shop.subscription_items(SUBSCRIPTION).await;
    items.remove(INVOICE).unwrap()
}

#[tokio::test]
async fn a_renewals_events_in_every_order_leave_it_paid_with_one_receipt() {
    let shop = TestApp::start().await;
    for (n, order) in permutations(4).into_iter().enumerate() {
        let checkout = shop.open().await;
        // Every order has a subscription and an invoice of its own.
        let (subscription, id) = (format!("sub_{n}"), format!("in_{n}"));
        let events = renewal(&shop, &checkout.purchase);
        for at in &order {
            let event = events[*at].replace(SUBSCRIPTION, &subscription);
            let event = event
                .replace(INVOICE, &id)
                .replace("evt_", &format!("evt_{n}_"));
            let answer = shop.deliver(&event).await.expect(200).json();
            assert_ne!(text(&answer, "result"), "parked", "{order:?}");
            let items = shop.subscription_items(&subscription).await;
            let heard_of = items.contains_key("subscription");
            assert!(heard_of, "its first invoice is enough: {order:?}");
        }
        let items = shop.subscription_items(&subscription).await;
        let seen: Vec<_> = items[&id]["seen"]["L"].as_array().unwrap().iter().collect();
        assert_eq!(seen.len(), 3, "{order:?}");
        // It is still to be read, since no event of its own came.
        assert!(items["subscription"].get("reading").is_none());
        assert!(items["subscription"].get("work_due").is_some());
        let effects = shop.effects(&format!("{subscription}/{id}")).await;
        let receipts = effects.iter().filter(|it| *it == "paid").count();
        assert_eq!(receipts, 1, "{order:?}");
        // The failure is told if it was heard before the payment, and not once it is over.
        let failed_first =
            order.iter().position(|at| *at == 2) < order.iter().position(|at| *at == 3);
        let told = effects.contains(&"payment_failed#1".to_owned());
        assert_eq!(told, failed_first, "{order:?}");
        shop.cancel(&checkout.purchase).await.expect(200);
    }
}

#[tokio::test]
async fn an_event_that_comes_again_is_seen_before_and_a_foreign_one_writes_nothing() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let events = renewal(&shop, &checkout.purchase);
    let result = async |event: &str| text(&shop.deliver(event).await.expect(200).json(), "result");
    assert_eq!(result(&events[3]).await, "recorded");
    shop.drained().await;
    let before = shop.dump().await;
    assert_eq!(result(&events[3]).await, "seen before");
    let mut elsewhere = invoice(&shop, &checkout.purchase, json!({ "id": "in_2" }));
    elsewhere["parent"]["subscription_details"]["metadata"] = json!({ "till_stack": "other" });
    let mut by_hand = elsewhere.clone();
    by_hand["parent"] = Value::Null;
    for object in [elsewhere, by_hand] {
        let event = event("evt_9", "invoice.paid", &object);
        assert_eq!(result(&event).await, "foreign");
    }
    assert_eq!(shop.dump().await, before);
}

#[tokio::test]
async fn a_refund_that_comes_before_anything_else_finds_its_invoice_by_asking_stripe() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    let mut refund = sample("webhook-refund-succeeded");
    let intent = text(&refund["data"]["object"], "payment_intent");
    // The payment intent of an invoice carries nothing of ours.
    let untagged = json!({
        "id": intent, "metadata": {}, "amount": 900, "currency": "usd", "status": "succeeded",
        "receipt_email": null, "next_action": null, "customer": "cus_1",
    });
    stripe.show(&format!("payment_intents/{intent}"), untagged);
    let paid = invoice(&shop, &checkout.purchase, json!({}));
    let page = json!({ "object": "list", "has_more": false, "data": [{ "invoice": paid }] });
    stripe.show("invoice_payments", page);
    refund["data"]["object"]["amount"] = 900.into();
    let taken = inbox
        .take(refund.to_string().as_bytes(), now())
        .await
        .unwrap();
    let Receipt::Recorded {
        subject, status, ..
    } = taken
    else {
        panic!("{taken:?}");
    };
    assert_eq!(subject.to_string(), format!("{SUBSCRIPTION}/{INVOICE}"));
    assert_eq!(status.as_str(), "refunded");
    let item = stored(&shop).await;
    assert_eq!(item["intents"]["L"][0]["S"], intent.as_str());
    // From now on the intent leads to the invoice, and Stripe is not asked.
    let asked = stripe.asked().len();
    refund["id"] = "evt_again".into();
    let again = inbox
        .take(refund.to_string().as_bytes(), now())
        .await
        .unwrap();
    assert_eq!(again, Receipt::NothingNew);
    assert_eq!(stripe.asked().len(), asked);
    let effects = shop.effects(&format!("{SUBSCRIPTION}/{INVOICE}")).await;
    let refund = text(&refund["data"]["object"], "id");
    assert_eq!(effects, ["paid".to_owned(), format!("refund#{refund}")]);
}

#[tokio::test]
async fn an_attempt_that_failed_because_the_buyer_has_to_act_is_told_as_that_and_once() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    let unpaid = json!({ "status": "open", "amount_paid": 0, "attempt_count": 1 });
    let unpaid = invoice(&shop, &checkout.purchase, unpaid);
    let mut fetched = unpaid.clone();
    fetched["payments"] = waiting_for_the_buyer();
    stripe.show(&format!("invoices/{INVOICE}"), fetched);
    for (id, kind) in [
        ("evt_1", "invoice.payment_failed"),
        ("evt_2", "invoice.payment_action_required"),
    ] {
        let event = event(id, kind, &unpaid);
        inbox.take(event.as_bytes(), now()).await.unwrap();
    }
    let effects = shop.effects(&format!("{SUBSCRIPTION}/{INVOICE}")).await;
    assert_eq!(effects, ["action_required#1"]);
    // What becomes of the payment is the invoice's, without asking whose it is.
    assert_eq!(
        stored(&shop).await["intents"]["L"],
        json!([{ "S": "pi_1" }])
    );
}

#[tokio::test]
async fn why_a_later_attempt_failed_is_not_told_of_an_earlier_one() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    let unpaid = json!({ "status": "open", "amount_paid": 0, "attempt_count": 1 });
    let unpaid = invoice(&shop, &checkout.purchase, unpaid);
    let mut fetched = unpaid.clone();
    fetched["attempt_count"] = 2.into();
    fetched["payments"] = waiting_for_the_buyer();
    stripe.show(&format!("invoices/{INVOICE}"), fetched);
    let event = event("evt_1", "invoice.payment_failed", &unpaid);
    inbox.take(event.as_bytes(), now()).await.unwrap();
    let effects = shop.effects(&format!("{SUBSCRIPTION}/{INVOICE}")).await;
    assert_eq!(effects, ["payment_failed#1"]);
}

#[tokio::test]
async fn a_last_attempt_that_failed_asks_for_no_money_if_stripe_says_that_it_is_over() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    shop.subscribed(SUBSCRIPTION, "past_due", now()).await;
    let last = json!({
        "status": "open", "amount_paid": 0, "attempt_count": 4, "next_payment_attempt": null,
    });
    let last = invoice(&shop, &checkout.purchase, last);
    let mut ended = sample("webhook-subscription-updated")["data"]["object"].take();
    ended["metadata"] = last["parent"]["subscription_details"]["metadata"].clone();
    ended["status"] = "canceled".into();
    ended["ended_at"] = now().into();
    stripe.show(&format!("subscriptions/{SUBSCRIPTION}"), ended);
    stripe.show(&format!("invoices/{INVOICE}"), last.clone());
    let event = event("evt_1", "invoice.payment_failed", &last);
    inbox.take(event.as_bytes(), now()).await.unwrap();
    assert_eq!(stored(&shop).await["seen"]["L"], json!([{ "S": "open" }]));
    let about = format!("{SUBSCRIPTION}/{INVOICE}");
    assert!(shop.effects(&about).await.is_empty());
}

#[tokio::test]
async fn a_failure_that_is_heard_of_after_the_end_asks_for_no_money() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let failed = json!({ "status": "open", "amount_paid": 0, "attempt_count": 4 });
    let failed = invoice(&shop, &checkout.purchase, failed);
    let failed = event("evt_1", "invoice.payment_failed", &failed);
    let about = format!("{SUBSCRIPTION}/{INVOICE}");
    shop.subscribed(SUBSCRIPTION, "canceled", now()).await;
    shop.deliver(&failed).await.expect(200);
    assert_eq!(stored(&shop).await["seen"]["L"], json!([{ "S": "open" }]));
    assert!(shop.effects(&about).await.is_empty());
}

#[tokio::test]
async fn an_invoice_of_an_api_version_without_tags_is_its_subscriptions() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    let mut old = invoice(
        &shop,
        &checkout.purchase,
        json!({ "subscription": SUBSCRIPTION }),
    );
    let tags = old["parent"]["subscription_details"]["metadata"].take();
    old.as_object_mut().unwrap().remove("parent");
    let event = event("evt_1", "invoice.paid", &old);
    // While Stripe does not know the subscription, it is not ours.
    let taken = inbox.take(event.as_bytes(), now()).await.unwrap();
    assert_eq!(taken, Receipt::Foreign);
    let mut subscription = sample("webhook-subscription-updated")["data"]["object"].take();
    subscription["metadata"] = tags;
    stripe.show(&format!("subscriptions/{SUBSCRIPTION}"), subscription);
    let taken = inbox.take(event.as_bytes(), now()).await.unwrap();
    assert!(matches!(taken, Receipt::Recorded { .. }), "{taken:?}");
    assert_eq!(stored(&shop).await["purchase_id"]["S"], *checkout.purchase);
}

#[tokio::test]
async fn a_session_that_begins_a_subscription_is_welcomed_once_and_leaves_it_to_be_read() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    let mut event = sample("webhook-completed-subscription");
    event["data"]["object"]["metadata"] = json!({
        "till_stack": shop.variables("WebhookFunction")["TILL_STACK"],
        "purchase_id": *checkout.purchase,
    });
    let taken = shop.deliver(&event.to_string()).await.expect(200).json();
    assert_eq!(text(&taken, "result"), "recorded");
    assert_eq!(shop.status(&checkout.purchase).await, "paid");
    assert_eq!(shop.effects(&checkout.purchase).await, ["welcome"]);
    let items = shop.subscription_items(SUBSCRIPTION).await;
    assert_eq!(
        items["subscription"]["purchase_id"]["S"],
        *checkout.purchase
    );
    assert_eq!(items["subscription"]["work_shard"]["S"], "work");
}

#[tokio::test]
async fn the_mails_of_an_invoice_whose_purchase_was_lost_wait_until_that_is_confirmed() {
    let shop = TestApp::start().await;
    let checkout = shop.open().await;
    shop.lose_purchase(&checkout.purchase).await;
    let paid = invoice(&shop, &checkout.purchase, json!({}));
    let renewed = event("evt_1", "invoice.paid", &paid);
    shop.deliver(&renewed).await.expect(200);
    let about = format!("{SUBSCRIPTION}/{INVOICE}");
    let state = async || shop.outbox(&about).await["paid"].clone();
    assert_eq!(state().await, "held");
    // Its purchase is rebuilt from the session with which it began.
    let mut begun = sample("webhook-completed-subscription");
    begun["data"]["object"]["metadata"] =
        paid["parent"]["subscription_details"]["metadata"].clone();
    shop.deliver(&begun.to_string()).await.expect(200);
    assert_eq!(shop.outbox(&checkout.purchase).await["welcome"], "held");
    let tables = Tables::of(&shop.environment("WebhookFunction")).unwrap();
    let confirmation = Confirmation::of(&tables, Mode::Test).unwrap();
    let id = checkout.purchase.parse().unwrap();
    // With the welcome, and the seller's mail about the sale.
    assert_eq!(confirmation.confirm(id, now()).await.unwrap(), Some(3));
    assert_ne!(state().await, "held");
}

#[tokio::test]
async fn what_cannot_have_paid_an_invoice_of_ours_is_foreign_without_asking_for_one() {
    let shop = TestApp::start().await;
    let (stripe, inbox) = with_own_stripe(&shop).await;
    let refund = sample("webhook-refund-succeeded");
    let intent = text(&refund["data"]["object"], "payment_intent");
    for (customer, metadata) in [
        (Value::Null, json!({})),
        (json!("cus_1"), json!({ "till_stack": "another shop" })),
    ] {
        let elsewhere = json!({
            "id": intent, "metadata": metadata, "amount": 900, "currency": "usd",
            "status": "succeeded", "receipt_email": null, "next_action": null,
            "customer": customer,
        });
        let path = format!("payment_intents/{intent}");
        stripe.show(&path, elsewhere);
        let taken = inbox.take(refund.to_string().as_bytes(), now()).await;
        assert_eq!(taken.unwrap(), Receipt::Foreign);
        let asked = stripe.asked();
        assert!(
            asked.iter().all(|call| !call.contains("invoice_payments")),
            "{asked:?}"
        );
    }
}
